//! Who waits for an answer from elsewhere: a client that changes the friend
//! graph, or asks something of a group.
//!
//! Nobody waits for ever: after a while the client is told that what became of it
//! is not known.

use std::time::Duration;

use proto::clock::Now;
use proto::codes::Code;
use proto::ids::{SessionRef, UserId};
use proto::server::ServerPacket;

use super::{Shard, answer};
use crate::effect::Effect;
use crate::timers::Timer;

/// Something that a client waits for.
#[derive(Debug)]
pub(super) struct Act {
    /// Whose client.
    pub(super) user: UserId,
    /// Which session.
    pub(super) at: SessionRef,
    /// The client's number of it.
    pub(super) request: u32,
    /// What.
    pub(super) about: About,
}

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// A change of the friend graph.
    Friend,
    /// An answer about a group.
    Group,
}

impl About {
    /// What is said where it is not known what became of it.
    fn unanswered(self) -> Code {
        match self {
            Self::Friend => Code::FriendsUnavailable,
            Self::Group => Code::FateUnknown,
        }
    }
}

/// How often the friend service is asked for a list, once a second, after a
/// change without an answer: it may be carried out late.
pub(super) const ASKED_AGAIN: u8 = 3;

/// After this long without an answer the client is told so.
const ACT_PATIENCE: Duration = Duration::from_secs(3);

impl Shard {
    /// Something that a client waits for begins; gives its number, unless there
    /// is no room.
    pub(super) fn begin_act(&mut self, now: Now, act: Act, out: &mut Vec<Effect>) -> Option<u64> {
        if self.acts.len() >= self.settings.acts_max {
            result(&act, Some(Code::Busy), out);
            return None;
        }
        let number = self.number();
        self.acts.insert(number, act);
        let at = now.moment + ACT_PATIENCE;
        self.timers.arm(at, Timer::Act(number));
        Some(number)
    }

    /// Those who wait for something are told that it is not known.
    pub(super) fn leave_waits(&mut self, leaves: impl Fn(&Act) -> bool, out: &mut Vec<Effect>) {
        let leaving = self.acts.iter().filter(|(_, act)| leaves(act));
        let numbers: Vec<u64> = leaving.map(|(number, _)| *number).collect();
        for number in numbers {
            if let Some(act) = self.acts.swap_remove(&number) {
                result(&act, Some(act.about.unanswered()), out);
            }
        }
    }

    /// It is known what became of it.
    pub(super) fn finish_act(&mut self, number: u64, code: Option<Code>, out: &mut Vec<Effect>) {
        if let Some(act) = self.acts.swap_remove(&number) {
            result(&act, code, out);
        }
    }

    pub(super) fn act_due(&mut self, now: Now, number: u64, out: &mut Vec<Effect>) {
        let Some(act) = self.acts.swap_remove(&number) else {
            return;
        };
        if act.about == About::Friend {
            self.doubt(now, &act.user, ASKED_AGAIN, out);
        }
        result(&act, Some(act.about.unanswered()), out);
    }
}

fn result(act: &Act, code: Option<Code>, out: &mut Vec<Effect>) {
    let request = act.request;
    let packet = match act.about {
        About::Friend => ServerPacket::FriendResult { request, code },
        About::Group => ServerPacket::GroupResult { request, code },
    };
    answer(act.at, packet, out);
}
