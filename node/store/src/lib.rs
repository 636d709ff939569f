//! The engine of the embedded store: group commit over fjall.
//!
//! Owns: the data directory (its lock, its format version), the database in
//! it, and the one thread that writes to it. Must not know: what a service
//! keeps, in which keys, or who asked for it.
//!
//! # How it works
//!
//! One *committer* thread per data directory owns the database. Everything
//! that is queued when it is free goes into one *group*: one transaction, one
//! fsync, then all outcomes at once. There are no timers: while one group is
//! on its way to the disk the next one gathers.
//!
//! A [`Service`] is a value that lives on the committer thread. It executes
//! requests against a [`Transaction`] and may keep caches without locks. The
//! rest of the process holds a [`Handle`] to it: a bounded queue with verbs.
//! Outcomes come back to the service's sink, each with the ticket that its
//! request was submitted with.
//!
//! ```no_run
//! use store::{Engine, Keyspace, Service, Settings, Transaction, Unreadable};
//!
//! struct Names { keyspace: Keyspace }
//!
//! impl Service for Names {
//!     type Request = (Vec<u8>, Vec<u8>);
//!     type Ticket = u64;
//!     type Outcome = bool;
//!
//!     fn execute(
//!         &mut self,
//!         (id, name): Self::Request,
//!         transaction: &mut Transaction<'_>,
//!     ) -> Result<bool, Unreadable> {
//!         let known = transaction.get(self.keyspace, &id)?.is_some();
//!         transaction.put(self.keyspace, &id, &name);
//!         Ok(known)
//!     }
//!
//!     fn rolled_back(&mut self) {}
//! }
//!
//! let mut engine = Engine::open("data".as_ref(), Settings::default())?;
//! let keyspace = engine.keyspace("names")?;
//! let (outcomes, _taken) = std::sync::mpsc::sync_channel(1024);
//! let names = engine.serve(Names { keyspace }, 1024, move |completions| {
//!     for completion in completions {
//!         // The sink runs on the committer thread: it never waits.
//!         let _ = outcomes.try_send(completion);
//!     }
//! });
//! let running = engine.start()?;
//! names.submit(1, (b"ann".to_vec(), b"Ann".to_vec())).ok();
//! running.stop()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! - An `Ok` outcome is delivered after the group's fsync returned. It then
//!   survives the death of the process; it survives a loss of power as far as
//!   the disk keeps what it says it has synced.
//! - Requests of one handle are executed in the order submitted, and each sees
//!   every earlier write, also those of its own group.
//! - A group is written whole or not at all.
//! - A group that only reads causes no fsync. A read that shares a group with
//!   writes is answered after their fsync, since it may have seen them.
//!
//! # When the disk fails
//!
//! A read that fails, of a damaged table for one, fails the request that
//! needed it ([`Failure::Unreadable`]) and nobody else's. A damaged table that
//! the database merges with others makes it refuse writes, as follows.
//!
//! fjall refuses every write after one that failed, until it is opened again.
//! So the engine closes the database, fails the group with
//! [`Failure::Storage`], tells every service ([`Service::rolled_back`]), and
//! tries twice a second to open the database again. Until that succeeds
//! requests are answered [`Failure::Closed`]. No restart is needed when a full
//! disk has room again. While it has none, the database may well open, and
//! close again at the next write.
//!
//! [`Failure::Storage`] means *unknown*: the group may yet be found after
//! reopening, whole. Services read the truth again, since their caches are
//! gone.
//!
//! Two limits remain. After an fsync that failed for another reason than room
//! (a broken disk) the kernel may show data as written that is not; no user of
//! files can tell. And fjall holds a commit up while four memtables wait to be
//! flushed; should flushing break at that very moment, the commit does not
//! return and the process must be restarted.

mod backup;
mod committer;
mod database;
mod directory;
mod engine;
mod error;
mod journal;
mod lane;
mod metrics;
mod queue;
mod service;
mod settings;
mod transaction;
mod unused;

pub use backup::{BackupError, Progress, backup_memory, copy};
pub use database::Keyspace;
pub use engine::{Engine, Running};
pub use error::{CommitterPanicked, Failure, OpenError, Unreadable};
pub use fjall::Slice;
pub use metrics::Metrics;
pub use queue::{Handle, Refusal, Refused};
pub use service::{Completion, Completions, Service};
pub use settings::Settings;
pub use transaction::{Scan, Transaction};
pub use unused::{Rows, Unused};
