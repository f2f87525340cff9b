//! The index, the evaluator and the explanation of it, held against each other on generated rules and records.

use proptest::prelude::*;
use serde_json::{Value, json};
use trailhound::engine::{Organisation, RuleSet};
use trailhound::rule_pack::{self, Pack, RuleSource};
use trailhound::trail::Record;

use crate::support::{TODAY, compile, record, rules, with};

/// Few enough names and texts that rules and records meet often.
const FIELDS: &[&str] = &[
    "eventName",
    "eventSource",
    "userIdentity.arn",
    "userAgent",
    "requestParameters",
    "requestParameters.name",
    "requestParameters.tags.key",
    "errorCode",
    "errorMessage",
    "userIdentity.type",
    "userIdentity.invokedBy",
    "userIdentity.accessKeyId",
    "vpcEndpointId",
    "derived.outcome",
    "derived.source_kind",
    "derived.service_call",
    "derived.principal_type",
    "derived.resource",
    "sourceIPAddress",
    "eventTime",
    "n",
];
const TEXTS: &[&str] = &[
    "StopLogging",
    "stop",
    "Logging",
    "LOG",
    "ec2.amazonaws.com",
    "amazonaws",
    "arn:aws:iam::111122223333:user/alice",
    "alice",
    "Kelvin \u{212a}",
    "kelvin k",
    "straße",
    "203.0.113.7",
    "10.0.0.0/8",
    "2026-11-05T10:00:00Z",
    "5",
    "5.0",
    "1e1",
    "true",
    "success",
    "denied",
    "AccessDenied",
    "AKIAEXAMPLE",
    "public",
    "",
    "name",
    r"a\b",
];
const VALUES: &[&str] =
    &["stop*", "*Log*", "?topLogging", "*a*i*", "s*g", "*", "?*", "null", r"a\\b", r"\*", "*.amazonaws.com", "ſtop"];
const EXPRESSIONS: &[&str] = &[
    "^stop",
    "(?i)LOGGING$",
    "alice|bob",
    "user/[a-z]+",
    "a.*z",
    "(log|stop)+",
    "[sS]top",
    "x?",
    "(?i)kelvin k",
    "(logging)?",
    "(alice|stop)*l",
    "stop.{0,3}log",
];
const MODIFIERS: &[&str] =
    &["", "|contains", "|startswith", "|endswith", "|cased", "|contains|cased", "|neq", "|windash"];

fn pick(from: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(from).prop_map(str::to_owned)
}

fn quoted(text: &str) -> String {
    if text == "null" { text.to_owned() } else { format!("'{text}'") }
}

/// One line of a search identifier.
fn item() -> impl Strategy<Value = String> + Clone {
    let plain = prop_oneof![pick(TEXTS), pick(VALUES)];
    let values = prop::collection::vec(plain, 1..4)
        .prop_map(|values| values.into_iter().map(|value| format!("'{value}'")).collect::<Vec<_>>());
    prop_oneof![
        8 => (pick(FIELDS), pick(MODIFIERS), values.clone(), any::<bool>()).prop_map(|(field, modifier, values, all)| {
            let all = if all && values.len() > 1 { "|all" } else { "" };
            format!("'{field}{modifier}{all}': [{}]", values.join(", "))
        }),
        1 => pick(FIELDS).prop_map(|field| format!("'{field}': null")),
        1 => (pick(FIELDS), any::<bool>()).prop_map(|(field, there)| format!("'{field}|exists': {there}")),
        1 => (pick(FIELDS), pick(EXPRESSIONS)).prop_map(|(field, regex)| format!("'{field}|re': '{regex}'")),
        1 => (pick(FIELDS), pick(FIELDS)).prop_map(|(field, other)| format!("'{field}|fieldref': {other}")),
        1 => (pick(FIELDS), 0..24u8).prop_map(|(field, hour)| format!("'{field}|hour|gte': {hour}")),
        1 => (pick(FIELDS), -5..15i8).prop_map(|(field, number)| format!("'{field}|lt': {number}")),
        1 => pick(FIELDS).prop_map(|field| format!("'{field}|cidr': 203.0.113.0/24")),
        1 => values.prop_map(|values| format!("'|all': [{}]", values.join(", "))),
    ]
}

/// A rule of up to three search identifiers.
fn detection() -> impl Strategy<Value = String> {
    let map = prop::collection::vec(item(), 1..3).prop_map(|mut items| {
        items.sort_by_key(|item| item.split_once("':").map(|(key, _)| key.to_owned()));
        items.dedup_by_key(|item| item.split_once("':").map(|(key, _)| key.to_owned()));
        format!("{{{}}}", items.join(", "))
    });
    let words = prop::collection::vec(pick(TEXTS), 1..3)
        .prop_map(|words| format!("[{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ")));
    let identifier = prop_oneof![
        6 => map.clone(),
        2 => prop::collection::vec(map, 1..3).prop_map(|maps| format!("[{}]", maps.join(", "))),
        1 => words,
    ];
    let condition = prop::sample::select(
        &[
            "a",
            "a and b",
            "a or b",
            "a and not b",
            "not a",
            "(a or b) and c",
            "1 of them",
            "all of them",
            "a and not (b or c)",
            "not (not a)",
        ][..],
    );
    (prop::collection::vec(identifier, 3), condition).prop_map(|(identifiers, condition)| {
        let lines: Vec<String> = identifiers
            .iter()
            .zip(["a", "b", "c"])
            .map(|(identifier, name)| format!("  {name}: {identifier}"))
            .collect();
        format!("{}\n  condition: {condition}\n", lines.join("\n"))
    })
}

fn document(number: usize, detection: &str) -> String {
    format!(
        "title: r{number}\nid: r{number}\nlogsource: {{product: aws, service: cloudtrail}}\ndetection:\n{detection}"
    )
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => pick(TEXTS).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => (-5..15i8).prop_map(Value::from),
        1 => Just(json!(5.0)),
        1 => any::<bool>().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        5 => scalar(),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::from),
        1 => (scalar(), scalar()).prop_map(|(name, key)| json!({"name": name, "tags": [{"key": key}, {}]})),
    ]
}

/// Each of two sets of values for what repeats from record to record, with each of three for everything else: what is worked out for one
/// record must hold for those that look alike, and for no other.
fn records() -> impl Strategy<Value = Vec<Value>> {
    let repeated = prop::collection::vec(prop_oneof![3 => scalar(), 1 => Just(Value::Null), 1 => value()], 6);
    let single = prop::collection::vec(value(), 9);
    let sets = (prop::collection::vec(repeated, 2), prop::collection::vec(single, 3));
    sets.prop_map(|(repeated, single)| {
        repeated.iter().flat_map(|repeated| single.iter().map(|single| of(repeated, single))).collect()
    })
}

fn of(repeated: &[Value], single: &[Value]) -> Value {
    let [name, source, code, kind, invoked, console] = repeated else { panic!("six of them") };
    let [arn, agent, parameters, address, time, n, message, key, endpoint] = single else { panic!("nine of them") };
    let mut record = json!({"eventName": name, "eventSource": source, "errorCode": code,
        "userIdentity": {"type": kind, "invokedBy": invoked, "arn": arn, "accessKeyId": key},
        "sessionCredentialFromConsole": console, "userAgent": agent, "requestParameters": parameters, "errorMessage": message,
        "sourceIPAddress": address, "eventTime": time, "n": n, "vpcEndpointId": endpoint});
    // A field that is absent, for each that is null; but of two the null is kept.
    let keeps_null = |name: &str| ["errorCode", "vpcEndpointId"].contains(&name) && *n == Value::Null;
    record.as_object_mut().unwrap().retain(|name, value| !value.is_null() || keeps_null(name));
    record["userIdentity"].as_object_mut().unwrap().retain(|_, value| !value.is_null());
    record
}

fn ids(matches: &[trailhound::engine::Match<'_, '_>]) -> Vec<String> {
    matches.iter().map(|matched| matched.info().id.clone()).collect()
}

proptest! {
    // Each case holds 20 rules against 6 records, three times: 90,000 pairs a run.
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_what_trying_every_rule_finds(
        detections in prop::collection::vec(detection(), 20),
        records in records(),
    ) {
        let yaml: Vec<String> = detections.iter().enumerate().map(|(number, text)| document(number, text)).collect();
        let (rules, errors) = compile(&yaml.join("---\n"), "");
        prop_assert!(errors.is_empty(), "{}", errors[0]);
        let mut matcher = rules.matcher();
        // Three times, the later ones from what the matcher remembers.
        for record in records.iter().cycle().take(3 * records.len()) {
            let raw = record.to_string();
            let record = Record::parse(0, raw.as_bytes()).unwrap();
            let found = ids(&matcher.matches(&record));
            prop_assert_eq!(&found, &ids(&rules.matches_one_by_one(&record)), "{}", raw);
            for rule in rules.rules() {
                let explained = rules.explain(&rule.id, &record).unwrap();
                prop_assert_eq!(explained.matched, found.contains(&rule.id), "{} {}", rule.id, raw);
            }
        }
    }
}

fn names(yaml: &str) -> Vec<String> {
    rules(yaml).without_access().map(|rule| rule.title.clone()).collect()
}

#[test]
fn only_rules_that_promise_nothing_are_tried_on_every_record() {
    for (detection, promises) in [
        ("  a: {eventName: x}\n  condition: a", true),
        ("  a: {eventName|re: 'abc|def'}\n  condition: a", true),
        ("  a: {eventName|contains: ''}\n  condition: a", true),
        ("  a: [word, other]\n  condition: a", true),
        ("  a: {eventName: x}\n  b: {readOnly: null}\n  condition: a and not b", true),
        ("  a: {eventName: x}\n  b: {readOnly: null}\n  condition: a or b", false),
        ("  a: {eventName: x}\n  condition: not a", false),
        ("  a: {eventName|neq: x}\n  condition: a", false),
        ("  a: {eventName|exists: false}\n  condition: a", false),
    ] {
        assert_eq!(names(&document(1, detection)).is_empty(), promises, "{detection}");
    }
}

#[test]
fn no_shipped_rule_is_tried_on_every_record() {
    let loaded = rule_pack::load(&[RuleSource::Pack(Pack::All)], &Organisation::default(), TODAY);
    assert_eq!(loaded.rules.without_access().map(|rule| &rule.title).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn a_record_that_matches_nothing_allocates_nothing() {
    let rules = rules(&document(
        1,
        "  a: {eventName: StopLogging, userIdentity.userName|contains: [BOB, 'c?r*l'], sourceIPAddress|cidr: 10.0.0.0/8}
  b: {eventSource: cloudtrail.amazonaws.com, requestParameters|contains: other, derived.outcome: denied, derived.mfa: 'false'}
  c: {userIdentity.arn|re: 'assumed-role/.*admin', eventTime|hour: 3, readOnly: 'true'}
  d: {eventName|fieldref: userIdentity.userName}
  condition: a or b or c or d",
    ));
    let records: Vec<String> = (0..50)
        .map(|number| {
            with(record("StopLogging", &number.to_string()), &[("/userAgent", json!(format!("agent/{number}")))])
        })
        .map(|record| record.to_string())
        .collect();
    let records: Vec<Record<'_>> = records.iter().map(|raw| Record::parse(0, raw.as_bytes()).unwrap()).collect();
    let mut matcher = rules.matcher();
    // The first three, alike in what repeats, take the memory that is kept.
    assert!(records[..3].iter().all(|record| matcher.matches(record).is_empty()));
    let counted = allocation_counter::measure(|| {
        assert!(records[3..].iter().all(|record| matcher.matches(record).is_empty()));
    });
    assert_eq!(counted.count_total, 0);
}

/// A literal may stand in a value a million times, and be that of many rules.
#[test]
fn what_a_log_repeats_is_found_once() {
    let many: Vec<String> = (0..50)
        .map(|number| {
            let detection =
                "  a: {requestParameters.name|contains: a}\n  b: {eventName: Other}\n  condition: a and b\n";
            document(number, detection)
        })
        .collect();
    let rules = rules(&many.join("---\n"));
    let raw = with(record("StopLogging", "1"), &[("/requestParameters/name", json!("a".repeat(100_000)))]).to_string();
    let record = Record::parse(0, raw.as_bytes()).unwrap();
    let counted = allocation_counter::measure(|| assert!(rules.matches(&record).is_empty()));
    assert!(counted.bytes_max < 1_000_000, "{} bytes", counted.bytes_max);
}

fn explained(rules: &RuleSet, rule: &str, record: &Value) -> String {
    let raw = record.to_string();
    format!("{:#?}", rules.explain(rule, &Record::parse(0, raw.as_bytes()).unwrap()).unwrap())
}

#[test]
fn an_explanation_shows_each_part_with_the_values_it_saw() {
    let rules = rules(&document(
        1,
        "  sel: {eventName: [StopLogging, DeleteTrail], userIdentity.userName|startswith: b}\n  filter: {errorCode|exists: true}
  condition: sel and not filter",
    ));
    insta::assert_snapshot!(explained(&rules, "r1", &record("StopLogging", "e")));
    assert!(rules.explain("r2", &Record::parse(0, b"{}").unwrap()).is_none());
}
