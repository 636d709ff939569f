//! The command that is under way: what it waits for, and what that means to it.
//!
//! There is one at a time. Owns the way from packets to its reply. Must not know
//! lines, nor how a reply is written.

use proto::client::{ClientPacket, GetMembers};
use proto::clock::Moment;
use proto::codes::Code;
use proto::group::Which;
use proto::ids::{GroupId, MessageId};
use proto::server::ServerPacket;
use smol_str::SmolStr;

use crate::command::Command;
use crate::json;
use crate::list::List;
use crate::live::Live;
use crate::past::Past;

/// A command that is under way.
#[derive(Debug)]
pub struct Running {
    /// It is given up then; a log-in is the session's to give up.
    pub until: Option<Moment>,
    /// What it waits for.
    pub waits: Waits,
}

/// What a command waits for.
#[derive(Debug)]
pub enum Waits {
    /// The answer to the log-in.
    Login,
    /// The answer to a ping.
    Pong,
    /// The friend list.
    Friends,
    /// The user's groups.
    Groups,
    /// What becomes of a message.
    Fate(MessageId),
    /// The answer to a change of a group.
    Change(u32),
    /// The answer to leaving a group.
    Leaving(u32, GroupId),
    /// The answer to coming into a group.
    Entering(u32, GroupId),
    /// What the group is that was come into.
    State(GroupId),
    /// How many members there are in a group that the user was in before.
    Count(u32, GroupId),
    /// A page of members.
    List(List),
    /// A page of messages.
    Past(Past),
    /// Its turn: it is within the rate then. Without a command it is the others'.
    Turn(Option<Command>),
}

/// What comes of a packet.
#[derive(Debug)]
pub enum Step {
    /// The reply.
    Done(String),
    /// The reply is an error.
    Failed(Code, SmolStr),
    /// More is asked for.
    Ask(ClientPacket),
}

fn failed(code: Code) -> Step {
    Step::Failed(code, SmolStr::new_static(code.text()))
}

impl Waits {
    /// What a packet means to it; `None` if nothing. The session has heard it.
    pub fn answered(&mut self, packet: &ServerPacket, live: &mut Live) -> Option<Step> {
        Some(match (&mut *self, packet) {
            (Self::Pong, ServerPacket::Pong) => Step::Done("PONG".to_owned()),
            (Self::Friends, ServerPacket::Friends(list)) => {
                Step::Done(json::friends(list.entries()))
            }
            (Self::Groups, ServerPacket::Groups(groups)) => Step::Done(json::groups(groups)),
            (Self::Fate(of), packet) => return fate(*of, packet),
            (Self::State(of), ServerPacket::GroupState(state)) if *of == state.group => {
                return shown(live, of, None);
            }
            (Self::Count(of, group), ServerPacket::Members(page)) if *of == page.request => {
                return shown(live, group, Some(page.total));
            }
            (Self::List(list), ServerPacket::Members(page)) if list.request == page.request => {
                if !list.take(page) {
                    return Some(Step::Done(list.shown()));
                }
                list.request = live.next_request();
                Step::Ask(list.ask())
            }
            (Self::Past(past), ServerPacket::History(page)) if past.request == page.request => {
                if !past.take(page) {
                    return Some(Step::Done(past.shown()));
                }
                past.request = live.next_request();
                Step::Ask(past.ask())
            }
            (waits, ServerPacket::GroupResult { request, code }) => {
                if waits.request() != Some(*request) {
                    return None;
                }
                match code {
                    Some(code) => failed(*code),
                    None => return waits.changed(live),
                }
            }
            _ => return None,
        })
    }

    fn request(&self) -> Option<u32> {
        match self {
            Self::Change(request)
            | Self::Leaving(request, _)
            | Self::Entering(request, _)
            | Self::Count(request, _) => Some(*request),
            Self::List(list) => Some(list.request),
            Self::Past(past) => Some(past.request),
            _ => None,
        }
    }

    /// A change is done.
    fn changed(&mut self, live: &mut Live) -> Option<Step> {
        match self {
            Self::Change(_) => Some(Step::Done(String::new())),
            Self::Leaving(_, group) => {
                live.groups.leave(group);
                Some(Step::Done(String::new()))
            }
            Self::Entering(_, group) => {
                let group = group.clone();
                if live.groups.find(&group).is_none() {
                    *self = Self::State(group);
                    return None;
                }
                // What is known of it may be old.
                let request = live.next_request();
                let packet = ClientPacket::GetMembers(GetMembers {
                    request,
                    group: group.clone(),
                    which: Which::Members,
                    after: None,
                });
                *self = Self::Count(request, group);
                Some(Step::Ask(packet))
            }
            _ => None,
        }
    }

    /// The error of a command that has no answer in time.
    pub fn unanswered(&self) -> Step {
        match self {
            Self::Fate(_) => failed(Code::FateUnknown),
            _ => Step::Failed(Code::FateUnknown, SmolStr::new_static("no answer in time")),
        }
    }
}

/// What becomes of a message.
fn fate(of: MessageId, packet: &ServerPacket) -> Option<Step> {
    match packet {
        ServerPacket::Sent { id, sent } if *id == of => Some(Step::Done(json::sent(of, sent))),
        ServerPacket::Rejected { id, code, text } if *id == of => {
            Some(Step::Failed(*code, text.clone()))
        }
        ServerPacket::Unknown { id, code } if *id == of => Some(failed(*code)),
        _ => None,
    }
}

fn shown(live: &Live, group: &GroupId, members: Option<u32>) -> Option<Step> {
    let Some(group) = live.groups.find(group) else {
        // The user was put out meanwhile.
        return Some(failed(Code::NotMember));
    };
    let members = members.unwrap_or(group.members);
    Some(Step::Done(json::group(group, members)))
}
