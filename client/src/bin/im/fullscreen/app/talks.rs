//! All conversations of this session.
//!
//! Owns how many there are. Must not know what is said in them.

use std::collections::HashMap;

use super::talk::Talk;
use crate::whom::Whom;

/// The most conversations that are kept. One more, and the one that was used
/// longest ago goes; with something unread in it only if it must.
pub const TALKS_MAX: usize = 200;

/// The conversations, by peer.
#[derive(Debug, Default)]
pub struct Talks {
    talks: HashMap<Whom, Talk>,
    uses: u64,
    /// The one on the screen; it is never forgotten.
    open: Option<Whom>,
}

impl Talks {
    pub fn get(&self, peer: &Whom) -> Option<&Talk> {
        self.talks.get(peer)
    }

    pub fn get_mut(&mut self, peer: &Whom) -> Option<&mut Talk> {
        self.talks.get_mut(peer)
    }

    /// With whom the one on the screen is.
    pub fn open(&self) -> Option<&Whom> {
        self.open.as_ref()
    }

    /// Shows the conversation with `peer`.
    pub fn show(&mut self, peer: &Whom) {
        self.with(peer);
        self.open = Some(peer.clone());
    }

    /// The conversation with `peer`, a new one if there is none.
    pub fn with(&mut self, peer: &Whom) -> &mut Talk {
        if self.talks.len() >= TALKS_MAX && !self.talks.contains_key(peer) {
            self.forget_one();
        }
        self.uses += 1;
        let talk = self.talks.entry(peer.clone()).or_default();
        talk.used = self.uses;
        talk
    }

    /// With whom there is one.
    pub fn peers(&self) -> impl Iterator<Item = &Whom> {
        self.talks.keys()
    }

    /// The messages of somebody that were not looked at, in all of them. What is
    /// unread in groups the groups know.
    pub fn unread(&self) -> usize {
        let with_people = self.talks.iter();
        let with_people = with_people.filter(|(whom, _)| whom.user().is_some());
        with_people.map(|(_, talk)| talk.unread).sum()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Talk> {
        self.talks.values_mut()
    }

    fn forget_one(&mut self) {
        let worth = |talk: &Talk| (talk.unread > 0, !talk.composer.is_empty(), talk.used);
        let others = self.talks.iter();
        let others = others.filter(|(peer, _)| self.open.as_ref() != Some(*peer));
        let least = others.min_by_key(|(_, talk)| worth(talk));
        if let Some((peer, _)) = least {
            let peer = peer.clone();
            self.talks.remove(&peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_used_longest_ago_goes_unless_it_is_unread_or_open() {
        let user = |n: usize| -> Whom { format!("u{n}").parse().unwrap() };
        let mut talks = Talks::default();
        for n in 0..TALKS_MAX {
            talks.with(&user(n));
        }
        talks.with(&user(0)).unread = 1;
        talks.show(&user(2));
        for n in 1..=TALKS_MAX {
            talks.with(&user(1_000 + n));
        }
        assert_eq!(talks.peers().count(), TALKS_MAX);
        assert_eq!(talks.unread(), 1);
        assert!(talks.get(&user(0)).is_some());
        assert!(talks.get(&user(1)).is_none());
        assert!(talks.get(&user(2)).is_some());
    }
}
