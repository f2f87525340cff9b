//! Every feature of the rule language, with what fires and what just misses. `docs/sigma-support.md` names these tests.

mod comparisons;
mod conditions;
pub(crate) mod correlations;
mod documents;
mod modifiers;
mod organisation;
mod values;

use serde_json::Value;
use trailhound::yaml::Diagnostic;

use crate::support::{compile, matches, rule};

/// Holds one search identifier after the other against a record.
fn table(record: &Value, cases: &[(&str, bool)]) {
    for (selection, expected) in cases {
        assert_eq!(matches(&selecting(selection), record), *expected, "{selection} on {record}");
    }
}

/// A detection of one line.
fn selecting(selection: &str) -> String {
    format!("  sel:\n    {selection}\n  condition: sel\n")
}

/// Why a detection doesn't load, without its place.
fn refusal(detection: &str) -> String {
    let (rules, errors) = compile(&rule(detection), "");
    assert_eq!((rules.rules().len(), errors.len()), (0, 1), "{detection}");
    message(&errors[0])
}

/// Each line is refused for the reason beside it.
fn refused(cases: &[(&str, &str)]) {
    for (selection, expected) in cases {
        let refusal = refusal(&selecting(selection));
        assert!(refusal.contains(expected), "{selection}: {refusal}");
    }
}

/// A diagnostic as one line: code, message, advice.
fn message(error: &Diagnostic) -> String {
    error.summary().splitn(4, ':').nth(3).unwrap_or_default().trim().to_owned()
}
