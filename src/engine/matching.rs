//! Records met by rules.

use std::sync::{Arc, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::trail::Record;

use super::Knowledge;
use super::context::{Context, Room};
use super::correlation::{Feed, Observed};
use super::first_seen::{FirstSeenPlan, Shown};
use super::index::{Lookup, RuleIndex, Where};
use super::outline::{Sight, Verdicts};
use super::rule_set::{CompiledRule, RuleInfo, RuleSet};

/// Entities and values of one record that a first-seen rule looks at. Two lists of a thousand would otherwise be a million.
pub const MAX_SIGHTED: usize = 1000;

/// Holds records against a [`RuleSet`], one after the other. Each thread has its own: it remembers which rules a value led to,
/// and leaves that to the next one.
#[derive(Debug)]
pub struct Matcher<'s> {
    rules: &'s RuleSet,
    workspace: Workspace,
}

/// What a matcher works with.
#[derive(Debug)]
pub(super) struct Workspace {
    lookup: Lookup,
    verdicts: Verdicts,
    /// The rules that the latest record matched.
    met: Vec<RuleIndex>,
    /// How many it was held against.
    tried: usize,
    room: Room,
}

impl Default for Workspace {
    fn default() -> Self {
        let (lookup, verdicts) = (Lookup::default(), Verdicts::default());
        Self { lookup, verdicts, met: Vec::new(), tried: 0, room: Room::for_many() }
    }
}

/// A rule met a record.
#[derive(Debug, Clone, Copy)]
pub struct Match<'s, 'r> {
    rule: &'s CompiledRule,
    feeds: &'s [Feed],
    knowledge: &'s Knowledge,
    /// The record it met.
    pub record: &'s Record<'r>,
}

impl<'s> Matcher<'s> {
    pub(super) fn new(rules: &'s RuleSet) -> Self {
        let spare = rules.workspaces.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { rules, workspace: spare.unwrap_or_default() }
    }

    /// Holds a record against every rule. The matches come in the order of the rules. A record that matches nothing costs no
    /// allocation, unless a rule looks into JSON inside a text.
    #[must_use]
    pub fn matches<'m, 'r>(&mut self, record: &'m Record<'r>) -> Vec<Match<'m, 'r>>
    where
        's: 'm,
    {
        let rules: &'m RuleSet = self.rules;
        let Workspace { lookup, verdicts, met, tried, room } = &mut self.workspace;
        let context = Context::new(record, &rules.knowledge, room);
        met.clear();
        let places = match verdicts.sight(record) {
            Sight::Known(places) => Some(places),
            Sight::Again => {
                let candidates = rules.index.candidates(&context, Where::Outline, lookup);
                Some(verdicts.work_out(candidates, &rules.rules, &context))
            }
            Sight::New => None,
        };
        let beyond = if places.is_some() { Where::Beyond } else { Where::Everywhere };
        let known = verdicts.at(places.unwrap_or_default());
        met.extend(known.iter().filter(|verdict| verdict.holds(&context)).map(|verdict| verdict.rule));
        let candidates = rules.index.candidates(&context, beyond, lookup);
        // OK because the index was made of these rules.
        met.extend(candidates.iter().filter(|rule| rules.rules[**rule as usize].holds(&context)));
        *tried = candidates.len() + known.iter().filter(|verdict| verdict.open.is_some()).count();
        met.sort_unstable();
        met.dedup();
        met.iter().map(|&rule| Match::new(rules, rule, record)).collect()
    }

    /// How many rules the latest record was held against: those that the index found, whether they matched or not.
    #[must_use]
    pub fn tried(&self) -> usize {
        self.workspace.tried
    }
}

impl Drop for Matcher<'_> {
    fn drop(&mut self) {
        let workspace = std::mem::take(&mut self.workspace);
        self.rules.workspaces.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
    }
}

impl<'s, 'r> Match<'s, 'r> {
    pub(super) fn new(rules: &'s RuleSet, rule: RuleIndex, record: &'s Record<'r>) -> Self {
        // OK because the index was made of these rules.
        let index = rule as usize;
        Self { rule: &rules.rules[index], feeds: &rules.correlations.feeds[index], knowledge: &rules.knowledge, record }
    }

    /// The rule.
    #[must_use]
    pub fn info(&self) -> &Arc<RuleInfo> {
        &self.rule.info
    }

    /// Whether the match is told by itself, and not only as a part of correlations.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.rule.told
    }

    /// What the match shows each correlation that it reaches.
    #[must_use]
    pub fn observed(&self) -> Vec<Observed> {
        if self.feeds.is_empty() {
            return Vec::new();
        }
        let mut room = Room::default();
        let context = Context::new(self.record, self.knowledge, &mut room);
        self.feeds.iter().map(|feed| feed.observe(&context)).collect()
    }

    /// The title of an alert about this record, with what the record says in it.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.rule.title {
            None => self.rule.info.title.clone(),
            Some(title) => title.of(&Context::new(self.record, self.knowledge, &mut Room::default())),
        }
    }

    /// The rule's `first_seen` section and what this record shows it.
    #[must_use]
    pub fn sighted(&self) -> Option<(&'s FirstSeenPlan, Shown)> {
        let plan = self.rule.first_seen.as_ref()?;
        let mut room = Room::default();
        Some((plan, plan.shown(&Context::new(self.record, self.knowledge, &mut room))))
    }

    /// The values that make findings of this rule one alert; `None` to go by entity and value of the first sighting.
    #[must_use]
    pub fn dedup_values(&self) -> Option<Vec<String>> {
        let fields = self.rule.dedup.as_ref()?;
        let mut room = Room::default();
        let context = Context::new(self.record, self.knowledge, &mut room);
        Some(fields.iter().map(|field| field.texts(&context).join(",")).collect())
    }
}

/// Bytes of a value that is remembered. No name of AWS is longer, and each combination has a copy of its own.
const MAX_VALUE: usize = 2048;

/// The text, or its beginning with a hash of the whole in the place of the rest.
fn bounded(text: String) -> String {
    if text.len() <= MAX_VALUE {
        return text;
    }
    let hash = Sha256::digest(&text).iter().fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
    format!("{}…{hash}", &text[..text.floor_char_boundary(MAX_VALUE / 2)])
}

/// One value of each field, in every way, up to [`MAX_SIGHTED`].
pub(super) fn combinations(fields: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    fields.fold(vec![Vec::new()], |rows, values| {
        let values: Vec<String> = values.into_iter().map(bounded).collect();
        rows.iter()
            .flat_map(|row| values.iter().map(move |value| [row.as_slice(), std::slice::from_ref(value)].concat()))
            .take(MAX_SIGHTED)
            .collect()
    })
}
