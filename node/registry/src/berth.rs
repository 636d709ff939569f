//! Where a process is, so that nobody else can be there at the same time.
//!
//! Owns what proves that. Must not know what runs there.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;

use crate::look::Berth;

/// Another one after each start of a machine, the same in all its containers.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// The network that this process sees; containers have their own.
const NETWORK: &str = "/proc/self/ns/net";

/// The berth of a process that listens there. Where the port, or the system's
/// machine and network, are not known, every start has another.
pub fn at(listens: SocketAddr) -> Berth {
    let boot = fs::read(BOOT).ok();
    let network = fs::read_link(NETWORK).ok();
    let Some(place) = boot.zip(network).filter(|_| listens.port() > 0) else {
        return Berth(fastrand::u64(..));
    };
    // Only processes of one build need to agree: who does not is waited for.
    let mut hasher = DefaultHasher::new();
    (place, listens).hash(&mut hasher);
    Berth(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_is_another_and_a_port_the_same() {
        let at = |address: &str| at(address.parse().unwrap());
        assert_eq!(at("127.0.0.1:7200"), at("127.0.0.1:7200"));
        assert_ne!(at("127.0.0.1:7200"), at("127.0.0.1:7201"));
        assert_ne!(at("127.0.0.1:7200"), at("127.0.0.2:7200"));
    }
}
