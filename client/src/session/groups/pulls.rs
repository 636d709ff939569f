//! Questions for what is missing in groups.
//!
//! Owns when which group is asked for: one question of a group at a time, and
//! of all no more than would find room. Must not know what is missing.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::clock::Moment;
use proto::ids::GroupId;

use super::super::log::Held;
use super::super::requests::PATIENCE;

/// The pause after a refusal that may pass.
const PAUSE: Duration = Duration::from_secs(1);

/// The most questions without an answer.
const ASKED_MAX: usize = 4;

/// What is asked for, and what is to be.
#[derive(Debug, Default)]
pub(super) struct Pulls {
    /// Groups of which something is missing, and when they are asked for.
    wanted: BTreeMap<GroupId, Moment>,
    /// By their numbers: the groups, and until when an answer is waited for.
    asked: BTreeMap<u32, (GroupId, Moment)>,
}

impl Pulls {
    pub(super) fn want(&mut self, now: Moment, group: &GroupId) {
        let is_asked = self.asked.values().any(|(asked, _)| asked == group);
        if !is_asked && !self.wanted.contains_key(group) {
            self.wanted.insert(group.clone(), now);
        }
    }

    pub(super) fn want_no_more(&mut self, group: &GroupId) {
        self.wanted.remove(group);
    }

    pub(super) fn again_later(&mut self, now: Moment, group: GroupId) {
        self.wanted.insert(group, now + PAUSE);
    }

    /// A group that is to be asked for now, if its page will find room.
    pub(super) fn due(&self, now: Moment, held: &Held) -> Option<GroupId> {
        if !self.has_room(held) {
            return None;
        }
        let mut due = self.wanted.iter().filter(|(_, at)| **at <= now);
        due.next().map(|(group, _)| group.clone())
    }

    pub(super) fn asked(&mut self, now: Moment, group: &GroupId, request: u32) {
        self.wanted.remove(group);
        self.asked.insert(request, (group.clone(), now + PATIENCE));
    }

    pub(super) fn answered(&mut self, request: u32) -> Option<GroupId> {
        self.asked.remove(&request).map(|(group, _)| group)
    }

    pub(super) fn expired(&mut self, now: Moment) -> Vec<GroupId> {
        let expired = self.asked.extract_if(.., |_, (_, until)| *until <= now);
        expired.map(|(_, (group, _))| group).collect()
    }

    /// What a group's state says on the next connection is asked for then.
    pub(super) fn lost(&mut self) {
        *self = Self::default();
    }

    pub(super) fn next_due(&self, held: &Held) -> Option<Moment> {
        let wanted = self.wanted.values().copied();
        wanted.min().filter(|_| self.has_room(held))
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        self.asked.values().map(|(_, until)| *until).min()
    }

    fn has_room(&self, held: &Held) -> bool {
        self.asked.len() < ASKED_MAX && held.fits(self.asked.len() + 1)
    }
}
