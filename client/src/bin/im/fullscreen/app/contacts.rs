//! Everybody and every group that the list shows.
//!
//! Owns their common order. Must not know how they are shown.

use client::{GroupId, UserId};

use super::App;
use super::groups::Known;
use super::people::Person;
use crate::whom::Whom;

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    Person(Person),
    Group(Known),
    /// An invitation to a group, and whose.
    Invitation(GroupId, UserId),
}

impl Contact {
    pub fn whom(&self) -> Whom {
        match self {
            Self::Person(person) => person.entry.user.clone().into(),
            Self::Group(known) => known.group.state.group.clone().into(),
            Self::Invitation(group, _) => group.clone().into(),
        }
    }

    pub fn unread(&self) -> usize {
        match self {
            Self::Person(person) => person.unread,
            Self::Group(known) => known.unread(),
            Self::Invitation(..) => 0,
        }
    }

    /// The smaller, the further up: a group stands beside who is here.
    fn rank(&self) -> u8 {
        match self {
            Self::Person(person) => person.rank(),
            Self::Group(known) if known.unread() > 0 => 0,
            Self::Invitation(..) => 1,
            Self::Group(_) => 2,
        }
    }
}

impl App {
    /// The lines of the list, in the order in which they are shown.
    pub fn contacts(&self) -> Vec<Contact> {
        let people = self.people.all(&self.talks).into_iter();
        let groups = self.groups.known().cloned().map(Contact::Group);
        let invitations = self.groups.invitations();
        let invitations =
            invitations.map(|(group, by)| Contact::Invitation(group.clone(), by.clone()));
        let all = people.map(Contact::Person).chain(groups);
        let mut all: Vec<Contact> = all.chain(invitations).collect();
        all.sort_by_cached_key(|contact| (contact.rank(), contact.whom()));
        all
    }
}
