//! Every code that a client can see, in one table.
//!
//! Owns the numbers, their texts and what a client does next. Must not know
//! who raises them.

use std::fmt;

/// What a client does after a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Next {
    /// The request or message is refused for good; the session goes on.
    Final,
    /// The same request, or the message with the same id, may be sent again
    /// later; the session goes on.
    Again,
    /// The session is closed; come back with back-off.
    ComeBack,
    /// The session is closed; come back with a fresh token.
    FreshToken,
    /// The session is closed; do not come back without a person's doing.
    StayAway,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $next:ident, $text:literal;)*) => {
        /// A code that clients see. Numbers are never given twice.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, ascending.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number on the wire.
            pub const fn number(self) -> u32 {
                match self { $(Self::$name => $number,)* }
            }

            /// What the client does next.
            pub const fn next(self) -> Next {
                match self { $(Self::$name => Next::$next,)* }
            }

            /// What a refusal by this code is to a message that was sent before:
            /// an earlier copy may have come through, so it is none for good.
            pub const fn of_a_repeat(self) -> Self {
                match self {
                    Self::WindowExceeded | Self::RateExceeded => Self::TooMany,
                    _ => Self::TooOld,
                }
            }

            /// One sentence for people.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The code of a number, `None` for one not in the table.
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

codes! {
    /// Neither a friend nor is the cluster open to strangers.
    NotFriends = 101, Final, "you are not friends";
    /// The recipient takes nothing from the sender.
    Blocked = 102, Final, "the recipient does not take messages from you";
    /// The body is above the limit that the log-in answer named.
    BodyTooLarge = 103, Final, "the body is too large";
    /// More is unanswered than the granted window holds.
    WindowExceeded = 104, Final, "too many messages are unanswered";
    /// More messages than the rate allows.
    RateExceeded = 105, Final, "too many messages in a short time";
    /// The filter refused it.
    Filtered = 106, Final, "the message was refused by a filter";
    /// The recipient's mailbox is at its bound.
    MailboxFull = 107, Final, "the recipient's mailbox is full";
    /// Minted more than a minute ahead of the server's clock.
    MintedAhead = 108, Final, "the message's id lies in the future";
    /// The id was used for another message of this sender.
    IdReused = 109, Final, "the id was used for another message";
    /// Not an id of the alphabet and length.
    InvalidId = 110, Final, "not a valid id";
    /// There is no request to accept or decline.
    NoRequest = 121, Final, "there is no such request";
    /// A friend list is at its bound.
    ListFull = 122, Final, "a friend list is full";
    /// Nobody is their own friend.
    OwnSelf = 123, Final, "this is yourself";
    /// No device of that name is logged in.
    NoDevice = 124, Final, "no such device is logged in";

    /// No group has this id.
    NoGroup = 131, Final, "there is no such group";
    /// Another group has this id.
    GroupExists = 132, Final, "there is a group of this name";
    /// Only members may.
    NotMember = 133, Final, "you are not a member of this group";
    /// A role above the actor's is needed.
    NotAllowed = 134, Final, "your role in the group does not allow it";
    /// The group is joined by invitation, and none is there.
    NotInvited = 135, Final, "one comes into this group by invitation";
    /// Asked for; an admin decides.
    Applied = 136, Final, "you have asked to be admitted; an admin decides";
    /// The group has as many members as it may.
    GroupFull = 137, Final, "the group is full";
    /// The user is in as many groups as one may be.
    TooManyGroups = 138, Final, "you are in too many groups";
    /// The actor is banned.
    Banned = 139, Final, "you are banned from this group";
    /// The sender is muted.
    Muted = 140, Final, "you are muted in this group";
    /// The owner must hand the group over first, or dissolve it.
    OwnerStays = 141, Final, "hand the group over first, or dissolve it";
    /// The other is not what the action needs: a member, an applicant, banned.
    NoSuchMember = 142, Final, "this user is not among those it could be done to";
    /// No history of conversations between two is kept.
    NoHistory = 143, Final, "no history is kept of this";

    /// No answer within `send.patience`; it may or may not have arrived.
    FateUnknown = 201, Again, "no answer in time; the message's fate is unknown";
    /// Older than what the shard remembers of its recipient's messages, or sent
    /// before and refused now for what is the same in each copy.
    TooOld = 202, Again, "it is not known any more what became of it";
    /// The friend service did not answer within `friends.patience`.
    FriendsUnavailable = 203, Again, "the friend service does not answer";
    /// The store did not take it.
    StoreUnavailable = 204, Again, "the store does not take it";
    /// A bound is met; a moment later there is room.
    Busy = 205, Again, "too busy at the moment";
    /// A message that was sent before, while the window or the rate has no room
    /// for it: what 104 or 105 is to a first copy.
    TooMany = 206, Again, "too many messages at the moment";

    /// The server stops.
    Stopping = 301, ComeBack, "the server stops";
    /// Nothing was heard for the time that the heartbeat allows.
    Silent = 302, ComeBack, "nothing was heard from you";
    /// The user's shard cannot be reached.
    ShardUnavailable = 303, ComeBack, "your shard cannot be reached";
    /// What was sent is not read.
    SlowReader = 304, ComeBack, "you read too slowly";
    /// More log-ins or connections than the server takes at the moment.
    Overloaded = 305, ComeBack, "too many log-ins at the moment";
    /// No log-in within the time for it.
    LoginTimeout = 306, ComeBack, "no log-in in time";

    /// The token's `exp` has passed.
    TokenExpired = 351, FreshToken, "the token has expired";

    /// A frame above the limit.
    FrameTooLarge = 401, StayAway, "a frame is too large";
    /// Bytes that are no packet, or a packet out of place.
    Malformed = 402, StayAway, "not a valid packet";
    /// No version in common.
    VersionUnsupported = 403, StayAway, "no version in common";
    /// Something came before the log-in.
    LoginRequired = 404, StayAway, "log in first";
    /// The token is missing, forged, or of an unknown key.
    TokenInvalid = 405, StayAway, "the token is not valid";
    /// The same device logged in elsewhere.
    Replaced = 406, StayAway, "this device logged in elsewhere";
    /// The user has too many sessions.
    TooManySessions = 407, StayAway, "too many sessions of this user";
    /// The window was exceeded again and again.
    WindowAbused = 408, StayAway, "the window was exceeded again and again";
    /// More connections from one address than allowed.
    TooManyConnections = 409, StayAway, "too many connections from your address";
    /// Another device of the user ended it, or an operator.
    Ended = 410, StayAway, "ended by another device of yours, or by an operator";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number(), self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_and_their_hundreds_tell_what_to_do() {
        assert!(Code::ALL.windows(2).all(|w| w[0].number() < w[1].number()));
        for code in Code::ALL {
            let next = match code.number() {
                100..200 => Next::Final,
                200..300 => Next::Again,
                300..350 => Next::ComeBack,
                350..400 => Next::FreshToken,
                _ => Next::StayAway,
            };
            assert_eq!(code.next(), next, "{code}");
            assert_eq!(Code::from_number(code.number()), Some(*code));
        }
    }
}
