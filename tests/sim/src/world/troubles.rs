//! Trouble, decided when the world begins, and its end.

use super::stores::Mood;
use super::{Step, World};
use crate::agenda::{MS, SECOND, Time};
use crate::client::Waking;
use crate::plan::LEASE;
use proto::client::ClientPacket;

/// One trouble; which part it meets is decided when it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A gateway dies.
    GatewayCrash,
    /// A shard dies.
    ShardCrash,
    /// A machine dies, with a gateway and a shard.
    MachineCrash,
    /// A gateway is stopped, with a word to its clients.
    GatewayStop,
    /// A gateway's clients are asked to move, then it is stopped.
    GatewayLeave,
    /// A shard is stopped: it stores what it has and gives its slots up.
    ShardStop,
    /// The friend service dies.
    FrienddCrash,
    /// A link is cut.
    Cut,
    /// A gateway, by its number, stands still.
    GatewayPause(usize),
    /// A shard, by its number, stands still.
    ShardPause(usize),
    /// The store, or that of the friend service, fails.
    Store,
    /// The same, slow or standing still.
    SlowStore,
    /// The registry is away, for all or for one part.
    Registry,
    /// The registry is away for all, for long.
    Outage,
    /// Another server of the registry takes over.
    RegistryForgets,
    /// The slow shard is cut off from the registry.
    CutOff,
    /// A wall clock steps.
    ClockStep,
    /// The ring changes, once or several times in a row.
    Ring,
    /// A client loses its connection or process, or logs out.
    Churn,
}

impl World {
    pub(super) fn begin_troubles(&mut self) {
        let troubles = self.plan.troubles;
        let kinds = [
            (troubles.gateway_crashes, Trouble::GatewayCrash, 1),
            (troubles.shard_crashes, Trouble::ShardCrash, 1),
            (
                troubles.gateway_crashes && troubles.shard_crashes,
                Trouble::MachineCrash,
                1,
            ),
            (troubles.stops, Trouble::GatewayStop, 1),
            (troubles.leaves, Trouble::GatewayLeave, 2),
            (troubles.stops, Trouble::ShardStop, 1),
            (troubles.friendd_crashes, Trouble::FrienddCrash, 1),
            (troubles.cuts, Trouble::Cut, 3),
            (troubles.pauses, Trouble::GatewayPause(0), 1),
            (troubles.pauses, Trouble::ShardPause(0), 2),
            (troubles.store_failures, Trouble::Store, 1),
            (troubles.slow_stores, Trouble::SlowStore, 1),
            (troubles.registry, Trouble::Registry, 2),
            (troubles.outage, Trouble::Outage, 1),
            (troubles.registry_forgets, Trouble::RegistryForgets, 1),
            (troubles.cut_off, Trouble::CutOff, 2),
            (troubles.clock_steps, Trouble::ClockStep, 1),
            (troubles.ring_changes, Trouble::Ring, 1),
            (troubles.churn, Trouble::Churn, 6),
        ];
        for (wanted, trouble, weight) in kinds {
            if !wanted {
                continue;
            }
            for _ in 0..self.dice.within(1..self.plan.trouble_count * weight + 1) {
                let when = 500 * MS..self.plan.chaos;
                self.plan_in(when, Step::Trouble(trouble));
            }
        }
    }

    pub(super) fn trouble(&mut self, trouble: Trouble) {
        if self.is_quiet {
            return;
        }
        let gateway = self.dice.index(self.gateways.len());
        let shard = self.dice.index(self.shards.len());
        let is_failure = !matches!(
            trouble,
            Trouble::Ring
                | Trouble::Outage
                | Trouble::SlowStore
                | Trouble::ClockStep
                | Trouble::GatewayLeave
        );
        if is_failure {
            self.failed();
        }
        match trouble {
            Trouble::GatewayCrash => self.kill_gateway(gateway),
            Trouble::ShardCrash => self.kill_shard(shard),
            Trouble::MachineCrash => {
                self.kill_gateway(gateway);
                self.kill_shard(shard);
            }
            Trouble::GatewayStop => {
                self.gateway_event(gateway, connd_core::Event::Stopping);
                self.kill_gateway(gateway);
            }
            Trouble::GatewayLeave => self.gateway_leave(gateway),
            Trouble::ShardStop => self.shard_stop(shard),
            Trouble::FrienddCrash => self.graph_crash(),
            Trouble::Cut => {
                if self.dice.percent(30) {
                    let long = self.dice.within(200 * MS..4 * SECOND);
                    self.bar(gateway, shard, self.now + long);
                } else {
                    self.cut(gateway, shard);
                }
            }
            Trouble::GatewayPause(_) => {
                let long = self.pause_length();
                self.gateway_pause(gateway);
                self.plan_in(long..long + 1, Step::Over(Trouble::GatewayPause(gateway)));
            }
            Trouble::ShardPause(_) => {
                let long = self.pause_length();
                self.shard_pause(shard);
                self.plan_in(long..long + 1, Step::Over(Trouble::ShardPause(shard)));
            }
            Trouble::Store => self.store_trouble(),
            Trouble::SlowStore => {
                let long = self.dice.within(300 * MS..3 * SECOND);
                let mood = if self.dice.percent(50) {
                    Mood::Slow
                } else {
                    Mood::Stalled(self.now + long)
                };
                self.store_spell(mood, long);
                self.graph.set_slow(self.dice.percent(30));
            }
            Trouble::Registry => self.registry_trouble(),
            Trouble::Outage => self.registry_outage(),
            Trouble::RegistryForgets => self.registry_forgets(),
            Trouble::CutOff => self.registry_cuts_off(),
            Trouble::ClockStep => {
                let shift = self.dice.within(0..8 * SECOND) as i64 - 4 * SECOND as i64;
                match self.dice.within(0..3) {
                    0 => self.gateways[gateway].shift_wall(shift),
                    1 => self.shards[shard].shift_wall(shift),
                    _ => self.registry_clock_steps(shift),
                }
            }
            Trouble::Ring => {
                for _ in 0..self.dice.within(1..4) {
                    self.change_ring();
                }
            }
            Trouble::Churn => self.churn(),
        }
    }

    pub(super) fn kill_gateway(&mut self, gateway: usize) {
        self.gateway_crash(gateway);
        self.plan_in(50 * MS..3 * SECOND, Step::GatewayStart(gateway));
    }

    fn kill_shard(&mut self, shard: usize) {
        self.shard_crash(shard);
        // Sooner than its lease is over, or later.
        self.plan_in(100 * MS..4 * SECOND, Step::ShardStart(shard));
    }

    /// One change by an operator: a shard more, one less, or other weights.
    fn change_ring(&mut self) {
        let shard = self.dice.index(self.shards.len());
        let name = self.shards[shard].name.clone();
        let look = self.registry.look();
        if !look.found.iter().any(|found| found.name == name) {
            return self.plan_in(0..1, Step::ShardStart(shard));
        }
        let seen = look.epoch;
        if self.dice.percent(30) {
            return self.operate(|server, now| server.remove(now, seen, &name));
        }
        let weight = *self.dice.pick(&[0, 1, 2]);
        self.operate(|server, now| server.weigh(now, seen, &name, weight));
    }

    /// A member that has no process gets one; a ring of nobody gets somebody.
    fn start_members(&mut self) {
        let look = self.registry.look();
        for shard in 0..self.shards.len() {
            let name = &self.shards[shard].name;
            let is_member = look.found.iter().any(|found| found.name == *name);
            if is_member || shard < super::SHARDS_AT_FIRST {
                self.plan_in(0..500 * MS, Step::ShardStart(shard));
            }
        }
    }

    fn pause_length(&mut self) -> Time {
        let short = 50 * MS..LEASE;
        let long = LEASE..3 * LEASE;
        let range = self.dice.pick(&[short, long]).clone();
        self.dice.within(range)
    }

    fn store_trouble(&mut self) {
        let percent = *self.dice.pick(&[5, 30, 100]);
        let long = self.dice.within(300 * MS..3 * SECOND);
        if self.dice.percent(70) {
            self.store_spell(Mood::Failing(percent), long);
        } else {
            self.graph.set_failing(percent);
            self.plan_in(long..long + 1, Step::Over(Trouble::Store));
        }
    }

    fn churn(&mut self) {
        let client = self.dice.index(self.clients.len());
        let noticed = match self.dice.within(0..10) {
            0..3 => None,
            3..8 => Some(5 * MS),
            _ => Some(500 * MS),
        };
        let pause = self.dice.within(10 * MS..4 * SECOND);
        match self.dice.within(0..10) {
            // It may be back before anybody noticed that it was gone.
            0..5 => self.leave(client, noticed, pause),
            5..8 => {
                self.leave(client, noticed, pause);
                self.clients[client].restart();
                self.model.process_ended(client);
                let start = self.clients[client].process;
                self.plan_in(pause..pause + 1, Step::Connect(client, start));
                let act = Step::Woke(client, start, Waking::Act);
                self.plan_in(pause + SECOND..pause + 2 * SECOND, act);
            }
            _ => {
                if let Some(connection) = self.clients[client].connection() {
                    let (gateway, number) = (connection.gateway, connection.number);
                    self.client_sends(gateway, number, ClientPacket::Logout);
                    self.leave(client, Some(5 * MS), pause);
                }
            }
        }
    }

    pub(super) fn trouble_over(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::GatewayPause(gateway) => self.gateway_resume(gateway),
            Trouble::ShardPause(shard) => self.shard_resume(shard),
            Trouble::RegistryForgets if !self.is_quiet => self.registry_forgets_parted(),
            Trouble::Store | Trouble::SlowStore => {
                self.store_recovers();
                self.graph.set_failing(0);
                self.graph.set_slow(false);
            }
            _ => {}
        }
    }

    /// All trouble is over, and all that died comes again.
    pub(super) fn quiet(&mut self) {
        self.trace.say(self.now, || "quiet".to_owned());
        self.is_quiet = true;
        self.observe(crate::observed::Observed::Quiet);
        self.store_recovers();
        self.registry_recovers();
        self.graph.set_failing(0);
        self.graph.set_slow(false);
        self.plan_in(0..100 * MS, Step::GraphStart);
        for gateway in 0..self.gateways.len() {
            self.gateway_resume(gateway);
            self.plan_in(0..500 * MS, Step::GatewayStart(gateway));
            for shard in 0..self.shards.len() {
                self.links_open(gateway, shard);
            }
        }
        for shard in 0..self.shards.len() {
            self.shard_resume(shard);
        }
        self.start_members();
        for client in 0..self.clients.len() {
            let who = &mut self.clients[client];
            who.reads_every = 0;
            who.inbox.away_until = 0;
            who.inbox.pause = who.inbox.pause.min(20 * MS);
            let start = who.process;
            if self.dice.percent(25) {
                // Somebody who leaves for good, with or without a word.
                self.clients[client].wants = false;
                let noticed = *self.dice.pick(&[None, Some(5 * MS)]);
                self.leave(client, noticed, SECOND);
            } else {
                self.plan_in(0..500 * MS, Step::Connect(client, start));
            }
        }
        for client in 0..self.clients.len() {
            let start = self.clients[client].process;
            let step = Step::Woke(client, start, Waking::Take);
            self.plan_in(10 * MS..11 * MS, step);
            let late = self.plan.quiet - 10 * SECOND;
            self.plan_in(
                late..late + SECOND,
                Step::Woke(client, start, Waking::Probe),
            );
            let last = late + 5 * SECOND;
            let step = Step::Woke(client, start, Waking::AskDevices);
            self.plan_in(last..last + SECOND, step);
        }
    }
}
