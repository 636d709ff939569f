//! Bounds of what a store keeps.
//!
//! Owns what a deployment may set. Must not know how a store keeps them.

use std::time::Duration;

/// Bounds of all that a store keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreSettings {
    /// Of each mailbox.
    pub mailbox: MailboxSettings,
    /// Of each group's log.
    pub log: LogSettings,
}

/// Bounds of each mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxSettings {
    /// Messages that are not acknowledged; more do not fit.
    pub messages_max: u64,
    /// Bytes of their bodies; more do not fit.
    pub bytes_max: u64,
    /// Messages at the front with a stamp older than this are dropped, at the
    /// next operation on the mailbox. The time is what [`super::Request::Alive`] said
    /// last by a steady clock; before that nothing is dropped.
    pub age_max: Duration,
}

impl Default for MailboxSettings {
    fn default() -> Self {
        Self {
            messages_max: 10_000,
            bytes_max: 16 * 1024 * 1024,
            age_max: Duration::from_secs(30 * 24 * 60 * 60),
        }
    }
}

/// Bounds of each group's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// Entries that are kept: with one more the oldest goes.
    pub log_max: u64,
    /// Entries with a stamp older than this go at the next write to the group,
    /// if there are many of them at those that follow. The time is as in
    /// [`MailboxSettings::age_max`].
    pub keep: Duration,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            log_max: 100_000,
            keep: Duration::from_secs(90 * 24 * 60 * 60),
        }
    }
}
