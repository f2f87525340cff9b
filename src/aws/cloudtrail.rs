//! CloudTrail's public keys.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::config::Builder;
use aws_sdk_cloudtrail::config::timeout::TimeoutConfig;
use aws_sdk_cloudtrail::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_cloudtrail::operation::list_public_keys::ListPublicKeysError;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::PublicKey as SdkKey;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::integrity::{KeyWanted, PublicKey};
use crate::ports::{KeysError, PublicKeys};

/// For one answer, its retries included. A function has a minute.
const PATIENCE: Duration = Duration::from_secs(8);

/// There are fewer. Digests name Regions, and anybody may have written one.
const MAX_REGIONS: usize = 64;

/// The keys that CloudTrail hands out. What it has said once isn't asked again: a key doesn't change.
#[derive(Debug)]
pub struct CloudTrailKeys {
    config: SdkConfig,
    /// By Region: each has its own endpoint, and keys of its own.
    regions: Mutex<HashMap<String, RegionKeys>>,
}

#[derive(Debug, Clone)]
struct RegionKeys {
    client: Client,
    known: Vec<PublicKey>,
}

impl CloudTrailKeys {
    /// Makes a client for each Region once it is asked for.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone(), regions: Mutex::default() }
    }

    /// A panic elsewhere leaves keys that are no worse for it.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, RegionKeys>> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, region: &str) -> RegionKeys {
        let client = || {
            let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).operation_attempt_timeout(PATIENCE / 2);
            let config = Builder::from(&self.config).region(Region::new(region.to_owned()));
            Client::from_conf(config.timeout_config(timeouts.build()).build())
        };
        let mut regions = self.lock();
        if regions.len() >= MAX_REGIONS {
            regions.clear();
        }
        regions.entry(region.to_owned()).or_insert_with(|| RegionKeys { client: client(), known: Vec::new() }).clone()
    }

    /// All keys that were in use at some time of the stretch that is asked for.
    async fn ask(&self, client: &Client, wanted: &KeyWanted) -> Result<Vec<PublicKey>, KeysError> {
        let time = |time: Timestamp| DateTime::from_secs(time.as_second());
        let request = client.list_public_keys().start_time(time(wanted.from)).end_time(time(wanted.to));
        let mut pages = request.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| keys_error(&wanted.region, error))?;
            keys.extend(page.public_key_list.unwrap_or_default().into_iter().filter_map(key));
        }
        Ok(keys)
    }
}

impl PublicKeys for CloudTrailKeys {
    fn find<'k>(&'k self, wanted: &'k KeyWanted) -> BoxFuture<'k, Result<Option<PublicKey>, KeysError>> {
        Box::pin(self.found(wanted))
    }
}

impl CloudTrailKeys {
    async fn found(&self, wanted: &KeyWanted) -> Result<Option<PublicKey>, KeysError> {
        let RegionKeys { client, known } = self.of(&wanted.region);
        if let Some(key) = known.into_iter().find(|key| wanted.is_met_by(key)) {
            return Ok(Some(key));
        }
        let keys = self.ask(&client, wanted).await?;
        let found = keys.iter().find(|key| wanted.is_met_by(key)).cloned();
        if let Some(region) = self.lock().get_mut(&wanted.region) {
            let new = keys.into_iter().filter(|key| !region.known.contains(key)).collect::<Vec<_>>();
            region.known.extend(new);
        }
        Ok(found)
    }
}

/// One without a name or a value is of no use.
fn key(key: SdkKey) -> Option<PublicKey> {
    let time = |time: DateTime| Timestamp::from_second(time.secs()).ok();
    Some(PublicKey {
        fingerprint: key.fingerprint?,
        value: key.value?.into_inner(),
        valid_from: key.validity_start_time.and_then(time),
        valid_to: key.validity_end_time.and_then(time),
    })
}

fn keys_error(region: &str, error: SdkError<ListPublicKeysError>) -> KeysError {
    let region = region.to_owned();
    let code = error.code().map(str::to_owned);
    let source = error.into_source().unwrap_or_else(Into::into);
    match code.as_deref() {
        Some("AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation") => {
            KeysError::Denied { region, source }
        }
        _ => KeysError::Failed { region, source },
    }
}
