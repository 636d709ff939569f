//! The friend service for other processes: gRPC, off loopback only by TLS.
//!
//! Owns the listener and its connections. Must not know the graph.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use proto::client::PacketError;
use service::tls::LinkTls;
use service::wire::friends_server::{Friends, FriendsServer};
use service::wire::{ChangeRequest, GetRequest, GraphAnswer};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::handle::FriendHandle;

/// Bytes of a request at most: 128 ids with a hash take less.
const REQUEST_BYTES_MAX: usize = 16 * 1024;
/// Requests of one connection at once; more wait in their sender.
pub(crate) const REQUESTS_MAX: u32 = 16;
/// A peer that is silent for so long is asked whether it lives, and is given
/// up after as long again.
const SILENCE: Duration = Duration::from_secs(5);

/// A port that cannot be opened. The operator must act.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Whoever reaches the port may change every friend list.
    #[error("address {0} is not a loopback address, and there are no certificates")]
    NotLoopback(SocketAddr),
    /// The system does not give the address.
    #[error("--listen {address}: {source}")]
    Bind {
        /// As given.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Opens the port; port 0 takes a free one.
///
/// # Errors
/// The address is not loopback and there is no TLS, or it is taken.
pub async fn bind(address: SocketAddr, tls: Option<&LinkTls>) -> Result<TcpListener, ListenError> {
    if tls.is_none() && !address.ip().is_loopback() {
        return Err(ListenError::NotLoopback(address));
    }
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| ListenError::Bind { address, source })
}

/// Answers questions until `stop` is ready, then takes no more, and ends when
/// those under way are answered and every connection has gone. Dropping the
/// future ends all at once.
///
/// # Errors
/// The certificates cannot be used, or the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    tls: Option<&LinkTls>,
    friends: FriendHandle,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let service =
        FriendsServer::new(Service { friends }).max_decoding_message_size(REQUEST_BYTES_MAX);
    let mut server = Server::builder();
    if let Some(tls) = tls {
        server = server.tls_config(tls.server())?;
    }
    server
        .max_concurrent_streams(REQUESTS_MAX)
        .http2_keepalive_interval(Some(SILENCE))
        .http2_keepalive_timeout(Some(SILENCE))
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stop)
        .await
}

struct Service {
    friends: FriendHandle,
}

/// Answers in the order of their questions; each is made a message when it leaves.
type Answers = Pin<Box<dyn Stream<Item = Result<GraphAnswer, Status>> + Send>>;

#[tonic::async_trait]
impl Friends for Service {
    type GetStream = Answers;

    async fn get(&self, get: Request<GetRequest>) -> Result<Response<Answers>, Status> {
        let questions = service::graph::questions(get.into_inner()).map_err(invalid)?;
        let answers = self.friends.request_lists(questions).await;
        // What is there leaves, whatever comes behind it.
        let answers = tokio_stream::iter(answers)
            .then(|answer| answer)
            .map(|answer| Ok((&answer).into()));
        Ok(Response::new(Box::pin(answers)))
    }

    async fn change(
        &self,
        change: Request<ChangeRequest>,
    ) -> Result<Response<GraphAnswer>, Status> {
        let change = change.into_inner().try_into().map_err(invalid)?;
        let answer = self.friends.request(change).await;
        Ok(Response::new((&answer).into()))
    }
}

fn invalid(error: PacketError) -> Status {
    Status::invalid_argument(error.to_string())
}
