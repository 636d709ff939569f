//! The line protocol: a door for netcat, scripts and small devices.
//!
//! Owns what stands on a line and in a reply, and which command waits for which
//! packet. `connd/LINES.md` tells the client's side in prose. Does no I/O, has
//! no clock and no chance; the session behind it is given packets and gives
//! packets, as for any other door.

mod command;
mod datetime;
mod door;
mod groups;
mod input;
mod json;
mod list;
mod live;
mod past;
mod pull;
mod reply;
mod running;
mod start;
mod turn;

pub use door::Door;
pub use turn::{Settings, Turn};

/// The longest line before the log-in, in bytes, without its end.
pub const LOGIN_LINE_BYTES_MAX: usize = proto::limits::LOGIN_FRAME_BYTES_MAX;

/// The longest line, in bytes, without its end.
pub const LINE_BYTES_MAX: usize = 20 * 1024;
