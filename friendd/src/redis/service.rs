//! Answers questions from lists in Redis.
//!
//! Owns how many questions are under way, and that each is answered from what
//! was read after it had come. Must not know the steps of a change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use friendd_core::decision::{self, Decision};
use friendd_core::event::Replacement;
use friendd_core::rules::Blocks;
use prometheus_client::registry::Registry;
use proto::codes::Code;
use proto::friends::{FriendAction, FriendList, ListHash};
use proto::graph::{Change, GraphAnswer, GraphRequest};
use proto::ids::UserId;
use service::admin::{Answer, Questions, answer_status};
use shared::Redis;
use shared::mark::Unfinished;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::edition::Edition;
use super::lists::{Found, Lists, Saved, Trouble};
use super::script::Scripts;
use super::wire::{Carrier, Wire};
use crate::bounds::FriendSettings;
use crate::handle::{FriendHandle, Question};
use crate::metrics::Metrics;

/// How often a change is tried while others change the same lists.
const ATTEMPTS_MAX: usize = 16;

/// The friend service over a Redis. Several may serve one graph.
pub struct RedisFriendd {
    asker: Arc<Asker>,
    carrier: Carrier,
    questions: mpsc::Receiver<Question>,
    waiting_max: usize,
}

/// Whether Redis answers.
#[derive(Debug, Clone)]
pub struct Answers(Arc<AtomicBool>);

impl Answers {
    /// Whether it did when it was asked last, a second ago at most.
    pub fn yes(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl RedisFriendd {
    /// A friend service that keeps its lists in a Redis, and the way to ask it.
    /// It answers once [`run`](Self::run) is polled, and connects then.
    pub fn new(settings: &FriendSettings, redis: &shared::Settings) -> (Self, FriendHandle) {
        let waiting_max = settings.waiting_max.max(1);
        let metrics = Metrics::default();
        let (handle, questions) = FriendHandle::new(waiting_max, metrics.clone());
        let scripts = Scripts::new();
        let redis = Redis::new(redis, scripts.all());
        // A change reads two lists at once.
        let (wire, carrier) = Wire::new(redis, 2 * waiting_max);
        let asker = Asker {
            lists: Lists::new(wire, scripts),
            blocks: settings.blocks,
            metrics,
        };
        let friendd = Self {
            asker: Arc::new(asker),
            carrier,
            questions,
            waiting_max,
        };
        (friendd, handle)
    }

    /// Names what the service counts in `registry`, with the prefix `friendd_`.
    pub fn register(&self, registry: &mut Registry) {
        self.asker.metrics.register(registry);
    }

    /// Answers an operator, until nobody can ask any more.
    pub fn answer_operator(
        &self,
        questions: Questions,
    ) -> impl Future<Output = ()> + Send + 'static {
        let metrics = self.asker.metrics.clone();
        answer_status(questions, move || Answer::Graph(metrics.status()))
    }

    /// Whether Redis answers, while the service runs.
    pub fn answers(&self) -> Answers {
        Answers(self.carrier.answers())
    }

    /// Answers until every handle is gone and every question answered. Runs on
    /// a runtime of tokio.
    ///
    /// # Errors
    /// A copy into the Redis is not finished.
    pub async fn run(self) -> Result<(), Unfinished> {
        let Self {
            asker,
            carrier,
            mut questions,
            waiting_max,
        } = self;
        let mut carrying = JoinSet::new();
        carrying.spawn(carrier.run());
        let mut answering = JoinSet::new();
        let mut asked = true;
        while asked || !answering.is_empty() {
            tokio::select! {
                // What ends a wait goes before what begins one.
                biased;
                // It goes on as long as it can be asked.
                Some(Ok(Err(unfinished))) = carrying.join_next() => return Err(unfinished),
                Some(_) = answering.join_next() => {}
                question = questions.recv(), if asked && answering.len() < waiting_max => {
                    match question {
                        None => asked = false,
                        Some(question) => {
                            answering.spawn(asker.clone().serve(question));
                        }
                    }
                }
            }
            asker.metrics.waiting(answering.len());
        }
        Ok(())
    }
}

/// What answers a question.
struct Asker {
    lists: Lists,
    blocks: Blocks,
    metrics: Metrics,
}

impl Asker {
    async fn serve(self: Arc<Self>, question: Question) {
        let Question { request, answer } = question;
        let answered = match request {
            GraphRequest::Get { user, if_hash } => self.get(&user, if_hash).await,
            GraphRequest::Change(change) => self.change(&change).await,
        };
        let told = answered.unwrap_or_else(|trouble| {
            if !matches!(trouble, Trouble::Failure(_)) {
                tracing::error!(%trouble, "a question has no answer");
            }
            GraphAnswer::Unavailable
        });
        self.metrics.answered(&told);
        // Who does not wait any more is not told.
        let _ = answer.send(told);
    }

    async fn get(&self, user: &UserId, if_hash: Option<ListHash>) -> Result<GraphAnswer, Trouble> {
        self.metrics.loads.inc();
        let Some(hash) = if_hash else {
            return self.lists.load(user).await.map(GraphAnswer::List);
        };
        Ok(match self.lists.load_unless(user, hash).await? {
            Found::Same(version) => GraphAnswer::NotModified { version },
            // It may have become that one in between.
            Found::List(list) if list.hash() == hash => GraphAnswer::NotModified {
                version: list.version(),
            },
            Found::List(list) => GraphAnswer::List(list),
        })
    }

    /// Each attempt decides on what is stored by then, so that nothing is
    /// refused, or said to be so already, because of what was.
    async fn change(&self, change: &Change) -> Result<GraphAnswer, Trouble> {
        if change.actor == change.peer {
            let code = Code::OwnSelf;
            return Ok(GraphAnswer::Refused { code });
        }
        for _ in 0..ATTEMPTS_MAX {
            self.metrics.loads.inc_by(2);
            let (actor, peer) = tokio::try_join!(
                self.lists.load(&change.actor),
                self.lists.load(&change.peer)
            )?;
            let of_actor = Edition::of(&actor);
            let of_peer = Edition::of(&peer);
            let (lists, both) = match decision::decide(change, actor, peer, self.blocks) {
                Decision::Answer(GraphAnswer::Changed { actor, peer })
                    if change.action == FriendAction::Block =>
                {
                    match self.again(change, &actor, of_actor).await? {
                        Some(actor) => return Ok(GraphAnswer::Changed { actor, peer }),
                        None => continue,
                    }
                }
                Decision::Answer(answer) => return Ok(answer),
                Decision::Save { lists, both } => (lists, both),
            };
            let replaced = |user: &UserId| match *user == change.actor {
                true => of_actor,
                false => of_peer,
            };
            if self.lists.save(&lists, replaced).await? == Saved::Done {
                let (actor, peer) = both;
                return Ok(GraphAnswer::Changed { actor, peer });
            }
        }
        Err(Trouble::Busy(change.peer.clone()))
    }

    /// A block that stands is written all the same, as a new version: an
    /// earlier change that would end it, of which nothing was heard, fits no
    /// more then; and replicas confirm it as they do others. `None`: the list
    /// is another by now.
    async fn again(
        &self,
        change: &Change,
        actor: &FriendList,
        replaced: Edition,
    ) -> Result<Option<Arc<FriendList>>, Trouble> {
        let unreadable = || Trouble::Unreadable(change.actor.clone());
        let entry = actor.find(&change.peer).ok_or_else(unreadable)?;
        let list = actor
            .with(entry.clone())
            .map_err(|_| unreadable())?
            .shared();
        let lists = [Replacement {
            user: change.actor.clone(),
            replaces: actor.version(),
            list: list.clone(),
        }];
        let saved = self.lists.save(&lists, |_| replaced).await?;
        Ok((saved == Saved::Done).then_some(list))
    }
}
