//! Which server it is, and which start of it.
//!
//! Owns what a server tells of itself. Must not know connections.

use std::sync::Arc;

use redis::Value;

use crate::failure::Failure;

/// The least version of Redis; Valkey tells one above.
const VERSION_MIN: u32 = 7;

/// A server as long as nothing that it has answered can be forgotten: until it
/// is started again, or follows another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life(Arc<str>);

/// What it tells of itself; it must be new enough.
pub(crate) fn life(info: Option<&Value>) -> Result<Life, Failure> {
    let text = match info {
        Some(Value::BulkString(text)) => String::from_utf8_lossy(text).into_owned(),
        Some(Value::VerbatimString { text, .. }) => text.clone(),
        _ => String::new(),
    };
    let told = |name: &str| {
        let mut lines = text.lines();
        let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        found.unwrap_or("unknown")
    };
    let version = told("redis_version");
    let major: Option<u32> = version.split('.').next().and_then(|text| text.parse().ok());
    match major {
        Some(major) if major >= VERSION_MIN => {
            let life = format!("{} {}", told("run_id"), told("master_replid"));
            Ok(Life(life.into()))
        }
        _ => Err(Failure::lost(format!(
            "version {version}, {VERSION_MIN} or later is needed"
        ))),
    }
}
