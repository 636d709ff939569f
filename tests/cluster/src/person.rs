//! A person at a client: the SDK, and everything that it told.
//!
//! Owns the client and takes every event as it comes, so messages are
//! acknowledged. Must not know what a test expects.

use std::time::Duration;

use bytes::Bytes;
use client::{
    Availability, Client, Code, Connected, Event, Fate, FriendEntry, Message, PeerStatus, Relation,
    SendHandle, Settings, Stamp, UserId,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::patience::{PATIENCE, within};

/// Somebody with one device.
#[derive(Debug)]
pub struct Person {
    /// Who it is.
    pub user: UserId,
    /// To ask with.
    pub client: Client,
    heard: watch::Receiver<Vec<Event>>,
    hearing: JoinHandle<()>,
}

/// A user.
///
/// # Panics
/// The name is none.
pub fn user(name: &str) -> UserId {
    name.parse().expect("a name")
}

impl Person {
    /// Logged in, in open mode.
    pub async fn comes(address: &str, name: &str, device: &str) -> Self {
        Self::comes_with(settings(address, name, device)).await
    }

    /// Logged in with these settings.
    pub async fn comes_with(settings: Settings) -> Self {
        let mut person = Self::begins(settings);
        person.user = person.connected(1).await.user;
        person
    }

    /// Not logged in yet; who it is a token may say.
    pub fn begins(settings: Settings) -> Self {
        let (client, mut events) = Client::connect(settings).expect("an address");
        let (hear, heard) = watch::channel(Vec::new());
        let hearing = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                hear.send_modify(|heard| heard.push(event));
            }
        });
        Self {
            user: user("nobody"),
            client,
            heard,
            hearing,
        }
    }

    /// Everything heard so far.
    pub fn heard(&self) -> Vec<Event> {
        self.heard.borrow().clone()
    }

    /// Waits until what was heard so far, from the beginning on, has it.
    ///
    /// # Panics
    /// It does not in time, or the session is over without it.
    pub async fn hears<T>(&self, what: &str, find: impl Fn(&[Event]) -> Option<T>) -> T {
        let mut heard = self.heard.clone();
        let mut found = None;
        let hearing = heard.wait_for(|events| {
            found = find(events);
            found.is_some()
        });
        let waited = timeout(PATIENCE, hearing).await;
        let why = match waited {
            Ok(Ok(_)) => None,
            Ok(Err(_)) => Some("the session is over"),
            Err(_) => Some("it did not come"),
        };
        if let Some(why) = why {
            let heard = self.heard.borrow();
            panic!("{} waits for {what}: {why}; heard: {heard:#?}", self.user);
        }
        // The condition was that there is something.
        found.expect("something was found")
    }

    /// Waits for the `number`th log-in of this client, from 1.
    pub async fn connected(&self, number: usize) -> Connected {
        let what = format!("log-in {number}");
        self.hears(&what, |events| {
            let mut logins = events.iter().filter_map(|event| match event {
                Event::Connected(connected) => Some(connected.clone()),
                _ => None,
            });
            logins.nth(number - 1)
        })
        .await
    }

    /// How often it has logged in.
    pub fn logins(&self) -> usize {
        let login = |event: &&Event| matches!(event, Event::Connected(_));
        self.heard.borrow().iter().filter(login).count()
    }

    /// Waits until the session is over, and gives the number of its code.
    pub async fn closed(&self) -> Option<u32> {
        self.hears("the end", |events| {
            events.iter().find_map(|event| match event {
                Event::Closed { code, .. } => Some(code.map(|code| code.number())),
                _ => None,
            })
        })
        .await
    }

    /// The messages shown so far, in order.
    pub fn messages(&self) -> Vec<Message> {
        messages(&self.heard.borrow())
    }

    /// The texts shown so far, in order.
    pub fn texts(&self) -> Vec<String> {
        self.messages().iter().map(text).collect()
    }

    /// Waits until a message with this text is shown.
    pub async fn reads(&self, wanted: &str) -> Message {
        self.hears(&format!("`{wanted}`"), |events| {
            // The newest are looked at first: it is mostly one of them.
            events.iter().rev().find_map(|event| match event {
                Event::Message(m) if m.body == wanted => Some(m.clone()),
                _ => None,
            })
        })
        .await
    }

    /// Hands a message over; it is on its way, or waits for a connection.
    pub async fn begins_to_say(&self, to: &UserId, body: impl Into<Bytes>) -> SendHandle {
        let taken = within("room for a message", self.client.send(to, body)).await;
        taken.expect("the message is taken")
    }

    /// Sends a message and waits for its fate.
    pub async fn says(&self, to: &UserId, body: impl Into<Bytes>) -> Fate {
        let handle = self.begins_to_say(to, body).await;
        within("a fate", handle).await
    }

    /// Sends a message that becomes safe: on a device, or stored.
    ///
    /// # Panics
    /// It does not.
    pub async fn tells(&self, to: &UserId, body: impl Into<Bytes>) -> Stamp {
        match self.says(to, body).await {
            Fate::Delivered { stamp, .. } | Fate::Stored { stamp } => stamp,
            fate => panic!("{} tells {to}: {fate:?}", self.user),
        }
    }

    /// Sends a message to who is away: it is stored.
    ///
    /// # Panics
    /// It is not.
    pub async fn leaves_word(&self, to: &UserId, body: impl Into<Bytes>) -> Stamp {
        match self.says(to, body).await {
            Fate::Stored { stamp } => stamp,
            fate => panic!("{} leaves word for {to}: {fate:?}", self.user),
        }
    }

    /// Sends a message that is refused with this code.
    ///
    /// # Panics
    /// It is not.
    pub async fn is_refused(&self, to: &UserId, body: impl Into<Bytes>, wanted: Code) {
        match self.says(to, body).await {
            Fate::Rejected { code, .. } if code == wanted => {}
            fate => panic!("{} is to be refused by {to}: {fate:?}", self.user),
        }
    }

    /// Waits until the friend list says this of a user.
    pub async fn lists(&self, peer: &UserId, relation: Relation, blocked: bool) {
        let wanted = FriendEntry {
            user: peer.clone(),
            relation,
            blocked,
        };
        self.hears(&format!("{wanted:?} in the list"), |events| {
            let newest = events.iter().rev().find_map(|event| match event {
                Event::Friends(list) => Some(list),
                _ => None,
            })?;
            (newest.find(peer) == Some(&wanted)).then_some(())
        })
        .await;
    }

    /// What was shown of a friend so far, in order.
    pub fn shown(&self, of: &UserId) -> Vec<PeerStatus> {
        shown(&self.heard.borrow(), of)
    }

    /// Waits until the newest that is shown of a friend is this.
    pub async fn sees(&self, friend: &UserId, wanted: Availability) -> PeerStatus {
        let what = format!("{friend} to be {wanted:?}");
        self.hears(&what, |events| {
            let newest = shown(events, friend).pop()?;
            (newest.status.availability == wanted).then_some(newest)
        })
        .await
    }

    /// Logs out, in order.
    pub async fn leaves(self) {
        within("a log-out", self.client.close(Duration::from_secs(5))).await;
    }

    /// The connection breaks and nobody comes back.
    pub async fn vanishes(mut self) {
        self.hearing.abort();
        // It says that it was aborted; its end of the client is gone by then.
        let _ = (&mut self.hearing).await;
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.hearing.abort();
    }
}

/// The settings of somebody in open mode.
pub fn settings(address: &str, name: &str, device: &str) -> Settings {
    Settings::open(address, user(name), device.parse().expect("a device"))
}

/// One asks, the other hears of it and accepts, the first hears of that.
pub async fn befriend(one: &Person, other: &Person) {
    one.client.request(&other.user).await.expect("asked");
    other.lists(&one.user, Relation::Invited, false).await;
    other.client.accept(&one.user).await.expect("accepted");
    one.lists(&other.user, Relation::Friend, false).await;
    other.lists(&one.user, Relation::Friend, false).await;
}

/// The text of a message.
pub fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.body).into_owned()
}

fn messages(events: &[Event]) -> Vec<Message> {
    let message = |event: &Event| match event {
        Event::Message(message) => Some(message.clone()),
        _ => None,
    };
    events.iter().filter_map(message).collect()
}

fn shown(events: &[Event], of: &UserId) -> Vec<PeerStatus> {
    let status = |event: &Event| match event {
        Event::Presence(peer) if peer.user == *of => Some(peer.clone()),
        _ => None,
    };
    events.iter().filter_map(status).collect()
}
