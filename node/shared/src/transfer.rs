//! What a store in a directory keeps goes into a Redis, a bounded number of
//! things at a time, each with the reply that it must get.
//!
//! Owns the batches and the comparison of replies. Must not know any key, nor
//! what things are.

use std::error::Error;

use redis::Value;
use thiserror::Error;

use crate::client::Redis;
use crate::command::Command;
use crate::failure::Failure;

/// Things that are under way at once.
const THINGS_MAX: usize = 256;
/// Bytes of them, or of one that is larger.
const BYTES_MAX: usize = 1024 * 1024;

/// A command, and the reply without which it has gone wrong.
pub type Step = (Command, Value);

/// What is written there, and looked for afterwards.
pub trait Thing {
    /// What it is, for an operator.
    fn name(&self) -> String;
    /// How large it is, about.
    fn bytes(&self) -> usize;
    /// What writes it where nothing is.
    fn writes(&self) -> Vec<Step>;
    /// What is answered like this if it is there, whole, and nothing beside it.
    fn looks(&self) -> Vec<Step>;
}

/// Why it ended in the middle. The operator must act.
#[derive(Debug, Error)]
pub enum TransferError {
    /// The directory cannot be read further.
    #[error(transparent)]
    Source(Box<dyn Error + Send + Sync>),
    /// Redis did not do it, or may not have done it.
    #[error("{name}: {failure}")]
    Failure {
        /// What was under way.
        name: String,
        /// What came of it.
        failure: Failure,
    },
    /// Another reply came.
    #[error("{name}: in Redis it is not as it is in the directory: {found}")]
    Differs {
        /// What differs.
        name: String,
        /// What is there.
        found: String,
    },
}

/// Carries out the steps of all things: of writing, or of looking.
///
/// # Errors
/// The first that goes wrong. Up to so many things behind it may have been
/// carried out too.
pub async fn transfer<T: Thing, E: Error + Send + Sync + 'static>(
    redis: &mut Redis,
    things: impl Iterator<Item = Result<T, E>>,
    steps: impl Fn(&T) -> Vec<Step>,
) -> Result<(), TransferError> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    for thing in things {
        let thing = thing.map_err(|error| TransferError::Source(Box::new(error)))?;
        if batch.len() == THINGS_MAX || (bytes > 0 && bytes + thing.bytes() > BYTES_MAX) {
            carry_out(redis, batch.drain(..), &steps).await?;
            bytes = 0;
        }
        bytes += thing.bytes();
        batch.push(thing);
    }
    carry_out(redis, batch.drain(..), &steps).await
}

async fn carry_out<T: Thing>(
    redis: &mut Redis,
    things: impl Iterator<Item = T>,
    steps: &impl Fn(&T) -> Vec<Step>,
) -> Result<(), TransferError> {
    let mut commands = Vec::new();
    let mut wanted = Vec::new();
    for thing in things {
        let (of_thing, replies): (Vec<Command>, Vec<Value>) = steps(&thing).into_iter().unzip();
        commands.extend(of_thing);
        wanted.push((thing, replies));
    }
    let mut replies = redis.carry_out(commands).await.into_iter();
    for (thing, wanted) in wanted {
        for wanted in wanted {
            let reply = replies.next();
            let reply = reply.unwrap_or_else(|| Err(Failure::lost("too few replies")));
            match reply {
                Ok(found) if found == wanted => {}
                Ok(found) => {
                    let (name, found) = (thing.name(), shown(&found));
                    return Err(TransferError::Differs { name, found });
                }
                Err(failure) => {
                    let name = thing.name();
                    return Err(TransferError::Failure { name, failure });
                }
            }
        }
    }
    Ok(())
}

/// The beginning of a reply.
fn shown(found: &Value) -> String {
    format!("{found:?}").chars().take(200).collect()
}
