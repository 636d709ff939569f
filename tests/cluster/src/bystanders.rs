//! Two people who chat all the while that a test does something else.
//!
//! Owns them and the account of their chat. Must not know what goes on beside
//! it.

use std::time::Duration;

use client::UserId;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::patience::within;
use crate::person::{Person, befriend};

/// The pause between two messages.
const PACE: Duration = Duration::from_millis(5);

/// Answers after which a chat counts as going on.
const GOES_ON: usize = 10;

/// Two friends in a chat.
#[derive(Debug)]
pub struct Bystanders {
    stop: watch::Sender<bool>,
    answered: watch::Receiver<usize>,
    chat: JoinHandle<[Person; 2]>,
}

impl Bystanders {
    /// Ann and ben come, in open mode, and begin to chat.
    pub async fn come(address: &str) -> Self {
        let ann = Person::comes(address, "ann", "phone").await;
        let ben = Person::comes(address, "ben", "phone").await;
        Self::begin(ann, ben).await
    }

    /// They become friends and begin to chat; each message waits for the
    /// answer to the one before it.
    pub async fn begin(one: Person, other: Person) -> Self {
        befriend(&one, &other).await;
        let stop = watch::Sender::new(false);
        let (count, answered) = watch::channel(0);
        let chat = tokio::spawn(chat([one, other], stop.subscribe(), count));
        Self {
            stop,
            answered,
            chat,
        }
    }

    /// Waits until they have told each other some more.
    ///
    /// # Panics
    /// A message of theirs did not become safe.
    pub async fn go_on(&mut self) {
        let wanted = *self.answered.borrow() + GOES_ON;
        let waited = self.answered.wait_for(|answered| *answered >= wanted);
        let waited = within("others to chat on", waited).await;
        drop(waited.expect("all that they said is safe"));
    }

    /// They stop, and nothing ever happened to them: every message was shown,
    /// once and in order, and nobody had to come back.
    ///
    /// # Panics
    /// Something did.
    pub async fn end(mut self) -> [Person; 2] {
        self.go_on().await;
        self.stop.send_replace(true);
        let people = self.chat.await.expect("all that they said is safe");
        let said = *self.answered.borrow();
        for (number, person) in people.iter().enumerate() {
            // The first says even numbers, the other hears them.
            let last = (0..said).rfind(|n| n % 2 != number);
            let last = last.expect("both have said something").to_string();
            person.reads(&last).await;
            let heard = person.texts();
            let all = (0..said).filter(|n| n % 2 != number).map(|n| n.to_string());
            assert!(all.eq(heard), "{} heard all in order", person.user);
            assert_eq!(person.logins(), 1, "{} was let alone", person.user);
        }
        people
    }
}

async fn chat(
    people: [Person; 2],
    stop: watch::Receiver<bool>,
    answered: watch::Sender<usize>,
) -> [Person; 2] {
    let users: [UserId; 2] = [people[0].user.clone(), people[1].user.clone()];
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0_usize.. {
        if *stop.borrow() {
            break;
        }
        pace.tick().await;
        let (says, hears) = (number % 2, (number + 1) % 2);
        people[says].tells(&users[hears], number.to_string()).await;
        answered.send_replace(number + 1);
    }
    people
}
