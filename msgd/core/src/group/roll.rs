//! Whom a group knows.
//!
//! Owns the rows and their counts. What is done is done in memory at once, in the
//! order in which it comes; when it is durable is the group's to know. Must not
//! know who may do what.

use std::collections::BTreeMap;

use proto::codes::Code;
use proto::group::{Belongs, Entrance, MemberEntry, ReadTo, Role, Standing};
use proto::ids::{LogEpoch, UserId};
use proto::rate::Usage;
use smallvec::{SmallVec, smallvec};
use smol_str::SmolStr;

use crate::store::{GroupRecord, Known, MemberRow};

/// How many a group may know.
#[derive(Debug, Clone, Copy)]
pub struct RollBounds {
    /// Members.
    pub members_max: usize,
    /// Who was invited, asked to be admitted, or is banned.
    pub others_max: usize,
}

/// Someone whom a group knows.
#[derive(Debug)]
pub struct Row {
    /// As it is kept.
    pub kept: MemberRow,
    /// Messages of the member.
    pub rate: Usage,
}

/// Whom a group knows.
#[derive(Debug)]
pub struct Roll {
    /// What the group is.
    pub record: GroupRecord,
    /// Ascending, so that it can be shown page by page.
    rows: BTreeMap<UserId, Row>,
    /// How many of the rows are members.
    members: usize,
    others: usize,
}

/// What an action did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// It stands in the log.
    pub logged: bool,
    /// Whose rows changed.
    pub rows: SmallVec<[UserId; 2]>,
    /// The group is another than before.
    pub record: bool,
    /// Who is no member any more.
    pub put_out: Option<PutOut>,
    /// What the actor is told, if it is not that it is done.
    pub code: Option<Code>,
}

/// Who is put out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutOut {
    /// One.
    User(UserId),
    /// All: the group has ended.
    All,
}

impl Roll {
    /// A group that comes into being; its owner is its only member.
    pub fn create(
        owner: &UserId,
        title: SmolStr,
        entrance: Entrance,
        epoch: LogEpoch,
    ) -> (Self, Done) {
        let record = GroupRecord {
            title,
            entrance,
            epoch,
            revision: 0,
            dissolved: false,
        };
        let mut roll = Self::restored(record, Vec::new());
        roll.put(owner, Some(known_as(Role::Owner)));
        let rows = smallvec![owner.clone()];
        let done = Done {
            logged: true,
            rows,
            record: true,
            ..Done::default()
        };
        (roll, done)
    }

    /// A group as it was kept.
    pub fn restored(record: GroupRecord, kept: Vec<(UserId, MemberRow)>) -> Self {
        let mut roll = Self {
            record,
            rows: BTreeMap::new(),
            members: 0,
            others: 0,
        };
        for (user, kept) in kept {
            roll.count(kept.known.as_ref(), true);
            let rate = Usage::default();
            roll.rows.insert(user, Row { kept, rate });
        }
        roll
    }

    /// What is known of someone.
    pub fn row(&self, user: &UserId) -> Option<&Row> {
        self.rows.get(user)
    }

    /// The same, to be changed in what is not counted.
    pub fn row_mut(&mut self, user: &UserId) -> Option<&mut Row> {
        self.rows.get_mut(user)
    }

    /// All rows, ascending.
    pub fn rows(&self) -> impl Iterator<Item = (&UserId, &Row)> {
        self.rows.iter()
    }

    /// How many are known, or are to be told that they are not any more.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The log has begun anew; how far it was read counts for nothing. Gives whose
    /// rows are others by that.
    pub fn begin_anew(&mut self, epoch: LogEpoch) -> Vec<UserId> {
        self.record.epoch = epoch;
        let mut changed = Vec::new();
        for (user, row) in &mut self.rows {
            if let Some(Known::In { read, .. }) = &mut row.kept.known
                && *read != ReadTo::default()
            {
                *read = ReadTo::default();
                changed.push(user.clone());
            }
        }
        changed
    }

    /// The user's shard is told again, by a word of its own.
    pub fn say_again(&mut self, user: &UserId) {
        self.record.revision += 1;
        if let Some(row) = self.rows.get_mut(user) {
            row.kept.revision = self.record.revision;
            row.kept.untold = true;
        }
    }

    /// How many members there are.
    pub fn members(&self) -> usize {
        self.members
    }

    /// How many were invited, asked to be admitted, or are banned.
    pub fn others(&self) -> usize {
        self.others
    }

    /// What a member may do; none: they are none.
    pub fn role(&self, user: &UserId) -> Option<Role> {
        match self.rows.get(user)?.kept.known {
            Some(Known::In { role, .. }) => Some(role),
            _ => None,
        }
    }

    /// A page of those of a kind, and whether there are more.
    pub fn page(
        &self,
        which: impl Fn(Standing) -> bool,
        after: Option<&UserId>,
        max: usize,
    ) -> (Vec<MemberEntry>, bool) {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        let shown = self.rows.range::<UserId, _>((from, Unbounded));
        let shown = shown.filter_map(|(user, row)| entry(user, row.kept.known.as_ref()?));
        let mut shown = shown.filter(|entry| which(entry.standing));
        let page: Vec<MemberEntry> = shown.by_ref().take(max).collect();
        let more = shown.next().is_some();
        (page, more)
    }

    /// How many of a kind there are.
    pub fn total(&self, which: impl Fn(Standing) -> bool) -> usize {
        let rows = self.rows.values().filter_map(|row| row.kept.known.as_ref());
        rows.filter(|known| which(standing(known))).count()
    }

    pub(super) fn known(&self, user: &UserId) -> Option<&Known> {
        self.rows.get(user)?.kept.known.as_ref()
    }

    pub(super) fn known_mut(&mut self, user: &UserId) -> Option<&mut Known> {
        self.rows.get_mut(user)?.kept.known.as_mut()
    }

    /// Someone is known as something else; their shard is told if it concerns it.
    pub(super) fn change(&mut self, user: &UserId, known: Option<Known>) -> Done {
        self.put(user, known);
        Done {
            rows: smallvec![user.clone()],
            record: true,
            ..Done::default()
        }
    }

    fn put(&mut self, user: &UserId, known: Option<Known>) {
        let before = self.rows.remove(user);
        let (was, untold, rate) = match before {
            Some(row) => (row.kept.known, row.kept.untold, row.rate),
            None => (None, false, Usage::default()),
        };
        self.count(was.as_ref(), false);
        self.count(known.as_ref(), true);
        self.record.revision += 1;
        let untold = untold || belongs(was.as_ref()) != belongs(known.as_ref());
        let kept = MemberRow {
            known,
            revision: self.record.revision,
            untold,
        };
        if kept.known.is_some() || kept.untold {
            self.rows.insert(user.clone(), Row { kept, rate });
        }
    }

    /// The user's shard keeps this word, unless there was a newer one; whether
    /// the row changed.
    pub fn told(&mut self, user: &UserId, revision: u64) -> bool {
        let Some(row) = self.rows.get_mut(user) else {
            return false;
        };
        if row.kept.revision != revision || !row.kept.untold {
            return false;
        }
        row.kept.untold = false;
        if row.kept.known.is_none() {
            self.rows.remove(user);
        }
        true
    }

    fn count(&mut self, known: Option<&Known>, more: bool) {
        let count = match known {
            None => return,
            Some(Known::In { .. }) => &mut self.members,
            Some(_) => &mut self.others,
        };
        match more {
            true => *count += 1,
            false => *count -= 1,
        }
    }
}

pub(super) fn known_as(role: Role) -> Known {
    Known::In {
        role,
        read: ReadTo::default(),
        muted: None,
    }
}

/// What the user's shard is told.
pub fn belongs(known: Option<&Known>) -> Option<Belongs> {
    match known? {
        Known::In { .. } => Some(Belongs::Member),
        Known::Invited { by } => Some(Belongs::Invited { by: by.clone() }),
        Known::Applied | Known::Banned => None,
    }
}

fn standing(known: &Known) -> Standing {
    match known {
        Known::In { role, .. } => Standing::In(*role),
        Known::Invited { .. } => Standing::Invited,
        Known::Applied => Standing::Applied,
        Known::Banned => Standing::Banned,
    }
}

fn entry(user: &UserId, known: &Known) -> Option<MemberEntry> {
    let muted = match known {
        Known::In { muted, .. } => *muted,
        _ => None,
    };
    Some(MemberEntry {
        user: user.clone(),
        standing: standing(known),
        muted,
    })
}
