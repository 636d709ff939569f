//! What people do besides writing: they come and go, block each other, and show
//! other statuses.
//!
//! Owns when they do. Must not know what is written to them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use client::{Availability, Client, FriendAction, Status, UserId};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::books::Books;
use crate::cast::may_be_tried_again;
use crate::device::{Device, Owner};

/// Milliseconds that a visitor is away, and there.
const AWAY: Range<u64> = 2_000..6_000;
const THERE: Range<u64> = 1_000..5_000;
/// Milliseconds that a block holds, and before the next one.
const BLOCKED: Range<u64> = 1_000..3_000;
const UNBLOCKED: Range<u64> = 1_000..3_000;
/// Milliseconds between two statuses of somebody.
const STATUS: Range<u64> = 2_000..6_000;
/// Before a change is tried again.
const AGAIN: Duration = Duration::from_millis(300);

/// Until all this is to end.
pub type Stop = watch::Receiver<bool>;

/// What everybody shows of themselves, by their own account.
pub type Truth = Arc<Mutex<BTreeMap<UserId, Availability>>>;

/// Waits for some time, or until it is to end; says whether it goes on.
async fn pause(stop: &mut Stop, millis: Range<u64>) -> bool {
    let time = Duration::from_millis(fastrand::u64(millis));
    timeout(time, stop.wait_for(|stop| *stop)).await.is_err()
}

/// Comes and goes, by a log-out or without a word; in the end comes to stay.
pub async fn visits(owner: Owner, books: Books, mut stop: Stop) -> Result<Device> {
    loop {
        pause(&mut stop, AWAY).await;
        let device = owner.comes(&books)?;
        device.is_there().await?;
        if !pause(&mut stop, THERE).await {
            return Ok(device);
        }
        match fastrand::bool() {
            true => device.leaves().await,
            false => device.vanishes().await,
        }
    }
}

/// Two people block each other by turns; in the end nobody is blocked.
pub async fn blocks(mut pair: [(UserId, Client); 2], books: Books, mut stop: Stop) -> Result<()> {
    while pause(&mut stop, UNBLOCKED).await {
        let [(by, client), (blocked, _)] = &pair;
        // Without an answer it may hold: then nothing is expected of it.
        if client.block(blocked).await.is_ok() {
            books.open().blocks.holds(blocked, by, Instant::now());
            pause(&mut stop, BLOCKED).await;
        }
        books.open().blocks.is_lifted(blocked, by, Instant::now());
        while let Err(error) = client.change(FriendAction::Unblock, blocked).await {
            if !may_be_tried_again(&error) {
                break;
            }
            sleep(AGAIN).await;
        }
        pair.swap(0, 1);
    }
    Ok(())
}

/// Shows one status after another.
pub async fn statuses(user: UserId, client: Client, truth: Truth, mut stop: Stop) -> Result<()> {
    let kinds = [Availability::Online, Availability::Away, Availability::Busy];
    while pause(&mut stop, STATUS).await {
        let status = kinds[fastrand::usize(..kinds.len())];
        if client.set_status(Status::plain(status)).is_ok() {
            let mut truth = truth.lock().unwrap_or_else(PoisonError::into_inner);
            truth.insert(user.clone(), status);
        }
    }
    Ok(())
}
