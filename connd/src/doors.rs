//! Doors besides the native one: the bytes or packets of their connections.
//!
//! Owns which session has which door. A session's number tells whether it has
//! one of these: natives are even, so that on their way nothing is looked up.
//! Must not know what a packet means.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use connd_line::{Door as Lines, Settings, Turn};
use proto::client::ClientPacket;
use proto::clock::{Moment, Now};
use proto::codes::Code;
use proto::ids::SessionId;
use proto::server::ServerPacket;
use tokio::sync::mpsc;

/// Packets that wait for somebody in this process; more are lost to them.
const LOCAL_PACKETS_MAX: usize = 1_024;

/// By which door a connection comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The client protocol.
    Native,
    /// Lines that a person can type.
    Lines,
}

/// Whether a session speaks the client protocol.
pub fn is_native(session: SessionId) -> bool {
    session.0.is_multiple_of(2)
}

/// What a door gave for its session.
pub type Asked = Vec<Result<ClientPacket, Code>>;

#[derive(Debug)]
enum Door {
    Lines(RefCell<Line>),
    /// Somebody in this process has the session.
    Local(mpsc::Sender<ServerPacket>),
}

#[derive(Debug, Default)]
struct Line {
    door: Lines,
    /// Its reader waits until it wants bytes again.
    reader: Option<Waker>,
}

/// The doors of a thread's sessions.
#[derive(Debug, Default)]
pub struct Doors(RefCell<HashMap<SessionId, Rc<Door>, ahash::RandomState>>);

/// When, and by which settings, a door is called.
#[derive(Debug)]
pub struct Call<'a> {
    /// The time.
    pub now: Now,
    /// Of all doors for lines.
    pub settings: &'a Settings,
}

impl Call<'_> {
    fn turn<'a>(&'a self, packets: &'a mut Asked, out: &'a mut BytesMut) -> Turn<'a> {
        let mut random = [0; 10];
        fastrand::fill(&mut random);
        Turn {
            now: self.now,
            random,
            settings: self.settings,
            packets,
            out,
        }
    }
}

impl Doors {
    /// A session that types lines.
    pub fn add_lines(&self, session: SessionId) {
        let door = Door::Lines(RefCell::default());
        self.0.borrow_mut().insert(session, Rc::new(door));
    }

    /// A session of somebody in this process, who takes its packets.
    pub fn add_local(&self, session: SessionId) -> mpsc::Receiver<ServerPacket> {
        let (packets, taken) = mpsc::channel(LOCAL_PACKETS_MAX);
        let door = Rc::new(Door::Local(packets));
        self.0.borrow_mut().insert(session, door);
        taken
    }

    /// A session is over.
    pub fn remove(&self, session: SessionId) {
        let door = self.0.borrow_mut().remove(&session);
        if let Some(Door::Lines(line)) = door.as_deref()
            && let Some(reader) = line.borrow_mut().reader.take()
        {
            reader.wake();
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    fn find(&self, session: SessionId) -> Option<Rc<Door>> {
        self.0.borrow().get(&session).cloned()
    }

    /// The session says something to its client.
    pub fn tell(
        &self,
        call: &Call<'_>,
        session: SessionId,
        packet: &ServerPacket,
        (asked, out): (&mut Asked, &mut BytesMut),
    ) {
        match self.find(session).as_deref() {
            Some(Door::Lines(line)) => {
                let mut line = line.borrow_mut();
                line.door.tell(&mut call.turn(asked, out), packet);
                line.wake_reader();
            }
            // Who does not take them waits for an answer in vain, and ends.
            Some(Door::Local(packets)) => drop(packets.try_send(packet.clone())),
            None => {}
        }
    }

    /// Bytes came from a client.
    pub fn take(
        &self,
        call: &Call<'_>,
        session: SessionId,
        bytes: &[u8],
        (asked, out): (&mut Asked, &mut BytesMut),
    ) {
        if let Some(Door::Lines(line)) = self.find(session).as_deref() {
            let mut turn = call.turn(asked, out);
            line.borrow_mut().door.take(&mut turn, bytes);
        }
    }

    /// Waits until a door wants bytes.
    pub fn poll_wants(&self, session: SessionId, context: &mut Context<'_>) -> Poll<()> {
        let Some(door) = self.find(session) else {
            return Poll::Ready(());
        };
        let Door::Lines(line) = &*door else {
            return Poll::Ready(());
        };
        let mut line = line.borrow_mut();
        if line.door.wants_bytes() {
            return Poll::Ready(());
        }
        line.reader = Some(context.waker().clone());
        Poll::Pending
    }

    /// The sessions whose doors have something due.
    pub fn due(&self, now: Moment) -> Vec<SessionId> {
        let doors = self.0.borrow();
        let is_due = |door: &Door| match door {
            Door::Lines(line) => line
                .borrow()
                .door
                .next_deadline()
                .is_some_and(|at| at <= now),
            Door::Local(_) => false,
        };
        let due = doors.iter().filter(|(_, door)| is_due(door));
        due.map(|(session, _)| *session).collect()
    }

    /// The deadline of a door has come.
    pub fn tick(
        &self,
        call: &Call<'_>,
        session: SessionId,
        (asked, out): (&mut Asked, &mut BytesMut),
    ) {
        if let Some(Door::Lines(line)) = self.find(session).as_deref() {
            let mut line = line.borrow_mut();
            line.door.tick(&mut call.turn(asked, out));
            line.wake_reader();
        }
    }
}

impl Line {
    fn wake_reader(&mut self) {
        if self.door.wants_bytes()
            && let Some(reader) = self.reader.take()
        {
            reader.wake();
        }
    }
}
