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
    /// All others that follow each other: about users, and about groups.
    Kept,
}

/// Which a request is.
pub(super) fn kind(request: &Request) -> Kind {
    match request {
        Request::Claim { .. } => Kind::Claim,
        Request::Alive { .. } => Kind::Alive,
        Request::Release { .. } => Kind::Release,
        _ => Kind::Kept,
    }
}

/// Whether a request is carried out with those about groups.
pub(super) fn is_of_groups(request: &Request) -> bool {
    matches!(
        request,
        Request::KeepGroups { .. }
            | Request::OpenGroup { .. }
            | Request::WriteGroup { .. }
            | Request::EndGroup { .. }
            | Request::ReadLog { .. }
    )
}
