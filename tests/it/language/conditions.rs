//! Search identifiers and the conditions that join them.

use super::refusal;
use crate::support::{matches, record};

fn found(detection: &str) -> bool {
    matches(detection, &record("StopLogging", "e1"))
}

#[test]
fn maps_and_lists_nest() {
    for (selection, expected) in [
        ("{eventName: StopLogging, awsRegion: eu-west-1}", true),
        ("{eventName: StopLogging, awsRegion: us-east-1}", false),
        ("{eventName: [DeleteTrail, StopLogging]}", true),
        ("{eventName: [DeleteTrail, StartLogging]}", false),
        ("[{eventName: X}, {awsRegion: eu-west-1}]", true),
        ("[{eventName: X}, {awsRegion: us-east-1}]", false),
        ("[{eventName: X}, {awsRegion: eu-west-1, eventName: Y}]", false),
        ("[{eventName: X}, org-trail]", true),
        ("[{eventName: X}, other-trail]", false),
        ("[[{eventName: X}], [{awsRegion: eu-west-1}]]", true),
        ("{eventName: &name StopLogging, userAgent: *name}", false),
        ("{eventName: &name StopLogging, eventName|endswith: *name}", true),
    ] {
        assert_eq!(found(&format!("  sel: {selection}\n  condition: sel")), expected, "{selection}");
    }
    for (selection, expected) in [
        ("{}", "is empty"),
        ("[]", "is empty"),
        ("", "says nothing"),
        ("{eventName: x, eventName: y}", "stands twice"),
        ("{<<: x}", "merge keys"),
    ] {
        let refusal = refusal(&format!("  sel: {selection}\n  condition: sel"));
        assert!(refusal.contains(expected), "{selection}: {refusal}");
    }
}

/// Two identifiers hold, two don't; of those that begin with `_`, one does.
const IDENTIFIERS: &str = "  sel_a: {eventName: StopLogging}
  sel_b: {eventName: Other}
  other: {awsRegion: eu-west-1}
  not_here: {awsRegion: us-east-1}
  _hidden: {eventName: StopLogging}
  _off: {eventName: Other}
";

#[test]
fn operators_bind_as_the_specification_says() {
    for (condition, expected) in [
        ("sel_a", true),
        ("sel_b", false),
        ("sel_a and other", true),
        ("sel_a and sel_b", false),
        ("sel_b or other", true),
        ("sel_b or not_here", false),
        ("not sel_b", true),
        ("not not sel_a", true),
        ("not sel_b and sel_b", false),
        ("not (sel_b and sel_b)", true),
        ("sel_a or other and sel_b", true),
        ("(sel_a or other) and sel_b", false),
        ("sel_b and other or sel_a", true),
        ("(((sel_a)))", true),
        ("not 1 of sel_*", false),
        ("sel_a and not 1 of not_*", true),
        ("_hidden", true),
        ("sel_a and not _off", true),
    ] {
        assert_eq!(found(&format!("{IDENTIFIERS}  condition: {condition}\n")), expected, "{condition}");
    }
}

#[test]
fn quantifiers_select_identifiers() {
    for (condition, expected) in [
        ("1 of them", true),
        ("any of them", true),
        ("all of them", false),
        ("1 of sel_*", true),
        ("any of sel_*", true),
        ("all of sel_*", false),
        ("all of *_a", true),
        ("all of *e*", false),
        ("1 of not_*", false),
        ("all of o*r", true),
        ("1 of other", true),
        ("1 of _*", true),
        ("all of _*", false),
    ] {
        assert_eq!(found(&format!("{IDENTIFIERS}  condition: {condition}\n")), expected, "{condition}");
    }
    // What begins with `_` is meant by its name or by a pattern that begins so, too.
    let hidden = "  sel: {eventName: Other}\n  _hidden: {eventName: StopLogging}\n  condition: ";
    for (condition, expected) in [("1 of them", false), ("1 of *", false), ("1 of _*", true), ("_hidden", true)] {
        assert_eq!(found(&format!("{hidden}{condition}")), expected, "{condition}");
    }
    let numbers = "  1: {eventName: Other}\n  2of: {eventName: StopLogging}\n  condition: ";
    assert!(found(&format!("{numbers}1 or 2of")) && !found(&format!("{numbers}1")));
}

#[test]
fn a_list_of_conditions_means_any() {
    assert!(found(&format!("{IDENTIFIERS}  condition: [sel_b, sel_a and other]")));
    assert!(!found(&format!("{IDENTIFIERS}  condition: [sel_b, not_here]")));
}

#[test]
fn a_condition_that_makes_no_sense_is_an_error() {
    for (condition, expected) in [
        ("nobody", "no search identifier matches `nobody`"),
        ("sel_c", "did you mean `sel_a`?"),
        ("1 of x*", "no search identifier matches `x*`"),
        ("sel_a AND sel_b", "is not expected here"),
        ("NOT sel_a", "written in lower case"),
        ("(sel_a", "a `)` is missing"),
        ("sel_a sel_b", "`and` or `or` is missing"),
        ("sel_a and", "ends too early"),
        ("2 of sel_*", "no search identifier matches `2`"),
        ("sel_a | count() > 5", "aggregations belong to Sigma 1"),
        ("sel_a | near sel_b", "aggregations belong to Sigma 1"),
        ("''", "ends too early"),
    ] {
        let refusal = refusal(&format!("{IDENTIFIERS}  condition: {condition}\n"));
        assert!(refusal.contains(expected), "{condition}: {refusal}");
    }
    assert!(refusal("  sel: {eventName: x}\n").contains("`condition` is missing"));
    assert!(refusal("  sel: {eventName: x}\n  timeframe: 5m\n  condition: sel\n").contains("belongs to Sigma 1"));
}
