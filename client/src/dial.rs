//! From a name to a connection.
//!
//! Owns in which order addresses are tried and how long. Must not know what is
//! said on a connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// How long a name may take to look up.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(10);

/// How long one address may take to connect.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// The most addresses tried before the next pause.
const ADDRESSES_MAX: usize = 16;

/// Connects to one of the addresses of `names`, each a `NAME:PORT`, with
/// commas between them; the one used last is tried last. Fails with what each
/// address said.
pub(crate) async fn dial(
    names: &str,
    last: Option<SocketAddr>,
) -> Result<(TcpStream, SocketAddr), String> {
    let mut failures = Vec::new();
    let mut addresses = Vec::new();
    for name_and_port in names.split(',') {
        match timeout(LOOKUP_PATIENCE, lookup_host(name_and_port)).await {
            Ok(Ok(found)) => addresses.extend(found),
            Ok(Err(error)) => failures.push(format!("{name_and_port}: {error}")),
            Err(_) => failures.push(format!("{name_and_port}: the look-up took too long")),
        }
    }
    for address in in_order(addresses, last) {
        match timeout(CONNECT_PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => match stream.set_nodelay(true) {
                Ok(()) => return Ok((stream, address)),
                Err(error) => failures.push(format!("{address}: {error}")),
            },
            Ok(Err(error)) => failures.push(format!("{address}: {error}")),
            Err(_) => failures.push(format!("{address}: no answer")),
        }
    }
    if failures.is_empty() {
        failures.push(format!("{names}: no address"));
    }
    Err(failures.join("; "))
}

/// Shuffled, so that many clients spread; the one used last at the end, since
/// it was just lost.
fn in_order(mut addresses: Vec<SocketAddr>, last: Option<SocketAddr>) -> Vec<SocketAddr> {
    fastrand::shuffle(&mut addresses);
    addresses.sort_by_key(|address| Some(*address) == last);
    addresses.truncate(ADDRESSES_MAX);
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shuffled_and_the_last_used_comes_last() {
        let address = |n: u8| SocketAddr::from(([127, 0, 0, n], 7100));
        let addresses: Vec<SocketAddr> = (1..=8).map(address).collect();
        let mut firsts = Vec::new();
        for _ in 0..200 {
            let order = in_order(addresses.clone(), Some(address(3)));
            assert_eq!(order.len(), 8);
            assert_eq!(order[7], address(3));
            firsts.push(order[0]);
        }
        firsts.sort();
        firsts.dedup();
        assert!(firsts.len() > 1);
    }

    #[tokio::test]
    async fn the_next_address_is_tried_and_failures_are_told() {
        let error = dial("127.0.0.1:1", None).await.unwrap_err();
        assert!(error.starts_with("127.0.0.1:1: "), "{error}");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // Where a name has an IPv6 address too, nobody listens there.
        let (stream, address) = dial(&format!("localhost:{port}"), None).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        // Of several names those that answer will do.
        let names = format!("127.0.0.1:1,127.0.0.1:{port}");
        for _ in 0..20 {
            let (_, address) = dial(&names, None).await.unwrap();
            assert_eq!(address.port(), port);
        }
    }
}
