//! Digest files as they come to the function: damage is told as an alert, and what there is no time for goes on.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use trailhound::engine::{Organisation, RuleSet};
use trailhound::local::{Outbox, StateMemory};
use trailhound::outcome::{Cause, Outcome};
use trailhound::pipeline::{Handling, Holding, Pipeline};
use trailhound::ports::Clock;
use trailhound::rule_pack;
use trailhound::trail::Readers;

use crate::pipeline::assert_adds_up;
use crate::support::{TODAY, failed, s3_event, sqs};

use super::world::{Bucket, World, time};

/// Time passes whenever somebody looks.
struct Ticking {
    milliseconds: AtomicI64,
    step: i64,
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let passed = self.milliseconds.fetch_add(self.step, Ordering::Relaxed);
        time("18:00:00") + SignedDuration::from_millis(passed)
    }

    async fn pause(&self, _: Duration) {}
}

type Function = Pipeline<Bucket, StateMemory, Outbox, Ticking>;

fn function(bucket: &Bucket, step: i64) -> Function {
    Pipeline {
        objects: bucket.clone(),
        state: StateMemory::default(),
        publisher: Outbox::default(),
        clock: Ticking { milliseconds: 0.into(), step },
        rules: RuleSet::default(),
        readers: Readers::default(),
        known: std::sync::Mutex::default(),
        published: std::sync::Mutex::default(),
        holding: Holding::default(),
        concurrency: 4,
        handling: Handling {
            own_rules: rule_pack::load(&[], &Organisation::default(), TODAY).own,
            keys: Some(Box::new(bucket.clone())),
            ..Handling::default()
        },
    }
}

async fn notify(function: &Function, keys: &[String]) -> Outcome {
    let bodies: Vec<String> = keys.iter().map(|key| s3_event(key)).collect();
    let outcome = function.handle(&sqs(&bodies)).await;
    assert_adds_up(&outcome.counts);
    outcome
}

#[tokio::test]
async fn an_intact_hour_is_proven_and_says_nothing() {
    let world = World::hours(3);
    let function = function(&world.bucket, 0);
    let outcome = notify(&function, &world.trail.digests).await;
    let counts = &outcome.counts;
    assert_eq!((counts.digests, counts.proven, counts.damage, counts.alerts), (3, 6, 0, 0));
}

#[tokio::test]
async fn a_log_file_that_was_altered_is_a_critical_alert_told_once() {
    let mut world = World::hours(3);
    let altered = world.listed(1, 0);
    world.bucket.put(&altered, br#"{"Records":[]}"#);
    let function = function(&world.bucket, 0);
    for told in [1, 0] {
        let outcome = notify(&function, &world.trail.digests).await;
        assert_eq!((failed(&outcome).len(), outcome.counts.damage), (0, 1));
        let alerts = function.publisher.take();
        assert_eq!(alerts.len(), told);
        if let Some(alert) = alerts.first() {
            insta::assert_snapshot!(format!("Subject: {}\n\n{}", alert.subject, alert.text));
        }
    }
}

#[tokio::test]
async fn many_deleted_files_are_one_alert_for_their_trail() {
    let mut world = World::hours(2);
    for file in [world.listed(0, 0), world.listed(0, 1), world.listed(1, 0)] {
        world.bucket.remove(&file);
    }
    let function = function(&world.bucket, 0);
    let outcome = notify(&function, &world.trail.digests).await;
    assert_eq!((outcome.counts.damage, outcome.counts.told, function.publisher.take().len()), (3, 3, 1));
}

#[tokio::test]
async fn what_can_not_be_looked_at_comes_again_and_is_no_damage() {
    let mut world = World::hours(2);
    world.bucket.keys_denied = true;
    // Without its signature a digest may have been made up, so what it says of log files counts for nothing.
    let missing = world.listed(1, 0);
    world.bucket.remove(&missing);
    let function = function(&world.bucket, 0);
    let outcome = notify(&function, &world.trail.digests).await;
    assert_eq!((failed(&outcome).len(), outcome.counts.damage, outcome.counts.digests), (2, 0, 0));
    assert_eq!(outcome.counts.proven, 0);
    assert!(outcome.failures[0].1.why.contains("cloudtrail:ListPublicKeys"), "{:?}", outcome.failures);
    assert_eq!(outcome.counts.failed[&Cause::Unavailable], 2);
    assert_eq!(function.publisher.take().len(), 0);

    // What three tries didn't mend would end in the dead-letter queue each hour.
    let third = sqs(&world.trail.digests.iter().map(|key| s3_event(key)).collect::<Vec<_>>())
        .replace(r#""ApproximateReceiveCount":"1""#, r#""ApproximateReceiveCount":"3""#);
    let outcome = function.handle(&third).await;
    assert_eq!((failed(&outcome).len(), outcome.counts.damage, outcome.counts.digests), (0, 0, 0));
    assert_eq!(outcome.counts.failed[&Cause::NotChecked], 2);
    let subjects: Vec<String> = function.publisher.take().into_iter().map(|alert| alert.subject).collect();
    assert_eq!(subjects, ["[MEDIUM] trailhound cannot check CloudTrail digest files"]);
}

/// Anybody who can write to the bucket can make up accounts.
#[tokio::test]
async fn made_up_digests_are_one_alert_for_their_bucket() {
    let mut world = World::hours(1);
    let junk: Vec<String> =
        (0..5).map(|number| world.digest(0).replace("111122223333", &format!("99999999999{number}"))).collect();
    junk.iter().for_each(|key| world.bucket.put(key, b"{}"));
    let function = function(&world.bucket, 0);
    let outcome = notify(&function, &junk).await;
    assert_eq!((outcome.counts.damage, outcome.counts.told), (5, 5));
    let alerts = function.publisher.take();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].subject, "[CRITICAL] CloudTrail log files were tampered with");
}

/// To go through a year of them takes `trailhound verify`.
#[tokio::test]
async fn digests_of_history_are_counted() {
    let world = World::hours(2);
    let function = function(&world.bucket, 0);
    let urls: Vec<String> = world.trail.digests.iter().map(|key| format!("s3://trail-logs/{key}")).collect();
    let outcome = function.handle(&serde_json::json!({"objects": urls}).to_string()).await;
    assert_eq!((outcome.counts.digests, outcome.counts.proven), (2, 0));
}

/// The next invocation would fare no better, so it is not told to go on there.
#[tokio::test]
async fn a_file_that_takes_longer_than_an_invocation_does_not_hold_up_those_behind_it() {
    let world = World::hours(2);
    // Six seconds pass whenever somebody looks: opened in time, but not read to its end.
    let function = function(&world.bucket, 6_000);
    let outcome = function
        .handle_until(r#"{"prefix": "s3://trail-logs/AWSLogs/111122223333/CloudTrail/"}"#, Some(time("18:01:00")))
        .await;
    let failure = outcome.response().unwrap_err();
    assert_eq!(failure.cause, Cause::OutOfTime);
    assert!(
        failure.why.contains(&format!(r#""after":"{}"}} goes on behind it"#, world.listed(0, 0))),
        "{}",
        failure.why
    );
}

#[tokio::test]
async fn without_keys_digests_are_counted() {
    let world = World::hours(2);
    let mut function = function(&world.bucket, 0);
    function.handling.keys = None;
    let outcome = notify(&function, &world.trail.digests).await;
    assert_eq!((outcome.counts.digests, outcome.counts.proven), (2, 0));
}

#[tokio::test]
async fn an_hour_of_many_files_is_checked_over_several_invocations() {
    let mut world = World::hours(1);
    let files: Vec<String> = (0..200).map(|number| world.log("11:15", &format!("{number:016}"))).collect();
    let digest = world.trail.digest(&mut world.bucket, "11:01:31", "12:01:31", &files);
    world.bucket.remove(&files[150]);
    let function = function(&world.bucket, 250);
    let mut tries = 0;
    loop {
        let minute = function.clock.now() + SignedDuration::from_mins(1);
        let outcome = function.handle_until(&sqs(&[s3_event(&digest)]), Some(minute)).await;
        tries += 1;
        if failed(&outcome).is_empty() {
            assert_eq!((outcome.counts.proven, outcome.counts.damage), (199, 1));
            break;
        }
        assert_eq!(outcome.failures[0].1.cause, Cause::OutOfTime, "{:?}", outcome.failures);
        assert!(tries < 20, "it doesn't get on");
    }
    assert!(tries > 1, "there was time for all of it");
    assert_eq!(function.publisher.take().len(), 1);
}
