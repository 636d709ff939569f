//! The mark that stands in a Redis while a copy into it is not whole.
//!
//! Owns its key, the only one that is known here: who fills a Redis and who
//! serves from one must agree on it. Must not know what is copied.

use std::time::Duration;

use redis::Value;
use thiserror::Error;

use crate::client::Redis;
use crate::command::Command;
use crate::failure::Reply;
use crate::settings::Settings;

/// It is there while a copy is not finished.
pub const MARK: &str = "im:copy";

/// Between two looks into a Redis that does not answer.
const PAUSE: Duration = Duration::from_millis(250);

/// The Redis holds a part of what it is to hold. The operator must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a copy into this Redis was not finished, or is being made: {MARK} is there; wait for its end, \
     or begin it anew with `imctl store copy --again`"
)]
pub struct Unfinished;

/// Asks whether the mark is there.
pub fn look() -> Command {
    Command::read("EXISTS", MARK)
}

/// What the reply to [`look`] says; `None`: nothing.
pub fn is_there(reply: &Reply) -> Option<bool> {
    match reply {
        Ok(Value::Int(count)) => Some(*count > 0),
        _ => None,
    }
}

/// Waits until the Redis says that nothing is marked, on a connection of its
/// own.
///
/// # Errors
/// The mark is there.
pub async fn is_whole(settings: &Settings) -> Result<(), Unfinished> {
    let mut redis = Redis::new(settings, Vec::new());
    loop {
        let reply = redis.carry_out(vec![look()]).await.pop();
        match reply.as_ref().and_then(is_there) {
            Some(true) => return Err(Unfinished),
            Some(false) => return Ok(()),
            None => tokio::time::sleep(PAUSE).await,
        }
    }
}
