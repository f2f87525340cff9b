//! What stands in a record's place and is none.

use std::ops::Range;

/// Something in a record's place that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {index} (bytes {} to {} of the file, inflated) can't be read: {reason}", range.start, range.end)]
pub struct BadRecord {
    /// Its place in the file, counted from 0.
    pub index: u64,
    /// Which bytes of the file it is, after inflating.
    pub range: Range<u64>,
    /// What is wrong with it; never its contents.
    pub reason: String,
}

impl BadRecord {
    /// JSON in a record's place that is none.
    pub(crate) fn no_record(index: u64, bytes: usize) -> Self {
        Place { index, offset: 0 }.bad(0..bytes, NO_RECORD.to_owned())
    }
}

/// Where something stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) index: u64,
    /// Of the first of its bytes.
    pub(super) offset: u64,
}

impl Place {
    /// What stands here is no record.
    pub(super) fn bad(self, bytes: Range<usize>, reason: String) -> BadRecord {
        let range = self.offset + bytes.start as u64..self.offset + bytes.end as u64;
        BadRecord { index: self.index, range, reason }
    }
}

pub(super) const NO_RECORD: &str = "it is no CloudTrail record";
pub(super) const NO_OBJECT: &str = "it is not a JSON object";

/// `at`: counted from the record's first byte.
pub(super) fn no_json(at: usize) -> String {
    format!("its JSON is broken at its byte {at}")
}
