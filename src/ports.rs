//! What the pipeline needs of the world outside. `aws` and `local` implement it; they translate and hold no policy.

use std::future::Future;

use bytes::Bytes;
use jiff::Timestamp;

use crate::alerting::{Mark, Memory, Sightings};
use crate::notify::Notification;
use crate::trigger::ObjectRef;

/// The cause of an adapter's error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where log files are.
pub trait ObjectStore: Send + Sync {
    /// An object that is being read.
    type Body: ObjectBody;

    /// Opens an object.
    fn get(&self, object: &ObjectRef) -> impl Future<Output = Result<Self::Body, FetchError>> + Send;
}

/// The bytes of an object as they arrive.
pub trait ObjectBody: Send {
    /// The next chunk; `None` at the end.
    fn chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, FetchError>> + Send;
}

/// What is remembered between invocations.
pub trait StateStore: Send + Sync {
    /// Remembers first sightings, in their order, and tells what was known. Idempotent by event: asking again with the
    /// same sightings gives the same answer.
    fn record(&self, sightings: &Sightings) -> impl Future<Output = Result<Memory, StateError>> + Send;

    /// Writes down what was published and held back. Called last: a crash before it repeats an alert, the other order
    /// would lose one.
    fn mark(&self, marks: &[Mark]) -> impl Future<Output = Result<(), StateError>> + Send;
}

/// Where alerts go.
pub trait Publisher: Send + Sync {
    /// Hands an alert on. Once this returns, somebody else answers for it.
    fn publish(&self, notification: &Notification) -> impl Future<Output = Result<(), PublishError>> + Send;
}

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// An object that could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Deleted or expired between the notification and the read; redelivery will not help.
    #[error("{0} no longer exists")]
    Gone(ObjectRef),
    /// No permission on the object, its bucket or its KMS key.
    #[error(
        "reading {object} was denied (the function needs s3:GetObject on it, and kms:Decrypt on the key that it is encrypted with)"
    )]
    Denied {
        /// The object.
        object: ObjectRef,
        /// What the store said.
        source: BoxError,
    },
    /// Anything else: throttled, timed out, interrupted. Redelivery may help.
    #[error("{object} could not be read")]
    Failed {
        /// The object.
        object: ObjectRef,
        /// What the store said.
        source: BoxError,
    },
}

/// The memory could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the state store failed while {doing}")]
pub struct StateError {
    /// What was being done.
    pub doing: &'static str,
    /// What the store said.
    pub source: BoxError,
}

/// An alert that could not be handed on.
#[derive(Debug, thiserror::Error)]
#[error("the alert could not be published to {to}")]
pub struct PublishError {
    /// Where it should have gone.
    pub to: String,
    /// What was answered.
    pub source: BoxError,
}

/// An error with its causes in one line, for logs.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |mut text, cause| {
        let cause = cause.to_string();
        // SDK errors repeat their cause in their own text.
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        text
    })
}
