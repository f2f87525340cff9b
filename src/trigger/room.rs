//! What a delivery may take of the memory that all of an invocation share.

use std::cell::Cell;

use super::TriggerError;

/// Envelopes inside envelopes: SQS holds what SNS wrapped, and that is all there is.
pub(super) const MAX_DEPTH: u8 = 4;
/// Bytes that one delivery may unpack to. CloudWatch Logs sends at most 1 MB, packed some fifteen times.
pub(super) const MAX_UNPACKED: usize = 20 << 20;
/// Once the deliveries of a batch have unpacked to so many bytes, the others come again: a function has half a gigabyte.
pub(super) const MAX_BATCH: usize = 44 << 20;

/// What may still be opened of a delivery.
#[derive(Clone, Copy)]
pub(super) struct Allowed<'a> {
    /// Envelopes.
    depth: u8,
    /// Bytes that what is packed may unpack to.
    pub(super) bytes: &'a Cell<usize>,
}

impl Allowed<'_> {
    /// The same inside one more envelope; `None` if there may be no more.
    pub(super) fn deeper(self) -> Option<Self> {
        Some(Self { depth: self.depth.checked_sub(1)?, ..self })
    }
}

/// The memory that the deliveries of an invocation share.
#[derive(Default)]
pub(super) struct Room {
    used: usize,
}

impl Room {
    /// Opens a delivery, if there is room for the most that it may be.
    pub(super) fn open<T>(
        &mut self,
        open: impl FnOnce(Allowed<'_>) -> Result<T, TriggerError>,
    ) -> Result<T, TriggerError> {
        if self.used > MAX_BATCH {
            return Err(TriggerError::NoRoom);
        }
        let bytes = Cell::new(MAX_UNPACKED);
        let opened = open(Allowed { depth: MAX_DEPTH, bytes: &bytes });
        self.used += MAX_UNPACKED - bytes.get();
        opened
    }
}
