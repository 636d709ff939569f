//! Names of users, devices, messages, sessions, gateways and shards.
//!
//! Owns what a valid id is. Must not know what any of them does.

use std::fmt;

use smol_str::SmolStr;
use uuid::Uuid;

/// The longest user, device, group or shard id, in bytes.
pub const ID_BYTES_MAX: usize = 64;

/// Why bytes are not an id. The client must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty, or longer than [`ID_BYTES_MAX`].
    #[error("an id has 1 to {ID_BYTES_MAX} bytes, this one has {0}")]
    Length(usize),
    /// A byte outside `[A-Za-z0-9._@-]`.
    #[error("an id is made of A-Z a-z 0-9 . _ @ -, not byte 0x{0:02x}")]
    Byte(u8),
}

fn checked(bytes: &[u8]) -> Result<SmolStr, IdError> {
    if bytes.is_empty() || bytes.len() > ID_BYTES_MAX {
        return Err(IdError::Length(bytes.len()));
    }
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@' | b'-');
    if let Some(wrong) = bytes.iter().find(|b| !allowed(b)) {
        return Err(IdError::Byte(*wrong));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| IdError::Byte(0x80))?;
    Ok(SmolStr::new(text))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(SmolStr);

        impl $name {
            /// Checks the length and every byte.
            pub fn new(text: impl AsRef<[u8]>) -> Result<Self, IdError> {
                checked(text.as_ref()).map(Self)
            }

            /// The id as text; it is always ASCII.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The id's bytes, as they are compared and hashed.
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
    };
}

text_id! {
    /// A user: 1 to 64 bytes of `[A-Za-z0-9._@-]`, compared bytewise.
    UserId
}
text_id! {
    /// A device of one user: the same alphabet and length as [`UserId`].
    DeviceId
}
text_id! {
    /// A group: the same alphabet and length as [`UserId`], and a space of its
    /// own: a user and a group may have the same.
    GroupId
}
text_id! {
    /// A shard's name, its place on the ring.
    ShardId
}

/// A message's id: 16 bytes minted by the sending client, a UUID version 7.
///
/// With the sender's [`UserId`] it is the message's identity everywhere. Its
/// first 48 bits are the milliseconds since 1970 at which it was minted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId([u8; 16]);

impl MessageId {
    /// Wraps 16 bytes; any bytes are an id.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// `None` unless there are exactly 16 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Builds an id from the time of minting and 10 random bytes.
    pub fn mint(unix_ms: u64, random: [u8; 10]) -> Self {
        Self(
            *uuid::Builder::from_unix_timestamp_millis(unix_ms, &random)
                .into_uuid()
                .as_bytes(),
        )
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// When it was minted, in milliseconds since 1970 by the minter's clock.
    pub fn minted_ms(&self) -> u64 {
        let mut high = [0; 8];
        high[2..].copy_from_slice(&self.0[..6]);
        u64::from_be_bytes(high)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).fmt(f)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Who a message is, everywhere in the cluster: its sender and its id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The sender.
    pub from: UserId,
    /// The sender's id for it.
    pub id: MessageId,
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:x}", self.0)
            }
        }
    };
}

number_id! {
    /// One client connection of one gateway; never used twice by it.
    SessionId
}
number_id! {
    /// One start of one gateway (its boot id); a restart is another gateway.
    GatewayId
}
number_id! {
    /// One start of one shard; a shard that lost its lease is another one.
    Incarnation
}
number_id! {
    /// Raised with every claim of a slot: an older token may write nothing.
    Token
}
number_id! {
    /// The number of a ring. Rings only go forward.
    Epoch
}

number_id! {
    /// Which of the logs that a group of one name had: a later one is higher.
    LogEpoch
}

/// Which of two log-ins of a user is the later, given by the shard that first
/// accepted it: clocks of gateways differ, claims and counts do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoginOrder {
    /// Of the shard's claim.
    pub token: Token,
    /// The shard's count.
    pub number: u64,
}

/// A session, anywhere in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionRef {
    /// The gateway that holds the connection.
    pub gateway: GatewayId,
    /// The gateway's number for it.
    pub session: SessionId,
}

/// When a shard accepted a message: microseconds since 1970, never going back
/// at one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Stamp(pub u64);

impl Stamp {
    /// Whole milliseconds since 1970.
    pub fn as_ms(self) -> u64 {
        self.0 / 1000
    }
}

/// Rises each time a session's window is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Generation(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked() {
        assert!(UserId::new("Ann.o_n@example-1").is_ok());
        assert_eq!(UserId::new(""), Err(IdError::Length(0)));
        assert_eq!(UserId::new("a".repeat(65)), Err(IdError::Length(65)));
        assert_eq!(UserId::new("a b"), Err(IdError::Byte(b' ')));
        assert_eq!(UserId::new("ä"), Err(IdError::Byte(0xc3)));
    }

    #[test]
    fn a_message_id_tells_when_it_was_minted() {
        let id = MessageId::mint(1_795_000_000_123, [0xff; 10]);
        assert_eq!(id.minted_ms(), 1_795_000_000_123);
        assert_eq!(id.as_bytes()[6] >> 4, 7);
    }
}
