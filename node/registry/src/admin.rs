//! Where operators reach a daemon, as the registry has it.
//!
//! Owns how that is written. Must not know how it is asked.

use std::fmt;
use std::net::SocketAddr;

/// Between a loopback address and the machine that has it.
const ON: &str = " on ";

/// An admin address, and on which machine, if no other reaches it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AdminAt {
    /// `HOST:PORT`; with `https://` before it the port speaks TLS.
    pub address: String,
    /// The machine; `None`: any reaches it.
    pub host: Option<String>,
}

impl AdminAt {
    /// An address of this machine.
    pub fn here(address: String) -> Self {
        let is_loopback = |at: SocketAddr| at.ip().is_loopback();
        let is_loopback = address.parse().is_ok_and(is_loopback);
        Self {
            address,
            host: Some(node::host::name()).filter(|name| is_loopback && !name.is_empty()),
        }
    }

    /// As the registry has it.
    pub fn read(entry: &str) -> Self {
        let (address, host) = match entry.split_once(ON) {
            Some((address, host)) => (address, Some(host.to_owned())),
            None => (entry, None),
        };
        Self {
            address: address.to_owned(),
            host,
        }
    }

    /// Whether this machine reaches it.
    pub fn is_reached(&self) -> bool {
        self.host
            .as_ref()
            .is_none_or(|host| *host == node::host::name())
    }
}

impl fmt::Display for AdminAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(f, "{}{ON}{host}", self.address),
            None => f.write_str(&self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_address_is_that_of_one_machine() {
        for (address, is_of_one) in [
            ("127.0.0.1:7190", true),
            ("[::1]:7190", true),
            ("10.0.0.7:7190", false),
            ("https://127.0.0.1:7190", false),
            ("https://msgd.example:7190", false),
        ] {
            let here = AdminAt::here(address.to_owned());
            assert_eq!(here.host.is_some(), is_of_one, "{address}");
            assert!(here.is_reached(), "{address}");
            assert_eq!(AdminAt::read(&here.to_string()), here);
        }
        let elsewhere = AdminAt::read("127.0.0.1:7190 on no-such-machine");
        assert_eq!(elsewhere.address, "127.0.0.1:7190");
        assert!(!elsewhere.is_reached());
    }
}
