//! Messages of a client without an answer.

use std::collections::VecDeque;

use bytes::Bytes;
use proto::client::{ClientPacket, GroupSend, Send};
use proto::codes::Code;
use proto::friends::ListHash;
use proto::ids::MessageId;

use super::{Does, Reply, Waking};
use crate::agenda::{MS, Time};
use crate::model::To;

/// How often a message of unknown fate is sent again.
const TRIES_MAX: u32 = 8;

/// A message without an answer.
#[derive(Debug, Clone)]
pub struct Unanswered {
    /// Its id.
    pub id: MessageId,
    /// To whom.
    pub to: To,
    /// What it says.
    pub body: Bytes,
    /// It names the list that the client holds when it goes out.
    names_list: bool,
    /// How often it was called unknown.
    tries: u32,
    /// It was on a wire before.
    again: bool,
}

/// Messages without an answer, oldest first.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Unanswered>,
    /// So many of the oldest are on this connection's wire.
    wired: usize,
    /// Answered as unknown, to be sent again later.
    resting: Vec<Unanswered>,
    count_max: usize,
    bytes_max: usize,
}

impl Outbox {
    /// Takes a message of the person.
    pub fn write(&mut self, id: MessageId, to: To, body: Bytes, names_list: bool) {
        self.waiting.push_back(Unanswered {
            id,
            to,
            body,
            names_list,
            tries: 0,
            again: false,
        });
    }

    /// How many have no answer.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.resting.len()
    }

    /// Whether all are answered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One that is on the wire, by any number.
    pub fn wired(&self, number: usize) -> Option<&Unanswered> {
        if self.wired == 0 {
            return None;
        }
        self.waiting.get(number % self.wired)
    }

    /// A new connection: nothing is on its wire.
    pub(super) fn connected(&mut self) {
        self.wired = 0;
    }

    /// The log-in granted this window.
    pub(super) fn granted(&mut self, count_max: u32, bytes_max: u32) {
        self.count_max = count_max as usize;
        self.bytes_max = bytes_max as usize;
    }

    /// Writes what the window has room for.
    pub fn transmit(&mut self, held: Option<ListHash>, out: &mut Vec<Does>) {
        let wired = self.waiting.iter().take(self.wired);
        let mut bytes: usize = wired.map(|message| message.body.len()).sum();
        while let Some(next) = self.waiting.get_mut(self.wired) {
            bytes += next.body.len();
            if self.wired >= self.count_max || bytes > self.bytes_max {
                return;
            }
            self.wired += 1;
            out.push(Does::Write(next.packet(held)));
            next.again = true;
        }
    }

    pub(super) fn answered(
        &mut self,
        now: Time,
        id: MessageId,
        reply: &Reply,
        out: &mut Vec<Does>,
    ) {
        let Some(at) = self.waiting.iter().position(|message| message.id == id) else {
            return;
        };
        let Some(mut message) = self.waiting.remove(at) else {
            return;
        };
        self.wired -= usize::from(at < self.wired);
        let Reply::Unknown(code) = reply else {
            return;
        };
        message.tries += 1;
        if *code == Code::TooOld || message.tries > TRIES_MAX {
            return;
        }
        let pause = (200 * MS) << message.tries.min(4);
        out.push(Does::Wake(now + pause, Waking::SendAgain(id)));
        self.resting.push(message);
    }

    /// A message of unknown fate is sent again.
    pub(super) fn again(&mut self, id: MessageId) {
        if let Some(at) = self.resting.iter().position(|message| message.id == id) {
            let message = self.resting.remove(at);
            self.waiting.push_back(message);
        }
    }
}

impl Unanswered {
    /// As it goes out.
    pub fn packet(&self, held: Option<ListHash>) -> ClientPacket {
        match &self.to {
            To::User(to) => ClientPacket::Send(Send {
                id: self.id,
                to: to.clone(),
                body: self.body.clone(),
                friends_hash: held.filter(|_| self.names_list),
                again: self.again,
            }),
            To::Group(group) => ClientPacket::GroupSend(GroupSend {
                id: self.id,
                group: group.clone(),
                body: self.body.clone(),
                mentions: Vec::new(),
                again: self.again,
            }),
        }
    }
}
