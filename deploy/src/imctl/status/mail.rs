//! How much mail waits, by shard: of a store that the registry's Redis is.
//!
//! Owns the sums. Must not know how mail is counted.

use std::collections::BTreeMap;
use std::time::Duration;

use msgd::mail::waiting;
use registry::view::{View, members};
use serde::Serialize;
use shared::{Address, Redis, Settings, Trust};

use crate::output::table;
use crate::ring;

/// A Redis that is silent for longer is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// What waits for users of one shard.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Mail {
    shard: String,
    mailboxes: u64,
    messages: u64,
    /// There are more messages: of so many mailboxes they were not counted.
    uncounted: u64,
}

/// What waits, by the shards of the ring; nothing while it has none.
///
/// # Errors
/// The registry does not answer.
pub async fn mail(address: &Address, trust: &Trust) -> anyhow::Result<Vec<Mail>> {
    let look = ring::registry(address, trust).look().await?;
    if members(&look).is_empty() {
        return Ok(Vec::new());
    }
    let view = View::build(&look)?;
    let settings = Settings {
        address: address.clone(),
        trust: trust.clone(),
        patience: PATIENCE,
        confirm: None,
    };
    let mut redis = Redis::new(&settings, Vec::new());
    let mut shards: BTreeMap<String, Mail> = BTreeMap::new();
    for member in view.ring().members() {
        shards.insert(member.shard.to_string(), Mail::default());
    }
    for waiting in waiting(&mut redis).await? {
        let shard = view.ring().owner(waiting.slot).to_string();
        let mail = shards.entry(shard).or_default();
        mail.mailboxes += waiting.mailboxes;
        mail.messages += waiting.messages;
        mail.uncounted += waiting.mailboxes.saturating_sub(waiting.counted);
    }
    let named = |(shard, mail)| Mail { shard, ..mail };
    Ok(shards.into_iter().map(named).collect())
}

/// As people read it.
pub fn text(mail: &[Mail]) -> String {
    let row = |mail: &Mail| {
        let more = match mail.uncounted {
            0 => String::new(),
            some => format!(", and of {some} mailboxes more"),
        };
        [
            mail.shard.clone(),
            mail.mailboxes.to_string(),
            format!("{}{more}", mail.messages),
        ]
    };
    let rows: Vec<_> = mail.iter().map(row).collect();
    table(["mail of", "mailboxes", "messages"], &rows)
}
