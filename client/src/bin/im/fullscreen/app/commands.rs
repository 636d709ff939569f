//! A text that was written, done.

use client::{Action, FriendAction, GroupId, UserId};

use super::talk::{Delivery, Source};
use super::{App, Link, Mode, Now, Pane, WAITING_MAX, Wish};
use crate::command::{self, Command};
use crate::groups::command::Ask;
use crate::notice::Notice;
use crate::whom::Whom;

/// Commands that are about the open conversation's peer if they name nobody.
const ABOUT_A_PEER: &[&str] = &[
    "/add", "/accept", "/decline", "/remove", "/block", "/unblock",
];

const TOO_MUCH: &str = "too much waits for the connection; try again later";

impl App {
    /// The text is ready. What cannot be done stays where it can be mended.
    pub(super) fn submit(&mut self, now: Now) {
        let text = self.talk().composer.text().to_owned();
        if text.trim().is_empty() {
            self.talk_mut().composer.take();
            return;
        }
        let command = match self.read(&text) {
            Ok(command) => command,
            Err(error) => return self.flash(&error, now),
        };
        let needs_session = !matches!(command, Command::Quit | Command::Help | Command::To(_));
        if needs_session && matches!(self.link, Link::Leaving | Link::Closed(_)) {
            return self.flash("the session is over", now);
        }
        if self.is_full() {
            return self.flash(TOO_MUCH, now);
        }
        let text = self.talk_mut().composer.take();
        self.recall.remember(text);
        self.command(command, now);
    }

    /// What the text asks for.
    fn read(&self, text: &str) -> Result<Command, String> {
        if !text.trim_start().starts_with('/') {
            let text = text.trim_end();
            if self.talks.open().is_some() {
                return Ok(Command::Text(text.to_owned()));
            }
            let addressed = command::addressed(text, false, |_| true);
            let (to, text) = addressed.ok_or(
                "to whom? choose somebody (Tab), or begin with a name, as in `ben: hello`",
            )?;
            return Ok(Command::Message(to, text.to_owned()));
        }
        let open = self
            .talks
            .open()
            .and_then(Whom::user)
            .filter(|_| ABOUT_A_PEER.contains(&text.trim()));
        match open {
            Some(open) => command::parse(&format!("{} {open}", text.trim())),
            None => command::parse(text),
        }
    }

    fn command(&mut self, command: Command, now: Now) {
        match command {
            Command::Text(text) => match self.talks.open().cloned() {
                Some(to) => self.send(&to, text, now),
                None => self.flash("to whom? choose somebody first (Tab)", now),
            },
            Command::Message(to, text) => {
                if self.talks.open().is_none() {
                    self.open(&to);
                }
                self.send(&to, text, now);
            }
            Command::To(peer) => self.open(&peer),
            Command::Change(action, peer) => self.change(action, peer, now),
            Command::Friends => self.show_people(),
            Command::Status(status) => {
                self.status = status.clone();
                self.wishes.push(Wish::Status(status.clone()));
                self.show(&Notice::OwnStatus(status), now);
            }
            Command::Typing(to) => {
                let to = to.or(self.talks.open().cloned());
                self.wishes.extend(to.map(Wish::Typing));
            }
            Command::Groups => self.show_people(),
            Command::Group(group, ask) => self.ask_group(group, ask, now),
            Command::Devices => self.ask(Wish::Devices, now),
            Command::End(device) => self.ask(Wish::End(device), now),
            Command::Again(number) => self.again(number, now),
            Command::Help => self.mode = Mode::Help(0),
            Command::Quit => self.leave(),
            Command::Nothing => {}
        }
    }

    fn send(&mut self, to: &Whom, text: String, now: Now) {
        let ticket = self.ticket();
        let at = self.zone.to_datetime(now.wall);
        let talk = self.talks.with(to);
        talk.push(at, Source::Own(Delivery::Waiting(ticket)), &text);
        talk.place = super::Place::Newest;
        talk.new_from = None;
        // The next notice of typing is for the next message.
        self.typed = None;
        let to = to.clone();
        self.wishes.push(Wish::Send { ticket, to, text });
    }

    fn again(&mut self, number: u64, now: Now) {
        let Some((sent, text)) = self.marks.again(number) else {
            let what = format!("#{number} is not a message of unknown fate");
            return self.fail("again", &what, now);
        };
        let ticket = self.ticket();
        if let Some(talk) = self.talks.get_mut(&sent.to) {
            talk.again(&sent, ticket);
        }
        self.wishes.push(Wish::Again { sent, ticket, text });
    }

    pub(super) fn change(&mut self, action: FriendAction, peer: UserId, now: Now) {
        self.ask(Wish::Change { action, peer }, now);
    }

    fn ask_group(&mut self, group: Option<GroupId>, ask: Ask, now: Now) {
        let open = self.talks.open().and_then(Whom::group);
        let Some(group) = group.or(open.cloned()) else {
            return self.flash("which group? name it, as in #choir, or open it first", now);
        };
        let is_open = open == Some(&group);
        match ask {
            // The conversation itself has more then.
            Ask::History(_) if is_open => self.fetch(&group),
            ask => self.ask(Wish::AskGroup { group, ask }, now),
        }
    }

    /// Answers an invitation to a group.
    pub(super) fn answer_group(&mut self, group: GroupId, action: Action, now: Now) {
        let ask = Ask::Do(action);
        self.ask(Wish::AskGroup { group, ask }, now);
    }

    /// Something whose answer is waited for.
    pub(super) fn ask(&mut self, wish: Wish, now: Now) {
        if self.is_full() {
            return self.flash(TOO_MUCH, now);
        }
        self.waiting += 1;
        self.wishes.push(wish);
    }

    /// Something to know about a group, if there is room for it.
    pub(super) fn question(&mut self, wish: Wish) {
        if !self.is_full() {
            self.questions += 1;
            self.wishes.push(wish);
        }
    }

    /// Whether as much waits as may.
    fn is_full(&self) -> bool {
        self.waiting + self.questions >= WAITING_MAX
    }

    fn ticket(&mut self) -> u64 {
        self.waiting += 1;
        self.tickets += 1;
        self.tickets
    }

    /// The list is written to.
    pub(super) fn show_people(&mut self) {
        self.pane = Pane::People;
        if self.cursor.is_none() {
            let first = self.contacts().into_iter().next();
            self.cursor = first.map(|contact| contact.whom());
        }
    }
}
