//! Limits when things go wrong: processes in each other's way, parts that fail, floods, hostile texts, another configuration.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use trailhound::alerting::Hold;
use trailhound::engine::Organisation;
use trailhound::pipeline::Holding;
use trailhound::ports::{Clock as _, StateStore as _};
use trailhound::yaml::SourceFile;

use super::{NIGHT, TWO_AN_HOUR, at, by, deliver, events_of, held, limited, organised, tick, told_back, world};
use crate::support::{Fails, World, fact, failed, record, rule, story, trail_file, with};

#[tokio::test]
async fn a_crash_behind_the_summary_repeats_it_and_does_not_lose_it() {
    let world = world(NIGHT, "05T23:00");
    deliver(&world, "a", &[by("alice", "1", "05T22:50")]).await;
    at(&world, "06T06:00");
    world.pipeline.state.fails(Fails::AfterPublishing);
    let counts = tick(&world).await;
    assert_eq!((counts.summaries, counts.state_failures, world.subjects().len()), (1, 1, 1));
    world.pipeline.state.fails(None);
    assert_eq!(tick(&world).await.summaries, 0, "the claim of the one that crashed still stands");
    world.pipeline.clock.pass_minutes(3);
    let again = tick(&world).await;
    assert_eq!((again.summaries, world.subjects().len()), (1, 1));
    world.pipeline.clock.pass_minutes(3);
    assert_eq!(tick(&world).await.summaries, 0);
}

#[tokio::test]
async fn what_was_told_and_could_not_be_removed_is_not_told_again() {
    let world = world(NIGHT, "05T23:00");
    deliver(&world, "a", &[by("alice", "1", "05T22:50")]).await;
    at(&world, "06T06:00");
    world.pipeline.state.fails(Fails::Removing);
    for expected in [1, 0, 0] {
        let counts = tick(&world).await;
        assert_eq!((counts.summaries, counts.state_failures), (expected, 1));
    }
    world.pipeline.state.fails(None);
    assert_eq!((tick(&world).await.summaries, tick(&world).await.state_calls), (0, 1));
    // What comes in the next night is told by itself.
    at(&world, "06T23:00");
    deliver(&world, "b", &[by("bob", "2", "06T22:50")]).await;
    at(&world, "07T06:00");
    tick(&world).await;
    let counts: Vec<Value> = world.alerts().iter().map(|alert| told_back(alert)["quiet"].clone()).collect();
    assert_eq!(counts, [1, 1]);
}

#[tokio::test]
async fn a_summary_that_cannot_be_published_is_tried_again_and_fails_no_delivery() {
    let world = world(NIGHT, "05T23:00");
    deliver(&world, "a", &[by("alice", "1", "05T22:50")]).await;
    at(&world, "06T06:00");
    world.pipeline.publisher.fails.store(true, Ordering::Relaxed);
    let outcome = deliver(&world, "b", &[record("GetUser", "2")]).await;
    assert_eq!(
        (failed(&outcome).len(), outcome.counts.summaries, outcome.counts.failed.values().sum::<u64>()),
        (0, 0, 1)
    );
    world.pipeline.publisher.fails.store(false, Ordering::Relaxed);
    assert_eq!((tick(&world).await.summaries, world.subjects().len()), (1, 1), "the claim was given back");
}

/// Those that have it must not get it for ever because another one refuses it.
#[tokio::test]
async fn a_topic_that_refuses_a_summary_has_the_others_get_it_five_times_at_most() {
    for (refusals, reached, summaries) in [(1, 3, 1), (30, 5, 1)] {
        let mut world = world(NIGHT, "05T23:00");
        let config = "topics: [{arn: 'arn:aws:sns:eu-west-1:111122223333:further'}]";
        let organisation = Organisation::parse(&SourceFile::new("trailhound.yaml", config)).unwrap();
        world.pipeline.handling.topics = organisation.outputs.topics;
        deliver(&world, "a", &[by("alice", "1", "05T22:50")]).await;
        at(&world, "06T06:00");
        let (mut told, mut counted) = (0, 0);
        for minute in 0..30 {
            // The usual topic comes first.
            world.pipeline.publisher.fails_once.store(minute < refusals, Ordering::Relaxed);
            counted += tick(&world).await.summaries;
            told += world.subjects().len();
            world.pipeline.clock.pass_minutes(1);
        }
        assert_eq!((told, counted), (reached, summaries));
    }
}

/// A process died between putting by and marking; its message comes again, with another.
#[tokio::test]
async fn an_alert_that_has_grown_is_put_by_whole() {
    let world = world(NIGHT, "05T23:00");
    let files = [("a", "1"), ("b", "2")].map(|(name, id)| world.put(name, &trail_file(&[by("alice", id, "05T22:50")])));
    world.pipeline.state.fails(Fails::AfterPublishing);
    world.notify(&[&files[0]]).await;
    world.pipeline.state.fails(None);
    world.pipeline.clock.pass_minutes(3);
    let outcome = world.notify(&[&files[0], &files[1]]).await;
    assert_eq!(held(&outcome.counts, Hold::Quiet), 2);
    at(&world, "06T06:00");
    assert_eq!(tick(&world).await.summaries, 1);
    let summary = told_back(&world.alerts()[0]);
    assert_eq!((&summary["quiet"], summary["findings"].as_array().unwrap().len()), (&json!(2), 2));
}

#[tokio::test]
async fn without_the_memory_nothing_is_held_back() {
    for limits in [NIGHT, "max_alerts: {count: 1, per: 1d}"] {
        for fails in [Fails::Away, Fails::PuttingBy] {
            let world = world(limits, "05T23:00");
            world.pipeline.state.fails(fails);
            let both = [by("alice", "1", "05T22:50"), by("bob", "2", "05T22:51")];
            let outcome = deliver(&world, "a", &both).await;
            assert_eq!((failed(&outcome).len(), outcome.counts.told), (0, 2), "{limits} {fails:?}");
            assert!(outcome.counts.state_failures > 0);
            let noted =
                world.alerts().iter().filter(|alert| alert.text.contains("The memory of earlier alerts could")).count();
            assert_eq!(noted, if fails == Fails::Away { 2 } else { 0 });
        }
    }
    // A memory that ends with its process: what it holds would be lost.
    let mut world = world(NIGHT, "05T23:00");
    world.pipeline.holding = Holding::nothing();
    assert_eq!(deliver(&world, "a", &[by("alice", "1", "05T22:50")]).await.counts.told, 1);
}

/// In a flood the table throttles: some alerts can be put by and others not.
#[tokio::test]
async fn what_is_put_by_is_not_told_at_once_too() {
    let world = world(NIGHT, "05T23:00");
    world.pipeline.state.fails(Fails::PuttingByMore);
    let three = ["alice", "bob", "carol"].map(|user| by(user, user, "05T22:50"));
    let outcome = deliver(&world, "a", &three).await;
    assert_eq!((held(&outcome.counts, Hold::Quiet), outcome.counts.told, failed(&outcome).len()), (1, 2, 0));
    let mut events: Vec<String> = world.alerts().iter().flat_map(events_of).collect();
    world.pipeline.state.fails(None);
    at(&world, "06T06:00");
    assert_eq!(tick(&world).await.summaries, 1);
    events.extend(world.alerts().iter().flat_map(events_of));
    events.sort();
    assert_eq!(events, ["test alice", "test bob", "test carol"]);
}

/// A value that was forgotten is news again, and its finding has the same uid.
#[tokio::test]
async fn what_is_news_again_is_told_again() {
    let yaml = rule("  sel: {eventName: StopLogging}\n  condition: sel")
        + "\ntrailhound: {first_seen: {entity: derived.principal, value: sourceIPAddress, learning: 0d, history: 7d}}";
    let world = World::new(organised(&yaml, NIGHT));
    for (night, morning) in [("01", "02"), ("10", "11")] {
        at(&world, &format!("{night}T23:00"));
        let outcome = deliver(&world, night, &[by("alice", night, &format!("{night}T22:50"))]).await;
        assert_eq!(held(&outcome.counts, Hold::Quiet), 1, "{night}");
        at(&world, &format!("{morning}T06:00"));
        assert_eq!(tick(&world).await.summaries, 1, "{morning}");
        assert_eq!(world.alerts().iter().flat_map(events_of).collect::<Vec<_>>(), [format!("test {night}")]);
    }
}

/// Somebody tries out a rule over the memory of the function.
#[tokio::test]
async fn whoever_borrows_a_memory_tells_what_is_due_when_asked_alone() {
    let mut world = world(NIGHT, "05T23:00");
    deliver(&world, "a", &[by("alice", "1", "05T22:50")]).await;
    at(&world, "06T06:00");
    for rules in [limited(""), limited(NIGHT)] {
        (world.pipeline.rules, world.pipeline.holding) = (rules, Holding::told_when_asked());
        assert_eq!(deliver(&world, "b", &[record("GetUser", "2")]).await.counts.summaries, 0);
    }
    assert_eq!(tick(&world).await.summaries, 1);
}

#[tokio::test]
async fn of_two_processes_one_tells() {
    let world = world(NIGHT, "05T23:00");
    let files = ["alice", "bob"]
        .map(|user| world.put(user, &trail_file(&[by(user, user, "05T22:50"), by("carol", "c", "05T22:51")])));
    let each = async |file: &String| failed(&world.notify(&[file]).await).len();
    assert_eq!(tokio::join!(each(&files[0]), each(&files[1])), (0, 0));
    at(&world, "06T06:00");
    let (a, b, c) = tokio::join!(tick(&world), tick(&world), tick(&world));
    assert_eq!(a.summaries + b.summaries + c.summaries, 1);
    let alerts = world.alerts();
    assert_eq!((alerts.len(), &told_back(&alerts[0])["quiet"]), (1, &json!(3)));
}

#[tokio::test]
async fn who_asked_before_another_one_told_asks_again() {
    let world = world(NIGHT, "05T23:00");
    deliver(&world, "a", &[by("alice", "1", "05T22:50")]).await;
    at(&world, "06T06:00");
    // What was told before the last summary is written down nowhere any more.
    world.pipeline.state.lets_others_go_first.store(300_000, Ordering::Relaxed);
    let (slow, fast) = tokio::join!(tick(&world), async {
        let first = tick(&world).await.summaries;
        at(&world, "06T23:00");
        deliver(&world, "b", &[by("bob", "2", "06T22:50")]).await;
        at(&world, "07T06:00");
        (first, tick(&world).await.summaries)
    });
    assert_eq!((slow.summaries, fast, world.subjects().len()), (0, (1, 1), 2));
}

#[tokio::test]
async fn two_processes_share_a_cap() {
    let world = world(TWO_AN_HOUR, "05T10:00");
    let files = ["a", "b", "c", "d"].map(|user| world.put(user, &trail_file(&[by(user, user, "05T09:50")])));
    let each = async |file: &String| world.notify(&[file]).await.counts.alerts;
    let (a, b, c, d) = tokio::join!(each(&files[0]), each(&files[1]), each(&files[2]), each(&files[3]));
    assert_eq!(a + b + c + d, 2);

    // One of them reads what has been told, and is overtaken.
    let world = self::world("max_alerts: {count: 1, per: 1h}", "05T10:00");
    let files = ["a", "b"].map(|user| world.put(user, &trail_file(&[by(user, user, "05T09:50")])));
    world.pipeline.state.lets_others_go_first.store(300_000, Ordering::Relaxed);
    let each = async |file: &String| world.notify(&[file]).await.counts.alerts;
    let (a, b) = tokio::join!(each(&files[0]), each(&files[1]));
    assert_eq!(a + b, 1);
}

#[tokio::test]
async fn a_flood_is_one_summary_that_names_what_fits() {
    let world = world("max_alerts: {count: 1, per: 1h}", "05T10:00");
    deliver(&world, "a", &[by("alice", "1", "05T09:50")]).await;
    // One alert of many findings, and many alerts.
    let burst: Vec<Value> = (0..1_200).map(|number| by("bob", &format!("b{number}"), "05T09:51")).collect();
    let users: Vec<Value> =
        (0..300).map(|number| by(&format!("user{number}"), &format!("u{number}"), "05T09:52")).collect();
    let outcome = deliver(&world, "b", &[burst, users].concat()).await;
    assert_eq!(held(&outcome.counts, Hold::Capped), 1_500);
    drop(world.alerts());
    at(&world, "05T11:00");
    assert_eq!(tick(&world).await.summaries, 1);
    let alert = &world.alerts()[0];
    let summary = told_back(alert);
    assert_eq!((&summary["capped"], summary["findings"].as_array().unwrap().len()), (&json!(1_500), 1_000));
    assert_eq!((&summary["callers"][0]["count"], summary["events"].as_array().unwrap().len()), (&json!(1_200), 10));
    assert!(alert.ocsf.contains("500 of 1500 finding uids were left out"), "{}", alert.ocsf);
    assert_eq!(story(alert).more.last().unwrap(), "and 1491 more");
    assert!(fact(alert, "Who").ends_with(", 296 other callers"), "{}", fact(alert, "Who"));
    assert!(alert.sns_message().len() < trailhound::notify::MAX_MESSAGE_BYTES);
    let state = &world.pipeline.state;
    let left = state.page(None, world.pipeline.clock.now()).await.unwrap().items;
    assert!(left.iter().all(|item| !item.key.partition.starts_with("Q#") || item.key.sort == "-"), "{left:?}");
}

#[tokio::test]
async fn hostile_texts_in_a_summary_are_cleaned_and_cut() {
    let world = world(NIGHT, "05T23:00");
    let nasty = "<!channel> *bold* \u{202e}\n".repeat(200);
    let hostile = with(
        by("alice", "1", "05T22:50"),
        &[("/sourceIPAddress", json!(nasty)), ("/userIdentity/arn", json!(nasty)), ("/awsRegion", json!(nasty))],
    );
    deliver(&world, "a", &[hostile]).await;
    at(&world, "06T06:00");
    tick(&world).await;
    let alert = &world.alerts()[0];
    let chat: Value = serde_json::from_str(&alert.chat).unwrap();
    assert!(!alert.text.contains('\u{202e}') && !chat["content"].to_string().contains("<!channel>"), "{chat}");
    assert!(alert.sns_message().len() < 20_000);
}

#[tokio::test]
async fn an_item_that_cannot_be_understood_is_named_and_hides_no_other() {
    let world = world(NIGHT, "05T23:00");
    deliver(&world, "a", &[by("alice", "1", "05T22:50"), by("bob", "2", "05T22:51")]).await;
    let (state, now) = (&world.pipeline.state, world.pipeline.clock.now());
    let mut kept = state.page(None, now).await.unwrap().items;
    kept.retain(|item| item.key.partition.starts_with("Q#"));
    kept.truncate(1);
    kept[0].value = r#"{"rule":"test"}"#.to_owned();
    state.put(&kept).await.unwrap();
    at(&world, "06T06:00");
    let counts = tick(&world).await;
    assert_eq!((counts.summaries, counts.state_failures), (1, 1));
    assert_eq!((tick(&world).await.state_failures, world.subjects().len()), (1, 1), "it stays, and is named each time");
}

#[tokio::test]
async fn limits_that_are_taken_away_lose_nothing() {
    for rules in [
        limited("level: low"),
        organised(
            "title: Other\nid: test\nlogsource: {product: aws, service: cloudtrail}\ndetection: {s: {eventName: Other}, condition: s}",
            "off: true",
        ),
    ] {
        let mut world = world(NIGHT, "05T23:00");
        deliver(&world, "a", &[by("alice", "1", "05T22:50")]).await;
        // The next process has another configuration; then the one after that has nothing to look for.
        (world.pipeline.rules, world.pipeline.holding) = (rules, Holding::default());
        assert_eq!(
            (tick(&world).await.summaries, tick(&world).await.state_calls, tick(&world).await.state_calls),
            (1, 1, 0)
        );
        let subjects = world.subjects();
        assert!(subjects[0].ends_with("1 held back: Trail stopped in prod eu-west-1"), "{subjects:?}");
    }
}

#[tokio::test]
async fn an_alert_that_comes_again_takes_no_second_place() {
    let world = world(TWO_AN_HOUR, "05T10:00");
    world.pipeline.publisher.fails.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        let outcome = deliver(&world, "a", &[by("alice", "1", "05T09:50")]).await;
        assert_eq!((failed(&outcome).len(), outcome.counts.findings_failed), (1, 1));
    }
    world.pipeline.publisher.fails.store(false, Ordering::Relaxed);
    let both = [by("alice", "1", "05T09:50"), by("bob", "2", "05T09:51")];
    assert_eq!(deliver(&world, "b", &both).await.counts.alerts, 2);
}
