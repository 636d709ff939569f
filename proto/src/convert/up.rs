//! Envelopes from a gateway to a shard.

use bytes::Bytes;

use super::action::change_group_to_wire;
use super::client::{change_friend_to_wire, read_to_wire, transient_to_wire};
use super::devices::{end_device_to_wire, sent_elsewhere_to_wire};
use super::field::{Convert, copied, device, group, hash_held, hash_held_to_wire, present, user};
use super::group::{group_read_to_wire, group_transient_to_wire, mentions, users_to_wire};
use super::link_group::to_group_to_wire;
use super::message::{attempt, identity_to_wire, message_id};
use super::page::{get_history_to_wire, get_members_to_wire};
use super::status::{status, status_to_wire};
use crate::client::PacketError;
use crate::ids::{Generation, LoginOrder, SessionId, Stamp};
use crate::link::{Announce, Recipient, Request, Submit, Up};
use crate::wire::client as packets;
use crate::wire::link as wire;

impl Convert for wire::Up {
    type Into = Up;

    fn convert(self) -> Result<Up, PacketError> {
        use wire::up::Envelope;
        Ok(match self.envelope.ok_or(PacketError::Unknown)? {
            Envelope::Submit(submit) => Up::Submit(submit.convert()?),
            Envelope::Relay(relay) => Up::Relay(relay.convert()?),
            Envelope::ToGroup(to) => to.convert()?,
            Envelope::Acknowledge(taken) => Up::Acknowledge {
                session: SessionId(taken.session),
                user: user("user", &taken.user)?,
                identities: taken
                    .identities
                    .into_iter()
                    .map(Convert::convert)
                    .collect::<Result<_, _>>()?,
            },
            Envelope::Announce(announce) => Up::Announce(Box::new(announce.convert()?)),
            Envelope::Gone(gone) => Up::Gone {
                session: SessionId(gone.session),
                user: user("user", &gone.user)?,
                lost: gone.lost,
            },
            Envelope::Request(request) => Up::Request {
                session: SessionId(request.session),
                user: user("user", &request.user)?,
                request: present("request", request.request)?.convert()?,
            },
        })
    }
}

pub(super) fn up_to_wire(up: Up) -> wire::Up {
    use wire::up::Envelope;
    let envelope = match up {
        Up::Submit(submit) => Envelope::Submit(submit_to_wire(submit)),
        Up::Relay(relay) => Envelope::Relay(relay.into()),
        Up::ToGroup { group, what } => Envelope::ToGroup(to_group_to_wire(&group, &what)),
        Up::Acknowledge {
            session,
            user,
            identities,
        } => Envelope::Acknowledge(wire::Acknowledge {
            session: session.0,
            user: copied(user.as_bytes()),
            identities: identities.iter().map(identity_to_wire).collect(),
        }),
        Up::Announce(announce) => Envelope::Announce(announce_to_wire(&announce)),
        Up::Gone {
            session,
            user,
            lost,
        } => Envelope::Gone(wire::Gone {
            session: session.0,
            user: copied(user.as_bytes()),
            lost,
        }),
        Up::Request {
            session,
            user,
            request,
        } => Envelope::Request(wire::Request {
            session: session.0,
            user: copied(user.as_bytes()),
            request: Some(request_to_wire(&request)),
        }),
    };
    wire::Up {
        envelope: Some(envelope),
    }
}

impl Convert for wire::Submit {
    type Into = Submit;

    fn convert(self) -> Result<Submit, PacketError> {
        Ok(Submit {
            session: SessionId(self.session),
            generation: Generation(self.generation),
            attempt: attempt(self.attempt)?,
            from: user("from", &self.from)?,
            id: message_id(self.id)?,
            to: recipient(&self.to, &self.group, &self.mentions)?,
            friends_hash: hash_held(&self.friends_hash)?,
            body: self.body,
        })
    }
}

/// A user, or a group: never both.
fn recipient(to: &[u8], id: &[u8], users: &[Bytes]) -> Result<Recipient, PacketError> {
    if id.is_empty() {
        return user("to", to).map(Recipient::User);
    }
    if !to.is_empty() {
        return Err(PacketError::Field("to"));
    }
    Ok(Recipient::Group {
        group: group("group", id)?,
        mentions: mentions(users)?,
    })
}

fn submit_to_wire(submit: Submit) -> wire::Submit {
    let (mut to, mut group, mut mentions) = Default::default();
    match &submit.to {
        Recipient::User(user) => to = copied(user.as_bytes()),
        Recipient::Group {
            group: id,
            mentions: users,
        } => {
            group = copied(id.as_bytes());
            mentions = users_to_wire(users);
        }
    }
    wire::Submit {
        session: submit.session.0,
        generation: submit.generation.0,
        attempt: submit.attempt as u32,
        from: copied(submit.from.as_bytes()),
        id: Some(submit.id.into()),
        to,
        friends_hash: hash_held_to_wire(submit.friends_hash.as_ref()),
        body: submit.body,
        group,
        mentions,
    }
}

impl Convert for wire::Announce {
    type Into = Announce;

    fn convert(self) -> Result<Announce, PacketError> {
        Ok(Announce {
            session: SessionId(self.session),
            user: user("user", &self.user)?,
            device: device("device", &self.device)?,
            window_messages: self.window_messages,
            window_bytes: self.window_bytes,
            friends_hash: hash_held(&self.friends_hash)?,
            status: status(self.status)?,
            status_since: Stamp(self.status_since_us),
            order: self.order.map(LoginOrder::from),
            since: Stamp(self.since_us),
            again: self.again,
        })
    }
}

fn announce_to_wire(announce: &Announce) -> wire::Announce {
    wire::Announce {
        session: announce.session.0,
        user: copied(announce.user.as_bytes()),
        device: copied(announce.device.as_bytes()),
        window_messages: announce.window_messages,
        window_bytes: announce.window_bytes,
        friends_hash: hash_held_to_wire(announce.friends_hash.as_ref()),
        status: Some(status_to_wire(&announce.status)),
        status_since_us: announce.status_since.0,
        order: announce.order.map(Into::into),
        since_us: announce.since.0,
        again: announce.again,
    }
}

impl Convert for wire::request::Request {
    type Into = Request;

    fn convert(self) -> Result<Request, PacketError> {
        Ok(match self {
            Self::SetStatus(set) => Request::SetStatus {
                status: status(set.status)?,
                since: Stamp(set.since_us),
            },
            Self::GetFriends(_) => Request::GetFriends,
            Self::ChangeFriend(change) => Request::ChangeFriend(change.convert()?),
            Self::Transient(transient) => Request::Transient(transient.convert()?),
            Self::Read(read) => Request::Read(read.convert()?),
            Self::Copy(sent) => Request::Copy(Box::new(sent.convert()?)),
            Self::GetDevices(_) => Request::GetDevices,
            Self::EndDevice(end) => Request::EndDevice(end.convert()?),
            Self::GroupTransient(transient) => Request::GroupTransient(transient.convert()?),
            Self::GroupRead(read) => Request::GroupRead(read.convert()?),
            Self::ChangeGroup(change) => Request::ChangeGroup(change.convert()?),
            Self::GetGroups(_) => Request::GetGroups,
            Self::GetMembers(get) => Request::GetMembers(get.convert()?),
            Self::GetHistory(get) => Request::GetHistory(get.convert()?),
            Self::NotMember(not) => Request::NotMember(
                group("group", &not.group)?,
                present("version", not.version)?.into(),
            ),
        })
    }
}

fn request_to_wire(request: &Request) -> wire::request::Request {
    use wire::request::Request as Wire;
    match request {
        Request::SetStatus { status, since } => Wire::SetStatus(wire::SetStatus {
            status: Some(status_to_wire(status)),
            since_us: since.0,
        }),
        Request::GetFriends => Wire::GetFriends(packets::GetFriends {}),
        Request::ChangeFriend(change) => Wire::ChangeFriend(change_friend_to_wire(change)),
        Request::Transient(transient) => Wire::Transient(transient_to_wire(transient)),
        Request::Read(read) => Wire::Read(read_to_wire(read)),
        Request::Copy(sent) => Wire::Copy(sent_elsewhere_to_wire(sent)),
        Request::GetDevices => Wire::GetDevices(packets::GetDevices {}),
        Request::EndDevice(end) => Wire::EndDevice(end_device_to_wire(end)),
        Request::GroupTransient(transient) => {
            Wire::GroupTransient(group_transient_to_wire(transient))
        }
        Request::GroupRead(read) => Wire::GroupRead(group_read_to_wire(read)),
        Request::ChangeGroup(change) => Wire::ChangeGroup(change_group_to_wire(change)),
        Request::GetGroups => Wire::GetGroups(packets::GetGroups {}),
        Request::GetMembers(get) => Wire::GetMembers(get_members_to_wire(get)),
        Request::GetHistory(get) => Wire::GetHistory(get_history_to_wire(get)),
        Request::NotMember(group, version) => Wire::NotMember(wire::NotMember {
            session: 0,
            group: copied(group.as_bytes()),
            version: Some((*version).into()),
        }),
    }
}
