//! What was promised, and what came of it.
//!
//! Owns the account of messages: their fates at the senders, what recipients
//! were shown. Must not know how it came about.

use std::collections::HashMap;

use client::{Fate, Identity, SendHandle};

use crate::patience::within;
use crate::person::Person;

const LAST_WORDS: &str = "that was all";

/// What became of every message of a test.
#[derive(Debug, Default)]
pub struct Ledger {
    fates: HashMap<Identity, Fate>,
    shown: HashMap<Identity, usize>,
}

/// How many messages came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// Told to be on a device.
    pub delivered: usize,
    /// Told to be stored.
    pub stored: usize,
    /// Told to be of unknown fate.
    pub unknown: usize,
    /// Told to be refused.
    pub rejected: usize,
}

impl Ledger {
    /// A sender was told.
    ///
    /// # Panics
    /// It was told before.
    pub fn told(&mut self, message: Identity, fate: Fate) {
        let before = self.fates.insert(message.clone(), fate);
        assert_eq!(before, None, "a second fate of {message:?}");
    }

    /// Waits until a sender is told.
    ///
    /// # Panics
    /// It is not.
    pub async fn awaits(&mut self, sender: &Person, handle: SendHandle) {
        let message = Identity {
            from: sender.user.clone(),
            id: handle.id(),
        };
        self.told(message, within("a fate", handle).await);
    }

    /// A sender says its last words to a recipient, who has read all before
    /// them when they are shown; then all of that is entered.
    ///
    /// # Panics
    /// They are not shown.
    pub async fn last_words(&mut self, sender: &Person, recipient: &Person) {
        let handle = sender.begins_to_say(&recipient.user, LAST_WORDS).await;
        self.awaits(sender, handle).await;
        recipient.reads(LAST_WORDS).await;
        for message in recipient.messages() {
            *self.shown.entry(message.identity()).or_default() += 1;
        }
    }

    /// Closes the account.
    ///
    /// # Panics
    /// A message was acknowledged and not shown, refused and shown, shown
    /// twice, or shown and never sent.
    pub fn close(self) -> Balance {
        let mut balance = Balance::default();
        for (message, fate) in &self.fates {
            let shown = self.shown.contains_key(message);
            match fate {
                Fate::Delivered { .. } => {
                    assert!(shown, "{message:?} was told to be delivered and is lost");
                    balance.delivered += 1;
                }
                Fate::Stored { .. } => {
                    assert!(shown, "{message:?} was told to be stored and is lost");
                    balance.stored += 1;
                }
                Fate::Rejected { .. } => {
                    assert!(!shown, "{message:?} was refused and shown");
                    balance.rejected += 1;
                }
                Fate::Unknown { .. } => balance.unknown += 1,
            }
        }
        for (message, times) in &self.shown {
            assert_eq!(*times, 1, "{message:?} was shown {times} times");
            assert!(
                self.fates.contains_key(message),
                "{message:?} was shown and never sent"
            );
        }
        balance
    }
}
