//! What it means that something is stored in a Redis, as its servers say.
//!
//! Owns the question and how the answer is told to an operator. Must not know
//! what is stored.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use redis::Value;
use tokio::sync::Mutex;

use crate::client::Redis;
use crate::command::Command;
use crate::failure::Reply;
use crate::settings::Settings;

/// Tells it, each time anew.
pub type Telling = Box<dyn Fn() -> Pin<Box<dyn Future<Output = String> + Send>> + Send>;

/// Tells what it means in this Redis. It has a connection of its own, so that
/// nobody's commands wait for an operator's.
pub fn telling(settings: &Settings) -> Telling {
    let wanted = settings.confirm.map_or(0, |confirm| confirm.replicas);
    let redis = Arc::new(Mutex::new(Redis::new(settings, Vec::new())));
    Box::new(move || {
        let redis = redis.clone();
        Box::pin(async move { told(&mut *redis.lock().await, wanted).await })
    })
}

async fn told(redis: &mut Redis, wanted: u32) -> String {
    let primaries = match redis.primaries().await {
        Ok(primaries) => primaries,
        Err(failure) => return format!("not told: {failure}"),
    };
    // Servers of a Cluster are mostly set up alike.
    let mut means = BTreeSet::new();
    for primary in primaries {
        let config = |name: &str| Command::read("CONFIG", "GET").arg(name);
        let info = Command::read("INFO", "replication");
        let asked = vec![config("appendonly"), config("appendfsync"), info];
        let replies = redis.carry_out_at(&primary, asked).await;
        means.insert(meaning(&replies, wanted));
    }
    means.into_iter().collect::<Vec<_>>().join("; or ")
}

/// What one server's replies mean.
fn meaning(replies: &[Reply], wanted: u32) -> String {
    let [appendonly, appendfsync, replication] = replies else {
        return "not told".to_owned();
    };
    if let Err(failure) = replication
        && failure.code().is_none()
    {
        return format!("not told: {failure}");
    }
    let lasts = match (value(appendonly), value(appendfsync)) {
        (Some("no"), _) => "in the server's memory, gone with it (appendonly no)".to_owned(),
        (Some(_), Some("always")) => "on the server's disk (appendfsync always)".to_owned(),
        (Some(_), Some("everysec")) => {
            "on the server's disk within a second (appendfsync everysec)".to_owned()
        }
        (Some(_), Some(other)) => format!("in the server's hands (appendfsync {other})"),
        _ => "in Redis; its appendfsync is not told".to_owned(),
    };
    let replicas = connected(replication);
    let replicas = replicas.unwrap_or_else(|| "an untold number of".to_owned());
    format!("{lasts}; replicas: {wanted} must have it, {replicas} connected")
}

/// The value of a setting; `None`: it is not told.
fn value(reply: &Reply) -> Option<&str> {
    let parts = match reply {
        Ok(Value::Array(parts)) => parts,
        _ => return None,
    };
    match parts.get(1)? {
        Value::BulkString(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

/// How many replicas a primary has.
fn connected(replication: &Reply) -> Option<String> {
    let text = match replication {
        Ok(Value::BulkString(text)) => std::str::from_utf8(text).ok()?,
        Ok(Value::VerbatimString { text, .. }) => text,
        _ => return None,
    };
    let count = text
        .lines()
        .find_map(|line| line.strip_prefix("connected_slaves:"))?;
    Some(count.trim().to_owned())
}
