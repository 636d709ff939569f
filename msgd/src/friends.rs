//! The way to the friend service: in this process, or by gRPC.
//!
//! Owns the patience with it. Must not know what is asked.

use std::pin::Pin;
use std::time::Duration;

use proto::graph::{GraphAnswer, GraphRequest};
use service::tls::LinkTls;
use service::wire::ChangeRequest;
use service::wire::friends_client::FriendsClient;
use tonic::transport::{Channel, Endpoint};
use tracing::warn;

/// A question without an answer after this long has none.
const PATIENCE: Duration = Duration::from_secs(2);

/// An answer to come.
pub type Answering = Pin<Box<dyn Future<Output = GraphAnswer>>>;

/// Asks the friend service.
pub type Ask = Box<dyn Fn(GraphRequest) -> Answering>;

/// An address that is none. The operator must act.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not the address of a friend service")]
pub struct AddressError(String);

/// A friend service of another process, at `HOST:PORT`. It connects when it is
/// first asked, and again whenever it must. To be called on the runtime that
/// asks.
pub fn remote(address: &str, tls: Option<&LinkTls>) -> Result<Ask, AddressError> {
    let wrong = |_| AddressError(address.to_owned());
    let mut endpoint = Endpoint::from_shared(LinkTls::uri(tls, address))
        .map_err(|_| AddressError(address.to_owned()))?
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE)
        .tcp_nodelay(true);
    if let Some(tls) = tls {
        endpoint = endpoint.tls_config(tls.client()).map_err(wrong)?;
    }
    let client = FriendsClient::new(endpoint.connect_lazy());
    Ok(Box::new(move |request| {
        Box::pin(ask(client.clone(), request))
    }))
}

async fn ask(mut client: FriendsClient<Channel>, request: GraphRequest) -> GraphAnswer {
    let answered = match &request {
        GraphRequest::Get { user, if_hash } => {
            client
                .get(service::graph::get_to_wire(user, *if_hash))
                .await
        }
        GraphRequest::Change(change) => client.change(ChangeRequest::from(change)).await,
    };
    let answer = match answered {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            warn!(
                error = status.message(),
                "the friend service does not answer"
            );
            return GraphAnswer::Unavailable;
        }
    };
    GraphAnswer::try_from(answer).unwrap_or_else(|error| {
        warn!(%error, "the friend service's answer is none");
        GraphAnswer::Unavailable
    })
}

/// Waits for an answer, but not for ever.
pub async fn patiently(answering: Answering) -> GraphAnswer {
    tokio::time::timeout(PATIENCE, answering)
        .await
        .unwrap_or(GraphAnswer::Unavailable)
}
