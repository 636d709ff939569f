//! What happened, shown.

use std::io;
use std::time::Duration;

use client::{Carbon, Connected, Did, Event, Fate, Message, Read};

use super::{Chat, PIPE_PATIENCE};
use crate::notice::{Notice, Sent};

impl Chat {
    pub(super) fn event(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Connected(connected) => self.connected(connected),
            Event::Reconnecting { after, reason } => {
                let reason = reason.to_string();
                self.screen.show(&Notice::Reconnecting { after, reason })
            }
            Event::Message(message) => self.message(&message),
            Event::Receipt(receipt) => {
                let notices = self.marks.receipt(&receipt);
                self.show_all(&notices)
            }
            Event::Transient(transient) if transient.kind == client::TRANSIENT_TYPING => {
                let from = transient.from;
                self.screen.show(&Notice::Typing { from })
            }
            Event::Carbon(carbon) => self.carbon(carbon),
            Event::Presence(peer) => {
                let notice = self.roster.status(peer);
                self.screen.show(&notice)
            }
            Event::Friends(list) => {
                let notices = self.roster.list(list);
                if let Some(awaited) = self.awaited.take() {
                    // Given up meanwhile, nobody waits.
                    let _ = awaited.send(());
                }
                self.show_all(&notices)
            }
            Event::TokenExpired => {
                self.failed = true;
                self.end(Duration::ZERO);
                self.screen.show(&Notice::TokenExpired)
            }
            // Groups, signals of other applications, and what later versions tell.
            event => self.group_event(event),
        }
    }

    fn connected(&mut self, connected: Connected) -> io::Result<()> {
        let Connected {
            user,
            device,
            server_time,
            ..
        } = connected;
        self.logged_in = Some(server_time);
        if user != self.user {
            let what = format!("the token is for {user}, not for {}", self.user);
            self.end(Duration::ZERO);
            return self.fail(what, "name that user, or give another token".into());
        }
        if self.ended.take().is_some() {
            self.end(PIPE_PATIENCE);
        }
        self.screen.show(&Notice::Connected { user, device })?;
        self.groups_may_be_known();
        Ok(())
    }

    /// Another device of this user did something.
    fn carbon(&mut self, carbon: Carbon) -> io::Result<()> {
        let device = carbon.device;
        match carbon.did {
            Did::Sent(sent) => {
                let text = String::from_utf8_lossy(&sent.body).into_owned();
                let (sent, marks) = self.marks.elsewhere(sent, text.clone());
                self.screen
                    .show(&Notice::Elsewhere { device, sent, text })?;
                self.show_all(&marks)
            }
            Did::Read(Read { peer, up_to }) => self.screen.show(&Notice::ReadElsewhere {
                device,
                peer,
                up_to,
            }),
            Did::Transient(transient) if transient.kind == client::TRANSIENT_TYPING => {
                let to = transient.to;
                self.screen.show(&Notice::TypingElsewhere { device, to })
            }
            // Signals of other applications; and of a group its state is told.
            Did::Transient(_) | Did::GroupRead(_) => Ok(()),
        }
    }

    fn message(&mut self, message: &Message) -> io::Result<()> {
        let logged_in = self.logged_in.unwrap_or_default();
        let before = logged_in.0.saturating_sub(message.stamp.0);
        self.screen.show(&Notice::Message {
            from: message.from.clone(),
            id: message.id,
            stamp: message.stamp,
            away: (before > 0).then(|| Duration::from_micros(before)),
            text: String::from_utf8_lossy(&message.body).into_owned(),
        })?;
        // Refused only at a bound or at the end; the next one says as much.
        let _ = self.client.mark_read(&message.from, message.stamp);
        Ok(())
    }

    pub(super) fn fate(&mut self, sent: &Sent, fate: Fate) -> io::Result<()> {
        let notices = self.marks.fate(sent, fate);
        self.show_all(&notices)
    }
}
