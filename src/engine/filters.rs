//! Which filters are for which rules.

use crate::sigma::{Collection, Filter, FilteredRules, Rule};
use crate::yaml::{Code, Diagnostic, suggest};

use super::{Organisation, compile};

/// The filters that can be compiled.
pub(super) struct Filters<'f>(Vec<&'f Filter>);

impl<'f> Filters<'f> {
    /// Leaves out filters with a mistake in them: it may bring alerts too many, but must not reject the rules that they are for.
    pub(super) fn new(filters: &'f [Filter], organisation: &Organisation, rejected: &mut Vec<Diagnostic>) -> Self {
        let usable = |filter: &&Filter| match compile::check_filter(filter, organisation) {
            Ok(lacking) => {
                rejected.extend(lacking);
                true
            }
            Err(error) => {
                rejected.push(error);
                false
            }
        };
        Self(filters.iter().filter(usable).collect())
    }

    pub(super) fn of(&self, rule: &Rule) -> Vec<&'f Filter> {
        let is_for = |filter: &&&Filter| match &filter.rules {
            FilteredRules::Any => true,
            FilteredRules::These(rules) => rules.iter().any(|named| rule.metadata.is_called(&named.text)),
        };
        self.0.iter().filter(is_for).copied().collect()
    }

    /// Rules that a filter names and that are not there.
    pub(super) fn stray(&self, collection: &Collection) -> Vec<Diagnostic> {
        let known = |named: &str| collection.rules.iter().any(|rule| rule.metadata.is_called(named));
        let stray = |filter: &&'f Filter| match &filter.rules {
            FilteredRules::Any => Vec::new(),
            FilteredRules::These(named) => named
                .iter()
                .filter(|named| !known(&named.text))
                .map(|named| {
                    let (message, advice) = why_not(collection, &named.text);
                    Diagnostic::new(Code::UnknownRule, &filter.metadata.file, named.span.clone(), message)
                        .advise(advice)
                })
                .collect(),
        };
        self.0.iter().flat_map(stray).collect()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

/// Why a filter can't be for what it names, and what to try.
fn why_not(collection: &Collection, named: &str) -> (String, String) {
    if collection.correlations.iter().any(|rule| rule.metadata.is_called(named)) {
        let message = format!("`{named}` is a correlation, which looks at no event itself");
        return (message, "filter the rules that it names".to_owned());
    }
    if let Some((found, why)) = collection.aside.iter().find(|(metadata, _)| metadata.is_called(named)) {
        return (format!("the rule `{named}` is not loaded"), format!("\"{}\" is {why}", found.title));
    }
    let known = collection.rules.iter().filter_map(|rule| rule.metadata.name.as_deref());
    let advice =
        suggest(named, known).unwrap_or_else(|| "`trailhound rules` lists the rules that are loaded".to_owned());
    (format!("no rule has the id or name `{named}`"), advice)
}
