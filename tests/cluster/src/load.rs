//! A load of messages, in the middle of which a test stops or kills parts of
//! the cluster.
//!
//! Owns pairs of people, one of whom writes to the other all the time, and how
//! they are doing. Must not know what happens to the cluster meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Client, Fate, Identity, UserId};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::ledger::{Balance, Ledger};
use crate::patience::within;
use crate::person::{Person, befriend};

/// Half of the recipients are there, half find their mailbox later.
const PAIRS: usize = 4;

/// Messages of one sender that wait for their answer at once; below a window.
const UNANSWERED: usize = 64;

/// Answers before the load counts as flowing, of each sender.
const ANSWERS: usize = 50;

/// What a sender has done so far.
#[derive(Debug, Default, Clone, Copy)]
struct Traffic {
    sent: usize,
    answered: usize,
    /// The longest time without an answer since it was reported last.
    pause: Duration,
}

/// Pairs of people, one of whom writes to the other all the time.
#[derive(Debug)]
pub struct Load {
    /// Who writes, and to whom.
    pub senders: Vec<(Person, UserId)>,
    /// The recipients who are there.
    pub there: Vec<Person>,
    /// Of those who are away, and where they come back.
    away: Vec<UserId>,
    address: String,
    traffic: Arc<watch::Sender<[Traffic; PAIRS]>>,
    stop: watch::Sender<bool>,
    sending: JoinSet<Vec<(Identity, Fate)>>,
}

impl Load {
    /// Senders connect to one address, recipients to the other. `pace` is the
    /// pause between two messages of one sender; a mailbox must hold all that
    /// come to it in the time of the test.
    pub async fn begins(
        addresses: [&str; 2],
        pace: Duration,
        name: impl Fn(usize, &str) -> UserId,
    ) -> Self {
        let mut load = Self {
            senders: Vec::new(),
            there: Vec::new(),
            away: Vec::new(),
            address: addresses[1].to_owned(),
            traffic: Arc::new(watch::Sender::default()),
            stop: watch::Sender::new(false),
            sending: JoinSet::new(),
        };
        for number in 0..PAIRS {
            let [sender, recipient] = ["ann", "ben"].map(|role| name(number, role));
            let sender = Person::comes(addresses[0], sender.as_str(), "phone").await;
            let recipient = Person::comes(addresses[1], recipient.as_str(), "desk").await;
            befriend(&sender, &recipient).await;
            load.senders.push((sender, recipient.user.clone()));
            if number % 2 == 0 {
                load.there.push(recipient);
            } else {
                load.away.push(recipient.user.clone());
                recipient.leaves().await;
            }
        }
        for (number, (sender, to)) in load.senders.iter().enumerate() {
            let task = Sending {
                number,
                user: sender.user.clone(),
                client: sender.client.clone(),
                to: to.clone(),
                traffic: load.traffic.clone(),
                stop: load.stop.subscribe(),
                pace,
            };
            load.sending.spawn(task.run());
        }
        load
    }

    /// Waits until every sender is being answered again, and some message is
    /// unanswered: what is killed now is killed in the middle of it.
    ///
    /// # Panics
    /// They are not.
    pub async fn flows(&self) {
        let begun = *self.traffic.borrow();
        let in_full_flow = |now: &[Traffic; PAIRS]| {
            let mut both = now.iter().zip(&begun);
            let answered = both.all(|(now, begun)| now.answered >= begun.sent + ANSWERS);
            answered && now.iter().any(|now| now.sent > now.answered)
        };
        let mut traffic = self.traffic.subscribe();
        let waited = within("full flow", traffic.wait_for(in_full_flow)).await;
        drop(waited.expect("the sender lives"));
    }

    /// Says for how long the sender who waited longest had no answer: the time
    /// without service, the new start and the way back included.
    pub fn reports_pause(&self, what: &str) {
        let longest = self.traffic.borrow().iter().map(|t| t.pause).max();
        let longest = longest.unwrap_or_default().as_millis();
        println!("{what}: {longest} ms without an answer");
        self.traffic
            .send_modify(|all| all.iter_mut().for_each(|t| t.pause = Duration::ZERO));
    }

    /// How many messages are answered by now.
    pub fn answered(&self) -> usize {
        self.traffic.borrow().iter().map(|t| t.answered).sum()
    }

    /// Stops it, waits for every answer and every mailbox, and closes the
    /// account.
    ///
    /// # Panics
    /// A message was lost, refused, of unknown fate, or shown twice.
    pub async fn ends(mut self) {
        self.stop.send_replace(true);
        let mut ledger = Ledger::default();
        while let Some(fates) = within("the last fates", self.sending.join_next()).await {
            for (identity, fate) in fates.expect("a sender's account") {
                ledger.told(identity, fate);
            }
        }
        for name in &self.away {
            let back = Person::comes(&self.address, name.as_str(), "desk").await;
            self.there.push(back);
        }
        for recipient in &self.there {
            let pair = self.senders.iter().find(|(_, to)| *to == recipient.user);
            let (sender, _) = pair.expect("each recipient has a sender");
            ledger.last_words(sender, recipient).await;
        }
        let Balance {
            delivered,
            stored,
            unknown,
            rejected,
        } = ledger.close();
        assert_eq!((unknown, rejected), (0, 0));
        let least = ANSWERS * PAIRS / 2;
        assert!(
            delivered >= least && stored >= least,
            "{delivered}, {stored}"
        );
    }
}

/// One sender's task.
struct Sending {
    number: usize,
    user: UserId,
    client: Client,
    to: UserId,
    traffic: Arc<watch::Sender<[Traffic; PAIRS]>>,
    stop: watch::Receiver<bool>,
    pace: Duration,
}

impl Sending {
    /// Sends until it is told to stop, then waits for all answers.
    async fn run(self) -> Vec<(Identity, Fate)> {
        let mut pace = interval(self.pace);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut fates = Vec::new();
        let mut waiting = JoinSet::new();
        let mut last = 0_u64;
        let mut answered = Instant::now();
        loop {
            let sends = !*self.stop.borrow() && waiting.len() < UNANSWERED;
            let (id, fate) = tokio::select! {
                _ = pace.tick(), if sends => {
                    last += 1;
                    let sent = self.client.send(&self.to, last.to_string()).await;
                    let handle = sent.expect("the message is taken");
                    self.count(|traffic| traffic.sent += 1);
                    waiting.spawn(async move { (handle.id(), handle.await) });
                    continue;
                }
                Some(answered) = waiting.join_next() => answered.expect("a fate"),
                else => return fates,
            };
            let pause = answered.elapsed();
            answered = Instant::now();
            self.count(|traffic| {
                traffic.answered += 1;
                traffic.pause = traffic.pause.max(pause);
            });
            let from = self.user.clone();
            fates.push((Identity { from, id }, fate));
        }
    }

    fn count(&self, count: impl FnOnce(&mut Traffic)) {
        self.traffic.send_modify(|all| count(&mut all[self.number]));
    }
}
