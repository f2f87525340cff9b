//! How a summary is told, and whom.

use serde_json::{Value, json};
use trailhound::engine::Organisation;
use trailhound::notify::Notification;
use trailhound::rule_pack;
use trailhound::yaml::SourceFile;

use super::{NIGHT, at, by, deliver, organised, tick, told_back, world};
use crate::support::{TODAY, World, fact, rule, story, trail_file, with};

/// Summaries of different kinds, by what they are of.
pub(crate) async fn summaries() -> Vec<(&'static str, Notification)> {
    let elsewhere = |record: Value, region: &str| {
        with(record, &[("/recipientAccountId", json!("444455556666")), ("/awsRegion", json!(region))])
    };
    let one = vec![by("alice", "1", "05T22:50")];
    let several = vec![
        by("alice", "1", "05T22:50"),
        by("alice", "2", "05T22:51"),
        elsewhere(by("bob", "3", "05T22:52"), "us-east-1"),
        elsewhere(by("carol", "4", "05T22:53"), "eu-west-1"),
    ];
    let flood = (0..1_200).map(|number| by(&format!("user{number}"), &number.to_string(), "05T22:50")).collect();
    let mut told = Vec::new();
    for (what, records) in [("one finding", one), ("several places", several), ("a flood", flood)] {
        told.push((what, of(titled(), &records).await));
    }
    told.push(("what trailhound says of itself", of_itself().await));
    told
}

/// The summary of what these records were held back for in the night.
async fn of(rules: trailhound::engine::RuleSet, records: &[Value]) -> Notification {
    let world = World::new(rules);
    at(&world, "05T23:00");
    deliver(&world, "a", records).await;
    at(&world, "06T06:00");
    assert_eq!(tick(&world).await.summaries, 1);
    world.alerts().remove(0)
}

/// A rule whose alerts have a title of the record's making.
fn titled() -> trailhound::engine::RuleSet {
    let yaml = rule("  sel: {eventName: StopLogging}\n  condition: sel\n")
        .replace("title: Test", "title: Trail stopped")
        + "tags: [attack.t1562.008]\nreferences: [https://example.com/a]\nfalsepositives: [A trail that is replaced.]\n"
        + "trailhound: {alert: {title: 'Stopped by {userIdentity.userName}', runbook: [Start it again.], commands: ['aws cloudtrail start-logging --name {requestParameters.name}']}}\n";
    organised(&yaml, NIGHT)
}

async fn of_itself() -> Notification {
    let id = "8f4b3d52-2a0d-4a0b-8a5e-6c3b5a1d9e22";
    let config = SourceFile::new("trailhound.yaml", format!("rules: {{{id}: {{{NIGHT}}}}}"));
    let mut world = world("level: low", "05T23:00");
    world.pipeline.handling.own_rules = rule_pack::load(&[], &Organisation::parse(&config).unwrap(), TODAY).own;
    let keys = ["a", "b"].map(|name| world.put(name, b"no gzip"));
    world.notify(&keys.each_ref().map(String::as_str)).await;
    assert_eq!(world.subjects(), Vec::<String>::new());
    at(&world, "06T06:00");
    assert_eq!(tick(&world).await.summaries, 1);
    world.alerts().remove(0)
}

#[tokio::test]
async fn every_form_tells_it_with_a_sentence_first() {
    for (what, alert) in summaries().await {
        let title = format!("{} held back: {}", story(&alert).count, story(&alert).rule.title);
        let sentence = story(&alert).sentence;
        for (form, told) in alert.forms().as_object().unwrap() {
            // Mail breaks lines; what a text message has is the subject.
            let told = told.to_string().replace("\\n  ", " ").replace("\\n", " ");
            assert!(told.contains(&title), "{what}, {form}: no title in {told}");
            assert!(form == "sms" || told.contains(&sentence), "{what}, {form}: no `{sentence}` in {told}");
            assert!(!told.contains("an unknown caller held") && !told.contains("record 0"), "{what}, {form}: {told}");
            let held = fact(&alert, "Held");
            assert!(form == "sms" || told.contains(&held), "{what}, {form}: no `{held}` in {told}");
        }
    }
}

#[tokio::test]
async fn numbers_and_names_agree() {
    let told = summaries().await;
    let sentence = |what: &str| story(&told.iter().find(|(name, _)| *name == what).unwrap().1).sentence;
    assert_eq!(
        sentence("one finding"),
        "1 finding of this rule was held back in quiet hours, at 2026-11-05 22:50:00 UTC, by alice."
    );
    assert_eq!(
        sentence("several places"),
        "4 findings of this rule were held back in quiet hours, from 2026-11-05 22:50:00 UTC to 2026-11-05 22:53:00 UTC, by alice and 2 other callers."
    );
    let several = &told[1].1;
    assert_eq!(fact(several, "Where"), "prod (111122223333): 2, 444455556666: 2; eu-west-1: 3, us-east-1: 1");
    assert!(story(several).more[2].ends_with(
        "StopLogging on trail/org-trail by bob from 203.0.113.66 in 444455556666 us-east-1 succeeded (Stopped by bob)"
    ));
    assert_eq!(told_back(several)["callers"][0], json!({"value": "arn:aws:iam::111122223333:user/alice", "count": 2}));
}

#[tokio::test]
async fn what_trailhound_held_back_of_itself_was_in_no_log() {
    let alert = of_itself().await;
    let finding: Value = serde_json::from_str(&alert.ocsf).unwrap();
    assert_eq!(finding["metadata"]["log_name"], "trailhound");
    assert_eq!(finding["finding_info"]["types"][1], "Software and Configuration Checks");
    assert_eq!((&told_back(&alert)["quiet"], finding["evidences"].as_array()), (&json!(2), None));
    // Nobody called it.
    assert_eq!((fact(&alert, "Who").as_str(), story(&alert).sentence.ends_with("23:00:00 UTC.")), ("", true));
    let more = story(&alert).more;
    assert!(
        more.iter().all(|line| line.contains(" ReadLogFile on s3") && line.ends_with(".json.gz failed")),
        "{more:?}"
    );
}

/// Whoever is told of an account's alerts is told what was held back of it.
#[tokio::test]
async fn a_summary_goes_where_its_findings_would_have_gone() {
    const ARN: &str = "arn:aws:sns:eu-west-1:111122223333:payments";
    let other = |id: &str| with(by("bob", id, "05T22:52"), &[("/recipientAccountId", json!("444455556666"))]);
    let (here, there) = (by("alice", "1", "05T22:50"), other("2"));
    for (when, records, expected) in [
        ("account: '444455556666'", vec![here.clone(), there.clone()], vec![None, Some(ARN)]),
        ("account: '444455556666'", vec![there.clone()], vec![Some(ARN)]),
        ("account: '444455556666'", vec![here.clone()], vec![None]),
        ("account: ['444455556666', '111122223333']", vec![here.clone(), there.clone()], vec![Some(ARN)]),
        ("owner: payments-*", vec![here.clone(), there.clone()], vec![None, Some(ARN)]),
        ("owner: payments-team, account: '111122223333'", vec![here.clone(), there.clone()], vec![None]),
        ("rule: test, level: high", vec![here, there], vec![Some(ARN)]),
    ] {
        let config = format!(
            "accounts: {{'444455556666': {{name: shop, owner: payments-team}}}}\nrules: {{test: {{{NIGHT}}}}}\ntopics: [{{arn: {ARN}, when: {{{when}}}, instead: true}}]\n"
        );
        let organisation = Organisation::parse(&SourceFile::new("trailhound.yaml", config.as_str())).unwrap();
        let mut world = World::new(
            crate::support::compile(&rule("  sel: {eventName: StopLogging}\n  condition: sel\n"), &config).0,
        );
        world.pipeline.handling.topics = organisation.outputs.topics;
        at(&world, "05T23:00");
        world.notify(&[&world.put("a", &trail_file(&records))]).await;
        at(&world, "06T06:00");
        assert_eq!(tick(&world).await.summaries, 1);
        let topics: Vec<Option<String>> = world.alerts().into_iter().map(|alert| alert.topic).collect();
        assert_eq!(topics.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{when}");
    }
}
