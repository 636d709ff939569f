//! The sections of a settings file that concern a shard and its store.
//!
//! Owns what is allowed of each key and across them, and what memory they
//! allow. Must not know the rest of the file.

use std::path::PathBuf;

use clap::Args;
use msgd_core::store::{LogSettings, MailboxSettings};
use msgd_core::{Blocks, Policy};
use node::layers::Given;
use node::memory::Memory;
use node::settings::sheet::{Reload, Sheet};
use node::settings::value::{Bytes, Span};
use proto::friends::FRIENDS_MAX;
use proto::limits::{BODY_BYTES_MAX, TARGETS_MAX};
use serde::Deserialize;
use service::queue::QUEUE_MAX;

use crate::mailboxes::CAPACITY;
use crate::store::{GROUPS_MAX, MAILBOXES_MAX};

node::section! {
    /// Bounds and times of each shard.
    pub ShardSection "shard" of msgd_core::Settings, besides { policy: Policy, blocks: Blocks } {
        delivery_patience: Span [Span::ms(1), Span::s(600)] Yes;
        presence_linger: Span [Span::ms(0), Span::s(600)] Yes;
        presence_patience: Span [Span::ms(10), Span::s(60)] Yes;
        friends_max_age: Span [Span::s(1), Span::d(1)] Yes;
        friends_patience: Span [Span::ms(10), Span::s(60)] Yes;
        recent_window: Span [Span::s(1), Span::d(1)] Yes;
        recent_per_sender_max: Count [Count::of(64), Count::of(65_536)] Yes;
        recent_senders_max: Count [Count::of(1), Count::of(1_000_000)] Yes;
        pending_max: Count [Count::of(1), Count::of(65_536)] Yes;
        pending_bytes_max: Bytes [Bytes::kib(64), Bytes::mib(1_024)] Yes;
        deferred_max: Count [Count::of(1), Count::of(65_536)] Yes;
        waiting_max: Count [Count::of(1), Count::of(1_000_000)] Yes;
        users_max: Count [Count::of(1), Count::of(10_000_000)] Yes;
        sessions_per_user_max: Count [Count::of(1), Count::of(1_024)] Yes;
        session_messages_per_second: Count [Count::of(1), Count::of(1_000_000)] Yes;
        user_messages_per_second: Count [Count::of(1), Count::of(1_000_000)] Yes;
        tells_max: Count [Count::of(1), Count::of(10_000_000)] Yes;
        acts_max: Count [Count::of(1), Count::of(10_000_000)] Yes;
        group_members_max: Count [Count::of(1), Count::of(1_000_000)] Yes;
        group_others_max: Count [Count::of(1), Count::of(1_000_000)] Yes;
        groups_per_user_max: Count [Count::of(1), Count::of(800)] Yes;
        group_messages_per_second: Count [Count::of(1), Count::of(1_000_000)] Yes;
        member_messages_per_second: Count [Count::of(1), Count::of(1_000_000)] Yes;
        groups_max: Count [Count::of(1), Count::of(10_000_000)] Yes;
        group_rows_max: Count [Count::of(1), Count::of(100_000_000)] Yes;
    }
}

node::section! {
    /// Bounds of each mailbox.
    pub MailboxSection "mailbox" of MailboxSettings {
        messages_max: Count [Count::of(1), Count::of(10_000_000)] No;
        bytes_max: Bytes [Bytes::kib(64), Bytes::mib(1_048_576)] No;
        age_max: Span [Span::s(60), Span::d(3_650)] No;
    }
}

node::section! {
    /// Bounds of each group.
    pub GroupsSection "groups" of LogSettings {
        log_max: Count [Count::of(1), Count::of(10_000_000)] No;
        keep: Span [Span::s(60), Span::d(3_650)] No;
    }
}

node::section! {
    /// Sizes of the database.
    pub DatabaseSection "database" of store::Settings {
        cache_bytes: Bytes [Bytes::mib(1), Bytes::mib(1_048_576)] No;
        memtable_bytes: Bytes [Bytes::mib(1), Bytes::mib(1_024)] No;
        journal_bytes: Bytes [Bytes::mib(64), Bytes::mib(1_048_576)] No;
    }
}

/// Who may write to whom: a key at the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct PolicyWord(#[serde(deserialize_with = "policy")] pub Policy);

/// What a blocked sender is told: a key at the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct BlocksWord(#[serde(deserialize_with = "blocks")] pub Blocks);

const POLICY_ALLOWED: &str = "friends or open";
const BLOCKS_ALLOWED: &str = "told or hidden";

fn policy<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Policy, D::Error> {
    node::settings::value::text(from, POLICY_ALLOWED)
}

fn blocks<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Blocks, D::Error> {
    node::settings::value::text(from, BLOCKS_ALLOWED)
}

/// The keys of who may write what, on the command line.
#[derive(Debug, Clone, Args)]
pub struct RightsFlags {
    /// Who may write to whom: friends, or open (anyone who is not blocked).
    /// Default: friends.
    #[arg(long)]
    policy: Option<Policy>,
    /// What a blocked sender is told: told, or hidden (they are not friends).
    /// Default: told.
    #[arg(long)]
    blocks: Option<Blocks>,
    /// A file with words, one per line: messages that hold one are refused.
    #[arg(long, value_name = "FILE")]
    words: Option<PathBuf>,
}

impl RightsFlags {
    /// Puts what was given over what the file says.
    pub fn put_over(
        self,
        (policy, blocks, words): (&mut Policy, &mut Blocks, &mut Option<PathBuf>),
        given: &mut Given<'_>,
    ) {
        given.put("policy", "policy", policy, self.policy);
        given.put("blocks", "blocks", blocks, self.blocks);
        given.put("words", "words", words, self.words.map(Some));
    }
}

/// Puts `policy` and `blocks` on the sheet.
pub fn describe_rights(policy: Policy, blocks: Blocks, sheet: &mut Sheet) {
    let policy = match policy {
        Policy::Friends => "friends",
        Policy::Open => "open",
    };
    sheet.words("policy", policy, POLICY_ALLOWED, Reload::Yes);
    let blocks = match blocks {
        Blocks::Told => "told",
        Blocks::Hidden => "hidden",
    };
    // friendd has the same setting, and takes it at its start.
    sheet.words("blocks", blocks, BLOCKS_ALLOWED, Reload::No);
}

/// What a message takes beside its body: ids, stamp, place.
const MESSAGE_BYTES: u64 = 512;

/// What an answer that is remembered takes.
const ANSWER_BYTES: u64 = 96;

/// What a sender whose answers are remembered takes: the id, the list's head.
const SENDER_BYTES: u64 = 256;

/// What a user takes of whom nothing is under way: state, presence, maps.
const USER_BYTES: u64 = 4 * 1024;

/// What a session takes in a shard.
const SESSION_BYTES: u64 = 256;

/// What a friend takes in a cached list: the id, the relation, a status.
const FRIEND_BYTES: u64 = 160;

/// What someone whom a group knows takes: the id, the role, counts, the map.
const MEMBER_BYTES: u64 = 256;

/// What a mailbox takes in the cache of the store.
const MAILBOX_BYTES: u64 = 256;

/// What a group takes there.
const GROUP_BYTES: u64 = 256;

/// Memtables of a keyspace in memory at most.
const MEMTABLES: u64 = 5;

impl ShardSection {
    /// What is not allowed across keys.
    pub fn describe_across(&self, sheet: &mut Sheet) {
        let user = ("user_messages_per_second", self.user_messages_per_second);
        let session = self.session_messages_per_second;
        sheet.at_most(("session_messages_per_second", session), user);
    }

    /// For how long answers are remembered.
    pub fn recent_window(&self) -> Span {
        self.recent_window
    }

    /// What shards take at most.
    pub fn memory(&self, shards: u64, policy: Policy, blocks: Blocks, memory: &mut Memory) {
        let core = self.core(policy, blocks);
        let body = BODY_BYTES_MAX as u64;
        let pending = self.pending_bytes_max.get() + core.pending_max as u64 * MESSAGE_BYTES;
        let deferred = core.deferred_max as u64 * (body + MESSAGE_BYTES);
        let answers = core.recent_per_sender_max as u64 * ANSWER_BYTES + SENDER_BYTES;
        let recent = core.recent_senders_max as u64 * answers;
        let friends = FRIENDS_MAX as u64 * FRIEND_BYTES;
        let sessions = core.sessions_per_user_max as u64 * SESSION_BYTES;
        let user = USER_BYTES + pending + deferred + recent + friends + sessions;
        let made_of = format!(
            "{} unacknowledged, {} waiting for mailbox or list, {} of answers, {} of friends",
            Bytes::from(pending),
            Bytes::from(deferred),
            Bytes::from(recent),
            Bytes::from(friends),
        );
        memory.each("a user", user, made_of);
        let users = (core.users_max as u64).saturating_mul(shards);
        memory.all(
            "all users",
            users.saturating_mul(user),
            format!("{shards} shard(s) of {} users", core.users_max),
        );
        let waiting = core.waiting_max as u64 * (body + MESSAGE_BYTES);
        let tells = core.tells_max as u64 * (TARGETS_MAX as u64 * 64 + MESSAGE_BYTES);
        let acts = core.acts_max as u64 * MESSAGE_BYTES;
        let groups = core.groups_max as u64 * (pending + deferred + recent)
            + core.group_rows_max as u64 * MEMBER_BYTES;
        memory.all(
            "all groups",
            groups.saturating_mul(shards),
            format!(
                "{shards} shard(s) of {} groups that know {} users together",
                core.groups_max, core.group_rows_max
            ),
        );
        memory.all(
            "waiting, told, changed",
            (waiting + tells + acts).saturating_mul(shards),
            format!(
                "{} envelopes for slots, {} statuses, {} changes of friends and groups, per shard",
                core.waiting_max, core.tells_max, core.acts_max
            ),
        );
    }
}

/// What links of gateways take at most, each with its queue.
pub fn link_memory(gateways: Option<u64>, memory: &mut Memory) {
    let body = BODY_BYTES_MAX as u64;
    let link = QUEUE_MAX as u64 * (body + MESSAGE_BYTES);
    let made_of = format!("{QUEUE_MAX} envelopes of {} and ids", Bytes::from(body));
    memory.each("a link to a gateway", link, made_of);
    if let Some(gateways) = gateways {
        let made_of = format!("{gateways} link(s)");
        memory.all("all links to gateways", link * gateways, made_of);
    }
}

impl DatabaseSection {
    /// What the database takes at most, with so many keyspaces.
    pub fn memory(&self, keyspaces: u64, memory: &mut Memory) {
        let memtables = MEMTABLES * keyspaces * self.memtable_bytes.get();
        let made_of = format!(
            "blocks {}, {keyspaces} keyspace(s) with {MEMTABLES} memtables of {}",
            self.cache_bytes, self.memtable_bytes
        );
        memory.all("store", self.cache_bytes.get() + memtables, made_of);
        let copy = store::backup_memory(keyspaces, self.memtable_bytes.get());
        memory.all("a copy of the store", copy, "while one is made");
    }
}

/// What a process keeps of mailboxes and groups at most, wherever they are: those used
/// lately, and the requests of shards that wait.
pub fn mailboxes_memory(memory: &mut Memory) {
    let mailboxes = MAILBOXES_MAX as u64 * MAILBOX_BYTES;
    let made_of = format!("{MAILBOXES_MAX} mailboxes");
    memory.all("store, mailbox cache", mailboxes, made_of);
    let groups = GROUPS_MAX as u64 * GROUP_BYTES;
    let made_of = format!("{GROUPS_MAX} groups");
    memory.all("store, group cache", groups, made_of);
    let waiting = CAPACITY as u64 * (BODY_BYTES_MAX as u64 + MESSAGE_BYTES);
    let made_of = format!("{CAPACITY} requests with a body each");
    memory.all("store, queue", waiting, made_of);
}
