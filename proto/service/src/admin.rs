//! What an operator asks of a daemon, and how it gets to the daemon's parts.
//!
//! Owns the questions, the bound on how many wait, and how long a part may take
//! to answer. Must not know what a part answers, nor how the port is served.

mod question;
pub mod trail;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic::transport::Endpoint;
use tonic::{Request, Response, Status};

use crate::tls::LinkTls;
pub use question::{Change, Question, QuestionError};
use wire::admin_client::AdminClient;
use wire::admin_server;

/// The service that `admin.proto` describes, and its messages.
#[allow(missing_docs, clippy::all)]
pub mod wire {
    tonic::include_proto!("im.admin");
}

/// What a part has to say.
pub type Answer = wire::answer::Answer;

/// Questions that wait for one part; who asks beyond is not answered.
const WAITING_MAX: usize = 16;

/// For a part to answer: longer than a friend list and a change of it take when
/// the friend service is away.
const PART_PATIENCE: Duration = Duration::from_secs(6);

/// For a connection to a daemon to come up.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// For a daemon to answer: longer than its parts take.
const ASK_PATIENCE: Duration = Duration::from_secs(8);

/// The most bytes of a question.
const QUESTION_BYTES_MAX: usize = 4 * 1024;

/// The most bytes of answers.
const ANSWERS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A question that waits for a part.
#[derive(Debug)]
pub struct Asked {
    /// What is asked.
    pub question: Question,
    answers: oneshot::Sender<Vec<Answer>>,
}

impl Asked {
    /// Says all that the part has to say. Who has gone is not told.
    pub fn answer(self, answers: Vec<Answer>) {
        let _ = self.answers.send(answers);
    }
}

/// The questions for a part, in their order.
pub type Questions = mpsc::Receiver<Asked>;

/// A part of a daemon, as its operator reaches it.
#[derive(Debug)]
pub struct Part {
    name: String,
    door: mpsc::Sender<Asked>,
}

/// A part that is asked by the other end. The name is shown when it is silent.
pub fn part(name: impl Into<String>) -> (Part, Questions) {
    let (door, questions) = mpsc::channel(WAITING_MAX);
    let name = name.into();
    (Part { name, door }, questions)
}

/// Answers each question as `answer` does, several at once, until nobody can ask
/// any more. As many are under way as may wait: who asks beyond is not answered.
/// It runs on a thread of its own tasks.
pub async fn answer_each<F, Answers>(mut questions: Questions, answer: F)
where
    F: Fn(Question) -> Answers,
    Answers: Future<Output = Vec<Answer>> + 'static,
{
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            Some(asked) = questions.recv(), if under_way.len() < WAITING_MAX => {
                let Asked { question, answers } = asked;
                let answered = answer(question);
                under_way.spawn_local(async move {
                    // Who has gone is not told.
                    let _ = answers.send(answered.await);
                });
            }
            Some(_) = under_way.join_next() => {}
            else => return,
        }
    }
}

/// Answers how a part is, by what `look` sees, and nothing else; until nobody
/// can ask any more.
pub async fn answer_status(mut questions: Questions, look: impl Fn() -> Answer) {
    while let Some(asked) = questions.recv().await {
        let answers = match asked.question {
            Question::Status => vec![look()],
            _ => Vec::new(),
        };
        asked.answer(answers);
    }
}

/// What 'stored' means with a store in a directory.
pub const SYNCED: &str = "on this disk, after an fsync";

/// Answers how a store is, what 'stored' means there, and how far a copy of it
/// is, which `backup` begins if it can; until nobody can ask any more.
pub async fn answer_store<Told: Future<Output = String>>(
    mut questions: Questions,
    store: String,
    durability: impl Fn() -> Told,
    is_open: impl Fn() -> bool,
    backup: impl Fn(&Path) -> Option<wire::BackupStatus>,
) {
    while let Some(asked) = questions.recv().await {
        let answer = match &asked.question {
            Question::Status => Some(Answer::Store(wire::StoreStatus {
                store: store.clone(),
                open: is_open(),
                durability: durability().await,
            })),
            Question::Backup(path) => backup(Path::new(path)).map(Answer::Backup),
            _ => None,
        };
        asked.answer(answer.into_iter().collect());
    }
}

/// How far a copy is, that has so many entries and bytes by now.
pub fn backup_status(
    entries: u64,
    bytes: u64,
    ended: Option<Result<(), String>>,
) -> wire::BackupStatus {
    wire::BackupStatus {
        entries,
        bytes,
        ended: ended.is_some(),
        failed: ended.and_then(Result::err).unwrap_or_default(),
    }
}

/// Who a daemon is.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The program, as `connd`.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// Why a daemon is not ready; none: it is.
type WhyNot = Box<dyn Fn() -> Option<String> + Send + Sync>;

struct Daemon {
    about: About,
    listen: String,
    began: Instant,
    why_not: WhyNot,
    parts: Vec<Part>,
}

/// Where an operator's questions come in.
#[derive(Clone)]
pub struct Desk(Arc<Daemon>);

impl Desk {
    /// Of a daemon that listens there. `why_not` tells why it is not ready, and
    /// must not wait.
    pub fn new(
        about: About,
        listen: String,
        parts: Vec<Part>,
        why_not: impl Fn() -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Daemon {
            about,
            listen,
            began: Instant::now(),
            why_not: Box::new(why_not),
            parts,
        }))
    }

    /// The gRPC service.
    pub fn routes(self) -> Routes {
        let server = admin_server::AdminServer::new(self);
        Routes::new(server.max_decoding_message_size(QUESTION_BYTES_MAX))
    }

    fn daemon(&self) -> wire::Daemon {
        let daemon = &self.0;
        let up = daemon.began.elapsed().as_millis();
        wire::Daemon {
            program: daemon.about.program.to_owned(),
            version: daemon.about.version.to_owned(),
            listen: daemon.listen.clone(),
            process: std::process::id(),
            up_ms: u64::try_from(up).unwrap_or(u64::MAX),
            not_ready: (daemon.why_not)().unwrap_or_default(),
        }
    }
}

#[tonic::async_trait]
impl admin_server::Admin for Desk {
    async fn ask(
        &self,
        request: Request<wire::Question>,
    ) -> Result<Response<wire::Answers>, Status> {
        let question = Question::try_from(request.into_inner());
        let question = question.map_err(|error| Status::invalid_argument(error.to_string()))?;
        let deadline = tokio::time::Instant::now() + PART_PATIENCE;
        let waits: Vec<_> = self
            .0
            .parts
            .iter()
            .map(|part| put(part, &question))
            .collect();
        let mut answers = wire::Answers {
            daemon: Some(self.daemon()),
            ..Default::default()
        };
        for (part, wait) in self.0.parts.iter().zip(waits) {
            match tokio::time::timeout_at(deadline, wait).await {
                Ok(Ok(said)) => {
                    let said = said.into_iter();
                    let whole = |answer| wire::Answer {
                        answer: Some(answer),
                    };
                    answers.answers.extend(said.map(whole));
                }
                Ok(Err(_)) | Err(_) => answers.silent.push(part.name.clone()),
            }
        }
        Ok(Response::new(answers))
    }
}

/// A part that is gone or has no room drops the question, which ends the wait.
fn put(part: &Part, question: &Question) -> oneshot::Receiver<Vec<Answer>> {
    let (answers, wait) = oneshot::channel();
    let question = question.clone();
    let _ = part.door.try_send(Asked { question, answers });
    wait
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The address is none.
    #[error("{0} is no address: it is HOST:PORT, with https:// before it where TLS is spoken")]
    Address(String),
    /// The daemon wants to be shown a certificate.
    #[error("{0}: who asks there shows a certificate: --ca, --cert and --key")]
    Certificate(String),
    /// Only its own machine reaches it.
    #[error("{0}: it is asked on that machine, or has --admin-public")]
    Elsewhere(String),
    /// Nobody answers there; the daemon is down, or something else is there.
    #[error("{0}: cannot connect: {1}")]
    Connect(String, String),
    /// The daemon does not carry it out.
    #[error("{0}: {1}")]
    Refused(String, String),
}

/// What an admin address begins with where TLS is spoken.
const SECURE: &str = "https://";

/// Asks a daemon by its admin address; with `https://` before it over TLS.
pub async fn ask(
    address: &str,
    tls: Option<&LinkTls>,
    question: &Question,
) -> Result<wire::Answers, AskError> {
    let none = || AskError::Address(address.to_owned());
    let endpoint = match address.starts_with(SECURE) {
        true => {
            let tls = tls.ok_or_else(|| AskError::Certificate(address.to_owned()))?;
            let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|_| none())?;
            endpoint.tls_config(tls.client()).map_err(|_| none())?
        }
        false => Endpoint::from_shared(format!("http://{address}")).map_err(|_| none())?,
    };
    let endpoint = endpoint
        .connect_timeout(CONNECT_PATIENCE)
        .timeout(ASK_PATIENCE);
    let connected = endpoint.connect().await;
    let channel =
        connected.map_err(|error| AskError::Connect(address.to_owned(), crate::root(&error)))?;
    let mut client = AdminClient::new(channel).max_decoding_message_size(ANSWERS_BYTES_MAX);
    match client.ask(wire::Question::from(question)).await {
        Ok(answers) => Ok(answers.into_inner()),
        Err(status) => Err(AskError::Refused(
            address.to_owned(),
            status.message().to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use tokio::sync::Semaphore;
    use tokio::task::{LocalSet, spawn_local, yield_now};

    use super::*;

    #[tokio::test]
    async fn only_so_many_questions_are_under_way() {
        let local = LocalSet::new();
        let asking = async {
            let (part, questions) = part("part");
            let (begun, may_end) = (Rc::new(Cell::new(0)), Rc::new(Semaphore::new(0)));
            let (counted, ends) = (begun.clone(), may_end.clone());
            let answering = spawn_local(answer_each(questions, move |_| {
                let (counted, ends) = (counted.clone(), ends.clone());
                async move {
                    counted.set(counted.get() + 1);
                    ends.acquire().await.unwrap().forget();
                    Vec::new()
                }
            }));
            let mut waits = Vec::new();
            for _ in 0..3 * WAITING_MAX {
                waits.push(put(&part, &Question::Status));
                yield_now().await;
                yield_now().await;
            }
            assert_eq!(begun.get(), WAITING_MAX);
            may_end.add_permits(3 * WAITING_MAX);
            let mut answered = 0;
            for wait in waits {
                answered += usize::from(wait.await.is_ok());
            }
            assert_eq!((answered, begun.get()), (2 * WAITING_MAX, 2 * WAITING_MAX));
            drop(part);
            answering.await.unwrap();
        };
        local.run_until(asking).await;
    }
}
