//! Puts a pipeline together as the settings ask.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::config::{AlertsTo, ConfigFrom, ObjectsFrom, Settings, StateIn};
use crate::engine::Organisation;
use crate::local::{Folder, FolderBody, OpenError, State, Stdout, SystemClock};
use crate::notify::Notification;
use crate::pipeline::Pipeline;
use crate::ports::{FetchError, ObjectBody, ObjectStore, PublishError, Publisher};
use crate::rule_pack::{self, Loaded};
use crate::trigger::ObjectRef;
use crate::yaml::{Diagnostic, SourceFile};

#[cfg(feature = "aws")]
use crate::aws::{S3Body, S3Objects, SnsTopic, sdk_config};
#[cfg(feature = "aws")]
use crate::ports::chain;

/// A pipeline whose parts were chosen by settings.
pub type ConfiguredPipeline = Pipeline<Objects, State, Alerts, SystemClock>;

/// Why trailhound can't start. Until it is mended, messages stay in their queue.
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
    /// The memory can't be opened.
    #[error("{path}: {why}")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: OpenError,
    },
    /// This build can't do what the settings ask.
    #[error("this build has no AWS in it, so `{0}` can't be used; build with `--features aws`, or use a local place")]
    WithoutAws(&'static str),
}

/// Chooses the parts and loads the rules. Whatever is loaded or rejected is logged.
///
/// # Errors
/// When nothing could be found or told. A rule that doesn't load is no reason not to start with the others.
pub async fn pipeline(settings: &Settings) -> Result<ConfiguredPipeline, StartError> {
    let cloud = Cloud::load(settings).await;
    let organisation = organisation(settings.config.as_ref(), &cloud).await?;
    let loaded = rule_pack::load(&settings.rules, &organisation);
    loaded.report();
    from_parts(settings, loaded, &cloud)
}

/// Chooses the parts for rules that are loaded already.
///
/// # Errors
/// When nothing could be found or told.
pub async fn with_rules(settings: &Settings, loaded: Loaded) -> Result<ConfiguredPipeline, StartError> {
    from_parts(settings, loaded, &Cloud::load(settings).await)
}

fn from_parts(settings: &Settings, loaded: Loaded, cloud: &Cloud) -> Result<ConfiguredPipeline, StartError> {
    if loaded.rules.rules().len() == 0 {
        return Err(StartError::NoRules(loaded.summary()));
    }
    Ok(Pipeline {
        objects: cloud.objects(&settings.objects)?,
        state: state(&settings.state)?,
        publisher: cloud.alerts(&settings.alerts)?,
        clock: SystemClock,
        rules: loaded.rules,
        limits: settings.limits,
        concurrency: settings.concurrency,
    })
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

async fn organisation(from: Option<&ConfigFrom>, cloud: &Cloud) -> Result<Organisation, StartError> {
    match from {
        None => Ok(Organisation::default()),
        Some(ConfigFrom::Path(path)) => organisation_file(path),
        Some(ConfigFrom::S3 { bucket, key }) => {
            let object = ObjectRef { bucket: bucket.clone(), key: key.clone(), version_id: None };
            let file: Arc<SourceFile> = SourceFile::new(object.to_string(), cloud.text(&object).await?);
            Organisation::parse(&file).map_err(StartError::Organisation)
        }
    }
}

fn state(state: &StateIn) -> Result<State, StartError> {
    match state {
        StateIn::Memory => State::in_memory().map_err(|why| StartError::State { path: "memory".into(), why }),
        StateIn::File(path) => State::open(path).map_err(|why| StartError::State { path: path.clone(), why }),
    }
}

/// The AWS side, asked for only when a setting needs it.
struct Cloud {
    #[cfg(feature = "aws")]
    config: Option<aws_config::SdkConfig>,
}

impl Cloud {
    async fn load(settings: &Settings) -> Self {
        let needed = settings.objects == ObjectsFrom::S3
            || matches!(settings.alerts, AlertsTo::Sns(_))
            || matches!(settings.config, Some(ConfigFrom::S3 { .. }));
        #[cfg(feature = "aws")]
        return Self { config: if needed { Some(sdk_config().await) } else { None } };
        #[cfg(not(feature = "aws"))]
        {
            let _ = needed;
            Self {}
        }
    }

    fn objects(&self, from: &ObjectsFrom) -> Result<Objects, StartError> {
        match from {
            ObjectsFrom::Folder(path) => {
                Folder::new(path).map(Objects::Folder).map_err(|why| StartError::Folder { path: path.clone(), why })
            }
            #[cfg(feature = "aws")]
            ObjectsFrom::S3 => Ok(Objects::S3(S3Objects::new(self.sdk("s3")?))),
            #[cfg(not(feature = "aws"))]
            ObjectsFrom::S3 => Err(StartError::WithoutAws("s3")),
        }
    }

    fn alerts(&self, to: &AlertsTo) -> Result<Alerts, StartError> {
        match to {
            AlertsTo::Stdout => Ok(Alerts::Stdout(Stdout)),
            #[cfg(feature = "aws")]
            AlertsTo::Sns(arn) => Ok(Alerts::Sns(SnsTopic::new(self.sdk("sns")?, arn.clone()))),
            #[cfg(not(feature = "aws"))]
            AlertsTo::Sns(_) => Err(StartError::WithoutAws("sns")),
        }
    }

    #[cfg(feature = "aws")]
    fn sdk(&self, what: &'static str) -> Result<&aws_config::SdkConfig, StartError> {
        self.config.as_ref().ok_or(StartError::WithoutAws(what))
    }

    #[cfg(feature = "aws")]
    async fn text(&self, object: &ObjectRef) -> Result<String, StartError> {
        let unreadable = |why: String| StartError::Unreadable { place: object.to_string(), why };
        let read = async {
            let mut body =
                S3Objects::new(self.sdk("s3")?).get(object).await.map_err(|error| unreadable(chain(&error)))?;
            let mut bytes = Vec::new();
            while let Some(chunk) = body.chunk().await.map_err(|error| unreadable(chain(&error)))? {
                bytes.extend_from_slice(&chunk);
            }
            String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))
        };
        read.await
    }

    #[cfg(not(feature = "aws"))]
    async fn text(&self, _: &ObjectRef) -> Result<String, StartError> {
        Err(StartError::WithoutAws("s3://"))
    }
}

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
