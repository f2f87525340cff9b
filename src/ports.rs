//! What the pipeline needs of the world outside. `aws` and `local` implement it; they translate and hold no policy.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::alerting::{Item, Items, Key, Listed, MAX_ITEM_BYTES, Stretch};
use crate::integrity::{KeyWanted, PublicKey, SignatureMetadata};
use crate::notify::Notification;
use crate::outputs::{AddressError, Secret};
use crate::trigger::ObjectRef;

/// The cause of an adapter's error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where log files are.
pub trait ObjectStore: Send + Sync {
    /// An object that is being read.
    type Body: ObjectBody;

    /// Opens an object.
    fn get(&self, object: &ObjectRef) -> impl Future<Output = Result<Self::Body, FetchError>> + Send;

    /// The objects of a bucket whose keys begin with `prefix` and come after the key `after`, in the order of their keys: as many
    /// as the store hands out at once. None when there are no more.
    fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> impl Future<Output = Result<Vec<ObjectRef>, ListError>> + Send;

    /// Writes an object, over whatever is there.
    fn put(&self, to: &ObjectRef, bytes: Bytes) -> impl Future<Output = Result<(), KeepError>> + Send;

    /// Copies an object as it is stored, over whatever is there.
    fn copy(&self, from: &ObjectRef, to: &ObjectRef) -> impl Future<Output = Result<(), KeepError>> + Send;
}

/// The bytes of an object as they arrive.
pub trait ObjectBody: Send {
    /// The signature that stands beside the object, if it is a digest file. `None` where the store keeps no metadata.
    fn signature(&self) -> Option<&SignatureMetadata> {
        None
    }

    /// The next chunk; `None` at the end.
    fn chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, FetchError>> + Send;
}

/// CloudTrail's public keys, which digest files are verified with. They are asked for once a digest, so that what needs them
/// needn't be generic over where they come from.
pub trait PublicKeys: fmt::Debug + Send + Sync {
    /// The key that is asked for; `None` if CloudTrail has no such key there and then.
    fn find<'k>(&'k self, wanted: &'k KeyWanted) -> BoxFuture<'k, Result<Option<PublicKey>, KeysError>>;
}

/// What is remembered between invocations: items by key. Knows nothing of what they mean; one suite of tests
/// (`tests/conformance`) says what every store has to hold.
///
/// Every call either does all that it was asked, or fails; a call that failed may have done a part, and asking again does no
/// harm. An item whose time is past is as good as gone.
pub trait StateStore: Send + Sync {
    /// The items that are there, of these keys. As up to date as if nobody else had asked in between.
    fn get(&self, keys: &[Key], now: Timestamp) -> impl Future<Output = Result<Items, StateError>> + Send;

    /// What these stretches hold, in their order; of each the highest [`MAX_LISTED_BYTES`]. As up to date as [`Self::get`].
    fn list(
        &self,
        stretches: &[Stretch],
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Listed>, StateError>> + Send;

    /// Writes items, whatever is there. No two of them may have the same key.
    ///
    /// # Errors
    /// Items larger than [`MAX_ITEM_BYTES`] are refused before anything is written.
    fn put(&self, items: &[Item]) -> impl Future<Output = Result<(), StateError>> + Send;

    /// Writes each item if what is there is the revision that it carries (none, for revision 0), and says which were written,
    /// in their order. Of two that write over the same revision at once, one does.
    ///
    /// # Errors
    /// As [`Self::put`].
    fn swap(&self, items: &[Item], now: Timestamp) -> impl Future<Output = Result<Vec<bool>, StateError>> + Send;

    /// A part of everything there is, in no particular order; `after` is where the part before it ended.
    fn page(&self, after: Option<&Key>, now: Timestamp) -> impl Future<Output = Result<Page, StateError>> + Send;

    /// Forgets items, if they are there.
    fn remove(&self, keys: &[Key]) -> impl Future<Output = Result<(), StateError>> + Send;
}

/// What is read of a stretch at most, give or take a page.
pub const MAX_LISTED_BYTES: usize = 4_000_000;

/// A part of what a store holds.
#[derive(Debug, Default)]
pub struct Page {
    /// The items.
    pub items: Vec<Item>,
    /// Where it ends, unless it is the last.
    pub next: Option<Key>,
}

/// Where alerts go.
pub trait Publisher: Send + Sync {
    /// Hands an alert on. Once this returns, somebody else answers for it.
    fn publish(&self, notification: &Notification) -> impl Future<Output = Result<(), PublishError>> + Send;

    /// Hands several on, in fewer requests where there is such a thing. One answer each, in their order.
    fn publish_all(
        &self,
        notifications: &[Notification],
    ) -> impl Future<Output = Vec<Result<(), PublishError>>> + Send {
        async move {
            let mut answers = Vec::with_capacity(notifications.len());
            for notification in notifications {
                answers.push(self.publish(notification).await);
            }
            answers
        }
    }
}

/// Sends requests to the receivers of alerts, and to the services of AWS that the notifier needs.
pub trait Web: Send + Sync {
    /// Sends a request, and reads the answer whatever its status. Follows no redirect: an alert goes where it was sent.
    fn send(&self, request: &WebRequest) -> impl Future<Output = Result<WebAnswer, WebError>> + Send;
}

/// A POST request of JSON.
#[derive(Debug)]
pub struct WebRequest {
    /// Where it goes.
    pub to: Receiver,
    /// Headers besides those of every request.
    pub headers: Vec<(&'static str, Secret)>,
    /// A JSON document.
    pub body: String,
    /// How long all of it may take.
    pub timeout: Duration,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub enum Receiver {
    /// An address. Most are secrets.
    Address(Secret),
    /// AWS, which wants the request signed.
    Aws {
        /// What is asked.
        call: AwsCall,
        /// In which Region; `None`: the notifier's own.
        region: Option<String>,
    },
}

/// What is asked of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AwsCall {
    /// `ssm:GetParameter`.
    GetParameter,
    /// `secretsmanager:GetSecretValue`.
    GetSecretValue,
    /// `events:PutEvents`.
    PutEvents,
    /// `securityhub:BatchImportFindings`.
    BatchImportFindings,
}

/// What was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebAnswer {
    /// The status.
    pub status: u16,
    /// `Retry-After`, as it was sent.
    pub retry_after: Option<String>,
    /// What AWS calls an error (`x-amzn-errortype`).
    pub error_type: Option<String>,
    /// The body, cut at [`MAX_ANSWER_BYTES`].
    pub body: String,
}

/// What is read of an answer. A secret of AWS has at most a quarter of it.
pub const MAX_ANSWER_BYTES: usize = 1 << 18;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// The day in UTC.
    fn today(&self) -> Date {
        TimeZone::UTC.to_datetime(self.now()).date()
    }

    /// Lets time pass.
    fn pause(&self, pause: Duration) -> impl Future<Output = ()> + Send;
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

/// Objects that could not be listed.
#[derive(Debug, thiserror::Error)]
#[error(
    "s3://{bucket}/{prefix} could not be listed (is the name right, and do these credentials allow s3:ListBucket on the bucket?)"
)]
pub struct ListError {
    /// The bucket.
    pub bucket: String,
    /// What the keys begin with.
    pub prefix: String,
    /// What was said.
    pub source: BoxError,
}

/// Public keys that could not be asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// No permission.
    #[error("CloudTrail's public keys of {region} were denied (these credentials need cloudtrail:ListPublicKeys)")]
    Denied {
        /// The Region.
        region: String,
        /// What was said.
        source: BoxError,
    },
    /// Anything else: throttled, not reached.
    #[error("CloudTrail's public keys of {region} could not be had")]
    Failed {
        /// The Region.
        region: String,
        /// What was said.
        source: BoxError,
    },
    /// There is nowhere to ask.
    #[error("there are no public keys here: give the output of `aws cloudtrail list-public-keys` as --public-keys")]
    Nowhere,
}

/// An object that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{to} could not be written (the function needs s3:PutObject on it)")]
pub struct KeepError {
    /// The object.
    pub to: ObjectRef,
    /// What was said.
    pub source: BoxError,
}

/// The memory could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// More was asked of the store than it gives at this moment. Asking later helps.
    #[error("the memory is throttled while {doing}")]
    Throttled {
        /// What was being done.
        doing: &'static str,
    },
    /// Others wrote the same items each time that we were about to.
    #[error("others wrote the same items over and over while {doing}")]
    Contended {
        /// What was being done.
        doing: &'static str,
    },
    /// An item that no store takes.
    #[error("the item {key} is too large to remember: {bytes} bytes of at most {MAX_ITEM_BYTES}")]
    TooLarge {
        /// Its key.
        key: Key,
        /// How large it is.
        bytes: usize,
    },
    /// It was not asked, because the invocation's time is nearly over.
    #[error("there was no time left for {doing}")]
    OutOfTime {
        /// What was to be done.
        doing: &'static str,
    },
    /// No permission.
    #[error("{doing} was denied (the function's role needs {permission} on the table)")]
    Denied {
        /// What was being done.
        doing: &'static str,
        /// The action that has to be allowed.
        permission: &'static str,
        /// What the store said.
        source: BoxError,
    },
    /// The table isn't there.
    #[error("there is no table `{table}` (is the name right, and does the function run in its account and Region?)")]
    Missing {
        /// Its name.
        table: String,
    },
    /// Anything else: not reached, broken, no answer in time.
    #[error("the memory failed while {doing}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// What the store said.
        source: BoxError,
    },
}

impl StateError {
    /// What no store takes, before anything is written.
    pub(crate) fn check_size(items: &[Item]) -> Result<(), Self> {
        match items.iter().find(|item| item.bytes() > MAX_ITEM_BYTES) {
            None => Ok(()),
            Some(item) => Err(Self::TooLarge { key: item.key.clone(), bytes: item.bytes() }),
        }
    }
}

/// A request without an answer. It names no address, which may be a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// It was not sent.
    #[error("the address can't be used")]
    Address(#[source] AddressError),
    /// It was not sent: AWS wants it signed.
    #[error("there are no credentials to sign it with")]
    Credentials(#[source] BoxError),
    /// There was no answer in time. It may have been received.
    #[error("there was no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// Not resolved, refused, broken. It may have been received.
    #[error("there was no connection, or it broke")]
    Broken(#[source] BoxError),
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
