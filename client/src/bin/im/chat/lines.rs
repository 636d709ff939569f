//! What was typed, done.

use std::io;
use std::time::Duration;

use client::{ChangeError, DeviceId, FriendAction, Status, UserId};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Chat, Outcome, PIPE_PATIENCE, QUIT_PATIENCE};
use crate::command::{self, Command};
use crate::input::Input;
use crate::notice::{Notice, Sent, word};
use crate::post::post;
use crate::whom::Whom;

/// A typing notice is sent at most this often.
const TYPING_PAUSE: Duration = Duration::from_secs(3);

impl Chat {
    /// Returns whether a line was dealt with at once.
    pub(super) fn input(&mut self, input: Input) -> io::Result<bool> {
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
                self.no_more_lines();
                Ok(false)
            }
        }
    }

    /// A pipe that ended early still logs in: whatever is wrong is told.
    fn no_more_lines(&mut self) {
        if self.screen.is_person() {
            self.end(QUIT_PATIENCE);
        } else if self.logged_in.is_some() {
            self.end(PIPE_PATIENCE);
        } else {
            self.ended = Some(Instant::now());
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
            Command::Friends if self.must_wait_for_list() => {
                self.wait_for_list();
                Ok(())
            }
            Command::Friends => self.friends(),
            Command::Status(status) => self.status(status),
            Command::Typing(to) => match to.or(self.conversation.clone()) {
                Some(to) => {
                    self.types_to(&to);
                    Ok(())
                }
                None => self.fail("typing".into(), "to whom? /typing NAME".into()),
            },
            Command::Groups => self.groups(),
            Command::Group(group, ask) => self.ask_group(group, ask),
            Command::Devices => {
                self.devices();
                Ok(())
            }
            Command::End(device) => {
                self.end_device(device);
                Ok(())
            }
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

    fn addressed(&self, text: &str) -> Option<(Whom, String)> {
        let known = |whom: &Whom| match whom {
            Whom::User(user) => self.roster.knows(user),
            Whom::Group(group) => self.client.group(group).is_some(),
        };
        let addressed = command::addressed(text, self.conversation.is_some(), known);
        addressed.map(|(to, text)| (to, text.to_owned()))
    }

    fn send(&mut self, to: Whom, text: String) {
        let client = self.client.clone();
        self.begin(async move {
            let result = post(&client, &to, text.clone(), None).await;
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
            let result = post(&client, &to, text.clone(), Some(id)).await;
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

    fn devices(&mut self) {
        let client = self.client.clone();
        self.begin(async move { Outcome::Devices(client.devices().await) });
    }

    fn end_device(&mut self, device: DeviceId) {
        let client = self.client.clone();
        self.begin(async move {
            let result = client.end_device(&device).await;
            Outcome::Ended { device, result }
        });
    }

    pub(super) fn begin(&mut self, doing: impl Future<Output = Outcome> + 'static) {
        self.doing = Some((Instant::now(), Box::pin(doing)));
    }

    pub(super) fn outcome(&mut self, outcome: Outcome) -> io::Result<()> {
        match outcome {
            Outcome::Listed => self.friends(),
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
                Err(error) => self.refused(format!("{} {peer}", word(action)), &error),
            },
            Outcome::GroupsKnown => self.show_groups(),
            Outcome::Group { group, ask, result } => self.group_asked(&group, &ask, result),
            Outcome::Devices(Ok(devices)) => devices
                .into_iter()
                .try_for_each(|entry| self.screen.show(&Notice::Device(entry))),
            Outcome::Devices(Err(error)) => self.refused("devices".into(), &error),
            Outcome::Ended { device, result } => match result {
                Ok(()) => self.screen.show(&Notice::Ended { device }),
                Err(error) => self.refused(format!("end {device}"), &error),
            },
        }
    }

    pub(super) fn refused(&mut self, what: String, error: &ChangeError) -> io::Result<()> {
        self.failed = true;
        let code = match error {
            ChangeError::Refused(code) => Some(*code),
            ChangeError::Unanswered | ChangeError::Request(_) => None,
        };
        let text = code.map_or_else(|| error.to_string(), |code| code.text().into());
        self.screen.show(&Notice::Failed { what, code, text })
    }

    /// A pipe says its first lines before the list can have come; a person
    /// is told that it has not.
    fn must_wait_for_list(&self) -> bool {
        self.client.friends().is_none() && !self.screen.is_person()
    }

    fn wait_for_list(&mut self) {
        let (come, comes) = oneshot::channel();
        self.awaited = Some(come);
        self.begin(async move {
            // Dropped, it says that the session is over: then there is no list.
            let _ = comes.await;
            Outcome::Listed
        });
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
            self.types_to(&to);
        }
    }

    fn types_to(&self, to: &Whom) {
        match to {
            Whom::User(user) => self.client.typing(user),
            Whom::Group(group) => self.client.typing_in_group(group),
        }
    }
}
