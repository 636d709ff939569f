//! The state of the full-screen mode: what happens comes in, wishes go out.
//!
//! Owns what is shown and what a key means. Must not know the terminal, the
//! session or the clock: it is told the time with everything that happens.

mod commands;
pub mod composer;
pub mod contacts;
mod events;
mod group_events;
pub mod groups;
pub mod help;
mod keys;
mod outcomes;
pub mod people;
pub mod rows;
pub mod search;
pub mod talk;
pub mod talks;
mod turn;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use client::{DeviceId, MessageId, RequestError, Stamp, Status, UserId};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use self::events::TYPING_TIME;
use self::groups::Groups;
use self::people::{People, Person};
use self::rows::Page;
use self::talk::{Place, Source, Talk};
use self::talks::Talks;
use super::layout::{self, Areas, Pane};
use crate::friendly;
use crate::marks::Marks;
use crate::notice::{Notice, Sent};
use crate::roster::Roster;
use crate::whom::Whom;

pub use self::group_events::PAGE;
pub use self::turn::{Done, Input, Link, Mode, Now, Wish};

/// How long somebody who leaves waits for fates.
pub const LEAVE_PATIENCE: Duration = Duration::from_secs(3);

/// The most requests that wait to be taken.
pub const WAITING_MAX: usize = 100;

/// How long a notice stands above what is being written.
const NOTICE_TIME: Duration = Duration::from_secs(8);

/// The state of the full-screen mode.
#[derive(Debug)]
pub struct App {
    pub user: UserId,
    /// The device, as the server named it.
    pub device: Option<DeviceId>,
    pub status: Status,
    pub link: Link,
    pub mode: Mode,
    pub pane: Pane,
    pub talks: Talks,
    pub people: People,
    pub groups: Groups,
    /// Who is marked in the list.
    pub cursor: Option<Whom>,
    /// The newest notice, and until when it is shown.
    pub notice: Option<(String, Instant)>,
    pub has_bell: bool,
    /// Whether this program is to end.
    pub is_over: bool,
    size: Size,
    /// What is told and written while no conversation is open.
    home: Talk,
    /// Whether the terminal is looked at.
    is_focused: bool,
    /// Why the session is being ended, if not by this user's wish.
    failure: Option<String>,
    marks: Marks,
    roster: Roster,
    underway: HashMap<MessageId, Sent>,
    /// Requests that were not taken yet.
    waiting: usize,
    /// Questions about groups without an answer. Nobody waits for them.
    questions: usize,
    tickets: u64,
    typed: Option<Instant>,
    recall: keys::Recall,
    /// When the bell rang last.
    rang: Option<Instant>,
    zone: TimeZone,
    /// Messages whose fate became unknown while this user was leaving.
    lost: usize,
    wishes: Vec<Wish>,
}

impl App {
    /// A session that has not begun.
    pub fn new(user: UserId, zone: TimeZone, has_bell: bool) -> Self {
        Self {
            user,
            device: None,
            status: Status::online(),
            link: Link::Connecting,
            mode: Mode::Normal,
            pane: Pane::Talk,
            talks: Talks::default(),
            people: People::default(),
            groups: Groups::default(),
            cursor: None,
            notice: None,
            has_bell,
            is_over: false,
            size: Size::new(80, 24),
            home: Talk::default(),
            is_focused: true,
            failure: None,
            marks: Marks::default(),
            roster: Roster::default(),
            underway: HashMap::new(),
            waiting: 0,
            questions: 0,
            tickets: 0,
            typed: None,
            recall: keys::Recall::default(),
            rang: None,
            zone,
            lost: 0,
            wishes: Vec::new(),
        }
    }

    /// Something happens; returns what is to be done.
    pub fn apply(&mut self, input: Input, now: Now) -> Vec<Wish> {
        match input {
            Input::Key(key) => self.key(key, now),
            Input::Paste(text) => self.paste(&text, now),
            Input::Resize(size) => self.size = size,
            Input::Focus(is_focused) => self.is_focused = is_focused,
            Input::Event(event) => self.event(event, now),
            Input::Done(done) => self.done(done, now),
            Input::Signal => self.leave(),
        }
        self.look();
        std::mem::take(&mut self.wishes)
    }

    /// How many messages this user was not told a fate of before the end.
    pub fn lost(&self) -> usize {
        self.lost + self.unsettled()
    }

    /// When something changes by itself: a countdown, a notice.
    pub fn next_change(&self, now: Instant) -> Duration {
        let counts = matches!(self.link, Link::Waiting { .. });
        let typing = self.talk().is_typed_to(now);
        let told = self.told(now).is_some();
        Duration::from_secs(if counts || typing || told { 1 } else { 60 })
    }

    /// The conversation on the screen.
    pub fn talk(&self) -> &Talk {
        let open = self.talks.open();
        open.and_then(|open| self.talks.get(open))
            .unwrap_or(&self.home)
    }

    fn talk_mut(&mut self) -> &mut Talk {
        match self.talks.open().cloned() {
            // It is there while it is open.
            Some(open) => self.talks.with(&open),
            None => &mut self.home,
        }
    }

    /// Whom the conversation on the screen is with, if it is somebody.
    pub fn peer(&self) -> Option<Person> {
        let open = self.talks.open()?.user()?;
        Some(self.people.person(open, self.talk().unread))
    }

    /// The parts of the screen.
    pub fn areas(&self) -> Areas {
        let columns = layout::composer_columns(self.size);
        let rows = self.talk().composer.rows(columns);
        layout::areas(self.size, self.pane, rows)
    }

    /// The page of the conversation on the screen.
    pub fn page(&self) -> Page {
        let area = self.areas().talk;
        let name = self.talks.open().map_or(0, |open| match open {
            Whom::User(user) => user.as_str().len(),
            // Of whoever writes in it.
            Whom::Group(_) => usize::MAX,
        });
        Page::new(area.width, area.height, name)
    }

    /// The notice that is shown now.
    pub fn told(&self, now: Instant) -> Option<&str> {
        let told = self.notice.as_ref().filter(|(_, until)| now < *until);
        told.map(|(text, _)| text.as_str())
    }

    /// Messages whose fate is not known yet.
    pub fn unsettled(&self) -> usize {
        self.waiting + self.underway.len()
    }

    /// The time of a stamp by the clock on the wall.
    pub fn local(&self, stamp: Stamp) -> DateTime {
        local(&self.zone, stamp)
    }

    /// Whether the newest of a conversation is before somebody's eyes.
    fn is_looked_at(&self, peer: &Whom) -> bool {
        self.is_focused
            && self.mode == Mode::Normal
            && self.talks.open() == Some(peer)
            && self.areas().talk.height > 0
            && self.talk().place == Place::Newest
    }

    /// What is looked at is read, and its sender is told.
    fn look(&mut self) {
        let Some(peer) = self.talks.open().cloned() else {
            return;
        };
        if !self.is_looked_at(&peer) {
            return;
        }
        let up_to = self.talk_mut().look();
        match (peer, up_to) {
            (Whom::User(peer), Some(up_to)) => self.wishes.push(Wish::Read { peer, up_to }),
            (Whom::User(_), None) => {}
            (Whom::Group(group), _) => {
                let read = self.groups.look(&group);
                let wish = read.map(|read| Wish::ReadGroup { group, read });
                self.wishes.extend(wish);
            }
        }
    }

    /// Shows the conversation with `peer`, to write to them.
    fn open(&mut self, peer: &Whom) {
        if self.talks.open() != Some(peer) {
            self.talk_mut().new_from = None;
            self.talks.show(peer);
            self.enter_group(peer);
        }
        self.cursor = Some(peer.clone());
        self.pane = Pane::Talk;
        self.mode = Mode::Normal;
    }

    /// Tells something, in the conversation that is open.
    fn tell(&mut self, text: &str, now: Now) {
        let text = text.trim_start_matches(['*', '!', ' ']);
        let at = self.zone.to_datetime(now.wall);
        self.talk_mut().push(at, Source::Notice, text);
        self.flash(text, now);
    }

    /// Tells something for a moment.
    fn flash(&mut self, text: &str, now: Now) {
        self.notice = Some((text.to_owned(), now.at + NOTICE_TIME));
    }

    fn show(&mut self, notice: &Notice, now: Now) {
        if let Some(text) = friendly::lines(notice) {
            self.tell(&text, now);
        }
    }

    fn fail(&mut self, what: &str, text: &str, now: Now) {
        self.tell(&format!("{what}: {text}"), now);
    }

    /// A status was not taken.
    pub fn not_done(&mut self, error: RequestError, now: Now) {
        self.fail("not done", &error.to_string(), now);
    }

    /// Ends the session, as this user wants.
    fn leave(&mut self) {
        match self.link {
            // Nobody waits twice.
            Link::Leaving | Link::Closed(_) => self.is_over = true,
            Link::Connecting | Link::Online | Link::Waiting { .. } => {
                self.link = Link::Leaving;
                self.wishes.push(Wish::Leave(LEAVE_PATIENCE));
            }
        }
    }
}

/// The time of a stamp by the clock on the wall of a zone.
fn local(zone: &TimeZone, stamp: Stamp) -> DateTime {
    let micros = i64::try_from(stamp.0).unwrap_or(i64::MAX);
    let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
    zone.to_datetime(time)
}

#[cfg(test)]
pub mod tests;
