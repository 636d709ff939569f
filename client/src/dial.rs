//! From a name to a connection.
//!
//! Owns in which order addresses are tried and how long. Must not know what is
//! said on a connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::stream::Stream;
use crate::tls::Tls;

/// How long a name may take to look up.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(10);

/// How long one address may take to connect.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// The most addresses tried before the next pause.
const ADDRESSES_MAX: usize = 16;

/// Where a session connects.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Each a `NAME:PORT`, with commas between them.
    pub(crate) names: String,
    /// None: plain.
    pub(crate) tls: Option<Tls>,
}

/// Connects to one of the addresses of a place; the one used last is tried
/// last. Fails with what each address said.
pub(crate) async fn dial(
    place: &Place,
    last: Option<SocketAddr>,
) -> Result<(Stream, SocketAddr), String> {
    let names = &place.names;
    let mut failures = Vec::new();
    let mut addresses = Vec::new();
    for name_and_port in names.split(',') {
        let host = name_and_port.rsplit_once(':').map_or("", |(host, _)| host);
        match timeout(LOOKUP_PATIENCE, lookup_host(name_and_port)).await {
            Ok(Ok(found)) => addresses.extend(found.map(|address| (address, host))),
            Ok(Err(error)) => failures.push(format!("{name_and_port}: {error}")),
            Err(_) => failures.push(format!("{name_and_port}: the look-up took too long")),
        }
    }
    for (address, host) in in_order(addresses, last) {
        let connecting = connect(address, host, place.tls.as_ref());
        match timeout(CONNECT_PATIENCE, connecting).await {
            Ok(Ok(stream)) => return Ok((stream, address)),
            Ok(Err(text)) => failures.push(format!("{address}: {text}")),
            Err(_) => failures.push(format!("{address}: no answer")),
        }
    }
    if failures.is_empty() {
        failures.push(format!("{names}: no address"));
    }
    Err(failures.join("; "))
}

async fn connect(address: SocketAddr, host: &str, tls: Option<&Tls>) -> Result<Stream, String> {
    let failed = |error: std::io::Error| error.to_string();
    let stream = TcpStream::connect(address).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let Some(tls) = tls else {
        return Ok(Stream::Plain(stream));
    };
    let secured = tls.connect(host, stream).await?;
    Ok(Stream::Secure(Box::new(secured)))
}

/// Shuffled, so that many clients spread; the one used last at the end, since
/// it was just lost.
fn in_order(
    mut addresses: Vec<(SocketAddr, &str)>,
    last: Option<SocketAddr>,
) -> Vec<(SocketAddr, &str)> {
    fastrand::shuffle(&mut addresses);
    addresses.sort_by_key(|(address, _)| Some(*address) == last);
    addresses.truncate(ADDRESSES_MAX);
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shuffled_and_the_last_used_comes_last() {
        let address = |n: u8| SocketAddr::from(([127, 0, 0, n], 7100));
        let addresses: Vec<_> = (1..=8).map(|n| (address(n), "chat")).collect();
        let mut firsts = Vec::new();
        for _ in 0..200 {
            let order = in_order(addresses.clone(), Some(address(3)));
            assert_eq!(order.len(), 8);
            assert_eq!(order[7].0, address(3));
            firsts.push(order[0]);
        }
        firsts.sort();
        firsts.dedup();
        assert!(firsts.len() > 1);
    }

    #[tokio::test]
    async fn the_next_address_is_tried_and_failures_are_told() {
        let plain = |names: &str| Place {
            names: names.to_owned(),
            tls: None,
        };
        let error = dial(&plain("127.0.0.1:1"), None).await.unwrap_err();
        assert!(error.starts_with("127.0.0.1:1: "), "{error}");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // Where a name has an IPv6 address too, nobody listens there.
        let name = plain(&format!("localhost:{port}"));
        let (stream, address) = dial(&name, None).await.unwrap();
        let Stream::Plain(stream) = stream else {
            panic!("no TLS was asked for");
        };
        assert_eq!(stream.peer_addr().unwrap(), address);
        // Of several names those that answer will do.
        let names = format!("127.0.0.1:1,127.0.0.1:{port}");
        for _ in 0..20 {
            let (_, address) = dial(&plain(&names), None).await.unwrap();
            assert_eq!(address.port(), port);
        }
    }
}
