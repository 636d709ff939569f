//! Why the session does not take what the application gives.
//!
//! Owns the public errors. In each the application must act, as it says.

use bytes::Bytes;
use proto::codes::Code;
use proto::ids::MessageId;
use proto::limits::MENTIONS_MAX;

/// Why a message is not taken. It has not been sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Too much is unanswered, or there was no log-in yet. The body comes back;
    /// give it again later, or let `Client::send` wait.
    #[error("too much is unanswered, or there was no log-in yet")]
    Full(Bytes),
    /// Above what the server takes. Send less.
    #[error("a body of {bytes} bytes; the server takes {limit}")]
    TooLarge {
        /// The bytes of the body.
        bytes: usize,
        /// The most that the server takes.
        limit: usize,
    },
    /// It wants the attention of too many users. Name fewer, or nobody.
    #[error("{0} users are mentioned; at most {MENTIONS_MAX} may be")]
    TooManyMentions(usize),
    /// A message with this id has no answer yet. Wait for its fate.
    #[error("message {0} is under way")]
    UnderWay(MessageId),
    /// The session is over. Connect anew.
    #[error("the session is closed")]
    Closed,
}

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Too many wait already. Try a moment later.
    #[error("too many requests wait")]
    Busy,
    /// Above what a status text, a title or a token may have. Give less.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// This user is not in the group, or its state has not come yet.
    #[error("not a member of this group, or nothing is known of it yet")]
    NotMember,
    /// The session is over. Connect anew.
    #[error("the session is closed")]
    Closed,
}

/// Why what was asked, of a relation, a device or a group, was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The server refused it.
    #[error("{0}")]
    Refused(Code),
    /// No answer came, or the connection broke before it. It may have been
    /// done: look at the list, of friends, devices or members, before trying
    /// again.
    #[error("no answer; look at the list before trying again")]
    Unanswered,
    /// It was not asked.
    #[error(transparent)]
    Request(#[from] RequestError),
}
