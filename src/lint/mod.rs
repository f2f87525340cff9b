//! Finds what is legal but dead or dangerous in rules.
//!
//! In: rules as their authors wrote them, and what they were compiled to. Out: warnings with their places; `docs/lints.md`
//! explains each. A lint misses rather than cries wolf: whoever learns to pass warnings over passes over the true one.
//!
//! A rule with a misspelt event name compiles, runs and never fires. So the lints know which events CloudTrail writes
//! ([`events`]) and the tags of MITRE ATT&CK ([`attack`]). Both tables are compiled in, read when first asked, and stand in
//! `data/`, here and in `sigma`, with where they come from. They age: what they don't know is a remark to the author, never an error.

pub mod attack;
mod detection;
pub mod events;
mod fields;
mod forms;
mod metadata;
mod names;
mod regex;
mod subject;
mod values;

use crate::engine::RuleSet;
use crate::sigma::{Collection, DetectionItem};
use crate::yaml::Diagnostic;

use subject::{Subject, subjects};

/// Lints of a whole document.
const DOCUMENT: &[fn(&Subject<'_>) -> Vec<Diagnostic>] = &[
    metadata::missing_id,
    metadata::bad_id,
    metadata::missing_level,
    metadata::missing_description,
    metadata::unowned_filter,
    metadata::bad_dates,
    metadata::title_too_long,
    metadata::unknown_tags,
    metadata::bad_related,
    detection::unused_identifiers,
    detection::no_access_predicate,
    detection::filter_without_not,
    names::unknown_names,
    fields::unlikely_fields,
];

/// Lints of one field and what it is held against.
const ITEM: &[fn(&Subject<'_>, &DetectionItem) -> Vec<Diagnostic>] = &[
    names::unknown_sources,
    names::error_code_success,
    forms::impossible_values,
    regex::could_be_text,
    regex::flavour,
    values::single_all,
    values::null_in_list,
    values::wildcard_only,
    values::double_wildcards,
    values::placeholder_without_expand,
    values::expand_without_placeholder,
];

/// Warnings about the rules, correlations and filters of a collection, in the order of file names and of places in them.
///
/// `rules` is what the collection was compiled to: it knows which rules have to be tried on every record.
///
/// ```
/// use trailhound::engine::{Organisation, RuleSet};
/// use trailhound::{lint, sigma, yaml::SourceFile};
///
/// let file = SourceFile::new("stop.yml", "
/// title: Trail stopped
/// id: 3f0a4c3e-6c52-4c27-9b1c-0b9f2d4a7e11
/// description: Nobody sees what happens next.
/// level: high
/// logsource: {product: aws, service: cloudtrail}
/// detection: {stop: {eventName: StopLoging}, condition: stop}
/// ");
/// let collection = sigma::parse(&file);
/// let today = jiff::civil::date(2026, 11, 5);
/// let (rules, _) = RuleSet::compile(&collection, &Organisation::default(), today);
/// let warnings = lint::lint(&collection, &rules);
/// assert_eq!(warnings[0].code().as_str(), "unknown-event-name");
/// assert_eq!(warnings[0].advice(), Some("did you mean `StopLogging`?"));
/// ```
#[must_use]
pub fn lint(collection: &Collection, rules: &RuleSet) -> Vec<Diagnostic> {
    let subjects = subjects(collection, rules);
    let mut found: Vec<Diagnostic> = subjects.iter().flat_map(of_subject).collect();
    found.extend(metadata::duplicate_names(&subjects));
    found.extend(collection.retired.iter().chain(&collection.doubtful).cloned());
    found.sort_by_cached_key(|warning| (warning.file().name.clone(), warning.marked().start, warning.code()));
    // What two documents share through an alias is said once.
    found.dedup();
    found
}

fn of_subject(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let document = DOCUMENT.iter().flat_map(|lint| lint(subject));
    let items = subject.items();
    let items = items.iter().flat_map(|item| ITEM.iter().flat_map(|lint| lint(subject, item)));
    document.chain(items).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use walkdir::WalkDir;

    use super::{attack, events};
    use crate::yaml::{Kind, Node, SourceFile};

    /// The rules of `rules/`, without their tests.
    fn shipped() -> Vec<Node> {
        let files = WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")).into_iter().map(Result::unwrap);
        let rules = files.filter(|file| {
            let name = file.file_name().to_string_lossy();
            name.ends_with(".yml") && !name.ends_with(".test.yml")
        });
        let texts = rules.map(|file| std::fs::read_to_string(file.path()).unwrap());
        texts.flat_map(|text| SourceFile::new("rule", text).documents()).map(Result::unwrap).collect()
    }

    fn texts(node: &Node) -> Vec<&str> {
        match &node.kind {
            Kind::List(items) => items.iter().filter_map(Node::text).collect(),
            _ => node.text().into_iter().collect(),
        }
    }

    /// Every name that a mapping at or below the node asks for, with the sources that it asks for beside it.
    fn names(node: &Node) -> Vec<(String, Vec<String>)> {
        let named = node.members().iter().filter_map(|(key, value)| match key.text.as_str() {
            "eventName" => Some((value, "")),
            "eventName|startswith" => Some((value, "*")),
            _ => None,
        });
        let sources: Vec<String> =
            node.get("eventSource").map(texts).unwrap_or_default().into_iter().map(str::to_owned).collect();
        let mut found: Vec<_> = named
            .flat_map(|(value, end)| texts(value).into_iter().map(move |name| format!("{name}{end}")))
            .filter(|_| !sources.is_empty())
            .map(|name| (name, sources.clone()))
            .collect();
        let below: &[Node] = if let Kind::List(items) = &node.kind { items } else { &[] };
        found.extend(node.members().iter().map(|(_, value)| value).chain(below).flat_map(names));
        found
    }

    #[test]
    fn shipped_rules_name_events_and_tags_that_exist() {
        let rules = shipped();
        let events: Vec<_> = rules.iter().flat_map(names).collect();
        let tags: Vec<_> = rules.iter().filter_map(|rule| rule.get("tags")).flat_map(texts).collect();
        assert!(events.len() > 50 && tags.len() > 50);

        let is_known = |name: &str, at: &String| events::check(at, name) == events::Verdict::Known;
        let wrong: Vec<_> = events.iter().filter(|(name, at)| !at.iter().any(|at| is_known(name, at))).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        let wrong: Vec<_> = tags.iter().filter(|tag| attack::check(tag) != attack::Tag::Known).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
