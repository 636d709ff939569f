//! Limits that both ends of a connection or link rely on.
//!
//! Owns the hard bounds of the formats. What a deployment may set lower stands
//! in the settings of the service that enforces it.

/// The largest body of a message, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The largest frame from a client, without its length, in bytes: the largest
/// body, and room for headers.
pub const CLIENT_FRAME_BYTES_MAX: usize = BODY_BYTES_MAX + 4 * 1024;

/// The largest frame to a client, without its length, in bytes: room for a
/// full friend list.
pub const SERVER_FRAME_BYTES_MAX: usize = 512 * 1024;

/// The largest frame taken before the log-in, in bytes.
pub const LOGIN_FRAME_BYTES_MAX: usize = 8 * 1024;

/// The most envelopes of one batch on a link.
pub const BATCH_ENVELOPES_MAX: usize = 256;

/// A batch is closed when what it holds weighs this many bytes.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;

/// The largest batch that a link decodes, in bytes: a full batch, its last
/// envelope one over the bound, and headers.
pub const LINK_MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The longest text of a status or of a refusal, in bytes.
pub const TEXT_BYTES_MAX: usize = 256;

/// The most friends that one status is told to in one envelope.
pub const TARGETS_MAX: usize = 1_000;

/// The most users whose attention one message to a group wants.
pub const MENTIONS_MAX: usize = 32;

/// The most groups that a log-in answer names.
pub const USER_GROUPS_MAX: usize = 1_000;

/// The most entries of one page of a history, and of members.
pub const PAGE_MAX: usize = 500;

/// The most bytes, by the weight of its entries, of one page of a history; one
/// entry is in it in any case.
pub const PAGE_BYTES_MAX: usize = 128 * 1024;

/// The most users in one envelope that names followers of a group.
pub const FOLLOWERS_MAX: usize = 1_000;

/// The version of the client protocol spoken here.
pub const VERSION: u32 = 1;
