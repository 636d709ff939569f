//! What the application's handles and the driver share: the session, and who
//! waits for what.
//!
//! Owns the lock, the clock, and the carrying out of effects. Must not know
//! sockets.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use proto::clock::Moment;
use proto::frame::{self, Front};
use proto::ids::{Identity, MessageId};
use proto::limits::SERVER_FRAME_BYTES_MAX;
use proto::server::{DeviceEntry, ServerPacket};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::session::{
    Answer, ChangeError, Effect, Event, Fate, RequestError, SendError, Session, To, Wants,
};
use crate::settings::{SeenStore, Settings};

/// Deadlines are met this late at most. It keeps a deadline that only a packet
/// can meet from spinning while the socket is full.
const GRAIN: Duration = Duration::from_millis(5);

/// Outgoing bytes beyond which the session is not asked for more.
const OUTPUT_BYTES: usize = 64 * 1024;

/// The most that wait for one list of devices.
const LISTENERS_MAX: usize = 64;

/// The session and who waits for it.
pub(crate) struct Shared {
    state: Mutex<State>,
    start: Instant,
    /// The session may have something to say.
    wake: Notify,
    /// The application may have something to take.
    pub(crate) news: Notify,
    /// A message may find room.
    pub(crate) room: Notify,
    /// Whoever waits for room waits in line.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// The driver has ended.
    pub(crate) done: watch::Sender<bool>,
}

struct State {
    session: Session,
    effects: Vec<Effect>,
    /// Who waits for a message's fate; no more than the window.
    fates: HashMap<MessageId, oneshot::Sender<Fate>>,
    /// Who waits for the devices.
    devices: Vec<oneshot::Sender<Result<Vec<DeviceEntry>, ChangeError>>>,
    /// Who waits for a change or an answer; no more than the session takes.
    changes: HashMap<u32, oneshot::Sender<Result<Answer, ChangeError>>>,
    seen: Option<Box<dyn SeenStore>>,
    /// No handle is left.
    abandoned: bool,
}

impl State {
    /// Carries out what the session asked for.
    fn settle(&mut self) {
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Settle { id, fate } => {
                    if let Some(waiting) = self.fates.remove(&id) {
                        // Nobody may be waiting any more.
                        let _ = waiting.send(fate);
                    }
                }
                Effect::Changed { request, result } => {
                    if let Some(waiting) = self.changes.remove(&request) {
                        let _ = waiting.send(result);
                    }
                }
                Effect::Devices(result) => {
                    for waiting in self.devices.drain(..) {
                        let _ = waiting.send(result.clone());
                    }
                }
                Effect::Remember(identity) => {
                    if let Some(seen) = &mut self.seen {
                        seen.remember(&identity);
                    }
                }
            }
        }
    }
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> Self {
        let session = Session::new(settings.account, settings.confirmation, fastrand::u64(..));
        Self {
            state: Mutex::new(State {
                session,
                effects: Vec::new(),
                fates: HashMap::new(),
                changes: HashMap::new(),
                devices: Vec::new(),
                seen: settings.seen,
                abandoned: false,
            }),
            start: Instant::now(),
            wake: Notify::new(),
            news: Notify::new(),
            room: Notify::new(),
            turn: tokio::sync::Mutex::new(()),
            done: watch::Sender::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A session is whole between its calls, and a panic of the
        // application's store leaves nothing half done in it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        // A process does not live for half a million years.
        Moment(self.start.elapsed().as_micros() as u64)
    }

    /// One call into the session: its effects are carried out, and whoever may
    /// go on is woken.
    pub(crate) fn call<R>(
        &self,
        call: impl FnOnce(&mut Session, Moment, &mut Vec<Effect>) -> R,
    ) -> R {
        let mut state = self.lock();
        let State {
            session, effects, ..
        } = &mut *state;
        let result = call(session, self.now(), effects);
        state.settle();
        let has_news = state.session.has_news();
        drop(state);
        if has_news {
            self.news.notify_one();
        }
        self.room.notify_one();
        self.wake.notify_one();
        result
    }

    /// Reads of the session.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&Session) -> R) -> R {
        look(&self.lock().session)
    }

    pub(crate) fn submit(
        &self,
        id: Option<MessageId>,
        to: To,
        body: Bytes,
    ) -> Result<(MessageId, oneshot::Receiver<Fate>), SendError> {
        let mut state = self.lock();
        let id = state.session.send(self.now(), id, to, body)?;
        let (sender, receiver) = oneshot::channel();
        state.fates.insert(id, sender);
        drop(state);
        self.wake.notify_one();
        Ok((id, receiver))
    }

    /// Asks for something; its answer comes, or that there is none.
    pub(crate) fn ask(
        &self,
        ask: impl FnOnce(&mut Session, Moment) -> Result<u32, RequestError>,
    ) -> Result<oneshot::Receiver<Result<Answer, ChangeError>>, ChangeError> {
        let mut state = self.lock();
        let now = self.now();
        let request = ask(&mut state.session, now)?;
        let (sender, receiver) = oneshot::channel();
        state.changes.insert(request, sender);
        drop(state);
        self.wake.notify_one();
        Ok(receiver)
    }

    pub(crate) fn devices(
        &self,
    ) -> Result<oneshot::Receiver<Result<Vec<DeviceEntry>, ChangeError>>, ChangeError> {
        let mut state = self.lock();
        // Nobody waits any more for those that were dropped.
        state.devices.retain(|waiting| !waiting.is_closed());
        if state.devices.len() >= LISTENERS_MAX {
            return Err(RequestError::Busy.into());
        }
        let now = self.now();
        state.session.ask_devices(now)?;
        let (sender, receiver) = oneshot::channel();
        state.devices.push(sender);
        drop(state);
        self.wake.notify_one();
        Ok(receiver)
    }

    /// The next event, and whether another may ever come.
    pub(crate) fn take(&self) -> (Option<Event>, bool) {
        let mut state = self.lock();
        let State {
            session, effects, ..
        } = &mut *state;
        let now = self.now();
        let event = session.take(now, effects);
        let took = !effects.is_empty() || session.wants_pages(now);
        state.settle();
        let over = state.session.wants() == Wants::Nothing;
        drop(state);
        if took {
            self.wake.notify_one();
        }
        (event, !over && !*self.done.borrow())
    }

    pub(crate) fn confirm(&self, identity: &Identity) {
        self.call(|session, now, out| session.confirm(now, identity, out));
    }

    /// No handle is left: the driver ends.
    pub(crate) fn abandon(&self) {
        self.lock().abandoned = true;
        self.wake.notify_one();
    }

    // What the driver calls. It does not wake itself.

    pub(crate) fn wants(&self) -> Wants {
        let state = self.lock();
        if state.abandoned {
            return Wants::Nothing;
        }
        state.session.wants()
    }

    /// Fills `output` with what the session has to say.
    pub(crate) fn fill(&self, output: &mut BytesMut) {
        let mut state = self.lock();
        let now = self.now();
        while output.len() < OUTPUT_BYTES {
            let Some(packet) = state.session.transmit(now) else {
                break;
            };
            packet.encode(output);
        }
        self.tell(state);
    }

    /// Takes every whole frame out of `input`.
    pub(crate) fn received(&self, input: &mut BytesMut) {
        let mut state = self.lock();
        let now = self.now();
        loop {
            let packet = match next_packet(input) {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                Err(text) => {
                    let State {
                        session, effects, ..
                    } = &mut *state;
                    session.lost(now, text, effects);
                    break;
                }
            };
            let known = is_known(&mut state.seen, &packet);
            let State {
                session, effects, ..
            } = &mut *state;
            session.received(now, packet, known, effects);
        }
        self.tell(state);
    }

    pub(crate) fn dialed(&self) {
        let mut state = self.lock();
        state.session.dialed(self.now());
    }

    pub(crate) fn moved(&self) {
        let mut state = self.lock();
        let State {
            session, effects, ..
        } = &mut *state;
        session.moved(self.now(), effects);
        self.tell(state);
    }

    pub(crate) fn stays(&self) {
        self.lock().session.stays();
    }

    pub(crate) fn dial_failed(&self, text: String) {
        let mut state = self.lock();
        let State {
            session, effects, ..
        } = &mut *state;
        session.dial_failed(self.now(), text, effects);
        self.tell(state);
    }

    pub(crate) fn lost(&self, text: String) {
        let mut state = self.lock();
        let State {
            session, effects, ..
        } = &mut *state;
        session.lost(self.now(), text, effects);
        self.tell(state);
    }

    /// Waits until a handle calls or a deadline passes, then does what is due.
    pub(crate) async fn pause(&self) {
        let deadline = self.lock().session.deadline();
        match deadline {
            Some(deadline) => {
                let wait = deadline.since(self.now()).max(GRAIN);
                tokio::select! {
                    () = self.wake.notified() => {}
                    () = sleep_until(Instant::now() + wait) => {}
                }
            }
            None => self.wake.notified().await,
        }
        let mut state = self.lock();
        let State {
            session, effects, ..
        } = &mut *state;
        session.tick(self.now(), effects);
        self.tell(state);
    }

    fn tell(&self, mut state: MutexGuard<'_, State>) {
        state.settle();
        let has_news = state.session.has_news();
        drop(state);
        if has_news {
            self.news.notify_one();
        }
        self.room.notify_one();
    }
}

fn is_known(seen: &mut Option<Box<dyn SeenStore>>, packet: &ServerPacket) -> bool {
    let (Some(seen), ServerPacket::Deliver(deliver)) = (seen, packet) else {
        return false;
    };
    seen.contains(&Identity {
        from: deliver.from.clone(),
        id: deliver.id,
    })
}

/// The next whole packet at the front of `input`.
fn next_packet(input: &mut BytesMut) -> Result<Option<ServerPacket>, String> {
    match frame::front(input, SERVER_FRAME_BYTES_MAX) {
        Ok(Front::Whole { end }) => {
            let mut content = input.split_to(end);
            content.advance(frame::HEADER_BYTES);
            let packet = ServerPacket::decode(content.freeze());
            packet.map(Some).map_err(|error| error.to_string())
        }
        Ok(Front::Partial { total }) => {
            input.reserve(total.saturating_sub(input.len()));
            Ok(None)
        }
        Err(error) => Err(error.to_string()),
    }
}
