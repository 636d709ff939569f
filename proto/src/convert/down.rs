//! Envelopes from a shard to a gateway.

use bytes::Bytes;

use super::field::{Convert, code, copied, device, group, present, text};
use super::group::{user_groups, user_groups_to_wire};
use super::link_group::from_group_to_wire;
use super::message::{message, message_id, message_to_wire};
use super::server::server_to_wire;
use crate::client::PacketError;
use crate::group::Place;
use crate::ids::{Generation, LogEpoch, SessionId, Stamp, Token};
use crate::link::{Answer, Deliver, Down, Return, ReturnReason};
use crate::server::{Outcome, Sent};
use crate::wire::link as wire;

impl Convert for wire::Down {
    type Into = Down;

    fn convert(self) -> Result<Down, PacketError> {
        use wire::down::Envelope;
        Ok(match self.envelope.ok_or(PacketError::Unknown)? {
            Envelope::Deliver(deliver) => Down::Deliver(Deliver {
                session: SessionId(deliver.session),
                token: Token(deliver.token),
                message: message(deliver.message)?,
            }),
            Envelope::Relay(relay) => Down::Relay(relay.convert()?),
            Envelope::Answer(answer) => Down::Answer {
                session: SessionId(answer.session),
                id: message_id(answer.id)?,
                answer: present("answer", answer.answer)?.convert()?,
            },
            Envelope::Return(back) => Down::Return(back.convert()?),
            Envelope::Accepted(accepted) => Down::Accepted {
                session: SessionId(accepted.session),
                token: Token(accepted.token),
                order: present("order", accepted.order)?.into(),
                groups: user_groups(accepted.groups)?,
            },
            Envelope::Refused(refused) => Down::Refused {
                session: SessionId(refused.session),
                code: code(refused.code)?,
            },
            Envelope::Push(push) => Down::Push {
                sessions: push.sessions.into_iter().map(SessionId).collect(),
                packet: Box::new(present("packet", push.packet)?.convert()?),
            },
            Envelope::Close(close) => Down::Close {
                session: SessionId(close.session),
                code: code(close.code)?,
            },
            Envelope::Carbons(carbons) => Down::Carbons {
                session: SessionId(carbons.session),
                wanted: carbons.wanted,
            },
            Envelope::FromGroup(from) => Down::FromGroup(from.convert()?),
            Envelope::Joined(joined) => Down::Joined {
                session: SessionId(joined.session),
                group: group("group", &joined.group)?,
            },
            Envelope::Left(left) => Down::Left {
                session: SessionId(left.session),
                group: group("group", &left.group)?,
            },
        })
    }
}

pub(super) fn down_to_wire(down: Down) -> wire::Down {
    use wire::down::Envelope;
    let envelope = match down {
        Down::Deliver(deliver) => Envelope::Deliver(wire::Deliver {
            session: deliver.session.0,
            token: deliver.token.0,
            message: Some(message_to_wire(deliver.message)),
        }),
        Down::Relay(relay) => Envelope::Relay(relay.into()),
        Down::Answer {
            session,
            id,
            answer,
        } => Envelope::Answer(wire::Answer {
            session: session.0,
            id: Some(id.into()),
            answer: Some(answer_to_wire(answer)),
        }),
        Down::Return(back) => Envelope::Return(wire::Return {
            session: back.session.0,
            id: Some(back.id.into()),
            generation: back.generation.0,
            not_owner: back.reason == ReturnReason::NotOwner,
        }),
        Down::Accepted {
            session,
            token,
            order,
            groups,
        } => Envelope::Accepted(wire::Accepted {
            session: session.0,
            token: token.0,
            order: Some(order.into()),
            groups: user_groups_to_wire(&groups),
        }),
        Down::Refused { session, code } => Envelope::Refused(wire::Refused {
            session: session.0,
            code: code.number(),
        }),
        Down::Push { sessions, packet } => Envelope::Push(wire::Push {
            sessions: sessions.into_iter().map(|session| session.0).collect(),
            packet: Some(server_to_wire(&packet)),
        }),
        Down::Close { session, code } => Envelope::Close(wire::Close {
            session: session.0,
            code: code.number(),
        }),
        Down::Carbons { session, wanted } => Envelope::Carbons(wire::Carbons {
            session: session.0,
            wanted,
        }),
        Down::FromGroup(from) => Envelope::FromGroup(from_group_to_wire(&from)),
        Down::Joined { session, group } => Envelope::Joined(wire::Joined {
            session: session.0,
            group: copied(group.as_bytes()),
        }),
        Down::Left { session, group } => Envelope::Left(wire::Left {
            session: session.0,
            group: copied(group.as_bytes()),
        }),
    };
    wire::Down {
        envelope: Some(envelope),
    }
}

impl Convert for wire::answer::Answer {
    type Into = Answer;

    fn convert(self) -> Result<Answer, PacketError> {
        Ok(match self {
            Self::Sent(sent) => Answer::Sent(Sent {
                stamp: Stamp(sent.stamp_us),
                outcome: outcome(&sent.delivered, sent.logged)?,
            }),
            Self::Rejected(rejected) => Answer::Rejected {
                code: code(rejected.code)?,
                text: text(rejected.text)?,
                generation: Generation(rejected.generation),
            },
            Self::Unknown(number) => Answer::Unknown {
                code: code(number)?,
            },
        })
    }
}

fn outcome(delivered: &[u8], logged: Option<wire::Logged>) -> Result<Outcome, PacketError> {
    if let Some(logged) = logged {
        let epoch = LogEpoch(logged.epoch);
        let seq = logged.seq;
        return Ok(Outcome::Logged(Place { epoch, seq }));
    }
    if delivered.is_empty() {
        return Ok(Outcome::Stored);
    }
    let device = device("delivered", delivered)?;
    Ok(Outcome::Delivered { device })
}

fn answer_to_wire(answer: Answer) -> wire::answer::Answer {
    use wire::answer::Answer as Wire;
    match answer {
        Answer::Sent(sent) => Wire::Sent(wire::Sent {
            stamp_us: sent.stamp.0,
            delivered: match &sent.outcome {
                Outcome::Delivered { device } => copied(device.as_bytes()),
                Outcome::Stored | Outcome::Logged(_) => Bytes::new(),
            },
            logged: match &sent.outcome {
                Outcome::Logged(Place { epoch, seq }) => Some(wire::Logged {
                    epoch: epoch.0,
                    seq: *seq,
                }),
                Outcome::Stored | Outcome::Delivered { .. } => None,
            },
        }),
        Answer::Rejected {
            code,
            text,
            generation,
        } => Wire::Rejected(wire::Rejected {
            code: code.number(),
            text: text.into(),
            generation: generation.0,
        }),
        Answer::Unknown { code } => Wire::Unknown(code.number()),
    }
}

impl Convert for wire::Return {
    type Into = Return;

    fn convert(self) -> Result<Return, PacketError> {
        let reason = match self.not_owner {
            true => ReturnReason::NotOwner,
            false => ReturnReason::Busy,
        };
        Ok(Return {
            session: SessionId(self.session),
            id: message_id(self.id)?,
            generation: Generation(self.generation),
            reason,
        })
    }
}
