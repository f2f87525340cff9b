//! Many functions at once, over one table that misbehaves: together they tell what one of them would have told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use trailhound::aws::DynamoDbTable;
use trailhound::local::{Folder, Outbox, StateMemory};
use trailhound::notify::Notification;
use trailhound::pipeline::{Handling, Holding, Pipeline};
use trailhound::ports::{PublishError, Publisher, StateStore};
use trailhound::trail::Readers;

use super::emulator::Emulator;
use super::proxy::{Faults, Proxy};
use super::random::Random;
use super::state::table;
use super::support::{TestClock, failed, put_below, record, rules, s3_event, sqs, trail_file, with};

const PIPELINES: usize = 16;
const USERS: usize = 6;
/// So many hours apart, each user is busy for some minutes.
const BURSTS: usize = 3;
const HOURS_APART: i64 = 5;

/// A match, a first-seen rule, a correlation, one that reads it, and one of several rules.
const RULES: &str = "title: Stopped
id: stopped
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: StopLogging}, condition: sel}
---
title: New address
id: address
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: GetUser}, condition: sel}
trailhound: {first_seen: {entity: [derived.principal], value: [sourceIPAddress], history: 30d, learning: 0d}}
---
title: Failed
id: failed
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: ConsoleLogin}, condition: sel}
---
title: Many failed
id: many
correlation: {type: event_count, rules: [failed], group-by: [userIdentity.userName], timespan: 5m, condition: {gte: 6}, generate: true}
---
title: Failed, then stopped
id: chain
correlation: {type: temporal, rules: [many, stopped], group-by: [userIdentity.userName], timespan: 1h, generate: true}
---
title: From many places
id: places
correlation: {type: value_count, rules: [failed], group-by: [userIdentity.userName], timespan: 5m, condition: {field: sourceIPAddress, gte: 4}}
";

/// What an alert is about, and in which burst.
type About = (String, String, i64);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_functions_tell_what_one_would_have_told() {
    let corpus = corpus();
    let expected = sequentially(&corpus).await;
    assert!(expected.values().all(|count| *count == 1), "{expected:?}");
    assert_eq!(expected.len(), USERS * BURSTS * 6, "each of the rules, in each burst");

    let emulator = Emulator::start();
    let proxy = Proxy::start(&emulator.endpoint, Faults { throttled: 25, half_done: 4, lost: 40 }).await;
    let state = table(&emulator, &proxy.endpoint, "concurrency").await;
    let told = concurrently(&corpus, &state).await;
    assert_eq!(told, expected);
    assert!(proxy.went_wrong().iter().all(|count| *count > 3), "{:?}", proxy.went_wrong());
}

fn corpus() -> Vec<Value> {
    let start: Timestamp = "2026-11-05T00:10:00Z".parse().unwrap();
    let mut records = Vec::new();
    for user in 0..USERS {
        for burst in 0..BURSTS {
            let mut call = |name: &str, second: i64, address: i64| {
                let time = start
                    + SignedDuration::from_hours(i64::try_from(burst).unwrap() * HOURS_APART)
                    + SignedDuration::from_secs(second);
                let arn = format!("arn:aws:iam::111122223333:user/u{user}");
                let changes = [
                    ("/eventTime", json!(time.to_string())),
                    ("/userIdentity/userName", json!(format!("u{user}"))),
                    ("/userIdentity/arn", json!(arn)),
                    ("/sourceIPAddress", json!(format!("203.0.113.{address}"))),
                ];
                records.push(with(record(name, &format!("{name}{user}-{burst}-{second}")), &changes));
            };
            (0..12).for_each(|n| call("ConsoleLogin", n * 20, n % 5));
            (0..3).for_each(|n| call("StopLogging", 300 + n * 60, 1));
            (0..6).for_each(|n| call("GetUser", n * 30, 1 + n / 5 * i64::try_from(burst).unwrap()));
            (0..20).for_each(|n| call("ListUsers", n * 10, 1));
        }
    }
    records
}

async fn sequentially(corpus: &[Value]) -> BTreeMap<About, usize> {
    let folder = TempDir::new().unwrap();
    let outbox = Arc::new(Outbox::default());
    let pipeline = pipeline(&folder, StateMemory::default(), &outbox);
    let mut ordered = corpus.to_vec();
    ordered.sort_by_key(|record| record["eventTime"].as_str().unwrap().to_owned());
    for (number, records) in ordered.chunks(10).enumerate() {
        let body = s3_event(&put_below(folder.path(), &format!("f{number}"), &trail_file(records)));
        assert_eq!(failed(&pipeline.handle(&sqs(&[body])).await), [""; 0]);
    }
    about(&outbox.take())
}

async fn concurrently(corpus: &[Value], state: &DynamoDbTable) -> BTreeMap<About, usize> {
    let folder = Arc::new(TempDir::new().unwrap());
    let queue = Arc::new(Mutex::new(deliveries(&folder, corpus)));
    let outbox = Arc::new(Outbox::default());
    let workers = (0..PIPELINES).map(|_| {
        let pipeline = pipeline(&folder, state.clone(), &outbox);
        let queue = Arc::clone(&queue);
        tokio::spawn(async move {
            loop {
                let batch: Vec<String> = {
                    let mut queue = queue.lock().unwrap();
                    let count = queue.len().min(3);
                    queue.drain(..count).collect()
                };
                if batch.is_empty() {
                    return;
                }
                let outcome = pipeline.handle(&sqs(&batch)).await;
                let again = failed(&outcome).into_iter().map(|id| batch[id[1..].parse::<usize>().unwrap()].clone());
                queue.lock().unwrap().extend(again);
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    about(&outbox.take())
}

/// The records in files of any size, in any order, each in one to three of them, and each file delivered once or twice.
fn deliveries(folder: &TempDir, corpus: &[Value]) -> VecDeque<String> {
    let mut random = Random::new(5);
    let mut records: Vec<&Value> = corpus.iter().flat_map(|record| vec![record; 1 + random.below(3)]).collect();
    shuffle(&mut random, &mut records);
    let mut bodies = Vec::new();
    while !records.is_empty() {
        let rest = records.split_off(records.len().min(1 + random.below(40)));
        let file: Vec<Value> = std::mem::replace(&mut records, rest).into_iter().cloned().collect();
        let body = s3_event(&put_below(folder.path(), &format!("f{}", bodies.len()), &trail_file(&file)));
        bodies.extend(vec![body; 1 + random.below(2)]);
    }
    shuffle(&mut random, &mut bodies);
    bodies.into()
}

fn pipeline<S: StateStore>(folder: &TempDir, state: S, outbox: &Arc<Outbox>) -> Pipeline<Folder, S, Shared, TestClock> {
    Pipeline {
        objects: Folder::new(folder.path()).unwrap(),
        state,
        publisher: Shared(Arc::clone(outbox)),
        clock: TestClock::default(),
        rules: rules(RULES),
        readers: Readers::default(),
        known: Mutex::default(),
        published: Mutex::default(),
        holding: Holding::default(),
        concurrency: 4,
        handling: Handling::default(),
    }
}

/// How often each alert was told. Which of its events it names depends on which came first; which burst it is of doesn't.
fn about(alerts: &[Notification]) -> BTreeMap<About, usize> {
    let mut about = BTreeMap::new();
    for alert in alerts {
        let chat: Value = serde_json::from_str(&alert.chat).unwrap();
        let finding: Value = serde_json::from_str(&alert.ocsf).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let metadata = &chat["metadata"];
        let rule = text(&metadata["additionalContext"]["rule_id"]);
        // An address is new once; in which burst, depends on which one came first.
        let hour = if rule == "address" { 0 } else { finding["start_time"].as_i64().unwrap() / 3_600_000 };
        *about.entry((rule, text(&metadata["threadId"]), hour)).or_default() += 1;
    }
    about
}

struct Shared(Arc<Outbox>);

impl Publisher for Shared {
    async fn publish(&self, notification: &Notification) -> Result<(), PublishError> {
        self.0.publish(notification).await
    }
}

fn shuffle<T>(random: &mut Random, list: &mut [T]) {
    for place in (1..list.len()).rev() {
        list.swap(place, random.below(place + 1));
    }
}
