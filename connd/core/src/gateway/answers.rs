//! What a shard sends: to a session, or on to another shard.

use proto::clock::Now;
use proto::codes::Code;
use proto::ids::{MessageId, SessionId, UserId};
use proto::link::{Answer, Batch, Deliver, Down, Recipient, Request};
use proto::server::{self, Sent, SentElsewhere, ServerPacket};
use smol_str::SmolStr;

use super::{Gateway, write};
use crate::effect::Effect;
use crate::router::LinkId;
use crate::sends::Outstanding;

impl Gateway {
    pub(super) fn arrived(
        &mut self,
        now: Now,
        link: LinkId,
        batch: Batch<Down>,
        out: &mut Vec<Effect>,
    ) {
        for envelope in batch.envelopes {
            match envelope {
                Down::Accepted {
                    session,
                    token,
                    order,
                    groups,
                } if self.is_owner(session, link) => {
                    self.accepted(now, session, token, order, groups, out);
                }
                Down::Refused { session, code } if self.is_owner(session, link) => {
                    self.refused(now, session, code, out);
                }
                // The slot has moved: only the new shard's word counts (rule 6).
                Down::Accepted { .. } | Down::Refused { .. } => {}
                Down::Carbons { session, wanted } if self.is_owner(session, link) => {
                    self.carbons(session, wanted);
                }
                Down::Carbons { .. } => {}
                Down::Joined { session, group } if self.is_owner(session, link) => {
                    self.enter_group(session, &group, out);
                }
                Down::Left { session, group } if self.is_owner(session, link) => {
                    self.leave_group(session, &group, None, out);
                }
                Down::Joined { .. } | Down::Left { .. } => {}
                Down::FromGroup(from) => self.group_says(now, link, from, out),
                Down::Deliver(deliver) => self.deliver(link, deliver, out),
                Down::Answer {
                    session,
                    id,
                    answer,
                } => self.answered(session, id, answer, out),
                Down::Return(back) => self.returned(now, back.session, back.generation),
                Down::Push { sessions, packet } => self.push(&sessions, &packet, out),
                Down::Close { session, code } => self.close(session, code, out),
                Down::Relay(relay) => self.relay(now, relay, out),
            }
        }
    }

    /// Whether the link is that of the shard which a session is announced to.
    fn is_owner(&mut self, session: SessionId, link: LinkId) -> bool {
        let slot = self.live(session).map(|live| live.slot);
        slot.is_some_and(|slot| self.router.owner(slot) == link)
    }

    fn deliver(&mut self, link: LinkId, deliver: Deliver, out: &mut Vec<Effect>) {
        let held_max = 2 * self.settings.window_messages as usize;
        let session = deliver.session;
        let message = deliver.message;
        let live = match self.live(session) {
            // Rule 6: another shard than the session's may have woken from a
            // pause. It still has the message and stores it.
            Some(live) if live.token == Some(deliver.token) => live,
            _ => {
                self.counters.deliveries_dropped += 1;
                return;
            }
        };
        let known =
            live.announced_again && live.deliveries.take_over(&message.from, message.id, link);
        if known {
            return;
        }
        if live.deliveries.len() >= held_max {
            // A shard keeps to the window; two after each other may exceed it.
            return self.clogged(session, out);
        }
        let seq = live.deliveries.number(message.identity(), link);
        let packet = server::Deliver {
            seq,
            id: message.id,
            from: message.from,
            stamp: message.stamp,
            body: message.body,
        };
        write(session, ServerPacket::Deliver(packet), out);
        self.counters.delivered += 1;
    }

    /// Exactly one answer leaves per message: the first finds it in the window.
    fn answered(
        &mut self,
        session: SessionId,
        id: MessageId,
        answer: Answer,
        out: &mut Vec<Effect>,
    ) {
        let Some(live) = self.live(session) else {
            return;
        };
        // A copy that was sent since may come through.
        if let Answer::Rejected { generation, .. } = &answer
            && !live.sends.is_last(*generation)
        {
            return;
        }
        let Some(message) = live.sends.answered(id) else {
            return;
        };
        live.returned = 0;
        live.exceeded = 0;
        let is_held = live.excess.count(&answer);
        // What a user writes to itself its devices are delivered anyway, and what
        // it writes to a group.
        let copied = match &message.to {
            Recipient::User(to) if live.carbons_wanted && live.user != *to => Some(to.clone()),
            Recipient::User(_) | Recipient::Group { .. } => None,
        };
        let packet = match answer {
            Answer::Sent(sent) => {
                if let Some(to) = copied {
                    self.copy(session, to, message, &sent, out);
                }
                ServerPacket::Sent { id, sent }
            }
            Answer::Rejected { code, text, .. } => ServerPacket::Rejected {
                id,
                code,
                text: words(code, text),
            },
            Answer::Unknown { code } => ServerPacket::Unknown { id, code },
        };
        write(session, packet, out);
        if is_held {
            self.counters.held += 1;
            out.push(Effect::Hold { session });
        }
    }

    /// What an earlier announcement was told does not count.
    fn carbons(&mut self, session: SessionId, wanted: bool) {
        if let Some(live) = self.live(session).filter(|live| live.token.is_some()) {
            live.carbons_wanted = wanted;
        }
    }

    /// A message is safe: the user's other devices are told, by their shard.
    fn copy(
        &mut self,
        session: SessionId,
        to: UserId,
        message: Outstanding,
        sent: &Sent,
        out: &mut Vec<Effect>,
    ) {
        let copy = SentElsewhere {
            id: message.id,
            sent: sent.clone(),
            to,
            body: message.body,
        };
        self.ask_shard(session, Request::Copy(Box::new(copy)), out);
    }

    fn push(&mut self, sessions: &[SessionId], packet: &ServerPacket, out: &mut Vec<Effect>) {
        for session in sessions {
            let Some(live) = self.live(*session).filter(|live| live.greeted) else {
                continue;
            };
            if let ServerPacket::Friends(list) = packet {
                // Named when it is announced again: a newer one may have come
                // in the meantime, and its notice found no session.
                live.friends_hash = Some(list.hash());
            }
            let (session, packet) = (*session, packet.clone());
            out.push(match packet {
                // Nothing keeps them within a window, and they may be missed.
                ServerPacket::Carbon(_) | ServerPacket::Transient(_) => {
                    Effect::Offer { session, packet }
                }
                // After a log-in all friends see it, and it sees each of them.
                ServerPacket::Presence {
                    snapshot: false, ..
                } => Effect::Gather { session, packet },
                _ => Effect::Write { session, packet },
            });
        }
    }
}

fn words(code: Code, text: SmolStr) -> SmolStr {
    if text.is_empty() {
        return SmolStr::new_static(code.text());
    }
    text
}
