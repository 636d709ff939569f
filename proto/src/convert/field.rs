//! Single fields: ids, hashes, codes, texts.

use bytes::Bytes;
use smol_str::SmolStr;

use crate::client::PacketError;
use crate::codes::Code;
use crate::friends::ListHash;
use crate::ids::{DeviceId, GroupId, MessageId, UserId};
use crate::limits::TEXT_BYTES_MAX;

/// From a wire type to the type of this crate that it stands for.
pub(crate) trait Convert {
    /// What it stands for.
    type Into;

    /// Checks every field.
    fn convert(self) -> Result<Self::Into, PacketError>;
}

pub(super) fn present<T>(field: &'static str, value: Option<T>) -> Result<T, PacketError> {
    value.ok_or(PacketError::Field(field))
}

pub(super) fn text(text: String) -> Result<SmolStr, PacketError> {
    short("text", text)
}

/// The title of a group.
pub(super) fn title(title: String) -> Result<SmolStr, PacketError> {
    short("title", title)
}

fn short(field: &'static str, text: String) -> Result<SmolStr, PacketError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(PacketError::Field(field));
    }
    Ok(SmolStr::from(text))
}

pub(super) fn user(field: &'static str, bytes: &[u8]) -> Result<UserId, PacketError> {
    UserId::new(bytes).map_err(|error| PacketError::Id(field, error))
}

pub(super) fn device(field: &'static str, bytes: &[u8]) -> Result<DeviceId, PacketError> {
    DeviceId::new(bytes).map_err(|error| PacketError::Id(field, error))
}

pub(super) fn group(field: &'static str, bytes: &[u8]) -> Result<GroupId, PacketError> {
    GroupId::new(bytes).map_err(|error| PacketError::Id(field, error))
}

pub(super) fn message_id(bytes: &[u8]) -> Result<MessageId, PacketError> {
    present("id", MessageId::from_slice(bytes))
}

pub(super) fn hash(field: &'static str, bytes: &[u8]) -> Result<ListHash, PacketError> {
    let hash = bytes.try_into().map_err(|_| PacketError::Field(field))?;
    Ok(ListHash(hash))
}

/// A hash that may be left out: no bytes.
pub(super) fn hash_held(bytes: &[u8]) -> Result<Option<ListHash>, PacketError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    hash("friends_hash", bytes).map(Some)
}

pub(super) fn hash_held_to_wire(hash: Option<&ListHash>) -> Bytes {
    hash.map(|hash| copied(&hash.0)).unwrap_or_default()
}

pub(super) fn code(number: u32) -> Result<Code, PacketError> {
    present("code", Code::from_number(number))
}

/// A code that is left out, as 0, when all went well.
pub(super) fn code_of_failure(number: u32) -> Result<Option<Code>, PacketError> {
    if number == 0 {
        return Ok(None);
    }
    code(number).map(Some)
}

pub(super) fn code_of_failure_to_wire(code: Option<Code>) -> u32 {
    code.map_or(0, Code::number)
}

/// For ids and hashes; bodies are never copied.
pub(super) fn copied(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
