//! What would take more memory than there is.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use trailhound::outcome::Cause;
use trailhound::pipeline::Quarantine;
use trailhound::trigger::Trigger;

use crate::delivery::{stopped, world};
use crate::pipeline::assert_adds_up;
use crate::support::{World, failed, gzip, record, rule, rules, s3_event, sqs, trail_file, with};

/// A file that a rule matches nearly everything in must not fill the memory, which is that of others, too.
#[tokio::test]
async fn a_file_in_which_too_much_is_found_is_put_aside_and_what_was_found_is_told() {
    let mut world = world();
    world.pipeline.handling.quarantine = Some(Quarantine { bucket: "aside".into(), prefix: String::new() });
    let records: Vec<Value> = (0..2000).map(|number| stopped(&number.to_string(), "10:00:00")).collect();
    let (many, few) = (world.put("f", &trail_file(&records)), world.put("g", &trail_file(&[stopped("g", "10:00:00")])));
    world.pipeline.handling.max_found_bytes = 100_000;
    let outcome = world.notify(&[&many, &few]).await;
    let counts = &outcome.counts;
    assert_eq!((failed(&outcome).len(), counts.put_aside, counts.files), (0, 1, 1));
    assert!(counts.failed[&Cause::TooLarge] == 1 && counts.told > 0, "{counts:?}");
    assert_adds_up(counts);
}

/// Bytes of a record are kept once, whatever number of rules it meets.
#[tokio::test]
async fn what_is_kept_once_is_counted_once() {
    let yaml: String = (0..5)
        .map(|number| {
            rule("  sel: {eventName: StopLogging}\n  condition: sel").replace("id: ", &format!("id: {number}"))
        })
        .collect::<Vec<_>>()
        .join("\n---\n");
    let mut world = World::new(rules(&yaml));
    let large = with(stopped("1", "10:00:00"), &[("/requestParameters", json!({"padding": "x".repeat(50_000)}))]);
    let key = world.put("f", &trail_file(&[large, stopped("2", "10:00:00")]));
    world.pipeline.handling.max_found_bytes = 100_000;
    let outcome = world.notify(&[&key]).await;
    assert_eq!((outcome.counts.files, outcome.counts.findings), (1, 10), "{:?}", outcome.failures);
}

/// A rule that learns which value an entity shows.
fn first_seen(entity: &str, value: &str) -> World {
    let plan =
        format!("trailhound: {{first_seen: {{entity: [{entity}], value: [{value}], history: 30d, learning: 1d}}}}");
    World::new(rules(&format!("{}\n{plan}", rule("  sel: {eventName: GetUser}\n  condition: sel"))))
}

/// An earlier event takes the place of a later one, and with it its memory.
#[tokio::test]
async fn a_larger_record_in_place_of_a_smaller_one_counts() {
    let mut world = first_seen("derived.principal", "sourceIPAddress");
    let seen = |number: usize, minute: u32, padding: usize| {
        let time = format!("2026-11-05T10:{minute:02}:00Z");
        let fields = [
            ("/eventTime", json!(time)),
            ("/sourceIPAddress", json!(format!("203.0.113.{number}"))),
            ("/requestParameters", json!({"padding": "x".repeat(padding)})),
        ];
        with(record("GetUser", &format!("{minute}-{number}")), &fields)
    };
    let later = (0..20).map(|number| seen(number, 30, 0));
    let earlier = (0..20).map(|number| seen(number, 10, 20_000));
    let key = world.put("f", &trail_file(&later.chain(earlier).collect::<Vec<_>>()));
    world.pipeline.handling.max_found_bytes = 200_000;
    let outcome = world.notify(&[&key]).await;
    assert_eq!(outcome.failures[0].1.cause, Cause::TooLarge, "{:?}", outcome.counts);
}

/// The same where the smaller record is kept for others, too.
#[tokio::test]
async fn a_larger_record_in_place_of_one_that_stays_counts() {
    let mut world = first_seen("resources.ARN", "derived.principal");
    let seen = |id: &str, time: &str, names: std::ops::Range<usize>| {
        let resources: Vec<Value> = names.map(|name| json!({"ARN": format!("arn:aws:s3:::{name}")})).collect();
        let fields = [
            ("/eventTime", json!(time)),
            ("/resources", json!(resources)),
            ("/requestParameters", json!({"padding": "x".repeat(20_000)})),
        ];
        with(record("GetUser", id), &fields)
    };
    let mut records = vec![seen("all", "2026-11-05T10:30:00Z", 0..21)];
    records.extend((0..20).map(|name| seen(&name.to_string(), "2026-11-05T10:10:00Z", name..name + 1)));
    let key = world.put("f", &trail_file(&records));
    world.pipeline.handling.max_found_bytes = 200_000;
    let outcome = world.notify(&[&key]).await;
    assert_eq!(outcome.failures[0].1.cause, Cause::TooLarge, "{:?}", outcome.counts);
}

/// Each pair has a copy of its own of what it shows.
#[tokio::test]
async fn a_long_value_is_remembered_by_its_beginning_and_a_hash() {
    let mut world = first_seen("resources.ARN", "userIdentity.arn");
    let resources: Vec<Value> = (0..100).map(|name| json!({"ARN": format!("arn:aws:s3:::{name}")})).collect();
    let arn = |end: &str| json!("x".repeat(100_000) + end);
    let seen = |id: &str, end: &str| {
        with(record("GetUser", id), &[("/resources", json!(resources)), ("/userIdentity/arn", arn(end))])
    };
    let key = world.put("f", &trail_file(&[seen("1", "a"), seen("2", "b")]));
    world.pipeline.handling.max_found_bytes = 1_000_000;
    let outcome = world.notify(&[&key]).await;
    assert_eq!((outcome.counts.files, outcome.counts.findings), (1, 200), "{:?}", outcome.failures);
}

/// Files that are read at the same time share the memory. Whoever finds it full is read again once the others were told.
#[tokio::test]
async fn files_in_which_much_is_found_are_read_a_few_at_a_time() {
    for (max_found_bytes, concurrency) in [(1 << 20, 1), (100_000, 1), (100_000, 6), (1, 6)] {
        let mut world = world();
        world.pipeline.handling.max_found_bytes = max_found_bytes;
        world.pipeline.concurrency = concurrency;
        let keys: Vec<String> = (0..6)
            .map(|file| {
                let records: Vec<Value> =
                    (0..30).map(|number| stopped(&format!("{file}-{number}"), "10:00:00")).collect();
                world.put(&file.to_string(), &trail_file(&records))
            })
            .collect();
        for outcome in [
            world.notify(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await,
            world.pipeline.handle(r#"{"prefix": "s3://trail-logs/"}"#).await,
        ] {
            let (files, findings) = (outcome.counts.files, outcome.counts.findings);
            if max_found_bytes == 1 {
                assert_eq!((files, outcome.counts.failed[&Cause::TooLarge]), (0, 6));
            } else {
                assert_eq!((files, findings, outcome.counts.failed.len()), (6, 180, 0), "{:?}", outcome.failures);
            }
            assert_adds_up(&outcome.counts);
        }
    }
}

#[tokio::test]
async fn a_message_with_many_records_is_told_in_parts() {
    let mut world = world();
    let events: Vec<Value> =
        (0..200).map(|number| json!({"id": "1", "timestamp": 1, "message": stopped(&number.to_string(), "10:00:00").to_string()})).collect();
    let message =
        json!({"messageType": "DATA_MESSAGE", "logGroup": "g", "logStream": "s", "logEvents": events}).to_string();
    let whole = world.pipeline.handle(&message).await;
    world.pipeline.handling.max_found_bytes = 50_000;
    let parts = world.pipeline.handle(&message).await;
    assert_eq!((whole.counts.records, whole.counts.findings), (200, 200));
    assert_eq!((parts.counts.records, parts.counts.findings), (200, 200));
    assert!(parts.counts.state_calls > whole.counts.state_calls, "{:?}", parts.counts);
}

/// A notification of CloudTrail names a bucket once and many keys, and each object has a name of its own.
#[test]
fn what_names_too_many_objects_is_refused() {
    let keys = vec!["k"; 10_001];
    for payload in [json!({"s3Bucket": "b", "s3ObjectKey": keys}), json!({"objects": vec!["s3://b/k"; 10_001]})] {
        let error = Trigger::parse(&payload.to_string()).unwrap_err();
        assert!(error.to_string().contains("more than 10000 objects"), "{error}");
    }
    let large = json!({"s3Bucket": "b", "s3ObjectKey": ["k"], "padding": "x".repeat(7 << 20)}).to_string();
    let error = Trigger::parse(&large).unwrap_err();
    assert!(error.to_string().contains("it has more than 6291456 bytes once it is unpacked"), "{error}");
}

#[test]
fn names_that_s3_does_not_give_are_refused() {
    for (bucket, key, what) in
        [("b".repeat(300), "k".to_owned(), "bucket name"), ("b".to_owned(), "k".repeat(4000), "object key")]
    {
        let error = Trigger::parse(&json!({"s3Bucket": bucket, "s3ObjectKey": [key]}).to_string()).unwrap_err();
        assert!(error.to_string().contains(&format!("the {what} has more than")), "{error}");
    }
}

/// A probe of CloudWatch Logs in some kilobytes that unpack to more.
fn bomb(megabytes: usize) -> String {
    let probe = r#"{"messageType":"CONTROL_MESSAGE","logEvents":[]}"#;
    BASE64_STANDARD.encode(gzip((" ".repeat(megabytes << 20) + probe).as_bytes()))
}

/// Packed a thousandfold, a message may be larger than the function's memory, which is that of its neighbours, too.
#[tokio::test]
async fn what_unpacks_to_too_much_takes_no_other_message_along() {
    let mut world = world();
    world.pipeline.handling.quarantine = Some(Quarantine { bucket: "aside".into(), prefix: String::new() });
    let key = world.put("f", &trail_file(&[record("GetUser", "1")]));
    let data = |megabytes| json!({"awslogs": {"data": bomb(megabytes)}}).to_string();
    let twice: Vec<Value> = (0..2).map(|_| json!({"EventSource": "aws:sns", "Sns": {"Message": data(12)}})).collect();
    for too_much in [data(21), json!({"Records": twice}).to_string()] {
        let outcome = world.pipeline.handle(&sqs(&[too_much, s3_event(&key)])).await;
        let counts = &outcome.counts;
        assert_eq!((failed(&outcome).len(), counts.put_aside, counts.files), (0, 1, 1), "{:?}", outcome.failures);
    }
    let record = |number: usize| json!({"eventSource": "aws:kinesis", "kinesis": {"sequenceNumber": number.to_string(), "data": bomb(16)}});
    let batch = json!({"Records": (0..5).map(record).collect::<Vec<_>>()}).to_string();
    let outcome = world.pipeline.handle(&batch).await;
    assert_eq!((failed(&outcome), outcome.counts.ignored), (vec!["3".to_owned(), "4".to_owned()], 3));
    assert_eq!(outcome.failures[0].1.cause, Cause::OutOfTime);
}

/// Taken apart to be described, it would take many times its size.
#[test]
fn something_strange_is_described_in_little_memory() {
    let error = Trigger::parse(&format!("[{}0]", "0,".repeat(1 << 20))).unwrap_err();
    assert!(error.to_string().contains("saw 2097155 bytes"), "{error}");
}
