//! Lints of event sources and names, and of what stands in `errorCode`.

use crate::sigma::{Condition, Detection, DetectionItem, SearchIdentifier};
use crate::yaml::{Code, Diagnostic, Span};

use super::events::{self, Verdict};
use super::subject::{Subject, compares_text, maps, patterns};

/// No service logs under this source.
pub(super) fn unknown_sources(subject: &Subject<'_>, item: &DetectionItem) -> Vec<Diagnostic> {
    if !is_about(item, "eventSource") {
        return Vec::new();
    }
    let unknown = |(source, span): (String, &Span)| match events::check_source(&source) {
        Verdict::UnknownSource { advice } => {
            let message = format!("no service is known to log as `{source}`");
            let advice = advice.unwrap_or_else(|| "event sources are names such as `iam.amazonaws.com`".to_owned());
            Some(subject.warn(Code::UnknownEventSource, span, message).advise(advice))
        }
        _ => None,
    };
    patterns(item).into_iter().filter_map(unknown).collect()
}

/// CloudTrail leaves `errorCode` out of records of calls that succeeded.
pub(super) fn error_code_success(subject: &Subject<'_>, item: &DetectionItem) -> Vec<Diagnostic> {
    if !is_about(item, "errorCode") {
        return Vec::new();
    }
    let success = patterns(item).into_iter().filter(|(text, _)| text.eq_ignore_ascii_case("success"));
    let warning = |(_, span): (String, &Span)| {
        let message = "a call that succeeded has no `errorCode`";
        let advice = "write `errorCode: null`, or `derived.outcome: success`";
        subject.warn(Code::ErrorCodeSuccess, span, message).advise(advice)
    };
    success.map(warning).collect()
}

/// Names that no record has together with the event sources that are asked for beside them.
pub(super) fn unknown_names(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let asked = asked(subject);
    asked.iter().flat_map(|asked| asked.unknown(subject)).collect()
}

/// A map that is held against records, and the event sources that they can have; `None`: any.
struct Asked<'c> {
    items: &'c [DetectionItem],
    /// One for each place of the condition that the map is reached from.
    scopes: Vec<Option<&'c DetectionItem>>,
}

impl Asked<'_> {
    fn unknown(&self, subject: &Subject<'_>) -> Vec<Diagnostic> {
        let names = self.items.iter().filter(|item| is_about(item, "eventName")).flat_map(patterns);
        names.filter_map(|(name, span)| self.check(subject, &name, span)).collect()
    }

    /// A name is unknown when it is so wherever the map is asked for.
    fn check(&self, subject: &Subject<'_>, name: &str, span: &Span) -> Option<Diagnostic> {
        if name.contains(char::is_whitespace) {
            return None; // an impossible value
        }
        let unknown = self.scopes.iter().map(|scope| match scope {
            None => unknown_anywhere(name),
            Some(sources) => unknown_for(sources, name),
        });
        let unknown: Vec<Unknown> = unknown.collect::<Option<_>>()?;
        let Unknown { message, advice } = unknown.into_iter().next()?;
        Some(subject.warn(Code::UnknownEventName, span, message).advise_if(advice))
    }
}

struct Unknown {
    message: String,
    advice: Option<String>,
}

/// Without a source, only a name that is nearly a known one: services without a public model take any.
fn unknown_anywhere(name: &str) -> Option<Unknown> {
    let Verdict::UnknownName { advice: advice @ Some(_) } = events::check_name(name) else { return None };
    Some(Unknown { message: format!("no service is known to log `{name}`"), advice })
}

/// Nothing is said of sources that are unknown themselves.
fn unknown_for(sources: &DetectionItem, name: &str) -> Option<Unknown> {
    let verdicts = patterns(sources).into_iter().map(|(source, _)| (events::check(&source, name), source));
    let known_sources: Vec<_> =
        verdicts.filter(|(verdict, _)| !matches!(verdict, Verdict::UnknownSource { .. })).collect();
    if known_sources.iter().any(|(verdict, _)| *verdict == Verdict::Known) {
        return None;
    }
    let (_, first) = known_sources.first()?;
    let message = format!("`{first}` is not known to log `{name}`");
    let advice = known_sources.iter().find_map(|(verdict, _)| match verdict {
        Verdict::UnknownName { advice } => advice.clone(),
        _ => None,
    });
    let check =
        || Some("names are those of API calls, and some end in a version; or is the source another?".to_owned());
    Some(Unknown { message, advice: advice.or_else(check) })
}

/// Every map that the condition reaches, and every exception.
fn asked<'c>(subject: &Subject<'c>) -> Vec<Asked<'c>> {
    let mut asked = Vec::new();
    if let Some(detection) = subject.detection() {
        walk(&detection.condition, detection, None, &mut asked);
        let scope = source_of(&detection.condition, detection);
        subject.exceptions.iter().for_each(|exception| reach(exception, scope, &mut asked));
    }
    asked
}

/// `scope`: the event sources that are asked for beside this part of the condition.
fn walk<'c>(
    condition: &Condition,
    detection: &'c Detection,
    scope: Option<&'c DetectionItem>,
    asked: &mut Vec<Asked<'c>>,
) {
    match condition {
        // OK because the condition was parsed with these identifiers.
        Condition::Identifier(index) => reach(&detection.identifiers[*index].1, scope, asked),
        Condition::Not(term) => walk(term, detection, scope, asked),
        Condition::Or(terms) => terms.iter().for_each(|term| walk(term, detection, scope, asked)),
        Condition::And(terms) => {
            let scope = source_of(condition, detection).or(scope);
            terms.iter().for_each(|term| walk(term, detection, scope, asked));
        }
    }
}

fn reach<'c>(identifier: &'c SearchIdentifier, scope: Option<&'c DetectionItem>, asked: &mut Vec<Asked<'c>>) {
    for items in maps(identifier) {
        let scope = source_in(items).or(scope);
        match asked.iter_mut().find(|known| std::ptr::eq(known.items, items)) {
            Some(known) => known.scopes.push(scope),
            None => asked.push(Asked { items, scopes: vec![scope] }),
        }
    }
}

/// The event sources that a condition asks for itself: those of an identifier that is one map, or of one that is joined by
/// `and`.
fn source_of<'c>(condition: &Condition, detection: &'c Detection) -> Option<&'c DetectionItem> {
    match condition {
        Condition::Identifier(index) => match &detection.identifiers[*index].1 {
            SearchIdentifier::AllOf(items) => source_in(items),
            SearchIdentifier::AnyOf(_) => None,
        },
        Condition::And(terms) => terms.iter().find_map(|term| source_of(term, detection)),
        Condition::Not(_) | Condition::Or(_) => None,
    }
}

fn source_in(items: &[DetectionItem]) -> Option<&DetectionItem> {
    let whole = |item: &&DetectionItem| patterns(item).len() == item.values.len();
    items.iter().find(|item| is_about(item, "eventSource") && !item.modifiers.negated && whole(item))
}

fn is_about(item: &DetectionItem, field: &str) -> bool {
    item.field.as_ref().is_some_and(|name| name.text == field) && compares_text(item)
}
