//! What holds whatever happens to a shard.
//!
//! Owns what gateways and store have seen of it since it started. Must not
//! know the shard's state, only its effects.

use std::collections::{HashMap, HashSet};

use msgd_core::store::{Claim, Outcome, Request};
use msgd_core::{Effect, Event};
use proto::codes::Code;
use proto::ids::{GatewayId, Identity, MessageId, SessionRef, UserId};
use proto::link::{Announce, Answer, Deliver, Down, Message, Relayed, Up};
use proto::server::{Outcome as Fate, Sent};
use proto::slot::Slot;
use sim::store::Store;

use super::{SENDERS_MAX, owner, said};
use crate::cast::USERS;

/// An event has at most so many effects.
const EFFECTS_MAX: usize = 300;

/// A session that the shard has accepted.
#[derive(Debug)]
struct Session {
    user: UserId,
    window: usize,
    /// Delivered and not acknowledged.
    held: HashSet<Identity>,
}

/// What a shard has promised so far.
#[derive(Debug, Default)]
pub struct Promises {
    /// Claims that the store granted to it.
    granted: HashSet<Claim>,
    /// Those that it gave up, or that the store knows newer ones of.
    over: HashSet<Claim>,
    /// The newest announcement of each session.
    announced: HashMap<SessionRef, Announce>,
    accepted: HashMap<SessionRef, Session>,
    /// What a device of a recipient took.
    taken: HashSet<(UserId, Identity)>,
    /// What former holders of a slot have answered.
    handed_over: HashSet<(UserId, Identity)>,
    /// An append failed, or its outcome was lost with a process: the mailbox
    /// may hold a message twice, and then it is delivered twice.
    has_failed: bool,
    /// Who has written to each user: a shard remembers its answers to
    /// [`SENDERS_MAX`] of them, and delivers again what others send again.
    senders: HashMap<UserId, HashSet<UserId>>,
    /// How often a session's message came, less how often it left.
    open: HashMap<(SessionRef, MessageId), usize>,
}

impl Promises {
    /// A former holder of a slot has told a message to be safe.
    pub fn handed_over(&mut self, to: &UserId, identity: &Identity) {
        self.handed_over.insert((to.clone(), identity.clone()));
    }

    /// Another incarnation takes its place: what was safe is safe.
    pub fn restarted(&mut self) {
        *self = Self {
            taken: std::mem::take(&mut self.taken),
            handed_over: std::mem::take(&mut self.handed_over),
            has_failed: true,
            ..Self::default()
        };
    }

    /// Slots that it has and has not given up.
    pub fn slots_held(&self) -> usize {
        let held = self.granted.difference(&self.over).map(|claim| claim.slot);
        held.collect::<HashSet<_>>().len()
    }

    /// Notes what an event brings.
    pub fn before(&mut self, event: &Event) {
        match event {
            Event::Arrived { gateway, batch } => {
                for envelope in &batch.envelopes {
                    self.arrives(*gateway, envelope);
                }
            }
            Event::Store(Outcome::Claimed { claim, .. }) => {
                self.granted.insert(*claim);
            }
            Event::Store(Outcome::AppendFailed { .. }) => self.has_failed = true,
            Event::Store(Outcome::Refused { claim }) => {
                self.over.insert(*claim);
            }
            _ => {}
        }
    }

    fn arrives(&mut self, gateway: GatewayId, envelope: &Up) {
        if let Some((session, identity)) = said::carried(envelope) {
            let at = SessionRef { gateway, session };
            *self.open.entry((at, identity.id)).or_default() += 1;
        }
        match envelope {
            Up::Announce(announce) => {
                let session = announce.session;
                let at = SessionRef { gateway, session };
                self.announced.insert(at, announce.as_ref().clone());
            }
            Up::Acknowledge {
                session,
                user,
                identities,
            } => {
                let session = *session;
                let held_by = self.accepted.get_mut(&SessionRef { gateway, session });
                let mut held = held_by.map(|session| &mut session.held);
                for identity in identities {
                    if let Some(held) = &mut held {
                        held.remove(identity);
                    }
                    self.taken.insert((user.clone(), identity.clone()));
                }
            }
            Up::Relay(relay) => {
                if let Relayed::Forward(forward) = &relay.relayed {
                    let Message { from, to, .. } = &forward.message;
                    let senders = self.senders.entry(to.clone()).or_default();
                    senders.insert(from.clone());
                }
            }
            _ => {}
        }
    }

    /// Looks at what came of it.
    ///
    /// # Panics
    /// If a promise is broken.
    pub fn after(&mut self, effects: &[Effect], store: &Store) {
        assert!(effects.len() <= EFFECTS_MAX, "{} effects", effects.len());
        for effect in effects {
            match effect {
                Effect::Send { gateway, envelope } => self.sent(*gateway, envelope, store),
                Effect::Store(request) => self.asked(request),
                Effect::AskGraph { .. } | Effect::Pledged { .. } | Effect::Fenced => {}
            }
        }
    }

    fn asked(&mut self, request: &Request) {
        let Some(claim) = request.claim() else {
            return;
        };
        assert!(
            self.granted.contains(&claim),
            "{request:?} was never granted"
        );
        if let Request::Release { .. } = request {
            self.over.insert(claim);
            return;
        }
        assert!(!self.over.contains(&claim), "{request:?} is over");
    }

    fn sent(&mut self, gateway: GatewayId, envelope: &Down, store: &Store) {
        let at = |session| SessionRef { gateway, session };
        match envelope {
            Down::Accepted { session, .. } => {
                let at = at(*session);
                let announce = self.announced.get(&at).expect("it was announced");
                let session = Session {
                    user: announce.user.clone(),
                    window: announce.window_messages as usize,
                    held: HashSet::new(),
                };
                self.accepted.insert(at, session);
            }
            // Which another device ends is there until its gateway says that it
            // has gone.
            Down::Close {
                code: Code::Ended, ..
            } => {}
            Down::Close { session, .. } => {
                self.accepted.remove(&at(*session));
            }
            Down::Deliver(deliver) => self.delivered(at(deliver.session), deliver),
            Down::Answer {
                session,
                id,
                answer,
            } => {
                self.leaves(at(*session), *id);
                if let Answer::Sent(sent) = answer {
                    let from = owner(at(*session));
                    self.is_safe(&Identity { from, id: *id }, sent, store);
                }
            }
            Down::Return(back) => self.leaves(at(back.session), back.id),
            Down::Relay(relay) => {
                if let Relayed::Forward(forward) = &relay.relayed {
                    self.leaves(at(forward.session), forward.message.id);
                }
            }
            Down::Refused { .. }
            | Down::Push { .. }
            | Down::Carbons { .. }
            | Down::FromGroup(_)
            | Down::Joined { .. }
            | Down::Left { .. } => {}
        }
    }

    /// What came once leaves once: answered, sent back, or passed on.
    fn leaves(&mut self, at: SessionRef, id: MessageId) {
        let open = self.open.get_mut(&(at, id)).expect("it came");
        *open = open.checked_sub(1).expect("it leaves as often as it came");
    }

    fn delivered(&mut self, at: SessionRef, deliver: &Deliver) {
        let slot = Slot::of(&deliver.message.to);
        let token = deliver.token;
        let claim = Claim { slot, token };
        assert!(self.granted.contains(&claim) && !self.over.contains(&claim));
        let session = self.accepted.get_mut(&at).expect("it was accepted");
        assert_eq!(session.user, deliver.message.to);
        let is_new = session.held.insert(deliver.message.identity());
        let senders = self.senders.get(&session.user).map_or(0, HashSet::len);
        let is_forgotten = senders > SENDERS_MAX;
        assert!(
            is_new || self.has_failed || is_forgotten,
            "the client has it already"
        );
        assert!(session.held.len() <= session.window, "the window is kept");
    }

    /// 'Sent' is told of what a device took, or of what is in the mailbox.
    fn is_safe(&self, identity: &Identity, sent: &Sent, store: &Store) {
        let is_with = |set: &HashSet<(UserId, Identity)>| {
            let mut users = USERS.iter();
            users.any(|to| set.contains(&(to.clone(), identity.clone())))
        };
        let is_safe = is_with(&self.handed_over)
            || match sent.outcome {
                Fate::Delivered { .. } => is_with(&self.taken),
                Fate::Stored => USERS.iter().any(|to| store.find(to, identity).is_some()),
                // Nothing is written to a group here.
                Fate::Logged(_) => false,
            };
        assert!(is_safe, "{identity:?} is not safe: {sent:?}");
    }
}
