//! That a message is safe, and where.

use super::field::{Convert, copied, device, present};
use crate::client::PacketError;
use crate::group::Place;
use crate::ids::{LogEpoch, MessageId, Stamp};
use crate::server::{Outcome, Sent};
use crate::wire::client as wire;

impl Convert for wire::Sent {
    type Into = Sent;

    fn convert(self) -> Result<Sent, PacketError> {
        let outcome = match present("outcome", self.outcome)? {
            wire::sent::Outcome::Delivered(by) => Outcome::Delivered {
                device: device("delivered", &by)?,
            },
            wire::sent::Outcome::Stored(_) => Outcome::Stored,
            wire::sent::Outcome::Logged(logged) => Outcome::Logged(Place {
                epoch: LogEpoch(logged.epoch),
                seq: logged.seq,
            }),
        };
        Ok(Sent {
            stamp: Stamp(self.stamp_us),
            outcome,
        })
    }
}

pub(super) fn sent_to_wire(id: MessageId, sent: &Sent) -> wire::Sent {
    wire::Sent {
        id: copied(id.as_bytes()),
        stamp_us: sent.stamp.0,
        outcome: Some(outcome_to_wire(&sent.outcome)),
    }
}

fn outcome_to_wire(outcome: &Outcome) -> wire::sent::Outcome {
    match outcome {
        Outcome::Delivered { device } => wire::sent::Outcome::Delivered(copied(device.as_bytes())),
        Outcome::Stored => wire::sent::Outcome::Stored(wire::Stored {}),
        Outcome::Logged(place) => wire::sent::Outcome::Logged(wire::Logged {
            epoch: place.epoch.0,
            seq: place.seq,
        }),
    }
}
