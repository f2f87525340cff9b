//! First-seen rules over several invocations.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use trailhound::alerting::Hold;

use crate::support::{Fails, World, failed, record, rule, rules, trail_file, with};

const LEARNING_A_DAY: &str = "
trailhound:
  first_seen: {entity: [derived.principal], value: [sourceIPAddress], history: 10d, learning: 1d}
";

fn world() -> World {
    let yaml = rule("  sel: {eventName: GetUser}\n  condition: sel") + LEARNING_A_DAY;
    World::new(rules(&yaml.replace("title: Test", "title: New address")))
}

fn call(id: &str, time: &str, address: &str) -> Value {
    with(
        record("GetUser", id),
        &[("/eventTime", json!(format!("2026-11-{time}Z"))), ("/sourceIPAddress", json!(address))],
    )
}

#[tokio::test]
async fn an_entity_is_learned_before_its_new_values_alert() {
    let world = world();
    let history = [call("1", "01T10:00:00", "198.51.100.1"), call("2", "01T20:00:00", "198.51.100.2")];
    let outcome = world.notify(&[&world.put("a", &trail_file(&history))]).await;
    assert_eq!(outcome.counts.held[&Hold::Learning], 2);
    assert_eq!(world.subjects(), [""; 0]);

    let day_after = [call("3", "02T10:00:00", "198.51.100.2"), call("4", "02T10:00:01", "203.0.113.9")];
    let outcome = world.notify(&[&world.put("b", &trail_file(&day_after))]).await;
    assert_eq!((outcome.counts.held[&Hold::Known], outcome.counts.alerts), (1, 1));
    let alert = &world.alerts()[0];
    assert!(
        alert.text.contains(
            "New    203.0.113.9 for arn:aws:iam::111122223333:user/alice (memory reaches back 10 days at most)"
        ),
        "{}",
        alert.text
    );
}

#[tokio::test]
async fn two_new_values_of_one_entity_are_two_alerts() {
    let world = world();
    world.notify(&[&world.put("a", &trail_file(&[call("1", "01T10:00:00", "198.51.100.1")]))]).await;
    let new = [
        call("2", "03T10:00:00", "203.0.113.1"),
        call("3", "03T10:01:00", "203.0.113.2"),
        call("4", "03T10:02:00", "203.0.113.1"),
    ];
    world.notify(&[&world.put("b", &trail_file(&new))]).await;
    assert_eq!(world.subjects().len(), 2);
}

#[tokio::test]
async fn a_value_that_was_away_for_longer_than_the_history_is_new_again() {
    let world = world();
    for (name, time, alerts) in [("a", "01T10:00:00", 0), ("b", "11T10:00:00", 0), ("c", "22T10:00:00", 1)] {
        world.notify(&[&world.put(name, &trail_file(&[call(name, time, "198.51.100.1")]))]).await;
        assert_eq!(world.subjects().len(), alerts, "on {time}");
    }
}

#[tokio::test]
async fn a_retry_decides_as_the_first_try_did() {
    let world = world();
    world.notify(&[&world.put("a", &trail_file(&[call("1", "01T10:00:00", "198.51.100.1")]))]).await;
    let key = world.put("b", &trail_file(&[call("2", "03T10:00:00", "203.0.113.1")]));

    world.pipeline.publisher.fails.store(true, Ordering::Relaxed);
    let outcome = world.notify(&[&key]).await;
    assert_eq!((failed(&outcome), outcome.counts.findings_failed), (vec!["m0".to_owned()], 1));

    world.pipeline.publisher.fails.store(false, Ordering::Relaxed);
    // In the meantime the same address shows again, in a later and in an earlier event.
    let meanwhile = [call("3", "03T11:00:00", "203.0.113.1"), call("4", "03T09:00:00", "203.0.113.1")];
    world.notify(&[&world.put("c", &trail_file(&meanwhile))]).await;
    assert_eq!(world.subjects().len(), 0, "what is known is known, whoever still has to tell it");
    world.notify(&[&key]).await;
    assert_eq!(world.subjects().len(), 1);
    let outcome = world.notify(&[&key]).await;
    assert_eq!((world.subjects().len(), outcome.counts.held[&Hold::ToldBefore]), (0, 1));
}

/// The file of the 5th is read first, then the older ones, then the file of the 5th again.
#[tokio::test]
async fn what_was_learned_stays_learned_when_older_files_follow() {
    let world = world();
    let key = world.put("new", &trail_file(&[call("1", "05T10:00:00", "198.51.100.1")]));
    world.notify(&[&key]).await;
    let older = [call("2", "01T10:00:00", "198.51.100.1"), call("3", "02T09:00:00", "198.51.100.2")];
    world.notify(&[&world.put("older", &trail_file(&older))]).await;
    let outcome = world.notify(&[&key]).await;
    assert_eq!((world.subjects().len(), outcome.counts.held[&Hold::Learning]), (0, 1));
}

#[tokio::test]
async fn without_the_memory_first_seen_rules_wait_and_matches_alert() {
    let yaml = rule("  sel: {eventName: GetUser}\n  condition: sel")
        + LEARNING_A_DAY
        + "---\n"
        + &rule("  sel: {eventName: StopLogging}\n  condition: sel").replace("id: test", "id: stop");
    let world = World::new(rules(&yaml));
    world.pipeline.state.fails(Fails::Away);
    let (quiet, loud) = (
        world.put("quiet", &trail_file(&[call("1", "01T10:00:00", "198.51.100.1")])),
        world.put("loud", &trail_file(&[record("StopLogging", "2")])),
    );
    let outcome = world.notify(&[&quiet, &loud]).await;
    assert_eq!(failed(&outcome), ["m0"], "the first-seen rule's message comes again");
    let alerts = world.alerts();
    assert_eq!(alerts.len(), 1);
    assert!(alerts[0].text.contains("could not be asked"), "{}", alerts[0].text);
    assert_eq!(outcome.counts.state_failures, 3, "asked for sightings, for earlier alerts, and told of the new one");
}

#[tokio::test]
async fn a_record_without_the_field_is_counted() {
    let world = world();
    let nameless = with(record("GetUser", "1"), &[("/sourceIPAddress", json!(null))]);
    let outcome = world.notify(&[&world.put("a", &trail_file(&[nameless]))]).await;
    assert_eq!((outcome.counts.incomplete, outcome.counts.findings), (1, 0));
}

/// How records are split into files must not matter.
#[tokio::test]
async fn a_file_that_spans_days_is_learned_like_many_small_ones() {
    let daily: Vec<Value> =
        (1..=9).map(|day| call(&format!("d{day}"), &format!("{day:02}T10:00:00"), "198.51.100.1")).collect();
    // Seen every day in one file, then nine days later: known, though the file's first event is older than the history.
    let world = world();
    world.notify(&[&world.put("daily", &trail_file(&daily))]).await;
    let outcome = world.notify(&[&world.put("next", &trail_file(&[call("n", "18T10:00:00", "198.51.100.1")]))]).await;
    assert_eq!((world.subjects().len(), outcome.counts.held[&Hold::Known]), (0, 1));
    // Away for longer than the history inside one file: news again.
    let gap = [call("g1", "01T10:00:00", "203.0.113.1"), call("g2", "25T10:00:00", "203.0.113.1")];
    let world = self::world();
    world.notify(&[&world.put("gap", &trail_file(&gap))]).await;
    assert_eq!(world.subjects().len(), 1);
}

#[tokio::test]
async fn two_long_lists_are_not_multiplied_without_end() {
    let yaml = rule("  sel: {eventName: GetUser}\n  condition: sel")
        + "\ntrailhound: {first_seen: {entity: [requestParameters.a], value: [requestParameters.b], learning: 0d}}";
    let world = World::new(rules(&yaml));
    let list: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    let record = with(record("GetUser", "1"), &[("/requestParameters", json!({"a": list, "b": list}))]);
    let outcome = world.notify(&[&world.put("a", &trail_file(&[record]))]).await;
    assert_eq!((outcome.counts.matches, outcome.counts.incomplete), (1000, 1));
}
