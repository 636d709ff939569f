//! What an application says once, before it connects.
//!
//! Owns the settings and their checks. Must not know a running session.

use std::fmt;
use std::time::Duration;

use proto::ids::{DeviceId, Identity, UserId};
use proto::status::Status;

use crate::session::{Account, Confirmation, Credentials};
use crate::tls::Tls;

/// The heartbeat that is asked for by default.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A store of the application for the identities of messages that it has shown,
/// so that each is shown once over a restart too.
///
/// Both methods are called on the runtime's threads while the session is held:
/// they must be quick. A store may forget all but the newest few thousand, by
/// their number and not by their age: a message whose acknowledgement was lost
/// comes again on the next connection, whenever that is.
pub trait SeenStore: Send + 'static {
    /// Whether this message was shown.
    fn contains(&mut self, identity: &Identity) -> bool;

    /// The application has taken this message. The server is told right after,
    /// so this returns when the identity is as durable as it needs to be.
    fn remember(&mut self, identity: &Identity);
}

/// What an application says once, before it connects.
pub struct Settings {
    /// `NAME:PORT`, or several with commas between them. All addresses of all
    /// names are tried, in random order.
    pub address: String,
    /// None: plain, for a server on this machine or behind something else that
    /// keeps others from reading along.
    pub tls: Option<Tls>,
    /// Who logs in.
    pub account: Account,
    /// How messages count as taken.
    pub confirmation: Confirmation,
    /// Which messages were shown, over a restart. Without one 'shown once'
    /// holds for the life of the process.
    pub seen: Option<Box<dyn SeenStore>>,
}

impl Settings {
    /// Logs in by name, at a server in open mode.
    pub fn open(address: impl Into<String>, user: UserId, device: DeviceId) -> Self {
        Self::new(address.into(), Credentials::Open(user), Some(device))
    }

    /// Logs in with a signed token. The device may be named by the token.
    pub fn token(
        address: impl Into<String>,
        token: impl Into<String>,
        device: Option<DeviceId>,
    ) -> Self {
        Self::new(address.into(), Credentials::Token(token.into()), device)
    }

    fn new(address: String, credentials: Credentials, device: Option<DeviceId>) -> Self {
        Self {
            address,
            tls: None,
            account: Account {
                credentials,
                device,
                status: Some(Status::online()),
                heartbeat: HEARTBEAT,
            },
            confirmation: Confirmation::default(),
            seen: None,
        }
    }

    /// Whether each address is one; names are looked up later.
    pub(crate) fn check(&self) -> Result<(), AddressError> {
        self.address.split(',').try_for_each(check)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address)
            .field("tls", &self.tls)
            .field("account", &self.account)
            .field("confirmation", &self.confirmation)
            .field("seen", &self.seen.is_some())
            .finish()
    }
}

fn check(address: &str) -> Result<(), AddressError> {
    let wrong = || AddressError(address.to_owned());
    let (name, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let port: u16 = port.parse().map_err(|_| wrong())?;
    if name.is_empty() || port == 0 {
        return Err(wrong());
    }
    Ok(())
}

/// An address that is none. The application must give another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not NAME:PORT")]
pub struct AddressError(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_and_a_port() {
        let check = |address: &str| Settings::token(address, "", None).check();
        let several = "127.0.0.1:7100,127.0.0.2:7100";
        for good in ["chat.example:7100", "127.0.0.1:1", "[::1]:7100", several] {
            assert_eq!(check(good), Ok(()));
        }
        for bad in ["", "chat.example", ":7100", "a:0", "a:70000", "a:b"] {
            assert_eq!(check(bad), Err(AddressError(bad.into())));
            assert_eq!(check(&format!("a:1,{bad}")), Err(AddressError(bad.into())));
        }
    }
}
