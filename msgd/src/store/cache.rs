//! Mailboxes and logs that were used lately.
//!
//! Bounded: what was not asked for while half of the bound was, is forgotten.
//! That costs reading it from the store again, nothing else: what is here is in
//! the store too, or on its way there.

use std::collections::HashMap;
use std::hash::Hash;

/// What is known of each, in two generations.
#[derive(Debug)]
pub(crate) struct Cache<Name, Known> {
    young: HashMap<Name, Known>,
    old: HashMap<Name, Known>,
    generation_max: usize,
}

impl<Name: Eq + Hash, Known> Cache<Name, Known> {
    /// Holds at most `max` of them, two or more.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            generation_max: max / 2,
        }
    }

    /// What is known, if anything is. It is young again.
    pub(crate) fn get(&mut self, name: &Name) -> Option<&mut Known> {
        if let Some((name, known)) = self.old.remove_entry(name) {
            self.insert(name, known);
        }
        self.young.get_mut(name)
    }

    pub(crate) fn insert(&mut self, name: Name, known: Known) -> &mut Known {
        // One value per name: an older one must never come back.
        self.old.remove(&name);
        if self.young.len() >= self.generation_max && !self.young.contains_key(&name) {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.entry(name).insert_entry(known).into_mut()
    }

    pub(crate) fn remove(&mut self, name: &Name) {
        self.young.remove(name);
        self.old.remove(name);
    }

    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use proto::ids::UserId;

    use super::super::mailbox::Mailbox;
    use super::*;

    #[test]
    fn who_is_asked_for_stays_and_others_go() {
        let mut cache = Cache::new(20);
        let user = |number: usize| UserId::new(format!("user{number}")).unwrap();
        for number in 0..100 {
            assert!(cache.get(&user(number)).is_none());
            cache.insert(user(number), Mailbox::NEW);
            assert!(cache.get(&user(0)).is_some(), "{number}");
            assert!(cache.young.len() + cache.old.len() <= 20);
        }
        assert!(cache.get(&user(50)).is_none());
    }

    #[test]
    fn what_is_known_is_the_newest() {
        let mut cache = Cache::<UserId, Mailbox>::new(6);
        let mut newest = HashMap::new();
        for step in 0..5_000_u64 {
            // Some are met often, some rarely, in no order.
            let user = UserId::new(format!("user{}", step * step % 11 % 8)).unwrap();
            if let Some(known) = cache.get(&user) {
                assert_eq!(Some(&known.end), newest.get(&user), "step {step}");
            }
            if step % 7 == 0 {
                cache.remove(&user);
                assert!(cache.get(&user).is_none(), "step {step}");
            } else if step % 3 != 0 {
                let end = step + 1;
                let mailbox = Mailbox {
                    end,
                    ..Mailbox::NEW
                };
                cache.insert(user.clone(), mailbox);
                newest.insert(user, end);
            }
        }
    }
}
