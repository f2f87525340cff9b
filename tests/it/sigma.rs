//! The rule language, by what matches.

use serde_json::{Value, json};

use crate::support::{compile, matches, record, rule, with};

fn table(record: &Value, cases: &[(&str, bool)]) {
    for (selection, expected) in cases {
        let detection = format!("  sel:\n    {selection}\n  condition: sel\n");
        assert_eq!(matches(&detection, record), *expected, "{selection} on {record}");
    }
}

#[test]
fn values_compare_as_text_without_case() {
    let record = json!({"eventName": "StopLogging", "readOnly": true, "n": 5, "f": 0.5, "nothing": null, "empty": "", "list": ["a", "B", null], "none": []});
    table(
        &record,
        &[
            ("eventName: stoplogging", true),
            ("eventName: Stop", false),
            ("eventName: 'Stop*'", true),
            ("eventName|cased: stoplogging", false),
            ("eventName|cased: StopLogging", true),
            ("readOnly: true", true),
            ("readOnly: 'TRUE'", true),
            ("n: 5", true),
            ("n: '5'", true),
            ("f: 0.5", true),
            ("list: b", true),
            ("list: c", false),
            ("list: null", true),
            ("nothing: null", true),
            ("absent: null", true),
            ("empty: null", false),
            ("empty: ''", true),
            ("absent: ''", false),
            ("eventName: null", false),
            ("absent: []", true),
            ("none: null", false),
            ("eventname: StopLogging", false),
        ],
    );
}

#[test]
fn modifiers() {
    let record = json!({"name": "arn:aws:iam::111122223333:role/Admin", "ip": "203.0.113.7", "service": "ec2.amazonaws.com", "nothing": null,
        "request": {"policy": {"Effect": "Allow"}, "tags": [{"key": "env"}, {"key": "team"}]}});
    table(
        &record,
        &[
            ("name|contains: ':ROLE/'", true),
            ("name|startswith: 'arn:aws'", true),
            ("name|startswith: aws", false),
            ("name|endswith: admin", true),
            ("name|endswith|cased: admin", false),
            ("name|contains: [x, role]", true),
            ("name|contains|all: [iam, role]", true),
            ("name|contains|all: [iam, user]", false),
            ("name|contains: '111?2222?333'", true),
            ("name|re: 'role/[A-Z]\\w+$'", true),
            ("name|re: '^role'", false),
            ("name|re: 'ADMIN'", false),
            ("ip|cidr: 203.0.113.0/24", true),
            ("ip|cidr: [10.0.0.0/8, '2001:db8::/32']", false),
            ("service|cidr: 0.0.0.0/0", false),
            ("ip|exists: true", true),
            ("nothing|exists: true", true),
            ("absent|exists: false", true),
            ("absent|exists: true", false),
            ("request|contains: '\"Effect\":\"Allow\"'", true),
            ("request.tags.key: team", true),
            ("request.tags.key|all: [team, env]", true),
            ("request.tags.1.key: team", true),
            ("request.tags.0.key: team", false),
        ],
    );
}

#[test]
fn maps_lists_and_keywords() {
    let record = record("StopLogging", "e1");
    for (detection, expected) in [
        ("  sel: {eventName: StopLogging, awsRegion: eu-west-1}\n  condition: sel", true),
        ("  sel: {eventName: StopLogging, awsRegion: us-east-1}\n  condition: sel", false),
        ("  sel:\n    - eventName: X\n    - awsRegion: eu-west-1\n  condition: sel", true),
        ("  sel:\n    - eventName: X\n    - awsRegion: us-east-1\n  condition: sel", false),
        ("  words: [org-trail]\n  condition: words", true),
        ("  words: ORG-TRAIL\n  condition: words", true),
        ("  words: ['org?trail', nothing]\n  condition: words", true),
        ("  words: [nothing]\n  condition: words", false),
        ("  words:\n    '|all': [org-trail, alice]\n  condition: words", true),
        ("  words:\n    '|all': [org-trail, bob]\n  condition: words", false),
        ("  words: [userName]\n  condition: words", true),
    ] {
        assert_eq!(matches(detection, &record), expected, "{detection}");
    }
}

#[test]
fn conditions() {
    let record = record("StopLogging", "e1");
    let identifiers = "  sel_a: {eventName: StopLogging}\n  sel_b: {eventName: Other}\n  filter: {awsRegion: eu-west-1}\n  _off: {eventName: Other}\n";
    for (condition, expected) in [
        ("sel_a", true),
        ("sel_a and not filter", false),
        ("sel_a or filter and sel_b", true),
        ("(sel_a or filter) and sel_b", false),
        ("1 of sel_*", true),
        ("all of sel_*", false),
        ("1 of them", true),
        ("all of them", false),
        ("not sel_b and not _off", true),
        ("[sel_b, sel_a]", true),
    ] {
        assert_eq!(matches(&format!("{identifiers}  condition: {condition}\n"), &record), expected, "{condition}");
    }
}

#[test]
fn derived_fields_ask_what_the_organisation_knows() {
    let config = "
accounts: {'444455556666': staging}
trusted_networks: [203.0.113.0/25]
expected_principals:
  - {resource: 'arn:aws:cloudtrail:*:111122223333:trail/org-*', principals: ['arn:aws:iam::111122223333:user/a*']}
  - {resource: 'arn:aws:cloudtrail:*:111122223333:trail/team', principals: []}
";
    let alice = record("StopLogging", "e1");
    let bob = with(alice.clone(), &[("/userIdentity/arn", json!("arn:aws:iam::111122223333:user/bob"))]);
    let on = |record: &Value, trail: &str| with(record.clone(), &[("/requestParameters/name", json!(trail))]);
    let of = |account: &str| {
        with(
            alice.clone(),
            &[("/userIdentity", json!({"type": "AWSAccount", "accountId": account, "principalId": "AROA:x"}))],
        )
    };
    for (record, selection, expected) in [
        (&alice, "derived.trusted_network: 'true'", true),
        (
            &with(alice.clone(), &[("/sourceIPAddress", json!("203.0.113.200"))]),
            "derived.trusted_network: 'false'",
            true,
        ),
        (
            &with(alice.clone(), &[("/sourceIPAddress", json!("ec2.amazonaws.com"))]),
            "derived.trusted_network|exists: false",
            true,
        ),
        (&alice, "derived.expected_principal: 'true'", true),
        (&bob, "derived.expected_principal: 'false'", true),
        (&on(&bob, "other"), "derived.expected_principal|exists: false", true),
        (&on(&alice, "team"), "derived.expected_principal: 'false'", true),
        (&alice, "derived.account_relation: same", true),
        (&of("444455556666"), "derived.account_relation: known", true),
        (&of("123456789012"), "derived.account_relation: foreign", true),
        (&of("ANONYMOUS_PRINCIPAL"), "derived.account_relation: foreign", true),
        (&alice, "derived.resource|endswith: trail/org-trail", true),
        (&alice, "derived.principal|endswith: user/alice", true),
    ] {
        let (rules, errors) = compile(&rule(&format!("  sel:\n    {selection}\n  condition: sel")), config);
        assert!(errors.is_empty(), "{}", errors[0]);
        let raw = record.to_string();
        let record = trailhound::trail::Record::parse(0, raw.as_bytes()).unwrap();
        assert_eq!(rules.matches(&record).len() == 1, expected, "{selection} on {raw}");
    }
}

#[test]
fn an_organisation_can_switch_rules_off_change_their_level_and_except_events() {
    let yaml = rule("  sel: {eventName: StopLogging}\n  condition: sel");
    let off = compile(&yaml, "rules: {test: {off: true}}").0;
    assert_eq!((off.rules().len(), off.off().len()), (0, 1));

    let dry = compile(&yaml, "rules: {test: {mode: dry-run}}").0;
    assert_eq!(dry.rules().next().unwrap().mode, trailhound::sigma::Mode::DryRun);

    let (changed, errors) = compile(
        &yaml,
        "rules: {test: {level: low, exceptions: [{userIdentity.userName: alice, awsRegion: eu-west-1}]}}",
    );
    assert!(errors.is_empty());
    assert_eq!(changed.rules().next().unwrap().level.as_str(), "low");
    let found = |record: &Value| {
        let raw = record.to_string();
        changed.matches(&trailhound::trail::Record::parse(0, raw.as_bytes()).unwrap()).len()
    };
    assert_eq!(found(&record("StopLogging", "e1")), 0);
    assert_eq!(found(&with(record("StopLogging", "e1"), &[("/awsRegion", json!("us-east-1"))])), 1);
}

#[test]
fn a_mistake_in_an_exception_is_reported_and_its_rule_stays_on() {
    let yaml = rule("  sel: {eventName: StopLogging}\n  condition: sel");
    let config = "rules: {test: {exceptions: [{derived.principle: x}, {userIdentity.userName: bob}]}}";
    let (rules, errors) = compile(&yaml, config);
    assert_eq!((rules.rules().len(), errors.len()), (1, 1));
    assert!(errors[0].to_string().contains("did you mean `derived.principal`?"), "{}", errors[0]);
}

/// Each of these is a rule that would never fire, or not as its author thinks: none may load in silence.
#[test]
fn what_is_wrong_with_a_rule_is_said_with_its_place_and_advice() {
    let broken = |text: &str| {
        let (rules, errors) = compile(text, "");
        assert_eq!((rules.rules().len(), errors.len()), (0, 1), "{text}");
        errors[0].to_string()
    };
    let detection = |text: &str| broken(&rule(text));
    let errors = [
        detection("  sel: {eventName|startwith: Stop}\n  condition: sel"),
        detection("  sel: {eventName|base64: 'Stop*'}\n  condition: sel"),
        detection("  sel: {eventName|contains|base64: Stop}\n  condition: sel"),
        detection("  sel: {eventName|i: Stop}\n  condition: sel"),
        detection("  sel: {eventName|re|startswith: Stop}\n  condition: sel"),
        detection("  sel: {eventName|neq|neq: Stop}\n  condition: sel"),
        detection("  sel: {sourceIPAddress|cidr|cased: 10.0.0.0/8}\n  condition: sel"),
        detection("  sel: {eventName|wide: Ä}\n  condition: sel"),
        detection("  sel: {eventName|fieldref: 'a*'}\n  condition: sel"),
        detection("  sel: {eventVersion|gte: new}\n  condition: sel"),
        detection("  sel: {eventTime|hour: 24}\n  condition: sel"),
        detection("  sel: {eventName|expand: '%names%'}\n  condition: sel"),
        detection("  sel: {eventName|contains|endswith: Stop}\n  condition: sel"),
        detection("  sel: {eventName|exists: maybe}\n  condition: sel"),
        detection("  sel: {eventName|contains: null}\n  condition: sel"),
        detection("  sel: {eventName|re: '(?=x)'}\n  condition: sel"),
        detection("  sel: {sourceIPAddress|cidr: 10.0.0.0/64}\n  condition: sel"),
        detection("  sel: {derived.principle: x}\n  condition: sel"),
        detection("  sel: {requestParameters: {name: x}}\n  condition: sel"),
        detection("  sel: {eventName: x}\n  condition: sel and not filter"),
        detection("  sel: {eventName: x}\n  condition: sel | count() > 5"),
        detection("  sel: {eventName: x}\n  timeframe: 5m\n  condition: sel"),
        detection("  sel: {eventName: x}"),
        broken("title: x\nlogsource: {product: aws, service: cloudtrail}\n"),
        broken("title: x\ncorrelation: {type: event_count}\n"),
        broken("title: x\ncorrelation: {type: event_count, rules: [y], group-by: [awsRegion], timespan: 5m, condition: {gte: 3}}\n"),
        broken("title: x\nlogsource: {product: aws}\nfilter: {rules: any, sel: {eventName|startwith: x}, condition: not sel}\n"),
        broken("title: x\naction: global\n"),
        broken(&(rule("  sel: {eventName: x}\n  condition: sel\n") + "trailhound: {alert: {title: 'by {derived.principle}'}}")),
        broken(&(rule("  sel: {eventName: x}\n  condition: sel\n") + "trailhound: {alert: {title: 'by {awsRegion'}}")),
        broken(&(rule("  sel: {eventName: x}\n  condition: sel\n") + "trailhound: {mode: off}")),
        broken(&(rule("  sel: {eventName: x}\n  condition: sel\n") + "trailhound: {exceptions: {awsRegion: x}}")),
        broken("title: [x\n"),
        broken("- a\n- b\n"),
        broken(
            &(rule("  sel: {eventName: x}\n  condition: sel\n")
                + "trailhound: {first_seen: {entity: derived.principal, values: sourceIPAddress}}"),
        ),
        broken(&(rule("  sel: {eventName: x}\n  condition: sel\n") + "trailhound: {alert: {window: 1 hour}}")),
        broken(&rule("  sel: {eventName: x}\n  condition: sel").replace("level: high", "level: severe")),
    ]
    .join("\n\n");
    insta::assert_snapshot!(errors);
}

#[test]
fn a_filter_that_is_retired_hides_nothing() {
    let rule = rule("  sel: {eventName: StopLogging}\n  condition: sel");
    let filter = "title: Expected\nstatus: STATUS\nlogsource: {product: aws, service: cloudtrail}\nfilter: {rules: [test], sel: {eventName: StopLogging}, condition: not sel}";
    for (status, fires) in [("test", false), ("deprecated", true), ("unsupported", true)] {
        let (rules, errors) = compile(&format!("{rule}\n---\n{}", filter.replace("STATUS", status)), "");
        assert!(errors.is_empty(), "{}", errors[0]);
        let raw = record("StopLogging", "e1").to_string();
        let record = trailhound::trail::Record::parse(0, raw.as_bytes()).unwrap();
        assert_eq!(rules.matches(&record).len() == 1, fires, "{status}");
    }
}

#[test]
fn a_rule_that_does_not_load_keeps_no_other_out() {
    let good = rule("  sel: {eventName: StopLogging}\n  condition: sel");
    let bad = good.replace("eventName", "eventName|oops").replace("id: test", "id: other");
    let twice = good.replace("title: Test", "title: Twice");
    let elsewhere = good.replace("cloudtrail", "s3").replace("eventName", "x|anything");
    let (rules, errors) = compile(&[good, bad, twice, elsewhere].join("\n---\n"), "rules: {tset: {off: true}}");
    assert_eq!(rules.rules().len(), 1);
    let summaries: Vec<String> = errors.iter().map(trailhound::yaml::Diagnostic::summary).collect();
    insta::assert_snapshot!(summaries.join("\n"));
}
