//! The members of a group, page by page.
//!
//! Must not know who asked for them.

use proto::client::{ClientPacket, GetMembers};
use proto::group::Which;
use proto::ids::{GroupId, UserId};
use proto::server::Members;

use crate::json;

/// A list ends where it is this long, in bytes: room for 10,000 members.
const BYTES_MAX: usize = 1024 * 1024;

/// A list that is being made.
#[derive(Debug)]
pub struct List {
    /// The number of the page that is to come.
    pub request: u32,
    group: GroupId,
    which: Which,
    members: Vec<String>,
    bytes: usize,
    last: Option<UserId>,
}

impl List {
    /// Nothing came yet.
    pub fn new(request: u32, group: GroupId, which: Which) -> Self {
        Self {
            request,
            group,
            which,
            members: Vec::new(),
            bytes: 0,
            last: None,
        }
    }

    /// Takes a page; whether another is to be asked for.
    pub fn take(&mut self, page: &Members) -> bool {
        for member in &page.members {
            // Who is online at several gateways stands there once for each.
            if self.last.as_ref().is_some_and(|last| *last >= member.user) {
                continue;
            }
            let shown = json::member(member);
            self.bytes += shown.len() + 1;
            if self.bytes > BYTES_MAX {
                return false;
            }
            self.members.push(shown);
            self.last = Some(member.user.clone());
        }
        page.more && !page.members.is_empty()
    }

    /// Asks for the next page.
    pub fn ask(&self) -> ClientPacket {
        ClientPacket::GetMembers(GetMembers {
            request: self.request,
            group: self.group.clone(),
            which: self.which,
            after: self.last.clone(),
        })
    }

    /// What came.
    pub fn shown(&self) -> String {
        json::list(self.members.iter())
    }
}
