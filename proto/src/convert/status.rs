//! Statuses.

use super::field::{present, text};
use crate::client::PacketError;
use crate::status::{Availability, Status};
use crate::wire::client as wire;

/// A status that a client shows: anything but offline.
pub(crate) fn status(status: Option<wire::Status>) -> Result<Status, PacketError> {
    any_status(status, Availability::Offline)
}

/// A status that others are shown: anything but invisible.
pub(super) fn shown_status(status: Option<wire::Status>) -> Result<Status, PacketError> {
    any_status(status, Availability::Invisible)
}

fn any_status(status: Option<wire::Status>, never: Availability) -> Result<Status, PacketError> {
    use wire::Availability as Wire;
    let status = present("status", status)?;
    // An unknown number reads as unspecified.
    let availability = match status.availability() {
        Wire::Online => Availability::Online,
        Wire::Away => Availability::Away,
        Wire::Busy => Availability::Busy,
        Wire::Invisible => Availability::Invisible,
        Wire::Offline => Availability::Offline,
        Wire::Unspecified => return Err(PacketError::Field("availability")),
    };
    if availability == never {
        return Err(PacketError::Field("availability"));
    }
    Ok(Status {
        availability,
        text: text(status.text)?,
    })
}

pub(crate) fn status_to_wire(status: &Status) -> wire::Status {
    let availability = match status.availability {
        Availability::Online => wire::Availability::Online,
        Availability::Away => wire::Availability::Away,
        Availability::Busy => wire::Availability::Busy,
        Availability::Invisible => wire::Availability::Invisible,
        Availability::Offline => wire::Availability::Offline,
    };
    wire::Status {
        availability: availability.into(),
        text: status.text.to_string(),
    }
}
