//! First-seen rules over several invocations.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use trailhound::alerting::{Hold, Item};
use trailhound::engine::RuleSet;
use trailhound::ports::{Clock as _, StateStore as _};
use trailhound::yaml::Diagnostic;

use crate::support::{Fails, World, compile, fact, failed, record, rule, rules, trail_file, with};

const LEARNING_A_DAY: &str = "
trailhound:
  first_seen: {entity: [derived.principal], value: [sourceIPAddress], history: 10d, learning: 1d}
";

fn world() -> World {
    let yaml = rule("  sel: {eventName: GetUser}\n  condition: sel") + LEARNING_A_DAY;
    World::new(rules(&yaml.replace("title: Test", "title: New address")))
}

/// With a rule of single events besides, and without its memory.
fn away() -> World {
    let yaml = rule("  sel: {eventName: GetUser}\n  condition: sel")
        + LEARNING_A_DAY
        + "---\n"
        + &rule("  sel: {eventName: StopLogging}\n  condition: sel").replace("id: test", "id: stop");
    let world = World::new(rules(&yaml));
    world.pipeline.state.fails(Fails::Away);
    world
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
    let new = "203.0.113.9 for arn:aws:iam::111122223333:user/alice (memory reaches back 10 days at most)";
    assert_eq!(fact(alert, "New"), new);
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
    let world = away();
    let (quiet, loud) = (
        world.put("quiet", &trail_file(&[call("1", "01T10:00:00", "198.51.100.1")])),
        world.put("loud", &trail_file(&[record("StopLogging", "2")])),
    );
    let outcome = world.notify(&[&quiet, &loud]).await;
    assert_eq!(failed(&outcome), ["m0"], "the first-seen rule's message comes again");
    let alerts = world.alerts();
    assert_eq!(alerts.len(), 1);
    assert!(alerts[0].text.contains("could not be asked"), "{}", alerts[0].text);
    let what = "asked for sightings, for earlier alerts, for what was held back, and told of the new one";
    assert_eq!(outcome.counts.state_failures, 4, "{what}");
}

/// What waits brings the other findings of its file again and again.
#[tokio::test]
async fn while_the_memory_is_away_a_process_tells_nothing_twice() {
    let world = away();
    let calls = [call("1", "01T10:00:00", "198.51.100.1"), record("StopLogging", "2")];
    let key = world.put("a", &trail_file(&calls));
    let told = async || {
        let outcome = world.notify(&[&key]).await;
        (failed(&outcome).len(), world.subjects().len(), outcome.counts.held.get(&Hold::ToldBefore).copied())
    };
    assert_eq!(told().await, (1, 1, None));
    assert_eq!(told().await, (1, 0, Some(1)));
    let next = world.put("b", &trail_file(&[record("StopLogging", "3")]));
    let outcome = world.notify(&[&next]).await;
    assert_eq!((world.subjects().len(), outcome.counts.held[&Hold::Repeated]), (0, 1));
    world.pipeline.state.fails(None);
    assert_eq!(told().await, (0, 0, Some(1)), "nobody could write down that it was told, but this process knows");
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
    let list: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    let record = with(record("GetUser", "1"), &[("/requestParameters", json!({"a": list, "b": list}))]);
    let outcome = world.notify(&[&world.put("a", &trail_file(&[record]))]).await;
    assert_eq!((outcome.counts.matches, outcome.counts.incomplete), (1000, 1));
}

const ORGANISATION: &str = "
trusted_networks: [203.0.113.0/25]
placeholders: {office: [198.51.100.7, '2001:db8:aaaa::/48'], rooms: [192.0.2.0/24, lobby]}
";

/// A rule about source addresses, with more in its `first_seen`. It alerts from the first event on.
fn about_addresses(members: &str) -> (RuleSet, Vec<Diagnostic>) {
    let first_seen = format!("{{entity: derived.principal, value: sourceIPAddress, learning: 0d{members}}}");
    let yaml = rule("  sel: {eventName: GetUser}\n  condition: sel") + "\ntrailhound:\n  first_seen: " + &first_seen;
    compile(&yaml, ORGANISATION)
}

fn world_of(members: &str) -> World {
    let (rules, errors) = about_addresses(members);
    assert!(errors.is_empty(), "{}", errors[0]);
    World::new(rules)
}

/// What is told as new, with a file for each address.
async fn new_values(members: &str, addresses: &[&str]) -> Vec<String> {
    let world = world_of(members);
    for (minute, address) in addresses.iter().enumerate() {
        let event = call(&minute.to_string(), &format!("01T10:{minute:02}:00"), address);
        world.notify(&[&world.put(&minute.to_string(), &trail_file(&[event]))]).await;
    }
    let new = |alert| fact(alert, "New").split_once(" (").unwrap().0.to_owned();
    world.alerts().iter().map(new).collect()
}

#[tokio::test]
async fn the_addresses_of_one_network_are_one_value() {
    let addresses = ["203.0.113.7", "203.0.113.200", "203.0.112.7", "sns.amazonaws.com", "::ffff:203.0.113.9"];
    assert_eq!(
        new_values(", network: {ipv4: 24}", &addresses).await,
        [
            "203.0.113.0/24 for arn:aws:iam::111122223333:user/alice",
            "203.0.112.0/24 for arn:aws:iam::111122223333:user/alice",
            "sns.amazonaws.com for arn:aws:iam::111122223333:user/alice",
        ]
    );
}

#[tokio::test]
async fn ipv4_is_exact_and_ipv6_goes_by_the_64_unless_the_rule_says_otherwise() {
    let addresses = ["198.51.100.1", "198.51.100.2", "2001:db8::1", "2001:db8:0:0:9::2", "2001:db8:0:1::1"];
    let values = async |members| {
        let new = new_values(members, &addresses).await;
        new.iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values("").await, ["198.51.100.1", "198.51.100.2", "2001:db8::/64", "2001:db8:0:1::/64"]);
    let exact = ["198.51.100.1", "198.51.100.2", "2001:db8::1", "2001:db8::9:0:0:2", "2001:db8:0:1::1"];
    assert_eq!(values(", network: {ipv6: 128}").await, exact);
    assert_eq!(values(", network: {ipv4: 30, ipv6: 32}").await, ["198.51.100.0/30", "2001:db8::/32"]);
}

#[tokio::test]
async fn an_address_of_an_ignored_network_never_counts() {
    let ignored = ["203.0.113.5", "198.51.100.7", "::ffff:192.0.2.1", "2001:db8:aaaa:5::1"];
    let beside = ["203.0.113.130", "198.51.100.8", "192.0.3.1", "2001:db8:aaab::1"];
    let addresses = [ignored, beside].concat();
    let events: Vec<Value> =
        addresses.iter().enumerate().map(|(id, address)| call(&id.to_string(), "01T10:00:00", address)).collect();
    let world = world_of(", ignore: {networks: [trusted, '%office%', 192.0.2.0/24]}");
    let outcome = world.notify(&[&world.put("a", &trail_file(&events))]).await;
    let counts = outcome.counts;
    assert_eq!((counts.excluded, counts.incomplete), (4, 0));
    // What they make known is the entity, once.
    assert_eq!((counts.matches, counts.collapsed, counts.findings, counts.held[&Hold::Known]), (8, 3, 5, 1));
    assert_eq!(world.subjects().len(), 4);
    let world = world_of("");
    let outcome = world.notify(&[&world.put("a", &trail_file(&events))]).await;
    assert_eq!((outcome.counts.excluded, outcome.counts.findings, world.subjects().len()), (0, 8, 8));
}

#[tokio::test]
async fn of_several_addresses_those_that_are_not_ignored_count() {
    let yaml = rule("  sel: {eventName: GetUser}\n  condition: sel")
        + "\ntrailhound: {first_seen: {entity: awsRegion, value: [requestParameters.from, eventName], learning: 0d, ignore: {networks: 10.0.0.0/8}}}";
    let world = World::new(rules(&yaml));
    let from = |id: &str, from: Value| with(record("GetUser", id), &[("/requestParameters", json!({"from": from}))]);
    let private: Vec<String> = (0..2000).map(|n| format!("10.0.{}.{}", n / 250, n % 250)).collect();
    let mixed = [private.as_slice(), &["203.0.113.9".to_owned()]].concat();
    let events = [from("1", json!(mixed)), from("2", json!("10.1.2.3")), from("3", json!(null))];
    let outcome = world.notify(&[&world.put("a", &trail_file(&events))]).await;
    let counts = outcome.counts;
    assert_eq!((counts.excluded, counts.incomplete, counts.alerts), (2001, 1, 1), "event 3 lacks the field");
    assert!(fact(&world.alerts()[0], "New").starts_with("203.0.113.9 + GetUser for eu-west-1 ("));
}

/// Whoever always came from the office, and now comes from elsewhere.
#[tokio::test]
async fn what_never_counts_makes_its_entity_known() {
    for ignore in ["", ", ignore: {networks: 198.51.100.0/24}"] {
        let first_seen = LEARNING_A_DAY.replace("learning: 1d", &format!("learning: 1d{ignore}"));
        let world = World::new(rules(&(rule("  sel: {eventName: GetUser}\n  condition: sel") + &first_seen)));
        for (name, time, address, alerts) in [
            ("a", "01T10:00:00", "198.51.100.1", 0),
            ("b", "01T11:00:00", "198.51.100.1", 0),
            ("c", "03T10:00:00", "203.0.113.1", 1),
        ] {
            world.notify(&[&world.put(name, &trail_file(&[call(name, time, address)]))]).await;
            assert_eq!(world.subjects().len(), alerts, "{ignore} {name}");
        }
    }
}

#[tokio::test]
async fn calls_of_services_count_unless_the_rule_ignores_them() {
    let by_athena = |event| with(event, &[("/userIdentity/invokedBy", json!("athena.amazonaws.com"))]);
    let events = [
        call("1", "01T10:00:00", "198.51.100.1"),
        by_athena(call("2", "01T10:01:00", "198.51.100.2")),
        // By the way also without the field that the rule learns by.
        by_athena(with(call("3", "01T10:02:00", ""), &[("/sourceIPAddress", json!(null))])),
    ];
    for (members, expected) in [("", (0, 1, 2)), (", ignore: {service_calls: true}", (2, 0, 1))] {
        let world = world_of(members);
        let counts = world.notify(&[&world.put("a", &trail_file(&events))]).await.counts;
        assert_eq!((counts.excluded, counts.incomplete, counts.findings), expected, "{members}");
    }
}

/// A rule that learns of the wrong things would be silent where it should alert.
#[test]
fn what_cannot_be_grouped_or_ignored_is_said() {
    let errors = [
        "network: 24",
        "network: {ipv5: 24}",
        "network: {ipv4: 7}",
        "network: {ipv4: 33}",
        "network: {ipv4: /24}",
        "network: {ipv6: 15}",
        "network: {ipv6: 129}",
        "ignore: trusted",
        "ignore: {service_cals: true}",
        "ignore: {service_calls: maybe}",
        "ignore: {networks: [[trusted]]}",
        "ignore: {networks: [192.0.2.0/24, 192.0.2.0/33]}",
        "ignore: {networks: [trused]}",
        "ignore: {networks: ['%ofice%']}",
        "ignore: {networks: [trusted, '%rooms%']}",
    ]
    .map(|member| {
        let (rules, errors) = about_addresses(&format!(", {member}"));
        assert_eq!((rules.rules().len(), errors.len()), (0, 1), "{member}");
        errors[0].to_string()
    });
    insta::assert_snapshot!(errors.join("\n\n"));
}

#[tokio::test]
async fn a_record_from_the_far_future_is_not_known_for_ever() {
    let world = world_of("");
    let events = [
        call("1", "05T10:00:00", "198.51.100.1"),
        with(call("2", "05T10:00:00", "203.0.113.1"), &[("/eventTime", json!("2996-11-05T10:00:00Z"))]),
    ];
    world.notify(&[&world.put("a", &trail_file(&events))]).await;
    assert_eq!(world.subjects().len(), 2);
    // It is forgotten by the clock: a day, the history of 90 days, and what is added to it.
    world.pipeline.clock.pass_minutes(93 * 24 * 60);
    let outcome = world.notify(&[&world.put("b", &trail_file(&[call("3", "18T10:00:00", "203.0.113.1")]))]).await;
    assert_eq!(world.subjects().len(), 1, "{:?}", outcome.counts);
}

/// All that it shows would be news at once.
#[tokio::test]
async fn a_rule_that_learns_something_else_learns_anew() {
    let with_rule = |first_seen: &str| rules(&(rule("  sel: {eventName: GetUser}\n  condition: sel") + first_seen));
    let mut world = World::new(with_rule(LEARNING_A_DAY));
    world.notify(&[&world.put("a", &trail_file(&[call("1", "01T10:00:00", "198.51.100.1")]))]).await;
    world.pipeline.rules = with_rule(&LEARNING_A_DAY.replace("[sourceIPAddress]", "[userAgent]"));
    let outcome = world.notify(&[&world.put("b", &trail_file(&[call("2", "05T10:00:00", "198.51.100.1")]))]).await;
    assert_eq!((world.subjects().len(), outcome.counts.held[&Hold::Learning]), (0, 1));
}

/// A damaged item must not stop what is remembered beside it, and rather tells too much than too little.
#[tokio::test]
async fn what_cannot_be_understood_alerts_and_is_written_over() {
    let world = world();
    world.notify(&[&world.put("a", &trail_file(&[call("1", "01T10:00:00", "198.51.100.1")]))]).await;
    let mut told = Vec::new();
    let calls = [
        ("2", "03T10:00:00", "198.51.100.1"),
        ("3", "03T11:00:00", "203.0.113.9"),
        ("4", "03T12:00:00", "203.0.113.9"),
    ];
    for ((id, time, address), kind) in calls.into_iter().zip([Some("S#"), Some("E#"), None]) {
        if let Some(kind) = kind {
            damage(&world, kind).await;
        }
        let outcome = world.notify(&[&world.put(id, &trail_file(&[call(id, time, address)]))]).await;
        assert_eq!(failed(&outcome), [""; 0]);
        told.push((outcome.counts.state_failures, world.subjects().len()));
    }
    assert_eq!(told, [(1, 1), (1, 1), (0, 0)]);
}

/// Damages the items of a kind, and has another process go on.
async fn damage(world: &World, kind: &str) {
    let state = &world.pipeline.state;
    let items = state.page(None, world.pipeline.clock.now()).await.unwrap().items;
    for item in items.into_iter().filter(|item| item.key.partition.starts_with(kind)) {
        state.put(&[Item { value: "{}".into(), ..item }]).await.unwrap();
    }
    world.restart();
}
