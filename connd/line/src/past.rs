//! The messages of a group since some time, page by page.
//!
//! Mostly they are one page. Where they are more, the newest are wanted: then
//! pages are asked for backwards from the end, down to the first message of that
//! time or to a bound. Must not know who asked for them.

use std::time::Duration;

use proto::client::{ClientPacket, GetHistory};
use proto::group::{Conversation, Range};
use proto::ids::{GroupId, Stamp};
use proto::limits::PAGE_MAX;
use proto::server::History;

use crate::json::{self, Message};
use crate::turn::Turn;

/// So many messages at most, the newest.
const MESSAGES_MAX: usize = 1_000;

/// In so many bytes, with what stands around them.
const BYTES_MAX: usize = 512 * 1024;

/// From so many pages at most: a log may hold other entries than messages.
const PAGES_MAX: u32 = 16;

/// In place of a time that lies too far back.
const RECENTLY: Duration = Duration::from_secs(5 * 60);

/// Messages that are being gathered.
#[derive(Debug)]
pub struct Past {
    /// The number of the page that is to come.
    pub request: u32,
    group: GroupId,
    range: Range,
    /// The first entry of the time, once it is known.
    first: Option<u64>,
    /// The newest first.
    messages: Vec<String>,
    bytes: usize,
    pages: u32,
}

impl Past {
    /// Nothing came yet.
    pub fn new(request: u32, group: GroupId, since: Stamp, turn: &Turn) -> Self {
        let ago = |ago: Duration| {
            let micros = u64::try_from(ago.as_micros()).unwrap_or(u64::MAX);
            Stamp(turn.now.wall.0.saturating_sub(micros))
        };
        let since = match since < ago(turn.settings.history) {
            true => ago(RECENTLY),
            false => since,
        };
        Self {
            request,
            group,
            range: Range::Since(since),
            first: None,
            messages: Vec::new(),
            bytes: 2,
            pages: 0,
        }
    }

    /// Takes a page; whether another is to be asked for.
    pub fn take(&mut self, page: &History) -> bool {
        self.pages += 1;
        let (Some(oldest), Some(newest)) = (page.entries.first(), page.entries.last()) else {
            return false;
        };
        let Some(first) = self.first else {
            if newest.seq >= page.last {
                self.gather(page, 0);
                return false;
            }
            self.first = Some(oldest.seq);
            self.range = Range::Before(0);
            return true;
        };
        let has_room = self.gather(page, first);
        self.range = Range::Before(oldest.seq);
        has_room && oldest.seq > first.max(page.first) && self.pages < PAGES_MAX
    }

    /// Takes the messages of a page from an entry on; whether there is room for
    /// more.
    fn gather(&mut self, page: &History, first: u64) -> bool {
        let entries = page.entries.iter().rev();
        for entry in entries.take_while(|entry| entry.seq >= first) {
            let Some(message) = Message::logged(entry, None) else {
                continue;
            };
            let shown = json::write(&message);
            self.bytes += shown.len() + 1;
            if self.bytes > BYTES_MAX || self.messages.len() == MESSAGES_MAX {
                return false;
            }
            self.messages.push(shown);
        }
        true
    }

    /// Asks for the next page.
    pub fn ask(&self) -> ClientPacket {
        ClientPacket::GetHistory(GetHistory {
            request: self.request,
            of: Conversation::Group(self.group.clone()),
            range: self.range,
            count: PAGE_MAX as u32,
        })
    }

    /// What came, the oldest first.
    pub fn shown(&self) -> String {
        json::list(self.messages.iter().rev())
    }
}
