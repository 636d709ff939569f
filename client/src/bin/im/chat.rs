//! The conversation: lines become requests, events become notices.
//!
//! Lines are dealt with one after the other: the next is looked at when the
//! one before has been taken, so that in a pipe `/accept ben` is done before
//! `ben: hello` is sent.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use client::{
    ChangeError, Client, Connected, Event, Events, Fate, FriendAction, Message, SendError,
    SendHandle, Stamp, Status, UserId,
};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::command::{self, Command};
use crate::input::{Input, Lines};
use crate::marks::Marks;
use crate::notice::{Notice, Sent, word};
use crate::roster::Roster;
use crate::screen::Screen;

/// How long a pipe waits for a connection, and at its end for fates: beyond
/// the time after which a server says that a fate is unknown.
const PIPE_PATIENCE: Duration = Duration::from_secs(40);

/// How long somebody who quits is kept waiting for fates.
const QUIT_PATIENCE: Duration = Duration::from_secs(3);

/// A typing notice is sent at most this often.
const TYPING_PAUSE: Duration = Duration::from_secs(3);

/// A request that is being dealt with.
type Doing = Pin<Box<dyn Future<Output = Outcome>>>;

enum Outcome {
    Sent {
        to: UserId,
        text: String,
        result: Result<SendHandle, SendError>,
    },
    Changed {
        action: FriendAction,
        peer: UserId,
        result: Result<(), ChangeError>,
    },
}

/// One user's conversation.
pub struct Chat {
    client: Client,
    user: UserId,
    screen: Screen,
    marks: Marks,
    roster: Roster,
    conversation: Option<UserId>,
    /// When the newest log-in was, by the server's clock.
    logged_in: Stamp,
    doing: Option<(Instant, Doing)>,
    fates: JoinSet<(Sent, Fate)>,
    typed: Option<Instant>,
    ending: Option<JoinHandle<()>>,
    failed: bool,
}

impl Chat {
    /// A conversation that has not begun.
    pub fn new(client: Client, user: UserId, screen: Screen) -> Self {
        Self {
            client,
            user,
            screen,
            marks: Marks::default(),
            roster: Roster::default(),
            conversation: None,
            logged_in: Stamp(0),
            doing: None,
            fates: JoinSet::new(),
            typed: None,
            ending: None,
            failed: false,
        }
    }

    /// Runs until the end; returns whether all went well.
    pub async fn run(mut self, mut events: Events, mut lines: Lines) -> io::Result<bool> {
        lines.ready(self.prompt());
        loop {
            let open = self.doing.is_none() && self.ending.is_none();
            let begun = self.doing.as_ref().map(|(since, _)| *since);
            let give_up_at = begun.unwrap_or_else(Instant::now) + PIPE_PATIENCE;
            let may_give_up = begun.is_some() && !self.screen.is_keyboard();
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => self.event(event)?,
                    None => break,
                },
                Some(fate) = self.fates.join_next() => {
                    // The tasks only wait; none of them panics.
                    if let Ok((sent, fate)) = fate {
                        self.fate(&sent, fate)?;
                    }
                }
                outcome = finished(&mut self.doing), if begun.is_some() => {
                    self.doing = None;
                    self.outcome(outcome)?;
                    lines.ready(self.prompt());
                }
                input = lines.next(), if open => {
                    if self.input(input)? {
                        lines.ready(self.prompt());
                    }
                }
                () = sleep_until(give_up_at), if may_give_up => self.give_up()?,
                _ = tokio::signal::ctrl_c() => {
                    if self.ending.is_some() {
                        return Ok(false);
                    }
                    self.end(QUIT_PATIENCE);
                }
            }
        }
        self.rest().await?;
        Ok(!self.failed && !self.marks.failed)
    }

    /// The session is over: what was asked has its answer now.
    async fn rest(&mut self) -> io::Result<()> {
        if let Some((_, doing)) = self.doing.take() {
            let outcome = doing.await;
            self.outcome(outcome)?;
        }
        while let Some(Ok((sent, fate))) = self.fates.join_next().await {
            self.fate(&sent, fate)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event) -> io::Result<()> {
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
            Event::Presence(peer) => {
                let notice = self.roster.status(peer);
                self.screen.show(&notice)
            }
            Event::Friends(list) => {
                let notices = self.roster.list(list);
                self.show_all(&notices)
            }
            Event::TokenExpired => {
                self.failed = true;
                self.end(Duration::ZERO);
                self.screen.show(&Notice::TokenExpired)
            }
            Event::Closed { code, text } => {
                self.failed |= code.is_some();
                let text = text.to_string();
                self.screen.show(&Notice::Closed { code, text })
            }
            // Signals of other applications, and what later versions tell.
            _ => Ok(()),
        }
    }

    fn connected(&mut self, connected: Connected) -> io::Result<()> {
        let Connected {
            user,
            device,
            server_time,
            ..
        } = connected;
        self.logged_in = server_time;
        if user != self.user {
            let what = format!("the token is for {user}, not for {}", self.user);
            self.end(Duration::ZERO);
            return self.fail(what, "name that user, or give another token".into());
        }
        self.screen.show(&Notice::Connected { user, device })
    }

    fn message(&mut self, message: &Message) -> io::Result<()> {
        let before = self.logged_in.0.saturating_sub(message.stamp.0);
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

    fn fate(&mut self, sent: &Sent, fate: Fate) -> io::Result<()> {
        let notices = self.marks.fate(sent, fate);
        self.show_all(&notices)
    }

    /// Returns whether a line was dealt with at once.
    fn input(&mut self, input: Input) -> io::Result<bool> {
        match input {
            Input::Line(line) => {
                match command::parse(&line) {
                    Ok(command) => self.command(command)?,
                    Err(text) => self.fail("not understood".into(), text)?,
                }
                Ok(self.doing.is_none())
            }
            Input::Typing(line) => {
                self.typing(&line);
                Ok(false)
            }
            Input::End => {
                let keyboard = self.screen.is_keyboard();
                self.end(if keyboard {
                    QUIT_PATIENCE
                } else {
                    PIPE_PATIENCE
                });
                Ok(false)
            }
        }
    }

    fn command(&mut self, command: Command) -> io::Result<()> {
        match command {
            Command::Text(text) => self.text(&text),
            Command::Message(to, text) => {
                self.send(to, text);
                Ok(())
            }
            Command::To(with) => {
                self.conversation = Some(with.clone());
                self.screen.show(&Notice::Conversation { with })
            }
            Command::Change(action, peer) => {
                self.change(action, peer);
                Ok(())
            }
            Command::Friends => self.friends(),
            Command::Status(status) => self.status(status),
            Command::Typing(to) => match to.or(self.conversation.clone()) {
                Some(to) => {
                    self.client.typing(&to);
                    Ok(())
                }
                None => self.fail("typing".into(), "to whom? /typing NAME".into()),
            },
            Command::Again(number) => self.again(number),
            Command::Help => self.screen.show(&Notice::Help),
            Command::Quit => {
                self.end(QUIT_PATIENCE);
                Ok(())
            }
            Command::Nothing => Ok(()),
        }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        let to = self.addressed(text);
        match (to, self.conversation.clone()) {
            (Some((to, text)), _) => self.send(to, text),
            (None, Some(to)) => self.send(to, text.to_owned()),
            (None, None) => {
                let how = "begin with a name, as in `ben: hello`, or say /to ben first";
                return self.fail("to whom".into(), how.into());
            }
        }
        Ok(())
    }

    fn addressed(&self, text: &str) -> Option<(UserId, String)> {
        let known = |user: &UserId| self.roster.knows(user);
        let addressed = command::addressed(text, self.conversation.is_some(), known);
        addressed.map(|(to, text)| (to, text.to_owned()))
    }

    fn send(&mut self, to: UserId, text: String) {
        let client = self.client.clone();
        self.begin(async move {
            let result = client.send(&to, text.clone()).await;
            Outcome::Sent { to, text, result }
        });
    }

    fn again(&mut self, number: u64) -> io::Result<()> {
        let Some((sent, text)) = self.marks.again(number) else {
            let text = format!("#{number} is not a message of unknown fate");
            return self.fail("again".into(), text);
        };
        let client = self.client.clone();
        self.begin(async move {
            let Sent { to, id, .. } = sent;
            let result = client.send_with_id(id, &to, text.clone()).await;
            Outcome::Sent { to, text, result }
        });
        Ok(())
    }

    fn change(&mut self, action: FriendAction, peer: UserId) {
        let client = self.client.clone();
        self.begin(async move {
            let result = client.change(action, &peer).await;
            Outcome::Changed {
                action,
                peer,
                result,
            }
        });
    }

    fn begin(&mut self, doing: impl Future<Output = Outcome> + 'static) {
        self.doing = Some((Instant::now(), Box::pin(doing)));
    }

    fn outcome(&mut self, outcome: Outcome) -> io::Result<()> {
        match outcome {
            Outcome::Sent { to, text, result } => match result {
                Ok(handle) => {
                    let sent = self.marks.sending(to, handle.id(), text);
                    self.screen.show(&Notice::Sending(sent.clone()))?;
                    self.fates.spawn(async move { (sent, handle.await) });
                    Ok(())
                }
                Err(error) => self.fail(format!("not sent to {to}"), error.to_string()),
            },
            Outcome::Changed {
                action,
                peer,
                result,
            } => match result {
                Ok(()) => self.screen.show(&Notice::Done { action, peer }),
                Err(error) => {
                    self.failed = true;
                    let code = match error {
                        ChangeError::Refused(code) => Some(code),
                        ChangeError::Unanswered | ChangeError::Request(_) => None,
                    };
                    self.screen.show(&Notice::Failed {
                        what: format!("{} {peer}", word(action)),
                        code,
                        text: code.map_or_else(|| error.to_string(), |c| c.text().into()),
                    })
                }
            },
        }
    }

    fn friends(&mut self) -> io::Result<()> {
        let Some(list) = self.client.friends() else {
            return self.fail("friends".into(), "the list has not come yet".into());
        };
        if list.entries().is_empty() {
            return self.screen.show(&Notice::NoFriends);
        }
        for entry in list.entries() {
            let status = self.client.status_of(&entry.user);
            let entry = entry.clone();
            self.screen.show(&Notice::Friend { entry, status })?;
        }
        Ok(())
    }

    fn status(&mut self, status: Status) -> io::Result<()> {
        match self.client.set_status(status.clone()) {
            Ok(()) => self.screen.show(&Notice::OwnStatus(status)),
            Err(error) => self.fail("status".into(), error.to_string()),
        }
    }

    /// Somebody types at the keyboard: whoever it is for is told.
    fn typing(&mut self, line: &str) {
        let now = Instant::now();
        let lately = self.typed.is_some_and(|at| now < at + TYPING_PAUSE);
        if lately || line.starts_with('/') {
            return;
        }
        let addressed = self.addressed(line).map(|(to, _)| to);
        if let Some(to) = addressed.or(self.conversation.clone()) {
            self.typed = Some(now);
            self.client.typing(&to);
        }
    }

    fn give_up(&mut self) -> io::Result<()> {
        self.doing = None;
        self.end(Duration::ZERO);
        let seconds = PIPE_PATIENCE.as_secs();
        self.fail("gave up".into(), format!("nothing went on for {seconds} s"))
    }

    /// Logs out, once all has its fate or `patience` has passed.
    fn end(&mut self, patience: Duration) {
        if self.ending.is_none() {
            let client = self.client.clone();
            self.ending = Some(tokio::spawn(async move { client.close(patience).await }));
        }
    }

    fn fail(&mut self, what: String, text: String) -> io::Result<()> {
        self.failed = true;
        let code = None;
        self.screen.show(&Notice::Failed { what, code, text })
    }

    fn show_all(&mut self, notices: &[Notice]) -> io::Result<()> {
        notices
            .iter()
            .try_for_each(|notice| self.screen.show(notice))
    }

    fn prompt(&self) -> String {
        self.conversation
            .as_ref()
            .map_or_else(|| "> ".to_owned(), |with| format!("{with}> "))
    }
}

/// What is being done, when it is done.
async fn finished(doing: &mut Option<(Instant, Doing)>) -> Outcome {
    match doing {
        Some((_, doing)) => doing.await,
        None => std::future::pending().await,
    }
}
