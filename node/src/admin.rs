//! The admin port: `GET /metrics`, `/healthz`, `/readyz`, and the daemon's gRPC
//! service for operators.
//!
//! Owns: its listener and connections. Must not know: what makes the daemon
//! ready, what its figures mean, what an operator asks.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::service::{Service, service_fn};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::body::Body;
use tonic::service::Routes;

use crate::metrics::Metrics;
use crate::secure::Secure;

/// Connections served at once; more wait to be accepted.
pub const CONNECTIONS_MAX: usize = 16;
/// A connection is for one request, or a few questions of an operator, and
/// lives no longer than this.
pub const CONNECTION_TIME: Duration = Duration::from_secs(10);
/// Bytes of a request's head at most; hyper allows no less.
const HEAD_BYTES_MAX: u16 = 8 * 1024;
/// Questions at once on a connection.
const QUESTIONS_MAX: u32 = 4;
/// Bytes of a question that nobody has read yet.
const QUESTION_WINDOW: u32 = 16 * 1024;
/// Rest after a failed accept (no file left): such errors repeat at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Whether a daemon should be sent work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It serves.
    Ready,
    /// It does not, or not yet, and why.
    NotReady(String),
}

/// An admin port that cannot be opened. The operator must act.
#[derive(Debug, Error)]
pub enum AdminError {
    /// Everybody who reaches a port without TLS may read it, so it stays on the
    /// machine.
    #[error("admin address {0} is not a loopback address, which needs TLS")]
    NotLoopback(SocketAddr),
    /// It cannot speak TLS with these certificates.
    #[error("admin address: {0}")]
    Certificates(#[from] rustls::Error),
    /// The system does not give the address.
    #[error("admin address {address}: {source}")]
    Bind {
        /// As given.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// An open admin port.
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
    secure: Option<Secure>,
    pages: Arc<Pages>,
}

struct Pages {
    metrics: Metrics,
    ready: Ready,
    routes: Routes,
}

/// Whether the daemon is ready, at this moment; it must not wait.
pub type Ready = Arc<dyn Fn() -> Readiness + Send + Sync>;

impl Admin {
    /// Opens the port; port 0 takes a free one. `ready` is asked at each
    /// `GET /readyz`; `routes` has the service for operators. With `secure`
    /// nothing but TLS is spoken there.
    ///
    /// # Errors
    /// The address is taken, or neither loopback nor secure.
    pub async fn bind(
        (address, secure): (SocketAddr, Option<Secure>),
        metrics: Metrics,
        ready: Ready,
        routes: Routes,
    ) -> Result<Self, AdminError> {
        if secure.is_none() && !address.ip().is_loopback() {
            return Err(AdminError::NotLoopback(address));
        }
        let failed = |source| AdminError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        Ok(Self {
            address: listener.local_addr().map_err(failed)?,
            listener,
            secure,
            pages: Arc::new(Pages {
                metrics,
                ready,
                routes,
            }),
        })
    }

    /// Where the port is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until dropped, which also closes its connections. Runs on any
    /// tokio runtime with I/O and time enabled, also a current-thread one.
    pub async fn serve(self) -> Infallible {
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            if connections.len() >= CONNECTIONS_MAX {
                connections.join_next().await;
            }
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let (secure, pages) = (self.secure.clone(), Arc::clone(&self.pages));
                    connections.spawn(async move {
                        let served = timeout(CONNECTION_TIME, serve(stream, secure, pages));
                        if served.await.is_err() {
                            tracing::debug!("admin connection took too long");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "admin port accepts nothing");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

async fn serve(stream: TcpStream, secure: Option<Secure>, pages: Arc<Pages>) {
    let Some(secure) = secure else {
        return serve_connection(stream, pages).await;
    };
    if let Some(stream) = secure.accept(stream).await {
        serve_connection(stream, pages).await;
    }
}

async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    pages: Arc<Pages>,
) {
    let service = service_fn(move |request| answer(pages.clone(), request));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .keep_alive(false)
        .max_buf_size(usize::from(HEAD_BYTES_MAX));
    builder
        .http2()
        .max_concurrent_streams(QUESTIONS_MAX)
        .initial_stream_window_size(QUESTION_WINDOW)
        .initial_connection_window_size(QUESTIONS_MAX * QUESTION_WINDOW)
        .max_header_list_size(u32::from(HEAD_BYTES_MAX));
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "admin connection failed");
    }
}

async fn answer(
    pages: Arc<Pages>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let kind = request.headers().get(CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc")) {
        let routes = TowerToHyperService::new(pages.routes.clone());
        return routes.call(request).await;
    }
    Ok(pages.answer(&request).map(Body::new))
}

impl Readiness {
    /// Why the daemon should not be sent work; none: it should.
    pub fn why_not(self) -> Option<String> {
        match self {
            Self::Ready => None,
            Self::NotReady(why) => Some(why),
        }
    }
}

impl Pages {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET {
            return page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "allowed is GET\n");
        }
        match request.uri().path() {
            "/metrics" => page(StatusCode::OK, OPEN_METRICS, self.metrics.text()),
            "/healthz" => page(StatusCode::OK, TEXT, "ok\n"),
            "/readyz" => match (self.ready)() {
                Readiness::Ready => page(StatusCode::OK, TEXT, "ready\n"),
                Readiness::NotReady(why) => page(
                    StatusCode::SERVICE_UNAVAILABLE,
                    TEXT,
                    format!("not ready: {why}\n"),
                ),
            },
            _ => page(
                StatusCode::NOT_FOUND,
                TEXT,
                "here are /metrics, /healthz and /readyz\n",
            ),
        }
    }
}

fn page(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static(content_type),
    );
    response
}
