//! What an operator asks of a shard.
//!
//! Owns who waits for which answer. What changes something goes to the core as
//! a request of a client does; must not know what becomes of it there.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use msgd_core::operator::{Stand, Whereabouts};
use msgd_core::{Event, OPERATOR};
use proto::client::{ChangeFriend, EndDevice};
use proto::codes::Code;
use proto::ids::{DeviceId, MessageId, SessionId, UserId};
use proto::link::{Batch, Down, Request, Up};
use proto::server::{Outcome, ServerPacket};
use proto::status::Availability;
use service::admin::{Answer, Change, Question, Questions, answer_each, wire};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use super::Shard;

/// For the core to answer: longer than it waits for others.
const PATIENCE: Duration = Duration::from_secs(5);

/// Behind a look for a message: so many times as long as it took.
const TRACE_REST: u32 = 9;

/// Questions of operators that wait for the core.
#[derive(Debug)]
pub(super) struct Desk {
    last: Cell<u64>,
    /// Whose turn it is to look for a message.
    tracing: Arc<Semaphore>,
    waiting: RefCell<HashMap<SessionId, oneshot::Sender<Down>>>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            last: Cell::default(),
            tracing: Arc::new(Semaphore::new(1)),
            waiting: RefCell::default(),
        }
    }
}

impl Desk {
    /// The core answers; who has gone is not told.
    pub(super) fn answered(&self, envelope: Down) {
        let session = match &envelope {
            Down::Push { sessions, .. } => sessions.first().copied(),
            Down::Refused { session, .. } => Some(*session),
            _ => None,
        };
        let waiting = session.and_then(|session| self.waiting.borrow_mut().remove(&session));
        if let Some(waiting) = waiting {
            let _ = waiting.send(envelope);
        }
    }

    fn wait(&self) -> (SessionId, oneshot::Receiver<Down>) {
        let session = SessionId(self.last.get() + 1);
        self.last.set(session.0);
        let (waiting, answer) = oneshot::channel();
        self.waiting.borrow_mut().insert(session, waiting);
        (session, answer)
    }
}

impl Shard {
    /// Answers an operator's questions, until nobody can ask any more.
    pub async fn answer_operator(self: Rc<Self>, questions: Questions) {
        let answer = |question: Question| {
            let shard = self.clone();
            async move { shard.asked(&question).await }
        };
        answer_each(questions, answer).await;
    }

    async fn asked(self: &Rc<Self>, question: &Question) -> Vec<Answer> {
        match question {
            Question::Status => return vec![Answer::Shard(self.status())],
            Question::Trace(id) => return self.trace(*id).await,
            _ => {}
        }
        let Some(user) = question.user() else {
            return Vec::new();
        };
        let found = self.core.borrow().whereabouts(user);
        let Some(found) = found else {
            return Vec::new();
        };
        let answer = match question {
            Question::Status | Question::Leave(_) | Question::Trace(_) | Question::Backup(_) => {
                return Vec::new();
            }
            Question::Where(_) => Answer::Known(self.known(found)),
            Question::Kick(user, device) => {
                Answer::Kicked(self.kick(user, device.as_ref(), found).await)
            }
            Question::Mailbox(user) => Answer::Mailbox(self.mailbox(user).await),
            Question::Friends(user) => Answer::Friends(self.list(user).await),
            Question::ChangeFriend(change) => Answer::Changed(self.change(change).await),
        };
        vec![answer]
    }

    fn status(&self) -> wire::ShardStatus {
        let core = self.core.borrow();
        let counters = core.counters();
        let (users, sessions) = core.population();
        let left = |until| {
            self.clock
                .instant(until)
                .saturating_duration_since(std::time::Instant::now())
        };
        wire::ShardStatus {
            shard: core.name().to_string(),
            incarnation: core.incarnation().0,
            epoch: core.epoch().0,
            slots_held: number(core.slots_held()) as u32,
            slots_owned: number(core.slots_owned()) as u32,
            users: number(users),
            sessions: number(sessions),
            gateways: number(core.gateways()),
            waiting: number(core.waiting()),
            lease_ms: self.lease.get().map(|until| left(until).as_millis() as u64),
            accepted: counters.accepted,
            delivered: counters.delivered,
            stored: counters.stored,
            rejected: counters.rejected,
            unknown: counters.unknown,
        }
    }

    /// Looks through every user, which holds the shard up: one such question at a
    /// time, and a rest that makes it a tenth of the shard's time at most.
    async fn trace(&self, id: MessageId) -> Vec<Answer> {
        let Ok(turn) = self.desk.tracing.clone().acquire_owned().await else {
            return Vec::new();
        };
        let began = Instant::now();
        let answers = self.traced(id);
        let rest = began.elapsed() * TRACE_REST;
        spawn_local(async move {
            sleep(rest).await;
            drop(turn);
        });
        answers
    }

    fn traced(&self, id: MessageId) -> Vec<Answer> {
        let core = self.core.borrow();
        let stands: Vec<_> = core.stands(id).into_iter().map(stand).collect();
        let steps = self.trail.borrow().of(id);
        if stands.is_empty() && steps.is_empty() {
            return Vec::new();
        }
        vec![Answer::Traced(wire::Traced {
            part: core.name().to_string(),
            steps,
            stands,
        })]
    }

    fn known(&self, found: Whereabouts) -> wire::Known {
        let core = self.core.borrow();
        let in_memory = found.known.is_some();
        let (shown, sessions) = match found.known {
            Some(known) => (shown(known.shown), known.sessions),
            None => ("", Vec::new()),
        };
        let session = |session: msgd_core::operator::Session| wire::KnownSession {
            gateway: session.at.gateway.0,
            session: session.at.session.0,
            device: session.device.to_string(),
            since_us: session.since.0,
        };
        wire::Known {
            shard: core.name().to_string(),
            slot: found.slot.index() as u32,
            in_memory,
            shown: shown.to_owned(),
            sessions: sessions.into_iter().map(session).collect(),
        }
    }

    /// Done when the devices' gateways say that they have gone.
    async fn kick(
        self: &Rc<Self>,
        user: &UserId,
        device: Option<&DeviceId>,
        found: Whereabouts,
    ) -> wire::Kicked {
        let sessions = found.known.map(|known| known.sessions).unwrap_or_default();
        let devices = sessions.into_iter().map(|session| session.device);
        let devices = devices.filter(|here| device.is_none_or(|device| device == here));
        let mut kicked = wire::Kicked::default();
        for device in devices {
            let name = device.to_string();
            let end = Request::EndDevice(EndDevice { request: 0, device });
            match self.operate(user, end).await {
                Ok(ServerPacket::DeviceResult { code: None, .. }) => kicked.devices.push(name),
                Ok(ServerPacket::DeviceResult {
                    code: Some(code), ..
                })
                | Err(code) => kicked.code = code.number(),
                Ok(_) => kicked.code = Code::Busy.number(),
            }
        }
        if kicked.devices.is_empty() && kicked.code == 0 {
            kicked.code = Code::NoDevice.number();
        }
        kicked
    }

    /// A user who is not in memory comes there, with what the mailbox says.
    async fn mailbox(self: &Rc<Self>, user: &UserId) -> wire::MailboxStatus {
        let opened = self.operate(user, Request::GetDevices).await;
        let core = self.core.borrow();
        let shard = core.name().to_string();
        let Some(held) = core.held(user) else {
            let code = opened.err().unwrap_or(Code::Busy).number();
            return wire::MailboxStatus {
                shard,
                code,
                ..Default::default()
            };
        };
        wire::MailboxStatus {
            shard,
            waiting: held.end.0.saturating_sub(held.cursor.0),
            cursor: held.cursor.0,
            end: held.end.0,
            pending: number(held.pending),
            pending_bytes: number(held.pending_bytes),
            last_seen_us: held.last_seen.unwrap_or_default().0,
            code: 0,
        }
    }

    async fn list(self: &Rc<Self>, user: &UserId) -> wire::FriendList {
        match self.operate(user, Request::GetFriends).await {
            Ok(ServerPacket::Friends(list)) => wire::FriendList {
                list: Some(list.as_ref().into()),
                code: 0,
            },
            Ok(_) => unlisted(Code::Busy),
            Err(code) => unlisted(code),
        }
    }

    async fn change(self: &Rc<Self>, change: &Change) -> wire::Changed {
        let asked = Request::ChangeFriend(ChangeFriend {
            request: 0,
            peer: change.peer.clone(),
            action: change.action,
        });
        let code = match self.operate(&change.user, asked).await {
            Ok(ServerPacket::FriendResult { code, .. }) => code,
            Ok(_) => Some(Code::Busy),
            Err(code) => Some(code),
        };
        wire::Changed {
            code: code.map_or(0, Code::number),
        }
    }

    /// Asks the core as a client of the user would.
    async fn operate(
        self: &Rc<Self>,
        user: &UserId,
        request: Request,
    ) -> Result<ServerPacket, Code> {
        let (session, answer) = self.desk.wait();
        let envelope = Up::Request {
            session,
            user: user.clone(),
            request,
        };
        let epoch = self.ring.borrow().epoch();
        let envelopes = vec![envelope];
        self.handle([Event::Arrived {
            gateway: OPERATOR,
            batch: Batch { epoch, envelopes },
        }]);
        let answer = timeout(PATIENCE, answer).await;
        self.desk.waiting.borrow_mut().remove(&session);
        match answer {
            Ok(Ok(Down::Push { packet, .. })) => Ok(*packet),
            Ok(Ok(Down::Refused { code, .. })) => Err(code),
            Ok(Ok(_) | Err(_)) | Err(_) => Err(Code::Busy),
        }
    }
}

fn stand(stand: Stand) -> wire::Stand {
    let (what, device) = match stand.outcome {
        None => ("in memory, on its way", None),
        Some(Outcome::Stored) => ("stored", None),
        Some(Outcome::Delivered { device }) => ("delivered", Some(device)),
        Some(Outcome::Logged(_)) => ("in the group's log", None),
    };
    wire::Stand {
        what: what.to_owned(),
        from: stand.from.to_string(),
        to: stand.to.to_string(),
        device: device.map(|device| device.to_string()).unwrap_or_default(),
        stamp_us: stand.stamp.0,
    }
}

fn unlisted(code: Code) -> wire::FriendList {
    wire::FriendList {
        list: None,
        code: code.number(),
    }
}

fn shown(availability: Availability) -> &'static str {
    match availability {
        Availability::Online => "online",
        Availability::Away => "away",
        Availability::Busy => "busy",
        Availability::Invisible => "invisible",
        Availability::Offline => "offline",
    }
}

fn number(count: usize) -> u64 {
    count as u64
}
