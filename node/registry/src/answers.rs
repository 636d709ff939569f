//! What the scripts answer.
//!
//! Owns how their words are read. Must not know who asked.

use std::time::Duration;

use proto::ids::{Epoch, Incarnation, ShardId};
use shared::Value;

use crate::error::RegistryError;
use crate::keys;
use crate::look::{Berth, Found, Leaver, Look, Record};

/// What a script that changes something answers, and a word more.
pub(crate) fn done(reply: Value) -> Result<Option<String>, RegistryError> {
    let mut words = list(reply).into_iter().map(text);
    let mut word = || words.next().flatten();
    match word().as_deref() {
        Some("done" | "none") => Ok(word()),
        Some("over") => Err(RegistryError::Over),
        Some("taken") => Err(RegistryError::Taken(word().unwrap_or_default())),
        Some("unknown") => Err(RegistryError::Unknown),
        Some("last") => Err(RegistryError::Last),
        _ => Err(RegistryError::Answer),
    }
}

/// `None`: no answer of this script.
pub(crate) fn read_look(reply: Value) -> Option<Result<Look, RegistryError>> {
    let [epoch, shards, gone, gateways]: [Value; 4] = list(reply).try_into().ok()?;
    let epoch = Epoch(text(epoch)?.parse().ok()?);
    let gateways: Option<Vec<String>> = list(gateways).into_iter().map(text).collect();
    let mut found = Vec::new();
    for shard in list(shards) {
        let [name, record, sign, left]: [Value; 4] = list(shard).try_into().ok()?;
        let Value::Int(left) = left else {
            return None;
        };
        match (ShardId::new(text(name)?), text(record)?.parse::<Record>()) {
            (Ok(name), Ok(record)) => found.push(Found {
                name,
                record,
                lease: u64::try_from(left).ok().map(Duration::from_millis),
                sign: keys::sign(text(sign).as_deref()),
            }),
            (Err(error), _) => return Some(Err(error.into())),
            (_, Err(error)) => return Some(Err(error.into())),
        }
    }
    let leavers: Option<Vec<Leaver>> = list(gone).into_iter().map(leaver).collect();
    Some(Ok(Look {
        epoch,
        found,
        leavers: leavers?,
        gateways: gateways?,
    }))
}

fn leaver(value: Value) -> Option<Leaver> {
    let [incarnation, place, sign]: [Value; 3] = list(value).try_into().ok()?;
    let place = text(place)?;
    let (name, berth) = place.split_once(' ')?;
    Some(Leaver {
        name: ShardId::new(name).ok()?,
        incarnation: Incarnation(text(incarnation)?.parse().ok()?),
        berth: Berth(berth.parse().ok()?),
        sign: keys::sign(text(sign).as_deref()),
    })
}

/// Of what it consists.
pub(crate) fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        _ => Vec::new(),
    }
}

/// What it says, if it is a text.
pub(crate) fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}
