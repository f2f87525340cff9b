//! Parts that fail, at every call between reading and marking: what failed comes again, and nothing is lost.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use trailhound::alerting::{Item, Items, Key, Listed, Stretch};
use trailhound::local::{Folder, Outbox, StateMemory};
use trailhound::notify::Notification;
use trailhound::pipeline::{Handling, Holding, Pipeline};
use trailhound::ports::{
    FetchError, KeepError, ListError, ObjectBody, ObjectStore, Page, PublishError, Publisher, StateError, StateStore,
};
use trailhound::trail::Readers;
use trailhound::trigger::ObjectRef;

use crate::limits::{TICK, events_of};
use crate::pipeline::assert_adds_up;
use crate::scenario::{RULES, delivery, history};
use crate::support::{TestClock, compile, failed, put_below, record, rules, s3_event, sqs, trail_file, with};

/// Calls that fail: those from one on, so many of them.
#[derive(Default)]
struct Faults {
    from: AtomicUsize,
    count: AtomicUsize,
    called: AtomicUsize,
    /// Marks that were not written.
    marks: AtomicUsize,
}

impl Faults {
    fn set(&self, from: usize, count: usize) {
        self.called.store(0, Ordering::Relaxed);
        self.from.store(from, Ordering::Relaxed);
        self.count.store(count, Ordering::Relaxed);
    }

    fn is_due(&self) -> bool {
        let call = self.called.fetch_add(1, Ordering::Relaxed);
        let from = self.from.load(Ordering::Relaxed);
        (from..from.saturating_add(self.count.load(Ordering::Relaxed))).contains(&call)
    }

    fn state(&self, items: &[Item]) -> Result<(), StateError> {
        if !self.is_due() {
            return Ok(());
        }
        let is_mark = |item: &&Item| item.value.contains(r#""told":""#);
        self.marks.fetch_add(items.iter().filter(is_mark).count(), Ordering::Relaxed);
        Err(StateError::Throttled { doing: "being tested" })
    }
}

#[derive(Default)]
struct FaultyParts {
    faults: Faults,
    state: StateMemory,
    outbox: Outbox,
}

type Parts<'p> = Pipeline<Folder, &'p FaultyParts, &'p FaultyParts, TestClock>;

/// Does the delivery with calls failing, then again whatever comes again, until nothing does.
async fn told(from: usize, count: usize) -> Told {
    told_under("", from, count).await
}

/// The same under limits, whose summaries are told an hour later, with calls failing once more.
async fn told_under(limits: &str, from: usize, count: usize) -> Told {
    let folder = TempDir::new().unwrap();
    let parts = FaultyParts::default();
    let put = |name: &str, files: Vec<Vec<serde_json::Value>>| -> Vec<String> {
        let put = |(number, file): (usize, &Vec<serde_json::Value>)| {
            s3_event(&put_below(folder.path(), &format!("{name}{number}"), &trail_file(file)))
        };
        files.iter().enumerate().map(put).collect()
    };
    let pipeline: Parts<'_> = Pipeline {
        objects: Folder::new(folder.path()).unwrap(),
        state: &parts,
        publisher: &parts,
        clock: TestClock::default(),
        rules: compile(RULES, limits).0,
        readers: Readers::default(),
        known: Mutex::default(),
        published: Mutex::default(),
        holding: Holding::default(),
        concurrency: 2,
        handling: Handling::default(),
    };
    pipeline.handle(&sqs(&put("history", history()))).await;
    drop(parts.outbox.take());
    let mut bodies = put("delivery", delivery());
    parts.faults.set(from, count);
    let mut calls = None;
    for _ in 0..5 {
        let outcome = pipeline.handle(&sqs(&bodies)).await;
        assert_adds_up(&outcome.counts);
        calls.get_or_insert(parts.faults.called.load(Ordering::Relaxed));
        let again: BTreeSet<usize> = failed(&outcome).iter().map(|id| id[1..].parse().unwrap()).collect();
        if again.is_empty() {
            break;
        }
        bodies = again.into_iter().map(|place| bodies[place].clone()).collect();
        parts.faults.set(0, 0);
        pipeline.clock.pass_minutes(6);
    }
    if !limits.is_empty() {
        pipeline.clock.pass_minutes(60);
        parts.faults.set(from, count);
        for _ in 0..3 {
            pipeline.handle(TICK).await;
            parts.faults.set(0, 0);
            pipeline.clock.pass_minutes(6);
        }
    }
    let alerts = parts.outbox.take();
    let events = alerts.iter().flat_map(events_of).collect();
    let unchecked = alerts.iter().filter(|alert| alert.text.contains("memory of earlier alerts")).count();
    let uncounted = alerts.iter().filter(|alert| alert.text.contains("How many like this were held back")).count();
    let mut subjects: Vec<String> = alerts.into_iter().map(|alert| alert.subject).collect();
    subjects.sort();
    let unmarked = parts.faults.marks.load(Ordering::Relaxed);
    Told { subjects, events, unchecked, uncounted, unmarked, calls: calls.unwrap() }
}

/// What people were told.
struct Told {
    /// In order.
    subjects: Vec<String>,
    /// The events that were named, each with its rule.
    events: BTreeSet<String>,
    /// Alerts that say that they may repeat others.
    unchecked: usize,
    /// Alerts that could not say how many were held back.
    uncounted: usize,
    /// Marks that were not written.
    unmarked: usize,
    /// Calls of the first try.
    calls: usize,
}

#[tokio::test]
async fn whatever_call_fails_once_nothing_is_lost() {
    let Told { subjects: expected, calls, .. } = told(usize::MAX, 0).await;
    assert_eq!(expected.len(), 5);
    let mut all_uncounted = 0;
    for call in 0..calls {
        let Told { subjects, unchecked, unmarked, uncounted, .. } = told(call, 1).await;
        all_uncounted += uncounted;
        assert!(expected.iter().all(|alert| subjects.contains(alert)), "call {call} lost one: {subjects:?}");
        assert!(
            subjects == expected || unchecked + unmarked > 0,
            "call {call} repeated one without need: {subjects:?}"
        );
    }
    assert!(all_uncounted > 0, "an alert whose held findings could not be asked for has to say so");
}

#[tokio::test]
async fn whenever_everything_begins_to_fail_nothing_is_lost() {
    let Told { subjects: expected, calls, .. } = told(usize::MAX, 0).await;
    for call in 0..calls {
        let Told { subjects, .. } = told(call, usize::MAX).await;
        assert!(expected.iter().all(|alert| subjects.contains(alert)), "from call {call} on: {subjects:?}");
    }
}

#[tokio::test]
async fn whatever_call_fails_nothing_that_is_held_back_is_lost() {
    let limits = "rules: {stopped: {quiet: {hours: '10:00-11:00'}}, chain: {max_alerts: {count: 1, per: 1h}}}";
    let Told { events: expected, subjects, calls, .. } = told_under(limits, usize::MAX, 0).await;
    assert!(subjects.iter().any(|subject| subject.contains(" held back: ")), "{subjects:?}");
    for call in 0..calls {
        for count in [1, usize::MAX] {
            let Told { events, .. } = told_under(limits, call, count).await;
            assert!(expected.is_subset(&events), "call {call} ({count}): {events:?}");
        }
    }
}

/// The file's first address is that of a later event.
#[tokio::test]
async fn a_value_is_new_to_the_whole_file_and_not_to_its_beginning() {
    let parts = FaultyParts::default();
    let calls = [("1", "10:30:00"), ("2", "10:00:00")]
        .map(|(id, time)| with(record("GetUser", id), &[("/eventTime", json!(format!("2026-11-05T{time}Z")))]));
    let breaks = AtomicBool::new(true);
    let objects = Broken { file: json!({"Records": calls}).to_string().into(), breaks: &breaks };
    let rules = rules(&RULES.replace("learning: 1d", "learning: 0d"));
    let pipeline = Pipeline {
        objects,
        state: &parts,
        publisher: &parts,
        clock: TestClock::default(),
        rules,
        readers: Readers::default(),
        known: Mutex::default(),
        published: Mutex::default(),
        holding: Holding::default(),
        concurrency: 2,
        handling: Handling::default(),
    };
    let delivery = sqs(&[s3_event("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/a.json.gz")]);
    let outcome = pipeline.handle(&delivery).await;
    assert_adds_up(&outcome.counts);
    assert_eq!((failed(&outcome).len(), outcome.counts.findings_failed, outcome.counts.alerts), (1, 1, 0));
    breaks.store(false, Ordering::Relaxed);
    let outcome = pipeline.handle(&delivery).await;
    assert_eq!((failed(&outcome).len(), outcome.counts.alerts), (0, 1));
}

/// An object whose connection breaks before its end.
struct Broken<'b> {
    file: Bytes,
    breaks: &'b AtomicBool,
}

struct BrokenBody {
    rest: Vec<Bytes>,
    breaks: bool,
}

impl ObjectStore for Broken<'_> {
    type Body = BrokenBody;

    async fn get(&self, _: &ObjectRef) -> Result<BrokenBody, FetchError> {
        let middle = self.file.len() - 200;
        let rest = vec![self.file.slice(middle..), self.file.slice(..middle)];
        Ok(BrokenBody { rest, breaks: self.breaks.load(Ordering::Relaxed) })
    }

    async fn list(&self, _: &str, _: &str, _: Option<&str>) -> Result<Vec<ObjectRef>, ListError> {
        Ok(Vec::new())
    }

    async fn put(&self, _: &ObjectRef, _: Bytes) -> Result<(), KeepError> {
        Ok(())
    }

    async fn copy(&self, _: &ObjectRef, _: &ObjectRef) -> Result<(), KeepError> {
        Ok(())
    }
}

impl ObjectBody for BrokenBody {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        if self.breaks && self.rest.len() == 1 {
            let object = ObjectRef { bucket: "b".into(), key: "k".into(), version_id: None };
            return Err(FetchError::Failed { object, source: "connection reset".into() });
        }
        Ok(self.rest.pop())
    }
}

impl StateStore for &FaultyParts {
    async fn get(&self, keys: &[Key], now: Timestamp) -> Result<Items, StateError> {
        self.faults.state(&[])?;
        self.state.get(keys, now).await
    }

    async fn list(&self, stretches: &[Stretch], now: Timestamp) -> Result<Vec<Listed>, StateError> {
        self.faults.state(&[])?;
        self.state.list(stretches, now).await
    }

    async fn put(&self, items: &[Item]) -> Result<(), StateError> {
        self.faults.state(items)?;
        self.state.put(items).await
    }

    /// A table may have written a part when it fails.
    async fn swap(&self, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
        let mut written = Vec::new();
        for item in items {
            self.faults.state(std::slice::from_ref(item))?;
            written.extend(self.state.swap(std::slice::from_ref(item), now).await?);
        }
        Ok(written)
    }

    async fn page(&self, after: Option<&Key>, now: Timestamp) -> Result<Page, StateError> {
        self.state.page(after, now).await
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StateError> {
        self.state.remove(keys).await
    }
}

impl Publisher for &FaultyParts {
    async fn publish(&self, notification: &Notification) -> Result<(), PublishError> {
        if self.faults.is_due() {
            return Err(PublishError { to: "the topic".to_owned(), source: "throttled".into() });
        }
        self.outbox.publish(notification).await
    }
}
