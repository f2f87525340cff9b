//! The AWS side of starting.

use std::time::Instant;

use aws_config::SdkConfig;
use futures_util::future::join_all;

use crate::aws::{CloudTrailKeys, DynamoDbTable, HttpsWeb, S3Objects, SnsTopic, WarmError, sdk_config};
use crate::config::Warm;
use crate::ports::{FetchError, ObjectBody as _, ObjectStore as _, PublicKeys, chain};
use crate::telemetry::{self, Event};
use crate::trigger::ObjectRef;

use super::{Alerts, Objects, Parts, StartError, State};

/// What sends requests to receivers.
pub type Sender = HttpsWeb;

/// What all clients share, when something needs one. Each client has its own connections, so there is one for S3.
pub(super) struct Cloud(Option<(SdkConfig, S3Objects)>);

impl Cloud {
    pub(super) async fn load(needed: bool) -> Self {
        if !needed {
            return Self(None);
        }
        let config = sdk_config().await;
        let s3 = S3Objects::new(&config);
        Self(Some((config, s3)))
    }

    pub(super) fn objects(&self) -> Result<Objects, StartError> {
        Ok(Objects::S3(self.clients("s3")?.1.clone()))
    }

    pub(super) fn keys(&self) -> Result<Box<dyn PublicKeys>, StartError> {
        Ok(Box::new(CloudTrailKeys::new(&self.clients("cloudtrail")?.0)))
    }

    pub(super) fn alerts(&self, arn: &str) -> Result<Alerts, StartError> {
        Ok(Alerts::Sns(SnsTopic::new(&self.clients("sns")?.0, arn.to_owned())))
    }

    pub(super) fn state(&self, table: &str) -> Result<State, StartError> {
        Ok(State::DynamoDb(DynamoDbTable::new(&self.clients("dynamodb")?.0, table.to_owned())))
    }

    pub(super) fn sender(&self) -> Result<Sender, StartError> {
        HttpsWeb::new(&self.clients("https")?.0).map_err(StartError::NoCertificates)
    }

    /// Reads a whole object.
    pub(super) async fn text(&self, object: &ObjectRef) -> Result<String, StartError> {
        let unreadable = |why: String| StartError::Unreadable { place: object.to_string(), why };
        let s3 = &self.clients("s3")?.1;
        let bytes = whole(s3, object, usize::MAX).await.map_err(|error| unreadable(chain(&error)))?;
        String::from_utf8(bytes.unwrap_or_default()).map_err(|_| unreadable("it is not UTF-8".to_owned()))
    }

    /// Reads a whole object; nothing of one that has more bytes. An error is told in words.
    pub(super) async fn bytes(&self, object: &ObjectRef, max_bytes: usize) -> Result<Option<Vec<u8>>, String> {
        let s3 = &self.clients("s3").map_err(|error| error.to_string())?.1;
        whole(s3, object, max_bytes).await.map_err(|error| chain(&error))
    }

    /// All objects below a prefix, in the order of their keys. An error is told in words.
    pub(super) async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectRef>, String> {
        let s3 = &self.clients("s3").map_err(|error| error.to_string())?.1;
        let mut all: Vec<ObjectRef> = Vec::new();
        loop {
            let after = all.last().map(|object| object.key.as_str());
            let page = s3.list(bucket, prefix, after).await.map_err(|error| chain(&error))?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    fn clients(&self, what: &'static str) -> Result<&(SdkConfig, S3Objects), StartError> {
        self.0.as_ref().ok_or(StartError::WithoutAws(what))
    }
}

async fn whole(s3: &S3Objects, object: &ObjectRef, max_bytes: usize) -> Result<Option<Vec<u8>>, FetchError> {
    let mut body = s3.get(object).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        if bytes.len() + chunk.len() > max_bytes {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// Connects to the places that are on AWS, to all at once. A failure is told and changes nothing else.
pub(super) async fn warm(places: &[Warm], parts: &Parts) {
    join_all(places.iter().map(async |place| match (place, parts) {
        (Warm::Bucket(name), Parts { objects: Objects::S3(s3), .. }) => {
            told(&format!("s3://{name}"), Box::pin(s3.warm(name))).await;
        }
        (Warm::Alerts, Parts { alerts: Alerts::Sns(topic), .. }) => told(topic.arn(), Box::pin(topic.warm())).await,
        (Warm::State, Parts { state: State::DynamoDb(table), .. }) => told(table.name(), Box::pin(table.warm())).await,
        // On this machine there is nothing to connect to.
        (Warm::Bucket(_) | Warm::Alerts | Warm::State, _) => {}
    }))
    .await;
}

async fn told(place: &str, connected: impl Future<Output = Result<(), WarmError>>) {
    let start = Instant::now();
    match connected.await {
        Ok(()) => {
            let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            telemetry::emit(&Event::Warmed { place, milliseconds });
        }
        Err(error) => telemetry::emit(&Event::WarmUpFailed { place, error: &chain(&error) }),
    }
}
