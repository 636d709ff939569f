//! What goes into the state, and what comes out of it.
//!
//! Owns the words for it. Must not know what follows from what.

use std::time::{Duration, Instant};

use client::{
    ChangeError, DeviceEntry, DeviceId, Event, Fate, FriendAction, GroupId, History, MessageId,
    ReadTo, SendError, Stamp, Status, UserId,
};
use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::layout::Size;

use super::search::Search;
use crate::groups::GroupNotice;
use crate::groups::command::Ask;
use crate::notice::Sent;
use crate::whom::Whom;

/// A point in time.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For spans.
    pub at: Instant,
    /// For people.
    pub wall: Timestamp,
}

/// What happens.
#[derive(Debug)]
pub enum Input {
    Key(KeyEvent),
    /// A text put in at once.
    Paste(String),
    Resize(Size),
    /// Whether the terminal is the one that is looked at.
    Focus(bool),
    /// The session tells something.
    Event(Event),
    /// A wish was done.
    Done(Done),
    /// Somebody wants this program to end.
    Signal,
}

/// What became of a wish.
#[derive(Debug)]
pub enum Done {
    /// A message is on its way, or was not taken.
    Sent {
        ticket: u64,
        to: Whom,
        text: String,
        result: Result<MessageId, SendError>,
    },
    /// A message has its fate.
    Fate {
        id: MessageId,
        fate: Fate,
    },
    Changed {
        action: FriendAction,
        peer: UserId,
        result: Result<(), ChangeError>,
    },
    Devices(Result<Vec<DeviceEntry>, ChangeError>),
    /// What was asked of a group.
    Group {
        group: GroupId,
        ask: Ask,
        result: Result<Vec<GroupNotice>, ChangeError>,
    },
    Here {
        group: GroupId,
        result: Result<u32, ChangeError>,
    },
    Fetched {
        group: GroupId,
        result: Result<History, ChangeError>,
    },
    Ended {
        device: DeviceId,
        result: Result<(), ChangeError>,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Send {
        ticket: u64,
        to: Whom,
        text: String,
    },
    /// A message of unknown fate once more.
    Again {
        sent: Sent,
        ticket: u64,
        text: String,
    },
    Change {
        action: FriendAction,
        peer: UserId,
    },
    Devices,
    End(DeviceId),
    Status(Status),
    Typing(Whom),
    Read {
        peer: UserId,
        up_to: Stamp,
    },
    /// A group is read up to here.
    ReadGroup {
        group: GroupId,
        read: ReadTo,
    },
    /// Something is asked of a group.
    AskGroup {
        group: GroupId,
        ask: Ask,
    },
    /// How many members of a group are here.
    Here(GroupId),
    /// A group's history before this entry.
    Fetch {
        group: GroupId,
        before: u64,
    },
    Bell,
    /// Everything is to be written to the terminal again.
    Redraw,
    /// This program is to stand still, until the shell wakes it.
    Suspend,
    /// The session is to end, once all has its fate or the patience is over.
    Leave(Duration),
}

/// How the session fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    Connecting,
    Online,
    /// The next connection is tried then.
    Waiting {
        until: Instant,
        reason: String,
    },
    Leaving,
    /// It is over; `None`: as this user wanted.
    Closed(Option<String>),
}

/// What the keys are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    Normal,
    Search(Search),
    /// The page of keys, from this row on.
    Help(usize),
}
