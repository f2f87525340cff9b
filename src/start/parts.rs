//! Adapters chosen at run time, behind one type each.

use bytes::Bytes;

#[cfg(feature = "aws")]
use crate::aws::{S3Body, S3Objects, SnsTopic};
use crate::local::{Folder, FolderBody, Stdout};
use crate::notify::Notification;
use crate::ports::{FetchError, ObjectBody, ObjectStore, PublishError, Publisher};
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

impl ObjectStore for Objects {
    type Body = Body;

    async fn get(&self, object: &ObjectRef) -> Result<Body, FetchError> {
        match self {
            #[cfg(feature = "aws")]
            Self::S3(s3) => s3.get(object).await.map(Body::S3),
            Self::Folder(folder) => folder.get(object).await.map(Body::Folder),
        }
    }
}

impl ObjectBody for Body {
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
}
