//! Streams of messages: each from one user to one other or to one group, at a
//! pace of its own, now and then many at once.
//!
//! Owns the pace and what an application does with a fate that is unknown. Must
//! not know what becomes of the messages.

use std::time::{Duration, Instant};

use anyhow::Result;
use client::{Client, Code, Fate, MessageId, SendError, SendHandle};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::books::{Books, To, write};

/// One message in so many is the first of more than a window at once.
const FLOOD_EVERY: u32 = 4_000;
const FLOOD: usize = 200;
/// Messages at once where everybody has many.
const BURST: usize = 20;

/// A message of unknown fate is sent again so much later, and for so long.
const AGAIN: Duration = Duration::from_millis(200);
const AGAIN_FOR: Duration = Duration::from_secs(120);

/// A stream.
#[derive(Debug)]
pub struct Stream {
    /// Its number.
    pub number: usize,
    /// Of who writes.
    pub client: Client,
    /// To whom.
    pub to: To,
    /// The pause between two messages.
    pub pace: Duration,
    /// Set when it is to end.
    pub stop: watch::Receiver<bool>,
    /// Changes when there are to be many messages at once.
    pub burst: watch::Receiver<u64>,
    /// Where everything is written down.
    pub books: Books,
}

impl Stream {
    /// Writes until it is told to stop, then waits for every fate.
    pub async fn run(mut self) -> Result<()> {
        let mut pace = interval(self.pace);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut fates = JoinSet::new();
        while !*self.stop.borrow() {
            let messages = tokio::select! {
                _ = pace.tick() => match fastrand::u32(..FLOOD_EVERY) {
                    0 => FLOOD,
                    _ => 1,
                },
                Ok(()) = self.burst.changed() => BURST,
            };
            for _ in 0..messages {
                if *self.stop.borrow() {
                    break;
                }
                self.send(&mut fates).await?;
            }
            while let Some(fate) = fates.try_join_next() {
                fate??;
            }
        }
        while let Some(fate) = fates.join_next().await {
            fate??;
        }
        Ok(())
    }

    /// Writes one message, and waits for its fate. Gives its number.
    pub async fn says_one(&self) -> Result<MessageId> {
        let (letter, handle) = self.hand_over().await?;
        let id = handle.id();
        letter.follow(handle).await?;
        Ok(id)
    }

    async fn send(&self, fates: &mut JoinSet<Result<(), SendError>>) -> Result<()> {
        let (letter, handle) = self.hand_over().await?;
        fates.spawn(letter.follow(handle));
        Ok(())
    }

    /// Waits while the window is full.
    async fn hand_over(&self) -> Result<(Letter, SendHandle)> {
        let (number, sent) = self.books.sends(self.number);
        let body = write(self.number, number);
        let text = body.clone();
        let handle = match &self.to {
            To::User(to) => self.client.send(to, text).await?,
            To::Group(group) => self.client.send_to_group(group, Vec::new(), text).await?,
        };
        let letter = Letter {
            stream: self.number,
            client: self.client.clone(),
            to: self.to.clone(),
            body,
            sent,
            books: self.books.clone(),
        };
        Ok((letter, handle))
    }
}

/// A message that has no fate yet.
struct Letter {
    stream: usize,
    client: Client,
    to: To,
    body: String,
    sent: Instant,
    books: Books,
}

impl Letter {
    async fn follow(self, mut handle: SendHandle) -> Result<(), SendError> {
        let id = handle.id();
        loop {
            let fate = handle.await;
            let is_final = match fate {
                Fate::Unknown { code } => code == Code::TooOld || self.sent.elapsed() > AGAIN_FOR,
                _ => true,
            };
            if is_final {
                self.books.told(self.stream, self.sent, id, fate);
                return Ok(());
            }
            sleep(AGAIN).await;
            handle = self.again(id).await?;
        }
    }

    async fn again(&self, id: MessageId) -> Result<SendHandle, SendError> {
        let body = self.body.clone();
        match &self.to {
            To::User(to) => self.client.send_with_id(id, to, body).await,
            To::Group(group) => {
                self.client
                    .send_to_group_with_id(id, group, Vec::new(), body)
                    .await
            }
        }
    }
}
