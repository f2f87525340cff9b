//! What a delivery may take of the memory that all of an invocation share.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

use super::TriggerError;

/// Envelopes inside envelopes: SQS holds what SNS wrapped, and that is all there is.
pub(super) const MAX_DEPTH: u8 = 4;
/// Bytes that one delivery may unpack to. CloudWatch Logs sends at most 1 MB, packed some fifteen times.
pub(super) const MAX_UNPACKED: usize = 20 << 20;
/// Bytes of what is no message of CloudWatch Logs. Lambda hands over no more; what was unpacked may be more.
pub(super) const MAX_OTHER: usize = 6 << 20;
/// Objects that one delivery may name. More than an invocation has time for, and each takes many times the memory of its name.
const MAX_OBJECTS: usize = 10_000;
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

/// A list of objects, which ends in an error before it fills the memory.
pub(super) struct Objects<T>(pub(super) Vec<T>);

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Objects<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Collect(PhantomData))
    }
}

struct Collect<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Collect<T> {
    type Value = Objects<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Objects<T>, A::Error> {
        let mut objects = Vec::new();
        while let Some(object) = items.next_element()? {
            if objects.len() == MAX_OBJECTS {
                return Err(A::Error::custom(format_args!(
                    "more than {MAX_OBJECTS} objects: make several payloads of them"
                )));
            }
            objects.push(object);
        }
        Ok(Objects(objects))
    }
}
