//! What would take more memory than there is.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use trailhound::outcome::Cause;
use trailhound::pipeline::Quarantine;
use trailhound::trigger::Trigger;

use crate::delivery::{stopped, world};
use crate::pipeline::assert_adds_up;
use crate::support::{failed, gzip, record, s3_event, sqs, trail_file};

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

#[tokio::test]
async fn files_in_which_much_is_found_are_told_before_others_are_read() {
    let mut calls = Vec::new();
    for max_found_bytes in [100_000, 2_000] {
        let mut world = world();
        world.pipeline.handling.max_found_bytes = max_found_bytes;
        world.pipeline.concurrency = 1;
        let keys: Vec<String> = (0..5)
            .map(|number| world.put(&number.to_string(), &trail_file(&[stopped(&number.to_string(), "10:00:00")])))
            .collect();
        let read = [
            world.notify(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await,
            world.pipeline.handle(r#"{"prefix": "s3://trail-logs/"}"#).await,
        ];
        assert!(read.iter().all(|outcome| outcome.counts.files == 5), "{read:?}");
        calls.push(read.map(|outcome| outcome.counts.state_calls));
    }
    assert!(calls[1][0] > calls[0][0] && calls[1][1] > calls[0][1], "each file was a wave of its own: {calls:?}");
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
