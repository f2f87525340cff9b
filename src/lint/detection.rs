//! Lints of conditions and what they join.

use std::collections::HashSet;

use crate::sigma::{Comparison, Condition, DetectionItem};
use crate::yaml::{Code, Diagnostic, Text};

use super::subject::{Body, Subject};

/// What no condition reaches looks for nothing. Names that begin with `_` are set aside on purpose.
pub(super) fn unused_identifiers(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(detection) = subject.detection() else { return Vec::new() };
    let mut reached = HashSet::new();
    reach(&detection.condition, &mut reached);
    let unused = detection
        .identifiers
        .iter()
        .enumerate()
        .filter(|(index, (name, _))| !reached.contains(index) && !name.starts_with('_'));
    let members = subject.section().map(|section| section.members()).unwrap_or_default();
    let place = |name: &str| members.iter().find(|(key, _)| key.text == name).map(|(key, _)| &key.span);
    let warning = |(_, (name, _)): (usize, &(Text, _))| {
        let message = format!("no condition reaches `{name}`");
        let span = place(name).unwrap_or(subject.title());
        subject.warn(Code::UnusedIdentifier, span, message).advise("add it to the condition, or leave it out")
    };
    unused.map(warning).collect()
}

fn reach(condition: &Condition, reached: &mut HashSet<usize>) {
    match condition {
        Condition::Identifier(index) => {
            reached.insert(*index);
        }
        Condition::Not(term) => reach(term, reached),
        Condition::And(terms) | Condition::Or(terms) => terms.iter().for_each(|term| reach(term, reached)),
    }
}

/// Such a rule costs time on every record, and mostly asks less than its author thinks.
pub(super) fn no_access_predicate(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if !subject.tried_always {
        return Vec::new();
    }
    let condition = subject.section().and_then(|section| section.get("condition"));
    let span = condition.map_or(subject.title(), |condition| &condition.span);
    let message = "the rule has to be tried on every record";
    let advice = "ask for an `eventName` or `eventSource` in every alternative";
    vec![subject.warn(Code::NoAccessPredicate, span, message).advise(advice)]
}

/// A filter's condition is joined to that of its rules with `and`.
pub(super) fn filter_without_not(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Body::Filter(detection) = subject.body else { return Vec::new() };
    if excludes(&detection.condition) || subject.items().into_iter().any(asks_for_absence) {
        return Vec::new();
    }
    let condition = subject.section().and_then(|section| section.get("condition"));
    let span = condition.map_or(subject.title(), |condition| &condition.span);
    let message = "the filter keeps the matches that it describes and drops all others";
    vec![subject.warn(Code::FilterWithoutNot, span, message).advise("to drop what it describes, write `not` in front")]
}

fn excludes(condition: &Condition) -> bool {
    match condition {
        Condition::Identifier(_) => false,
        Condition::Not(_) => true,
        Condition::And(terms) | Condition::Or(terms) => terms.iter().any(excludes),
    }
}

fn asks_for_absence(item: &DetectionItem) -> bool {
    let says = |word: &str| item.values.iter().any(|value| value.text.as_deref() == Some(word));
    item.modifiers.negated || item.modifiers.comparison == Comparison::Exists && says("false")
}
