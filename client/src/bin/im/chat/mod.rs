//! The conversation: lines become requests, events become notices.
//!
//! Lines are dealt with one after the other: the next is looked at when the
//! one before has been taken, so that in a pipe `/accept ben` is done before
//! `ben: hello` is sent.

mod events;
mod groups;
mod lines;

use std::collections::HashSet;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use client::{
    ChangeError, Client, DeviceEntry, DeviceId, Event, Events, Fate, FriendAction, GroupId,
    SendError, SendHandle, Stamp, UserId,
};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::groups::GroupNotice;
use crate::groups::command::Ask;
use crate::input::Lines;
use crate::marks::Marks;
use crate::notice::{Notice, Sent};
use crate::roster::Roster;
use crate::screen::Screen;
use crate::whom::Whom;

/// How long a pipe waits for a connection, and at its end for fates: beyond
/// the time after which a server says that a fate is unknown.
const PIPE_PATIENCE: Duration = Duration::from_secs(40);

/// How long somebody who quits is kept waiting for fates.
const QUIT_PATIENCE: Duration = Duration::from_secs(3);

/// A request that is being dealt with.
type Doing = Pin<Box<dyn Future<Output = Outcome>>>;

enum Outcome {
    Sent {
        to: Whom,
        text: String,
        result: Result<SendHandle, SendError>,
    },
    Changed {
        action: FriendAction,
        peer: UserId,
        result: Result<(), ChangeError>,
    },
    Devices(Result<Vec<DeviceEntry>, ChangeError>),
    Ended {
        device: DeviceId,
        result: Result<(), ChangeError>,
    },
    Group {
        group: GroupId,
        ask: Ask,
        result: Result<Vec<GroupNotice>, ChangeError>,
    },
    /// The first friend list has come, or never will.
    Listed,
    /// The groups are known, or never will be.
    GroupsKnown,
}

/// One user's conversation.
pub struct Chat {
    client: Client,
    user: UserId,
    screen: Screen,
    marks: Marks,
    roster: Roster,
    conversation: Option<Whom>,
    /// Groups of which something was shown.
    groups: HashSet<GroupId>,
    /// When the newest log-in was, by the server's clock.
    logged_in: Option<Stamp>,
    /// When a pipe ended before the first log-in.
    ended: Option<Instant>,
    /// In a pipe somebody asked for the friend list before it came.
    awaited: Option<oneshot::Sender<()>>,
    /// Likewise for the groups.
    groups_awaited: Option<oneshot::Sender<()>>,
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
            groups: HashSet::new(),
            logged_in: None,
            ended: None,
            awaited: None,
            groups_awaited: None,
            doing: None,
            fates: JoinSet::new(),
            typed: None,
            ending: None,
            failed: false,
        }
    }

    /// Runs until the end; returns whether all went well. Who sits at a
    /// keyboard has seen what did not.
    pub async fn run(mut self, mut events: Events, mut lines: Lines) -> io::Result<bool> {
        lines.ready(self.prompt());
        let (code, text) = loop {
            let begun = self.doing.as_ref().map(|(since, _)| *since);
            let open = begun.is_none() && self.ended.is_none() && self.ending.is_none();
            let waits_since = begun.or(self.ended);
            let give_up_at = waits_since.unwrap_or_else(Instant::now) + PIPE_PATIENCE;
            let may_give_up = waits_since.is_some() && !self.screen.is_person();
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::Closed { code, text }) => break (code, text),
                    Some(event) => self.event(event)?,
                    // Nothing follows the close, and it ended this.
                    None => break (None, "".into()),
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
        };
        self.screen.end_typing()?;
        self.rest().await?;
        let failed = self.failed || self.marks.failed;
        let well = code.is_none() && (self.screen.is_person() || !failed);
        let text = text.to_string();
        self.screen.show(&Notice::Closed { code, text })?;
        Ok(well)
    }

    /// The session is over: what was asked has its answer now.
    async fn rest(&mut self) -> io::Result<()> {
        self.awaited = None;
        self.groups_awaited = None;
        if let Some((_, doing)) = self.doing.take() {
            let outcome = doing.await;
            self.outcome(outcome)?;
        }
        while let Some(Ok((sent, fate))) = self.fates.join_next().await {
            self.fate(&sent, fate)?;
        }
        Ok(())
    }

    fn give_up(&mut self) -> io::Result<()> {
        self.doing = None;
        self.ended = None;
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
