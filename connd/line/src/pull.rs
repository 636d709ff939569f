//! What is missing of groups is got behind the scenes, one page at a time.
//!
//! Owns when the next page is asked for. Must not know what is done with one.

use std::time::Duration;

use proto::client::{ClientPacket, GetHistory};
use proto::clock::Moment;
use proto::group::{Conversation, Range};
use proto::ids::GroupId;

use crate::groups::{Groups, MISSED_MAX};
use crate::turn::PATIENCE;

/// Between two pages: however fast a group is, the session's rate is not used up.
const REST: Duration = Duration::from_millis(100);

/// After a page that did not come.
const REST_AFTER_REFUSAL: Duration = Duration::from_secs(1);

/// What is under way.
#[derive(Debug)]
pub enum Pull {
    /// A page is.
    Asked {
        /// By this number.
        request: u32,
        /// Of this group.
        group: GroupId,
        /// It is given up then.
        until: Moment,
    },
    /// Nothing for a while.
    Rest {
        /// The last one was of this group.
        after: GroupId,
        /// The next one may be asked for then.
        until: Moment,
    },
}

impl Pull {
    /// Asks for what is missing, if something is.
    pub fn begin(
        groups: &Groups,
        after: Option<&GroupId>,
        request: u32,
        now: Moment,
    ) -> Option<(Self, ClientPacket)> {
        let (group, told) = groups.behind(after)?;
        let packet = ClientPacket::GetHistory(GetHistory {
            request,
            of: Conversation::Group(group.clone()),
            range: Range::After(told),
            count: MISSED_MAX as u32,
        });
        let until = now + PATIENCE;
        let asked = Self::Asked {
            request,
            group,
            until,
        };
        Some((asked, packet))
    }

    /// When to look at it.
    pub fn until(&self) -> Moment {
        match self {
            Self::Asked { until, .. } | Self::Rest { until, .. } => *until,
        }
    }

    /// The group, if the page of this number is awaited.
    pub fn awaits(&self, number: u32) -> Option<&GroupId> {
        match self {
            Self::Asked { request, group, .. } if *request == number => Some(group),
            _ => None,
        }
    }

    /// A page came, or none does.
    pub fn rest(group: GroupId, is_refused: bool, now: Moment) -> Self {
        let rest = if is_refused { REST_AFTER_REFUSAL } else { REST };
        Self::Rest {
            after: group,
            until: now + rest,
        }
    }
}
