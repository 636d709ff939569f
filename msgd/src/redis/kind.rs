//! Which requests go to the server together.
//!
//! Owns their kinds. Must not know how any is carried out.

use msgd_core::store::Request;

/// Requests that are carried out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One after the other.
    Claim,
    /// One after the other.
    Alive,
    /// Those that follow each other.
    Release,
    /// Those that follow each other.
    Group,
    /// All others that follow each other.
    Mailbox,
}

/// Which a request is.
pub(super) fn kind(request: &Request) -> Kind {
    match request {
        Request::Claim { .. } => Kind::Claim,
        Request::Alive { .. } => Kind::Alive,
        Request::Release { .. } => Kind::Release,
        Request::KeepGroups { .. }
        | Request::OpenGroup { .. }
        | Request::WriteGroup { .. }
        | Request::EndGroup { .. }
        | Request::ReadLog { .. } => Kind::Group,
        _ => Kind::Mailbox,
    }
}
