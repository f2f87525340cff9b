//! Correlations, from trail files to what people are told.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use trailhound::alerting::Hold;

use crate::support::{World, compile, failed, record, rules, trail_file, with};

/// Rules to correlate: one a document, each with a name.
pub(crate) fn base(names: &[(&str, &str)]) -> String {
    let document = |(name, event): &(&str, &str)| {
        format!(
            "title: {name}\nid: {name}\nname: {name}\nlogsource: {{product: aws, service: cloudtrail}}\ndetection: {{sel: {{eventName: {event}}}, condition: sel}}\n---\n"
        )
    };
    names.iter().map(document).collect()
}

pub(crate) fn correlation(body: &str) -> String {
    format!("title: Adds up\nid: adds-up\nlevel: high\ncorrelation: {body}\n")
}

pub(crate) fn call(name: &str, id: &str, time: &str) -> Value {
    with(record(name, id), &[("/eventTime", json!(format!("2026-11-05T{time}Z")))])
}

pub(crate) fn by(user: &str, record: Value) -> Value {
    with(record, &[("/userIdentity/userName", json!(user))])
}

pub(crate) const BURST: &str =
    "{type: event_count, rules: [list], group-by: [userIdentity.userName], timespan: 5m, condition: {gte: 3}}";

#[tokio::test]
async fn events_that_add_up_are_one_alert_that_names_them() {
    let world = World::new(rules(&(base(&[("list", "ListUsers")]) + &correlation(BURST))));
    let events = [
        call("ListUsers", "1", "10:00:00"),
        by("bob", call("ListUsers", "2", "10:00:30")),
        call("ListUsers", "3", "10:04:00"),
        call("ListUsers", "4", "10:05:00"),
    ];
    let outcome = world.notify(&[&world.put("a", &trail_file(&events))]).await;
    assert_eq!((outcome.counts.matches, outcome.counts.parts, outcome.counts.episodes), (4, 4, 1));
    let alerts = world.alerts();
    assert_eq!(alerts.len(), 1);
    insta::assert_snapshot!(alerts[0].text);
}

#[tokio::test]
async fn a_window_reaches_over_files_late_and_redelivered_events() {
    let world = World::new(rules(&(base(&[("list", "ListUsers")]) + &correlation(BURST))));
    let last = world.put("last", &trail_file(&[call("ListUsers", "3", "10:04:00")]));
    let first = world.put("first", &trail_file(&[call("ListUsers", "1", "10:00:00")]));
    let between = world.put("between", &trail_file(&[call("ListUsers", "2", "10:02:00")]));
    for key in [&last, &first, &last, &first] {
        world.notify(&[key]).await;
        assert_eq!(world.subjects(), [""; 0], "two events are not three, however often they are delivered");
    }
    world.notify(&[&between]).await;
    assert_eq!(world.subjects().len(), 1);
    let again = world.notify(&[&between, &last]).await;
    assert_eq!((world.subjects().len(), again.counts.held[&Hold::ToldBefore]), (0, 1));
}

#[tokio::test]
async fn what_could_not_be_told_comes_again() {
    let world = World::new(rules(&(base(&[("list", "ListUsers")]) + &correlation(BURST))));
    let early = world.put("a", &trail_file(&[call("ListUsers", "1", "10:00:00"), call("ListUsers", "2", "10:01:00")]));
    let late = world.put("b", &trail_file(&[call("ListUsers", "3", "10:02:00")]));
    world.notify(&[&early]).await;
    world.pipeline.publisher.fails.store(true, Ordering::Relaxed);
    assert_eq!(failed(&world.notify(&[&late]).await), ["m0"]);
    world.pipeline.publisher.fails.store(false, Ordering::Relaxed);
    assert_eq!(failed(&world.notify(&[&late]).await), [""; 0]);
    assert_eq!(world.subjects().len(), 1);
}

#[tokio::test]
async fn rules_in_order_and_correlations_of_correlations() {
    let chain = base(&[("fail", "ConsoleLogin"), ("grant", "AttachUserPolicy")])
        + "title: Many\nid: many\nname: many\ncorrelation: {type: event_count, rules: [fail], group-by: [sourceIPAddress], timespan: 5m, condition: {gte: 2}}\n---\n"
        + &correlation(
            "{type: temporal_ordered, rules: [many, grant], group-by: [userIdentity.userName], timespan: 1h}",
        );
    let world = World::new(rules(&chain));
    let fails = [call("ConsoleLogin", "1", "10:00:00"), call("ConsoleLogin", "2", "10:01:00")];
    let before = world.put("before", &trail_file(&[call("AttachUserPolicy", "0", "09:59:00")]));
    world.notify(&[&world.put("fails", &trail_file(&fails)), &before]).await;
    assert_eq!(world.subjects(), [""; 0], "the other way round is no match, and the part is not told by itself");
    let other = by("bob", call("AttachUserPolicy", "3", "10:10:00"));
    world.notify(&[&world.put("other", &trail_file(&[other]))]).await;
    assert_eq!(world.subjects(), [""; 0]);
    world.notify(&[&world.put("grant", &trail_file(&[call("AttachUserPolicy", "4", "10:30:00")]))]).await;
    assert_eq!(world.subjects(), ["[HIGH] Adds up: alice in 111122223333 eu-west-1"]);
}

/// What completes the outer pattern may have come before what completes the inner one.
#[tokio::test]
async fn a_late_event_of_an_inner_correlation_is_told_of_by_the_outer() {
    let chain = base(&[("fail", "ConsoleLogin"), ("grant", "AttachUserPolicy")])
        + "title: Many\nid: many\nname: many\ncorrelation: {type: event_count, rules: [fail], group-by: [sourceIPAddress], timespan: 5m, condition: {gte: 2}}\n---\n"
        + &correlation("{type: temporal, rules: [many, grant], group-by: [userIdentity.userName], timespan: 1h}");
    let world = World::new(rules(&chain));
    let early = [call("ConsoleLogin", "2", "10:01:00"), call("AttachUserPolicy", "3", "10:30:00")];
    world.notify(&[&world.put("early", &trail_file(&early))]).await;
    assert_eq!(world.subjects(), [""; 0]);
    let late = world.put("late", &trail_file(&[call("ConsoleLogin", "1", "10:00:00")]));
    world.notify(&[&late]).await;
    assert_eq!(world.subjects().len(), 1);
    world.notify(&[&late]).await;
    assert_eq!(world.subjects().len(), 0);
}

#[tokio::test]
async fn aliases_generate_and_values() {
    let by_address = base(&[("list", "ListUsers"), ("get", "GetUser")])
        + &correlation(
            "{type: value_count, rules: [list, get], group-by: [who], timespan: 5m, condition: {field: awsRegion, gt: 1},
  aliases: {who: {list: userIdentity.userName, get: requestParameters.userName}}, generate: true}",
        );
    let world = World::new(rules(&by_address));
    let elsewhere = with(
        call("GetUser", "2", "10:00:10"),
        &[("/requestParameters", json!({"userName": "alice"})), ("/awsRegion", json!("us-east-1"))],
    );
    // Without the field that names its group it counts for none, and that is counted.
    let groupless = call("GetUser", "3", "10:00:20");
    let events = [call("ListUsers", "1", "10:00:00"), elsewhere, groupless];
    let outcome = world.notify(&[&world.put("a", &trail_file(&events))]).await;
    assert_eq!((outcome.counts.parts, outcome.counts.incomplete, outcome.counts.episodes), (0, 1, 1));
    assert!(world.subjects().iter().any(|subject| subject.contains("Adds up")));
}

#[tokio::test]
async fn what_has_no_number_adds_nothing_to_a_sum_and_is_counted() {
    let sum = "{type: value_sum, rules: [list], timespan: 5m, condition: {field: requestParameters.n, gte: 5}}";
    let world = World::new(rules(&(base(&[("list", "ListUsers")]) + &correlation(sum))));
    let numbered =
        |id: &str, n: Value| with(call("ListUsers", id, "10:00:00"), &[("/requestParameters", json!({"n": n}))]);
    let events = [numbered("1", json!(3)), numbered("2", json!("2")), numbered("3", json!("many"))];
    let outcome = world.notify(&[&world.put("a", &trail_file(&events))]).await;
    assert_eq!((outcome.counts.incomplete, outcome.counts.episodes), (1, 1));
}

#[tokio::test]
async fn a_dry_run_is_counted_and_not_sent() {
    let yaml = base(&[("list", "ListUsers")]) + &correlation(BURST) + "trailhound: {mode: dry-run}\n";
    let world = World::new(rules(&yaml));
    let events: Vec<Value> = (0..3).map(|n| call("ListUsers", &n.to_string(), &format!("10:00:0{n}"))).collect();
    let outcome = world.notify(&[&world.put("a", &trail_file(&events))]).await;
    // The correlation is only tried out, so what it reads is told by itself.
    assert_eq!((outcome.counts.held[&Hold::DryRun], outcome.counts.parts), (1, 0));
    assert_eq!(world.subjects(), ["[MEDIUM] list: alice in 111122223333 eu-west-1"]);
}

#[test]
fn what_does_not_fit_together_is_said() {
    let summaries = |yaml: &str, config: &str| -> Vec<String> {
        compile(yaml, config).1.iter().map(trailhound::yaml::Diagnostic::summary).collect()
    };
    let two = base(&[("list", "ListUsers"), ("get", "GetUser")]);
    let burst = correlation(BURST);
    let circle = "title: A\nid: a\ncorrelation: {type: temporal, rules: [b], timespan: 5m}\n---\ntitle: B\nid: b\ncorrelation: {type: temporal, rules: [a], timespan: 5m}\n";
    let first_seen = two.replace("\n---\n", "\ntrailhound: {first_seen: {entity: awsRegion, value: eventName}}\n---\n");
    let filter = "---\ntitle: F\nlogsource: {product: aws}\nfilter: {rules: [adds-up, old, lst], s: {awsRegion: x}, condition: not s}\n";
    let old = base(&[("old", "GetUser")]).replace("title: old", "title: old\nstatus: deprecated");
    let errors = [
        summaries(&(two.clone() + &old + &burst + filter), ""),
        summaries(&(two.clone() + &burst.replace("[list]", "[lst]")), ""),
        summaries(&(two.clone() + &burst), "rules: {list: {off: true}}"),
        summaries(
            &(base(&[("list", "ListUsers"), ("other", "GetUser")]).replace("name: other", "name: list") + &burst),
            "",
        ),
        summaries(&(two.replace("id: list", "id: first") + &burst.replace("[list]", "[list, first]")), ""),
        summaries(&(two.replace("title: list", "title: list\nstatus: deprecated") + &burst), ""),
        summaries(&(two.replace("name: list", "").replace("id: list", "id: first") + &burst), ""),
        summaries(
            &(two.clone() + &burst.replace("userIdentity.userName]", "who], aliases: {who: {lst: awsRegion}}")),
            "",
        ),
        summaries(&(two.clone() + circle), ""),
        summaries(&(first_seen + &burst), ""),
        summaries(&(two.clone() + &burst), "rules: {adds-up: {exceptions: [{awsRegion: x}]}}"),
        summaries(&(two.clone() + &burst + "---\n" + &burst), ""),
        summaries(&(two.clone() + &burst + "trailhound: {alert: {dedup: [awsRegion]}}\n"), ""),
        summaries(&(two + &burst.replace("userIdentity.userName", "derived.principle")), ""),
    ];
    insta::assert_snapshot!(errors.concat().join("\n"));
}

/// As the specification has it: an alias goes by the rule's name, whatever the list calls it.
#[tokio::test]
async fn an_alias_may_call_a_rule_by_its_name_where_the_list_has_its_id() {
    let yaml = base(&[("list", "ListUsers")]).replace("id: list", "id: 11111111-2222-4333-8444-555555555555")
        + &correlation(
            "{type: event_count, rules: [11111111-2222-4333-8444-555555555555], group-by: [who], timespan: 5m,
  condition: {gte: 2}, aliases: {who: {list: userIdentity.userName}}}",
        );
    let world = World::new(rules(&yaml));
    let events = [call("ListUsers", "1", "10:00:00"), call("ListUsers", "2", "10:00:01")];
    world.notify(&[&world.put("a", &trail_file(&events))]).await;
    assert_eq!(world.subjects().len(), 1);
}

/// A rule that is part of a correlation which doesn't load must not fall silent.
#[test]
fn the_parts_of_a_rejected_correlation_are_told_by_themselves() {
    let yaml = base(&[("list", "ListUsers")]) + &correlation(&BURST.replace("[list]", "[list, lst]"));
    let (rules, errors) = compile(&yaml, "");
    assert_eq!(errors.len(), 1);
    let raw = record("ListUsers", "1").to_string();
    let record = trailhound::trail::Record::parse(0, raw.as_bytes()).unwrap();
    assert!(rules.matches(&record)[0].is_told());
}

/// Groups that share an alert share its window, not its story.
#[tokio::test]
async fn an_episode_of_another_group_is_held_back_for_the_window_and_no_longer() {
    let body = "{type: event_count, rules: [list], group-by: [userIdentity.userName, awsRegion], timespan: 1h, condition: {gte: 2}}";
    let yaml = base(&[("list", "ListUsers")])
        + &correlation(body)
        + "trailhound: {alert: {dedup: [userIdentity.userName], window: 30m}}\n";
    let world = World::new(rules(&yaml));
    let pair = |region: &str, first: &str, second: &str| {
        [first, second]
            .map(|time| with(call("ListUsers", &format!("{region}{time}"), time), &[("/awsRegion", json!(region))]))
    };
    world.notify(&[&world.put("a", &trail_file(&pair("eu-west-1", "10:00:00", "10:01:00")))]).await;
    assert_eq!(world.subjects().len(), 1);
    let outcome = world.notify(&[&world.put("b", &trail_file(&pair("us-east-1", "10:02:00", "10:20:00")))]).await;
    assert_eq!((world.subjects().len(), outcome.counts.held[&Hold::Repeated]), (0, 1));
    world.notify(&[&world.put("c", &trail_file(&pair("ap-south-1", "10:30:00", "10:40:00")))]).await;
    let alerts = world.alerts();
    assert_eq!(alerts.len(), 1, "an attack elsewhere is not hidden by the first one");
    assert!(alerts[0].text.contains("Held back since the last alert: 1 more"), "{}", alerts[0].text);
}

#[tokio::test]
async fn an_event_with_more_values_than_an_item_holds_counts_and_says_so() {
    let body = "{type: value_count, rules: [list], timespan: 5m, condition: {field: requestParameters.ids, gte: 150}}";
    let world = World::new(rules(&(base(&[("list", "ListUsers")]) + &correlation(body))));
    let event = |id: &str| {
        let ids: Vec<String> = (0..1000).map(|n| format!("{id}{n}{}", "\u{1}".repeat(190))).collect();
        with(call("ListUsers", id, "10:00:00"), &[("/requestParameters", json!({"ids": ids}))])
    };
    for (name, alerts) in [("a", 0), ("b", 1)] {
        let outcome = world.notify(&[&world.put(name, &trail_file(&[event(name)]))]).await;
        assert_eq!((failed(&outcome).len(), outcome.counts.incomplete), (0, 1));
        assert_eq!(world.subjects().len(), alerts);
    }
}
