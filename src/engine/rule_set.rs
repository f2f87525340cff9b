//! The rules that records are held against.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::sigma::{Level, Rule};
use crate::trail::Record;
use crate::yaml::{Code, Diagnostic};

use super::expr::Expr;
use super::field::Field;
use super::{Knowledge, Organisation, compile};

/// Compiled rules; immutable, and safe to share between threads.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<CompiledRule>,
    knowledge: Knowledge,
    off: usize,
}

#[derive(Debug)]
pub(super) struct CompiledRule {
    pub(super) info: Arc<RuleInfo>,
    pub(super) expr: Expr,
    pub(super) first_seen: Option<FirstSeenPlan>,
    /// `None`: entity and value of the first sighting.
    pub(super) dedup: Option<Vec<Field>>,
}

/// What people are told about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its id.
    pub id: String,
    /// What a match means.
    pub title: String,
    /// How bad it is, after the organisation's overrides.
    pub level: Level,
    /// Why it matters.
    pub description: String,
    /// Further reading.
    pub references: Vec<String>,
    /// `attack.t1098` and the like.
    pub tags: Vec<String>,
    /// Benign events that look alike.
    pub falsepositives: Vec<String>,
    /// What the receiver does first.
    pub next_steps: Vec<String>,
    /// The file it stands in.
    pub file: String,
    /// For how long one alert speaks for those that follow it, in event time.
    pub window: SignedDuration,
}

/// A compiled `first_seen` section.
#[derive(Debug)]
pub struct FirstSeenPlan {
    pub(super) entity: Vec<Field>,
    pub(super) value: Vec<Field>,
    /// A value not seen for this long is new again.
    pub history: SignedDuration,
    /// No alerts about an entity until it has been known this long.
    pub learning: SignedDuration,
}

/// Entities and values of one record that a first-seen rule looks at. Two lists of a thousand would otherwise be a million.
pub const MAX_SIGHTED: usize = 1000;

/// An entity showing a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sighted {
    /// Whose habits are learned.
    pub entity: Vec<String>,
    /// What it showed.
    pub value: Vec<String>,
}

/// A rule met a record.
#[derive(Debug, Clone, Copy)]
pub struct Match<'s, 'r> {
    rule: &'s CompiledRule,
    knowledge: &'s Knowledge,
    /// The record it met.
    pub record: &'s Record<'r>,
}

impl RuleSet {
    /// Compiles rules as the organisation wants them. A rule that can't be compiled is left out and reported; the others
    /// stand. This is the only step that can find fault with a rule.
    #[must_use]
    pub fn compile(rules: &[Rule], organisation: &Organisation) -> (Self, Vec<Diagnostic>) {
        let mut set = Self { knowledge: organisation.knowledge.clone(), ..Self::default() };
        let mut rejected = Vec::new();
        let mut ids: HashMap<&str, &Rule> = HashMap::new();
        for rule in rules {
            if let Some(first) = ids.insert(&rule.id, rule) {
                rejected.push(duplicate(rule, first));
                continue;
            }
            let change = organisation.overrides.get(&rule.id);
            if change.is_some_and(|change| change.off) {
                set.off += 1;
                continue;
            }
            match compile::rule(rule, change, &mut rejected) {
                Ok(compiled) => set.rules.push(compiled),
                Err(error) => rejected.push(error),
            }
        }
        let stray = organisation.overrides.iter().filter(|(id, _)| !ids.contains_key(id.as_str()));
        rejected.extend(stray.map(|(id, change)| {
            Diagnostic::new(Code::UnknownRule, &change.file, change.span.clone(), format!("no rule has the id `{id}`"))
                .advise("`trailhound rules` lists the ids of the rules that are loaded")
        }));
        (set, rejected)
    }

    /// Holds a record against every rule. The matches come in the order of the rules.
    pub fn matches<'s, 'r>(&'s self, record: &'s Record<'r>) -> impl Iterator<Item = Match<'s, 'r>> {
        let knowledge = &self.knowledge;
        self.rules.iter().filter(|rule| rule.expr.holds(record, knowledge)).map(move |rule| Match {
            rule,
            knowledge,
            record,
        })
    }

    /// What is known about each rule, in their order.
    #[must_use]
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &RuleInfo> {
        self.rules.iter().map(|rule| &*rule.info)
    }

    /// How many rules the organisation has switched off.
    #[must_use]
    pub fn off(&self) -> usize {
        self.off
    }

    /// What the organisation knows.
    #[must_use]
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }
}

impl Match<'_, '_> {
    /// The rule.
    #[must_use]
    pub fn info(&self) -> &Arc<RuleInfo> {
        &self.rule.info
    }

    /// The rule's `first_seen` section and what it would have to remember of this record: each entity with each value, up to
    /// [`MAX_SIGHTED`]. Nothing when a field is absent.
    #[must_use]
    pub fn sighted(&self) -> Option<(&FirstSeenPlan, Vec<Sighted>)> {
        let plan = self.rule.first_seen.as_ref()?;
        let combine =
            |fields: &[Field]| combinations(fields.iter().map(|field| field.texts(self.record, self.knowledge)));
        let values = combine(&plan.value);
        let sighted = combine(&plan.entity)
            .into_iter()
            .flat_map(|entity| values.iter().map(move |value| Sighted { entity: entity.clone(), value: value.clone() }))
            .take(MAX_SIGHTED)
            .collect();
        Some((plan, sighted))
    }

    /// The values that make findings of this rule one alert; `None` to go by entity and value of the first sighting.
    #[must_use]
    pub fn dedup_values(&self) -> Option<Vec<String>> {
        let fields = self.rule.dedup.as_ref()?;
        Some(fields.iter().map(|field| field.texts(self.record, self.knowledge).join(",")).collect())
    }
}

/// One value of each field, in every way, up to [`MAX_SIGHTED`].
fn combinations(fields: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    fields.fold(vec![Vec::new()], |rows, values| {
        rows.iter()
            .flat_map(|row| values.iter().map(move |value| [row.as_slice(), std::slice::from_ref(value)].concat()))
            .take(MAX_SIGHTED)
            .collect()
    })
}

fn duplicate(rule: &Rule, first: &Rule) -> Diagnostic {
    let (line, _) = first.file.line_column(first.span.start);
    let message = format!("the id `{}` belongs to another rule", rule.id);
    Diagnostic::new(Code::DuplicateId, &rule.file, rule.span.clone(), message)
        .advise(format!("the other is \"{}\" in {}:{line}; give this one a new UUID", first.title, first.file.name))
}
