//! Log files in Amazon S3.

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use crate::integrity::SignatureMetadata;
use crate::ports::{BoxError, FetchError, ListError, ObjectBody, ObjectStore};
use crate::trigger::ObjectRef;

use super::warm::{WarmError, bounded};

/// Objects in S3.
#[derive(Debug, Clone)]
pub struct S3Objects {
    client: Client,
}

/// An object that is being read.
#[derive(Debug)]
pub struct S3Body {
    object: ObjectRef,
    signature: SignatureMetadata,
    stream: ByteStream,
}

impl S3Objects {
    /// Makes the client.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        // Emulators behind a custom endpoint don't answer to `bucket.host` names.
        let path_style = config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
        Self { client: Client::from_conf(Builder::from(config).force_path_style(path_style).build()) }
    }

    /// Opens a connection for objects of a bucket, and leaves it for the next request.
    ///
    /// # Errors
    /// When the bucket can't be reached or asked. Asking needs `s3:ListBucket`, with which S3 also tells missing objects
    /// from denied ones.
    pub async fn warm(&self, bucket: &str) -> Result<(), WarmError> {
        bounded("s3:ListBucket", self.client.head_bucket().bucket(bucket).send()).await
    }
}

impl ObjectStore for S3Objects {
    type Body = S3Body;

    async fn get(&self, object: &ObjectRef) -> Result<S3Body, FetchError> {
        let request = self.client.get_object().bucket(&object.bucket).key(&object.key);
        let request = request.set_version_id(object.version_id.clone());
        match request.send().await {
            Ok(output) => {
                let metadata = output.metadata.unwrap_or_default();
                let signature = SignatureMetadata::of(|name| metadata.get(name).map(String::as_str));
                Ok(S3Body { object: object.clone(), signature, stream: output.body })
            }
            Err(error) => Err(fetch_error(object, error)),
        }
    }

    async fn list(&self, bucket: &str, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectRef>, ListError> {
        let request = self.client.list_objects_v2().bucket(bucket).prefix(prefix);
        let mut pages = request.set_start_after(after.map(str::to_owned)).into_paginator().send();
        // A page may be empty and not the last, where many objects were deleted.
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ListError {
                bucket: bucket.to_owned(),
                prefix: prefix.to_owned(),
                source: error.into_source().unwrap_or_else(Into::into),
            })?;
            let keys = page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
            let objects: Vec<ObjectRef> =
                keys.map(|key| ObjectRef { bucket: bucket.to_owned(), key, version_id: None }).collect();
            if !objects.is_empty() {
                return Ok(objects);
            }
        }
        Ok(Vec::new())
    }
}

impl ObjectBody for S3Body {
    fn signature(&self) -> Option<&SignatureMetadata> {
        Some(&self.signature)
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let failed = |error| FetchError::Failed { object: self.object.clone(), source: Box::new(error) };
        self.stream.try_next().await.map_err(failed)
    }
}

fn fetch_error(object: &ObjectRef, error: SdkError<GetObjectError>) -> FetchError {
    let object = object.clone();
    let code = error.code().map(str::to_owned);
    let source: BoxError = error.into_source().unwrap_or_else(Into::into);
    match code.as_deref() {
        // A bucket that is gone is a mistake in the set-up, not an expired file: it stays a failure.
        Some("NoSuchKey" | "NoSuchVersion") => FetchError::Gone(object),
        // S3 also answers this for a missing object when the function may not list the bucket.
        Some("AccessDenied" | "KMS.DisabledException" | "AllAccessDisabled") => FetchError::Denied { object, source },
        _ => FetchError::Failed { object, source },
    }
}
