//! Alerts that go to further topics, besides the usual one or instead.

use std::sync::atomic::Ordering;

use trailhound::engine::Organisation;
use trailhound::outputs::Topic;
use trailhound::rule_pack::{Loaded, RuleSource, collect};
use trailhound::yaml::SourceFile;

use crate::support::{TODAY, World, failed, record, rule, rules, trail_file};

const CRITICAL: &str = "arn:aws:sns:eu-west-1:111122223333:critical";
const ALL: &str = "arn:aws:sns:eu-west-1:111122223333:all";

fn organisation(yaml: &str) -> Organisation {
    Organisation::parse(&SourceFile::new("trailhound.yaml", yaml)).unwrap()
}

fn topics(yaml: &str) -> Vec<Topic> {
    organisation(yaml).outputs.topics
}

/// Two rules: the first is critical, the second high.
fn world(topics: Vec<Topic>) -> World {
    let high = rule("  sel: {eventName: StopLogging}\n  condition: sel\n");
    let critical = high.replace("id: test", "id: worse").replace("level: high", "level: critical");
    let critical = critical.replace("StopLogging", "DeleteTrail");
    let mut world = World::new(rules(&format!("{high}---\n{critical}")));
    world.pipeline.handling.topics = topics;
    world
}

/// Rule and topic of each alert, sorted.
fn told(world: &World) -> Vec<(String, Option<String>)> {
    let mut told: Vec<_> = world.alerts().into_iter().map(|alert| (alert.story.rule.id, alert.topic)).collect();
    told.sort();
    told
}

fn entry(rule: &str, topic: Option<&str>) -> (String, Option<String>) {
    (rule.to_owned(), topic.map(str::to_owned))
}

#[tokio::test]
async fn an_alert_goes_to_every_topic_that_it_is_meant_for() {
    let world = world(topics(&format!(
        "topics: [{{arn: {CRITICAL}, when: {{level: critical}}, instead: true}}, {{arn: {ALL}}}]"
    )));
    let key = world.put("t", &trail_file(&[record("StopLogging", "e-1"), record("DeleteTrail", "e-2")]));
    let outcome = world.notify(&[&key]).await;
    assert_eq!(
        told(&world),
        [entry("test", None), entry("test", Some(ALL)), entry("worse", Some(ALL)), entry("worse", Some(CRITICAL))]
    );
    assert_eq!((outcome.counts.alerts, failed(&outcome).len()), (2, 0));
}

#[tokio::test]
async fn a_topic_that_refuses_keeps_the_alert_from_no_other_and_it_comes_again() {
    let world = world(topics(&format!("topics: [{{arn: {ALL}}}]")));
    world.pipeline.publisher.fails_once.store(true, Ordering::Relaxed);
    let key = world.put("t", &trail_file(&[record("StopLogging", "e-1")]));
    let outcome = world.notify(&[&key]).await;
    assert_eq!(failed(&outcome), ["m0"]);
    assert_eq!(told(&world), [entry("test", Some(ALL))]);
    let outcome = world.notify(&[&key]).await;
    assert!(failed(&outcome).is_empty());
    assert_eq!(told(&world), [entry("test", None), entry("test", Some(ALL))]);
    world.notify(&[&key]).await;
    assert_eq!(told(&world), []);
}

#[test]
fn a_rule_that_is_routed_and_not_there_is_named() {
    let organisation = organisation(&format!(
        "topics: [{{arn: {ALL}, when: {{rule: [nobody, c9615467-ea64-423f-95f2-c1930697fe9b]}}}}]\nchannels: {{hub: {{security_hub: {{}}, when: {{rule: noone}}}}}}"
    ));
    let loaded = Loaded::compile(&collect(&[RuleSource::CORE]), &organisation, TODAY);
    let stray: Vec<String> = loaded.stray.iter().map(|error| error.summary()).collect();
    assert!(stray[0].contains("trailhound.yaml:2:") && stray[0].contains("no rule has the id `noone`"), "{stray:?}");
    assert!(stray[1].contains("no rule has the id `nobody`"), "{stray:?}");
    assert_eq!(loaded.topics.len(), 1);
}
