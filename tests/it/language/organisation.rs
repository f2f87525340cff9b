//! What is joined to rules from elsewhere: filters, placeholders, exceptions.

use serde_json::{Value, json};
use trailhound::engine::RuleSet;
use trailhound::sigma::Mode;
use trailhound::trail::Record;

use super::message;
use crate::support::{compile, record, rule, rules, with};

/// The rules that a record matches.
fn found(rules: &RuleSet, record: &Value) -> Vec<String> {
    let raw = record.to_string();
    let record = Record::parse(0, raw.as_bytes()).unwrap();
    rules.matches(&record).iter().map(|matched| matched.info().id.clone()).collect()
}

fn by(user: &str) -> Value {
    with(record("StopLogging", "e1"), &[("/userIdentity/userName", json!(user))])
}

/// Rules `a` and `b`, the second also called `bee`, and a filter.
fn filtered(filter: &str) -> (RuleSet, Vec<String>) {
    let one = |id: &str, more: &str| {
        format!(
            "title: {id}\nid: {id}\n{more}logsource: {{product: aws, service: cloudtrail}}\ndetection: {{sel: {{eventName: StopLogging}}, condition: sel}}\n---\n"
        )
    };
    let yaml = one("a", "") + &one("b", "name: bee\n") + filter;
    let (rules, errors) = compile(&yaml, "");
    (rules, errors.iter().map(message).collect())
}

fn filter(rules: &str, rest: &str) -> String {
    format!("title: F\nlogsource: {{product: aws, service: cloudtrail}}\nfilter: {{rules: {rules}, {rest}}}\n")
}

#[test]
fn a_filter_is_joined_to_the_rules_that_it_names() {
    for (named, expected) in [("[a]", ["b"].as_slice()), ("[A, bee]", &[]), ("bee", &["a"]), ("any", &[])] {
        let (rules, errors) = filtered(&filter(named, "ci: {userIdentity.userName: alice}, condition: not ci"));
        assert_eq!(
            (found(&rules, &by("alice")), errors.len()),
            (expected.iter().map(|&id| id.to_owned()).collect(), 0),
            "{named}"
        );
        assert_eq!(found(&rules, &by("bob")), ["a", "b"], "{named}");
    }
    // As it is written: without a `not` only what the filter describes is left.
    let (rules, _) = filtered(&filter("any", "ci: {userIdentity.userName: alice}, condition: ci"));
    assert_eq!((found(&rules, &by("alice")).len(), found(&rules, &by("bob")).len()), (2, 0));
}

#[test]
fn identifiers_of_a_filter_are_not_those_of_the_rule() {
    // Both call theirs `sel`; and `1 of them` of the rule doesn't take in the filter's.
    let (rules, errors) = filtered(&filter("any", "sel: {userIdentity.userName: alice}, condition: not 1 of them"));
    assert!(errors.is_empty() && found(&rules, &by("alice")).is_empty());
    assert_eq!(found(&rules, &by("bob")), ["a", "b"]);
}

#[test]
fn filters_of_other_log_sources_are_counted_and_not_joined() {
    let foreign =
        filter("any", "sel: {Image|unheard: x}, condition: not sel").replace("product: aws", "product: windows");
    let (rules, errors) = filtered(&foreign);
    assert_eq!((found(&rules, &by("bob")), errors.len()), (vec!["a".to_owned(), "b".to_owned()], 0));
    let open = filter("any", "sel: {userIdentity.userName: bob}, condition: not sel")
        .replace("product: aws, service: cloudtrail", "");
    assert!(found(&filtered(&open).0, &by("bob")).is_empty());
}

#[test]
fn a_filter_with_a_mistake_is_reported_and_its_rules_stay_on() {
    for (text, expected) in [
        (filter("any", "sel: {derived.principle: x}, condition: not sel"), "did you mean `derived.principal`?"),
        (filter("[c]", "sel: {awsRegion: x}, condition: not sel"), "no rule has the id or name `c`"),
        (filter("[a]", "sel: {awsRegion: x}"), "`condition` is missing"),
        (filter("", "sel: {awsRegion: x}, condition: not sel"), "names no rule"),
        (
            filter("any", "sel: {awsRegion: x}, condition: not sel") + "trailhound: {mode: live}\n",
            "`mode` is not known here",
        ),
        (
            filter("any", "sel: {awsRegion: x}, condition: not sel") + "trailhound: {expires: 2026-02-30}\n",
            "`2026-02-30` is no date",
        ),
    ] {
        let (rules, errors) = filtered(&text);
        assert_eq!((found(&rules, &by("bob")).len(), errors.len()), (2, 1), "{text}");
        assert!(errors[0].contains(expected), "{}", errors[0]);
    }
}

#[test]
fn a_filter_holds_up_to_its_last_day_and_says_when_that_comes() {
    for (expires, holds, warning) in [
        ("2026-11-04", false, "filter-expired: the filter \"F\" (ops: a move) has expired"),
        ("2026-11-05", true, "filter-expires: the filter \"F\" (ops: a move) expires: today is its last day"),
        ("2026-11-06", true, "expires: tomorrow is its last day"),
        ("2026-11-19", true, "expires: 14 days are left"),
        ("2026-11-20", true, ""),
    ] {
        let ci = filter("[a]", "ci: {userIdentity.userName: alice}, condition: not ci");
        let (rules, warnings) =
            filtered(&format!("{ci}trailhound: {{owner: ops, reason: a move, expires: {expires}}}\n"));
        assert_eq!(found(&rules, &by("alice")) == ["b"], holds, "{expires}");
        assert_eq!((rules.filters(), rules.expired_filters()), (usize::from(holds), usize::from(!holds)), "{expires}");
        assert_eq!(warnings.len(), usize::from(!warning.is_empty()), "{expires}: {warnings:?}");
        assert!(warnings.iter().all(|found| found.contains(warning)), "{warnings:?}");
    }
}

#[test]
fn a_filter_counts_for_each_rule_that_it_is_joined_to() {
    let (rules, _) = filtered(&filter("[a]", "ci: {userIdentity.userName: alice}, condition: not ci"));
    let filters: Vec<usize> = rules.rules().map(|rule| rule.tuning.filters).collect();
    assert_eq!(filters, [1, 0]);
}

/// Lists for the placeholders below.
const LISTS: &str = "placeholders:
  admins: [alice, 'adm-*']
  Networks: [203.0.113.0/24, 10.0.0.0/8]
  dotted: [ali.e]
  nobody: []
";

#[test]
fn expand_fills_placeholders_from_the_organisation() {
    for (selection, user, expected) in [
        ("userIdentity.userName|expand: '%admins%'", "alice", true),
        ("userIdentity.userName|expand: '%admins%'", "adm-bob", true),
        ("userIdentity.userName|expand: '%admins%'", "bob", false),
        ("userIdentity.arn|expand: '*user/%admins%'", "", true),
        ("userIdentity.arn|contains|expand: 'user/%admins%'", "", true),
        ("userIdentity.arn|expand|endswith: 'USER/%admins%'", "", true),
        ("userIdentity.arn|expand|endswith|cased: 'USER/%admins%'", "", false),
        ("userIdentity.userName|expand: ['%nobody%', '%admins%']", "alice", true),
        ("userIdentity.userName|expand: '%nobody%'", "alice", false),
        ("userIdentity.userName|expand|neq: '%admins%'", "bob", true),
        ("userIdentity.userName|expand|neq: '%admins%'", "alice", false),
        ("userIdentity.userName|re|expand: '^%dotted%$'", "ali.e", true),
        ("userIdentity.userName|re|expand: '^%dotted%$'", "alice", false),
        ("sourceIPAddress|cidr|expand: '%Networks%'", "", true),
        ("userIdentity.userName|expand|all: ['%admins%', 'a*']", "alice", true),
        ("userIdentity.userName|expand|base64: '%dotted%'", "YWxpLmU=", true),
        (r"userIdentity.userName|expand: '\%admins%'", "%admins%", true),
        ("userIdentity.userName|expand: '100%'", "100%", true),
        ("userIdentity.userName: '%admins%'", "alice", false),
        ("userIdentity.userName: '%admins%'", "%admins%", true),
        ("'|expand': '%admins%'", "alice", true),
    ] {
        let (rules, errors) = compile(&rule(&super::selecting(selection)), LISTS);
        assert!(errors.is_empty(), "{selection}: {}", errors[0]);
        assert_eq!(!found(&rules, &by(user)).is_empty(), expected, "{selection} on {user}");
    }
}

#[test]
fn a_placeholder_that_cannot_be_filled_rejects_the_rule() {
    for (selection, expected) in [
        ("userIdentity.userName|expand|base64: '%admins%'", "wildcards can't be encoded"),
        ("userIdentity.userName|expand: '%nowhere%'", "there is no list for the placeholder `nowhere`"),
        ("userIdentity.userName|expand: '%admin%'", "did you mean `admins`?"),
        ("userIdentity.userName|gt|expand: 5", "means nothing here"),
        ("userIdentity.userName|exists|expand: true", "stands alone"),
    ] {
        let (rules, errors) = compile(&rule(&super::selecting(selection)), LISTS);
        assert_eq!((rules.rules().len(), errors.len()), (0, 1), "{selection}");
        assert!(message(&errors[0]).contains(expected), "{}", message(&errors[0]));
    }
}

#[test]
fn a_rule_and_the_organisation_can_except_events_and_try_a_rule_out() {
    let yaml = rule("  sel: {eventName: StopLogging}\n  condition: sel\n")
        + "trailhound: {mode: dry-run, exceptions: [{userIdentity.userName: [alice, bob], awsRegion: eu-west-1}, {userIdentity.userName: carol}]}\n";
    let set = rules(&yaml);
    assert_eq!(set.rules().next().unwrap().mode, Mode::DryRun);
    for (user, region, expected) in
        [("alice", "eu-west-1", 0), ("alice", "us-east-1", 1), ("carol", "us-east-1", 0), ("dave", "eu-west-1", 1)]
    {
        assert_eq!(
            found(&set, &with(by(user), &[("/awsRegion", json!(region))])).len(),
            expected,
            "{user} in {region}"
        );
    }
    let (changed, errors) = compile(&yaml, "rules: {test: {mode: live, exceptions: [{userIdentity.userName: dave}]}}");
    assert!(errors.is_empty());
    assert_eq!(changed.rules().next().unwrap().mode, Mode::Live);
    assert!(found(&changed, &by("dave")).is_empty() && found(&changed, &by("carol")).is_empty());
}

#[test]
fn a_title_shows_values_of_the_record() {
    for (title, expected) in [
        (
            "'Trail {requestParameters.name} stopped by {derived.principal}'",
            "Trail org-trail stopped by arn:aws:iam::111122223333:user/alice",
        ),
        ("'{{braces}} and {absent}'", "{braces} and (none)"),
        ("plain", "plain"),
    ] {
        let set = rules(
            &(rule("  sel: {eventName: StopLogging}\n  condition: sel\n")
                + &format!("trailhound: {{alert: {{title: {title}}}}}\n")),
        );
        let raw = by("alice").to_string();
        let record = Record::parse(0, raw.as_bytes()).unwrap();
        assert_eq!(set.matches(&record)[0].title(), expected);
    }
}
