//! Asks the admin port of a daemon.
//!
//! Owns the little HTTP that this needs. Must not know which daemon it is.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

const PATIENCE: Duration = Duration::from_secs(5);
/// A page is a few kilobytes.
const PAGE_BYTES_MAX: u64 = 4 << 20;

/// Whether the daemon says that it serves; `false` also while its port is not
/// open.
pub fn is_ready(address: SocketAddr) -> bool {
    get(address, "/readyz").is_ok()
}

/// The sum of a counter over all its labels; `None` if the daemon does not
/// count it. The name goes without prefix.
pub fn counter(address: SocketAddr, name: &str) -> Result<Option<u64>> {
    let page = get(address, "/metrics").with_context(|| format!("metrics at {address}"))?;
    Ok(sum(&page, name))
}

fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(PAGE_BYTES_MAX).read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.lines().next().unwrap_or_default();
    ensure!(status.starts_with("HTTP/1.1 200"), "{status}");
    Ok(body.to_owned())
}

fn sum(page: &str, name: &str) -> Option<u64> {
    let values: Vec<u64> = page
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let bare = series.split('{').next()?;
            let ours = bare == name || bare.strip_suffix(name)?.ends_with('_');
            ours.then(|| value.parse::<f64>().ok().map(|v| v as u64))?
        })
        .collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_summed_over_its_labels() {
        let page = "# HELP im_friendd_requests Lists asked for.\n\
                    # TYPE im_friendd_requests counter\n\
                    im_friendd_requests_total{shard=\"a\"} 7\n\
                    im_friendd_requests_total{shard=\"b\"} 5\n\
                    im_unfriendd_requests_total 100\n\
                    im_friendd_requests_total_ms 9\n# EOF\n";
        assert_eq!(sum(page, "friendd_requests_total"), Some(12));
        assert_eq!(sum(page, "logins_total"), None);
    }
}
