//! What became of wishes.

use client::{ChangeError, DeviceEntry, Fate, MessageId, SendError};

use super::App;
use super::talk::Delivery;
use super::turn::{Done, Link, Now};
use crate::friendly;
use crate::groups::command::shown;
use crate::notice::{self, Notice};
use crate::whom::Whom;

impl App {
    pub(super) fn done(&mut self, done: Done, now: Now) {
        match done {
            Done::Sent {
                ticket,
                to,
                text,
                result,
            } => {
                self.waiting = self.waiting.saturating_sub(1);
                self.leaves_behind(result.is_err());
                self.taken(ticket, to, text, result);
            }
            Done::Fate { id, fate } => {
                self.leaves_behind(matches!(fate, Fate::Unknown { .. }));
                if let Some(sent) = self.underway.remove(&id) {
                    let notices = self.marks.fate(&sent, fate);
                    self.mark(notices);
                }
            }
            Done::Changed {
                action,
                peer,
                result,
            } => {
                self.waiting = self.waiting.saturating_sub(1);
                match result {
                    Ok(()) => self.show(&Notice::Done { action, peer }, now),
                    Err(error) => {
                        let what = format!("{} {peer}", notice::word(action));
                        self.refused(&what, &error, now);
                    }
                }
            }
            Done::Group { group, ask, result } => {
                self.waiting = self.waiting.saturating_sub(1);
                match result {
                    Ok(notices) => self.group_asked(notices, now),
                    Err(error) => self.refused(&format!("{} #{group}", shown(&ask)), &error, now),
                }
            }
            Done::Here { group, result } => {
                self.questions = self.questions.saturating_sub(1);
                // Not known is shown as not known.
                if let Ok(count) = result {
                    self.groups.here(&group, count);
                }
            }
            Done::Fetched { group, result } => {
                self.questions = self.questions.saturating_sub(1);
                match result {
                    Ok(history) => self.fetched(&group, &history),
                    Err(error) => self.refused(&format!("history #{group}"), &error, now),
                }
            }
            Done::Devices(result) => {
                self.waiting = self.waiting.saturating_sub(1);
                self.listed(result, now);
            }
            Done::Ended { device, result } => {
                self.waiting = self.waiting.saturating_sub(1);
                match result {
                    Ok(()) => self.show(&Notice::Ended { device }, now),
                    Err(error) => self.refused(&format!("end {device}"), &error, now),
                }
            }
        }
    }

    fn listed(&mut self, devices: Result<Vec<DeviceEntry>, ChangeError>, now: Now) {
        match devices {
            Ok(devices) => {
                for entry in devices {
                    self.show(&Notice::Device(entry), now);
                }
            }
            Err(error) => self.refused("devices", &error, now),
        }
    }

    /// What goes wrong now is not seen any more.
    fn leaves_behind(&mut self, is_lost: bool) {
        if is_lost && matches!(self.link, Link::Leaving | Link::Closed(None)) {
            self.lost += 1;
        }
    }

    fn taken(&mut self, ticket: u64, to: Whom, text: String, result: Result<MessageId, SendError>) {
        let delivery = match result {
            Ok(id) => {
                let sent = self.marks.sending(to.clone(), id, text);
                self.underway.insert(id, sent.clone());
                Delivery::Underway(sent)
            }
            Err(error) => Delivery::NotSent(error.to_string()),
        };
        if let Some(talk) = self.talks.get_mut(&to) {
            talk.taken(ticket, delivery);
        }
    }

    fn refused(&mut self, what: &str, error: &ChangeError, now: Now) {
        let text = match error {
            ChangeError::Refused(code) => friendly::told(*code, ""),
            ChangeError::Unanswered | ChangeError::Request(_) => error.to_string(),
        };
        self.fail(what, &text, now);
    }

    pub(super) fn mark(&mut self, notices: Vec<Notice>) {
        for notice in notices {
            if let Notice::Mark(sent, mark) = notice
                && let Some(talk) = self.talks.get_mut(&sent.to)
            {
                talk.marked(&sent, mark);
            }
        }
    }
}
