//! What the devices of one user do, and who they are.

use super::client::{read_to_wire, transient_to_wire};
use super::field::{Convert, copied, device, message_id, present, user};
use super::group::group_read_to_wire;
use super::sent::sent_to_wire;
use crate::client::{EndDevice, PacketError};
use crate::ids::Stamp;
use crate::server::{Carbon, DeviceEntry, Did, SentElsewhere};
use crate::wire::client as wire;

impl Convert for wire::EndDevice {
    type Into = EndDevice;

    fn convert(self) -> Result<EndDevice, PacketError> {
        Ok(EndDevice {
            request: self.request,
            device: device("device", &self.device)?,
        })
    }
}

pub(crate) fn end_device_to_wire(end: &EndDevice) -> wire::EndDevice {
    wire::EndDevice {
        request: end.request,
        device: copied(end.device.as_bytes()),
    }
}

impl Convert for wire::Carbon {
    type Into = Carbon;

    fn convert(self) -> Result<Carbon, PacketError> {
        let did = match present("did", self.did)? {
            wire::carbon::Did::Sent(sent) => Did::Sent(sent.convert()?),
            wire::carbon::Did::Read(read) => Did::Read(read.convert()?),
            wire::carbon::Did::Transient(transient) => Did::Transient(transient.convert()?),
            wire::carbon::Did::GroupRead(read) => Did::GroupRead(read.convert()?),
        };
        Ok(Carbon {
            device: device("device", &self.device)?,
            did,
        })
    }
}

pub(super) fn carbon_to_wire(carbon: &Carbon) -> wire::Carbon {
    let did = match &carbon.did {
        Did::Sent(sent) => wire::carbon::Did::Sent(sent_elsewhere_to_wire(sent)),
        Did::Read(read) => wire::carbon::Did::Read(read_to_wire(read)),
        Did::Transient(transient) => wire::carbon::Did::Transient(transient_to_wire(transient)),
        Did::GroupRead(read) => wire::carbon::Did::GroupRead(group_read_to_wire(read)),
    };
    wire::Carbon {
        device: copied(carbon.device.as_bytes()),
        did: Some(did),
    }
}

impl Convert for wire::SentElsewhere {
    type Into = SentElsewhere;

    fn convert(self) -> Result<SentElsewhere, PacketError> {
        let sent = present("sent", self.sent)?;
        Ok(SentElsewhere {
            id: message_id(&sent.id)?,
            sent: sent.convert()?,
            to: user("to", &self.to)?,
            body: self.body,
        })
    }
}

pub(super) fn sent_elsewhere_to_wire(sent: &SentElsewhere) -> wire::SentElsewhere {
    wire::SentElsewhere {
        sent: Some(sent_to_wire(sent.id, &sent.sent)),
        to: copied(sent.to.as_bytes()),
        body: sent.body.clone(),
    }
}

/// The devices of one user.
pub(super) fn entries(devices: Vec<wire::DeviceEntry>) -> Result<Vec<DeviceEntry>, PacketError> {
    let entry = |entry: wire::DeviceEntry| {
        Ok(DeviceEntry {
            device: device("device", &entry.device)?,
            since: Stamp(entry.since_us),
            own: entry.own,
        })
    };
    devices.into_iter().map(entry).collect()
}

pub(super) fn devices_to_wire(devices: &[DeviceEntry]) -> wire::Devices {
    let entry = |entry: &DeviceEntry| wire::DeviceEntry {
        device: copied(entry.device.as_bytes()),
        since_us: entry.since.0,
        own: entry.own,
    };
    wire::Devices {
        devices: devices.iter().map(entry).collect(),
    }
}
