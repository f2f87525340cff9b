//! Documents and what they say about themselves.

use trailhound::sigma::{self, Collection, Level, Status};
use trailhound::yaml::SourceFile;

use super::message;
use crate::support::{compile, rule, rules};

const DETECTION: &str = "detection: {sel: {eventName: StopLogging}, condition: sel}";

fn read(yaml: &str) -> Collection {
    sigma::parse(&SourceFile::new("rules.yml", yaml))
}

/// A document of one line each: its title, its log source, and more.
fn document(source: &str, more: &str) -> String {
    format!("title: Test\nlogsource: {source}\n{DETECTION}\n{more}\n")
}

fn rejected(yaml: &str) -> String {
    let collection = read(yaml);
    assert_eq!((collection.rules.len(), collection.rejected.len()), (0, 1), "{yaml}");
    message(&collection.rejected[0])
}

#[test]
fn documents_of_one_file_are_read_each_by_itself() {
    let yaml = "---
title: Rule
id: rule
logsource: {product: aws}
detection: {sel: {eventName: x}, condition: sel}
---
title: Broken
logsource: {product: aws}
---
title: Correlation
id: correlation
correlation: {type: event_count, rules: [rule], timespan: 5m, condition: {gte: 2}}
---
title: Filter
logsource: {product: aws}
filter: {rules: [rule], who: {awsRegion: x}, condition: not who}
---
";
    let collection = read(yaml);
    assert_eq!((collection.rules.len(), collection.correlations.len(), collection.filters.len()), (1, 1, 1));
    assert_eq!(collection.rejected.len(), 1);
    assert!(rejected("").contains("the file holds no rule"));
    assert!(rejected("- a\n- b").contains("a rule has to be a map"));
}

#[test]
fn a_rule_tells_what_its_alert_says() {
    let all = "
id: 929a690e-bef0-4204-a928-ef5e620d6fcc
name: logging_stopped
status: stable
level: critical
description: Why it matters.
references: [https://example.com/a, https://example.com/b]
tags: [attack.t1562.008, attack.defense-impairment]
falsepositives: [Maintenance]";
    let set = rules(&document("{product: aws, service: cloudtrail}", all));
    let info = set.rules().next().unwrap();
    assert_eq!(
        (info.id.as_str(), info.name.as_deref()),
        ("929a690e-bef0-4204-a928-ef5e620d6fcc", Some("logging_stopped"))
    );
    assert_eq!(
        (info.title.as_str(), info.level, info.description.as_str()),
        ("Test", Level::Critical, "Why it matters.")
    );
    assert_eq!(info.references, ["https://example.com/a", "https://example.com/b"]);
    assert_eq!(info.tags, ["attack.t1562.008", "attack.defense-impairment"]);
    assert_eq!(info.falsepositives, ["Maintenance"]);
    assert!(rejected("logsource: {product: aws}\n").contains("`title` is missing"));
    assert!(rejected(&document("{product: aws}", "level: severe")).contains("`severe` is no level"));
    assert!(rejected(&document("{product: aws}", "status: retired")).contains("`retired` is no status"));
}

#[test]
fn what_a_rule_leaves_out_has_defaults() {
    let collection =
        read(&document("{product: aws, service: cloudtrail}", "level:\nstatus:\nreferences: https://one.example"));
    let metadata = &collection.rules[0].metadata;
    assert_eq!((metadata.level, metadata.status), (Level::Medium, Status::Test));
    assert_eq!(metadata.references, ["https://one.example"]);
    assert!(metadata.tags.is_empty() && metadata.description.is_empty() && metadata.name.is_none());
    let titled = |title: &str| {
        let yaml = document("{product: aws}", "").replace("title: Test", &format!("title: '{title}'"));
        read(&yaml).rules[0].metadata.id.clone()
    };
    assert_eq!(titled("IAM access key created"), "iam-access-key-created");
    assert_eq!(titled("S3: bucket (public)"), "s3-bucket-public");
}

#[test]
fn other_members_are_let_through_unless_they_are_nearly_known() {
    let other = "
related: [{id: 929a690e-bef0-4204-a928-ef5e620d6fcc, type: derived}]
license: MIT
author: Somebody
date: 2023-06-16
modified: 2021/08/16
fields: [eventName]
scope: [server]
taxonomy: sigma
x_team: blue
custom: {a: [1]}";
    let collection = read(&document("{product: aws, service: cloudtrail, definition: a trail, else: x}", other));
    assert_eq!((collection.rules.len(), collection.rejected.len()), (1, 0));
    for (member, expected) in [("levle: low", "did you mean `level`?"), ("taggs: [a.b]", "did you mean `tags`?")] {
        assert!(rejected(&document("{product: aws}", member)).contains(expected), "{member}");
    }
}

#[test]
fn another_taxonomy_is_an_error() {
    assert!(rejected(&document("{product: aws}", "taxonomy: ecs")).contains("only the taxonomy `sigma`"));
}

#[test]
fn retired_documents_are_counted_and_not_loaded() {
    let statuses = ["stable", "test", "experimental", "deprecated", "unsupported"];
    let loaded = statuses.map(|status| {
        let collection = read(&document("{product: aws}", &format!("status: {status}")));
        (collection.rules.len(), collection.retired.len())
    });
    assert_eq!(loaded, [(1, 0), (1, 0), (1, 0), (0, 1), (0, 1)]);
    let correlation = "title: C\nstatus: deprecated\ncorrelation: {type: temporal, rules: [a, b], timespan: 5m}";
    assert_eq!(read(correlation).retired.len(), 1);
}

#[test]
fn log_sources_that_are_not_cloudtrail_are_counted_and_not_read() {
    for (source, ours) in [
        ("{product: aws, service: cloudtrail}", true),
        ("{product: AWS, service: CloudTrail}", true),
        ("{product: aws}", true),
        ("{service: cloudtrail}", false),
        ("{product: aws, service: cloudtrail, category: process_creation}", false),
        ("{product: aws, service: route53}", false),
        ("{product: azure}", false),
        ("{category: webserver}", false),
    ] {
        let collection = read(&document(source, ""));
        assert_eq!(
            (collection.rules.len(), collection.other_log_sources),
            (usize::from(ours), usize::from(!ours)),
            "{source}"
        );
    }
    let foreign =
        "title: x\nlogsource: {product: windows}\ndetection: {sel: {Image|unheard: x}, condition: sel | near x}";
    assert_eq!((read(foreign).other_log_sources, read(foreign).rejected.len()), (1, 0));
    assert!(rejected(&format!("title: x\n{DETECTION}")).contains("`logsource` is missing"));
}

#[test]
fn two_documents_of_one_id_are_one_too_many() {
    let yaml = rule("  sel: {eventName: x}\n  condition: sel\n");
    let (loaded, errors) = compile(&[yaml.clone(), yaml].join("---\n"), "");
    assert_eq!((loaded.rules().len(), errors.len()), (1, 1));
    assert!(message(&errors[0]).contains("belongs to another rule"));
}

#[test]
fn rule_collections_of_sigma_1_are_an_error() {
    for action in ["global", "repeat", "reset"] {
        assert!(rejected(&format!("title: x\naction: {action}\n")).contains("rule collections belong to Sigma 1"));
    }
}
