//! The rules that records are held against.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::sigma::{Collection, Filter, FilteredRules, Level, Metadata, Mode, Rule};
use crate::trail::Record;
use crate::yaml::{Code, Diagnostic, suggest};

use super::context::{Context, Room};
use super::correlation::{CompiledCorrelation, Correlations, Feed, Observed};
use super::expr::{Evaluation, Expr, Identifier, Unobserved};
use super::field::Field;
use super::index::{Index, Lookup, RuleIndex};
use super::title::Title;
use super::{Knowledge, Organisation, compile};

/// Compiled rules; immutable, and safe to share between threads.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(super) rules: Vec<CompiledRule>,
    pub(super) knowledge: Knowledge,
    index: Index,
    correlations: Correlations,
    off: usize,
}

#[derive(Debug)]
pub(super) struct CompiledRule {
    pub(super) info: Arc<RuleInfo>,
    pub(super) identifiers: Vec<Identifier>,
    pub(super) condition: Expr,
    pub(super) first_seen: Option<FirstSeenPlan>,
    /// `None`: entity and value of the first sighting.
    pub(super) dedup: Option<Vec<Field>>,
    pub(super) title: Option<Title>,
    /// Whether a match is told by itself, and not only as a part of correlations.
    pub(super) told: bool,
}

/// What people are told about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its id.
    pub id: String,
    /// What correlations and filters may call it besides its id.
    pub name: Option<String>,
    /// What a match means.
    pub title: String,
    /// How bad it is, after the organisation's overrides.
    pub level: Level,
    /// Whether people are told, after the organisation's overrides.
    pub mode: Mode,
    /// Why it matters.
    pub description: String,
    /// Further reading.
    pub references: Vec<String>,
    /// `attack.t1098` and the like.
    pub tags: Vec<String>,
    /// Benign events that look alike.
    pub falsepositives: Vec<String>,
    /// What the receiver does first.
    pub runbook: Vec<String>,
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

/// Holds records against a [`RuleSet`], one after the other. Each thread has its own: it remembers which rules a value led to.
#[derive(Debug)]
pub struct Matcher<'s> {
    rules: &'s RuleSet,
    lookup: Lookup,
    room: Room,
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

impl RuleInfo {
    /// Whether this is its id, its name or its title.
    #[must_use]
    pub fn is_called(&self, rule: &str) -> bool {
        self.is_referred_to(rule) || self.title == rule
    }

    /// Whether a correlation means it by `reference`.
    pub(super) fn is_referred_to(&self, reference: &str) -> bool {
        self.id.eq_ignore_ascii_case(reference) || self.name.as_deref() == Some(reference)
    }
}

impl RuleSet {
    /// Compiles rules as the organisation wants them. A rule that can't be compiled is left out and reported; the others
    /// stand. This is the only step that can find fault with a rule.
    #[must_use]
    pub fn compile(collection: &Collection, organisation: &Organisation) -> (Self, Vec<Diagnostic>) {
        let mut set = Self { knowledge: organisation.knowledge.clone(), ..Self::default() };
        let mut rejected = Vec::new();
        let mut ids: HashMap<&str, &Metadata> = HashMap::new();
        let filters = Filters::new(&collection.filters, organisation, &mut rejected);
        for rule in &collection.rules {
            let id = rule.metadata.id.as_str();
            if let Some(first) = ids.get(id) {
                rejected.push(duplicate(&rule.metadata, first));
                continue;
            }
            ids.insert(id, &rule.metadata);
            if organisation.overrides.get(id).is_some_and(|change| change.off) {
                set.off += 1;
                continue;
            }
            match compile::rule(rule, &filters.of(rule), organisation, &mut rejected) {
                Ok(compiled) => set.rules.push(compiled),
                Err(error) => rejected.push(error),
            }
        }
        rejected.extend(filters.stray(&collection.rules));
        let mut correlations = Vec::new();
        for rule in &collection.correlations {
            match ids.insert(&rule.metadata.id, &rule.metadata) {
                Some(first) => rejected.push(duplicate(&rule.metadata, first)),
                None => correlations.push(rule),
            }
        }
        set.correlations = Correlations::compile(correlations, collection, &set.rules, organisation, &mut rejected);
        set.correlations.quiet(&mut set.rules);
        set.off += set.correlations.off;
        let stray = organisation.overrides.iter().filter(|(id, _)| !ids.contains_key(id.as_str()));
        rejected.extend(stray.map(|(id, change)| {
            Diagnostic::new(Code::UnknownRule, &change.file, change.span.clone(), format!("no rule has the id `{id}`"))
                .advise("`trailhound rules` lists the ids of the rules that are loaded")
        }));
        set.index = Index::new(set.rules.iter().map(|rule| (&rule.condition, rule.identifiers.as_slice())));
        (set, rejected)
    }

    /// Starts holding records against every rule.
    #[must_use]
    pub fn matcher(&self) -> Matcher<'_> {
        Matcher { rules: self, lookup: Lookup::default(), room: Room::default() }
    }

    /// Holds one record against every rule. For more than one a [`Matcher`] is faster.
    #[must_use]
    pub fn matches<'s, 'r>(&'s self, record: &'s Record<'r>) -> Vec<Match<'s, 'r>> {
        self.matcher().matches(record)
    }

    /// Holds one record against every rule without the index: what [`Matcher::matches`] is measured by.
    #[must_use]
    pub fn matches_one_by_one<'s, 'r>(&'s self, record: &'s Record<'r>) -> Vec<Match<'s, 'r>> {
        let room = Room::default();
        let context = Context::new(record, &self.knowledge, &room);
        let rules = (0..).zip(&self.rules);
        rules.filter(|(_, rule)| rule.holds(&context)).map(|(rule, _)| self.matched(rule, record)).collect()
    }

    fn matched<'s, 'r>(&'s self, rule: RuleIndex, record: &'s Record<'r>) -> Match<'s, 'r> {
        // OK because the index was made of these rules.
        let index = rule as usize;
        Match { rule: &self.rules[index], feeds: &self.correlations.feeds[index], knowledge: &self.knowledge, record }
    }

    /// The correlations, those that are read before those that read them.
    #[must_use]
    pub fn correlations(&self) -> &[CompiledCorrelation] {
        &self.correlations.all
    }

    /// What is known about each rule, in their order.
    #[must_use]
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &RuleInfo> {
        self.rules.iter().map(|rule| &*rule.info)
    }

    /// Rules that nothing can find but trying them on every record: they have no condition that is necessary for a match.
    pub fn without_access(&self) -> impl Iterator<Item = &RuleInfo> {
        // OK because the index was made of these rules.
        self.index.always().iter().map(|&rule| &*self.rules[rule as usize].info)
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

impl<'s> Matcher<'s> {
    /// Holds a record against every rule. The matches come in the order of the rules. A record that matches nothing costs no
    /// allocation, unless a rule looks into JSON inside a text.
    #[must_use]
    pub fn matches<'m, 'r>(&mut self, record: &'m Record<'r>) -> Vec<Match<'m, 'r>>
    where
        's: 'm,
    {
        let rules: &'m RuleSet = self.rules;
        let context = Context::new(record, &rules.knowledge, &self.room);
        let candidates = rules.index.candidates(&context, &mut self.lookup);
        // OK because the index was made of these rules.
        let holds = |rule: &&RuleIndex| rules.rules[**rule as usize].holds(&context);
        candidates.iter().filter(holds).map(|&rule| rules.matched(rule, record)).collect()
    }

    /// How many rules the latest record was held against: those that the index found, whether they matched or not.
    #[must_use]
    pub fn tried(&self) -> usize {
        self.lookup.found()
    }
}

impl CompiledRule {
    fn holds(&self, context: &Context<'_, '_>) -> bool {
        Evaluation { identifiers: &self.identifiers, context, observer: Unobserved }.holds(&self.condition)
    }
}

impl Match<'_, '_> {
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
        let room = Room::default();
        let context = Context::new(self.record, self.knowledge, &room);
        self.feeds.iter().map(|feed| feed.observe(&context)).collect()
    }

    /// The title of an alert about this record, with what the record says in it.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.rule.title {
            None => self.rule.info.title.clone(),
            Some(title) => title.of(&Context::new(self.record, self.knowledge, &Room::default())),
        }
    }

    /// The rule's `first_seen` section and what it would have to remember of this record: each entity with each value, up to
    /// [`MAX_SIGHTED`]. Nothing when a field is absent.
    #[must_use]
    pub fn sighted(&self) -> Option<(&FirstSeenPlan, Vec<Sighted>)> {
        let plan = self.rule.first_seen.as_ref()?;
        let room = Room::default();
        let context = Context::new(self.record, self.knowledge, &room);
        let combine = |fields: &[Field]| combinations(fields.iter().map(|field| field.texts(&context)));
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
        let room = Room::default();
        let context = Context::new(self.record, self.knowledge, &room);
        Some(fields.iter().map(|field| field.texts(&context).join(",")).collect())
    }
}

/// One value of each field, in every way, up to [`MAX_SIGHTED`].
pub(super) fn combinations(fields: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    fields.fold(vec![Vec::new()], |rows, values| {
        rows.iter()
            .flat_map(|row| values.iter().map(move |value| [row.as_slice(), std::slice::from_ref(value)].concat()))
            .take(MAX_SIGHTED)
            .collect()
    })
}

/// The filters that can be compiled.
struct Filters<'f>(Vec<&'f Filter>);

impl<'f> Filters<'f> {
    /// Leaves out filters with a mistake in them: it may bring alerts too many, but must not reject the rules that they are for.
    fn new(filters: &'f [Filter], organisation: &Organisation, rejected: &mut Vec<Diagnostic>) -> Self {
        let usable = |filter: &&Filter| match compile::check_filter(filter, organisation) {
            Ok(()) => true,
            Err(error) => {
                rejected.push(error);
                false
            }
        };
        Self(filters.iter().filter(usable).collect())
    }

    fn of(&self, rule: &Rule) -> Vec<&'f Filter> {
        let is_for = |filter: &&&Filter| match &filter.rules {
            FilteredRules::Any => true,
            FilteredRules::These(rules) => rules.iter().any(|named| rule.metadata.is_called(&named.text)),
        };
        self.0.iter().filter(is_for).copied().collect()
    }

    /// Rules that a filter names and nobody has.
    fn stray(&self, rules: &[Rule]) -> Vec<Diagnostic> {
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
}

fn duplicate(rule: &Metadata, first: &Metadata) -> Diagnostic {
    let (line, _) = first.file.line_column(first.span.start);
    let message = format!("the id `{}` belongs to another rule", rule.id);
    Diagnostic::new(Code::DuplicateId, &rule.file, rule.span.clone(), message)
        .advise(format!("the other is \"{}\" in {}:{line}; give this one a new UUID", first.title, first.file.name))
}
