//! Objects below a prefix, which somebody has read anew: to their end, or where to go on.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use trailhound::outcome::Outcome;
use trailhound::pipeline::Quarantine;
use trailhound::ports::Clock as _;
use trailhound::trigger::Prefix;

use crate::delivery::{stopped, world};
use crate::support::{record, sqs, trail_file};

fn answer(outcome: &Outcome) -> Value {
    outcome.response().unwrap()
}

#[tokio::test]
async fn a_prefix_is_read_to_its_end() {
    let world = world();
    for number in 0..120 {
        world.put(&format!("f{number:03}"), &trail_file(&[record("GetUser", &number.to_string())]));
    }
    world.put("g", &trail_file(&[stopped("1", "10:00:00")]));
    let outcome = world.pipeline.handle(r#"{"prefix": "s3://trail-logs/AWSLogs/111122223333/CloudTrail/"}"#).await;
    assert_eq!((answer(&outcome)["files"].as_u64(), answer(&outcome).get("next")), (Some(121), None));
    assert_eq!((world.subjects().len(), outcome.lags.len()), (1, 0), "history says nothing of delay");
    let outcome = world.pipeline.handle(r#"{"prefix": "s3://trail-logs/AWSLogs/nobody/"}"#).await;
    assert_eq!(answer(&outcome)["objects"], 0);
    let outcome = world.pipeline.handle(r#"{"prefix": "s3://no-such-bucket/"}"#).await;
    assert!(outcome.response().unwrap_err().why.contains("s3:ListBucket"), "{:?}", outcome.failures);
    // What fails by itself keeps nothing else out, and the caller from beginning anew.
    world.put("broken", b"nonsense");
    let outcome = world.pipeline.handle(r#"{"prefix": "s3://trail-logs/AWSLogs/111122223333/CloudTrail/"}"#).await;
    assert_eq!((&answer(&outcome)["files"], &answer(&outcome)["objects_failed"]), (&json!(121), &json!(1)));
    assert_eq!(answer(&outcome)["first_failure"]["cause"], "damaged");
}

#[tokio::test]
async fn a_prefix_that_there_is_no_time_for_goes_on_where_it_stopped() {
    let world = world();
    let keys: Vec<String> =
        (0..3).map(|number| world.put(&number.to_string(), &trail_file(&[record("GetUser", "1")]))).collect();
    let now = world.pipeline.clock.now();
    let payload = format!(r#"{{"prefix": "s3://trail-logs/AWSLogs/", "after": "{}"}}"#, keys[0]);
    let outcome = world.pipeline.handle_until(&payload, Some(now)).await;
    assert_eq!(answer(&outcome)["next"], json!({"prefix": "s3://trail-logs/AWSLogs/", "after": keys[0]}));
    // What is answered can be asked.
    let outcome = world.pipeline.handle(&answer(&outcome)["next"].to_string()).await;
    assert_eq!((outcome.counts.files, &outcome.next), (2, &None::<Prefix>));
    // A queue would begin anew each time.
    let outcome = world.pipeline.handle_until(&sqs(&[payload]), Some(now)).await;
    assert!(outcome.failures[0].1.why.contains("invoke the function with it directly"), "{:?}", outcome.failures);
}

/// Whoever goes on by the answer must not go on behind what nobody was told.
#[tokio::test]
async fn a_prefix_does_not_go_on_behind_what_could_not_be_told() {
    let world = world();
    world.put("f", &trail_file(&[stopped("1", "10:00:00")]));
    let payload = r#"{"prefix": "s3://trail-logs/AWSLogs/"}"#;
    world.pipeline.publisher.fails.store(true, Ordering::Relaxed);
    let outcome = world.pipeline.handle(payload).await;
    assert_eq!(answer(&outcome)["next"], json!({"prefix": "s3://trail-logs/AWSLogs/"}));
    assert_eq!(answer(&outcome)["first_failure"]["cause"], "publish_failed");
    world.pipeline.publisher.fails.store(false, Ordering::Relaxed);
    let outcome = world.pipeline.handle(&answer(&outcome)["next"].to_string()).await;
    assert_eq!((world.subjects().len(), answer(&outcome).get("next")), (1, None));
}

#[tokio::test]
async fn a_prefix_does_not_go_on_behind_what_was_put_aside_before_somebody_knows() {
    let mut world = world();
    world.pipeline.handling.quarantine = Some(Quarantine { bucket: "aside".into(), prefix: String::new() });
    world.put("f", b"nonsense");
    let payload = json!({"prefix": "s3://trail-logs/"});
    world.pipeline.publisher.fails.store(true, Ordering::Relaxed);
    let outcome = world.pipeline.handle(&payload.to_string()).await;
    assert_eq!(
        (&answer(&outcome)["next"], &answer(&outcome)["first_failure"]["cause"]),
        (&payload, &json!("publish_failed"))
    );
    world.pipeline.publisher.fails.store(false, Ordering::Relaxed);
    let outcome = world.pipeline.handle(&payload.to_string()).await;
    assert_eq!((answer(&outcome).get("next"), world.subjects().len()), (None, 1));
}
