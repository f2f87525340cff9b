//! What the memory costs in a table: calls and capacity units for a thousand files, and what that makes a month.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use trailhound::alerting::{Item, Items, Key, Listed, Stretch};
use trailhound::engine::{Organisation, RuleSet};
use trailhound::local::StateMemory;
use trailhound::notify::Notification;
use trailhound::pipeline::{Handling, Holding, Pipeline};
use trailhound::ports::{
    Clock, FetchError, KeepError, ListError, ObjectBody, ObjectStore, Page, PublishError, Publisher, StateError,
    StateStore,
};
use trailhound::rule_pack::{self, RuleSource};
use trailhound::sigma;
use trailhound::trail::Readers;
use trailhound::trigger::ObjectRef;
use trailhound::yaml::SourceFile;

use super::corpus::{self, Kind};
use super::input::{RECORDS_SEED, grouped, gzip};

const FILES: u32 = 1_000;
const PER_FILE: u32 = 100;
/// Functions at work, in turns: what one knows the others have to ask for.
const FUNCTIONS: u32 = 4;
/// On demand, us-east-1, in dollars a million request units.
const WRITE: f64 = 0.625;
const READ: f64 = 0.125;
const EVENTS_A_MONTH: f64 = 1e9;

/// Beside the shipped pack: patterns as people write them, over calls that every account makes.
const PATTERNS: &str = "
title: Access denied
id: denied
logsource: {product: aws, service: cloudtrail}
detection: {sel: {derived.outcome: denied}, condition: sel}
---
title: List and describe
id: enumeration
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName|startswith: [List, Describe], readOnly: true}, condition: sel}
---
title: Many calls of one principal denied
id: many-denied
correlation: {type: event_count, rules: [denied], group-by: [derived.principal], timespan: 10m, condition: {gte: 10}}
---
title: A principal looks at many services
id: many-services
correlation: {type: value_count, rules: [enumeration], group-by: [derived.principal], timespan: 10m, condition: {field: eventSource, gte: 10}}
";

pub(super) fn table() {
    println!(
        "{} files of {PER_FILE} records, {FUNCTIONS} functions in turns; what stands behind `$` is for 1e9 events\n",
        grouped(FILES as usize)
    );
    println!("| a file, on average | get | list | put | swap | alerts | RRU | WRU | $ | stored MB |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (rules, patterns) in [("pack", ""), ("pack, two correlations", PATTERNS)] {
        for kind in [Kind::Busy, Kind::Wide] {
            let bills = runtime().block_on(run(kind, patterns));
            for (part, units) in ["first", "next"].iter().zip(&bills) {
                print_row(&format!("{rules}; {}, {part} thousand", kind.name()), units);
            }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn print_row(name: &str, units: &Units) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
    let a_file = |count: u64| count as f64 / f64::from(FILES);
    let months_files = EVENTS_A_MONTH / f64::from(PER_FILE);
    let dollars = months_files / 1e6 * (a_file(units.read) * READ + a_file(units.written) * WRITE);
    let stored = a_file(units.stored) * f64::from(FILES) / 1e6;
    let calls = units.calls.map(|count| format!("{:.2}", a_file(count))).join(" | ");
    let (alerts, read, written) = (a_file(units.alerts), a_file(units.read), a_file(units.written));
    println!("| {name} | {calls} | {alerts:.2} | {read:.1} | {written:.1} | {dollars:.0} | {stored:.1} |");
}

/// The bills for the first thousand files, and for the thousand after them.
async fn run(kind: Kind, patterns: &str) -> Vec<Units> {
    let (table, files) = (Metered::default(), Files::default());
    let minutes = AtomicI64::new(0);
    let pipelines: Vec<_> = (0..FUNCTIONS)
        .map(|_| Pipeline {
            objects: &files,
            state: &table,
            publisher: Nobody,
            clock: Minutes(&minutes),
            rules: rules(patterns),
            readers: Readers::default(),
            known: Mutex::default(),
            published: Mutex::default(),
            holding: Holding::default(),
            concurrency: 1,
            handling: Handling::default(),
        })
        .collect();
    let mut records = corpus::records(kind, RECORDS_SEED);
    let mut bills = Vec::new();
    let mut alerts = 0;
    for number in 0..2 * FILES {
        let minute = minutes.fetch_add(1, Ordering::Relaxed);
        let records: Vec<String> = records.by_ref().take(PER_FILE as usize).map(|record| at(&record, minute)).collect();
        files.put(&format!("{{\"Records\":[{}]}}", records.join(",")));
        let outcome = pipelines[(number % FUNCTIONS) as usize].handle(&notification()).await;
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        alerts += outcome.counts.alerts;
        if (number + 1) % FILES == 0 {
            bills.push(Units { alerts: std::mem::take(&mut alerts), ..table.take().await });
        }
    }
    bills
}

fn rules(patterns: &str) -> RuleSet {
    let core = rule_pack::collect(&[RuleSource::CORE]);
    let mut all = sigma::parse(&SourceFile::new("patterns.yml", patterns));
    all.extend(core);
    let loaded = rule_pack::Loaded::compile(&all, &Organisation::default(), jiff::civil::date(2026, 11, 5));
    assert!(loaded.rejected.is_empty(), "{}", loaded.rejected[0]);
    loaded.rules
}

/// The generator's records all lie within 15 minutes: a file a minute is closer to an account's.
fn at(record: &str, minute: i64) -> String {
    let (before, time) = record.split_once("\"eventTime\":\"").unwrap();
    let (time, after) = time.split_once('"').unwrap();
    let second: i64 = time[17..19].parse().unwrap();
    let time = start() + SignedDuration::from_secs(60 * minute + second);
    format!("{before}\"eventTime\":\"{time}\"{after}")
}

fn start() -> Timestamp {
    "2026-11-05T00:00:00Z".parse().unwrap()
}

fn notification() -> String {
    let key = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/next.json.gz";
    json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
        "eventTime": "2026-11-05T10:05:00.000Z", "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:EXAMPLE"}, "requestParameters": {}, "responseElements": {},
        "s3": {"bucket": {"name": "logs"}, "object": {"key": key, "size": 1}}}]})
    .to_string()
}

struct Minutes<'m>(&'m AtomicI64);

impl Clock for Minutes<'_> {
    fn now(&self) -> Timestamp {
        start() + SignedDuration::from_mins(self.0.load(Ordering::Relaxed))
    }

    async fn pause(&self, _: Duration) {}
}

/// Hears every alert.
struct Nobody;

impl Publisher for Nobody {
    async fn publish(&self, _: &Notification) -> Result<(), PublishError> {
        Ok(())
    }
}

/// The one object that is there at a time.
#[derive(Default)]
struct Files(Mutex<Bytes>);

struct Body(Option<Bytes>);

impl Files {
    fn put(&self, text: &str) {
        *self.0.lock().unwrap() = gzip(text).into();
    }
}

impl ObjectStore for &Files {
    type Body = Body;

    async fn get(&self, _: &ObjectRef) -> Result<Body, FetchError> {
        Ok(Body(Some(self.0.lock().unwrap().clone())))
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

impl ObjectBody for Body {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        Ok(self.0.take())
    }
}

/// What was asked of a table.
#[derive(Debug, Default, Clone, Copy)]
struct Units {
    /// get, list, put, swap.
    calls: [u64; 4],
    read: u64,
    written: u64,
    /// Bytes that the table holds by now.
    stored: u64,
    alerts: u64,
}

/// Counts what `DynamoDB` would: 4 KB read strongly consistent or 1 KB written is a unit, and no request is less than one.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
#[derive(Default)]
struct Metered {
    store: StateMemory,
    units: Mutex<Units>,
}

impl Metered {
    async fn take(&self) -> Units {
        let mut units = std::mem::take(&mut *self.units.lock().unwrap());
        let mut after = None;
        loop {
            let page = self.store.page(after.as_ref(), start()).await.unwrap();
            units.stored += page.items.iter().map(bytes).sum::<u64>();
            after = page.next;
            if after.is_none() {
                return units;
            }
        }
    }

    fn count(&self, kind: usize, calls: usize, read: u64, written: u64) {
        let mut units = self.units.lock().unwrap();
        units.calls[kind] += calls as u64;
        units.read += read;
        units.written += written;
    }
}

/// As the table counts them, with the names of attributes.
fn bytes(item: &Item) -> u64 {
    (item.bytes() + "pkskrevexpv".len() + 16) as u64
}

fn written(items: &[Item]) -> u64 {
    items.iter().map(|item| bytes(item).div_ceil(1024)).sum()
}

impl StateStore for &Metered {
    async fn get(&self, keys: &[Key], now: Timestamp) -> Result<Items, StateError> {
        let items = self.store.get(keys, now).await?;
        let read = keys.iter().map(|key| items.get(key).map_or(1, |item| bytes(item).div_ceil(4096))).sum();
        self.count(0, keys.len().div_ceil(100), read, 0);
        Ok(items)
    }

    async fn list(&self, stretches: &[Stretch], now: Timestamp) -> Result<Vec<Listed>, StateError> {
        let listed = self.store.list(stretches, now).await?;
        for one in &listed {
            let bytes: u64 = one.items.iter().map(bytes).sum();
            let calls = usize::try_from(bytes / 1_048_576).unwrap() + 1;
            self.count(1, calls, bytes.div_ceil(4096).max(1), 0);
        }
        Ok(listed)
    }

    async fn put(&self, items: &[Item]) -> Result<(), StateError> {
        self.count(2, items.len().div_ceil(25), 0, written(items));
        self.store.put(items).await
    }

    async fn swap(&self, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
        self.count(3, items.len(), 0, written(items));
        self.store.swap(items, now).await
    }

    async fn page(&self, after: Option<&Key>, now: Timestamp) -> Result<Page, StateError> {
        self.store.page(after, now).await
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StateError> {
        self.store.remove(keys).await
    }
}
