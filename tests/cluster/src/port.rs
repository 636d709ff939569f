//! Free ports of this machine.
//!
//! Owns which port a daemon of a test gets. A port stays reserved while its
//! daemon is down between two starts: a socket that does not listen holds it.
//! Must not know who listens.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// Below the ports that the system gives to connections.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// A port of the loopback address that no other test takes while this lives.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    _holder: Socket,
}

impl Port {
    /// Takes a free one.
    ///
    /// # Panics
    /// There is none.
    pub fn take() -> Self {
        for _ in 0..1_000 {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(PORTS)));
            let holder = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            if holder.bind(&address.into()).is_ok() {
                // From now on it lets in who says the same, as daemons do; who
                // looks for a free port does not say it yet.
                holder.set_reuse_address(true).expect("an option");
                return Self {
                    address,
                    _holder: holder,
                };
            }
        }
        panic!("no free port in {PORTS:?}");
    }

    /// The address to listen on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_port_is_the_holders_and_a_daemon_may_listen_on_it_again_and_again() {
        let port = Port::take();
        let other = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        assert!(other.bind(&port.address().into()).is_err());
        for _ in 0..2 {
            // Says what daemons say.
            let daemon = TcpListener::bind(port.address()).unwrap();
            assert!(TcpListener::bind(port.address()).is_err());
            drop(daemon);
        }
    }
}
