//! What was promised, and what came of it.
//!
//! Owns the account of messages: their fates at the senders, what the devices
//! of recipients were shown. Must not know how it came about.

use std::collections::HashMap;
use std::fmt;

use client::{DeviceId, Fate, Identity, SendHandle};

use crate::patience::within;
use crate::person::Person;

const LAST_WORDS: &str = "that was all";

/// What became of every message of a test.
#[derive(Debug, Default)]
pub struct Ledger {
    fates: HashMap<Identity, Fate>,
    shown: HashMap<Identity, Vec<DeviceId>>,
    told_twice: Vec<Identity>,
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

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// Acknowledged, and shown to nobody, or not on the device that was named.
    Lost(Identity, Fate),
    /// Shown more than once on one device.
    ShownTwice(Identity, DeviceId),
    /// Refused for good, and shown.
    RefusedAndShown(Identity),
    /// Shown, and nobody sent it.
    NeverSent(Identity),
    /// Its sender was told two fates.
    ToldTwice(Identity),
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(message, fate) => write!(f, "{message:?} was told {fate:?} and is lost"),
            Self::ShownTwice(message, device) => {
                write!(f, "{message:?} was shown twice on {device}")
            }
            Self::RefusedAndShown(message) => write!(f, "{message:?} was refused and shown"),
            Self::NeverSent(message) => write!(f, "{message:?} was shown and never sent"),
            Self::ToldTwice(message) => write!(f, "a second fate of {message:?}"),
        }
    }
}

impl Ledger {
    /// A sender was told.
    pub fn told(&mut self, message: Identity, fate: Fate) {
        if self.fates.insert(message.clone(), fate).is_some() {
            self.told_twice.push(message);
        }
    }

    /// A device was shown a message; says whether for the first time.
    pub fn shown(&mut self, message: Identity, device: DeviceId) -> bool {
        let devices = self.shown.entry(message).or_default();
        let is_first = !devices.contains(&device);
        devices.push(device);
        is_first
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
        let device = recipient.connected(1).await.device;
        for message in recipient.messages() {
            self.shown(message.identity(), device.clone());
        }
    }

    /// Whether what is acknowledged is shown, all of it.
    pub fn is_settled(&self) -> bool {
        let mut fates = self.fates.iter();
        fates.all(|(message, fate)| !self.is_lost(message, fate))
    }

    fn is_lost(&self, message: &Identity, fate: &Fate) -> bool {
        let shown = self.shown.get(message);
        match fate {
            Fate::Delivered { device, .. } => !shown.is_some_and(|on| on.contains(device)),
            Fate::Stored { .. } => shown.is_none(),
            // Of a group's log its readers tell.
            Fate::Logged { .. } | Fate::Rejected { .. } | Fate::Unknown { .. } => false,
        }
    }

    /// Every promise that was not kept.
    pub fn breaches(&self) -> Vec<Breach> {
        let told_twice = self.told_twice.iter().cloned();
        let mut breaches: Vec<Breach> = told_twice.map(Breach::ToldTwice).collect();
        for (message, fate) in &self.fates {
            if self.is_lost(message, fate) {
                breaches.push(Breach::Lost(message.clone(), fate.clone()));
            }
            let refused = matches!(fate, Fate::Rejected { .. });
            if refused && self.shown.contains_key(message) {
                breaches.push(Breach::RefusedAndShown(message.clone()));
            }
        }
        for (message, devices) in &self.shown {
            let again = |(at, device): &(usize, &DeviceId)| devices[..*at].contains(device);
            for (_, device) in devices.iter().enumerate().filter(again) {
                breaches.push(Breach::ShownTwice(message.clone(), device.clone()));
            }
            if !self.fates.contains_key(message) {
                breaches.push(Breach::NeverSent(message.clone()));
            }
        }
        breaches
    }

    /// How many messages came to what, by now.
    pub fn balance(&self) -> Balance {
        let mut balance = Balance::default();
        for fate in self.fates.values() {
            *match fate {
                Fate::Delivered { .. } => &mut balance.delivered,
                Fate::Stored { .. } | Fate::Logged { .. } => &mut balance.stored,
                Fate::Rejected { .. } => &mut balance.rejected,
                Fate::Unknown { .. } => &mut balance.unknown,
            } += 1;
        }
        balance
    }

    /// Closes the account.
    ///
    /// # Panics
    /// A message was acknowledged and not shown, refused and shown, shown
    /// twice, or shown and never sent.
    pub fn close(self) -> Balance {
        if let Some(breach) = self.breaches().first() {
            panic!("{breach}");
        }
        self.balance()
    }
}

#[cfg(test)]
mod tests {
    use client::{Code, MessageId, Stamp};

    use super::*;

    fn message(number: u64) -> Identity {
        Identity {
            from: "ann".parse().unwrap(),
            id: MessageId::mint(number, [0; 10]),
        }
    }

    fn phone() -> DeviceId {
        "phone".parse().unwrap()
    }

    #[test]
    fn every_promise_that_is_not_kept_is_found() {
        let stamp = Stamp::default();
        let stored = Fate::Stored { stamp };
        let device = phone();
        let delivered = Fate::Delivered { device, stamp };
        let rejected = Fate::Rejected {
            code: Code::Blocked,
            text: "".into(),
        };
        let mut ledger = Ledger::default();
        // Kept: stored and shown on two devices, refused and not shown.
        ledger.told(message(1), stored.clone());
        ledger.shown(message(1), phone());
        ledger.shown(message(1), "desk".parse().unwrap());
        ledger.told(message(2), rejected.clone());
        assert!(ledger.breaches().is_empty() && ledger.is_settled());
        assert_eq!(ledger.balance().stored, 1);

        ledger.told(message(3), stored.clone());
        assert!(!ledger.is_settled());
        assert_eq!(ledger.breaches(), [Breach::Lost(message(3), stored)]);
        ledger.shown(message(3), phone());

        // On another device than was told.
        ledger.told(message(4), delivered.clone());
        ledger.shown(message(4), "desk".parse().unwrap());
        assert_eq!(
            ledger.breaches(),
            [Breach::Lost(message(4), delivered.clone())]
        );
        ledger.shown(message(4), phone());

        for (broken, breach) in [
            (2, Breach::RefusedAndShown(message(2))),
            (3, Breach::ShownTwice(message(3), phone())),
            (5, Breach::NeverSent(message(5))),
        ] {
            let mut ledger = Ledger {
                fates: ledger.fates.clone(),
                shown: ledger.shown.clone(),
                told_twice: Vec::new(),
            };
            ledger.shown(message(broken), phone());
            assert_eq!(ledger.breaches(), [breach]);
        }
        ledger.told(message(2), rejected);
        assert_eq!(ledger.breaches(), [Breach::ToldTwice(message(2))]);
    }
}
