//! What happens over several deliveries: the same event by two ways, back-fill, time that runs out, failures that repeat.

use std::fs;
use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use serde_json::{Value, json};
use trailhound::alerting::Hold;
use trailhound::outcome::Cause;
use trailhound::pipeline::Quarantine;
use trailhound::ports::{Clock as _, ObjectStore as _};
use trailhound::rule_pack::{self, RuleSource};
use trailhound::trigger::Trigger;

use crate::pipeline::assert_adds_up;
use crate::support::{Fails, TODAY, World, events, fact, failed, record, rule, rules, s3_event, sqs, trail_file, with};
use crate::ways::{OBJECTS, RECORDS};

pub(crate) fn world() -> World {
    let yaml = rule("  sel: {eventName: StopLogging}\n  condition: sel").replace("title: Test", "title: Trail stopped");
    let mut world = World::new(rules(&yaml));
    world.pipeline.handling.own_rules =
        rule_pack::load(&[RuleSource::CORE], &trailhound::engine::Organisation::default(), TODAY).own;
    world
}

pub(crate) fn stopped(id: &str, time: &str) -> Value {
    with(record("StopLogging", id), &[("/eventTime", json!(format!("2026-11-05T{time}Z")))])
}

/// SQS says how often it has delivered a message.
fn tried(payload: &str, times: u32) -> String {
    payload.replace(r#""ApproximateReceiveCount":"1""#, &format!(r#""ApproximateReceiveCount":"{times}""#))
}

#[tokio::test]
async fn an_event_by_event_bridge_alerts_at_once_and_its_file_adds_nothing() {
    for way in &RECORDS[..2] {
        let world = world();
        let record = stopped("1", "10:05:30");
        let outcome = world.pipeline.handle(&way.payload(&record.to_string())).await;
        assert_eq!(world.subjects(), ["[HIGH] Trail stopped: alice in 111122223333 eu-west-1"]);
        assert_eq!(outcome.lags, [30_000], "half a minute from the call to the alert");

        world.pipeline.clock.pass_minutes(5);
        world.restart();
        let outcome = world.notify(&[&world.put("f", &trail_file(&[record]))]).await;
        assert_eq!((outcome.counts.held[&Hold::ToldBefore], world.subjects().len()), (1, 0));
    }
}

#[tokio::test]
async fn one_event_by_two_ways_in_one_batch_is_one_alert() {
    let world = world();
    let record = stopped("1", "10:00:00");
    let key = world.put("f", &trail_file(std::slice::from_ref(&record)));
    let single = RECORDS[0].payload(&record.to_string());
    let outcome = world.pipeline.handle(&sqs(&[s3_event(&key), single, OBJECTS[6].payload(&key)])).await;
    // The single event is told first, before any object is read.
    assert_eq!((outcome.counts.told, outcome.counts.held[&Hold::ToldBefore], outcome.counts.objects), (1, 1, 1));
    assert_eq!(world.subjects().len(), 1);
    assert_adds_up(&outcome.counts);
}

#[tokio::test]
async fn what_there_is_no_time_for_comes_again_and_nothing_else_does() {
    let world = world();
    let key = world.put("f", &trail_file(&[stopped("1", "10:00:00")]));
    let batch = sqs(&[s3_event(&key), r#"{"Event":"s3:TestEvent"}"#.to_owned()]);
    let outcome = world.pipeline.handle_until(&batch, Some(world.pipeline.clock.now())).await;
    assert_eq!((failed(&outcome), outcome.counts.failed[&Cause::OutOfTime]), (vec!["m0".to_owned()], 1));
    assert_eq!(outcome.counts.state_calls, 0, "there is no time to ask for nothing");
    let in_a_minute = world.pipeline.clock.now() + SignedDuration::from_mins(1);
    let outcome = world.pipeline.handle_until(&batch, Some(in_a_minute)).await;
    assert_eq!((failed(&outcome).len(), world.subjects().len()), (0, 1));
}

/// A message with a single event: nothing but the tellings of alerts takes time.
fn single(id: &str) -> String {
    sqs(&[RECORDS[0].payload(&stopped(id, "10:00:00").to_string())])
}

/// Of two processes with the same story one tells it. The other waits a moment rather than have its message come again.
#[tokio::test]
async fn what_another_process_tells_meanwhile_need_not_come_again() {
    let world = world();
    let (one, other) = (single("1"), single("2"));
    let (one, other) = tokio::join!(world.pipeline.handle(&one), world.pipeline.handle(&other));
    assert_eq!((one.counts.alerts, other.counts.held.get(&Hold::Repeated)), (1, Some(&1)));
    assert_eq!((one.failures.len(), other.failures.len(), world.subjects().len()), (0, 0, 1));
    assert_adds_up(&other.counts);
}

#[tokio::test]
async fn who_waits_tells_what_the_other_process_could_not() {
    let world = world();
    let (one, other) = (single("1"), single("2"));
    world.pipeline.publisher.fails_once.store(true, Ordering::Relaxed);
    let (one, other) = tokio::join!(world.pipeline.handle(&one), world.pipeline.handle(&other));
    assert_eq!((one.failures[0].1.cause, other.failures.len()), (Cause::PublishFailed, 0));
    assert_eq!(world.subjects().len(), 1);
}

#[tokio::test]
async fn nobody_waits_for_a_process_that_may_be_dead_or_when_time_is_short() {
    for (ends, waited) in [(None, 3_500), (Some(SignedDuration::from_secs(3)), 1_500)] {
        let world = world();
        let key = world.put("f", &trail_file(&[stopped("1", "10:00:00")]));
        world.pipeline.state.fails(Fails::AfterPublishing);
        world.notify(&[&key]).await;
        world.pipeline.state.fails(None);
        world.restart();
        let now = world.pipeline.clock.now();
        let outcome = world.pipeline.handle_until(&sqs(&[s3_event(&key)]), ends.map(|ends| now + ends)).await;
        assert_eq!(outcome.failures[0].1.cause, Cause::Claimed);
        assert_eq!(world.pipeline.clock.now().duration_since(now), SignedDuration::from_millis(waited));
    }
}

#[tokio::test]
async fn denied_files_are_one_alert_for_their_bucket() {
    let world = world();
    // The folder refuses what would leave it.
    let denied =
        |name: &str| s3_event(&format!("../AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/{name}.json.gz"));
    let outcome = world.pipeline.handle(&sqs(&[denied("a"), denied("b")])).await;
    assert_eq!(outcome.counts.failed[&Cause::Denied], 2);
    let alerts = world.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].subject, "[HIGH] trailhound may not read log files in 111122223333 eu-west-1");
    let cause = fact(&alerts[0], "Cause");
    assert!(cause.starts_with("denied: reading s3://trail-logs/../AWSLogs/"), "{cause}");
    for number in 0..3 {
        world.pipeline.handle(&tried(&sqs(&[denied("a"), denied(&format!("c{number}"))]), 4)).await;
    }
    assert_eq!(world.subjects(), [""; 0], "one alert speaks for six hours");
}

#[tokio::test]
async fn what_fails_a_third_time_is_told() {
    let world = world();
    let missing =
        s3_event("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/f.json.gz").replace("trail-logs", "no-such");
    for times in 1..5 {
        world.pipeline.handle(&tried(&sqs(std::slice::from_ref(&missing)), times)).await;
        let told = world.alerts();
        assert_eq!(told.len(), usize::from(times == 3), "try {times}");
        if let Some(alert) = told.first() {
            assert_eq!(alert.subject, "[HIGH] trailhound fails at the same work again and again");
            let cause = fact(alert, "Cause");
            assert!(cause.starts_with("unavailable: s3://no-such/"), "{cause}");
        }
    }
}

/// An alert about itself that can't be told keeps what it is about from being acknowledged in silence.
#[tokio::test]
async fn what_was_put_aside_is_acknowledged_once_somebody_knows() {
    let mut world = world();
    world.pipeline.handling.quarantine = Some(Quarantine { bucket: "aside".into(), prefix: String::new() });
    let key = world.put("f", b"nonsense");
    world.pipeline.publisher.fails.store(true, Ordering::Relaxed);
    let outcome = world.notify(&[&key]).await;
    assert_eq!((failed(&outcome).len(), outcome.failures[0].1.cause), (1, Cause::PublishFailed));
    world.pipeline.publisher.fails.store(false, Ordering::Relaxed);
    let outcome = world.notify(&[&key]).await;
    assert_eq!((failed(&outcome).len(), world.subjects().len()), (0, 1));
}

/// S3 that answers slowly would take the invocation, and all that it has told, along.
#[tokio::test]
async fn nothing_is_put_aside_that_there_is_no_time_for() {
    let mut world = world();
    world.pipeline.handling.quarantine = Some(Quarantine { bucket: "aside".into(), prefix: String::new() });
    let no_record = RECORDS[3].payload(r#"{"level":"info"}"#);
    let batch = sqs(&["nonsense".to_owned(), no_record]);
    let now = world.pipeline.clock.now();
    for (ends, put_aside, out_of_time) in [(now, 0, 2), (now + SignedDuration::from_mins(1), 2, 0)] {
        let outcome = world.pipeline.handle_until(&batch, Some(ends)).await;
        assert_eq!((outcome.counts.put_aside, outcome.failures.len()), (put_aside, out_of_time));
        assert!(
            outcome.failures.iter().all(|(_, failure)| failure.cause == Cause::OutOfTime),
            "{:?}",
            outcome.failures
        );
    }
}

#[tokio::test]
async fn a_memory_that_is_away_takes_no_alert_about_it_along() {
    let world = world();
    world.pipeline.state.fails(Fails::Away);
    let key = world.put("f", b"nonsense");
    let outcome = world.notify(&[&key]).await;
    assert_eq!((failed(&outcome).len(), world.subjects().len()), (1, 1));
    assert_adds_up(&outcome.counts);
}

#[tokio::test]
async fn waves_follow_each_other_as_long_as_there_is_time() {
    let world = world();
    let keys: Vec<String> = (0..250)
        .map(|number| world.put(&format!("{number:03}"), &trail_file(&[stopped(&number.to_string(), "10:00:00")])))
        .collect();
    let bodies: Vec<String> = keys.iter().map(|key| s3_event(key)).collect();
    let outcome = world.pipeline.handle(&sqs(&bodies)).await;
    let counts = &outcome.counts;
    assert_eq!((counts.files, counts.alerts, counts.told + counts.held_back()), (250, 1, 250));
    assert_adds_up(counts);
}

/// `eventId`, `accountId` and no `eventTime`; Insights without a call; versions from the first on.
#[tokio::test]
async fn events_of_other_shapes_are_told_and_known_again() {
    let aggregated = json!({"eventVersion": "1.0", "accountId": "111122223333", "eventId": "a1", "eventCategory": "Aggregated",
        "eventType": "AwsAggregatedEvent", "awsRegion": "us-west-2", "eventSource": "s3.amazonaws.com",
        "timeWindow": {"windowStart": "2026-11-05T09:55:00Z", "windowEnd": "2026-11-05T10:00:00Z", "windowSize": "PT5M"},
        "summary": {"primaryDimension": {"dimension": "eventName", "statistics": [{"name": "PutObject", "value": 1000}]}}});
    let insight = json!({"eventVersion": "1.08", "eventTime": "2026-11-05T10:00:00Z", "awsRegion": "us-east-1", "eventID": "i1",
        "eventType": "AwsCloudTrailInsight", "recipientAccountId": "111122223333", "sharedEventID": "s", "eventCategory": "Insight",
        "insightDetails": {"state": "Start", "eventSource": "iam.amazonaws.com", "eventName": "CreateUser", "insightType": "ApiCallRateInsight"}});
    let network = json!({"eventVersion": "1.09", "userIdentity": {"type": "AWSAccount", "principalId": "AROAEXAMPLE:x", "accountId": "777788889999"},
        "eventTime": "2026-11-05T10:00:00Z", "eventSource": "kms.amazonaws.com", "eventName": "ListKeys", "awsRegion": "us-east-1",
        "errorCode": "VpceAccessDenied", "eventID": "n1", "eventType": "AwsVpceEvent", "recipientAccountId": "111122223333",
        "vpcEndpointId": "vpce-0123456789abcdef0", "eventCategory": "NetworkActivity"});
    let first = json!({"eventVersion": "1.01", "userIdentity": {"type": "Root", "accountId": "111122223333"},
        "eventTime": "2013-11-05T10:00:00Z", "eventSource": "iam.amazonaws.com", "eventName": "ListUsers", "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1", "userAgent": "x", "requestID": "r", "eventID": "v1", "requestParameters": null, "responseElements": null});
    for (record, detection) in [
        (aggregated, "sel: {eventCategory: Aggregated, summary.primaryDimension.statistics.value|gte: 1000}"),
        (
            insight,
            "sel: {eventType: AwsCloudTrailInsight, insightDetails.eventName: CreateUser, insightDetails.state: Start}",
        ),
        (network, "sel: {errorCode: VpceAccessDenied, derived.outcome: denied}"),
        (first, "sel: {userIdentity.type: Root, eventName: ListUsers}"),
    ] {
        let world = World::new(rules(&rule(&format!("  {detection}\n  condition: sel"))));
        for way in RECORDS {
            world.pipeline.handle(&way.payload(&record.to_string())).await;
        }
        world.notify(&[&world.put("f", &trail_file(std::slice::from_ref(&record)))]).await;
        assert_eq!(world.subjects().len(), 1, "{record}");
    }
}

/// Whatever comes, it is understood as a whole or refused; nothing of it is dropped.
#[test]
fn a_payload_that_is_cut_off_or_garbled_is_refused_and_nothing_panics() {
    for entry in fs::read_dir(events()).unwrap() {
        let path = entry.unwrap().path();
        let Some(text) = fs::read_to_string(&path).ok().filter(|_| path.extension().is_some_and(|it| it == "json"))
        else {
            continue;
        };
        let compact = serde_json::from_str::<Value>(&text).unwrap().to_string();
        let step = compact.len().div_ceil(500);
        for at in (0..compact.len()).step_by(step).filter(|&at| compact.is_char_boundary(at)) {
            assert!(Trigger::parse(&compact[..at]).is_err(), "{} cut at {at}", path.display());
            let garbled = [&compact[..at], "\u{0}\"}{", &compact[at..]].concat();
            let _ = Trigger::parse(&garbled);
        }
    }
}

/// Twice: nothing that was put aside is read again.
#[tokio::test]
async fn the_quarantine_does_not_feed_itself() {
    let mut world = world();
    world.pipeline.handling.quarantine = Some(Quarantine { bucket: "trail-logs".into(), prefix: "aside/".into() });
    world.put("f", b"nonsense");
    for put_aside in [1, 1] {
        let outcome = world.pipeline.handle(r#"{"prefix": "s3://trail-logs/"}"#).await;
        assert_eq!((outcome.counts.put_aside, outcome.counts.failed[&Cause::Damaged]), (put_aside, 1));
    }
    let keys: Vec<String> = (world.pipeline.objects.list("trail-logs", "aside/", None).await.unwrap().into_iter())
        .map(|object| object.key)
        .collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        assert_eq!(world.notify(&[&key]).await.counts.foreign, 1, "{key}");
    }
}

#[tokio::test]
async fn a_batch_that_has_no_ids_fails_as_a_whole() {
    let mut world = world();
    world.pipeline.handling.quarantine = Some(Quarantine { bucket: "aside".into(), prefix: String::new() });
    for batch in [
        r#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#,
        r#"{"Records":[{"eventSource":"aws:kinesis","kinesis":{"data":""}}]}"#,
    ] {
        let outcome = world.pipeline.handle(batch).await;
        assert_eq!((outcome.response().unwrap_err().cause, outcome.counts.put_aside), (Cause::NotUnderstood, 0));
    }
}

/// Lambda blocks a shard on a record that fails, and tells nobody.
#[tokio::test]
async fn a_stream_that_is_blocked_is_told_at_once() {
    let world = away();
    let outcome = world.pipeline.handle(&RECORDS[4].payload(&record("GetUser", "1").to_string())).await;
    assert_eq!(outcome.failures[0].1.cause, Cause::StateFailed);
    assert_eq!(world.subjects(), ["[HIGH] trailhound fails at the same work again and again"]);
    // Where Lambda itself tries again, and then hands on what failed, the alarm on the dead-letter queue tells.
    let outcome = world.pipeline.handle(&RECORDS[0].payload(&record("GetUser", "1").to_string())).await;
    assert_eq!((outcome.failures.len(), world.subjects().len()), (1, 0));
}

fn away() -> World {
    let first_seen =
        "trailhound: {first_seen: {entity: [derived.principal], value: [sourceIPAddress], history: 30d, learning: 1d}}";
    let yaml = format!("{}\n{first_seen}", rule("  sel: {eventName: GetUser}\n  condition: sel"));
    let mut world = World::new(rules(&yaml));
    world.pipeline.handling.own_rules =
        rule_pack::load(&[RuleSource::CORE], &trailhound::engine::Organisation::default(), TODAY).own;
    world.pipeline.state.fails(Fails::Away);
    world
}

/// A wrong log group, or somebody who wraps events anew, must not look like a quiet day.
#[tokio::test]
async fn a_log_event_that_is_other_json_is_bad() {
    let world = world();
    for other in [
        r#"{"level":"info"}"#,
        r#"{"Records":[{"eventName":"StopLogging"}]}"#,
        r#"{"detail":{"eventName":"StopLogging"}}"#,
    ] {
        let outcome = world.pipeline.handle(&RECORDS[3].payload(other)).await;
        assert_eq!((outcome.counts.records, outcome.counts.bad_records), (0, 1), "{other}");
        // Without a quarantine the delivery is the only copy; but a stream would stand still.
        assert_eq!(outcome.response().unwrap_err().cause, Cause::PartlyDone);
        let outcome = world.pipeline.handle(&RECORDS[4].payload(other)).await;
        assert_eq!((outcome.failures.len(), outcome.counts.bad_records), (0, 1));
    }
    assert_eq!(world.subjects(), ["[MEDIUM] trailhound cannot read what it was sent"]);
}

/// Rules about trailhound itself may learn, too.
#[tokio::test]
async fn own_rules_may_be_about_what_is_new() {
    let mut world = world();
    let yaml = "title: New damage\nid: new\nlogsource: {product: trailhound}\nlevel: low\n\
        detection: {sel: {eventName: ReadLogFile}, condition: sel}\n\
        trailhound: {first_seen: {entity: [eventSource], value: [requestParameters.bucketName], history: 10d, learning: 0d}}";
    let collection = trailhound::sigma::parse(&trailhound::yaml::SourceFile::new("own.yml", yaml));
    world.pipeline.handling.own_rules =
        rule_pack::Loaded::compile(&collection, &trailhound::engine::Organisation::default(), TODAY).own;
    for told in [1, 0] {
        world.notify(&[&world.put("f", b"nonsense")]).await;
        assert_eq!(world.subjects().len(), told);
    }
}

/// No lifecycle deletes within a day.
#[tokio::test]
async fn a_fresh_file_that_is_gone_is_told_and_an_old_one_is_not() {
    let world = world();
    world.put("some", b"");
    for (date, told) in [("20261105T0955Z", 1), ("20261101T0955Z", 0)] {
        let name = format!("111122223333_CloudTrail_eu-west-1_{date}_UidgAgQekcWiqMu6.json.gz");
        let outcome = world.notify(&[&format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/{name}")]).await;
        assert_eq!((outcome.counts.gone, failed(&outcome).len(), world.subjects().len()), (1, 0, told), "{date}");
    }
}
