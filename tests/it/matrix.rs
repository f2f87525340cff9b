//! Every way in, crossed with everything that may become of what comes: acknowledged or not, put aside or not, metric, log line.

mod bench;

use std::fs;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde_json::{Value, json};
use trailhound::outcome::{self, Answer, Cause, Outcome};

use bench::{Bench, Log};

use crate::pipeline::assert_adds_up;
use crate::support::{record, trail_file};
use crate::ways::{OBJECTS, RECORDS, STRANGE, Way};

/// What has to be seen of a cause: written out here, so that the code's own table is held against it.
fn expected(cause: Cause) -> (bool, bool, &'static str, Option<&'static str>) {
    match cause {
        Cause::Done => (true, false, "Files", None),
        Cause::PartlyDone => (true, true, "BadRecords", Some("records_bad")),
        Cause::NothingToDo => (true, false, "Ignored", None),
        Cause::NotOurs => (true, false, "ObjectsForeign", Some("object_foreign")),
        Cause::NotWanted => (true, false, "", None),
        Cause::Gone => (true, false, "ObjectsGone", Some("object_gone")),
        Cause::NotChecked => (true, false, "FailedNotChecked", Some("object_failed")),
        Cause::Denied => (false, false, "FailedDenied", Some("object_failed")),
        Cause::Unavailable => (false, false, "FailedUnavailable", Some("object_failed")),
        Cause::Damaged => (true, true, "FailedDamaged", Some("object_failed")),
        Cause::TooLarge => (true, true, "FailedTooLarge", Some("object_failed")),
        Cause::NotUnderstood => (true, true, "FailedNotUnderstood", Some("payload_unknown")),
        Cause::NotPutAside => (false, false, "FailedNotPutAside", Some("quarantine_failed")),
        Cause::PublishFailed => (false, false, "FailedPublish", Some("publish_failed")),
        Cause::StateFailed => (false, false, "FailedState", Some("state_failed")),
        Cause::Claimed => (false, false, "FailedClaimed", Some("alert_claimed")),
        Cause::OutOfTime => (false, false, "FailedOutOfTime", Some("out_of_time")),
    }
}

/// Does it, and looks at all that can be seen of it.
async fn check(bench: &Bench, way: Way, payload: &str, cause: Cause) -> Outcome {
    let what = format!("{} × {}", way.name, cause.as_str());
    let log = Log::default();
    let listening = log.listen();
    let outcome = bench.pipeline.handle_until(payload, bench.ends).await;
    drop(listening);
    assert_adds_up(&outcome.counts);
    let (acknowledged, put_aside, metric, line) = expected(cause);
    let metric = match (cause, outcome.counts.objects) {
        (Cause::Done, 0) => "Alerts",
        (Cause::NotWanted, 0) => "RecordsUnwanted",
        (Cause::NotWanted, _) => "ObjectsUnwanted",
        _ => metric,
    };
    assert_eq!(outcome.is_batch, way.is_batch, "{what}");
    match outcome.response() {
        Ok(answer) if way.is_batch => {
            let failed = answer["batchItemFailures"].as_array().unwrap();
            let expected = if acknowledged { json!([]) } else { json!([{"itemIdentifier": "m0"}]) };
            assert_eq!(&json!(failed), &expected, "{what}: {:?}", outcome.failures);
        }
        answer => assert_eq!(answer.is_ok(), acknowledged, "{what}: {answer:?}"),
    }
    if let Some((_, failure)) = outcome.failures.first() {
        assert_eq!(failure.cause, cause, "{what}: {}", failure.why);
    }
    let aside = bench.aside();
    assert_eq!(aside.len(), if put_aside { 2 } else { 0 }, "{what}: {aside:?}");
    let metrics: Value = serde_json::from_str(&outcome::emf(&outcome, None, Timestamp::UNIX_EPOCH)).unwrap();
    assert!(metrics[metric].as_u64() > Some(0), "{what}: no {metric} in {metrics}");
    assert!(line.is_none_or(|line| log.has(line)), "{what}: no line `{line:?}`");
    assert!(log.has("invocation"), "{what}");
    outcome
}

/// Those that a payload has, and no object.
const OF_PAYLOADS: [Cause; 2] = [Cause::NothingToDo, Cause::NotUnderstood];
/// Digests have outcomes of their own: `integrity::pipeline`.
const OF_DIGESTS: Cause = Cause::NotChecked;

#[tokio::test]
async fn every_way_in_for_objects_has_every_outcome() {
    for way in OBJECTS {
        for &cause in Cause::ALL {
            if OF_PAYLOADS.contains(&cause) || cause == OF_DIGESTS {
                continue;
            }
            let mut bench = Bench::new();
            let key = bench.object(cause).await;
            let outcome = check(&bench, *way, &way.payload(&key), cause).await;
            let told = !matches!(
                cause,
                Cause::NotOurs
                    | Cause::NotWanted
                    | Cause::Gone
                    | Cause::Unavailable
                    | Cause::PublishFailed
                    | Cause::StateFailed
                    | Cause::Claimed
                    | Cause::OutOfTime
            );
            assert_eq!(outcome.counts.alerts > 0, told, "{} × {}", way.name, cause.as_str());
        }
    }
}

#[tokio::test]
async fn every_way_in_for_records_has_every_outcome() {
    for way in RECORDS {
        for cause in [
            Cause::Done,
            Cause::PartlyDone,
            Cause::NotWanted,
            Cause::NotPutAside,
            Cause::PublishFailed,
            Cause::StateFailed,
            Cause::Claimed,
            Cause::OutOfTime,
        ] {
            let mut bench = Bench::new();
            let record = bench.record(cause).await;
            // Without a record in it, nothing would tell it from any other JSON.
            let payload = match cause {
                Cause::PartlyDone | Cause::NotPutAside if way.name == "a log file as it is" => {
                    format!(r#"{{"Records":[{},{record}]}}"#, crate::support::record("GetUser", "2"))
                }
                _ => way.payload(&record),
            };
            check(&bench, *way, &payload, cause).await;
        }
    }
}

/// Whoever has a prefix read gets an answer that counts, whatever becomes of the single objects.
#[tokio::test]
async fn a_prefix_has_every_outcome_in_its_answer() {
    for &cause in Cause::ALL {
        if OF_PAYLOADS.contains(&cause) || matches!(cause, OF_DIGESTS | Cause::Gone) {
            continue;
        }
        let mut bench = Bench::new();
        let key = bench.object(cause).await;
        if cause == Cause::NotOurs {
            let path = bench.folder.path().join("trail-logs");
            fs::write(path.join("readme.txt"), "").unwrap();
            fs::remove_file(path.join(key.replace("vpcflowlogs", "CloudTrail"))).unwrap();
        }
        let log = Log::default();
        let listening = log.listen();
        let outcome = bench.pipeline.handle_until(r#"{"prefix": "s3://trail-logs/"}"#, bench.ends).await;
        drop(listening);
        let what = format!("a prefix × {}", cause.as_str());
        let answer = outcome.response().unwrap();
        let (acknowledged, put_aside, metric, line) = expected(cause);
        let metric = if cause == Cause::NotWanted { "ObjectsUnwanted" } else { metric };
        assert_eq!(bench.aside().len(), if put_aside { 2 } else { 0 }, "{what}");
        assert!(line.is_none_or(|line| log.has(line)), "{what}: no line `{line:?}`");
        // What there was no time for is not begun: it is named as what is next.
        if cause == Cause::OutOfTime {
            assert_eq!(answer["next"], json!({"prefix": "s3://trail-logs/"}), "{what}");
            continue;
        }
        let failure = (!acknowledged).then_some(cause.as_str());
        assert_eq!(answer["first_failure"]["cause"].as_str(), failure, "{what}");
        let metrics: Value = serde_json::from_str(&outcome::emf(&outcome, None, Timestamp::UNIX_EPOCH)).unwrap();
        assert!(metrics[metric].as_u64() > Some(0), "{what}: no {metric} in {metrics}");
        assert_adds_up(&outcome.counts);
    }
}

#[tokio::test]
async fn every_envelope_may_hold_something_strange_or_nothing() {
    for way in STRANGE {
        for payload in ["{\"orderId\": 1}", "hello"] {
            let bench = Bench::new();
            let outcome = check(&bench, *way, &way.payload(payload), Cause::NotUnderstood).await;
            assert_eq!(outcome.counts.alerts, 1, "it says so");
        }
        for payload in [r#"{"Event":"s3:TestEvent"}"#, "CloudTrail validation message."] {
            let outcome = check(&Bench::new(), *way, &way.payload(payload), Cause::NothingToDo).await;
            assert_eq!(outcome.counts.alerts, 0);
        }
    }
}

/// A caller who goes on as long as there is a `next` must not take this for the end.
#[tokio::test]
async fn a_listing_that_breaks_off_is_an_error_that_says_where_to_go_on() {
    let mut bench = Bench::new();
    bench.pipeline.handling.quarantine = None;
    let key = bench.object(Cause::Damaged).await;
    bench.pipeline.objects.is_listed_once.store(true, Ordering::Relaxed);
    let log = Log::default();
    let listening = log.listen();
    let outcome = bench.pipeline.handle(r#"{"prefix": "s3://trail-logs/"}"#).await;
    drop(listening);
    let failure = outcome.response().unwrap_err();
    assert_eq!((failure.cause, outcome.counts.failed[&Cause::Damaged]), (Cause::Unavailable, 1), "{}", failure.why);
    let next = format!(r#"{{"prefix":"s3://trail-logs/","after":"{key}"}}"#);
    assert!(failure.why.contains(&next) && log.has("listing_failed"), "{}", failure.why);
    bench.pipeline.objects.is_listed_once.store(false, Ordering::Relaxed);
    assert_eq!(bench.pipeline.handle(&next).await.response().unwrap()["objects"], 0);
}

/// What CloudTrail wrote is looked at whatever its key, and however little of it the settings take.
#[tokio::test]
async fn records_of_others_before_the_damage_make_it_no_foreign_file() {
    let mut bench = Bench::new();
    bench.arrange(Cause::NotWanted, "").await;
    let file = trail_file(&vec![record("GetUser", "1"); 3]);
    for (cut, ended) in [(file.len() - 9, Cause::Damaged), (4, Cause::NotOurs)] {
        fs::write(bench.folder.path().join("trail-logs/copy.json.gz"), &file[..cut]).unwrap();
        let outcome = bench.pipeline.handle(r#"{"objects": ["s3://trail-logs/copy.json.gz"]}"#).await;
        let damaged = outcome.counts.failed.contains_key(&Cause::Damaged);
        assert_eq!((damaged, outcome.counts.foreign), (ended == Cause::Damaged, u64::from(ended == Cause::NotOurs)));
    }
}

#[tokio::test]
async fn a_log_event_that_is_no_record_is_put_aside_alone() {
    for way in RECORDS.iter().filter(|way| way.name.starts_with("CloudWatch")) {
        let bench = Bench::new();
        check(&bench, *way, &way.payload("no record"), Cause::PartlyDone).await;
        let names = bench.aside();
        assert!(names[0].starts_with("q/partly_done/payload/"), "{names:?}");
        assert_eq!(bench.read_aside(&names[0]), b"no record");
    }
}

/// What a person finds there.
#[tokio::test]
async fn the_reason_stands_beside_the_bytes() {
    let mut bench = Bench::new();
    let key = bench.object(Cause::PartlyDone).await;
    check(&bench, OBJECTS[1], &OBJECTS[1].payload(&key), Cause::PartlyDone).await;
    let names = bench.aside();
    assert_eq!(names[0], format!("q/partly_done/trail-logs/{key}.raw"));
    assert_eq!(names[1], format!("q/partly_done/trail-logs/{key}.reason.txt"));
    assert_eq!(bench.read_aside(&names[0]), fs::read(bench.folder.path().join("trail-logs").join(&key)).unwrap());
    let reason: Value = serde_json::from_slice(&bench.read_aside(&names[1])).unwrap();
    assert_eq!((&reason["from"], &reason["cause"]), (&json!(format!("s3://trail-logs/{key}")), &json!("partly_done")));
    assert_eq!(reason["bad_records"][0]["index"], 0);
    assert!(
        reason["why"].as_str().unwrap().starts_with("record 0 (bytes 12 to 17 of the file, inflated) can't be read"),
        "{reason}"
    );
}

#[tokio::test]
async fn without_a_quarantine_what_can_not_be_read_comes_again() {
    for (cause, comes_again) in [(Cause::Damaged, true), (Cause::TooLarge, true), (Cause::PartlyDone, false)] {
        let mut bench = Bench::new();
        bench.pipeline.handling.quarantine = None;
        let key = bench.object(cause).await;
        let outcome = bench.pipeline.handle(&OBJECTS[1].payload(&key)).await;
        assert_eq!(outcome.failures.len() == 1, comes_again, "{cause:?}");
        let told = bench.pipeline.publisher.outbox.take();
        assert!(told.iter().any(|alert| alert.subject.contains("trailhound cannot read")), "{cause:?}");
    }
    let mut bench = Bench::new();
    bench.pipeline.handling.quarantine = None;
    let outcome = bench.pipeline.handle(&STRANGE[1].payload("hello")).await;
    assert_eq!(outcome.failures[0].1.cause, Cause::NotUnderstood);
}

/// The code's table and what was seen above are the same.
#[test]
fn the_table_of_causes_says_what_happens() {
    for &cause in Cause::ALL {
        let fate = cause.fate();
        let (acknowledged, put_aside, metric, line) = expected(cause);
        assert_eq!(
            (fate.delivery == Answer::PutAside, fate.delivery != Answer::Returned),
            (put_aside, acknowledged),
            "{cause:?}"
        );
        assert!(metric.is_empty() || fate.metric == metric, "{cause:?}");
        assert_eq!(fate.line, line, "{cause:?}");
    }
}
