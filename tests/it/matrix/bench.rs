//! A function that has what it needs to fail in every way, and a log that can be looked into.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use trailhound::local::{Folder, FolderBody};
use trailhound::outcome::Cause;
use trailhound::pipeline::{Handling, Holding, Pipeline, Quarantine};
use trailhound::ports::{Clock as _, FetchError, KeepError, ListError, ObjectStore};
use trailhound::rule_pack::{self, RuleSource};
use trailhound::trail::{EventKind, Limits, Readers, Scope};
use trailhound::trigger::ObjectRef;

use crate::support::{Fails, FaultyOutbox, FaultyState, TODAY, TestClock, put_below, record, rule, rules, trail_file};

/// A folder that refuses, when told to.
pub(super) struct Store {
    pub(super) folder: Folder,
    pub(super) refuses: Mutex<Option<Cause>>,
    pub(super) keeps: AtomicBool,
    /// It gives the first page of a listing, and no other.
    pub(super) is_listed_once: AtomicBool,
}

impl ObjectStore for Store {
    type Body = FolderBody;

    async fn get(&self, object: &ObjectRef) -> Result<FolderBody, FetchError> {
        let object = object.clone();
        let refuses = *self.refuses.lock().unwrap();
        match refuses {
            Some(Cause::Denied) => Err(FetchError::Denied { object, source: "AccessDenied".into() }),
            Some(Cause::Unavailable) => Err(FetchError::Failed { object, source: "SlowDown".into() }),
            _ => self.folder.get(&object).await,
        }
    }

    async fn list(&self, bucket: &str, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectRef>, ListError> {
        if self.is_listed_once.load(Ordering::Relaxed) && after.is_some() {
            return Err(ListError { bucket: bucket.to_owned(), prefix: prefix.to_owned(), source: "SlowDown".into() });
        }
        self.folder.list(bucket, prefix, after).await
    }

    async fn put(&self, to: &ObjectRef, bytes: Bytes) -> Result<(), KeepError> {
        if !self.keeps.load(Ordering::Relaxed) {
            return Err(KeepError { to: to.clone(), source: "AccessDenied".into() });
        }
        self.folder.put(to, bytes).await
    }

    async fn copy(&self, from: &ObjectRef, to: &ObjectRef) -> Result<(), KeepError> {
        self.folder.copy(from, to).await
    }
}

/// A function with everything that it may need to fail.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) pipeline: Pipeline<Store, FaultyState, FaultyOutbox, TestClock>,
    pub(super) ends: Option<Timestamp>,
}

const RULES: &str = "
---
title: New address
id: address
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: GetUser}, condition: sel}
trailhound: {first_seen: {entity: [derived.principal], value: [sourceIPAddress], history: 30d, learning: 1d}}
";

impl Bench {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("trail-logs")).unwrap();
        let objects = Store {
            folder: Folder::new(folder.path()).unwrap(),
            refuses: Mutex::default(),
            keeps: true.into(),
            is_listed_once: false.into(),
        };
        let own = rule_pack::load(&[RuleSource::CORE], &trailhound::engine::Organisation::default(), TODAY).own;
        let yaml = rule("  sel: {eventName: StopLogging}\n  condition: sel") + RULES;
        let pipeline = Pipeline {
            objects,
            state: FaultyState::default(),
            publisher: FaultyOutbox::default(),
            clock: TestClock::default(),
            rules: rules(&yaml),
            readers: Readers::new(Limits { max_file_bytes: 20_000, ..Limits::default() }),
            known: Mutex::default(),
            published: Mutex::default(),
            holding: Holding::default(),
            concurrency: 4,
            handling: Handling {
                quarantine: Some(Quarantine { bucket: "aside".into(), prefix: "q/".into() }),
                own_rules: own,
                ..Handling::default()
            },
        };
        Self { folder, pipeline, ends: None }
    }

    /// Has the next invocation end as `cause` says, and gives the object's key.
    pub(super) async fn object(&mut self, cause: Cause) -> String {
        let good = trail_file(&[record("StopLogging", "1")]);
        let file = match cause {
            Cause::PartlyDone => format!(r#"{{"Records":["odd",{}]}}"#, record("StopLogging", "1")).into_bytes(),
            Cause::Damaged => good[..good.len() / 2].to_vec(),
            Cause::NotPutAside => b"nonsense".to_vec(),
            Cause::TooLarge => trail_file(&vec![record("GetUser", "x"); 30]),
            Cause::StateFailed => trail_file(&[record("GetUser", "1")]),
            _ => good,
        };
        let key = put_below(self.folder.path(), "f", &file);
        self.arrange(cause, &key).await;
        if cause == Cause::NotOurs { key.replace("CloudTrail", "vpcflowlogs") } else { key }
    }

    /// The same for a record.
    pub(super) async fn record(&mut self, cause: Cause) -> String {
        let name = if cause == Cause::StateFailed { "GetUser" } else { "StopLogging" };
        let record = match cause {
            Cause::PartlyDone | Cause::NotPutAside => json!({"level": "info"}),
            _ => record(name, "1"),
        };
        self.arrange(cause, &put_below(self.folder.path(), "f", &trail_file(std::slice::from_ref(&record)))).await;
        record.to_string()
    }

    pub(super) async fn arrange(&mut self, cause: Cause, key: &str) {
        let pipeline = &mut self.pipeline;
        match cause {
            Cause::NotWanted => {
                pipeline.handling.scope = Scope {
                    accounts: ["444455556666".to_owned()].into(),
                    kinds: [EventKind::Management].into(),
                    ..Scope::default()
                }
            }
            Cause::Gone => fs::remove_file(self.folder.path().join("trail-logs").join(key)).unwrap(),
            Cause::Denied | Cause::Unavailable => *pipeline.objects.refuses.lock().unwrap() = Some(cause),
            Cause::NotPutAside => pipeline.objects.keeps.store(false, Ordering::Relaxed),
            Cause::PublishFailed => pipeline.publisher.fails.store(true, Ordering::Relaxed),
            Cause::StateFailed => pipeline.state.fails(Fails::Away),
            Cause::OutOfTime => self.ends = Some(pipeline.clock.now()),
            Cause::Claimed => {
                // Another process has died between publishing and marking: its claim stands.
                pipeline.state.fails(Fails::AfterPublishing);
                pipeline.handle(&crate::support::s3_event(key)).await;
                pipeline.state.fails(None);
                *pipeline.known.lock().unwrap() = trailhound::alerting::KnownPairs::default();
                *pipeline.published.lock().unwrap() = trailhound::alerting::Published::default();
                drop(pipeline.publisher.outbox.take());
            }
            _ => {}
        }
    }

    /// Everything below the quarantine, by name.
    pub(super) fn aside(&self) -> Vec<String> {
        let root = self.folder.path().join("aside");
        let mut found: Vec<String> = trailhound::local::walk(&root)
            .filter_map(Result::ok)
            .map(|entry| entry.path().strip_prefix(&root).unwrap().display().to_string())
            .collect();
        found.sort_unstable();
        found
    }

    pub(super) fn read_aside(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join("aside").join(Path::new(name))).unwrap()
    }
}

/// The log, as it is written.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Names of the lines that this thread writes from now on.
    pub(super) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let writer = move || log.clone();
        tracing::subscriber::set_default(tracing_subscriber::fmt().with_writer(writer).with_ansi(false).finish())
    }

    pub(super) fn has(&self, event: &str) -> bool {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().contains(&format!("event=\"{event}\""))
    }
}
