//! What rows are made of: numbers, ids and bytes one after the other.
//!
//! Owns the reading and writing of fields, and what can be wrong with a row.
//! Must not know any row.

use msgd_core::store::Outcome;
use proto::ids::UserId;
use store::Unreadable;
use thiserror::Error;

/// A row that cannot be read: the disk or this program is defective. The
/// operator must act; the row is left as it is.
#[derive(Debug, Error)]
#[error("the row of {0} cannot be read")]
pub(crate) struct Damaged(pub(crate) &'static str);

/// Why a request was not carried out.
#[derive(Debug, Error)]
pub(crate) enum Trouble {
    /// The disk or the database is defective.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The database gave what was written, which is no row.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// What a request's outcome is made from.
pub(crate) type Carried = Result<Outcome, Trouble>;

/// The fields of a row that are not read yet.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    row: &'static str,
}

impl<'a> Fields<'a> {
    /// `row` names what is read, for the error.
    pub(crate) fn new(row: &'static str, value: &'a [u8]) -> Self {
        Self { rest: value, row }
    }

    pub(crate) fn damaged(&self) -> Damaged {
        Damaged(self.row)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Damaged(self.row))?;
        self.rest = rest;
        Ok(*array)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Damaged> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Damaged> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next byte, which stays.
    pub(crate) fn peek(&self) -> Result<u8, Damaged> {
        self.rest.first().copied().ok_or(Damaged(self.row))
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Damaged> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.damaged()),
        }
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Damaged> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(Damaged(self.row))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// An id with its length before it.
    pub(crate) fn id(&mut self) -> Result<&'a [u8], Damaged> {
        let length = usize::from(self.byte()?);
        self.bytes(length)
    }

    pub(crate) fn user(&mut self) -> Result<UserId, Damaged> {
        let id = self.id()?;
        UserId::new(id).map_err(|_| self.damaged())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }
}

pub(crate) fn put_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_le_bytes());
}

/// Ids have at most 64 bytes.
pub(crate) fn put_id(id: &[u8], out: &mut Vec<u8>) {
    out.push(id.len() as u8);
    out.extend_from_slice(id);
}
