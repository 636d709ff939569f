//! What holds whatever happens to a gateway.
//!
//! Owns what each client and shard has seen so far. Must not know the
//! gateway's state, only its effects.

use std::collections::{HashMap, HashSet};

use connd_core::{Effect, Event, LinkId};
use proto::client::Send;
use proto::codes::Code;
use proto::ids::{MessageId, SessionId, UserId};
use proto::link::{Down, Up};
use proto::server::ServerPacket;

use super::{BODY_BYTES_MAX, WINDOW_MESSAGES, sends};

/// An event has at most so many effects: those of six sessions that are
/// announced and send their windows again, more than once.
const EFFECTS_MAX: usize = 200;

/// What a client has seen and done.
#[derive(Debug, Default)]
struct Client {
    greeted: bool,
    /// It was asked to move.
    asked_to_move: bool,
    /// It was told why it is closed.
    closing: bool,
    user: Option<UserId>,
    /// Messages that were taken and have no answer.
    unanswered: HashSet<MessageId>,
    delivered: u64,
    acknowledged: u64,
    /// Of its window, as shards see it.
    generation: u32,
}

/// What a gateway has promised so far.
#[derive(Debug)]
pub struct Promises {
    links: Vec<LinkId>,
    up: HashSet<LinkId>,
    clients: HashMap<SessionId, Client>,
    /// What the event at hand sends, and whether it was taken.
    sending: Option<(SessionId, Send)>,
    /// What the event at hand offers for delivery.
    offered: HashMap<(SessionId, MessageId), usize>,
    logs_out: Option<SessionId>,
}

impl Promises {
    /// With these links, all of them down.
    pub fn new(links: Vec<LinkId>) -> Self {
        Self {
            links,
            up: HashSet::new(),
            clients: HashMap::new(),
            sending: None,
            offered: HashMap::new(),
            logs_out: None,
        }
    }

    /// How many connections there are.
    pub fn sessions(&self) -> usize {
        self.clients.len()
    }

    /// The number of the last delivery.
    pub fn delivered(&self, session: SessionId) -> u64 {
        self.clients.get(&session).map_or(0, |c| c.delivered)
    }

    /// Under which a window was sent last.
    pub fn generation(&self, session: SessionId) -> u32 {
        self.clients.get(&session).map_or(0, |c| c.generation)
    }

    /// A link is there.
    pub fn link_up(&mut self, link: LinkId) {
        self.up.insert(link);
    }

    /// A link is gone.
    pub fn link_down(&mut self, link: LinkId) {
        self.up.remove(&link);
    }

    /// A socket is gone.
    pub fn gone(&mut self, session: SessionId) {
        self.clients.remove(&session);
    }

    /// Notes what an event brings.
    pub fn before(&mut self, event: &Event) {
        self.sending = None;
        self.logs_out = None;
        self.offered.clear();
        match event {
            Event::Opened { session, .. } => {
                self.clients.insert(*session, Client::default());
            }
            Event::Received {
                session,
                packet: Ok(packet),
            } => self.received(*session, packet),
            Event::Arrived { batch, .. } => {
                for envelope in &batch.envelopes {
                    if let Down::Deliver(deliver) = envelope {
                        let key = (deliver.session, deliver.message.id);
                        *self.offered.entry(key).or_default() += 1;
                    }
                }
            }
            _ => {}
        }
    }

    fn received(&mut self, session: SessionId, packet: &proto::client::ClientPacket) {
        use proto::client::ClientPacket;
        let Some(client) = self.clients.get_mut(&session) else {
            return;
        };
        if let Some(send) = sends(packet) {
            self.sending = Some((session, send.clone()));
        }
        match packet {
            ClientPacket::Ack { seq } if client.greeted && *seq <= client.delivered => {
                client.acknowledged = client.acknowledged.max(*seq);
            }
            ClientPacket::Logout => self.logs_out = Some(session),
            _ => {}
        }
    }

    /// Looks at what came of it.
    ///
    /// # Panics
    /// If a promise is broken.
    pub fn after(&mut self, effects: &[Effect]) {
        assert!(effects.len() <= EFFECTS_MAX, "{} effects", effects.len());
        self.take_message(effects);
        for effect in effects {
            match effect {
                Effect::Write { session, packet }
                | Effect::Offer { session, packet }
                | Effect::Gather { session, packet } => {
                    self.written(*session, packet);
                }
                Effect::Close { session } => {
                    let client = self.clients.remove(session).expect("closed once");
                    let said = client.closing || self.logs_out == Some(*session);
                    assert!(said, "{session} is closed without a word");
                }
                Effect::Authenticate { session, .. } | Effect::Hold { session } => {
                    assert!(self.clients.contains_key(session), "{session} is gone");
                }
                Effect::Spread { sessions, packet } | Effect::SpreadLater { sessions, packet } => {
                    for session in sessions.iter() {
                        self.written(*session, packet);
                    }
                }
                Effect::Forward { link, envelope, .. } => self.forwarded(*link, envelope),
            }
        }
        let said_and_left = self.clients.values().all(|client| !client.closing);
        assert!(said_and_left, "what was told of its end is closed");
    }

    /// A message is taken into the window unless it is refused at once.
    fn take_message(&mut self, effects: &[Effect]) {
        let Some((session, send)) = &self.sending else {
            return;
        };
        let is_refused = effects.iter().any(|effect| {
            matches!(effect, Effect::Write { session: to, packet: ServerPacket::Rejected { id, .. } }
                if to == session && *id == send.id)
        });
        let Some(client) = self.clients.get_mut(session).filter(|c| c.greeted) else {
            return;
        };
        if is_refused {
            return;
        }
        assert!(send.body.len() <= BODY_BYTES_MAX as usize);
        client.unanswered.insert(send.id);
        self.sending = None;
    }

    fn written(&mut self, session: SessionId, packet: &ServerPacket) {
        let client = self.clients.get_mut(&session).expect("it is there");
        assert!(!client.closing, "{packet:?} after the end");
        match packet {
            ServerPacket::Closing(_) => client.closing = true,
            ServerPacket::LoginOk(ok) => {
                assert!(!client.greeted, "{session} is greeted once");
                client.greeted = true;
                client.user = Some(ok.user.clone());
            }
            ServerPacket::Goaway(_) => {
                assert!(client.greeted, "a client that is there is asked to move");
                assert!(!client.asked_to_move, "{session} is asked once");
                client.asked_to_move = true;
            }
            _ => assert!(client.greeted, "{packet:?} before the log-in"),
        }
        match packet {
            ServerPacket::Rejected { id, code, .. } if self.sending.is_some() => {
                let refused = matches!(code, Code::BodyTooLarge | Code::WindowExceeded);
                assert!(refused, "{code:?} is not the gateway's to say");
                let (from, send) = self.sending.take().expect("just seen");
                assert_eq!((from, send.id), (session, *id));
            }
            ServerPacket::Sent { id, .. }
            | ServerPacket::Rejected { id, .. }
            | ServerPacket::Unknown { id, .. } => {
                assert!(client.unanswered.remove(id), "{id} is answered once");
            }
            ServerPacket::Deliver(deliver) => {
                client.delivered += 1;
                assert_eq!(deliver.seq, client.delivered);
                let held = client.delivered - client.acknowledged;
                assert!(held <= 2 * u64::from(WINDOW_MESSAGES));
                let offered = self.offered.get_mut(&(session, deliver.id));
                let offered = offered.expect("a shard has sent it");
                *offered = offered.checked_sub(1).expect("it is delivered once");
            }
            _ => {}
        }
    }

    fn forwarded(&mut self, link: LinkId, envelope: &Up) {
        assert!(self.links.contains(&link));
        // The end of a link takes with it whom it would have been told.
        let is_late = matches!(envelope, Up::Acknowledge { .. });
        assert!(
            is_late || self.up.contains(&link),
            "{envelope:?} on no link"
        );
        match envelope {
            Up::Announce(announce) => {
                self.there(announce.session);
            }
            Up::Acknowledge { session, .. } | Up::Request { session, .. } => {
                self.there(*session);
            }
            Up::Submit(submit) => {
                let client = self.there(submit.session);
                assert!(
                    client.unanswered.contains(&submit.id),
                    "it is in the window"
                );
                assert!(client.generation <= submit.generation.0);
                client.generation = submit.generation.0;
                assert_eq!(client.user.as_ref(), Some(&submit.from));
            }
            Up::Gone { .. } | Up::Relay(_) | Up::ToGroup { .. } => {}
        }
    }

    fn there(&mut self, session: SessionId) -> &mut Client {
        self.clients.get_mut(&session).expect("it is there")
    }
}
