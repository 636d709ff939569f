//! The batches of a link.

use super::down::down_to_wire;
use super::field::Convert;
use super::up::up_to_wire;
use crate::client::PacketError;
use crate::ids::Epoch;
use crate::limits::BATCH_ENVELOPES_MAX;
use crate::link::{Batch, Down, Up};
use crate::wire::link as wire;

impl From<Batch<Up>> for wire::UpBatch {
    fn from(batch: Batch<Up>) -> Self {
        Self {
            epoch: batch.epoch.0,
            envelopes: batch.envelopes.into_iter().map(up_to_wire).collect(),
        }
    }
}

impl TryFrom<wire::UpBatch> for Batch<Up> {
    type Error = PacketError;

    /// One wrong envelope spoils the batch.
    fn try_from(batch: wire::UpBatch) -> Result<Self, PacketError> {
        Ok(Self {
            epoch: Epoch(batch.epoch),
            envelopes: envelopes(batch.envelopes)?,
        })
    }
}

impl From<Batch<Down>> for wire::DownBatch {
    fn from(batch: Batch<Down>) -> Self {
        Self {
            epoch: batch.epoch.0,
            envelopes: batch.envelopes.into_iter().map(down_to_wire).collect(),
        }
    }
}

impl TryFrom<wire::DownBatch> for Batch<Down> {
    type Error = PacketError;

    /// One wrong envelope spoils the batch.
    fn try_from(batch: wire::DownBatch) -> Result<Self, PacketError> {
        Ok(Self {
            epoch: Epoch(batch.epoch),
            envelopes: envelopes(batch.envelopes)?,
        })
    }
}

fn envelopes<W: Convert>(envelopes: Vec<W>) -> Result<Vec<W::Into>, PacketError> {
    if envelopes.len() > BATCH_ENVELOPES_MAX {
        return Err(PacketError::Field("envelopes"));
    }
    envelopes.into_iter().map(Convert::convert).collect()
}
