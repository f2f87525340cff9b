//! Puts a notifier together as the settings ask.

use crate::config::{ConfigFrom, NotifierSettings, StateIn};
use crate::local::SystemClock;
use crate::notifier::{Notifier, SecretSource};
use crate::outputs::Channel;
use crate::telemetry::{self, Event};

use super::cloud::Cloud;
use super::{LazyCloud, Sender, StartError, State, organisation, state};

/// A notifier whose parts were chosen by settings.
pub type ConfiguredNotifier = Notifier<Sender, State, SystemClock>;

/// Reads the channels, and opens the memory. Secrets come from AWS, when they are needed.
///
/// # Errors
/// When nobody could be told: a configuration that can't be read, or that names no channel.
pub async fn notifier(settings: &NotifierSettings) -> Result<ConfiguredNotifier, StartError> {
    // Whatever the settings: secrets are there.
    let cloud = LazyCloud::new(true);
    let channels = channels(&settings.config, &cloud).await?;
    if settings.state == StateIn::Memory {
        telemetry::emit(&Event::MemoryLimited);
    }
    let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
    telemetry::emit(&Event::ChannelsLoaded { channels: &names.join(", ") });
    let cloud = cloud.get().await;
    Ok(Notifier::new(cloud.sender()?, state(&settings.state, cloud)?, SystemClock, channels, SecretSource::Aws))
}

async fn channels(from: &ConfigFrom, cloud: &LazyCloud) -> Result<Vec<Channel>, StartError> {
    let channels = organisation(Some(from), cloud).await?.outputs.channels;
    let place = match from {
        ConfigFrom::Path(path) => path.display().to_string(),
        ConfigFrom::S3 { bucket, key } => format!("s3://{bucket}/{key}"),
    };
    if channels.is_empty() { Err(StartError::NoChannels(place)) } else { Ok(channels) }
}

/// What sends requests to receivers.
///
/// # Errors
/// When this machine has no certificates to know them by, or this build can't send.
pub async fn sender() -> Result<Sender, StartError> {
    Cloud::load(true).await.sender()
}
