//! What is counted of mailboxes and groups.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// Counters of one store. Clones count into the same.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    pub(crate) appended: Counter,
    pub(crate) read: Counter,
    pub(crate) advanced: Counter,
    pub(crate) full: Counter,
    pub(crate) expired: Counter,
    pub(crate) purged: Counter,
    pub(crate) notes_shed: Counter,
    pub(crate) damaged: Counter,
    pub(crate) logged: Counter,
    pub(crate) log_read: Counter,
    pub(crate) log_purged: Counter,
}

impl Metrics {
    /// Names the counters in `registry`, with the prefixes `mailboxes_` and
    /// `groups_`.
    pub fn register(&self, registry: &mut Registry) {
        let mailboxes = registry.sub_registry_with_prefix("mailboxes");
        let counters = [
            ("appended", "Messages appended", &self.appended),
            ("read", "Messages read", &self.read),
            ("advanced", "Cursors moved by a shard", &self.advanced),
            (
                "full",
                "Messages not appended because the mailbox was full",
                &self.full,
            ),
            ("expired", "Messages dropped by their age", &self.expired),
            ("purged", "Messages removed behind a cursor", &self.purged),
            (
                "notes_shed",
                "Receipts not kept because there were too many",
                &self.notes_shed,
            ),
            (
                "damaged",
                "Requests that failed at a row that cannot be read",
                &self.damaged,
            ),
        ];
        for (name, help, counter) in counters {
            mailboxes.register(name, help, counter.clone());
        }
        let groups = registry.sub_registry_with_prefix("groups");
        let counters = [
            ("logged", "Entries written to logs", &self.logged),
            ("read", "Entries of logs read", &self.log_read),
            (
                "purged",
                "Entries removed from logs by count or age",
                &self.log_purged,
            ),
        ];
        for (name, help, counter) in counters {
            groups.register(name, help, counter.clone());
        }
    }
}
