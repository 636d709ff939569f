//! Where a Redis is, as an operator writes it.
//!
//! Owns the forms of a URL. Must not know how to connect.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The port of a server, and of a Sentinel.
const SERVER_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// How servers hang together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One server.
    Standalone,
    /// The servers of a Cluster; those named tell of the others.
    Cluster,
    /// Sentinels, which tell where the primary of this name is.
    Sentinel(String),
}

/// A server's host and port.
pub(crate) type Host = (String, u16);

/// Where a Redis is, and who connects.
///
/// - `redis://host:port`: one server;
/// - `redis+cluster://host:port,host:port`: a Cluster, some of its servers;
/// - `redis+sentinel://host:port,host:port/name`: the primary of this name, by
///   its Sentinels.
///
/// `rediss` in place of `redis` is TLS, to Sentinels as well. `user:password@`
/// may stand before the hosts, with `%` escapes; it is for the servers, not for
/// Sentinels. Ports may be left out. `/number` behind the host of a single
/// server is its database.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub(crate) layout: Layout,
    pub(crate) hosts: Vec<Host>,
    pub(crate) tls: bool,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Another scheme, or none.
    #[error("begins with none of redis://, rediss://, redis+cluster://, redis+sentinel://")]
    Scheme,
    /// No host, or one that is none, or a port that is none.
    #[error("has no host, or one with no valid port")]
    Host,
    /// More than one host for a single server.
    #[error("has several hosts; say redis+cluster:// or redis+sentinel://")]
    Hosts,
    /// Escapes that are none, or text that is no UTF-8.
    #[error("has a user or a password with a wrong % escape")]
    Escape,
    /// Something other behind the hosts than belongs there.
    #[error("has behind the hosts what is neither a database's number nor a primary's name")]
    Path,
}

impl Address {
    /// Whether both name the same data; who connects may differ.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let place = |address: &Self| {
            let mut hosts = address.hosts.clone();
            hosts.sort();
            (address.layout.clone(), hosts, address.database)
        };
        place(self) == place(other)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let (transport, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let tls = match transport {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err(AddressError::Scheme),
        };
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (login, rest),
            None => ("", rest),
        };
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut database = 0;
        let (layout, port) = match (kind, path) {
            ("", number) => {
                if !number.is_empty() {
                    database = number.parse().map_err(|_| AddressError::Path)?;
                }
                (Layout::Standalone, SERVER_PORT)
            }
            ("cluster", "") => (Layout::Cluster, SERVER_PORT),
            ("sentinel", name) if !name.is_empty() && !name.contains('/') => {
                (Layout::Sentinel(name.to_owned()), SENTINEL_PORT)
            }
            ("cluster" | "sentinel", _) => return Err(AddressError::Path),
            _ => return Err(AddressError::Scheme),
        };
        let hosts: Result<Vec<Host>, _> = hosts.split(',').map(|text| host(text, port)).collect();
        let hosts = hosts?;
        if layout == Layout::Standalone && hosts.len() > 1 {
            return Err(AddressError::Hosts);
        }
        Ok(Self {
            layout,
            hosts,
            tls,
            user: unescape(user)?,
            password: unescape(password)?,
            database,
        })
    }
}

fn host(text: &str, default_port: u16) -> Result<Host, AddressError> {
    // An IPv6 address stands in brackets.
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']').ok_or(AddressError::Host)?;
            match port.strip_prefix(':') {
                None if !port.is_empty() => return Err(AddressError::Host),
                port => (name, port),
            }
        }
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().map_err(|_| AddressError::Host)?,
        None => default_port,
    };
    if name.is_empty() || name.contains(char::is_whitespace) || port == 0 {
        return Err(AddressError::Host);
    }
    Ok((name.to_owned(), port))
}

/// `None` if it is empty.
fn unescape(text: &str) -> Result<Option<String>, AddressError> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).ok_or(AddressError::Escape)?;
        bytes.push(u8::from_str_radix(code, 16).map_err(|_| AddressError::Escape)?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    let text = String::from_utf8(bytes).map_err(|_| AddressError::Escape)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "rediss" } else { "redis" })?;
        f.write_str(match self.layout {
            Layout::Standalone => "://",
            Layout::Cluster => "+cluster://",
            Layout::Sentinel(_) => "+sentinel://",
        })?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        for (at, (host, port)) in self.hosts.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match host.contains(':') {
                true => write!(f, "{comma}[{host}]:{port}")?,
                false => write!(f, "{comma}{host}:{port}")?,
            }
        }
        match &self.layout {
            Layout::Sentinel(name) => write!(f, "/{name}"),
            _ if self.database != 0 => write!(f, "/{}", self.database),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_without_the_password() {
        for (text, shown) in [
            ("redis://127.0.0.1", "redis://127.0.0.1:6379"),
            ("rediss://box:7/3", "rediss://box:7/3"),
            ("redis://im:s%40cret@box", "redis://im@box:6379"),
            ("redis://:secret@[::1]:7", "redis://[::1]:7"),
            ("redis+cluster://a:1,b", "redis+cluster://a:1,b:6379"),
            (
                "rediss+sentinel://im:x@a,b:5/im",
                "rediss+sentinel://im@a:26379,b:5/im",
            ),
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.to_string(), shown);
        }
        let address: Address = "redis://im:s%40c%2Fret@box".parse().unwrap();
        assert_eq!(address.password.as_deref(), Some("s@c/ret"));
        let address: Address = "redis://:secret@box".parse().unwrap();
        assert_eq!((address.user, address.password.unwrap().len()), (None, 6));
    }

    #[test]
    fn what_is_no_address_says_why() {
        use AddressError::{Escape, Host, Hosts, Path, Scheme};
        for (text, error) in [
            ("", Scheme),
            ("data/msgd", Scheme),
            ("http://box", Scheme),
            ("redis+other://box", Scheme),
            ("redis://", Host),
            ("redis://box:none", Host),
            ("redis://box:0", Host),
            ("redis://[::1]7", Host),
            ("redis+cluster://a,,b", Host),
            ("redis://a,b", Hosts),
            ("redis://u:%4@box", Escape),
            ("redis://u:%zz@box", Escape),
            ("redis://box/name", Path),
            ("redis+cluster://a/3", Path),
            ("redis+sentinel://a", Path),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
    }
}
