//! Free ports.
//!
//! Owns which are given out. Must not know for what.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Result, bail};

/// Ports for listening: below those that the system gives to connections.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// Free ports of this machine, each given once.
#[derive(Default)]
pub struct Ports(Vec<u16>);

impl Ports {
    /// One more address of 127.0.0.1.
    pub fn next(&mut self) -> Result<SocketAddr> {
        for _ in 0..1_000 {
            let port = fastrand::u16(PORTS);
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            if !self.0.contains(&port) && TcpListener::bind(address).is_ok() {
                self.0.push(port);
                return Ok(address);
            }
        }
        bail!("no free port in {PORTS:?}")
    }
}
