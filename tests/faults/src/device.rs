//! One device of a user: a client of the SDK, and what it tells the books.
//!
//! Owns the client and takes every event as it comes, so messages are
//! acknowledged. Must not know who writes to whom.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use client::{
    Availability, Client, DeviceId, Event, Events, Identity, SeenStore, Settings, Status, UserId,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::books::Books;

/// So that who is connected to nobody any more learns it soon.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// What a slow application takes for a message: less than there is between two.
const SLOWLY: Duration = Duration::from_millis(60);

/// To come back: the pauses between attempts grow to half a minute.
const PATIENCE: Duration = Duration::from_secs(90);

/// For an orderly end.
const GOODBYE: Duration = Duration::from_secs(5);

/// What the application of a device has shown, in all its lives.
#[derive(Debug, Clone, Default)]
pub struct Shown(Arc<Mutex<HashSet<Identity>>>);

impl SeenStore for Shown {
    fn contains(&mut self, identity: &Identity) -> bool {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.contains(identity)
    }

    fn remember(&mut self, identity: &Identity) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.insert(identity.clone());
    }
}

/// Who a device is, whether it is there or not.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Whose it is.
    pub user: UserId,
    /// Which of theirs.
    pub device: DeviceId,
    /// Where it connects: several addresses, with commas between them.
    pub addresses: String,
    /// What it has shown.
    pub shown: Shown,
    /// Its application takes its time with each message: some are always on
    /// their way to it.
    pub is_slow: bool,
}

/// A device that is there.
#[derive(Debug)]
pub struct Device {
    /// Whose it is.
    pub user: UserId,
    /// To ask with.
    pub client: Client,
    connected: watch::Receiver<bool>,
    hearing: JoinHandle<()>,
}

impl Owner {
    /// The device comes; it need not be connected yet.
    pub fn comes(&self, books: &Books) -> Result<Device> {
        let (user, device) = (self.user.clone(), self.device.clone());
        let mut settings = Settings::open(self.addresses.clone(), user.clone(), device);
        settings.account.heartbeat = HEARTBEAT;
        settings.account.status = Some(Status::plain(Availability::Online));
        settings.seen = Some(Box::new(self.shown.clone()));
        let (client, events) = Client::connect(settings)?;
        let (say, connected) = watch::channel(false);
        let hearing = tokio::spawn(hear(self.clone(), events, books.clone(), say));
        Ok(Device {
            user,
            client,
            connected,
            hearing,
        })
    }
}

impl Device {
    /// Waits until it is logged in, be it again.
    pub async fn is_there(&self) -> Result<()> {
        let mut connected = self.connected.clone();
        let connected = connected.wait_for(|connected| *connected);
        let waited = timeout(PATIENCE, connected).await;
        let waited = waited.with_context(|| format!("{} does not come in", self.user))?;
        waited.with_context(|| format!("the session of {} is over", self.user))?;
        Ok(())
    }

    /// Logs out, in order.
    pub async fn leaves(self) {
        self.client.close(GOODBYE).await;
    }

    /// The connection breaks and nobody comes back.
    pub async fn vanishes(mut self) {
        self.hearing.abort();
        // It says that it was aborted; its end of the client is gone by then.
        let _ = (&mut self.hearing).await;
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.hearing.abort();
    }
}

async fn hear(owner: Owner, mut events: Events, books: Books, say: watch::Sender<bool>) {
    // Between a message and the next question those who vanish wait for
    // nothing: what is in their books is acknowledged, or neither.
    while let Some(event) = events.next().await {
        match event {
            Event::Message(message) => {
                books.shown(&message, &owner.device);
                if owner.is_slow {
                    sleep(SLOWLY).await;
                }
            }
            Event::GroupEntry(entry) => {
                let mut accounts = books.open();
                accounts.rooms.entry(&owner.user, &owner.device, &entry);
            }
            Event::GroupSkipped(skipped) => {
                let mut accounts = books.open();
                accounts.rooms.skipped(&owner.user, &owner.device, &skipped);
            }
            Event::Connected(_) => drop(say.send_replace(true)),
            Event::Reconnecting { .. } => {
                say.send_replace(false);
                let broken = (Instant::now(), owner.user.clone());
                books.open().broken.push(broken);
            }
            Event::Closed {
                code: Some(code),
                text,
            } => {
                let closed = format!("{}: {} {text}", owner.user, code.number());
                books.open().closed.push(closed);
            }
            _ => {}
        }
    }
}
