//! What one shard says to another, by way of a gateway.

use std::sync::Arc;

use super::client::transient_to_wire;
use super::field::{
    Convert, code_of_failure, code_of_failure_to_wire, copied, group, present, user,
};
use super::group::group_read_to_wire;
use super::link_group::{
    group_ask_to_wire, membership_to_wire, post_to_wire, transient_of, transient_of_to_wire,
};
use super::message::{message, message_to_wire};
use super::server::{peer_to_wire, peers, server_to_wire};
use crate::client::{PacketError, Transient};
use crate::friends::{FriendList, ListVersion};
use crate::ids::{Generation, Incarnation, SessionId, Stamp, UserId};
use crate::limits::TARGETS_MAX;
use crate::link::{Forward, FriendAct, FriendActed, Pledge, Relay, Relayed, Tell};
use crate::slot::Slot;
use crate::wire::client as packets;
use crate::wire::link as wire;

impl Convert for wire::Relay {
    type Into = Relay;

    fn convert(self) -> Result<Relay, PacketError> {
        Ok(Relay {
            slot: present("slot", Slot::new(self.slot))?,
            relayed: self.relayed.ok_or(PacketError::Unknown)?.convert()?,
        })
    }
}

impl From<Relay> for wire::Relay {
    fn from(relay: Relay) -> Self {
        Self {
            // A slot's number is below 2^14.
            slot: relay.slot.index() as u32,
            relayed: Some(relayed_to_wire(relay.relayed)),
        }
    }
}

impl Convert for wire::relay::Relayed {
    type Into = Relayed;

    fn convert(self) -> Result<Relayed, PacketError> {
        Ok(match self {
            Self::Forward(forward) => Relayed::Forward(Forward {
                message: message(forward.message)?,
                session: SessionId(forward.session),
                generation: Generation(forward.generation),
                again: forward.again,
            }),
            Self::Transient(transient) => Relayed::Transient {
                from: user("from", &transient.from)?,
                transient: Transient {
                    to: user("to", &transient.to)?,
                    kind: transient.kind,
                    body: transient.body,
                },
            },
            Self::Receipt(receipt) => Relayed::Receipt {
                kind: receipt.kind().convert()?,
                from: user("from", &receipt.from)?,
                to: user("to", &receipt.to)?,
                up_to: Stamp(receipt.up_to_us),
            },
            Self::Tell(tell) => Relayed::Tell(tell.convert()?),
            Self::Statuses(statuses) => {
                at_most_targets("statuses", statuses.statuses.len())?;
                Relayed::Statuses {
                    request: statuses.request,
                    to: user("to", &statuses.to)?,
                    statuses: peers(statuses.statuses)?,
                }
            }
            Self::FriendAct(act) => Relayed::FriendAct(act.convert()?),
            Self::FriendActed(acted) => Relayed::FriendActed(acted.convert()?),
            Self::Pledge(pledge) => Relayed::Pledge(Pledge {
                from: Incarnation(pledge.from),
                back: present("back", Slot::new(pledge.back))?,
                to: Incarnation(pledge.to),
                number: pledge.number,
                given: pledge.given,
            }),
            Self::Post(post) => Relayed::Post(post.convert()?),
            Self::GroupTransient(transient) => {
                Relayed::GroupTransient(transient_of(&transient.from, transient.transient)?)
            }
            Self::GroupRead(read) => Relayed::GroupRead {
                user: user("user", &read.user)?,
                read: present("read", read.read)?.convert()?,
            },
            Self::GroupAsk(ask) => Relayed::GroupAsk(Box::new(ask.convert()?)),
            Self::GroupAnswer(answer) => Relayed::GroupAnswer {
                request: answer.request,
                actor: user("actor", &answer.actor)?,
                packet: Box::new(present("packet", answer.packet)?.convert()?),
            },
            Self::Membership(membership) => Relayed::Membership(Box::new(membership.convert()?)),
            Self::MembershipKept(kept) => Relayed::MembershipKept {
                group: group("group", &kept.group)?,
                user: user("user", &kept.user)?,
                version: present("version", kept.version)?.into(),
            },
            Self::GroupApplied(applied) => Relayed::GroupApplied {
                to: user("to", &applied.to)?,
                group: group("group", &applied.group)?,
                user: user("user", &applied.user)?,
            },
        })
    }
}

fn relayed_to_wire(relayed: Relayed) -> wire::relay::Relayed {
    use wire::relay::Relayed as Wire;
    match relayed {
        Relayed::Forward(forward) => Wire::Forward(forward_to_wire(forward)),
        Relayed::Transient { from, transient } => {
            Wire::Transient(transient_from_to_wire(&from, &transient))
        }
        Relayed::Receipt {
            from,
            to,
            kind,
            up_to,
        } => Wire::Receipt(wire::ReceiptTo {
            from: copied(from.as_bytes()),
            to: copied(to.as_bytes()),
            kind: packets::ReceiptKind::from(kind).into(),
            up_to_us: up_to.0,
        }),
        Relayed::Tell(tell) => Wire::Tell(tell_to_wire(&tell)),
        Relayed::Statuses {
            request,
            to,
            statuses,
        } => Wire::Statuses(wire::Statuses {
            to: copied(to.as_bytes()),
            statuses: statuses.iter().map(peer_to_wire).collect(),
            request,
        }),
        Relayed::FriendAct(act) => Wire::FriendAct(friend_act_to_wire(&act)),
        Relayed::Pledge(pledge) => Wire::Pledge(pledge_to_wire(pledge)),
        Relayed::Post(post) => Wire::Post(post_to_wire(post)),
        Relayed::GroupTransient(transient) => Wire::GroupTransient(transient_of_to_wire(transient)),
        Relayed::GroupRead { user, read } => Wire::GroupRead(wire::GroupRead {
            user: copied(user.as_bytes()),
            read: Some(group_read_to_wire(&read)),
        }),
        Relayed::GroupAsk(ask) => Wire::GroupAsk(group_ask_to_wire(&ask)),
        Relayed::GroupAnswer {
            request,
            actor,
            packet,
        } => Wire::GroupAnswer(wire::GroupAnswer {
            request,
            actor: copied(actor.as_bytes()),
            packet: Some(server_to_wire(&packet)),
        }),
        Relayed::Membership(membership) => Wire::Membership(membership_to_wire(&membership)),
        Relayed::MembershipKept {
            group,
            user,
            version,
        } => Wire::MembershipKept(wire::MembershipKept {
            group: copied(group.as_bytes()),
            user: copied(user.as_bytes()),
            version: Some(version.into()),
        }),
        Relayed::GroupApplied { to, group, user } => Wire::GroupApplied(wire::GroupApplied {
            to: copied(to.as_bytes()),
            group: copied(group.as_bytes()),
            user: copied(user.as_bytes()),
        }),
        Relayed::FriendActed(acted) => Wire::FriendActed(friend_acted_to_wire(&acted)),
    }
}

fn forward_to_wire(forward: Forward) -> wire::Forward {
    wire::Forward {
        message: Some(message_to_wire(forward.message)),
        session: forward.session.0,
        generation: forward.generation.0,
        again: forward.again,
    }
}

fn transient_from_to_wire(from: &UserId, transient: &Transient) -> wire::TransientTo {
    let packets::Transient { to, kind, body } = transient_to_wire(transient);
    wire::TransientTo {
        from: copied(from.as_bytes()),
        to,
        kind,
        body,
    }
}

fn pledge_to_wire(pledge: Pledge) -> wire::Pledge {
    wire::Pledge {
        from: pledge.from.0,
        // A slot's number is below 2^14.
        back: pledge.back.index() as u32,
        to: pledge.to.0,
        number: pledge.number,
        given: pledge.given,
    }
}

impl Convert for wire::Tell {
    type Into = Tell;

    fn convert(self) -> Result<Tell, PacketError> {
        at_most_targets("targets", self.targets.len())?;
        let targets = self.targets.iter().map(|target| user("targets", target));
        Ok(Tell {
            request: self.request,
            status: present("status", self.status)?.convert()?,
            targets: targets.collect::<Result<Vec<UserId>, _>>()?,
            ask: self.ask,
            news: self.news,
        })
    }
}

fn tell_to_wire(tell: &Tell) -> wire::Tell {
    let targets = tell.targets.iter().map(|target| copied(target.as_bytes()));
    wire::Tell {
        status: Some(peer_to_wire(&tell.status)),
        targets: targets.collect(),
        ask: tell.ask,
        news: tell.news,
        request: tell.request,
    }
}

fn at_most_targets(field: &'static str, count: usize) -> Result<(), PacketError> {
    if count > TARGETS_MAX {
        return Err(PacketError::Field(field));
    }
    Ok(())
}

impl Convert for wire::FriendAct {
    type Into = FriendAct;

    fn convert(self) -> Result<FriendAct, PacketError> {
        Ok(FriendAct {
            request: self.request,
            action: self.action().try_into()?,
            actor: user("actor", &self.actor)?,
            peer: user("peer", &self.peer)?,
            actor_version: ListVersion(self.actor_version),
        })
    }
}

fn friend_act_to_wire(act: &FriendAct) -> wire::FriendAct {
    wire::FriendAct {
        request: act.request,
        actor: copied(act.actor.as_bytes()),
        peer: copied(act.peer.as_bytes()),
        action: packets::FriendAction::from(act.action).into(),
        actor_version: act.actor_version.0,
    }
}

impl Convert for wire::FriendActed {
    type Into = FriendActed;

    fn convert(self) -> Result<FriendActed, PacketError> {
        let list = self.list.map(FriendList::try_from).transpose()?;
        Ok(FriendActed {
            request: self.request,
            actor: user("actor", &self.actor)?,
            code: code_of_failure(self.code)?,
            list: list.map(Arc::new),
        })
    }
}

fn friend_acted_to_wire(acted: &FriendActed) -> wire::FriendActed {
    wire::FriendActed {
        request: acted.request,
        actor: copied(acted.actor.as_bytes()),
        code: code_of_failure_to_wire(acted.code),
        list: acted.list.as_deref().map(packets::Friends::from),
    }
}
