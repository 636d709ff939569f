//! Between the wire types and the types of this crate.
//!
//! Owns what a well-formed packet or envelope is: whatever comes out of here
//! holds the bounds of this crate. Must not know frames or who speaks; the size
//! of a body is the session's to judge. Where another crate needs a conversion
//! too, it is a `From` or `TryFrom`.

mod action;
mod client;
mod devices;
mod down;
mod field;
mod friends;
mod group;
mod group_news;
mod link;
mod link_group;
mod message;
mod page;
mod relay;
mod sent;
mod server;
mod status;
mod up;

pub(crate) use self::action::change_group_to_wire;
#[cfg(test)]
pub(crate) use self::client::send_to_wire;
pub(crate) use self::client::{
    change_friend_to_wire, login_to_wire, read_to_wire, transient_to_wire,
};
pub(crate) use self::devices::end_device_to_wire;
pub(crate) use self::field::Convert;
pub(crate) use self::group::{group_read_to_wire, group_send_to_wire, group_transient_to_wire};
pub(crate) use self::page::{get_history_to_wire, get_members_to_wire};
pub(crate) use self::server::server_to_wire;
pub(crate) use self::status::{status, status_to_wire};
