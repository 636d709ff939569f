//! The way to Redis: what is asked at about the same time travels together.
//!
//! Owns the queue of commands, and whether Redis answers. Must not know what
//! commands do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use shared::mark::{self, Unfinished};
use shared::{Command, Failure, Redis, Reply, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Commands in one pipeline at most.
const BATCH_MAX: usize = 1024;
/// How often it is looked whether Redis answers, if nobody asks anything.
const LOOK: Duration = Duration::from_secs(1);
/// Between two complaints.
const TELL_PAUSE: Duration = Duration::from_secs(1);

/// A command, and where its reply goes.
type Asked = (Command, oneshot::Sender<Reply>);

/// Asks Redis. Clones share the way.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    commands: mpsc::Sender<Asked>,
}

impl Wire {
    /// The way, for so many commands at once, and what carries them.
    pub(super) fn new(redis: Redis, commands_max: usize) -> (Self, Carrier) {
        let (commands, asked) = mpsc::channel(commands_max);
        let carrier = Carrier {
            redis,
            asked,
            answers: Arc::default(),
            is_whole: false,
            told: None,
        };
        (Self { commands }, carrier)
    }

    /// Asks, and waits for the reply.
    pub(super) async fn ask(&self, command: Command) -> Result<Value, Failure> {
        let (reply, replied) = oneshot::channel();
        // Who carries it has gone: the reply does not come.
        let _ = self.commands.send((command, reply)).await;
        let ended = |_| Failure::Lost("the service ends".into());
        replied.await.map_err(ended)?
    }

    /// Asks, and does not want to know what comes of it. What finds no room is
    /// not asked.
    pub(super) fn tell(&self, command: Command) {
        let _ = self.commands.try_send((command, oneshot::channel().0));
    }
}

/// Carries commands to Redis.
pub(super) struct Carrier {
    redis: Redis,
    asked: mpsc::Receiver<Asked>,
    answers: Arc<AtomicBool>,
    /// It has said that it holds no half of a copy.
    is_whole: bool,
    /// When it was said last that Redis refuses something.
    told: Option<Instant>,
}

impl Carrier {
    /// Whether Redis answered when it was asked last.
    pub(super) fn answers(&self) -> Arc<AtomicBool> {
        self.answers.clone()
    }

    /// Carries commands until nobody can ask any more.
    ///
    /// # Errors
    /// A copy into the Redis is not finished.
    pub(super) async fn run(mut self) -> Result<(), Unfinished> {
        let mut asked = Vec::new();
        self.look().await?;
        loop {
            let commands = self.asked.recv_many(&mut asked, BATCH_MAX);
            match timeout(LOOK, commands).await {
                Ok(0) => return Ok(()),
                Ok(_) => {
                    if !self.is_whole {
                        self.look().await?;
                    }
                    let (commands, waiting): (Vec<_>, Vec<_>) = asked.drain(..).unzip();
                    let replies = self.carry_out(commands).await;
                    for (waiting, reply) in waiting.into_iter().zip(replies) {
                        // Who does not wait any more is not told.
                        let _ = waiting.send(reply);
                    }
                }
                Err(_) => self.look().await?,
            }
        }
    }

    /// Finds out whether Redis answers, and is whole.
    async fn look(&mut self) -> Result<(), Unfinished> {
        let reply = self.ask(vec![mark::look()]).await.pop();
        match reply.as_ref().and_then(mark::is_there) {
            Some(true) => return Err(Unfinished),
            Some(false) => self.is_whole = true,
            None => {}
        }
        Ok(())
    }

    /// Nothing is read or written before it is known that Redis is whole.
    async fn carry_out(&mut self, commands: Vec<Command>) -> Vec<Reply> {
        if self.is_whole {
            return self.ask(commands).await;
        }
        let failure = Failure::Lost("it has not said yet that it is whole".into());
        vec![Err(failure); commands.len()]
    }

    async fn ask(&mut self, commands: Vec<Command>) -> Vec<Reply> {
        let replies = self.redis.carry_out(commands).await;
        let mut failures = replies.iter().filter_map(|reply| reply.as_ref().err());
        let is_lost = failures.clone().any(Failure::is_lost);
        self.answers.store(!is_lost, Ordering::Relaxed);
        // What is lost is told where the connection is.
        if let Some(failure) = failures.find(|failure| !failure.is_lost()) {
            self.complain(failure);
        }
        replies
    }

    /// Says that Redis refuses something, not more often than once a second.
    fn complain(&mut self, failure: &Failure) {
        if self.told.is_none_or(|told| told.elapsed() >= TELL_PAUSE) {
            self.told = Some(Instant::now());
            tracing::error!(%failure, "requests to Redis failed");
        }
    }
}
