//! What a client knows of the other devices of its user.

use std::collections::BTreeSet;

use proto::ids::MessageId;
use proto::server::{Carbon, DeviceEntry, Did};

/// What it was told.
#[derive(Debug, Default)]
pub struct Devices {
    /// Who was there when it asked last.
    pub told: Option<Vec<DeviceEntry>>,
    /// The messages that others sent.
    pub copies: BTreeSet<MessageId>,
}

impl Devices {
    pub(super) fn heard(&mut self, carbon: Carbon) {
        if let Did::Sent(sent) = carbon.did {
            self.copies.insert(sent.id);
        }
    }
}
