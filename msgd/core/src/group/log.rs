//! The end of a group's log: what is durable, what is being written, what waits
//! for that.
//!
//! One write at a time; what comes meanwhile travels with the next. Must not
//! know who may write.

use std::collections::VecDeque;

use indexmap::IndexSet;
use proto::group::{Action, Head, LogEntry, Logged, Place};
use proto::ids::{GatewayId, Identity, LogEpoch, MessageId, Stamp, UserId};
use smallvec::SmallVec;

use super::roll::PutOut;
use crate::inbox::Asker;

/// Something that is done when it is durable.
#[derive(Debug)]
pub struct Pending {
    /// What stands in the log, and what tells the same id with another body; none
    /// where only rows change.
    pub entry: Option<(LogEntry, u64)>,
    /// What happens then.
    pub then: Then,
}

/// What happens when something is durable.
#[derive(Debug)]
pub enum Then {
    /// A message is safe: who sent it is told, and everyone who sent it again.
    Sent(SmallVec<[Asker; 1]>),
    /// An action is done.
    Acted(Box<Acted>),
}

/// An action that is durable.
#[derive(Debug)]
pub struct Acted {
    /// Who is told.
    pub reply: Reply,
    /// Who acted, and how.
    pub change: (UserId, Action),
    /// Whose membership changed.
    pub rows: SmallVec<[UserId; 2]>,
    /// Who is put out.
    pub put_out: Option<PutOut>,
    /// What is said, if not that it is done.
    pub code: Option<proto::codes::Code>,
}

/// Where an answer to a request about a group goes: to the asker's shard.
#[derive(Debug, Clone)]
pub struct Reply {
    /// By which gateway.
    pub gateway: GatewayId,
    /// That shard's number of the request.
    pub number: u64,
    /// Who asked.
    pub actor: UserId,
    /// The client's number of it.
    pub request: u32,
}

/// The end of a log.
#[derive(Debug)]
pub struct Log {
    /// The last entry that is durable.
    pub head: Head,
    /// What is being written.
    flying: VecDeque<Pending>,
    /// What is written next.
    waiting: VecDeque<Pending>,
    /// Of both.
    bytes: usize,
    /// The last entry of both.
    end: Head,
    /// When that was accepted.
    newest: Stamp,
    /// A write is under way.
    is_writing: bool,
    /// Rows that are written next.
    pub rows: IndexSet<UserId>,
    /// The record is written next.
    pub record: bool,
}

impl Log {
    /// A log that ends here.
    pub fn ends(head: Head, newest: Stamp) -> Self {
        Self {
            head,
            flying: VecDeque::new(),
            waiting: VecDeque::new(),
            bytes: 0,
            end: head,
            newest,
            is_writing: false,
            rows: IndexSet::new(),
            record: false,
        }
    }

    /// A log without an entry.
    pub fn empty(epoch: LogEpoch) -> Self {
        let place = Place { epoch, seq: 0 };
        let head = Head { place, messages: 0 };
        Self::ends(head, Stamp::default())
    }

    /// Whether a message of so many bytes may wait.
    pub fn has_room(&self, bytes: usize, count_max: usize, bytes_max: usize) -> bool {
        self.len() < count_max && (self.bytes + bytes <= bytes_max || self.len() == 0)
    }

    /// How much is not durable.
    pub fn len(&self) -> usize {
        self.flying.len() + self.waiting.len()
    }

    /// The next entry. Its stamp is not before that of the last.
    pub fn append(
        &mut self,
        stamp: Stamp,
        from: UserId,
        what: Logged,
        fingerprint: u64,
    ) -> (LogEntry, u64) {
        self.end.place.seq += 1;
        self.end.messages += u64::from(matches!(what, Logged::Message { .. }));
        self.newest = self.newest.max(stamp);
        let entry = LogEntry {
            seq: self.end.place.seq,
            messages: self.end.messages,
            stamp: self.newest,
            from,
            what,
        };
        (entry, fingerprint)
    }

    /// Something is to be done when it is durable.
    pub fn push(&mut self, pending: Pending) {
        self.bytes += weight(&pending);
        self.waiting.push_back(pending);
    }

    /// A message that is not durable yet, to be told to one more; whether it is
    /// there, and if so whether it is the same.
    pub fn join(&mut self, identity: &Identity, fingerprint: u64, asker: Asker) -> Option<bool> {
        let pending = self.flying.iter_mut().chain(&mut self.waiting);
        let mut same = pending.filter_map(|pending| {
            let (entry, of) = pending.entry.as_ref()?;
            let is_it = entry.from == identity.from && id(entry) == Some(identity.id);
            match &mut pending.then {
                Then::Sent(askers) if is_it => Some((*of, askers)),
                _ => None,
            }
        });
        let (of, askers) = same.next()?;
        if of != fingerprint {
            return Some(false);
        }
        let at = |other: &Asker| (other.gateway, other.session);
        askers.retain(|other| at(other) != at(&asker));
        askers.push(asker);
        Some(true)
    }

    /// What is to be written now, if something is and nothing is being written.
    /// The caller reads it and the rows, and writes them.
    pub fn write(&mut self) -> Option<&VecDeque<Pending>> {
        let is_due = !self.waiting.is_empty() || !self.rows.is_empty() || self.record;
        if self.is_writing || !is_due {
            return None;
        }
        self.is_writing = true;
        self.flying = std::mem::take(&mut self.waiting);
        Some(&self.flying)
    }

    /// It is durable.
    pub fn written(&mut self) -> VecDeque<Pending> {
        self.is_writing = false;
        let done = std::mem::take(&mut self.flying);
        for pending in &done {
            self.bytes -= weight(pending);
            if let Some((entry, _)) = &pending.entry {
                self.head.place.seq = entry.seq;
                self.head.messages = entry.messages;
            }
        }
        done
    }

    /// Gives up: what is being written, whose fate is not known, and what waits,
    /// which was never asked of the store.
    pub fn give_up(&mut self) -> (VecDeque<Pending>, VecDeque<Pending>) {
        self.bytes = 0;
        let flying = std::mem::take(&mut self.flying);
        (flying, std::mem::take(&mut self.waiting))
    }

    /// Whether something is done to a user that is not durable.
    pub fn changes(&self, user: &UserId) -> bool {
        let mut pending = self.flying.iter().chain(&self.waiting);
        pending.any(|pending| match &pending.then {
            Then::Acted(acted) => acted.rows.contains(user),
            Then::Sent(_) => false,
        })
    }

    /// Where the log ends when what is being written is durable.
    pub fn asked_end(&self) -> u64 {
        let entries = self.flying.iter().rev();
        let mut seqs = entries.filter_map(|pending| Some(pending.entry.as_ref()?.0.seq));
        seqs.next().unwrap_or(self.head.place.seq)
    }

    /// Whether all is durable.
    pub fn is_idle(&self) -> bool {
        !self.is_writing && self.waiting.is_empty() && self.rows.is_empty() && !self.record
    }
}

/// Of a message.
pub fn id(entry: &LogEntry) -> Option<MessageId> {
    match &entry.what {
        Logged::Message { id, .. } => Some(*id),
        Logged::Change(_) => None,
    }
}

fn weight(pending: &Pending) -> usize {
    pending
        .entry
        .as_ref()
        .map_or(0, |(entry, _)| entry.weight())
}
