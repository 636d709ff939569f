//! The friend graph in a Redis or Valkey: several services may serve it.
//!
//! Owns: in which keys lists lie, by which commands and scripts they are read
//! and written, and how a change of two lists comes to its end whoever dies.
//! Must not know: what a change means, which is the core's; how commands get to
//! a server, which is `shared`'s.
//!
//! Nothing is kept in memory between two questions: what another service has
//! acknowledged counts for the next question here. A question is answered from
//! what was read after it had come.
//!
//! # What is there
//!
//! Each user has a hash, `im:friends:{<user>}`, whose tag is the user:
//!
//! | field | what |
//! |---|---|
//! | `list` | the list, as in the embedded store |
//! | `edition` | its version and hash: what a change says that it replaces |
//! | `pending` | a change of this list and one of a user behind this one, in the order of users |
//! | `by:<user>` | the last change with that user before this one that was written here, until it has ended there |
//!
//! # Changes
//!
//! A change of one list is one script: it writes if the stored list is that
//! which it replaces, and nothing is pending.
//!
//! One of two lists has no server that could write both, so it is written down
//! first, whole, and anybody can bring it to its end:
//!
//! 1. at the first user it becomes pending, if the stored list is that which it
//!    replaces and nothing else is pending;
//! 2. at the second user the list is written, and the mark `by:`, if the stored
//!    list is that which it replaces. With that it is done. If another is
//!    stored it has failed for good: a list that is replaced never comes back;
//! 3. at the first user the list is written, or nothing after a failure, and it
//!    is not pending any more. The mark goes after that.
//!
//! Whoever reads or changes a user with a pending change does steps 2 and 3
//! first. So nobody sees one of the lists without the other, whoever dies
//! between two steps. In step 2 the second user may have a pending change too,
//! which comes first; that one waits for a user still further behind, so there
//! are no circles. Each step may be done several times, and late: the mark
//! tells what was written, and only the pending change itself is ended.
//!
//! A change without an answer may have happened or not, or happen when somebody
//! next reads its first user.
//!
//! # What is promised
//!
//! What was acknowledged is as durable as the server makes what it answers, as
//! for mailboxes. A server that forgets the last second forgets changes. In a
//! Cluster the two lists of a pair can come to differ by that: one server has
//! forgotten its half. Then each list alone still says what its owner grants,
//! no user waits for what nobody has, and a removal by who still has the
//! friend, or a request by who has not, writes both sides anew.
//!
//! # What it takes
//!
//! Memory of the server, in Redis 7.0.15, with names of twelve bytes: 500 bytes
//! for a user with ten friends, 1,840 with a hundred, 16,700 with a thousand.

pub(crate) mod edition;
mod intent;
mod lists;
pub(crate) mod script;
mod service;
#[cfg(test)]
mod tests;
mod wire;

pub use service::{Answers, RedisFriendd};
