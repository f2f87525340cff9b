use super::*;
use crate::yaml::SourceFile;

/// Errors name the place as line and column.
fn parsed(document: &str) -> Result<Correlation, String> {
    let file = SourceFile::new("t.yml", document);
    let node = file.documents().remove(0).unwrap();
    parse(Shape::new(&file), &node).map_err(|error| error.summary())
}

/// A correlation over `a`, `b` and `c`, all on one line.
fn section(rest: &str) -> Result<Correlation, String> {
    parsed(&format!("correlation: {{rules: [a, b, c], timespan: 1m, {rest}}}"))
}

fn error(document: &str) -> String {
    parsed(document).unwrap_err()
}

fn names(fields: &[FieldName]) -> Vec<&str> {
    fields.iter().map(|field| field.text.as_str()).collect()
}

#[test]
fn every_member_is_read() {
    let correlation = parsed(
        "
title: Many users fail from one address
correlation:
  type: value_count
  rules: [failed_login, 5638f7c0-ac70-491d-8465-2a65075e0d86]
  group-by: [ip, recipientAccountId]
  timespan: 90m
  condition: {field: [user, awsRegion], gt: 100, lte: 200}
  aliases:
    ip: {failed_login: sourceIPAddress}
generate: true
",
    )
    .unwrap();
    assert_eq!(correlation.kind, CorrelationType::ValueCount);
    let rules: Vec<&str> = correlation.rules.iter().map(|rule| rule.text.as_str()).collect();
    assert_eq!(rules, ["failed_login", "5638f7c0-ac70-491d-8465-2a65075e0d86"]);
    assert_eq!(names(&correlation.group_by), ["ip", "recipientAccountId"]);
    assert_eq!(names(&correlation.fields), ["user", "awsRegion"]);
    assert_eq!(correlation.timespan, SignedDuration::from_mins(90));
    let CorrelationCondition::Bounds(bounds) = &correlation.condition else { panic!() };
    assert_eq!([100.0, 101.0, 200.0, 201.0].map(|count| bounds.hold(count)), [false, true, true, false]);
    assert_eq!(correlation.aliases[0].name.text, "ip");
    assert_eq!(correlation.aliases[0].fields[0].0.text, correlation.rules[0].text);
    assert_eq!(correlation.aliases[0].fields[0].1.text, "sourceIPAddress");
    assert!(correlation.generate);
}

#[test]
fn what_may_be_left_out() {
    let correlation = parsed("correlation: {type: temporal, rules: a, timeframe: 1h}").unwrap();
    assert_eq!(correlation.condition, CorrelationCondition::Rules(vec![Alternative::every(1)]));
    assert_eq!((correlation.group_by.len(), correlation.generate), (0, false));
    let median = section("type: value_median, condition: {field: x, lt: 5.5}").unwrap();
    assert_eq!(median.percentile, Some(50.0));
    assert!(section("type: event_count, condition: {gte: 2}, generate: true").unwrap().generate);
}

#[test]
fn an_expression_can_name_the_rules() {
    let correlation =
        parsed("correlation: {type: temporal, timespan: 1m, condition: login and (b or login) and not c}").unwrap();
    let rules: Vec<(&str, usize)> =
        correlation.rules.iter().map(|rule| (rule.text.as_str(), rule.span.start)).collect();
    assert_eq!(rules, [("login", 55), ("b", 66), ("c", 86)]);
}

#[test]
fn timespans() {
    for (text, seconds) in [
        ("15s", 15),
        ("10m", 600),
        ("2h", 7200),
        ("1d", 86_400),
        ("1w", 604_800),
        ("1M", 2_629_746),
        ("1y", 31_556_952),
    ] {
        let document = format!("correlation: {{type: temporal, rules: a, timespan: {text}}}");
        assert_eq!(parsed(&document).unwrap().timespan.as_secs(), seconds);
    }
    for text in ["10", "m", "+1m", "1.5h", "1H", "9223372036854775807y", "''"] {
        let document = format!("correlation: {{type: temporal, rules: a, timespan: {text}}}");
        assert!(
            error(&document).contains("is no timespan (a whole number and s, m, h, d, w, M (month) or y"),
            "{text}"
        );
    }
}

fn alternatives(condition: &str) -> Result<String, String> {
    let correlation = section(&format!("type: temporal, condition: {condition}"))?;
    let CorrelationCondition::Rules(alternatives) = correlation.condition else { panic!() };
    let word =
        |rules: &[usize], sign: &str| rules.iter().flat_map(|&rule| [sign, ["a", "b", "c"][rule]]).collect::<String>();
    let all: Vec<String> = alternatives.iter().map(|one| word(&one.present, "+") + &word(&one.absent, "-")).collect();
    Ok(all.join(" "))
}

#[test]
fn expressions_become_alternatives() {
    for (text, expected) in [
        ("a and b and not c", "+a+b-c"),
        ("a AND (b OR c)", "+a+b +a+c"),
        ("a and not (b or c)", "+a-b-c"),
        ("a and not (b and c)", "+a-b +a-c"),
        ("1 of them", "+a +b +c"),
        ("(a or b) and (a or c)", "+a +a+c +a+b +b+c"),
        ("(a and not a) or (b and c)", "+b+c"),
    ] {
        assert_eq!(alternatives(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn expressions_that_make_no_sense_are_errors() {
    for (text, expected) in [
        ("a and b", "t.yml:1:74: correlation: the condition leaves out `c` (name it, or take it from `rules`)"),
        ("a and b and d", "t.yml:1:86: correlation: `d` is not among `rules` (did you mean `a`?)"),
        (
            "not a and not b and not c",
            "t.yml:1:74: correlation: the condition also holds when nothing happens, which no event tells of (ask for a rule that matches, as in `a and not b`)",
        ),
        ("a and b and c and not a", "t.yml:1:74: correlation: the condition contradicts itself"),
        ("a and (b or c", "t.yml:1:87: condition: the condition ends too early (a `)` is missing)"),
    ] {
        assert_eq!(alternatives(text), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn an_expression_with_too_many_alternatives_is_an_error() {
    let names: Vec<String> = (0..14).map(|rule| format!("r{rule}")).collect();
    let pairs: Vec<String> = names.chunks(2).map(|pair| format!("({})", pair.join(" or "))).collect();
    let document = format!(
        "correlation: {{rules: [{}], timespan: 1m, type: temporal, condition: {}}}",
        names.join(", "),
        pairs.join(" and ")
    );
    assert!(error(&document).contains("more than 100 alternatives"), "{}", error(&document));
}

#[test]
fn conditions_that_make_no_sense_are_errors() {
    const NOTHING: &str = "correlation: the condition also holds when nothing happens, which no event tells of";
    for (text, expected) in [
        ("type: event_count", "missing: `condition` is missing (what to compare with, as in `{gte: 10}`)".to_owned()),
        (
            "type: value_count",
            "missing: `condition` is missing (what to compare with, as in `{field: sourceIPAddress, gte: 10}`)".to_owned(),
        ),
        (
            "type: event_count, condition: a or b",
            "wrong-type: condition has to be a map, not text (only `temporal` and `temporal_ordered` take an expression over rules)"
                .to_owned(),
        ),
        ("type: temporal, condition: [a]", "wrong-type: condition has to be a map, as in `{gte: 10}`, not a list".to_owned()),
        (
            "type: event_count, condition: {gtt: 5}",
            "unknown-key: `gtt` is not known here (did you mean `gt`?)".to_owned(),
        ),
        (
            "type: event_count, condition: {}",
            "missing: the condition compares nothing (one of gt, gte, lt, lte, eq, neq, as in `gte: 10`)".to_owned(),
        ),
        (
            "type: event_count, condition: {gt: many}",
            "wrong-type: `gt` has to be a number, which `many` is not".to_owned(),
        ),
        ("type: event_count, condition: {gt: inf}", "wrong-type: `gt` has to be a number, which `inf` is not".to_owned()),
        (
            "type: event_count, condition: {gt: 1.5}",
            "correlation: a count is a whole number, which 1.5 is not".to_owned(),
        ),
        (
            "type: event_count, condition: {gt: 5, lt: 3}",
            "correlation: the condition can never hold (the bounds exclude each other)".to_owned(),
        ),
        (
            "type: event_count, condition: {gt: 5, lt: 6}",
            "correlation: the condition can never hold (the bounds exclude each other)".to_owned(),
        ),
        (
            "type: value_sum, condition: {field: x, gte: 5, lte: 5, neq: 5}",
            "correlation: the condition can never hold (the bounds exclude each other)".to_owned(),
        ),
        (
            "type: temporal, condition: {gt: 3}",
            "correlation: the condition can never hold (it counts different rules, of which there are 3)".to_owned(),
        ),
        ("type: event_count, condition: {lt: 1}", format!("{NOTHING} (absence can't be alerted on)")),
        ("type: event_count, condition: {lte: 0}", format!("{NOTHING} (absence can't be alerted on)")),
        ("type: temporal, condition: {eq: 0}", format!("{NOTHING} (absence can't be alerted on)")),
        ("type: event_count, condition: {lte: 5}", format!("{NOTHING} (add a lower bound, such as `gte: 1`)")),
        ("type: value_sum, condition: {field: x, neq: 5}", format!("{NOTHING} (add a lower bound, such as `gte: 1`)")),
    ] {
        let error = section(text).unwrap_err();
        let (_, message) = error.split_once(": ").unwrap();
        assert_eq!(message, expected, "{text}");
    }
}

#[test]
fn bounds_that_an_event_can_meet_are_taken() {
    for condition in [
        "type: event_count, condition: {gte: 1, lte: 5}",
        "type: event_count, condition: {gt: 5, lt: 7}",
        "type: event_count, condition: {gte: 1, neq: 1}",
        "type: event_count, condition: {eq: 3}",
        "type: temporal, condition: {eq: 3}",
        "type: value_sum, condition: {field: x, lt: -0.5}",
        "type: value_avg, condition: {field: x, lt: 5}",
        "type: value_percentile, condition: {field: x, percentile: 5, lte: 1}",
    ] {
        assert!(section(condition).is_ok(), "{condition}: {:?}", section(condition));
    }
}

#[test]
fn fields_stand_where_values_are_read() {
    for (text, expected) in [
        (
            "type: event_count, condition: {field: x, gte: 2}",
            "correlation: `event_count` reads no field (leave it out, or count different values with `type: value_count`)",
        ),
        (
            "type: value_sum, condition: {gte: 2}",
            "missing: `field` is missing (`value_sum` reads a field's values, as in `field: sourceIPAddress`)",
        ),
        ("type: value_sum, condition: {field: [x, y], gte: 2}", "correlation: `value_sum` reads one field"),
        ("type: value_count, condition: {field: [], gte: 2}", "missing: `field` names no field"),
        (
            "type: value_percentile, condition: {field: x, lte: 1}",
            "missing: `percentile` is missing (which percentile is compared, 0 to 100, as in `{field: x, percentile: 95, gt: 1000}`)",
        ),
        (
            "type: value_percentile, condition: {field: x, percentile: 101, gt: 1}",
            "wrong-type: a percentile lies between 0 and 100",
        ),
        (
            "type: value_median, condition: {field: x, percentile: 90, gt: 1}",
            "correlation: `value_median` has no percentile (leave it out, or use `type: value_percentile`)",
        ),
    ] {
        let error = section(text).unwrap_err();
        let (_, message) = error.split_once(": ").unwrap();
        assert_eq!(message, expected, "{text}");
    }
}

#[test]
fn errors_point_and_advise() {
    for (text, expected) in [
        ("{}", "t.yml:1:1: missing: `correlation` is missing (`type`, `rules`, `timespan` and `condition`)"),
        ("correlation: {}", "t.yml:1:14: missing: `type` is missing (for example `type: event_count`)"),
        (
            "correlation: {type: event_counts}",
            "t.yml:1:21: wrong-type: `event_counts` is no type of correlation (did you mean `event_count`?)",
        ),
        (
            "correlation: {type: temporal, groupby: [a]}",
            "t.yml:1:31: unknown-key: `groupby` is not known here (did you mean `group-by`?)",
        ),
        ("correlation: {type: temporal, rules: []}", "t.yml:1:38: missing: `rules` names no rule"),
        ("correlation: {type: temporal, rules: [a, a]}", "t.yml:1:42: correlation: `a` stands twice in `rules`"),
        (
            "correlation: {type: temporal_ordered, rules: [a]}",
            "t.yml:1:46: correlation: one rule has no order (name a second rule, or count its events with `type: event_count`)",
        ),
        (
            "correlation: {type: temporal_ordered, condition: a and not a}",
            "t.yml:1:50: correlation: one rule has no order (name a second rule, or count its events with `type: event_count`)",
        ),
        (
            "correlation: {type: temporal, rules: [a]}",
            "t.yml:1:14: missing: `timespan` is missing (how far apart the events may be, as in `timespan: 10m`)",
        ),
        (
            "correlation: {type: temporal, rules: [a], timespan: 0m}",
            "t.yml:1:53: wrong-type: a timespan has to be longer than nothing",
        ),
        (
            "correlation: {type: temporal, rules: [a], timespan: 1m, timeframe: 1m}",
            "t.yml:1:68: correlation: `timeframe` is the old name of `timespan`, and both are there (leave `timeframe` out)",
        ),
        (
            "correlation: {type: temporal, rules: [a], timespan: 1m, aliases: {userr: {a: y}}, group-by: user}",
            "t.yml:1:67: correlation: neither `group-by` nor `field` uses the alias `userr` (did you mean `user`?)",
        ),
        (
            "{generate: false, correlation: {type: temporal, rules: [a], timespan: 1m, generate: true}}",
            "t.yml:1:85: correlation: `generate` is also set beside `correlation`, to the contrary (leave one of the two out)",
        ),
        (
            "{generate: maybe, correlation: {type: temporal, rules: [a], timespan: 1m}}",
            "t.yml:1:12: wrong-type: `maybe` is no value of generate (one of true, false)",
        ),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
}
