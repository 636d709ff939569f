//! The one task that the graph lives on.
//!
//! Owns the graph, who waits for which answer, and what is under way to the
//! store. Must not know who asks, or what a change does.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use friendd_core::event::{Effect, Event, Replacement, RequestId};
use friendd_core::graph::Graph;
use prometheus_client::registry::Registry;
use proto::friends::FriendList;
use proto::graph::GraphAnswer;
use proto::ids::UserId;
use service::admin::{Answer, Questions, answer_status};
use store::{Completion, Engine, Handle, OpenError, Slice};
use tokio::sync::{mpsc, oneshot};

use crate::bounds::FriendSettings;
use crate::handle::{FriendHandle, Question};
use crate::lists::{Lists, Outcome, Request, Row, Ticket};
use crate::metrics::Metrics;
use crate::record;

/// The keyspace of friend lists in the store.
pub(crate) const KEYSPACE: &str = "friends";

/// Questions, or outcomes of the store, in one turn at most.
const TURN_MAX: usize = 1024;

/// The friend service over an embedded store.
pub struct Friendd {
    graph: Graph,
    questions: mpsc::Receiver<Question>,
    /// Who waits for an answer of the graph, which bounds how many these are.
    waiting: HashMap<RequestId, oneshot::Sender<GraphAnswer>>,
    requests: u64,
    lists: Handle<Lists>,
    /// What the store is asked in this turn.
    submitted: VecDeque<(Ticket, Request)>,
    completions: mpsc::Receiver<Completion<Ticket, Outcome>>,
    metrics: Metrics,
}

impl Friendd {
    /// A friend service that keeps its lists in `engine`, in a keyspace of its
    /// own, and the way to ask it. It answers once [`run`](Self::run) is
    /// polled and the engine started.
    ///
    /// # Errors
    /// The engine cannot open the keyspace.
    pub fn open(
        settings: &FriendSettings,
        engine: &mut Engine,
    ) -> Result<(Self, FriendHandle), OpenError> {
        let graph = settings.graph();
        let keyspace = engine.keyspace(KEYSPACE)?;
        let (done, completions) = mpsc::channel(graph.store_requests_max());
        let lists = engine.serve(
            Lists { keyspace },
            graph.store_requests_max(),
            move |group| {
                for completion in group {
                    // There is room for all that is under way; nobody listens
                    // only when the service has ended.
                    let _ = done.try_send(completion);
                }
            },
        );
        let metrics = Metrics::default();
        let (handle, questions) = FriendHandle::new(settings.waiting_max.max(1), metrics.clone());
        let friendd = Self {
            graph: Graph::new(graph),
            questions,
            waiting: HashMap::new(),
            requests: 0,
            lists,
            submitted: VecDeque::new(),
            completions,
            metrics,
        };
        Ok((friendd, handle))
    }

    /// Names what the service counts in `registry`, with the prefix `friendd_`.
    pub fn register(&self, registry: &mut Registry) {
        self.metrics.register(registry);
    }

    /// Answers an operator, until nobody can ask any more.
    pub fn answer_operator(
        &self,
        questions: Questions,
    ) -> impl Future<Output = ()> + Send + 'static {
        let metrics = self.metrics.clone();
        answer_status(questions, move || Answer::Graph(metrics.status()))
    }

    /// Answers until every handle is gone and every question answered, or
    /// until the store's thread is gone. Runs on any executor.
    pub async fn run(mut self) {
        let mut asked = true;
        let (mut completions, mut questions) = (Vec::new(), Vec::new());
        while asked || self.graph.waiting() > 0 {
            tokio::select! {
                // What ends a wait goes before what begins one.
                biased;
                count = self.completions.recv_many(&mut completions, TURN_MAX) => {
                    if count == 0 {
                        tracing::error!("the store's thread is gone, so the friend service ends");
                        return;
                    }
                    self.turn(completions.drain(..).map(completed));
                }
                count = self.questions.recv_many(&mut questions, TURN_MAX), if asked => {
                    asked = count > 0;
                    let requests: Vec<_> = questions.drain(..).map(|one| self.ask(one)).collect();
                    self.turn(requests);
                }
            }
        }
    }

    fn ask(&mut self, question: Question) -> Event {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.waiting.insert(id, question.answer);
        Event::Request(id, question.request)
    }

    /// What these events ask of the store goes to it together.
    fn turn(&mut self, events: impl IntoIterator<Item = Event>) {
        let mut effects = Vec::new();
        for event in events {
            self.graph.handle(event, &mut effects);
        }
        while !effects.is_empty() {
            for effect in effects.drain(..) {
                self.perform(effect);
            }
            // A failure may be what others wait for.
            for event in self.submit() {
                self.graph.handle(event, &mut effects);
            }
        }
        self.metrics.show(&self.graph);
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Answer(id, answer) => {
                self.metrics.answered(&answer);
                if let Some(waiting) = self.waiting.remove(&id) {
                    // Who does not wait any more is not told.
                    let _ = waiting.send(answer);
                }
            }
            Effect::Load(user) => {
                self.metrics.loads.inc();
                let ticket = Ticket::Load(user.clone());
                self.submitted.push_back((ticket, Request::Load(user)));
            }
            Effect::Save { request, lists } => {
                let rows = lists.into_iter().map(row).collect();
                self.submitted
                    .push_back((Ticket::Save(request), Request::Save(rows)));
            }
        }
    }

    /// What comes of it at once: failures, if the store takes less than all.
    fn submit(&mut self) -> Vec<Event> {
        let Err(refusal) = self.lists.submit_all(&mut self.submitted) else {
            return Vec::new();
        };
        tracing::warn!(%refusal, "the store takes no friend list");
        let refused = self.submitted.drain(..);
        refused.map(|(ticket, _)| failed(ticket)).collect()
    }
}

fn row(replacement: Replacement) -> Row {
    Row {
        record: record::encode(&replacement.list),
        user: replacement.user,
        replaces: replacement.replaces,
    }
}

fn completed(completion: Completion<Ticket, Outcome>) -> Event {
    let Completion { ticket, outcome } = completion;
    match (ticket, outcome) {
        (Ticket::Load(user), Ok(Outcome::Found(record))) => match decoded(&user, record) {
            Some(list) => Event::Loaded { user, list },
            None => Event::LoadFailed { user },
        },
        (Ticket::Save(request), Ok(Outcome::Saved)) => Event::Saved(request),
        (Ticket::Save(request), Ok(Outcome::Conflict(records))) => {
            let lists = records
                .into_iter()
                .map(|(user, record)| decoded(&user, record).map(|list| (user, list)))
                .collect();
            match lists {
                Some(lists) => Event::SaveConflict { request, lists },
                None => Event::SaveFailed(request),
            }
        }
        // The engine has logged a failure. Any other pair is not made.
        (ticket, _) => failed(ticket),
    }
}

fn failed(ticket: Ticket) -> Event {
    match ticket {
        Ticket::Load(user) => Event::LoadFailed { user },
        Ticket::Save(request) => Event::SaveFailed(request),
    }
}

/// `None` if the record cannot be read, of which the operator is told.
fn decoded(user: &UserId, record: Option<Slice>) -> Option<Arc<FriendList>> {
    let Some(record) = record else {
        return Some(FriendList::nobody());
    };
    record::decode(&record)
        .inspect_err(|error| tracing::error!(%user, %error, "friend list cannot be read"))
        .ok()
        .map(Arc::new)
}
