//! What can become of what comes in, and what follows from it: one closed table.

use serde::Serialize;

/// What became of a delivery, an object, a record or a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A file was read to its end, and all that came of it was told or held back.
    Done,
    /// A file was read to its end, but some of its records can't be.
    PartlyDone,
    /// A notification asks for nothing: a test event, a probe, an event other than that an object was created.
    NothingToDo,
    /// An object is not CloudTrail's.
    NotOurs,
    /// An object or a record of an account, a Region or a kind that the settings leave to others.
    NotWanted,
    /// An object was deleted before it was read.
    Gone,
    /// In three tries, something that a digest is checked with could not be had.
    NotChecked,
    /// S3 or KMS refused to hand an object out.
    Denied,
    /// An object could not be had at this time: throttled, timed out, interrupted.
    Unavailable,
    /// An object is no log file, though its key says so: cut off, broken, empty.
    Damaged,
    /// An object inflates to more than one file may, or rules find more in it than memory holds.
    TooLarge,
    /// A payload is nothing that is known.
    NotUnderstood,
    /// What was to be put aside could not be.
    NotPutAside,
    /// An alert could not be handed on.
    PublishFailed,
    /// The memory could not be asked or told.
    StateFailed,
    /// Another process is about to tell an alert that speaks for this one.
    Claimed,
    /// The invocation's time was nearly over, or its memory full.
    OutOfTime,
}

/// What follows from a [`Cause`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// What the queue is told.
    pub delivery: Answer,
    /// The metric that counts it.
    pub metric: &'static str,
    /// The name of its line in the log; without one, it is counted in the invocation's line alone.
    pub line: Option<&'static str>,
    /// When trailhound raises an alert about itself.
    pub alert: SelfAlert,
}

/// What the queue is told of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is done with.
    Acknowledged,
    /// It is done with once it is in quarantine. Where there is none, a payload or an object that can't be read comes again until
    /// the queue gives it up; a file that is done but for single records is acknowledged, as is what came through a stream.
    PutAside,
    /// It has to come again.
    Returned,
}

/// When trailhound raises an alert about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfAlert {
    /// Never.
    Never,
    /// Each time; alerts of one bucket and cause are one.
    AtOnce,
    /// When a delivery fails for the third time.
    WhenRepeated,
}

/// A delivery that fails as often as this is told of.
pub const REPEATED: u32 = 3;

impl Cause {
    /// Every cause.
    pub const ALL: &[Self] = &[
        Self::Done,
        Self::PartlyDone,
        Self::NothingToDo,
        Self::NotOurs,
        Self::NotWanted,
        Self::Gone,
        Self::NotChecked,
        Self::Denied,
        Self::Unavailable,
        Self::Damaged,
        Self::TooLarge,
        Self::NotUnderstood,
        Self::NotPutAside,
        Self::PublishFailed,
        Self::StateFailed,
        Self::Claimed,
        Self::OutOfTime,
    ];

    /// A word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::PartlyDone => "partly_done",
            Self::NothingToDo => "nothing_to_do",
            Self::NotOurs => "not_ours",
            Self::NotWanted => "not_wanted",
            Self::Gone => "gone",
            Self::NotChecked => "not_checked",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Damaged => "damaged",
            Self::TooLarge => "too_large",
            Self::NotUnderstood => "not_understood",
            Self::NotPutAside => "not_put_aside",
            Self::PublishFailed => "publish_failed",
            Self::StateFailed => "state_failed",
            Self::Claimed => "claimed",
            Self::OutOfTime => "out_of_time",
        }
    }

    /// What Lambda calls the error of a direct invocation that has to come again.
    #[must_use]
    pub fn error_type(self) -> String {
        format!("{self:?}")
    }

    /// What follows from it.
    #[must_use]
    pub fn fate(self) -> Fate {
        use Answer::{Acknowledged, PutAside, Returned};
        use SelfAlert::{AtOnce, Never, WhenRepeated};
        let (delivery, metric, line, alert) = match self {
            Self::Done => (Acknowledged, "Files", None, Never),
            Self::PartlyDone => (PutAside, "BadRecords", Some("records_bad"), AtOnce),
            Self::NothingToDo => (Acknowledged, "Ignored", None, Never),
            Self::NotOurs => (Acknowledged, "ObjectsForeign", Some("object_foreign"), Never),
            Self::NotWanted => (Acknowledged, "ObjectsUnwanted", None, Never),
            Self::Gone => (Acknowledged, "ObjectsGone", Some("object_gone"), Never),
            Self::NotChecked => (Acknowledged, "FailedNotChecked", Some("object_failed"), AtOnce),
            Self::Denied => (Returned, "FailedDenied", Some("object_failed"), AtOnce),
            Self::Unavailable => (Returned, "FailedUnavailable", Some("object_failed"), WhenRepeated),
            Self::Damaged => (PutAside, "FailedDamaged", Some("object_failed"), AtOnce),
            Self::TooLarge => (PutAside, "FailedTooLarge", Some("object_failed"), AtOnce),
            Self::NotUnderstood => (PutAside, "FailedNotUnderstood", Some("payload_unknown"), AtOnce),
            Self::NotPutAside => (Returned, "FailedNotPutAside", Some("quarantine_failed"), WhenRepeated),
            Self::PublishFailed => (Returned, "FailedPublish", Some("publish_failed"), WhenRepeated),
            Self::StateFailed => (Returned, "FailedState", Some("state_failed"), WhenRepeated),
            Self::Claimed => (Returned, "FailedClaimed", Some("alert_claimed"), Never),
            Self::OutOfTime => (Returned, "FailedOutOfTime", Some("out_of_time"), WhenRepeated),
        };
        Fate { delivery, metric, line, alert }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_list_is_complete_and_no_metric_counts_two_things() {
        let metrics: BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.fate().metric).collect();
        let words: BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
        assert_eq!((metrics.len(), words.len()), (Cause::ALL.len(), Cause::ALL.len()));
        // A variant that is added to the type and not to the list would stand behind the last one.
        assert_eq!(Cause::ALL.len(), Cause::OutOfTime as usize + 1);
    }
}
