//! Which filters are for which rules.

use crate::sigma::{Filter, FilteredRules, Rule};
use crate::yaml::{Code, Diagnostic, suggest};

use super::{Organisation, compile};

/// The filters that can be compiled.
pub(super) struct Filters<'f>(Vec<&'f Filter>);

impl<'f> Filters<'f> {
    /// Leaves out filters with a mistake in them: it may bring alerts too many, but must not reject the rules that they are for.
    pub(super) fn new(filters: &'f [Filter], organisation: &Organisation, rejected: &mut Vec<Diagnostic>) -> Self {
        let usable = |filter: &&Filter| match compile::check_filter(filter, organisation) {
            Ok(()) => true,
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

    /// Rules that a filter names and nobody has.
    pub(super) fn stray(&self, rules: &[Rule]) -> Vec<Diagnostic> {
        let known = |named: &str| rules.iter().any(|rule| rule.metadata.is_called(named));
        let stray = |filter: &&'f Filter| match &filter.rules {
            FilteredRules::Any => Vec::new(),
            FilteredRules::These(named) => named
                .iter()
                .filter(|named| !known(&named.text))
                .map(|named| {
                    let message = format!("no rule has the id or name `{}`", named.text);
                    let known_names = rules.iter().filter_map(|rule| rule.metadata.name.as_deref());
                    Diagnostic::new(Code::UnknownRule, &filter.metadata.file, named.span.clone(), message).advise(
                        suggest(&named.text, known_names)
                            .unwrap_or_else(|| "`trailhound rules` lists the rules that are loaded".to_owned()),
                    )
                })
                .collect(),
        };
        self.0.iter().flat_map(stray).collect()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}
