//! The way to the friend service: in this process, or to one of several by
//! gRPC.
//!
//! Owns the patience with it, which questions travel together, and that a
//! question without an answer is asked again, of another one if there is one. A
//! list may be asked for as often as you like; a change names the versions that
//! it changes, so it is carried out once, and is so already when it comes again
//! (but for a request that was declined: there is none any more). Must not know
//! what is asked.

mod ways;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use proto::graph::{Change, GraphAnswer, GraphRequest};
use service::graph::{QUESTIONS_MAX, get_to_wire};
use service::tls::LinkTls;
use service::wire::friends_client::FriendsClient;
use service::wire::{self, ChangeRequest, GetRequest, ListQuestion};
use tokio::sync::{Notify, oneshot};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tonic::Status;
use tonic::transport::Channel;
use tracing::warn;

use ways::Ways;

/// A question without an answer after this long has none.
const PATIENCE: Duration = Duration::from_secs(2);

/// While there are others to be asked, each has so long.
const TURN: Duration = Duration::from_millis(500);

/// While a request for lists is under way, others are gathered for so long at
/// most: many who come at once come in several turns.
const GATHER: Duration = Duration::from_millis(5);

/// Between two tries when all have failed.
const PAUSE: Duration = Duration::from_millis(50);

/// An answer to come.
pub type Answering = Pin<Box<dyn Future<Output = GraphAnswer>>>;

/// Asks the friend service.
pub type Ask = Box<dyn Fn(GraphRequest) -> Answering>;

/// An address that is none. The operator must act.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not the address of a friend service")]
pub struct AddressError(String);

/// The friend service of other processes, at `HOST:PORT`: all addresses of the
/// name, and of several names with commas between them. It connects when one is
/// first asked, and again whenever it must. To be called on the runtime that
/// asks. Lists that are asked for at once are one request, or a few.
///
/// # Errors
/// A name is none, or the certificates cannot be used.
pub fn remote(names: &str, tls: Option<&LinkTls>) -> Result<Ask, AddressError> {
    let friends = Rc::new(Remote {
        ways: Ways::new(names, tls)?,
        gathered: RefCell::default(),
        under_way: Cell::new(0),
        ended: Notify::new(),
    });
    Ok(Box::new(move |request| match request {
        GraphRequest::Get { user, if_hash } => friends.gather(get_to_wire(&user, if_hash)),
        GraphRequest::Change(change) => Box::pin(friends.clone().change(change)),
    }))
}

/// A question for a list, and who waits for the answer. Dropped, it is answered
/// that there is none.
type Asked = (ListQuestion, oneshot::Sender<GraphAnswer>);

/// The friend service of other processes.
struct Remote {
    ways: Rc<Ways>,
    /// They travel together at the end of the turn, or a moment later.
    gathered: RefCell<Vec<Asked>>,
    /// Requests for lists.
    under_way: Cell<usize>,
    /// One of them came to its end.
    ended: Notify,
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

    /// Goes on for as long as anything is gathered.
    async fn ask_gathered(self: Rc<Self>) {
        loop {
            let (due, rest) = self.due();
            self.begin(due);
            if rest == 0 {
                return;
            }
            if timeout(GATHER, self.ended.notified()).await.is_err() {
                let asked = self.gathered.take();
                return self.begin(asked);
            }
        }
    }

    /// What is to be asked now: what fills requests, and all if none is under
    /// way. And how many are left.
    fn due(&self) -> (Vec<Asked>, usize) {
        let mut gathered = self.gathered.borrow_mut();
        let full = gathered.len() - gathered.len() % QUESTIONS_MAX;
        let mut due: Vec<_> = gathered.drain(..full).collect();
        if self.under_way.get() == 0 {
            due.append(&mut gathered);
        }
        (due, gathered.len())
    }

    /// Asks in as few requests as it takes.
    fn begin(self: &Rc<Self>, mut asked: Vec<Asked>) {
        while !asked.is_empty() {
            let rest = asked.split_off(asked.len().min(QUESTIONS_MAX));
            self.under_way.update(|count| count + 1);
            spawn_local(self.clone().ask_lists(asked));
            asked = rest;
        }
    }

    /// One request. Who has no answer when it ends has none at all.
    async fn ask_lists(self: Rc<Self>, asked: Vec<Asked>) {
        self.try_avoided(&asked);
        let mut asked = VecDeque::from(asked);
        self.ask_somebody(async |client, is_last| lists(client, &mut asked, is_last).await)
            .await;
        self.under_way.update(|count| count - 1);
        self.ended.notify_one();
    }

    async fn change(self: Rc<Self>, change: Change) -> GraphAnswer {
        let change = ChangeRequest::from(&change);
        let answer = self
            .ask_somebody(async |mut client, is_last| {
                match read(client.change(change.clone()).await?.into_inner()) {
                    GraphAnswer::Unavailable if !is_last => Err(no_answer()),
                    answer => Ok(answer),
                }
            })
            .await;
        answer.unwrap_or(GraphAnswer::Unavailable)
    }

    /// Asks one after the other until there is an answer; each is told whether
    /// it is the last.
    async fn ask_somebody<T>(
        &self,
        mut ask: impl AsyncFnMut(FriendsClient<Channel>, bool) -> Result<T, Status>,
    ) -> Option<T> {
        let end = Instant::now() + PATIENCE;
        let mut tried = Vec::new();
        while Instant::now() < end {
            let Some(way) = self.ways.choose(&tried) else {
                tried.clear();
                sleep(PAUSE).await;
                continue;
            };
            tried.push(way.address());
            let is_last = !self.ways.has_more(&tried);
            let turn = match is_last {
                true => PATIENCE,
                false => TURN,
            };
            let until = end.min(Instant::now() + turn);
            match timeout_at(until, ask(way.client(), is_last)).await {
                Ok(Ok(answer)) => {
                    way.answered();
                    return Some(answer);
                }
                Ok(Err(status)) => way.failed(status.message()),
                Err(_) => way.failed("it is silent"),
            }
        }
        None
    }

    /// Nobody waits for one that did not answer lately: it is asked beside the
    /// others whether it does again.
    fn try_avoided(&self, asked: &[Asked]) {
        let Some((way, (question, _))) = self.ways.overdue(Instant::now()).zip(asked.first())
        else {
            return;
        };
        let questions = vec![question.clone()];
        spawn_local(async move {
            let mut client = way.client();
            let asking = async {
                let mut answers = client.get(GetRequest { questions }).await?.into_inner();
                while answers.message().await?.is_some() {}
                Ok::<_, Status>(())
            };
            match timeout(TURN, asking).await {
                Ok(Ok(())) => way.answered(),
                Ok(Err(status)) => way.failed(status.message()),
                Err(_) => way.failed("it is silent"),
            }
        });
    }
}

/// Asks for lists, and takes from the front what is answered.
async fn lists(
    mut client: FriendsClient<Channel>,
    asked: &mut VecDeque<Asked>,
    is_last: bool,
) -> Result<(), Status> {
    let questions = asked.iter().map(|(question, _)| question.clone()).collect();
    let mut answers = client.get(GetRequest { questions }).await?.into_inner();
    while !asked.is_empty() {
        let answer = answers.message().await?;
        let answer = answer.ok_or_else(|| Status::internal("answers are missing"))?;
        let answer = read(answer);
        if answer == GraphAnswer::Unavailable && !is_last {
            return Err(no_answer());
        }
        if let Some((_, waiting)) = asked.pop_front() {
            // Who does not wait any more is not told.
            let _ = waiting.send(answer);
        }
    }
    // Read to its end; else it would be cancelled. All have their answers.
    drop(answers.message().await);
    Ok(())
}

/// Its store is away from it; another may have a way there.
fn no_answer() -> Status {
    Status::unavailable("it has no answer")
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
