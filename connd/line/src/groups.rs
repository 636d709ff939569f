//! The groups of one user, and how far each is told.
//!
//! Owns the order of a group's entries: each is told once, after the one before
//! it, or what is missing is known. Must not know how it is got, nor how it is
//! told.

use proto::group::{Action, GroupState, LogEntry, Logged, Place, Role};
use proto::ids::{GroupId, LogEpoch, UserId};
use proto::server::{GroupDeliver, History};
use smol_str::SmolStr;

/// So many entries are got behind the scenes; what lies before them is skipped.
pub const MISSED_MAX: u64 = 500;

/// The groups, by their ids.
#[derive(Debug, Default)]
pub struct Groups(Vec<Group>);

/// One group.
#[derive(Debug)]
pub struct Group {
    /// Which.
    pub id: GroupId,
    /// For people.
    pub title: SmolStr,
    /// The user's.
    pub role: Role,
    /// How many members there were when it was told.
    pub members: u32,
    epoch: LogEpoch,
    /// The last entry.
    head: u64,
    /// The last entry that was told, or that need not be.
    told: u64,
}

/// What a page brings.
#[derive(Debug, PartialEq, Eq)]
pub struct Filled<'a> {
    /// So many entries before it are not told.
    pub skipped: u64,
    /// To be told.
    pub entries: &'a [LogEntry],
}

impl Groups {
    /// One that the user is in.
    pub fn find(&self, group: &GroupId) -> Option<&Group> {
        Some(&self.0[self.place(group).ok()?])
    }

    fn known(&mut self, group: &GroupId) -> Option<&mut Group> {
        let at = self.place(group).ok()?;
        Some(&mut self.0[at])
    }

    fn place(&self, group: &GroupId) -> Result<usize, usize> {
        self.0.binary_search_by(|known| known.id.cmp(group))
    }

    /// The user is in a group, or its log went on: what a new one holds was
    /// before.
    pub fn enter(&mut self, state: &GroupState, is_told: bool) {
        match self.place(&state.group) {
            Err(at) => self.0.insert(at, Group::new(state)),
            Ok(at) => {
                let group = &mut self.0[at];
                group.title = state.title.clone();
                group.role = state.role;
                group.members = state.members;
                group.reach(state.head.place, is_told);
            }
        }
    }

    /// The user is in a group no more; whether they were.
    pub fn leave(&mut self, group: &GroupId) -> bool {
        let place = self.place(group);
        place.is_ok_and(|at| self.0.remove(at).id == *group)
    }

    /// The log of a group reaches so far.
    pub fn reach(&mut self, group: &GroupId, head: Place, is_told: bool) {
        if let Some(known) = self.known(group) {
            known.reach(head, is_told);
        }
    }

    /// Takes an entry; whether it is told now. If it is not, it was, or it is
    /// when what is missing before it has come.
    pub fn deliver(&mut self, deliver: &GroupDeliver, user: &UserId, is_told: bool) -> bool {
        let Some(group) = self.known(&deliver.group) else {
            return false;
        };
        let (epoch, seq) = (deliver.epoch, deliver.entry.seq);
        if !group.is_of(epoch) || seq <= group.head {
            return false;
        }
        group.change(&deliver.entry, user);
        let is_next = group.told + 1 == seq;
        group.head = seq;
        if is_next || !is_told {
            group.told = seq;
        }
        is_next && is_told
    }

    /// Takes a page that was asked for after what was told.
    pub fn fill<'a>(&mut self, group: &GroupId, page: &'a History, user: &UserId) -> Filled<'a> {
        let nothing = Filled {
            skipped: 0,
            entries: &[],
        };
        let Some(group) = self.known(group) else {
            return nothing;
        };
        let is_newer = page.epoch > group.epoch;
        group.reach(
            Place {
                epoch: page.epoch,
                seq: page.last,
            },
            true,
        );
        // A log that began anew is asked for from its beginning.
        if is_newer || page.epoch < group.epoch {
            return nothing;
        }
        let from = page
            .entries
            .partition_point(|entry| entry.seq <= group.told);
        let entries = &page.entries[from..];
        entries.iter().for_each(|entry| group.change(entry, user));
        let first = entries.first().map_or(group.head + 1, |entry| entry.seq);
        let skipped = first.saturating_sub(group.told + 1);
        let last = entries.last().map_or(group.head, |entry| entry.seq);
        group.told = last;
        group.head = group.head.max(last);
        Filled { skipped, entries }
    }

    /// A group with entries that are missing, and after which one they are to be
    /// asked for: the next one after that group, or the first.
    pub fn behind(&self, after: Option<&GroupId>) -> Option<(GroupId, u64)> {
        let is_behind = |group: &&Group| group.told < group.head;
        let mut later = self.0.iter().filter(is_behind);
        let next = later.find(|group| after.is_none_or(|after| group.id > *after));
        let group = next.or_else(|| self.0.iter().find(is_behind))?;
        let from = group.told.max(group.head.saturating_sub(MISSED_MAX));
        Some((group.id.clone(), from))
    }
}

impl Group {
    fn new(state: &GroupState) -> Self {
        Self {
            id: state.group.clone(),
            title: state.title.clone(),
            role: state.role,
            members: state.members,
            epoch: state.head.place.epoch,
            head: state.head.place.seq,
            told: state.head.place.seq,
        }
    }

    /// Whether that is its log. A later one takes its place, with all that is in
    /// it to be told.
    fn is_of(&mut self, epoch: LogEpoch) -> bool {
        if epoch > self.epoch {
            (self.epoch, self.head, self.told) = (epoch, 0, 0);
        }
        epoch == self.epoch
    }

    fn reach(&mut self, head: Place, is_told: bool) {
        if !self.is_of(head.epoch) {
            return;
        }
        self.head = self.head.max(head.seq);
        if !is_told {
            self.told = self.head;
        }
    }

    /// What it is after an entry.
    fn change(&mut self, entry: &LogEntry, user: &UserId) {
        let Logged::Change(action) = &entry.what else {
            return;
        };
        match action {
            Action::Rename { title } => self.title = title.clone(),
            Action::SetRole { user: of, role } if of == user => self.role = *role,
            Action::Transfer(to) if to == user => self.role = Role::Owner,
            Action::Transfer(_) if entry.from == *user => self.role = Role::Admin,
            _ => {}
        }
    }
}
