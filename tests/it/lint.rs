//! Lints, by what they say of a rule: the examples of their page, and what they must be silent about.

use std::fs;
use std::path::Path;

use trailhound::engine::{Organisation, RuleSet};
use trailhound::yaml::{Code, Diagnostic, Severity, SourceFile};
use trailhound::{lint, rule_pack, sigma};

use crate::support::TODAY;

/// A rule with nothing to warn of; a fragment's members take the place of its own.
const BASE: &[(&str, &str)] = &[
    ("title", "title: Trail deleted"),
    ("id", "id: 0b9f2d4a-7e11-4c27-9b1c-3f0a4c3e6c52"),
    ("description", "description: Without a trail nobody sees what happens next."),
    ("level", "level: high"),
    ("logsource", "logsource: {product: aws, service: cloudtrail}"),
    (
        "detection",
        "detection: {selection: {eventSource: cloudtrail.amazonaws.com, eventName: DeleteTrail}, condition: selection}",
    ),
];

/// What has a title and a log source is whole. Anything else is part of a rule.
fn completed(fragment: &str) -> String {
    let has = |name: &str| fragment.lines().any(|line| line.starts_with(&format!("{name}:")));
    if has("title") && has("logsource") {
        return fragment.to_owned();
    }
    let missing = BASE.iter().filter(|(name, _)| !has(name)).map(|(_, line)| *line);
    missing.chain([fragment]).collect::<Vec<_>>().join("\n")
}

/// The warnings about a rule that has to load, on the day that the tests begin with.
fn warnings(fragment: &str) -> Vec<Diagnostic> {
    let organisation = "placeholders: {administrators: [alice]}";
    let organisation = Organisation::parse(&SourceFile::new("trailhound.yaml", organisation)).unwrap();
    let collection = sigma::parse(&SourceFile::new("rule.yml", completed(fragment)));
    let (rules, errors) = RuleSet::compile(&collection, &organisation, TODAY);
    let (mut warnings, errors): (Vec<_>, Vec<_>) =
        errors.into_iter().partition(|found| found.severity() == Severity::Warning);
    let errors: Vec<_> = collection.rejected.iter().chain(&errors).map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    warnings.extend(lint::lint(&collection, &rules));
    warnings
}

fn shown(warnings: &[Diagnostic]) -> String {
    warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn detection(detection: &str) -> String {
    format!("detection:\n{detection}")
}

fn selection(item: &str) -> String {
    detection(&format!("  selection: {{{item}}}\n  condition: selection"))
}

/// Each code and its YAML blocks, as the page shows them.
fn examples() -> Vec<(String, Vec<String>)> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lints.md")).unwrap();
    let sections = page.split("\n### `").skip(1);
    let section = |section: &str| {
        let (code, rest) = section.split_once('`').unwrap();
        let blocks = rest.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap().to_owned());
        (code.to_owned(), blocks.collect())
    };
    sections.map(section).collect()
}

#[test]
fn the_examples_of_the_page_give_their_warning_and_the_mended_ones_none() {
    let examples = examples();
    assert!(examples.len() > 20);
    for (code, blocks) in examples {
        assert!(!blocks.is_empty() && blocks.len() % 2 == 0, "{code} has no pairs of examples");
        for pair in blocks.chunks(2) {
            let found = warnings(&pair[0]);
            assert!(
                !found.is_empty() && found.iter().all(|warning| warning.code().as_str() == code),
                "{code}:\n{}",
                shown(&found)
            );
            let found = warnings(&pair[1]);
            assert!(found.is_empty(), "{code}, mended:\n{}", shown(&found));
        }
    }
}

#[test]
fn every_warning_says_what_to_try() {
    for (code, blocks) in examples() {
        for warning in blocks.chunks(2).flat_map(|pair| warnings(&pair[0])) {
            assert!(warning.advice().is_some(), "{code}: {warning}");
            assert_eq!(warning.severity(), Severity::Warning);
        }
    }
}

#[test]
fn the_shipped_rules_are_clean() {
    let collection = rule_pack::collect(&[rule_pack::RuleSource::CORE]);
    let (rules, _) = RuleSet::compile(&collection, &Organisation::default(), TODAY);
    let found = lint::lint(&collection, &rules);
    assert!(found.is_empty(), "{}", shown(&found));
}

#[test]
fn nothing_is_said_of_what_may_be_meant() {
    for fragment in [
        // A source of its own in each map of a list.
        detection(
            "  sel:\n    - {eventSource: iam.amazonaws.com, eventName: CreateUser}\n    - {eventSource: s3.amazonaws.com, eventName: DeleteBucket}\n  condition: sel",
        ),
        // One list of names for two sources.
        detection(
            "  a: {eventSource: iam.amazonaws.com}\n  b: {eventSource: s3.amazonaws.com}\n  names: {eventName: [CreateUser, DeleteBucket]}\n  condition: (a or b) and names",
        ),
        detection(
            "  a: {eventSource: iam.amazonaws.com}\n  b: {eventSource: s3.amazonaws.com}\n  names: {eventName: [CreateUser, DeleteBucket]}\n  condition: (a and names) or (b and names)",
        ),
        selection("eventSource: [iam.amazonaws.com, s3.amazonaws.com], eventName: [CreateUser, DeleteBucket]"),
        // Services whose names nobody lists, and names of no known source.
        selection("eventSource: cloudshell.amazonaws.com, eventName: CreateEnvironment"),
        selection("eventName: ZzzzzzzzzzZzzzzz"),
        selection("eventSource|endswith: .amazonaws.com, eventName|startswith: Delete"),
        selection("eventSource|contains: iam, eventName|contains: [Policy, AccessKey]"),
        selection("eventSource|re: '^(iam|s3)\\.', eventName|re: '^Delete(User|Bucket)$'"),
        selection("eventName|fieldref: requestParameters.name"),
        // Fields below a request are the call's own.
        selection("eventName: RunInstances, requestParameters.Anything.at_all: x, resources.0.ARN: x"),
        selection("eventName: x*, userIdentity.sessionContext.attributes.mfaAuthenticated: 'FALSE', readOnly: True"),
        selection(
            "eventName: '*Trail', awsRegion|startswith: us-gov, recipientAccountId: 1111*, eventType: AwsConsoleSignin",
        ),
        selection("eventName: DeleteTrail, userIdentity.type|startswith: IAM, additionalEventData.MFAUsed: 'NO'"),
        selection("eventName: DeleteTrail, errorCode: 'AccessDenied*'"),
        selection("userAgent|re: '^a.c', eventName|re: 'Delete(User|Role)'"),
        selection("userAgent|contains: 'kali*linux', eventName: DeleteTrail"),
        selection("userAgent|contains: '100%', requestParameters.name: 'a%20b%20c'"),
        detection("  sel: {eventName: DeleteTrail}\n  _aside: {awsRegion: eu-west-1}\n  condition: sel"),
        "tags: [attack.defense-evasion, attack.stealth, attack.t1562.008, cve.2021-44228]".to_owned(),
        "related: []\ndate: 2026-11-05\nname: trail_gone".to_owned(),
    ] {
        let found = warnings(&fragment);
        assert!(found.is_empty(), "{fragment}\n{}", shown(&found));
    }
}

#[test]
fn places_and_advice() {
    for (fragment, expected) in [
        (
            selection("eventSource: route53.amazonaws.com, eventName: DisableDomainTransferLock"),
            "unknown-event-name `DisableDomainTransferLock` it is logged by `route53domains.amazonaws.com`",
        ),
        (selection("eventName|startswith: CreateUsre"), "unknown-event-name `CreateUsre` did you mean `CreateUser`?"),
        (
            detection(
                "  source: {eventSource: iam.amazonaws.com}\n  names: {eventName: [CreateUser, StopLogging]}\n  condition: source and names",
            ),
            "unknown-event-name `StopLogging` it is logged by `cloudtrail.amazonaws.com`",
        ),
        (
            "trailhound: {exceptions: [{eventName: CreateLoginProfile}]}".to_owned(),
            "unknown-event-name `CreateLoginProfile` it is logged by `iam.amazonaws.com`",
        ),
        (
            "trailhound: {alert: {dedup: [useridentity.arn]}}".to_owned(),
            "unlikely-field `useridentity.arn` did you mean `userIdentity.arn`?",
        ),
        (
            "trailhound: {alert: {title: 'Trail {requestParameter.name} gone'}}".to_owned(),
            "unlikely-field `requestParameter.name` did you mean `requestParameters.name`?",
        ),
        (
            selection("eventName|fieldref: event.name, awsRegion: eu-west-1"),
            "unlikely-field `event.name` did you mean `eventName`?",
        ),
        (
            selection("eventName: DeleteTrail, userIdentity.username: alice"),
            "unlikely-field `userIdentity.username` did you mean `userIdentity.userName`?",
        ),
        (
            selection("eventName: DeleteTrail, derived.outcome: succes"),
            "impossible-value `succes` did you mean `success`?",
        ),
        (
            selection("eventName: DeleteTrail, awsRegion: us-east-1a"),
            "impossible-value `us-east-1a` `us-east-1a` is a zone; the Region is `us-east-1`",
        ),
        (selection("eventName: Delete Trail"), "impossible-value `Delete Trail` names of events are one word"),
        (selection("eventName|contains|all: Trail"), "single-all `all` leave it out"),
        (
            selection("\"eventName|re\": '^iam\\.a$'"),
            "regex-could-be-text `'^iam\\.a$'` write `eventName|cased: 'iam.a'`",
        ),
        (
            selection("eventName|startswith: '*Trail'"),
            "double-wildcard `'*Trail'` leave the star out, or write `contains`",
        ),
        (
            selection("eventName: DeleteTrail, sourceIPAddress|cidr|expand: 10.0.0.0/8"),
            "expand-without-placeholder `expand` leave it out, or write the placeholder with percent signs; its name has no spaces",
        ),
        ("date: 2021/08/16".to_owned(), "bad-date `2021/08/16` write `2021-08-16`"),
    ] {
        let found = warnings(&fragment);
        let [warning] = found.as_slice() else { panic!("{fragment}\n{}", shown(&found)) };
        let marked = &warning.file().text[warning.marked()];
        let said = format!("{} `{marked}` {}", warning.code().as_str(), warning.advice().unwrap());
        assert_eq!(said, expected, "{fragment}");
    }
}

#[test]
fn rules_that_only_correlations_read_need_neither_level_nor_description() {
    let rules = |generate: bool| {
        warnings(&format!(
            "title: Login failed
id: 5b1e6f7c-80d2-4a56-9f0c-2b8fe56d0c4e
name: failed_login
logsource: {{product: aws, service: cloudtrail}}
detection: {{sel: {{eventName: ConsoleLogin}}, condition: sel}}
---
title: Many failed logins
id: 3f0a4c3e-6c52-4c27-9b1c-0b9f2d4a7e11
description: Somebody guesses.
level: high
correlation:
  type: event_count
  rules: [failed_login]
  group-by: [user]
  timespan: 10m
  condition: {{gte: 10}}
  generate: {generate}
  aliases: {{user: {{failed_login: userIdentity.username}}}}
"
        ))
    };
    let codes = |found: &[Diagnostic]| found.iter().map(Diagnostic::code).collect::<Vec<_>>();
    assert_eq!(codes(&rules(false)), [Code::UnlikelyField]);
    assert_eq!(codes(&rules(true)), [Code::MissingLevel, Code::MissingDescription, Code::UnlikelyField]);
}

#[test]
fn a_warning_is_drawn_as_one() {
    insta::assert_snapshot!(shown(&warnings(&selection("eventName: StopLoging"))), @r"
    warning[unknown-event-name]: no service is known to log `StopLoging`
     --> rule.yml:7:26
      |
    7 |   selection: {eventName: StopLoging}
      |                          ^^^^^^^^^^ did you mean `StopLogging`?
    ");
}
