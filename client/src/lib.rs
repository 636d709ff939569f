//! The Rust SDK: a session with the cluster that comes back by itself.
//!
//! [`Client::connect`] gives a [`Client`] to ask with and the [`Events`] to
//! hear by. A message's [`SendHandle`] resolves to its [`Fate`]: delivered to a
//! device, stored, rejected for good, or unknown. What is unanswered is sent
//! again after a reconnect with the same id, and what comes twice is shown
//! once. A message is acknowledged only when the application has taken it.
//!
//! In groups [`Client::send_to_group`] writes, [`Client::change_group`] does
//! everything else, and [`Event::GroupEntry`] brings what others wrote and did:
//! each entry of a group's log once, in order, over reconnects too. What a
//! slow reader or a lost connection left out is fetched by itself; where that
//! is too much [`Event::GroupSkipped`] says so.
//!
//! 'Shown once' holds for the life of the process; over a restart it needs a
//! [`SeenStore`].
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use client::{Client, Event, Settings};
//!
//! let settings = Settings::open("localhost:7100", "ann".parse()?, "laptop".parse()?);
//! let (client, mut events) = Client::connect(settings)?;
//! let fate = client.send(&"ben".parse()?, "see you at six").await?.await;
//! println!("{fate:?}");
//! while let Some(event) = events.next().await {
//!     if let Event::Message(message) = event {
//!         println!("{}: {:?}", message.from, message.body);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The session's rules are a state machine without I/O (`session`); around it
//! one task moves bytes (`driver`), on a current-thread or a multi-thread
//! runtime of tokio.

mod client;
mod dial;
mod driver;
mod events;
mod groups;
mod lease;
mod session;
mod settings;
mod shared;
mod stream;
mod tls;

pub use crate::client::{Client, SendHandle};
pub use crate::events::Events;
pub use crate::session::{
    Account, ChangeError, Confirmation, Connected, Credentials, Event, Fate, Group, GroupEntry,
    GroupSkipped, Message, Reason, RequestError, SendError, TOKEN_BYTES_MAX,
};
pub use crate::settings::{AddressError, SeenStore, Settings};
pub use crate::tls::{Tls, TlsError};

// What the SDK's own types are made of, so that an application needs no second
// crate for them.
pub use proto::client::{GroupRead, GroupTransient, Read, TRANSIENT_TYPING, Transient};
pub use proto::codes::{Code, Next};
pub use proto::friends::{FriendAction, FriendEntry, FriendList, ListHash, ListVersion, Relation};
pub use proto::group::{
    Action, Conversation, Entrance, FOR_EVER, GroupState, Head, LogEntry, Logged, MemberEntry,
    Mentions, Place, Range, ReadTo, Role, Standing, Which,
};
pub use proto::ids::{
    DeviceId, GroupId, IdError, Identity, LogEpoch, MessageId, SessionId, Stamp, UserId,
};
pub use proto::limits::{MENTIONS_MAX, PAGE_MAX};
pub use proto::server::{
    Carbon, DeviceEntry, Did, GroupTransientFrom, History, Members, Outcome, Receipt, ReceiptKind,
    Sent, SentElsewhere, TransientFrom,
};
pub use proto::status::{Availability, PeerStatus, Status};
