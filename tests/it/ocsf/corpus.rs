//! Findings of every kind, as receivers get them.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use trailhound::alerting::{Decision, Published, decide_without_memory};
use trailhound::engine::{Organisation, RuleSet};
use trailhound::integrity::{Damage, What};
use trailhound::local::Folder;
use trailhound::notify;
use trailhound::outcome::Cause;
use trailhound::own::OwnEvent;
use trailhound::pipeline::Screen;
use trailhound::rule_pack::{self, Loaded, RuleSource};
use trailhound::trail::{Item, Record};
use trailhound::trigger::ObjectRef;

use crate::enrichment::{ALL, compile, organisation};
use crate::limits::told::summaries;
use crate::support::{
    Fails, FaultyState, TODAY, World, events, gzip, record, rule, rules, sample_rules, trail_file, with,
};

/// A finding by what it is of.
pub(super) type Named = (String, Value);

/// A rule that every record matches.
fn any() -> String {
    rule("  sel: {eventName: none}\n  condition: not sel\n")
        + "description: Nothing that happens now is recorded.\nstatus: experimental\nmodified: 2026-11-21\n\
           tags: [attack.persistence, attack.t1098.001, attack.impact, attack.t9999, attack.g0016, cve.2021-44228, detection.emerging-threats]\n\
           references: [https://example.com/a]\nfalsepositives: [A trail that is being replaced.]\n\
           trailhound: {alert: {title: '{eventName} in {awsRegion}', runbook: [Ask alice., Undo it.]}}\n"
}

/// As an organisation has it that knows its accounts and what there is to know of addresses.
fn any_rules() -> RuleSet {
    let (rules, errors) = compile(&any(), &organisation(ALL));
    assert!(errors.is_empty(), "{errors:?}");
    rules
}

fn findings(world: &World) -> Vec<Value> {
    world.alerts().iter().map(|alert| serde_json::from_str(&alert.ocsf).unwrap()).collect()
}

async fn of_file(rules: RuleSet, file: &[u8]) -> Vec<Value> {
    let world = World::new(rules);
    world.notify(&[&world.put("111122223333_CloudTrail_eu-west-1_20261105T1005Z_0", file)]).await;
    findings(&world)
}

/// The one finding of a record.
pub(super) async fn of_record(record: &Value) -> Value {
    let mut found = of_file(any_rules(), &trail_file(std::slice::from_ref(record))).await;
    assert_eq!(found.len(), 1, "{record}");
    found.remove(0)
}

pub(super) async fn of_shapes() -> Vec<Named> {
    let mut found = Vec::new();
    for (name, record) in super::shapes::all() {
        found.push((name.to_owned(), of_record(&record).await));
    }
    found
}

/// Findings that are about more than one record, or about one that is large or broken.
pub(super) async fn of_rules() -> Vec<Named> {
    let call = |n: usize| {
        let time = json!(format!("2026-11-05T10:{:02}:{:02}Z", n / 60, n % 60));
        let resources: Vec<Value> =
            (0..n.min(6)).map(|m| json!({"ARN": format!("arn:aws:s3:::bucket-{n}-{m}")})).collect();
        with(record("StopLogging", &format!("e{n}")), &[("/eventTime", time), ("/resources", json!(resources))])
    };
    let calls = |count| (0..count).map(call).collect::<Vec<_>>();
    let long =
        |piece: &str| with(record("StopLogging", "long"), &[("/requestParameters/x", json!(piece.repeat(90_000)))]);
    let broken = record("StopLogging", "broken").to_string().replace(r#""org-trail""#, r#""org-trail",oops"#);
    let bare = rule("  sel: {eventName: StopLogging}\n  condition: sel").replace("level: high", "level: informational");
    let organisation = World::new(any_rules());
    let key = "AWSLogs/o-exampleorgid/444455556666/CloudTrail/eu-west-1/2026/11/05/444455556666_CloudTrail_eu-west-1_20261105T1005Z_0.json.gz";
    organisation.put_key(key, &trail_file(&[record("StopLogging", "org")]));
    organisation.notify(&[key]).await;
    let forgetful = World::new(any_rules());
    forgetful.pipeline.state.fails(Fails::Away);
    forgetful.notify(&[&forgetful.put("a", &trail_file(&[record("StopLogging", "1")]))]).await;
    let mut found = Vec::new();
    for (name, findings) in [
        ("two events", of_file(any_rules(), &trail_file(&calls(2))).await),
        ("thirty events", of_file(any_rules(), &trail_file(&calls(30))).await),
        ("a hundred and fifty events", of_file(any_rules(), &trail_file(&calls(150))).await),
        ("without records", of_file(any_rules(), &trail_file(&[long("\"")])).await),
        ("cut short", of_file(any_rules(), &trail_file(&[every_text_long()])).await),
        ("broken inside", of_file(any_rules(), &gzip(format!(r#"{{"Records":[{broken}]}}"#).as_bytes())).await),
        ("a rule that says little", of_file(rules(&bare), &trail_file(&calls(1))).await),
        ("an organisation's trail", findings(&organisation)),
        ("without memory", findings(&forgetful)),
        ("a first sighting", of_file(rules(&first_seen()), &trail_file(&sightings())).await),
        ("a correlation", of_file(rules(&burst()), &trail_file(&calls(25))).await),
        (
            "a correlation without a group",
            of_file(
                rules(&burst().replace("group-by: [derived.principal], ", "group-by: [], ")),
                &trail_file(&calls(25)),
            )
            .await,
        ),
    ] {
        assert!(!findings.is_empty(), "{name}");
        found.extend(findings.into_iter().map(|finding| (name.to_owned(), finding)));
    }
    found
}

/// What was held back, in a summary.
pub(super) async fn of_summaries() -> Vec<Named> {
    let told = summaries().await.into_iter();
    told.map(|(what, alert)| (format!("a summary: {what}"), serde_json::from_str(&alert.ocsf).unwrap())).collect()
}

/// Too long for SNS even without the record.
fn every_text_long() -> Value {
    let resources: Vec<Value> =
        (0..400).map(|n| json!({"ARN": format!("arn:aws:s3:::bucket-{n}/{}", "\"".repeat(200))})).collect();
    let changes = ["/userIdentity/arn", "/userAgent", "/errorMessage", "/eventID", "/requestID", "/recipientAccountId"]
        .map(|pointer| (pointer, json!("\u{1}".repeat(20_000))));
    with(with(record("StopLogging", "long"), &changes), &[("/resources", json!(resources))])
}

fn first_seen() -> String {
    any().replace(
        "trailhound: {",
        "trailhound: {first_seen: {entity: [derived.principal], value: [sourceIPAddress, eventName], history: 30d, learning: 1d}, ",
    )
}

fn sightings() -> Vec<Value> {
    let call = |id: &str, day: &str, address: &str| {
        let changes = [("/eventTime", json!(format!("2026-11-{day}T10:00:00Z"))), ("/sourceIPAddress", json!(address))];
        with(record("GetUser", id), &changes)
    };
    vec![call("1", "01", "203.0.113.1"), call("2", "05", "203.0.113.2")]
}

fn burst() -> String {
    let part =
        rule("  sel: {eventName: StopLogging}\n  condition: sel\n").replace("title: Test", "title: A call\nname: call");
    let correlation = "correlation: {type: event_count, rules: [call], group-by: [derived.principal], timespan: 5m, condition: {gte: 12}}";
    format!("{part}---\ntitle: Burst\nid: burst\nlevel: critical\ntags: [attack.discovery]\n{correlation}\n")
}

/// What trailhound says of itself.
pub(super) fn of_itself() -> Vec<Named> {
    let now: Timestamp = "2026-11-05T10:06:00Z".parse().unwrap();
    let object = |key: &str| ObjectRef { bucket: "trail-logs".into(), key: key.into(), version_id: None };
    let log = "AWSLogs/111122223333/CloudTrail/cn-north-1/2026/11/05/111122223333_CloudTrail_cn-north-1_20261105T1005Z_0.json.gz";
    let damage = Damage {
        what: What::FileMissing,
        object: object(log),
        digest: object("AWSLogs/111122223333/CloudTrail-Digest/x.json.gz"),
        account: "111122223333".into(),
        region: "cn-north-1".into(),
        trail: "org-trail".into(),
        period: None,
    };
    let Loaded { own, .. } = rule_pack::load(&[RuleSource::CORE], &Organisation::default(), TODAY);
    [
        OwnEvent::of_object(&object(log), Cause::Denied, "access denied", now),
        OwnEvent::of_object(&object("odd"), Cause::Damaged, "it does not inflate", now),
        OwnEvent::of_vanished(&object(log), now),
        OwnEvent::of_payload("message m-1", Cause::NotUnderstood, "it is not JSON", now),
        OwnEvent::of_delivery("m-1", 3, Cause::StateFailed, "the memory is throttled", now),
        OwnEvent::of_unchecked(&object(log), "no key", now),
        OwnEvent::of_damage(&damage, now),
    ]
    .iter()
    .filter_map(|event| Some((format!("own: {} {}", event.name, event.code), of_own(&own, event, now)?)))
    .collect()
}

fn of_own(rules: &RuleSet, event: &OwnEvent, now: Timestamp) -> Option<Value> {
    let raw = event.record();
    let mut screen = Screen::new(rules, trailhound::finding::OWN_SOURCE.into(), now);
    let mut findings = Vec::new();
    screen.item(Item::Record(Record::parse(0, raw.as_bytes()).unwrap()), &mut |told| findings.push(told.finding()));
    match decide_without_memory(findings, &mut Published::default()).into_iter().next()? {
        Decision::Notify(alert) => serde_json::from_str(&notify::render(&alert, now).ocsf).ok(),
        _ => None,
    }
}

/// What comes of the sample events, each payload by itself.
pub(super) async fn of_samples() -> Vec<Named> {
    let mut paths: Vec<_> = fs::read_dir(events()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let Loaded { rules, own, .. } = sample_rules();
    let mut world = World::new(rules);
    world.pipeline.objects = Folder::new(events().join("objects")).unwrap();
    world.pipeline.handling.own_rules = own;
    let mut found = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
        world.pipeline.state = FaultyState::default();
        world.restart();
        world.pipeline.handle(&fs::read_to_string(path).unwrap()).await;
        let name = path.file_name().unwrap().to_string_lossy();
        found.extend(findings(&world).into_iter().map(|finding| (format!("events/{name}"), finding)));
    }
    found
}

/// Writes findings where `scripts/ocsf` and `scripts/asff.py` find them, a line each.
pub(super) fn write(name: &str, found: &[Named]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let line = |(name, finding): &Named| json!({"name": name, "finding": finding}).to_string() + "\n";
    fs::write(folder.join("findings.jsonl"), found.iter().map(line).collect::<String>()).unwrap();
}
