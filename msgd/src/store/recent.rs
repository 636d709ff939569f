//! The row of what the next holder of a slot is to know.

use msgd_core::store::Remembered;
use proto::group::Place;
use proto::ids::{DeviceId, Identity, LogEpoch, MessageId, Stamp};
use proto::server::Outcome as Fate;

use super::fields::{Damaged, Fields, put_id, put_number};

/// Where the length of a device's id would be, which is at most 64.
const LOGGED: u8 = 0xff;

pub(crate) fn encode(recent: &[Remembered]) -> Vec<u8> {
    let mut out = Vec::new();
    for remembered in recent {
        put_id(remembered.to.as_bytes(), &mut out);
        put_id(remembered.identity.from.as_bytes(), &mut out);
        out.extend_from_slice(remembered.identity.id.as_bytes());
        put_number(remembered.stamp.0, &mut out);
        put_number(remembered.fingerprint, &mut out);
        // No device's id is empty.
        match &remembered.fate {
            Fate::Stored => put_id(b"", &mut out),
            Fate::Delivered { device } => put_id(device.as_bytes(), &mut out),
            Fate::Logged(place) => {
                out.push(LOGGED);
                put_number(place.epoch.0, &mut out);
                put_number(place.seq, &mut out);
            }
        }
    }
    out
}

pub(crate) fn decode(value: &[u8]) -> Result<Vec<Remembered>, Damaged> {
    let mut fields = Fields::new("recent answers", value);
    let mut recent = Vec::new();
    while !fields.is_empty() {
        recent.push(Remembered {
            to: fields.user()?,
            identity: Identity {
                from: fields.user()?,
                id: MessageId::from_bytes(fields.array()?),
            },
            stamp: Stamp(fields.number()?),
            fingerprint: fields.number()?,
            fate: match fields.peek()? {
                LOGGED => {
                    fields.byte()?;
                    Fate::Logged(Place {
                        epoch: LogEpoch(fields.number()?),
                        seq: fields.number()?,
                    })
                }
                _ => match fields.id()? {
                    b"" => Fate::Stored,
                    device => Fate::Delivered {
                        device: DeviceId::new(device).map_err(|_| fields.damaged())?,
                    },
                },
            },
        });
    }
    Ok(recent)
}
