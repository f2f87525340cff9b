//! Correlations, from records to findings.

use serde_json::{Value, json};
use trailhound::alerting::Correlator;
use trailhound::finding::Kind;

use super::message;
use crate::support::{compile, record, rules, screened, with};

/// Rules `a`, `b` and `c` for events `A`, `B` and `C`; `c` is also known by a UUID.
pub(crate) const RULES: &str = "title: a
id: a
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: A}, condition: sel}
---
title: b
id: b
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: B}, condition: sel}
---
title: c
id: 5638f7c0-ac70-491d-8465-2a65075e0d86
name: c
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: C}, condition: sel}
---
";

/// A correlation called `sum`.
fn sum(body: &str) -> String {
    format!("{RULES}title: Sum\nid: sum\ncorrelation: {{{body}}}\n")
}

/// Calls as lines: `10:00:00 A alice 5` is event `A` by Alice, with `n` being 5. Only time and name are needed.
fn calls(lines: &str) -> Vec<Value> {
    let call = |(number, line): (usize, &str)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let n: Value = words.get(3).map_or(Value::Null, |n| serde_json::from_str(n).unwrap());
        let user = words.get(2).map_or(Value::Null, |user| json!(user));
        with(
            record(words[1], &number.to_string()),
            &[
                ("/eventTime", json!(format!("2026-11-05T{}Z", words[0]))),
                ("/userIdentity/userName", user),
                ("/requestParameters", json!({"n": n})),
            ],
        )
    };
    lines.split(", ").enumerate().map(call).collect()
}

/// What is told of these records: rules by themselves by their id, correlations by id and what they measured.
pub(crate) fn told(yaml: &str, records: &[Value]) -> Vec<String> {
    let rules = rules(yaml);
    let (findings, screened) = screened(&rules, records);
    let correlated = Correlator::alone(&rules, screened.contributions).findings;
    let findings =
        findings.into_iter().chain(screened.sightings).chain(correlated.into_iter().map(|found| found.finding));
    let mut told: Vec<String> = findings
        .map(|finding| match &finding.kind {
            Kind::Episode(episode) => format!("{}: {}", finding.rule.id, episode.measured),
            _ => finding.rule.id.clone(),
        })
        .collect();
    told.sort();
    told
}

/// How many episodes each correlation finds in the calls beside it.
fn episodes(cases: &[(&str, &str, usize)]) {
    for (body, lines, expected) in cases {
        let told = told(&sum(body), &calls(lines));
        let episodes = told.iter().filter(|one| one.starts_with("sum: ")).count();
        assert_eq!(episodes, *expected, "{body} over {lines}: {told:?}");
    }
}

const COUNT: &str = "type: event_count, rules: [a], group-by: [userIdentity.userName], timespan: 5m";

fn count(condition: &str) -> String {
    format!("{COUNT}, condition: {condition}")
}

#[test]
fn event_count_and_its_operators() {
    let two = "10:00:00 A x, 10:01:00 A x";
    let three = "10:00:00 A x, 10:01:00 A x, 10:02:00 A x";
    let three_at_once = "10:00:00 A x, 10:00:00 A x, 10:00:00 A x";
    for (condition, lines, expected) in [
        ("{gte: 3}", three, 1),
        ("{gte: 3}", two, 0),
        ("{gt: 2}", three, 1),
        ("{gt: 2}", two, 0),
        ("{eq: 2}", two, 1),
        ("{eq: 2}", three_at_once, 0),
        ("{gte: 1, neq: 3}", three_at_once, 0),
        ("{gte: 1, neq: 3}", two, 1),
        ("{gte: 2, lt: 3}", two, 1),
        ("{gte: 2, lt: 3}", three_at_once, 0),
        ("{gt: 1, lte: 2}", two, 1),
        ("{gt: 1, lte: 2}", three_at_once, 0),
    ] {
        episodes(&[(&count(condition), lines, expected)]);
    }
    let told = told(&sum(&count("{gte: 2}")), &calls(three));
    assert_eq!(told, ["sum: event_count 3 (gte 2)"], "one episode, and the rule is not told by itself");
}

#[test]
fn the_window_slides_and_includes_both_ends() {
    let two = count("{gte: 2}");
    episodes(&[
        (&two, "10:00:00 A x, 10:05:00 A x", 1),
        (&two, "10:00:00 A x, 10:05:01 A x", 0),
        (&two, "10:58:00 A x, 11:02:00 A x", 1),
        // Where a timespan passes between, the second is an episode of its own.
        (&two, "10:00:00 A x, 10:01:00 A x, 10:20:00 A x, 10:21:00 A x", 2),
        (&two, "10:00:00 A x, 10:01:00 A x, 10:05:00 A x, 10:09:00 A x", 1),
        // Whatever order they are delivered in.
        (&two, "10:05:00 A x, 10:00:00 A x", 1),
    ]);
}

#[test]
fn group_by_counts_each_group_by_itself() {
    let by = |fields: &str| format!("type: event_count, rules: [a], {fields} timespan: 5m, condition: {{gte: 2}}");
    let mixed = "10:00:00 A x 1, 10:01:00 A y 1, 10:02:00 A x 2";
    episodes(&[
        (&by("group-by: [userIdentity.userName],"), mixed, 1),
        (&by("group-by: userIdentity.userName,"), mixed, 1),
        (&by("group-by: [userIdentity.userName, requestParameters.n],"), mixed, 0),
        (&by("group-by: [requestParameters.n],"), mixed, 1),
        (&by("group-by: [derived.principal],"), mixed, 1),
        (&by(""), mixed, 1),
        (&by(""), "10:00:00 A x, 10:01:00 A y", 1),
        // Without the field that names its group an event counts for none; and case makes another group.
        (&by("group-by: [userIdentity.userName],"), "10:00:00 A, 10:01:00 A", 0),
        (&by("group-by: [userIdentity.userName],"), "10:00:00 A alice, 10:01:00 A Alice", 0),
        // A list is one value.
        (&by("group-by: [requestParameters.n],"), "10:00:00 A x [1,2], 10:01:00 A x [1,2]", 1),
        (&by("group-by: [requestParameters.n],"), "10:00:00 A x [1,2], 10:01:00 A x 1", 0),
    ]);
}

#[test]
fn value_count_counts_different_values() {
    let values = |field: &str| {
        format!(
            "type: value_count, rules: [a], group-by: [awsRegion], timespan: 5m, condition: {{field: {field}, gte: 2}}"
        )
    };
    episodes(&[
        (&values("userIdentity.userName"), "10:00:00 A x, 10:01:00 A y", 1),
        (&values("userIdentity.userName"), "10:00:00 A x, 10:01:00 A x, 10:02:00 A x", 0),
        (&values("userIdentity.userName"), "10:00:00 A x, 10:01:00 A", 0),
        (&values("requestParameters.n"), "10:00:00 A x [1,2]", 1),
        (&values("[userIdentity.userName, requestParameters.n]"), "10:00:00 A x 1, 10:01:00 A x 2", 1),
        (&values("[userIdentity.userName, requestParameters.n]"), "10:00:00 A x 1, 10:01:00 A x 1", 0),
        (&values("[userIdentity.userName, requestParameters.n]"), "10:00:00 A x 1, 10:01:00 A y", 0),
    ]);
}

fn temporal(kind: &str, more: &str) -> String {
    format!("type: {kind}, rules: [a, b, c], group-by: [userIdentity.userName], timespan: 5m{more}")
}

#[test]
fn temporal_asks_which_rules_matched() {
    let all = "10:00:00 C x, 10:01:00 A x, 10:02:00 B x";
    episodes(&[
        (&temporal("temporal", ""), all, 1),
        (&temporal("temporal", ""), "10:00:00 C x, 10:01:00 A x, 10:02:00 A x", 0),
        (&temporal("temporal", ""), "10:00:00 C x, 10:01:00 A y, 10:02:00 B x", 0),
        (&temporal("temporal", ""), "10:00:00 C x, 10:01:00 A x, 10:06:00 B x", 0),
        (&temporal("temporal", ", condition: {gte: 2}"), "10:00:00 C x, 10:01:00 A x", 1),
        (&temporal("temporal", ", condition: {gte: 2}"), "10:00:00 C x, 10:01:00 C x", 0),
        (&temporal("temporal", ", condition: {eq: 3}"), all, 1),
        (&temporal("temporal", ", condition:"), all, 1),
    ]);
}

#[test]
fn temporal_ordered_asks_for_the_order_of_the_rules() {
    episodes(&[
        (&temporal("temporal_ordered", ""), "10:00:00 A x, 10:01:00 B x, 10:02:00 C x", 1),
        (&temporal("temporal_ordered", ""), "10:00:00 B x, 10:01:00 A x, 10:02:00 C x", 0),
        (&temporal("temporal_ordered", ""), "10:00:00 B x, 10:01:00 A x, 10:02:00 B x, 10:03:00 C x", 1),
        (&temporal("temporal_ordered", ""), "10:00:00 A x, 10:00:00 B x, 10:00:00 C x", 1),
        (&temporal("temporal_ordered", ""), "10:00:00 A x, 10:01:00 B x, 10:06:00 C x", 0),
        (&temporal("temporal_ordered", ", condition: {gte: 2}"), "10:00:00 A x, 10:01:00 C x", 1),
        (&temporal("temporal_ordered", ", condition: {gte: 2}"), "10:00:00 C x, 10:01:00 A x", 0),
        (&temporal("temporal_ordered", ", condition: a and c and not b"), "10:00:00 A x, 10:01:00 C x", 1),
        (&temporal("temporal_ordered", ", condition: a and c and not b"), "10:00:00 C x, 10:01:00 A x", 0),
    ]);
}

#[test]
fn temporal_takes_an_expression_over_rules() {
    let expression = |text: &str| temporal("temporal", &format!(", condition: {text}"));
    episodes(&[
        (&expression("a and b and not c"), "10:00:00 A x, 10:01:00 B x", 1),
        (&expression("a and b and not c"), "10:00:00 C x, 10:01:00 A x, 10:02:00 B x", 0),
        (&expression("a and b and not c"), "10:00:00 C x, 10:04:00 A x, 10:06:00 B x", 1),
        // What comes after can't be waited for.
        (&expression("a and b and not c"), "10:00:00 A x, 10:01:00 B x, 10:02:00 C x", 1),
        (&expression("a AND (b OR c)"), "10:00:00 C x, 10:01:00 A x", 1),
        (&expression("a AND (b OR c)"), "10:00:00 C x, 10:01:00 B x", 0),
        (&expression("1 of them"), "10:00:00 B x", 1),
        ("type: temporal, timespan: 5m, condition: a and not b", "10:00:00 A x", 1),
        ("type: temporal, timespan: 5m, condition: a and not b", "10:00:00 B x, 10:01:00 A x", 0),
    ]);
}

#[test]
fn sums_averages_and_percentiles_of_numbers() {
    let of = |kind: &str, condition: &str| {
        format!("type: {kind}, rules: [a], timespan: 5m, condition: {{field: requestParameters.n, {condition}}}")
    };
    let numbers = r#"10:00:00 A x 2, 10:01:00 A x "4", 10:02:00 A x "many", 10:03:00 A x null, 10:04:00 A x 9"#;
    episodes(&[
        (&of("value_sum", "gte: 15"), numbers, 1),
        (&of("value_sum", "gt: 15"), numbers, 0),
        (&of("value_sum", "gte: 15"), "10:00:00 A x 9, 10:06:00 A x 9", 0),
        (&of("value_sum", "lt: 0"), "10:00:00 A x 1, 10:01:00 A x -2.5", 1),
        (&of("value_avg", "gte: 5"), numbers, 1),
        (&of("value_avg", "gt: 5"), numbers, 0),
        (&of("value_median", "eq: 4"), numbers, 1),
        (&of("value_median", "gt: 4"), numbers, 0),
        (&of("value_percentile", "percentile: 100, gte: 9"), numbers, 1),
        (&of("value_percentile", "percentile: 75, gte: 6.5"), numbers, 1),
        (&of("value_percentile", "percentile: 75, gt: 6.5"), numbers, 0),
        (&of("value_percentile", "percentile: 0, lte: 2"), numbers, 1),
    ]);
}

#[test]
fn an_event_that_two_rules_match_counts_once_but_is_of_both() {
    let twice = RULES.replace("eventName: B", "eventName: [A, B]");
    let over = |body: &str| format!("{twice}title: Sum\nid: sum\ncorrelation: {{{body}}}\n");
    let (one, two) = (calls("10:00:00 A x"), calls("10:00:00 A x, 10:01:00 B x"));
    let count = over("type: event_count, rules: [a, b], timespan: 5m, condition: {gte: 2}");
    assert_eq!((told(&count, &one).len(), told(&count, &two).len()), (0, 1));
    assert_eq!(told(&over("type: temporal, rules: [a, b], timespan: 5m"), &one), ["sum: temporal of 2 rules"]);
}

#[test]
fn rules_are_called_by_id_or_name() {
    for name in ["c", "5638f7c0-ac70-491d-8465-2a65075e0d86", "5638F7C0-AC70-491D-8465-2A65075E0D86"] {
        let body = format!("type: event_count, rules: {name}, timespan: 5m, condition: {{gte: 1}}");
        episodes(&[(&body, "10:00:00 C x", 1), (&body, "10:00:00 A x", 0)]);
    }
}

#[test]
fn timespans_have_units_and_an_old_name() {
    for (span, apart, expected) in [
        ("60s", "10:01:00", 1),
        ("59s", "10:01:00", 0),
        ("1m", "10:01:00", 1),
        ("2h", "12:00:00", 1),
        ("1d", "23:00:00", 1),
    ] {
        let lines = format!("10:00:00 A x, {apart} A x");
        for name in ["timespan", "timeframe"] {
            let body = format!("type: event_count, rules: [a], {name}: {span}, condition: {{gte: 2}}");
            episodes(&[(&body, &lines, expected)]);
        }
    }
}

#[test]
fn aliases_join_fields_of_different_names() {
    let body = "type: temporal, rules: [a, b], group-by: [who], timespan: 5m,
  aliases: {who: {a: userIdentity.userName, b: requestParameters.n}}";
    episodes(&[
        (body, r#"10:00:00 A alice, 10:01:00 B bob "alice""#, 1),
        (body, r#"10:00:00 A alice, 10:01:00 B alice "bob""#, 0),
    ]);
    let values = "type: value_count, rules: [a, b], timespan: 5m, condition: {field: who, gte: 2},
  aliases: {who: {a: userIdentity.userName, b: requestParameters.n}}";
    episodes(&[
        (values, r#"10:00:00 A alice, 10:01:00 B alice "bob""#, 1),
        (values, r#"10:00:00 A alice, 10:01:00 B bob "alice""#, 0),
    ]);
}

#[test]
fn generate_tells_the_rules_by_themselves_too() {
    let two = calls("10:00:00 A x, 10:01:00 A x");
    let quiet = sum(&count("{gte: 2}"));
    assert_eq!(told(&quiet, &two), ["sum: event_count 2 (gte 2)"]);
    let loud = ["a", "a", "sum: event_count 2 (gte 2)"];
    assert_eq!(told(&(quiet + "generate: true\n"), &two), loud);
    assert_eq!(told(&sum(&(count("{gte: 2}") + ", generate: true")), &two), loud);
    // One that generates is enough.
    let second = "---\ntitle: Other\nid: other\ncorrelation: {type: event_count, rules: [a], timespan: 5m, condition: {gte: 9}, generate: true}\n";
    assert_eq!(told(&(sum(&count("{gte: 2}")) + second), &two), loud);
    assert_eq!(told(&sum(&count("{gte: 2}")), &calls("10:00:00 B x")), ["b"], "no correlation reads b");
}

#[test]
fn correlations_read_correlations() {
    let chain = sum("type: temporal_ordered, rules: [many, b], group-by: [userIdentity.userName], timespan: 10m")
        + "---\ntitle: Many\nid: many\ncorrelation: {type: event_count, rules: [a], group-by: [awsRegion], timespan: 5m, condition: {gte: 2}}\n";
    for (lines, expected) in [
        ("10:00:00 A x, 10:01:00 A x, 10:02:00 B x", vec!["sum: temporal_ordered of 2 rules"]),
        ("10:00:00 A x, 10:02:00 B x", vec![]),
        ("10:00:00 B x, 10:01:00 A x, 10:02:00 A x", vec![]),
        // The outer one goes by its own `group-by`, and takes its value from the event that completed the inner one.
        ("10:00:00 A x, 10:01:00 A y, 10:02:00 B y", vec!["sum: temporal_ordered of 2 rules"]),
        ("10:00:00 A x, 10:01:00 A y, 10:02:00 B x", vec![]),
    ] {
        assert_eq!(told(&chain, &calls(lines)), expected, "{lines}");
    }
    let loud = chain.replace("timespan: 10m", "timespan: 10m, generate: true");
    let all = told(&loud, &calls("10:00:00 A x, 10:01:00 A x, 10:02:00 B x"));
    assert_eq!(all, ["b", "many: event_count 2 (gte 2)", "sum: temporal_ordered of 2 rules"]);
}

#[test]
fn a_correlation_tells_about_itself() {
    let yaml = sum(&count("{gte: 2}")).replace("id: sum\n", "")
        + "level: critical\nstatus: stable\ndescription: Why.\ntags: [attack.t1110]\nfalsepositives: [None]\n";
    let rules = rules(&yaml);
    let info = &rules.correlations()[0].info;
    assert_eq!((info.id.as_str(), info.title.as_str(), info.level.as_str()), ("sum", "Sum", "critical"));
    assert_eq!((info.description.as_str(), info.tags.len(), info.falsepositives.len()), ("Why.", 1, 1));
}

#[test]
fn correlations_that_make_no_sense_are_errors() {
    for (body, expected) in [
        ("type: event_count, rules: [a], timespan: 5m, condition: {lt: 3}", "holds when nothing happens"),
        ("type: event_count, rules: [a], timespan: 5m, condition: {gte: 1.5}", "a count is a whole number"),
        ("type: event_count, rules: [a], timespan: 5m, condition: {field: x, gte: 1}", "reads no field"),
        ("type: event_count, rules: [a], timespan: 5m", "`condition` is missing"),
        ("type: event_count, rules: [a], condition: {gte: 1}", "`timespan` is missing"),
        ("type: event_count, timespan: 5m, condition: {gte: 1}", "`rules` is missing"),
        ("type: event_count, rules: [z], timespan: 5m, condition: {gte: 1}", "no rule has the id or name `z`"),
        ("type: temporal, rules: [a, sum], timespan: 5m", "refers back to this one"),
        ("type: temporal_ordered, rules: [a], timespan: 5m", "one rule has no order"),
        ("type: temporal, rules: [a, b], timespan: 5m, condition: not a and not b", "holds when nothing happens"),
        ("type: temporal, rules: [a, b], timespan: 5m, condition: a", "leaves out `b`"),
        ("type: value_percentile, rules: [a], timespan: 5m, condition: {field: x, gt: 1}", "`percentile` is missing"),
        ("type: value_sum, rules: [a], timespan: 5m, condition: {field: [x, y], gt: 1}", "reads one field"),
        ("type: near, rules: [a], timespan: 5m", "is no type of correlation"),
        ("type: temporal, rules: [a], timespan: 1H", "is no timespan"),
        ("type: temporal, rules: [a, b], timespan: 5m, aliases: {x: {a: y}}", "uses the alias `x`"),
        ("type: temporal, rules: [a, b], timespan: 5m, groupby: x", "did you mean `group-by`?"),
    ] {
        let (_, errors) = compile(&sum(body), "");
        let messages: Vec<String> = errors.iter().map(message).collect();
        assert!(messages.len() == 1 && messages[0].contains(expected), "{body}: {messages:?}");
    }
}

/// The command line and the log go by the code: `unknown-rule` is a warning that no rule is lost by.
#[test]
fn a_correlation_that_names_a_rule_in_vain_is_rejected_and_not_only_warned_of() {
    for body in [
        "type: temporal, rules: [a, b], timespan: 5m, condition: a and b and d",
        "type: temporal, rules: [a, b], timespan: 5m, group-by: [x], aliases: {x: {d: y}}",
        "type: temporal, rules: [a, d], timespan: 5m",
    ] {
        let collection = trailhound::sigma::parse(&trailhound::yaml::SourceFile::new("rules.yml", sum(body)));
        let loaded = trailhound::rule_pack::Loaded::compile(
            &collection,
            &trailhound::engine::Organisation::default(),
            crate::support::TODAY,
        );
        assert_eq!((loaded.rejected.len(), loaded.stray.len()), (1, 0), "{body}");
    }
}
