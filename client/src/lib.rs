//! The Rust SDK: a session with the cluster that comes back by itself.
//!
//! [`Client::connect`] gives a [`Client`] to ask with and the [`Events`] to
//! hear by. A message's [`SendHandle`] resolves to its [`Fate`]: delivered to a
//! device, stored, rejected for good, or unknown. What is unanswered is sent
//! again after a reconnect with the same id, and what comes twice is shown
//! once. A message is acknowledged only when the application has taken it.
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
mod lease;
mod session;
mod settings;
mod shared;
mod stream;
mod tls;

pub use crate::client::{Client, SendHandle};
pub use crate::events::Events;
pub use crate::session::{
    Account, ChangeError, Confirmation, Connected, Credentials, Event, Fate, Message, Reason,
    RequestError, SendError, TOKEN_BYTES_MAX,
};
pub use crate::settings::{AddressError, SeenStore, Settings};
pub use crate::tls::{Tls, TlsError};

// What the SDK's own types are made of, so that an application needs no second
// crate for them.
pub use proto::client::{Read, TRANSIENT_TYPING, Transient};
pub use proto::codes::{Code, Next};
pub use proto::friends::{FriendAction, FriendEntry, FriendList, ListHash, ListVersion, Relation};
pub use proto::ids::{DeviceId, IdError, Identity, MessageId, SessionId, Stamp, UserId};
pub use proto::server::{
    Carbon, DeviceEntry, Did, Outcome, Receipt, ReceiptKind, Sent, SentElsewhere, TransientFrom,
};
pub use proto::status::{Availability, PeerStatus, Status};
