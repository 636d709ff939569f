//! The admin port as a scraper and a health checker see it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use node::admin::{Admin, AdminError, CONNECTION_TIME, CONNECTIONS_MAX, Readiness, Ready};
use node::metrics::Metrics;
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tonic::service::Routes;

#[tokio::test]
async fn figures_are_shown() {
    let stage = Stage::set().await;
    stage.sent.inc_by(3);
    let answer = stage.get("/metrics").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{answer}"
    );
    assert!(answer.contains("\nim_sent_total 3\n"), "{answer}");
    assert!(answer.ends_with("# EOF\n"), "{answer}");
}

#[tokio::test]
async fn readiness_follows_the_daemon_and_health_does_not() {
    let stage = Stage::set().await;
    let answer = stage.get("/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.ends_with("not ready: no slots yet\n"), "{answer}");
    assert!(stage.get("/healthz").await.starts_with("HTTP/1.1 200 "));
    stage.ready.store(true, Ordering::SeqCst);
    assert!(stage.get("/readyz").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let stage = Stage::set().await;
    let answer = stage.get("/secrets").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    let answer = stage.ask("POST /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    let answer = stage.ask("\u{1}\u{2}\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let long = format!("GET /healthz HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(7000));
    assert!(stage.ask(&long).await.starts_with("HTTP/1.1 200 "));
    let longer = format!("GET /{} HTTP/1.1\r\n", "y".repeat(8200));
    let answer = stage.ask(&longer).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

/// The preface of HTTP/2, and an empty frame of settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn garbage_behind_the_preface_ends_its_connection_alone() {
    let stage = Stage::set().await;
    // No frame: 16 MiB of an unknown kind; a stream that nobody opened; a
    // block of heads that is none.
    for garbage in [
        &[0xff; 64][..],
        b"\0\0\x04\x03\0\0\0\0\x07\0\0\0\x08",
        b"\0\0\x04\x01\x05\0\0\0\x01\xff\xff\xff\xff",
    ] {
        let mut stream = TcpStream::connect(stage.address).await.unwrap();
        stream.write_all(PREFACE).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        let mut answer = Vec::new();
        // The close may come as a reset: what was sent is not all read.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1"), "{answer:?}");
    }
    assert!(stage.get("/healthz").await.starts_with("HTTP/1.1 200 "));
}

/// Time is simulated.
#[tokio::test(start_paused = true)]
async fn who_says_nothing_behind_the_preface_goes_as_the_silent_do() {
    let stage = Stage::set().await;
    let began = Instant::now();
    let mut streams = Vec::new();
    for begin in [PREFACE, &PREFACE[..3], b"GET /healthz HTTP/1.1\r\n"] {
        let mut stream = TcpStream::connect(stage.address).await.unwrap();
        stream.write_all(begin).await.unwrap();
        streams.push(stream);
    }
    for mut stream in streams {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
    }
    assert!(began.elapsed() >= CONNECTION_TIME);
    assert!(began.elapsed() < 2 * CONNECTION_TIME);
}

/// Time is simulated: it jumps ahead when everybody waits.
#[tokio::test(start_paused = true)]
async fn the_silent_keep_others_waiting_only_so_long() {
    let stage = Stage::set().await;
    let mut silent = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        silent.push(TcpStream::connect(stage.address).await.unwrap());
    }
    let began = Instant::now();
    let answer = stage.get("/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(began.elapsed() >= CONNECTION_TIME);
}

#[tokio::test]
async fn only_loopback_is_served() {
    let address = "0.0.0.0:0".parse().unwrap();
    let refused = Admin::bind(
        (address, None),
        Metrics::default(),
        ready(),
        Routes::default(),
    )
    .await;
    let refused = refused.err().unwrap();
    assert!(matches!(refused, AdminError::NotLoopback(_)), "{refused}");
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let stage = Stage::set().await;
    let (metrics, routes) = (Metrics::default(), Routes::default());
    let refused = Admin::bind((stage.address, None), metrics, ready(), routes).await;
    let text = refused.err().unwrap().to_string();
    assert!(text.contains(&stage.address.to_string()), "{text}");
}

fn ready() -> Ready {
    Arc::new(|| Readiness::Ready)
}

struct Stage {
    address: SocketAddr,
    sent: Counter,
    ready: Arc<AtomicBool>,
}

impl Stage {
    async fn set() -> Self {
        let metrics = Metrics::default();
        let sent = Counter::default();
        metrics.register(|registry| registry.register("sent", "Messages sent", sent.clone()));
        let ready = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&ready);
        let told = Arc::new(move || {
            if asked.load(Ordering::SeqCst) {
                Readiness::Ready
            } else {
                Readiness::NotReady("no slots yet".to_owned())
            }
        });
        let address = "127.0.0.1:0".parse().unwrap();
        let admin = Admin::bind((address, None), metrics, told, Routes::default());
        let admin = admin.await.unwrap();
        let address = admin.address();
        tokio::spawn(admin.serve());
        Self {
            address,
            sent,
            ready,
        }
    }

    async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"))
            .await
    }

    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}
