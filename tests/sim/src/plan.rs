//! What a world is like, decided from its seed before it begins.
//!
//! Owns the sizes, bounds and kinds of trouble. Must not know how trouble is
//! made.

use std::ops::Range;
use std::time::Duration;

use msgd_core::store::{LogSettings, MailboxSettings, StoreSettings};
use msgd_core::{Blocks, Policy};

use crate::agenda::{MS, SECOND, Time};
use crate::dice::Dice;

/// Which kinds of trouble a world has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Troubles {
    /// Gateways die and come again.
    pub gateway_crashes: bool,
    /// Shards die and come again.
    pub shard_crashes: bool,
    /// The friend service dies and comes again.
    pub friendd_crashes: bool,
    /// Gateways and shards are stopped as an operator does, and come again.
    pub stops: bool,
    /// Gateways are left by their clients before they stop, and come again.
    pub leaves: bool,
    /// Links are cut, and some stay so for a while.
    pub cuts: bool,
    /// Processes stand still, some for longer than a lease.
    pub pauses: bool,
    /// The stores fail.
    pub store_failures: bool,
    /// Wall clocks step.
    pub clock_steps: bool,
    /// The registry is away, for all or for one part, or slow.
    pub registry: bool,
    /// The registry is away for all for several leases, and nothing else fails.
    pub outage: bool,
    /// Another server of the registry takes over, which lacks the newest.
    pub registry_forgets: bool,
    /// One shard does not reach the registry, or another stands still that
    /// watches it, and nothing else fails.
    pub cut_off: bool,
    /// Clients lose their connections and processes.
    pub churn: bool,
    /// The ring changes. By itself no failure.
    pub ring_changes: bool,
    /// Stores are slow or stand still. By itself no failure.
    pub slow_stores: bool,
    /// Clients take slowly, or nothing for a while. By itself no failure.
    pub slow_readers: bool,
    /// Users change their lists. By itself no failure.
    pub friend_changes: bool,
}

impl Troubles {
    /// Whether any part fails in this world.
    pub fn any_failure(&self) -> bool {
        self.gateway_crashes
            || self.shard_crashes
            || self.friendd_crashes
            || self.stops
            || self.leaves
            || self.cuts
            || self.pauses
            || self.store_failures
            || self.churn
            || self.registry
            || self.outage
            || self.registry_forgets
            || self.cut_off
    }
}

/// A world before it begins.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which kinds of trouble there are.
    pub troubles: Troubles,
    /// How many troubles of each kind, about.
    pub trouble_count: u64,
    /// Shards hold leases, and a dead one's slots go to the others; else the
    /// ring stands.
    pub leased: bool,
    /// Processes' clocks run too fast or too slowly.
    pub clock_skew: bool,
    /// The clock of this shard is the slowest, those of all others the fastest,
    /// and the registry's answers come at once: little time is lost.
    pub slow_shard: Option<usize>,
    /// A shard is there that has no slots.
    pub standby: bool,
    /// A shard may come back at another address.
    pub moves_house: bool,
    /// Users with one or two devices each; some more have none.
    pub users: usize,
    /// So long there is trouble.
    pub chaos: Time,
    /// So long there is none.
    pub quiet: Time,
    /// Between two acts of one client.
    pub act_pause: Range<Time>,
    /// One way between two daemons.
    pub link_delay: Range<Time>,
    /// One way between a client and a gateway.
    pub client_delay: Range<Time>,
    /// Of a store, to do what waits.
    pub store_delay: Range<Time>,
    /// Envelopes on a link before it is full, in each direction.
    pub link_max: usize,
    /// Packets to a client before it is clogged.
    pub socket_max: usize,
    /// Packets to a client before it goes without what many get.
    pub lag_max: usize,
    /// What a blocked sender is told.
    pub blocks: Blocks,
    /// Of gateways.
    pub gateway: connd_core::Settings,
    /// Of shards.
    pub shard: msgd_core::Settings,
    /// Of what stores keep.
    pub store: StoreSettings,
    /// So many groups there are.
    pub groups: usize,
    /// Nobody writes to them in peace: what was missed before does not show by
    /// what comes after it.
    pub groups_rest: bool,
}

/// A lease of a shard, from its renewal on.
pub const LEASE: Time = 1_500 * MS;

impl Plan {
    /// Decides what the world is like.
    pub fn of(dice: &mut Dice) -> Self {
        let leased = dice.percent(80);
        let troubles = troubles(dice, leased);
        let moves_house = troubles.any_failure() && leased && dice.percent(15);
        let is_long = moves_house || troubles.registry_forgets;
        let policy = if dice.percent(70) {
            Policy::Friends
        } else {
            Policy::Open
        };
        let blocks = if dice.percent(70) {
            Blocks::Told
        } else {
            Blocks::Hidden
        };
        let window = *dice.pick(&[2, 4, 8, 16]);
        // A tight world meets its bounds.
        let tight = dice.percent(25);
        let link_max = *dice.pick(&[80, 100_000, 100_000]);
        let clock_skew = dice.percent(60);
        let is_one_slow = clock_skew && dice.percent(50);
        let chaos = dice.within(4 * SECOND..9 * SECOND);
        let fast = 200 * MS..600 * MS;
        let slow = 500 * MS..2 * SECOND;
        Self {
            troubles,
            trouble_count: dice.within(1..5),
            leased,
            clock_skew,
            slow_shard: is_one_slow.then(|| dice.index(3)),
            standby: leased && dice.percent(20),
            moves_house,
            users: 8,
            chaos,
            // Who has died unknown to all is called dead late.
            quiet: if is_long { 150 } else { 45 } * SECOND,
            act_pause: dice.pick(&[fast, slow]).clone(),
            link_delay: dice.pick(&[100..900, MS..20 * MS]).clone(),
            client_delay: dice.pick(&[300..2 * MS, 5 * MS..80 * MS]).clone(),
            store_delay: dice.pick(&[200..3 * MS, MS..40 * MS]).clone(),
            link_max: if tight { link_max } else { 100_000 },
            socket_max: if tight { 40 } else { 256 },
            lag_max: if tight { 20 } else { 128 },
            blocks,
            gateway: gateway_settings(window),
            shard: shard_settings(dice, tight, policy, blocks),
            store: StoreSettings {
                mailbox: MailboxSettings {
                    messages_max: if tight { 12 } else { 10_000 },
                    ..MailboxSettings::default()
                },
                log: LogSettings::default(),
            },
            groups: 0,
            groups_rest: false,
        }
    }
}

impl Plan {
    /// Most worlds have groups, some of them narrow ones.
    pub fn with_groups(&mut self, dice: &mut Dice) {
        if dice.percent(15) {
            return;
        }
        self.groups = dice.within(2..5) as usize;
        self.groups_rest = dice.percent(50);
        let log_max = if dice.percent(30) {
            dice.within(5..30)
        } else {
            100_000
        };
        self.store.log.log_max = log_max;
        if dice.percent(10) {
            self.store.log.keep = Duration::from_secs(3);
        }
        if self.troubles.slow_readers && dice.percent(50) {
            self.lag_max = dice.within(2..10) as usize;
        }
        if !dice.percent(25) {
            return;
        }
        let shard = &mut self.shard;
        shard.group_members_max = dice.within(3..7) as usize;
        shard.group_others_max = dice.within(1..4) as usize;
        shard.groups_per_user_max = dice.within(1..4) as usize;
        shard.group_messages_per_second = dice.within(2..20) as u32;
        // Groups that are followed stay. There is room for them, and for one that
        // is asked for and does not exist.
        shard.groups_max = self.groups + 1;
        shard.group_rows_max = 11 * self.groups;
    }

    /// In some worlds without a failure one shard is cut off, the one whose clock
    /// is slow. It has dice of its own: all other worlds stay as they are.
    pub fn cut_off(&mut self, dice: &mut Dice) {
        let troubles = &mut self.troubles;
        let is_calm = !troubles.any_failure() && !troubles.outage;
        if self.leased && is_calm && dice.percent(40) {
            troubles.cut_off = true;
            troubles.ring_changes = false;
            self.slow_shard = Some(dice.index(3));
        }
    }
}

fn troubles(dice: &mut Dice, leased: bool) -> Troubles {
    let mut some = |percent| dice.percent(percent);
    // A third of the worlds has no failure: there order is whole.
    let failing = some(67);
    let often = if some(30) { 90 } else { 35 };
    let mut fails = || failing && some(often);
    Troubles {
        gateway_crashes: fails(),
        shard_crashes: fails(),
        friendd_crashes: fails(),
        stops: fails(),
        leaves: fails(),
        cuts: fails(),
        pauses: fails(),
        store_failures: fails(),
        churn: fails(),
        registry: fails() && leased,
        registry_forgets: failing && leased && some(15),
        cut_off: false,
        outage: !failing && leased && some(20),
        clock_steps: some(20),
        ring_changes: some(50) && leased,
        slow_stores: some(40),
        slow_readers: some(40),
        friend_changes: some(60),
    }
}

fn gateway_settings(window: u32) -> connd_core::Settings {
    connd_core::Settings {
        window_messages: window,
        window_bytes: 2_000,
        body_bytes_max: 400,
        login_patience: Duration::from_secs(3),
        send_patience: Duration::from_secs(8),
        resend_after: Duration::from_secs(1),
        heartbeat_default: Duration::from_secs(1),
        sessions_max: 64,
        ..connd_core::Settings::default()
    }
}

fn shard_settings(
    dice: &mut Dice,
    tight: bool,
    policy: Policy,
    blocks: Blocks,
) -> msgd_core::Settings {
    // Short enough to end within the world's time, in some worlds.
    let seconds = |short, dice: &mut Dice| {
        let long = if dice.percent(15) { short } else { 600 };
        Duration::from_secs(long)
    };
    let wide = msgd_core::Settings {
        policy,
        blocks,
        recent_window: seconds(4, dice),
        friends_max_age: seconds(2, dice),
        pending_max: 64,
        deferred_max: 64,
        waiting_max: 512,
        users_max: 64,
        ..msgd_core::Settings::default()
    };
    if !tight {
        return wide;
    }
    msgd_core::Settings {
        pending_max: 6,
        deferred_max: 6,
        waiting_max: 12,
        users_max: 9,
        recent_per_sender_max: 64,
        recent_senders_max: 4,
        ..wide
    }
}
