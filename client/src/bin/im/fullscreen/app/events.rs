//! What the session tells.

use std::time::Duration;

use client::{Carbon, Connected, Did, Event, Message, Read, Reason};

use super::talk::Delivery;
use super::{App, Link, Now, Source, Wish};
use crate::friendly;
use crate::notice::Notice;
use crate::whom::Whom;

/// How long a peer counts as typing after each notice of it.
pub(super) const TYPING_TIME: Duration = Duration::from_secs(5);

/// The bell rings at most this often.
const BELL_PAUSE: Duration = Duration::from_secs(2);

impl App {
    pub(super) fn event(&mut self, event: Event, now: Now) {
        match event {
            Event::Connected(connected) => self.connected(connected),
            Event::Reconnecting { after, reason } => self.waits(after, &reason, now),
            Event::Message(message) => self.message(&message, now),
            Event::Receipt(receipt) => {
                let notices = self.marks.receipt(&receipt);
                self.mark(notices);
            }
            Event::Transient(transient) if transient.kind == client::TRANSIENT_TYPING => {
                if let Some(talk) = self.talks.get_mut(&transient.from.into()) {
                    talk.typing_until = Some(now.at + TYPING_TIME);
                }
            }
            Event::Carbon(carbon) => self.carbon(carbon, now),
            Event::Presence(peer) => self.people.seen(peer),
            Event::Friends(list) => {
                let notices = self.roster.list(list.clone());
                self.people.listed(list);
                for notice in notices {
                    self.relation(&notice, now);
                }
            }
            Event::TokenExpired => {
                let expired = friendly::lines(&Notice::TokenExpired).unwrap_or_default();
                self.gives_up(expired);
            }
            Event::Closed { code, text } => {
                let by_server = code.map(|code| friendly::told(code, &text));
                let why = by_server.or(self.failure.take());
                if let Some(why) = &why {
                    self.fail("the session is closed", why, now);
                }
                // What was not wanted is to be read before the screen goes.
                self.is_over |= why.is_none();
                self.link = Link::Closed(why);
            }
            event => self.group_event(event, now),
        }
    }

    fn connected(&mut self, connected: Connected) {
        if connected.user != self.user {
            let (theirs, ours) = (connected.user, &self.user);
            self.gives_up(format!(
                "the token is for {theirs}, not for {ours}: name that user, or give another token"
            ));
            return;
        }
        self.device = Some(connected.device);
        if self.link != Link::Leaving {
            self.link = Link::Online;
        }
    }

    fn waits(&mut self, after: Duration, reason: &Reason, now: Now) {
        if self.link != Link::Leaving {
            self.link = Link::Waiting {
                until: now.at + after,
                reason: reason.to_string(),
            };
        }
        // What was seen of typing is out of date.
        for talk in self.talks.iter_mut() {
            talk.typing_until = None;
            talk.typing_elsewhere = None;
        }
    }

    /// Nothing more can come of this session.
    fn gives_up(&mut self, why: String) {
        self.failure = Some(why);
        self.link = Link::Leaving;
        self.wishes.push(Wish::Leave(Duration::ZERO));
    }

    fn message(&mut self, message: &Message, now: Now) {
        let from = Whom::User(message.from.clone());
        let is_looked_at = self.is_looked_at(&from);
        let at = self.local(message.stamp);
        let text = String::from_utf8_lossy(&message.body);
        let talk = self.talks.with(&from);
        talk.received(at, message.stamp, &text, is_looked_at);
        self.ring(is_looked_at, now);
    }

    /// For a message that nobody looks at.
    pub(super) fn ring(&mut self, is_looked_at: bool, now: Now) {
        // What came while away rings once, not a hundred times.
        let lately = self.rang.is_some_and(|at| now.at < at + BELL_PAUSE);
        if self.has_bell && !is_looked_at && !lately {
            self.rang = Some(now.at);
            self.wishes.push(Wish::Bell);
        }
    }

    /// Another device of this user did something.
    fn carbon(&mut self, carbon: Carbon, now: Now) {
        let device = carbon.device;
        match carbon.did {
            Did::Sent(sent) => {
                let at = self.local(sent.sent.stamp);
                let text = String::from_utf8_lossy(&sent.body).into_owned();
                let (sent, marks) = self.marks.elsewhere(sent, text.clone());
                let talk = self.talks.with(&sent.to);
                talk.typing_elsewhere = None;
                talk.push(at, Source::Own(Delivery::Underway(sent)), &text);
                self.mark(marks);
            }
            Did::Read(Read { peer, up_to }) => {
                if let Some(talk) = self.talks.get_mut(&peer.into()) {
                    talk.read_elsewhere(up_to);
                }
            }
            Did::Transient(transient) if transient.kind == client::TRANSIENT_TYPING => {
                if let Some(talk) = self.talks.get_mut(&transient.to.into()) {
                    talk.typing_elsewhere = Some((device, now.at + TYPING_TIME));
                }
            }
            // Signals of other applications; and of a group its state is told.
            Did::Transient(_) | Did::GroupRead(_) => {}
        }
    }

    /// A relation is another: told where it is looked for.
    fn relation(&mut self, notice: &Notice, now: Now) {
        let Notice::Relation { entry, .. } = notice else {
            return;
        };
        let Some(text) = friendly::lines(notice) else {
            return;
        };
        let text = text.trim_start_matches(['*', ' ']).to_owned();
        let at = self.zone.to_datetime(now.wall);
        self.flash(&text, now);
        let whom = Whom::User(entry.user.clone());
        if let Some(talk) = self.talks.get_mut(&whom) {
            talk.push(at, Source::Notice, &text);
        } else if self.talks.open().is_none() {
            self.home.push(at, Source::Notice, &text);
        }
        if self.cursor.is_none() {
            self.cursor = Some(whom);
        }
    }
}
