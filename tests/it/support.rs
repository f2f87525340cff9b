//! Records, files and pipelines for tests. Show only what matters; everything else is filled in.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use trailhound::alerting::{Item, Items, Key, KnownPairs, Listed, Published, Stretch};
use trailhound::engine::{Organisation, RuleSet};
use trailhound::finding::Finding;
use trailhound::local::{Folder, Outbox, StateMemory};
use trailhound::notify::{Notification, Story};
use trailhound::outcome::Outcome;
use trailhound::pipeline::{Handling, Holding, Pipeline, Screen, Screened};
use trailhound::ports::{Clock, Page, PublishError, Publisher, StateError, StateStore};
use trailhound::rule_pack::{self, Loaded, Pack, RuleSource};
use trailhound::sigma::{self, Level};
use trailhound::start::organisation_file;
use trailhound::trail::{self, Limits, Reader, Readers, Record};
use trailhound::yaml::{Diagnostic, SourceFile};

pub(crate) const ACCOUNT: &str = "111122223333";

/// The day that the clock of the tests begins with.
pub(crate) const TODAY: Date = jiff::civil::date(2026, 11, 5);

/// The folder of the sample events.
pub(crate) fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("events")
}

/// Every shipped rule, with what the sample company knows, as the function loads them.
pub(crate) fn sample_rules() -> Loaded {
    let organisation = organisation_file(&events().join("trailhound.yaml")).unwrap();
    let organisation = Organisation { least_level: Level::TOLD, ..organisation };
    let loaded = rule_pack::load(&[RuleSource::Pack(Pack::All)], &organisation, TODAY);
    assert!(loaded.rejected.is_empty());
    loaded
}

/// A record of a call by a user; every call has an event id of its own.
pub(crate) fn record(event_name: &str, event_id: &str) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser", "principalId": "AIDAEXAMPLEUSERID0001", "arn": "arn:aws:iam::111122223333:user/alice",
            "accountId": ACCOUNT, "accessKeyId": "AKIAEXAMPLEKEYID0001", "userName": "alice",
        },
        "eventTime": "2026-11-05T10:00:00Z",
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": event_name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.66",
        "userAgent": "aws-cli/2.31.4",
        "requestParameters": {"name": "org-trail"},
        "responseElements": null,
        "requestID": "0f5b1f0e-7d24-4b4e-9a31-000000000001",
        "eventID": event_id,
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    })
}

/// Changes members of a record, by JSON Pointer.
pub(crate) fn with(mut record: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        record.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    record
}

/// Compiles rules that have to be right.
pub(crate) fn rules(yaml: &str) -> RuleSet {
    let (rules, errors) = compile(yaml, "");
    assert!(errors.is_empty(), "{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    rules
}

/// Compiles rules as an organisation wants them.
pub(crate) fn compile(yaml: &str, organisation: &str) -> (RuleSet, Vec<Diagnostic>) {
    let organisation = Organisation::parse(&SourceFile::new("trailhound.yaml", organisation)).unwrap();
    let collection = sigma::parse(&SourceFile::new("rules.yml", yaml));
    let (rules, errors) = RuleSet::compile(&collection, &organisation, TODAY);
    (rules, collection.rejected.into_iter().chain(errors).collect())
}

/// A rule around a detection.
pub(crate) fn rule(detection: &str) -> String {
    format!(
        "title: Test\nid: test\nlogsource: {{product: aws, service: cloudtrail}}\nlevel: high\ndetection:\n{detection}"
    )
}

/// What an alert says, as it goes out to machines.
pub(crate) fn story(alert: &Notification) -> Story {
    let finding: Value = serde_json::from_str(&alert.ocsf).unwrap();
    serde_json::from_value(finding["unmapped"]["story"].clone()).unwrap()
}

/// One line of it; empty where it isn't there.
pub(crate) fn fact(alert: &Notification, name: &str) -> String {
    story(alert).facts.into_iter().find(|fact| fact.name == name).map(|fact| fact.value).unwrap_or_default()
}

/// Whether a detection matches a record.
pub(crate) fn matches(detection: &str, record: &Value) -> bool {
    let raw = record.to_string();
    let record = Record::parse(0, raw.as_bytes()).unwrap();
    let rules = rules(&rule(detection));
    rules.matches(&record).len() == 1
}

/// What a file of these records gives: what is told by itself, and the rest.
pub(crate) fn screened(rules: &RuleSet, records: &[Value]) -> (Vec<Finding>, Screened) {
    let mut screen = Screen::new(rules, "trail".into(), "2026-11-05T12:00:00Z".parse().unwrap());
    let mut reader = Reader::new(Limits::default());
    let mut findings = Vec::new();
    let mut each = |item: trail::Item<'_>| screen.item(item, &mut |told| findings.push(told.finding()));
    reader.push(json!({"Records": records}).to_string().as_bytes(), &mut each).unwrap();
    reader.finish(&mut each).unwrap();
    (findings, screen.finish())
}

/// A gzip trail file.
pub(crate) fn trail_file(records: &[Value]) -> Vec<u8> {
    gzip(json!({"Records": records}).to_string().as_bytes())
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A pipeline over a folder, with a clock and parts that do as they are told.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) pipeline: Pipeline<Folder, FaultyState, FaultyOutbox, TestClock>,
}

impl World {
    pub(crate) fn new(rules: RuleSet) -> Self {
        let folder = TempDir::new().unwrap();
        let pipeline = Pipeline {
            objects: Folder::new(folder.path()).unwrap(),
            state: FaultyState::default(),
            publisher: FaultyOutbox::default(),
            clock: TestClock::default(),
            rules,
            readers: Readers::default(),
            known: Mutex::default(),
            published: Mutex::default(),
            holding: Holding::default(),
            concurrency: 4,
            handling: Handling::default(),
        };
        Self { folder, pipeline }
    }

    /// Puts an object under a real key that ends in `name`.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> String {
        put_below(self.folder.path(), name, bytes)
    }

    pub(crate) fn put_key(&self, key: &str, bytes: &[u8]) {
        put_key_below(self.folder.path(), key, bytes);
    }

    pub(crate) fn remove(&self, key: &str) {
        fs::remove_file(self.folder.path().join("trail-logs").join(key)).unwrap();
    }

    /// Sends an SQS batch of one message an object; the message ids are `m0`, `m1`…
    pub(crate) async fn notify(&self, keys: &[&str]) -> Outcome {
        self.pipeline.handle(&sqs(&keys.iter().map(|key| s3_event(key)).collect::<Vec<_>>())).await
    }

    /// Has another process go on: what one keeps in mind is gone.
    pub(crate) fn restart(&self) {
        *self.pipeline.known.lock().unwrap() = KnownPairs::default();
        *self.pipeline.published.lock().unwrap() = Published::default();
    }

    /// The alerts since the last look.
    pub(crate) fn alerts(&self) -> Vec<Notification> {
        self.pipeline.publisher.outbox.take()
    }

    pub(crate) fn subjects(&self) -> Vec<String> {
        self.alerts().into_iter().map(|alert| alert.subject).collect()
    }
}

/// Puts an object under a real key that ends in `name` into the bucket of a folder.
pub(crate) fn put_below(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let key = format!("AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/11/05/{name}.json.gz");
    put_key_below(folder, &key, bytes);
    key
}

fn put_key_below(folder: &Path, key: &str, bytes: &[u8]) {
    let path = folder.join("trail-logs").join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The S3 notification for a key that needs no encoding.
pub(crate) fn s3_event(key: &str) -> String {
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1", "eventTime": "2026-11-05T10:05:00.000Z",
        "eventName": "ObjectCreated:Put", "userIdentity": {"principalId": "AWS:EXAMPLE"},
        "requestParameters": {"sourceIPAddress": "198.51.100.20"}, "responseElements": {},
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "trail-logs"}, "object": {"key": key, "size": 1}},
    }]})
    .to_string()
}

pub(crate) fn sqs(bodies: &[String]) -> String {
    let message = |(index, body): (usize, &String)| {
        json!({"messageId": format!("m{index}"), "receiptHandle": "r", "body": body, "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "eu-west-1",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:trail"})
    };
    json!({"Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>()}).to_string()
}

/// The ids of the messages that come again.
pub(crate) fn failed(outcome: &Outcome) -> Vec<String> {
    let response = outcome.response().unwrap();
    let failures = response["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

/// It is the same moment until a test lets time pass, or somebody waits.
#[derive(Debug, Default)]
pub(crate) struct TestClock {
    milliseconds: AtomicI64,
}

impl TestClock {
    pub(crate) fn pass_minutes(&self, minutes: i64) {
        self.milliseconds.fetch_add(minutes * 60_000, Ordering::Relaxed);
    }

    /// Goes on, or back, to a moment.
    pub(crate) fn set(&self, moment: &str) {
        let start = Self::default().now();
        let passed = moment.parse::<Timestamp>().unwrap().duration_since(start);
        self.milliseconds.store(passed.as_millis().try_into().unwrap(), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-11-05T10:06:00Z".parse().unwrap();
        start + SignedDuration::from_millis(self.milliseconds.load(Ordering::Relaxed))
    }

    async fn pause(&self, pause: Duration) {
        self.milliseconds.fetch_add(pause.as_millis().try_into().unwrap(), Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

/// A memory that fails when told to.
#[derive(Default)]
pub(crate) struct FaultyState {
    state: StateMemory,
    fails: Mutex<Option<Fails>>,
    /// The most stretches that were asked for at once.
    pub(crate) most_listed: AtomicUsize,
    /// How often stretches were asked for.
    pub(crate) lists: AtomicUsize,
    /// How often whoever asks next what is due, or what a rule has told, lets others go first, once it has the answer.
    pub(crate) lets_others_go_first: AtomicUsize,
}

/// When a memory fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fails {
    /// Always.
    Away,
    /// Once something is to be written down of what was published.
    AfterPublishing,
    /// Once alerts are to be put by.
    PuttingBy,
    /// The same, once one of them is there.
    PuttingByMore,
    /// Once something is to be removed.
    Removing,
}

impl FaultyState {
    pub(crate) fn fails(&self, when: impl Into<Option<Fails>>) {
        *self.fails.lock().unwrap() = when.into();
    }

    async fn let_others_go_first(&self) {
        for _ in 0..self.lets_others_go_first.swap(0, Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
    }

    fn check(&self, items: &[Item]) -> Result<(), StateError> {
        let is_mark = || items.iter().any(|item| item.value.contains(r#""told":""#));
        let fails = match *self.fails.lock().unwrap() {
            None | Some(Fails::Removing | Fails::PuttingByMore) => false,
            Some(Fails::Away) => true,
            Some(Fails::AfterPublishing) => is_mark(),
            Some(Fails::PuttingBy) => {
                items.iter().any(|item| item.key.partition.starts_with("Q#") && item.key.sort != "-")
            }
        };
        if fails { Err(StateError::Throttled { doing: "being tested" }) } else { Ok(()) }
    }
}

/// An outbox that fails when told to.
#[derive(Default)]
pub(crate) struct FaultyOutbox {
    pub(crate) outbox: Outbox,
    pub(crate) fails: AtomicBool,
    pub(crate) fails_once: AtomicBool,
}

impl StateStore for FaultyState {
    async fn get(&self, keys: &[Key], now: Timestamp) -> Result<Items, StateError> {
        self.check(&[])?;
        let items = self.state.get(keys, now).await;
        if keys.iter().any(|key| key.partition.starts_with("R#")) {
            self.let_others_go_first().await;
        }
        items
    }

    async fn list(&self, stretches: &[Stretch], now: Timestamp) -> Result<Vec<Listed>, StateError> {
        self.check(&[])?;
        self.most_listed.fetch_max(stretches.len(), Ordering::Relaxed);
        assert!(self.lists.fetch_add(1, Ordering::Relaxed) < 10_000, "it asks for ever");
        let listed = self.state.list(stretches, now).await;
        if stretches.iter().any(|stretch| stretch.partition.starts_with("Q#")) {
            self.let_others_go_first().await;
        }
        listed
    }

    async fn put(&self, items: &[Item]) -> Result<(), StateError> {
        self.check(items)?;
        self.state.put(items).await
    }

    async fn swap(&self, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
        self.check(items)?;
        let puts_by = |item: &Item| item.key.partition.starts_with("Q#") && item.key.sort != "-";
        if *self.fails.lock().unwrap() == Some(Fails::PuttingByMore) && items.iter().any(puts_by) {
            self.state.swap(&items[..1], now).await?;
            return Err(StateError::Throttled { doing: "being tested" });
        }
        self.state.swap(items, now).await
    }

    async fn page(&self, after: Option<&Key>, now: Timestamp) -> Result<Page, StateError> {
        self.state.page(after, now).await
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StateError> {
        if *self.fails.lock().unwrap() == Some(Fails::Removing) {
            return Err(StateError::Throttled { doing: "being tested" });
        }
        self.check(&[])?;
        self.state.remove(keys).await
    }
}

impl Publisher for FaultyOutbox {
    async fn publish(&self, notification: &Notification) -> Result<(), PublishError> {
        let result = if self.fails.load(Ordering::Relaxed) || self.fails_once.swap(false, Ordering::Relaxed) {
            Err(PublishError { to: "the topic".to_owned(), source: "throttled".into() })
        } else {
            self.outbox.publish(notification).await
        };
        // Others get their turn before it is known that this is out.
        tokio::task::yield_now().await;
        result
    }
}
