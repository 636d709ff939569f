//! The door of one connection: bytes in, packets out, and the other way.
//!
//! Owns the order of commands and replies. There are many doors, and most of
//! them wait: what is rare is in a box. Must not know the session behind it.

use std::time::Duration;

use proto::client::ClientPacket;
use proto::clock::Moment;
use proto::codes::Code;
use proto::server::{LoginOk, ServerPacket};

use crate::command::{self, Command, Mistake};
use crate::input::{Front, Input};
use crate::live::Live;
use crate::running::{Running, Step, Waits};
use crate::start::{begin, login};
use crate::turn::{PATIENCE, Turn};
use crate::{LINE_BYTES_MAX, LOGIN_LINE_BYTES_MAX, json, reply};

/// So many bytes of replies are given at once to lines that need no packet.
const REPLIES_AT_ONCE: usize = 16 * 1024;

/// Before the next of them are given.
const BREATH: Duration = Duration::from_millis(10);

/// The door of one connection.
///
/// Commands are answered one after the other, each once. What a client is told
/// besides is pushed between the replies.
#[derive(Debug, Default)]
pub struct Door {
    input: Input,
    live: Option<Box<Live>>,
    running: Option<Box<Running>>,
    /// The last reply was given.
    is_over: bool,
}

// There may be 100,000 of them.
const _: () = assert!(size_of::<Door>() <= 64);

impl Door {
    /// Bytes came. They are kept until their turn comes: at most one call's and
    /// [`LINE_BYTES_MAX`] where [`Door::wants_bytes`] is asked before each read.
    pub fn take(&mut self, turn: &mut Turn, bytes: &[u8]) {
        if !self.is_over {
            self.input.put(bytes);
            self.proceed(turn);
        }
    }

    /// The session gave a packet. A [`ServerPacket::Closing`] is the last one
    /// that is told.
    pub fn tell(&mut self, turn: &mut Turn, packet: &ServerPacket) {
        if self.is_over {
            return;
        }
        match (packet, &mut self.live) {
            (ServerPacket::Closing(closing), _) => {
                self.end();
                fail(closing.code, &closing.text, turn);
            }
            (ServerPacket::LoginOk(login), None) => self.logged_in(login, turn),
            (_, None) => {}
            (packet, Some(live)) => {
                live.hear(packet, turn);
                let running = self.running.as_mut();
                let step = running.and_then(|running| running.waits.answered(packet, live));
                if let Some(step) = step {
                    self.step(step, turn);
                }
            }
        }
    }

    /// The moment of [`Door::next_deadline`] has come.
    pub fn tick(&mut self, turn: &mut Turn) {
        let now = turn.now.moment;
        if let Some(live) = &mut self.live {
            live.tick(turn);
        }
        let is_due = |running: &mut Box<Running>| running.until.is_some_and(|until| until <= now);
        let Some(running) = self.running.take_if(is_due) else {
            return;
        };
        match running.waits {
            Waits::Turn(Some(command)) => self.start(command, turn),
            Waits::Turn(None) => {}
            waits => self.step(waits.unanswered(), turn),
        }
        self.proceed(turn);
    }

    /// When [`Door::tick`] is to be called; it changes with every call.
    pub fn next_deadline(&self) -> Option<Moment> {
        let running = self.running.as_ref().and_then(|running| running.until);
        let live = self.live.as_ref().and_then(|live| live.deadline());
        running.into_iter().chain(live).min()
    }

    /// Whether the next bytes are to be read: if not, they wait at the client's
    /// side until a call has answered what was read before.
    pub fn wants_bytes(&self) -> bool {
        let is_busy = self.running.is_some() && self.input.is_full();
        !(self.is_over || is_busy)
    }

    /// Runs line after line, up to one that waits for a packet.
    fn proceed(&mut self, turn: &mut Turn) {
        let begun = turn.out.len();
        while self.running.is_none() && !self.is_over {
            if turn.out.len() - begun > REPLIES_AT_ONCE {
                let until = turn.now.moment + BREATH;
                return self.run(Waits::Turn(None), Some(until));
            }
            let limit = match self.live {
                Some(_) => LINE_BYTES_MAX,
                None => LOGIN_LINE_BYTES_MAX,
            };
            match self.input.next(limit) {
                Front::Partial => return,
                Front::Line(line) if line.is_empty() => {}
                Front::Line(line) => match Command::read(&line) {
                    Ok(command) => self.start(command, turn),
                    Err(Mistake { code, text }) => reply::error(code, text, turn.out),
                },
                Front::Return => {
                    let text = "a line ends with CR LF or LF, and has no other CR";
                    reply::error(Code::Malformed, text, turn.out);
                }
                Front::Binary => self.refuse(Code::Malformed, "a line is UTF-8 text", turn),
                Front::TooLong => self.refuse(Code::FrameTooLarge, "a line is too long", turn),
            }
        }
    }

    fn start(&mut self, command: Command, turn: &mut Turn) {
        let command = match command {
            Command::Help => return reply::ok(&command::help(), turn.out),
            Command::Quit => {
                self.end();
                reply::ok("", turn.out);
                return turn.ask(ClientPacket::Logout);
            }
            Command::Login { user, token } if self.live.is_none() => {
                login(user, token, turn);
                // If it takes long, the session ends it.
                return self.run(Waits::Login, None);
            }
            Command::Login { .. } => {
                return reply::error(Code::Malformed, "you are logged in already", turn.out);
            }
            command => command,
        };
        let Some(live) = &mut self.live else {
            let code = Code::LoginRequired;
            return reply::error(code, code.text(), turn.out);
        };
        if command.is_request()
            && let Err(until) = live.count_request(turn)
        {
            return self.run(Waits::Turn(Some(command)), Some(until));
        }
        if let Some(waits) = begin(command, live, turn) {
            self.run(waits, Some(turn.now.moment + PATIENCE));
        }
    }

    fn run(&mut self, waits: Waits, until: Option<Moment>) {
        self.running = Some(Box::new(Running { until, waits }));
    }

    fn logged_in(&mut self, login: &LoginOk, turn: &mut Turn) {
        self.live = Some(Box::new(Live::new(login)));
        self.step(Step::Done(json::login(login)), turn);
    }

    fn step(&mut self, step: Step, turn: &mut Turn) {
        match step {
            Step::Done(body) => reply::ok(&body, turn.out),
            Step::Failed(code, text) => fail(code, &text, turn),
            Step::Ask(packet) => {
                if let (Some(live), Some(running)) = (&mut self.live, &mut self.running) {
                    live.count_page(turn);
                    running.until = Some(turn.now.moment + PATIENCE);
                }
                turn.ask(packet);
                return;
            }
        }
        self.running = None;
        self.proceed(turn);
    }

    /// One error, and the session closes.
    fn refuse(&mut self, code: Code, text: &str, turn: &mut Turn) {
        self.end();
        reply::error(code, text, turn.out);
        turn.packets.push(Err(code));
    }

    fn end(&mut self) {
        *self = Self {
            is_over: true,
            ..Self::default()
        };
    }
}

fn fail(code: Code, text: &str, turn: &mut Turn) {
    let text = if text.is_empty() { code.text() } else { text };
    reply::error(code, text, turn.out);
}
