//! Deliveries: what fails, what is acknowledged, what is told, and that the counts add up.

use std::fs;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use trailhound::alerting::{Hold, Item};
use trailhound::engine::RuleSet;
use trailhound::outcome::{Counts, Outcome};
use trailhound::ports::{Clock as _, StateStore as _};

use crate::support::{
    Fails, World, events, fact, failed, gzip, record, rule, rules, s3_event, sample_rules, sqs, trail_file, with,
};

fn stop_logging() -> RuleSet {
    rules(&rule("  sel: {eventName: StopLogging}\n  condition: sel").replace("title: Test", "title: Trail stopped"))
}

fn at(id: &str, time: &str) -> Value {
    with(record("StopLogging", id), &[("/eventTime", json!(format!("2026-11-05T{time}Z")))])
}

/// Every way the numbers have to add up.
pub(crate) fn assert_adds_up(counts: &Counts) {
    assert_eq!(
        counts.objects,
        counts.files + counts.digests + counts.foreign + counts.unwanted + counts.gone + counts.objects_failed,
        "{counts:?}"
    );
    assert_eq!(
        counts.matches + counts.episodes,
        counts.parts + counts.collapsed + counts.duplicates + counts.findings,
        "{counts:?}"
    );
    assert_eq!(counts.findings, counts.told + counts.held_back() + counts.findings_failed, "{counts:?}");
}

#[tokio::test]
async fn stopping_a_trail_alerts_once_when_sqs_redelivers() {
    let world = World::new(stop_logging());
    let key = world.put("a", &trail_file(&[record("GetUser", "1"), record("StopLogging", "2")]));
    let first = world.notify(&[&key]).await;
    assert_eq!((failed(&first).len(), first.counts.records, first.counts.alerts), (0, 2, 1));
    assert_eq!(world.subjects(), ["[HIGH] Trail stopped: alice in 111122223333 eu-west-1"]);
    let second = world.notify(&[&key]).await;
    assert_eq!((second.counts.alerts, second.counts.held[&Hold::ToldBefore]), (0, 1));
    assert_adds_up(&second.counts);
}

#[tokio::test]
async fn the_same_event_in_two_files_is_one_finding() {
    let world = World::new(stop_logging());
    let (a, b) =
        (world.put("a", &trail_file(&[at("1", "10:00:00")])), world.put("b", &trail_file(&[at("1", "10:00:00")])));
    let outcome = world.notify(&[&a, &b]).await;
    assert_eq!((outcome.counts.findings, outcome.counts.duplicates), (1, 1));
    assert_eq!(world.subjects().len(), 1);
    assert_adds_up(&outcome.counts);
}

#[tokio::test]
async fn one_object_asked_for_twice_is_read_once() {
    let world = World::new(stop_logging());
    let key = world.put("a", &trail_file(&[at("1", "10:00:00")]));
    let outcome = world.notify(&[&key, &key]).await;
    assert_eq!((outcome.counts.deliveries, outcome.counts.objects, outcome.counts.alerts), (2, 1, 1));
}

#[tokio::test]
async fn a_burst_is_one_alert_and_the_next_says_what_was_held_back() {
    let world = World::new(stop_logging());
    world
        .notify(&[&world.put("a", &trail_file(&[at("1", "10:00:00"), at("2", "10:00:05"), at("3", "10:10:00")]))])
        .await;
    let alerts = world.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!(fact(&alerts[0], "When"), "2026-11-05 10:00:00 UTC, 3 events until 2026-11-05 10:10:00 UTC");

    let within = world.put("b", &trail_file(&[at("4", "10:30:00"), at("5", "10:40:00")]));
    for _ in 0..2 {
        let outcome = world.notify(&[&within]).await;
        assert_eq!(
            (outcome.counts.held[&Hold::Repeated], world.subjects().len()),
            (2, 0),
            "a redelivery doesn't count twice"
        );
    }
    world.notify(&[&world.put("c", &trail_file(&[at("6", "11:00:01")]))]).await;
    let alerts = world.alerts();
    assert_eq!(alerts.len(), 1, "the window of an hour is over");
    assert!(alerts[0].text.contains("Held back since the last alert: 2 more like this."), "{}", alerts[0].text);
}

#[tokio::test]
async fn what_was_held_back_is_told_once() {
    let world = World::new(stop_logging());
    world.notify(&[&world.put("a", &trail_file(&[at("1", "10:00:00")]))]).await;
    let held = world.put("held", &trail_file(&[at("2", "10:30:00")]));
    world.notify(&[&held]).await;
    let two_alerts = world.put("b", &trail_file(&[at("3", "12:00:00"), at("4", "14:00:00")]));
    world.notify(&[&two_alerts]).await;
    world.notify(&[&held]).await;
    world.notify(&[&world.put("c", &trail_file(&[at("5", "16:00:00")]))]).await;
    let told: Vec<bool> = world.alerts().iter().map(|alert| alert.text.contains("Held back since")).collect();
    assert_eq!(told, [false, true, false, false]);
}

#[tokio::test]
async fn a_missing_bucket_is_a_mistake_and_not_an_expired_file() {
    let world = World::new(stop_logging());
    let outcome = world.notify(&["AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/f.json.gz"]).await;
    assert_eq!((failed(&outcome).len(), outcome.counts.gone), (1, 0));
}

#[tokio::test]
async fn only_a_published_alert_holds_another_back() {
    let world = World::new(stop_logging());
    let (a, b) =
        (world.put("a", &trail_file(&[at("1", "10:00:00")])), world.put("b", &trail_file(&[at("2", "10:20:00")])));
    world.pipeline.publisher.fails.store(true, Ordering::Relaxed);
    let outcome = world.notify(&[&a]).await;
    assert_eq!(failed(&outcome), ["m0"]);
    assert_adds_up(&outcome.counts);
    world.pipeline.publisher.fails.store(false, Ordering::Relaxed);
    world.notify(&[&b]).await;
    assert_eq!(world.subjects().len(), 1);
    // The first one was in nobody's mail; by now another alert of the same hour speaks for it.
    let outcome = world.notify(&[&a]).await;
    assert_eq!((world.subjects().len(), outcome.counts.held[&Hold::Repeated]), (0, 1));
}

#[tokio::test]
async fn a_crash_between_publishing_and_marking_repeats_the_alert() {
    let world = World::new(stop_logging());
    let key = world.put("a", &trail_file(&[at("1", "10:00:00")]));
    world.pipeline.state.fails(Fails::AfterPublishing);
    let outcome = world.notify(&[&key]).await;
    assert_eq!((failed(&outcome).len(), world.subjects().len()), (0, 1), "the alert is out: the delivery is done");
    world.pipeline.state.fails(None);
    world.restart();
    let outcome = world.notify(&[&key]).await;
    assert_eq!(
        (failed(&outcome).len(), world.subjects().len()),
        (1, 0),
        "the claim of the one that crashed still stands"
    );
    assert_adds_up(&outcome.counts);
    world.pipeline.clock.pass_minutes(3);
    world.notify(&[&key]).await;
    assert_eq!(world.subjects().len(), 1, "told twice, lost never");
}

#[tokio::test]
async fn a_publish_failure_fails_every_delivery_of_that_alert_and_no_other() {
    let world = World::new(stop_logging());
    let (a, quiet, b) = (
        world.put("a", &trail_file(&[at("1", "10:00:00")])),
        world.put("quiet", &trail_file(&[record("GetUser", "2")])),
        world.put("b", &trail_file(&[at("3", "10:01:00")])),
    );
    world.pipeline.publisher.fails.store(true, Ordering::Relaxed);
    let outcome = world.notify(&[&a, &quiet, &b]).await;
    assert_eq!(failed(&outcome), ["m0", "m2"]);
    assert_adds_up(&outcome.counts);
}

#[tokio::test]
async fn a_damaged_file_fails_alone_and_what_came_before_the_damage_alerts() {
    let world = World::new(stop_logging());
    let filler: Vec<Value> = (0..2000).map(|n| record("GetUser", &format!("{n:x}{}", n * 7919))).collect();
    let records: Vec<Value> = std::iter::once(at("1", "10:00:00")).chain(filler).collect();
    let whole = trail_file(&records);
    let cut = world.put("cut", &whole[..whole.len() * 2 / 3]);
    let good = world.put("good", &trail_file(&[record("GetUser", "x")]));
    let outcome = world.notify(&[&cut, &good]).await;
    assert_eq!(failed(&outcome), ["m0"]);
    assert_eq!((outcome.counts.files, outcome.counts.objects_failed, outcome.counts.alerts), (1, 1, 1));
    assert_adds_up(&outcome.counts);
    let outcome = world.notify(&[&cut]).await;
    assert_eq!((failed(&outcome).len(), outcome.counts.alerts), (1, 0), "its alert isn't told at each redelivery");
}

#[tokio::test]
async fn what_is_not_a_log_file_is_skipped_and_counted() {
    let world = World::new(stop_logging());
    let digest = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/05/d.json.gz";
    let flow_log = "AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/11/05/f.log.gz";
    world.put_key(digest, &gzip(br#"{"logFiles":[]}"#));
    let gone = world.put("gone", b"");
    world.remove(&gone);
    let outcome = world.notify(&[digest, flow_log, &gone]).await;
    let counts = &outcome.counts;
    assert_eq!((counts.digests, counts.foreign, counts.gone, failed(&outcome).len()), (1, 1, 1, 0));
    assert_adds_up(counts);
}

#[tokio::test]
async fn a_key_cannot_leave_the_folder() {
    let world = World::new(stop_logging());
    let outcome = world.notify(&["../AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/f.json.gz"]).await;
    assert_eq!((failed(&outcome).len(), outcome.counts.objects_failed), (1, 1));
    assert!(outcome.failures[0].1.why.contains("was denied"), "{:?}", outcome.failures);
}

#[tokio::test]
async fn a_bad_record_is_counted_and_the_others_alert() {
    let world = World::new(stop_logging());
    let file = format!(r#"{{"Records":["odd",{{"eventName": oops}},{}]}}"#, at("1", "10:00:00"));
    let outcome = world.notify(&[&world.put("a", &gzip(file.as_bytes()))]).await;
    assert_eq!((outcome.counts.bad_records, outcome.counts.records, outcome.counts.alerts), (2, 1, 1));
    assert_eq!(failed(&outcome).len(), 0);
}

/// Its outermost members can be read, so it alerts; that there was more is counted, and the record goes out as text.
#[tokio::test]
async fn a_record_that_is_broken_inside_alerts_and_is_counted() {
    let detection =
        "  sel: {eventName: StopLogging}\n  other: {requestParameters.b: x}\n  condition: sel and not other";
    let world = World::new(rules(&rule(detection)));
    let record = with(record("StopLogging", "1"), &[("/requestParameters", json!({"a": 1}))]).to_string();
    let file = format!(r#"{{"Records":[{}]}}"#, record.replace(r#"{"a":1}"#, r#"{"a":1,"b":oops}"#));
    let outcome = world.notify(&[&world.put("a", &gzip(file.as_bytes()))]).await;
    assert_eq!((outcome.counts.records, outcome.counts.bad_records, outcome.counts.alerts), (1, 1, 1));
    let alerts = world.alerts();
    let finding: Value = serde_json::from_str(&alerts[0].ocsf).unwrap();
    let data = finding["evidences"][0]["data"].as_str().unwrap();
    assert!(data.contains(r#""b":oops"#), "{data}");
}

#[tokio::test]
async fn a_bad_message_fails_alone() {
    let world = World::new(stop_logging());
    let key = world.put("a", &trail_file(&[at("1", "10:00:00")]));
    let batch = sqs(&[
        s3_event(&key),
        "hello".to_owned(),
        r#"{"detail-type":"x"}"#.to_owned(),
        r#"{"Event":"s3:TestEvent"}"#.to_owned(),
    ]);
    let outcome = world.pipeline.handle(&batch).await;
    assert_eq!(failed(&outcome), ["m1", "m2"]);
    assert_eq!((outcome.counts.alerts, outcome.counts.ignored), (1, 1));
}

#[tokio::test]
async fn a_direct_event_answers_with_counts_or_an_error() {
    let world = World::new(stop_logging());
    let key = world.put("a", &trail_file(&[at("1", "10:00:00")]));
    let outcome = world.pipeline.handle(&s3_event(&key)).await;
    assert_eq!(outcome.response().unwrap()["alerts"], 1);
    let broken = world.put("b", b"nonsense");
    let outcome = world.pipeline.handle(&s3_event(&broken)).await;
    assert!(outcome.response().unwrap_err().why.contains("neither gzip nor JSON"));
}

async fn sample(name: &str) -> Outcome {
    let payload = fs::read_to_string(events().join(name)).unwrap();
    let loaded = sample_rules();
    let mut world = World::new(loaded.rules);
    world.pipeline.objects = trailhound::local::Folder::new(events().join("objects")).unwrap();
    let outcome = world.pipeline.handle(&payload).await;
    assert_adds_up(&outcome.counts);
    assert_eq!(world.alerts().len() as u64, outcome.counts.alerts);
    outcome
}

/// Samples of other ways in, and how many alerts each gives.
const OTHER_WAYS: &[(&str, u64)] = &[
    ("sns-s3-put.json", 5),
    ("sqs-sns-s3-put.json", 5),
    ("sns-cloudtrail.json", 5),
    ("sqs-sns-cloudtrail.json", 5),
    ("eventbridge-object-created.json", 5),
    ("sqs-eventbridge-object-created.json", 5),
    ("eventbridge-api-call.json", 2),
    ("eventbridge-console-sign-in.json", 2),
    ("eventbridge-service-event.json", 1),
    ("eventbridge-insight.json", 0),
    ("logs-subscription.json", 16),
    ("logs-control.json", 0),
    ("kinesis-logs.json", 16),
    ("objects.json", 5),
    ("prefix.json", 5),
    ("step-functions-batch.json", 5),
    ("tick.json", 0),
    ("sqs-mixed.json", 7),
];

#[test]
fn every_sample_is_told_of_and_tried() {
    let readme = fs::read_to_string(events().join("README.md")).unwrap();
    let source = include_str!("pipeline.rs");
    for entry in fs::read_dir(events()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.strip_suffix(".json").is_some() {
            assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in the README");
            assert!(source.contains(&format!("\"{name}\"")), "{name} is not tried");
        }
    }
}

/// `events/README.md` says what each sample is answered with.
#[tokio::test]
async fn every_sample_event_gets_its_documented_answer() {
    let answer = async |name: &str| sample(name).await.response().unwrap().to_string();
    let nothing_failed = r#"{"batchItemFailures":[]}"#;
    assert_eq!(answer("sqs-s3-batch.json").await, nothing_failed);
    assert_eq!(answer("sqs-s3-put.json").await, nothing_failed);
    assert_eq!(
        answer("sqs-partial-failure.json").await,
        r#"{"batchItemFailures":[{"itemIdentifier":"52927bd4-13cf-42d4-8f48-c3c6a621043c"}]}"#
    );
    assert_eq!(failed(&sample("sqs-damaged.json").await).len(), 1);
    assert_eq!(sample("s3-put.json").await.counts.records, 8);
    assert_eq!(sample("s3-test-event.json").await.counts.ignored, 1);
    assert!(sample("unknown.json").await.response().unwrap_err().why.starts_with("unknown payload"));

    let mut alerts = Vec::new();
    for (name, _) in OTHER_WAYS {
        let outcome = sample(name).await;
        assert!(outcome.response().is_ok() && outcome.failures.is_empty(), "{name}: {:?}", outcome.failures);
        alerts.push((*name, outcome.counts.alerts));
    }
    assert_eq!(alerts, OTHER_WAYS);
    let batch = sample("sqs-s3-batch.json").await.counts;
    assert_eq!((batch.files, batch.digests, batch.records, batch.bad_records), (31, 1, 670, 1));
}

/// Written by another version, or by hand.
#[tokio::test]
async fn an_item_that_cannot_be_understood_is_written_over_and_said() {
    let world = World::new(stop_logging());
    world.notify(&[&world.put("a", &trail_file(&[at("1", "10:00:00")]))]).await;
    let (state, now) = (&world.pipeline.state, world.pipeline.clock.now());
    let items = state.page(None, now).await.unwrap().items;
    let broken: Vec<Item> =
        items.into_iter().map(|item| Item { value: r#"{"rule":"secret"}"#.to_owned(), ..item }).collect();
    state.put(&broken).await.unwrap();
    let outcome = world.notify(&[&world.put("b", &trail_file(&[at("2", "10:10:00")]))]).await;
    assert_eq!((failed(&outcome).len(), outcome.counts.state_failures, world.subjects().len()), (0, 1, 2));
    let outcome = world.notify(&[&world.put("c", &trail_file(&[at("3", "10:20:00")]))]).await;
    assert_eq!((outcome.counts.held[&Hold::Repeated], outcome.counts.state_failures), (1, 0));
}
