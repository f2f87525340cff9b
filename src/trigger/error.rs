//! Why a payload was not understood.

use super::room::MAX_BATCH;

/// A payload that was not understood. Redelivering it will not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TriggerError {
    /// Not JSON at all.
    #[error("the payload is not JSON: {0}")]
    NotJson(String),
    /// JSON of no known shape.
    #[error("unknown payload: saw {seen}; docs/delivery.md lists what is understood")]
    Unknown {
        /// The shape that was seen, in words.
        seen: String,
    },
    /// The shape is known, but a part of it is missing or wrong.
    #[error("{what} that can't be read: {why}")]
    Malformed {
        /// The kind of payload.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A batch as a whole: no message of it has an id to answer with.
    #[error("{what} that can't be read: {why}")]
    Batch {
        /// Whose.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A single event that didn't come from AWS.
    #[error(
        "an EventBridge event that calls itself CloudTrail's, but comes from `{from}`, not from AWS: somebody made it up"
    )]
    Forged {
        /// Its `source`.
        from: String,
    },
    /// A message of a batch whose other messages have filled the memory.
    #[error(
        "what stands before it in its batch unpacks to more than {MAX_BATCH} bytes; a smaller BatchSize avoids that"
    )]
    NoRoom,
    /// A topic that sends nothing before somebody agrees.
    #[error(
        "the topic {topic} waits for its subscription to be confirmed (`aws sns confirm-subscription` with the token in this message)"
    )]
    Unconfirmed {
        /// Its ARN.
        topic: String,
    },
    /// A topic that sends nothing any more.
    #[error("somebody has ended the subscription to {topic}: nothing comes from it any more")]
    Unsubscribed {
        /// Its ARN.
        topic: String,
    },
}
