//! Puts a pipeline together as the settings ask.

#[cfg(feature = "aws")]
mod cloud;
#[cfg(not(feature = "aws"))]
#[path = "no_cloud.rs"]
mod cloud;
mod enrichment;
mod notifier;
mod parts;
mod verification;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::config::{AlertsTo, ConfigFrom, EnrichmentFrom, KeysFrom, ObjectsFrom, Settings, StateIn};
use crate::engine::Organisation;
use crate::local::{Folder, KeyFileError, OpenError, StateFile, StateMemory, SystemClock};
use crate::outcome::RuleCounts;
use crate::pipeline::{Handling, Holding, Pipeline};
use crate::ports::{Clock as _, PublicKeys};
use crate::rule_pack::{self, Loaded};
use crate::telemetry::{self, Event};
use crate::trail::Readers;
use crate::trigger::ObjectRef;
use crate::yaml::{Diagnostic, SourceFile};

use cloud::Cloud;
pub use cloud::Sender;
use enrichment::Gathered;
pub use enrichment::enrichment_folder;
pub use notifier::{ConfiguredNotifier, notifier, sender};
pub use parts::{Alerts, Body, Objects, State};
use verification::public_keys;
pub use verification::verification;

/// A pipeline whose parts were chosen by settings.
pub type ConfiguredPipeline = Pipeline<Objects, State, Alerts, SystemClock>;

/// Why trailhound can't start. Messages go back to their queue until it is mended, and to the dead-letter queue when that
/// takes longer than the queue's retries.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The organisation's file can't be read.
    #[error("the configuration {place} can't be read: {why}")]
    Unreadable {
        /// Where it should be.
        place: String,
        /// What was answered.
        why: String,
    },
    /// The organisation's file is wrong.
    #[error("{0}")]
    Organisation(Diagnostic),
    /// Data about addresses can't be used.
    #[error("{place}: {why}")]
    Enrichment {
        /// Which file or folder.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// No rule is loaded: nothing would ever be found.
    #[error("no rule could be loaded ({0})")]
    NoRules(String),
    /// The folder of log files isn't there.
    #[error("the folder of log files {path} can't be used: {why}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        why: std::io::Error,
    },
    /// The file of public keys can't be used.
    #[error(transparent)]
    Keys(KeyFileError),
    /// The memory can't be opened.
    #[error("{path}: {why}")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: OpenError,
    },
    /// The organisation's file names no channel.
    #[error("{0} names no channel, so the notifier would tell nobody: write `channels` into it")]
    NoChannels(String),
    /// There are no certificates to know receivers by.
    #[error("this machine has no certificates to trust, so no receiver could be known: {0}")]
    NoCertificates(std::io::Error),
    /// This build can't do what the settings ask.
    #[error("this build has no AWS in it, so `{0}` can't be used; build with `--features aws`, or use a local place")]
    WithoutAws(&'static str),
}

/// Loads the rules, and meanwhile chooses the parts and connects to what the settings name. Whatever is loaded or rejected is logged.
///
/// # Errors
/// When nothing could be found or told. A rule that doesn't load is no reason not to start with the others, and neither is
/// a place that can't be connected to.
pub async fn pipeline(settings: &Settings) -> Result<ConfiguredPipeline, StartError> {
    let cloud = LazyCloud::new(needs_cloud(settings));
    let parts = async {
        let parts = Parts::choose(settings, cloud.get().await)?;
        cloud::warm(&settings.warm, &parts).await;
        Ok(parts)
    };
    // The rules first: they are loaded on another processor while this one puts the parts together.
    let ((loaded, data_failed), parts) = tokio::try_join!(load(settings, &cloud), parts)?;
    loaded.report();
    if settings.state == StateIn::Memory {
        telemetry::emit(&Event::MemoryLimited);
    }
    let counts = RuleCounts { data_failed, ..loaded.counts() };
    parts.with(settings, loaded, counts)
}

/// Chooses the parts for rules that are loaded already.
///
/// # Errors
/// When nothing could be found or told.
pub async fn with_rules(settings: &Settings, loaded: Loaded) -> Result<ConfiguredPipeline, StartError> {
    let cloud = Cloud::load(needs_cloud(settings)).await;
    let counts = loaded.counts();
    let mut pipeline = Parts::choose(settings, &cloud)?.with(settings, loaded, counts)?;
    if settings.state != StateIn::Memory {
        pipeline.holding = Holding::told_when_asked();
    }
    Ok(pipeline)
}

/// Where log files and the memory are, and where alerts go.
struct Parts {
    objects: Objects,
    state: State,
    alerts: Alerts,
    /// `None`: digest files aren't checked.
    keys: Option<Box<dyn PublicKeys>>,
}

impl Parts {
    fn choose(settings: &Settings, cloud: &Cloud) -> Result<Self, StartError> {
        Ok(Self {
            objects: objects(&settings.objects, cloud)?,
            state: state(&settings.state, cloud)?,
            alerts: alerts(&settings.alerts, cloud)?,
            keys: match &settings.keys {
                KeysFrom::Nowhere => None,
                keys => Some(public_keys(keys, cloud)?),
            },
        })
    }

    fn with(self, settings: &Settings, loaded: Loaded, rules: RuleCounts) -> Result<ConfiguredPipeline, StartError> {
        if loaded.rules.loaded() == 0 {
            return Err(StartError::NoRules(loaded.summary()));
        }
        Ok(Pipeline {
            objects: self.objects,
            state: self.state,
            publisher: self.alerts,
            clock: SystemClock,
            rules: loaded.rules,
            readers: Readers::new(settings.limits),
            known: Mutex::default(),
            published: Mutex::default(),
            holding: if settings.state == StateIn::Memory { Holding::nothing() } else { Holding::default() },
            concurrency: settings.concurrency,
            handling: Handling {
                scope: settings.scope.clone(),
                quarantine: settings.quarantine.clone(),
                own_rules: loaded.own,
                keys: self.keys,
                rules,
                topics: loaded.topics,
                max_found_bytes: settings.max_found_bytes,
            },
        })
    }
}

/// Opens the memory alone.
///
/// # Errors
/// When it can't be opened, or this build can't reach it.
pub async fn memory(place: &StateIn) -> Result<State, StartError> {
    state(place, &Cloud::load(matches!(place, StateIn::DynamoDb(_))).await)
}

/// Loads the rules on a thread of its own: compiling holds a processor, and connections want to go on. Also how much of what they
/// may ask for can't be used.
async fn load(settings: &Settings, cloud: &LazyCloud) -> Result<(Loaded, u64), StartError> {
    let sources = settings.rules.clone();
    let read = tokio::task::spawn_blocking(move || rule_pack::collect(&sources));
    let data = async {
        match &settings.enrichment {
            Some(from) => enrichment::gather(from, settings.max_enrichment_bytes, cloud.get().await).await,
            None => Gathered::default(),
        }
    };
    let (organisation, data) = tokio::join!(organisation(settings.config.as_ref(), cloud), data);
    let (mut organisation, failed) = (organisation?, data.failed());
    organisation.knowledge = organisation.knowledge.enriched(data.enrichment);
    organisation.least_level = settings.level;
    let rules = finished(read).await;
    let compile = move || Loaded::compile(&rules, &organisation, SystemClock.today());
    Ok((finished(tokio::task::spawn_blocking(compile)).await, failed))
}

/// What a thread came to. It can't have been cancelled: if it fails, it panicked.
async fn finished<T>(thread: JoinHandle<T>) -> T {
    thread.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Reads what the organisation knows from a file.
///
/// # Errors
/// When it can't be read or understood.
pub fn organisation_file(path: &Path) -> Result<Organisation, StartError> {
    let unreadable =
        |why: std::io::Error| StartError::Unreadable { place: path.display().to_string(), why: why.to_string() };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Organisation::parse(&SourceFile::new(path.display().to_string(), text)).map_err(StartError::Organisation)
}

async fn organisation(from: Option<&ConfigFrom>, cloud: &LazyCloud) -> Result<Organisation, StartError> {
    match from {
        None => Ok(Organisation::default()),
        Some(ConfigFrom::Path(path)) => organisation_file(path),
        Some(ConfigFrom::S3 { bucket, key }) => {
            let object = ObjectRef { bucket: bucket.clone(), key: key.clone(), version_id: None };
            let file = SourceFile::new(object.to_string(), cloud.get().await.text(&object).await?);
            Organisation::parse(&file).map_err(StartError::Organisation)
        }
    }
}

/// The AWS side, made when it is first asked for: it takes time that loading rules can use.
struct LazyCloud {
    is_needed: bool,
    made: OnceCell<Cloud>,
}

impl LazyCloud {
    fn new(is_needed: bool) -> Self {
        Self { is_needed, made: OnceCell::new() }
    }

    async fn get(&self) -> &Cloud {
        self.made.get_or_init(|| Cloud::load(self.is_needed)).await
    }
}

/// Whether a setting needs the AWS side.
fn needs_cloud(settings: &Settings) -> bool {
    settings.objects == ObjectsFrom::S3
        || matches!(settings.alerts, AlertsTo::Sns(_))
        || matches!(settings.state, StateIn::DynamoDb(_))
        || settings.keys == KeysFrom::CloudTrail
        || matches!(settings.config, Some(ConfigFrom::S3 { .. }))
        || matches!(settings.enrichment, Some(EnrichmentFrom::S3 { .. }))
}

fn objects(from: &ObjectsFrom, cloud: &Cloud) -> Result<Objects, StartError> {
    match from {
        ObjectsFrom::S3 => cloud.objects(),
        ObjectsFrom::Folder(path) => {
            Folder::new(path).map(Objects::Folder).map_err(|why| StartError::Folder { path: path.clone(), why })
        }
    }
}

fn alerts(to: &AlertsTo, cloud: &Cloud) -> Result<Alerts, StartError> {
    match to {
        AlertsTo::Sns(arn) => cloud.alerts(arn),
        AlertsTo::Stdout(stdout) => Ok(Alerts::Stdout(*stdout)),
    }
}

fn state(place: &StateIn, cloud: &Cloud) -> Result<State, StartError> {
    match place {
        StateIn::Memory => Ok(State::Memory(StateMemory::default())),
        StateIn::File(path) => StateFile::open(path, Timestamp::now())
            .map(State::File)
            .map_err(|why| StartError::State { path: path.clone(), why }),
        StateIn::DynamoDb(table) => cloud.state(table),
    }
}
