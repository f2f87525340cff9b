//! Log files in Amazon S3.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::TaggingDirective;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::timeout;

use crate::integrity::SignatureMetadata;
use crate::ports::{BoxError, FetchError, KeepError, ListError, ObjectBody, ObjectStore};
use crate::trigger::ObjectRef;

use super::warm::{WarmError, bounded};

/// For an answer to begin, with all tries, and for each piece of it to come. A function has a minute, and reads for half of it.
const PATIENCE: Duration = Duration::from_secs(12);

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
        let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).operation_attempt_timeout(PATIENCE / 2);
        let config = Builder::from(config).force_path_style(path_style).timeout_config(timeouts.build()).build();
        Self { client: Client::from_conf(config) }
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
            // Not every store that speaks S3's language knows where to start: one that doesn't would be listed for ever.
            let keys = keys.filter(|key| after.is_none_or(|after| key.as_str() > after));
            let objects: Vec<ObjectRef> =
                keys.map(|key| ObjectRef { bucket: bucket.to_owned(), key, version_id: None }).collect();
            if !objects.is_empty() {
                return Ok(objects);
            }
        }
        Ok(Vec::new())
    }

    async fn put(&self, to: &ObjectRef, bytes: Bytes) -> Result<(), KeepError> {
        let request = self.client.put_object().bucket(&to.bucket).key(&to.key).body(bytes.into());
        request.send().await.map(drop).map_err(|error| keep_error(to, error))
    }

    async fn copy(&self, from: &ObjectRef, to: &ObjectRef) -> Result<(), KeepError> {
        let request = self.client.copy_object().copy_source(copy_source(from)).bucket(&to.bucket).key(&to.key);
        // Copying the tags would need permissions of its own.
        let request = request.tagging_directive(TaggingDirective::Replace);
        request.send().await.map(drop).map_err(|error| keep_error(to, error))
    }
}

/// As the header wants it: form-encoded, but for the slashes.
fn copy_source(from: &ObjectRef) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, KEY).to_string();
    let version = from.version_id.as_deref().map(|version| format!("?versionId={}", encoded(version)));
    format!("{}/{}{}", from.bucket, encoded(&from.key), version.unwrap_or_default())
}

const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn keep_error<E: std::error::Error + Send + Sync + 'static>(to: &ObjectRef, error: SdkError<E>) -> KeepError {
    KeepError { to: to.clone(), source: error.into_source().unwrap_or_else(Into::into) }
}

impl ObjectBody for S3Body {
    fn signature(&self) -> Option<&SignatureMetadata> {
        Some(&self.signature)
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let failed = |source: BoxError| FetchError::Failed { object: self.object.clone(), source };
        // The SDK watches over it too, by its throughput, which a body that trickles keeps up.
        match timeout(PATIENCE, self.stream.try_next()).await {
            Ok(chunk) => chunk.map_err(|error| failed(error.into())),
            Err(elapsed) => Err(failed(format!("nothing came for {} s ({elapsed})", PATIENCE.as_secs()).into())),
        }
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
        Some(code) if code.starts_with("KMS.") || matches!(code, "AccessDenied" | "AllAccessDisabled") => {
            FetchError::Denied { object, source }
        }
        _ => FetchError::Failed { object, source },
    }
}
