//! Where things lie in Redis.
//!
//! Owns the names of keys. All keys of a slot have its number for a tag, so
//! that a Cluster has them on one server. Must not know what lies there.

use proto::ids::{GroupId, Incarnation, UserId};
use proto::slot::Slot;

/// No mailbox comes so far. What is beyond is damaged; below it there is room to
/// count on.
pub(super) const POSITION_MAX: u64 = u64::MAX / 2;

/// The keys of one slot.
#[derive(Debug, Clone)]
pub(crate) struct SlotKeys {
    /// Who holds the slot, under which token.
    pub(crate) slot: String,
}

impl SlotKeys {
    pub(crate) fn new(slot: Slot) -> Self {
        let slot = format!("im:{{{slot}}}");
        Self { slot }
    }

    /// What the next holder is to know.
    pub(crate) fn recent(&self) -> String {
        format!("{}:recent", self.slot)
    }

    /// The users who have a stream.
    pub(crate) fn mail(&self) -> String {
        format!("{}:mail", self.slot)
    }

    /// Where mailboxes without a stream end, and when users were last there.
    pub(crate) fn users(&self) -> String {
        format!("{}:users", self.slot)
    }

    /// What the keys of streams begin with.
    pub(crate) fn streams(&self) -> String {
        format!("{}:m:", self.slot)
    }

    /// A user's messages.
    pub(crate) fn stream(&self, user: &UserId) -> String {
        format!("{}:m:{user}", self.slot)
    }

    /// The groups that users belong to.
    pub(crate) fn groups(&self) -> String {
        format!("{}:groups", self.slot)
    }

    /// What a group is, and where its log begins and ends.
    pub(crate) fn group(&self, group: &GroupId) -> String {
        format!("{}:g:{group}", self.slot)
    }

    /// Whom a group knows.
    pub(crate) fn members(&self, group: &GroupId) -> String {
        format!("{}:gm:{group}", self.slot)
    }

    /// A group's log.
    pub(crate) fn log(&self, group: &GroupId) -> String {
        format!("{}:gl:{group}", self.slot)
    }

    /// A user's receipts.
    pub(crate) fn notes(&self, user: &UserId) -> String {
        format!("{}:n:{user}", self.slot)
    }
}

/// When an incarnation was last alive.
pub(crate) fn alive(shard: Incarnation) -> String {
    format!("im:alive:{shard}")
}

/// The id of the entry of a message: the token under which it was appended and
/// its position.
pub(crate) fn entry(token: u64, position: u64) -> String {
    format!("{token}-{position}")
}

/// The token and the position in an entry's id.
pub(crate) fn parse_entry(id: &[u8]) -> Option<(u64, u64)> {
    let (token, position) = std::str::from_utf8(id).ok()?.split_once('-')?;
    let position = position.parse().ok()?;
    (position <= POSITION_MAX).then_some((token.parse().ok()?, position))
}

/// The id of an entry of a log: its number.
pub(crate) fn log_entry(seq: u64) -> String {
    format!("{seq}-0")
}

/// The number in the id of an entry of a log.
pub(super) fn parse_seq(id: &[u8]) -> Option<u64> {
    let (seq, zero) = std::str::from_utf8(id).ok()?.split_once('-')?;
    (zero == "0").then(|| seq.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_a_token_and_a_position_that_can_be() {
        assert_eq!(parse_entry(entry(7, 12).as_bytes()), Some((7, 12)));
        assert_eq!(parse_entry(b"7"), None);
        let beyond = entry(1, u64::MAX);
        assert_eq!(parse_entry(beyond.as_bytes()), None);
        assert_eq!(parse_seq(log_entry(12).as_bytes()), Some(12));
        assert_eq!(parse_seq(entry(7, 12).as_bytes()), None);
    }
}
