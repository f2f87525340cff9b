//! What is known about the callers that alerts are about.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::engine::{RuleInfo, RuleSet, Sighted};
use crate::finding::{Event, Finding};
use crate::sigma::Level;

use super::item::{Items, Key};
use super::sighting::{EntityKey, KnownEntity};

/// What is known about a caller besides what an alert is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acquaintance {
    /// The oldest event of the caller that first-seen rules have learned from.
    pub since: Option<Timestamp>,
    /// Titles of rules with other findings about the same caller at the same time, and how many; the gravest first.
    pub others: Vec<(String, usize)>,
}

/// Where the memory says since when a caller is known: each first-seen rule that learns of callers keeps it for itself.
#[must_use]
pub fn since_keys(rules: &RuleSet, principal: &str) -> Vec<Key> {
    let sighted = Sighted { entity: vec![principal.to_owned()], value: Vec::new() };
    let of_callers = rules.first_seen().filter(|(_, plan)| plan.is_by_principal());
    of_callers.map(|(rule, plan)| EntityKey::new(&rule.id, &plan.subject, &sighted).key()).collect()
}

impl Acquaintance {
    /// Takes what the memory says. What can't be understood is passed over: the rules that it belongs to say so.
    #[must_use]
    pub fn since(keys: &[Key], items: &Items) -> Option<Timestamp> {
        keys.iter().filter_map(|key| Some(items.get(key)?.read::<KnownEntity>().ok()?.since())).min()
    }

    /// Counts the other findings about the same caller, by rule.
    #[must_use]
    pub fn others<'f>(
        finding: &Finding,
        principal: &str,
        all: impl Iterator<Item = (&'f RuleInfo, &'f Event)>,
    ) -> Vec<(String, usize)> {
        let is_other = |(rule, _): &(&RuleInfo, &Event)| rule.id != finding.rule.id;
        let by_same = |(_, event): &(&RuleInfo, &Event)| {
            event.record.record().identity().principal().as_deref() == Some(principal)
        };
        let mut counts: BTreeMap<(Reverse<Level>, &str), usize> = BTreeMap::new();
        for (rule, _) in all.filter(is_other).filter(by_same) {
            *counts.entry((Reverse(rule.level), &rule.title)).or_default() += 1;
        }
        counts.into_iter().map(|((_, title), count)| (title.to_owned(), count)).collect()
    }
}
