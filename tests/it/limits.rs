//! Quiet hours and caps: what is held back, and the summary that tells of it. Nothing is lost by either.

mod any_order;
pub(crate) mod told;
mod trouble;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use trailhound::alerting::Hold;
use trailhound::engine::RuleSet;
use trailhound::notify::Notification;
use trailhound::outcome::{Counts, Outcome};

use crate::pipeline::assert_adds_up;
use crate::support::{World, compile, fact, failed, record, rule, sqs, trail_file, with};

pub(crate) const TICK: &str = r#"{"trailhound": "tick"}"#;
const NIGHT: &str = "quiet: {hours: '22:00-06:00'}";
const TWO_AN_HOUR: &str = "max_alerts: {count: 2, per: 1h}";

/// The rule `test` under limits.
pub(crate) fn limited(limits: &str) -> RuleSet {
    let yaml =
        rule("  sel: {eventName: StopLogging}\n  condition: sel\n").replace("title: Test", "title: Trail stopped");
    let about =
        "description: Nobody sees what happens next.\ntrailhound: {alert: {runbook: [Start the trail again.]}}\n";
    organised(&(yaml + about), limits)
}

fn organised(yaml: &str, limits: &str) -> RuleSet {
    let (rules, errors) = compile(yaml, &format!("accounts: {{'111122223333': prod}}\nrules: {{test: {{{limits}}}}}"));
    assert!(errors.is_empty(), "{}", errors[0]);
    rules
}

/// A world at a moment of the 5th of November 2026, a Thursday, or a later day.
fn world(limits: &str, moment: &str) -> World {
    let world = World::new(limited(limits));
    at(&world, moment);
    world
}

fn at(world: &World, moment: &str) {
    world.pipeline.clock.set(&format!("2026-11-{moment}:00Z"));
}

/// Each user is a dedup key of their own.
fn by(user: &str, id: &str, time: &str) -> Value {
    let arn = format!("arn:aws:iam::111122223333:user/{user}");
    with(
        record("StopLogging", id),
        &[
            ("/eventTime", json!(format!("2026-11-{time}:00Z"))),
            ("/userIdentity/userName", json!(user)),
            ("/userIdentity/arn", json!(arn)),
        ],
    )
}

async fn deliver(world: &World, name: &str, records: &[Value]) -> Outcome {
    let outcome = world.notify(&[&world.put(name, &trail_file(records))]).await;
    assert_adds_up(&outcome.counts);
    outcome
}

async fn tick(world: &World) -> Counts {
    let outcome = world.pipeline.handle(TICK).await;
    assert_adds_up(&outcome.counts);
    outcome.counts
}

fn held(counts: &Counts, why: Hold) -> u64 {
    counts.held.get(&why).copied().unwrap_or_default()
}

fn told_back(alert: &Notification) -> Value {
    serde_json::from_str::<Value>(&alert.ocsf).unwrap()["unmapped"]["summary"].clone()
}

/// The ids of the events that an alert or a summary names, with the rule's.
pub(crate) fn events_of(alert: &Notification) -> Vec<String> {
    let finding: Value = serde_json::from_str(&alert.ocsf).unwrap();
    let rule = finding["finding_info"]["analytic"]["uid"].as_str().unwrap();
    let summary = finding["unmapped"]["summary"]["events"].as_array();
    let events = summary.or_else(|| finding["evidences"].as_array()).unwrap().iter();
    events.map(|event| format!("{rule} {}", event["uid"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn what_comes_in_quiet_hours_is_told_once_they_are_over() {
    let world = world(NIGHT, "05T21:59");
    let outcome = deliver(&world, "a", &[by("alice", "1", "05T21:50")]).await;
    assert_eq!((outcome.counts.alerts, world.subjects().len()), (1, 1));

    at(&world, "05T22:00");
    let outcome = deliver(&world, "b", &[by("bob", "2", "05T21:55"), by("carol", "3", "05T21:56")]).await;
    assert_eq!((held(&outcome.counts, Hold::Quiet), outcome.counts.told, failed(&outcome).len()), (2, 0, 0));
    at(&world, "06T05:59");
    let outcome = deliver(&world, "c", &[by("bob", "4", "06T05:50")]).await;
    assert_eq!((held(&outcome.counts, Hold::Quiet), outcome.counts.summaries), (1, 0));
    assert_eq!(world.subjects(), Vec::<String>::new());

    at(&world, "06T06:00");
    let outcome = deliver(&world, "d", &[record("GetUser", "5")]).await;
    assert_eq!((outcome.counts.summaries, outcome.counts.alerts, outcome.counts.told), (1, 0, 0));
    let alerts = world.alerts();
    let mail = format!("Subject: {}\n\n{}", alerts[0].subject, alerts[0].text);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/alerts.md")).unwrap();
    assert!(page.contains(&mail), "docs/alerts.md lacks this mail:\n{mail}");
    assert_eq!(alerts.len(), 1);
    at(&world, "06T07:00");
    assert_eq!((tick(&world).await.summaries, world.subjects().len()), (0, 0), "it is told once");
}

#[tokio::test]
async fn a_redelivery_is_held_once_and_never_told_again() {
    let world = world(NIGHT, "05T23:00");
    let records = [by("alice", "1", "05T22:55"), by("alice", "2", "05T22:56")];
    for _ in 0..2 {
        let outcome = deliver(&world, "a", &records).await;
        assert_eq!(held(&outcome.counts, Hold::Quiet), 2);
        world.restart();
    }
    // Some of its events by another file, with others.
    let outcome = deliver(&world, "b", &[by("alice", "2", "05T22:56"), by("alice", "3", "05T22:58")]).await;
    assert_eq!((held(&outcome.counts, Hold::Quiet), held(&outcome.counts, Hold::Repeated)), (1, 1));
    at(&world, "06T06:00");
    for _ in 0..2 {
        let outcome = deliver(&world, "a", &records).await;
        assert_eq!((outcome.counts.told, held(&outcome.counts, Hold::Quiet)), (0, 2));
    }
    let alerts = world.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!(
        (&told_back(&alerts[0])["quiet"], told_back(&alerts[0])["findings"].as_array().unwrap().len()),
        (&json!(2), 2)
    );
}

#[tokio::test]
async fn what_was_held_back_speaks_for_others_only_until_it_is_told() {
    let world = world(NIGHT, "06T05:50");
    deliver(&world, "a", &[by("alice", "1", "06T05:45")]).await;
    at(&world, "06T05:55");
    let outcome = deliver(&world, "b", &[by("alice", "2", "06T05:50")]).await;
    assert_eq!(held(&outcome.counts, Hold::Repeated), 1);
    // Within the window of the first. But who is awake now was not told of it when it happened.
    at(&world, "06T06:05");
    let outcome = deliver(&world, "c", &[by("alice", "3", "06T06:01")]).await;
    assert_eq!((outcome.counts.told, outcome.counts.summaries), (1, 1));
    let alerts = world.alerts();
    let texts: Vec<bool> =
        alerts.iter().map(|alert| alert.text.contains("Held back since the last alert: 1 more")).collect();
    assert_eq!(texts, [true, false]);
}

#[tokio::test]
async fn a_summary_tells_how_much_was_held_back_as_repetition() {
    let world = world(NIGHT, "05T23:00");
    deliver(&world, "a", &[by("alice", "1", "05T22:00")]).await;
    deliver(&world, "b", &[by("alice", "2", "05T22:10"), by("alice", "3", "05T22:20")]).await;
    deliver(&world, "c", &[by("alice", "4", "05T23:30")]).await;
    at(&world, "06T06:00");
    tick(&world).await;
    assert_eq!(fact(&world.alerts()[0], "Held"), "2 in quiet hours, and 2 repetitions of such");
}

#[tokio::test]
async fn of_a_rule_with_a_cap_so_many_alerts_go_out_from_the_first_on() {
    let world = world(TWO_AN_HOUR, "05T10:00");
    let five = ["alice", "bob", "carol", "dave", "erin"].map(|user| by(user, user, "05T09:50"));
    let outcome = deliver(&world, "a", &five).await;
    assert_eq!((outcome.counts.alerts, held(&outcome.counts, Hold::Capped)), (2, 3));
    world.restart();
    at(&world, "05T10:59");
    let outcome = deliver(&world, "b", &[by("frank", "6", "05T10:50"), by("frank", "7", "05T10:51")]).await;
    assert_eq!((outcome.counts.alerts, held(&outcome.counts, Hold::Capped)), (0, 2));
    drop(world.alerts());
    // The next stretch begins with the next alert, not with the end of the last.
    at(&world, "05T11:00");
    assert_eq!(tick(&world).await.summaries, 1);
    let summary = &world.alerts()[0];
    assert_eq!(told_back(summary)["capped"], 5);
    let who = fact(summary, "Who");
    assert!(
        who.starts_with("arn:aws:iam::111122223333:user/frank: 2, arn:aws:iam::111122223333:user/bob: 1, a"),
        "{who}"
    );
    at(&world, "05T11:40");
    let three = ["gina", "hugo", "ivan"].map(|user| by(user, user, "05T11:35"));
    assert_eq!(deliver(&world, "c", &three).await.counts.alerts, 2);
    at(&world, "05T12:39");
    assert_eq!(deliver(&world, "d", &[by("jane", "8", "05T12:30")]).await.counts.alerts, 0);
    at(&world, "05T12:40");
    assert_eq!(deliver(&world, "e", &[by("kate", "9", "05T12:35")]).await.counts.alerts, 1);
}

#[tokio::test]
async fn what_is_held_waits_for_quiet_hours_to_end_whatever_held_it() {
    let world = world(&format!("{NIGHT}, max_alerts: {{count: 1, per: 1h}}"), "05T21:30");
    let two = [by("alice", "1", "05T21:20"), by("bob", "2", "05T21:21")];
    assert_eq!(held(&deliver(&world, "a", &two).await.counts, Hold::Capped), 1);
    at(&world, "05T22:15");
    // In quiet hours no place is taken.
    let two = [by("carol", "3", "05T22:10"), by("dave", "4", "05T22:11")];
    assert_eq!(held(&deliver(&world, "b", &two).await.counts, Hold::Quiet), 2);
    drop(world.alerts());
    at(&world, "05T22:30");
    assert_eq!(tick(&world).await.summaries, 0, "the stretch is over, and it is quiet");
    at(&world, "06T06:00");
    let outcome = deliver(&world, "c", &[by("erin", "5", "06T05:59")]).await;
    assert_eq!((outcome.counts.summaries, outcome.counts.alerts), (1, 1));
    let alerts = world.alerts();
    assert_eq!(fact(&alerts[1], "Held"), "2 in quiet hours, 1 over the cap");
}

#[tokio::test]
async fn nobody_came_to_tell_before_it_was_quiet_again() {
    let world = world(NIGHT, "05T23:00");
    deliver(&world, "a", &[by("alice", "1", "05T22:50")]).await;
    at(&world, "06T23:00");
    assert_eq!((tick(&world).await.summaries, world.subjects().len()), (0, 0));
    at(&world, "07T06:00");
    assert_eq!(tick(&world).await.summaries, 1);
}

#[tokio::test]
async fn a_rule_that_is_tried_out_takes_no_place_and_is_in_no_summary() {
    let world = world("mode: dry-run, quiet: {hours: '22:00-06:00'}, max_alerts: {count: 1, per: 1h}", "05T21:00");
    let outcome = deliver(&world, "a", &[by("alice", "1", "05T20:50")]).await;
    at(&world, "05T22:00");
    let night = deliver(&world, "b", &[by("bob", "2", "05T21:50")]).await;
    assert_eq!((held(&outcome.counts, Hold::DryRun), held(&night.counts, Hold::DryRun)), (1, 1));
    at(&world, "06T06:00");
    assert_eq!((tick(&world).await.summaries, world.subjects().len()), (0, 0));
}

#[tokio::test]
async fn first_sightings_and_patterns_are_held_back_too() {
    let address = "title: New address\nid: test\nlogsource: {product: aws, service: cloudtrail}\ndetection: {sel: {eventName: GetUser}, condition: sel}
trailhound: {first_seen: {entity: [derived.principal], value: [sourceIPAddress], history: 30d, learning: 0s}}\n";
    let often = "title: Stop\nid: stop\nlogsource: {product: aws, service: cloudtrail}\ndetection: {sel: {eventName: StopLogging}, condition: sel}
---\ntitle: '{x} often'\nid: test\ncorrelation: {type: event_count, rules: [stop], group-by: [userIdentity.userName], timespan: 10m, condition: {gte: 2}}
trailhound: {alert: {title: '{userIdentity.userName} stops and stops'}}\n";
    for (yaml, records, more) in [
        (address, vec![with(record("GetUser", "1"), &[("/eventTime", json!("2026-11-05T22:50:00Z"))])], None),
        (often, vec![by("alice", "1", "05T22:50"), by("alice", "2", "05T22:51")], Some(by("alice", "3", "05T22:52"))),
    ] {
        let world = World::new(organised(yaml, NIGHT));
        at(&world, "05T23:00");
        for again in 0..2 {
            let outcome = deliver(&world, "a", &records).await;
            assert_eq!((held(&outcome.counts, Hold::Quiet), outcome.counts.told), (1, 0), "{again} {yaml}");
            world.restart();
        }
        // The story goes on: it is the same one, before its summary and after.
        if let Some(more) = more {
            assert_eq!(held(&deliver(&world, "b", std::slice::from_ref(&more)).await.counts, Hold::Quiet), 1);
            at(&world, "06T06:00");
            assert_eq!(held(&deliver(&world, "b", &[more]).await.counts, Hold::Quiet), 1);
        }
        at(&world, "06T06:00");
        tick(&world).await;
        let alerts = world.alerts();
        assert_eq!((alerts.len(), &told_back(&alerts[0])["quiet"]), (1, &json!(1)));
        if yaml == often {
            assert!(alerts[0].text.contains("(alice stops and"), "{}", alerts[0].text);
        }
    }
}

#[tokio::test]
async fn what_trailhound_says_of_itself_may_be_quiet_too() {
    let yaml = "title: It fails\nid: test\nlogsource: {product: trailhound}\ndetection: {sel: {eventName: ReadLogFile}, condition: sel}\n";
    let (loaded, quiet) = (
        trailhound::sigma::parse(&trailhound::yaml::SourceFile::new("own.yml", yaml)),
        format!("rules: {{test: {{{NIGHT}}}}}"),
    );
    let organisation =
        trailhound::engine::Organisation::parse(&trailhound::yaml::SourceFile::new("c.yaml", quiet)).unwrap();
    let own = trailhound::rule_pack::Loaded::compile(&loaded, &organisation, crate::support::TODAY).own;
    let mut world = World::new(RuleSet::default());
    world.pipeline.handling.own_rules = own;
    at(&world, "05T23:00");
    let outcome = world.notify(&[&world.put("a", b"nonsense")]).await;
    assert_eq!((held(&outcome.counts, Hold::Quiet), world.subjects().len()), (1, 0));
    at(&world, "06T06:00");
    tick(&world).await;
    assert_eq!(world.subjects(), ["[MEDIUM] 1 held back: It fails in 111122223333 eu-west-1"]);
}

#[tokio::test]
async fn a_tick_may_come_by_itself_or_in_a_message() {
    for payload in [TICK.to_owned(), sqs(&[TICK.to_owned()])] {
        let world = world(NIGHT, "05T23:00");
        deliver(&world, "a", &[by("alice", "1", "05T22:50")]).await;
        at(&world, "06T06:00");
        let outcome = world.pipeline.handle(&payload).await;
        assert_eq!((outcome.counts.summaries, outcome.counts.ignored, outcome.failures.len()), (1, 0, 0));
    }
}

#[tokio::test]
async fn without_limits_a_process_looks_once() {
    let world = World::new(limited("level: low"));
    let calls = [tick(&world).await.state_calls, tick(&world).await.state_calls];
    assert_eq!(calls, [1, 0]);
}
