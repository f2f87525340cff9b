//! Adapters chosen at run time, behind one type each.

use bytes::Bytes;

use jiff::Timestamp;

use crate::alerting::{Item, Items, Key, Listed, Stretch};
#[cfg(feature = "aws")]
use crate::aws::{DynamoDbTable, S3Body, S3Objects, SnsTopic};
use crate::integrity::SignatureMetadata;
use crate::local::{Folder, FolderBody, StateFile, StateMemory, Stdout};
use crate::notify::Notification;
use crate::ports::{
    FetchError, KeepError, ListError, ObjectBody, ObjectStore, Page, PublishError, Publisher, StateError, StateStore,
};
use crate::trigger::ObjectRef;

/// Where log files are, as the settings say.
#[derive(Debug)]
pub enum Objects {
    /// Amazon S3.
    #[cfg(feature = "aws")]
    S3(S3Objects),
    /// A folder.
    Folder(Folder),
}

/// An object of one of [`Objects`].
#[derive(Debug)]
pub enum Body {
    /// Amazon S3.
    #[cfg(feature = "aws")]
    S3(S3Body),
    /// A folder.
    Folder(FolderBody),
}

/// Where alerts go, as the settings say.
#[derive(Debug)]
pub enum Alerts {
    /// An SNS topic.
    #[cfg(feature = "aws")]
    Sns(SnsTopic),
    /// The terminal.
    Stdout(Stdout),
}

/// What is remembered, as the settings say.
#[derive(Debug)]
pub enum State {
    /// As long as the process lasts.
    Memory(StateMemory),
    /// An embedded database file.
    File(StateFile),
    /// An Amazon `DynamoDB` table.
    #[cfg(feature = "aws")]
    DynamoDb(DynamoDbTable),
}

impl ObjectStore for Objects {
    type Body = Body;

    async fn get(&self, object: &ObjectRef) -> Result<Body, FetchError> {
        match self {
            #[cfg(feature = "aws")]
            Self::S3(s3) => s3.get(object).await.map(Body::S3),
            Self::Folder(folder) => folder.get(object).await.map(Body::Folder),
        }
    }

    async fn list(&self, bucket: &str, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectRef>, ListError> {
        match self {
            #[cfg(feature = "aws")]
            Self::S3(s3) => s3.list(bucket, prefix, after).await,
            Self::Folder(folder) => folder.list(bucket, prefix, after).await,
        }
    }

    async fn put(&self, to: &ObjectRef, bytes: Bytes) -> Result<(), KeepError> {
        match self {
            #[cfg(feature = "aws")]
            Self::S3(s3) => s3.put(to, bytes).await,
            Self::Folder(folder) => folder.put(to, bytes).await,
        }
    }

    async fn copy(&self, from: &ObjectRef, to: &ObjectRef) -> Result<(), KeepError> {
        match self {
            #[cfg(feature = "aws")]
            Self::S3(s3) => s3.copy(from, to).await,
            Self::Folder(folder) => folder.copy(from, to).await,
        }
    }
}

impl ObjectBody for Body {
    fn signature(&self) -> Option<&SignatureMetadata> {
        match self {
            #[cfg(feature = "aws")]
            Self::S3(body) => body.signature(),
            Self::Folder(body) => body.signature(),
        }
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        match self {
            #[cfg(feature = "aws")]
            Self::S3(body) => body.chunk().await,
            Self::Folder(body) => body.chunk().await,
        }
    }
}

impl Publisher for Alerts {
    async fn publish(&self, notification: &Notification) -> Result<(), PublishError> {
        match self {
            #[cfg(feature = "aws")]
            Self::Sns(topic) => topic.publish(notification).await,
            Self::Stdout(stdout) => stdout.publish(notification).await,
        }
    }

    async fn publish_all(&self, notifications: &[Notification]) -> Vec<Result<(), PublishError>> {
        match self {
            #[cfg(feature = "aws")]
            Self::Sns(topic) => topic.publish_all(notifications).await,
            Self::Stdout(stdout) => stdout.publish_all(notifications).await,
        }
    }
}

macro_rules! each_state {
    ($self:ident, $state:ident => $call:expr) => {
        match $self {
            Self::Memory($state) => $call,
            Self::File($state) => $call,
            #[cfg(feature = "aws")]
            Self::DynamoDb($state) => $call,
        }
    };
}

impl StateStore for State {
    async fn get(&self, keys: &[Key], now: Timestamp) -> Result<Items, StateError> {
        each_state!(self, state => state.get(keys, now).await)
    }

    async fn list(&self, stretches: &[Stretch], now: Timestamp) -> Result<Vec<Listed>, StateError> {
        each_state!(self, state => state.list(stretches, now).await)
    }

    async fn put(&self, items: &[Item]) -> Result<(), StateError> {
        each_state!(self, state => state.put(items).await)
    }

    async fn swap(&self, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
        each_state!(self, state => state.swap(items, now).await)
    }

    async fn page(&self, after: Option<&Key>, now: Timestamp) -> Result<Page, StateError> {
        each_state!(self, state => state.page(after, now).await)
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StateError> {
        each_state!(self, state => state.remove(keys).await)
    }
}
