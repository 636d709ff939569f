//! The way to the friend service: in this process, or by gRPC.
//!
//! Owns the patience with it, and which questions travel together. Must not
//! know what is asked.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use proto::graph::{Change, GraphAnswer, GraphRequest};
use service::graph::{QUESTIONS_MAX, get_to_wire};
use service::tls::LinkTls;
use service::wire::friends_client::FriendsClient;
use service::wire::{self, ChangeRequest, GetRequest, ListQuestion};
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::timeout;
use tonic::Status;
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
/// asks. Lists that are asked for at once are one request, or a few.
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
    let friends = Rc::new(Remote {
        client: FriendsClient::new(endpoint.connect_lazy()),
        gathered: RefCell::default(),
    });
    Ok(Box::new(move |request| match request {
        GraphRequest::Get { user, if_hash } => friends.gather(get_to_wire(&user, if_hash)),
        GraphRequest::Change(change) => Box::pin(friends.clone().change(change)),
    }))
}

/// A question for a list, and who waits for the answer. Dropped, it is answered
/// that there is none.
type Asked = (ListQuestion, oneshot::Sender<GraphAnswer>);

/// A friend service of another process.
struct Remote {
    client: FriendsClient<Channel>,
    /// Asked in this turn; they travel together when it ends.
    gathered: RefCell<Vec<Asked>>,
}

impl Remote {
    fn gather(self: &Rc<Self>, question: ListQuestion) -> Answering {
        let (answer, answered) = oneshot::channel();
        let mut gathered = self.gathered.borrow_mut();
        if gathered.is_empty() {
            // Its turn comes after this one.
            spawn_local(self.clone().ask_gathered());
        }
        gathered.push((question, answer));
        Box::pin(async { answered.await.unwrap_or(GraphAnswer::Unavailable) })
    }

    async fn ask_gathered(self: Rc<Self>) {
        let mut asked = self.gathered.take();
        while !asked.is_empty() {
            let rest = asked.split_off(asked.len().min(QUESTIONS_MAX));
            spawn_local(self.clone().ask_lists(asked));
            asked = rest;
        }
    }

    /// One request. Who has no answer when it ends has none at all.
    async fn ask_lists(self: Rc<Self>, asked: Vec<Asked>) {
        let (questions, waiting): (_, Vec<_>) = asked.into_iter().unzip();
        let mut client = self.client.clone();
        let asking = async {
            let mut answers = client.get(GetRequest { questions }).await?.into_inner();
            for waiting in waiting {
                let answer = answers.message().await?;
                let answer = answer.ok_or_else(|| Status::internal("answers are missing"))?;
                // Who does not wait any more is not told.
                let _ = waiting.send(read(answer));
            }
            // Read to its end; else it would be cancelled.
            answers.message().await.map(drop)
        };
        let ended = timeout(PATIENCE, asking).await;
        if let Err(status) = ended.unwrap_or_else(|late| Err(Status::from_error(late.into()))) {
            no_answer(&status);
        }
    }

    async fn change(self: Rc<Self>, change: Change) -> GraphAnswer {
        let mut client = self.client.clone();
        match client.change(ChangeRequest::from(&change)).await {
            Ok(answer) => read(answer.into_inner()),
            Err(status) => {
                no_answer(&status);
                GraphAnswer::Unavailable
            }
        }
    }
}

fn no_answer(status: &Status) {
    let error = status.message();
    warn!(error, "the friend service does not answer");
}

fn read(answer: wire::GraphAnswer) -> GraphAnswer {
    GraphAnswer::try_from(answer).unwrap_or_else(|error| {
        warn!(%error, "the friend service's answer is none");
        GraphAnswer::Unavailable
    })
}

/// Waits for an answer, but not for ever.
pub async fn patiently(answering: Answering) -> GraphAnswer {
    timeout(PATIENCE, answering)
        .await
        .unwrap_or(GraphAnswer::Unavailable)
}
