//! A link between a gateway and a shard: a channel inside one process, or one
//! long-lived gRPC stream between two.
//!
//! Owns how batches travel, and when a silent peer counts as dead. Must not
//! know what an envelope does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proto::ids::{GatewayId, ShardId};
use proto::limits::LINK_MESSAGE_BYTES_MAX;
use proto::link::{Batch, Down, Up};
use proto::wire::link::{DownBatch, UpBatch};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::transport::Endpoint;
use tonic::{Request, Response, Status, Streaming};

use crate::tls::LinkTls;
use crate::wire::link_client::LinkClient;
use crate::wire::link_server;

/// Batches under way between a queue and its peer.
const CHANNEL_BATCHES: usize = 8;

/// A peer from which nothing came for the sum of the two is dead (rule 14).
const PING_INTERVAL: Duration = Duration::from_secs(2);
const PING_PATIENCE: Duration = Duration::from_secs(3);

/// How long a connection may take to come up.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

const GATEWAY_KEY: &str = "im-gateway";
const SHARD_KEY: &str = "im-shard";

/// A link, as the gateway has it.
#[derive(Debug)]
pub struct GatewayEnd {
    /// To the shard.
    pub up: mpsc::Sender<Batch<Up>>,
    /// From the shard.
    pub down: Downlink,
}

/// A link, as the shard has it.
#[derive(Debug)]
pub struct ShardEnd {
    /// Whose.
    pub gateway: GatewayId,
    /// From the gateway.
    pub up: Uplink,
    /// To the gateway.
    pub down: mpsc::Sender<Batch<Down>>,
}

/// Batches from a shard.
#[derive(Debug)]
pub enum Downlink {
    /// In this process.
    Channel(mpsc::Receiver<Batch<Down>>),
    /// From another; the sender of the request's body lives as long.
    Stream(Box<Streaming<DownBatch>>),
}

/// Batches from a gateway.
#[derive(Debug)]
pub enum Uplink {
    /// In this process.
    Channel(mpsc::Receiver<Batch<Up>>),
    /// From another.
    Stream(Box<Streaming<UpBatch>>),
}

/// Why a link is over.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The address is none. The operator must act.
    #[error("{0} is not the address of a shard")]
    Address(String),
    /// The connection did not come up; it is tried again.
    #[error("cannot connect: {}", crate::root(.0))]
    Connect(#[from] tonic::transport::Error),
    /// The peer ended it, or is silent.
    #[error("the peer ended the link: {}", .0.message())]
    Ended(#[from] Box<Status>),
    /// The peer sends what is no batch. A bug, or another version.
    #[error("the peer sends what is no batch: {0}")]
    Malformed(#[from] proto::client::PacketError),
}

/// A link inside one process.
pub fn channel(gateway: GatewayId) -> (GatewayEnd, ShardEnd) {
    let (up, from_gateway) = mpsc::channel(CHANNEL_BATCHES);
    let (down, from_shard) = mpsc::channel(CHANNEL_BATCHES);
    let gateway_end = GatewayEnd {
        up,
        down: Downlink::Channel(from_shard),
    };
    let shard_end = ShardEnd {
        gateway,
        up: Uplink::Channel(from_gateway),
        down,
    };
    (gateway_end, shard_end)
}

/// A link to a shard of another process. `address` is `HOST:PORT`.
pub async fn connect(
    address: &str,
    tls: Option<&LinkTls>,
    shard: &ShardId,
    gateway: GatewayId,
) -> Result<GatewayEnd, LinkError> {
    let mut endpoint = Endpoint::from_shared(LinkTls::uri(tls, address))
        .map_err(|_| LinkError::Address(address.to_owned()))?
        .connect_timeout(CONNECT_PATIENCE)
        .http2_keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_PATIENCE)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true);
    if let Some(tls) = tls {
        endpoint = endpoint.tls_config(tls.client())?;
    }
    let mut client = LinkClient::new(endpoint.connect().await?)
        .max_decoding_message_size(LINK_MESSAGE_BYTES_MAX);
    let (up, batches) = mpsc::channel::<Batch<Up>>(CHANNEL_BATCHES);
    let mut request = Request::new(ReceiverStream::new(batches).map(UpBatch::from));
    let unfit = |_| LinkError::Address(address.to_owned());
    let gateway = MetadataValue::try_from(gateway.to_string()).map_err(unfit)?;
    let shard = MetadataValue::try_from(shard.as_str()).map_err(unfit)?;
    request.metadata_mut().insert(GATEWAY_KEY, gateway);
    request.metadata_mut().insert(SHARD_KEY, shard);
    let response = client.connect(request).await.map_err(Box::new)?;
    let down = Downlink::Stream(Box::new(response.into_inner()));
    Ok(GatewayEnd { up, down })
}

impl Downlink {
    /// The next batch; `None` when the shard has ended the link.
    pub async fn next(&mut self) -> Result<Option<Batch<Down>>, LinkError> {
        match self {
            Self::Channel(batches) => Ok(batches.recv().await),
            Self::Stream(batches) => match batches.message().await.map_err(Box::new)? {
                Some(batch) => Ok(Some(Batch::try_from(batch)?)),
                None => Ok(None),
            },
        }
    }
}

impl Uplink {
    /// The next batch; `None` when the gateway has ended the link.
    pub async fn next(&mut self) -> Result<Option<Batch<Up>>, LinkError> {
        match self {
            Self::Channel(batches) => Ok(batches.recv().await),
            Self::Stream(batches) => match batches.message().await.map_err(Box::new)? {
                Some(batch) => Ok(Some(Batch::try_from(batch)?)),
                None => Ok(None),
            },
        }
    }
}

/// The door for gateways of other processes to the shards of this one.
#[derive(Debug, Clone)]
pub struct LinkDoor {
    shards: Arc<HashMap<ShardId, mpsc::Sender<ShardEnd>>>,
}

impl LinkDoor {
    /// Links to a shard are handed to its channel.
    pub fn new(shards: HashMap<ShardId, mpsc::Sender<ShardEnd>>) -> Self {
        Self {
            shards: Arc::new(shards),
        }
    }

    /// The gRPC service, and the transport's settings that notice dead peers.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub fn server(
        self,
        tls: Option<&LinkTls>,
    ) -> Result<(tonic::transport::Server, link_server::LinkServer<Self>), LinkError> {
        let mut transport = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(PING_INTERVAL))
            .http2_keepalive_timeout(Some(PING_PATIENCE))
            .tcp_nodelay(true);
        if let Some(tls) = tls {
            transport = transport.tls_config(tls.server())?;
        }
        let service =
            link_server::LinkServer::new(self).max_decoding_message_size(LINK_MESSAGE_BYTES_MAX);
        Ok((transport, service))
    }
}

/// What a shard sends, as the transport takes it.
pub type DownBatches =
    std::pin::Pin<Box<dyn tokio_stream::Stream<Item = Result<DownBatch, Status>> + Send>>;

#[tonic::async_trait]
impl link_server::Link for LinkDoor {
    type ConnectStream = DownBatches;

    async fn connect(
        &self,
        request: Request<Streaming<UpBatch>>,
    ) -> Result<Response<DownBatches>, Status> {
        let text = |key| request.metadata().get(key).and_then(|v| v.to_str().ok());
        let gateway = text(GATEWAY_KEY)
            .and_then(|hex| u64::from_str_radix(hex, 16).ok())
            // A shard knows its operator by that.
            .filter(|gateway| *gateway != 0)
            .ok_or_else(|| Status::invalid_argument("no gateway is named"))?;
        let shard = text(SHARD_KEY)
            .and_then(|name| ShardId::new(name).ok())
            .and_then(|name| self.shards.get(&name).cloned())
            .ok_or_else(|| Status::not_found("no such shard here"))?;
        let (down, batches) = mpsc::channel(CHANNEL_BATCHES);
        let end = ShardEnd {
            gateway: GatewayId(gateway),
            up: Uplink::Stream(Box::new(request.into_inner())),
            down,
        };
        let gone = |_| Status::unavailable("the shard stops");
        shard.send(end).await.map_err(gone)?;
        let batches = ReceiverStream::new(batches).map(|batch| Ok(DownBatch::from(batch)));
        Ok(Response::new(Box::pin(batches)))
    }
}
