//! The rules that records are held against.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use jiff::civil::Date;

use crate::sigma::{Collection, Level, Metadata, Mode, Status};
use crate::trail::Record;
use crate::yaml::{Code, Diagnostic, Text};

use super::compile::Common;
use super::context::{Context, Room};
use super::correlation::{CompiledCorrelation, CorrelationIndex, Correlations, Part};
use super::expr::{Evaluation, Expr, Identifier, Unobserved};
use super::field::Field;
use super::filters::Filters;
use super::first_seen::FirstSeenPlan;
use super::index::Index;
use super::matching::{Match, Matcher, Workspace};
use super::reach::reaches;
use super::title::{Command, Title};
use super::{Knowledge, Limits, Organisation, compile};

/// Compiled rules; immutable, and safe to share between threads.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(super) rules: Vec<CompiledRule>,
    pub(super) knowledge: Knowledge,
    pub(super) index: Index,
    pub(super) correlations: Correlations,
    reaches: Vec<SignedDuration>,
    filters: usize,
    expired_filters: usize,
    off: Vec<Metadata>,
    /// Of matchers that are done: a file of ten records costs less than a workspace.
    pub(super) workspaces: Mutex<Vec<Workspace>>,
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
    /// Whether nothing can fulfil it, because a list that it asks for is empty.
    pub(super) waits: bool,
    /// Whether it asks for data that isn't loaded, and may never match for want of it.
    pub(super) lacks_data: bool,
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
    /// How far it is proven.
    pub status: Status,
    /// When it was last changed.
    pub changed: Option<Text>,
    /// Why it matters.
    pub description: Text,
    /// Further reading.
    pub references: Vec<Text>,
    /// `attack.t1098` and the like.
    pub tags: Vec<Text>,
    /// Benign events that look alike.
    pub falsepositives: Vec<Text>,
    /// What the receiver does first.
    pub runbook: Vec<Text>,
    /// Commands to paste, to look further or to stop it.
    pub commands: Vec<Command>,
    /// The file it stands in.
    pub file: Text,
    /// For how long one alert speaks for those that follow it, in event time.
    pub window: SignedDuration,
    /// What else the organisation makes of it.
    pub tuning: Tuning,
}

/// What an organisation makes of a rule, besides its level and mode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tuning {
    /// The level that its author gave it, where the organisation has another.
    pub authors_level: Option<Level>,
    /// How much of it people are told at once.
    pub limits: Limits,
    /// Exceptions that the organisation's file makes.
    pub exceptions: usize,
    /// Filters that are joined to it.
    pub filters: usize,
    /// It is milder than what people want to be told of.
    pub is_context: bool,
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
    /// stand. This is the only step that can find fault with a rule. Warnings ([`Code::NoData`]) are about rules that are in the
    /// set and ask for data that isn't loaded.
    ///
    /// Filters hold up to and with the day that they expire on: `today` is one of UTC. What has expired, or soon will, is among the
    /// diagnostics as a warning.
    #[must_use]
    pub fn compile(collection: &Collection, organisation: &Organisation, today: Date) -> (Self, Vec<Diagnostic>) {
        let mut set = Self { knowledge: organisation.knowledge.clone(), ..Self::default() };
        let mut rejected = Vec::new();
        let mut ids: HashMap<&str, &Metadata> = HashMap::new();
        let common = Common::default();
        let filters = Filters::new(&collection.filters, organisation, &common, today, &mut rejected);
        for rule in &collection.rules {
            let id = rule.metadata.id.as_str();
            if let Some(first) = ids.get(id) {
                rejected.push(duplicate(&rule.metadata, first));
                continue;
            }
            ids.insert(id, &rule.metadata);
            if organisation.overrides.get(id).is_some_and(|change| change.off) {
                set.off.push(rule.metadata.clone());
                continue;
            }
            rejected.extend(filters.missing(rule));
            match compile::rule(rule, filters.of(rule), organisation, &common, &mut rejected) {
                Ok(compiled) => set.rules.push(compiled),
                Err(error) => rejected.push(error),
            }
        }
        (set.filters, set.expired_filters) = (filters.count(&collection.rules), filters.expired());
        rejected.extend(filters.stray(collection));
        let mut correlations = Vec::new();
        for rule in &collection.correlations {
            match ids.insert(&rule.metadata.id, &rule.metadata) {
                Some(first) => rejected.push(duplicate(&rule.metadata, first)),
                None => correlations.push(rule),
            }
        }
        set.correlations =
            Correlations::compile(correlations, collection, &set.rules, organisation, &common, &mut rejected);
        set.correlations.quiet(&mut set.rules);
        set.reaches = reaches(&set.correlations.all);
        set.off.append(&mut set.correlations.off);
        let stray = organisation.overrides.iter().filter(|(id, _)| !ids.contains_key(id.as_str()));
        rejected.extend(stray.map(|(id, change)| {
            Diagnostic::new(Code::UnknownRule, &change.file, change.span.clone(), format!("no rule has the id `{id}`"))
                .advise("`trailhound rules` lists the ids of the rules that are loaded")
        }));
        let stray = organisation.outputs.rules().filter(|rule| !ids.contains_key(rule.id.as_str()));
        rejected.extend(stray.map(|rule| {
            Diagnostic::new(
                Code::UnknownRule,
                &rule.file,
                rule.span.clone(),
                format!("no rule has the id `{}`", rule.id),
            )
            .advise("nothing is sent there for it; `trailhound rules` lists the ids of the rules that are loaded")
        }));
        set.index = Index::new(set.rules.iter().map(|rule| (&rule.condition, rule.identifiers.as_slice())));
        (set, rejected)
    }

    /// Starts holding records against every rule.
    #[must_use]
    pub fn matcher(&self) -> Matcher<'_> {
        Matcher::new(self)
    }

    /// Holds one record against every rule. For more than one a [`Matcher`] is faster.
    #[must_use]
    pub fn matches<'s, 'r>(&'s self, record: &'s Record<'r>) -> Vec<Match<'s, 'r>> {
        self.matcher().matches(record)
    }

    /// Holds one record against every rule without the index: what [`Matcher::matches`] is measured by.
    #[must_use]
    pub fn matches_one_by_one<'s, 'r>(&'s self, record: &'s Record<'r>) -> Vec<Match<'s, 'r>> {
        let mut room = Room::default();
        let context = Context::new(record, &self.knowledge, &mut room);
        let rules = (0..).zip(&self.rules);
        rules.filter(|(_, rule)| rule.holds(&context)).map(|(rule, _)| Match::new(self, rule, record)).collect()
    }

    /// The correlations, those that are read before those that read them.
    #[must_use]
    pub fn correlations(&self) -> &[CompiledCorrelation] {
        &self.correlations.all
    }

    /// How far back a correlation may have to look from an event, for its own sake or for those that read it.
    #[must_use]
    pub fn reach(&self, correlation: CorrelationIndex) -> SignedDuration {
        self.reaches[correlation.0]
    }

    /// What is known about a rule that a correlation names.
    #[must_use]
    pub fn part(&self, part: Part) -> &Arc<RuleInfo> {
        match part {
            Part::Rule(rule) => &self.rules[rule].info,
            Part::Correlation(index) => &self.correlations.all[index.0].info,
        }
    }

    /// What is known about each rule, in their order.
    #[must_use]
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &RuleInfo> {
        self.rules.iter().map(|rule| &*rule.info)
    }

    /// The rules that learn, in their order, and how they do.
    pub fn first_seen(&self) -> impl Iterator<Item = (&RuleInfo, &FirstSeenPlan)> {
        self.rules.iter().filter_map(|rule| Some((&*rule.info, rule.first_seen.as_ref()?)))
    }

    /// How many rules and correlations there are.
    #[must_use]
    pub fn loaded(&self) -> usize {
        self.rules.len() + self.correlations.all.len()
    }

    /// Rules and correlations that are not told by themselves, only as parts of correlations.
    pub fn parts(&self) -> impl Iterator<Item = &RuleInfo> {
        let rules = self.rules.iter().filter(|rule| !rule.told).map(|rule| &*rule.info);
        rules.chain(self.correlations.all.iter().filter(|rule| !rule.told).map(|rule| &*rule.info))
    }

    /// Rules and correlations that ask for data that isn't loaded, and may never match for want of it.
    pub fn without_data(&self) -> impl Iterator<Item = &RuleInfo> {
        let rules = self.rules.iter().filter(|rule| rule.lacks_data).map(|rule| &*rule.info);
        rules.chain(self.correlations.all.iter().filter(|rule| rule.lacks_data).map(|rule| &*rule.info))
    }

    /// Rules that nothing can fulfil, because a list that they ask for is empty.
    pub fn waiting(&self) -> impl Iterator<Item = &RuleInfo> {
        self.rules.iter().filter(|rule| rule.waits).map(|rule| &*rule.info)
    }

    /// How many filters are joined to rules.
    #[must_use]
    pub fn filters(&self) -> usize {
        self.filters
    }

    /// Rules that nothing can find but trying them on every record: they have no condition that is necessary for a match.
    pub fn without_access(&self) -> impl Iterator<Item = &RuleInfo> {
        // OK because the index was made of these rules.
        self.index.always().iter().map(|&rule| &*self.rules[rule as usize].info)
    }

    /// How many filters have expired, and are not joined to anything.
    #[must_use]
    pub fn expired_filters(&self) -> usize {
        self.expired_filters
    }

    /// Rules and correlations that the organisation has switched off.
    #[must_use]
    pub fn off(&self) -> &[Metadata] {
        &self.off
    }

    /// Whether alerts of any rule may be held for a summary.
    #[must_use]
    pub fn has_limits(&self) -> bool {
        let correlations = self.correlations.all.iter().map(|rule| &*rule.info);
        self.rules().chain(correlations).any(|rule| rule.tuning.limits.are_set())
    }

    /// What is known about the rule or the correlation of this id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Arc<RuleInfo>> {
        let rules = self.rules.iter().map(|rule| &rule.info);
        rules.chain(self.correlations.all.iter().map(|rule| &rule.info)).find(|rule| rule.id == id)
    }

    /// What the organisation knows.
    #[must_use]
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }
}

impl CompiledRule {
    pub(super) fn holds(&self, context: &Context<'_, '_>) -> bool {
        Evaluation { identifiers: &self.identifiers, context, observer: Unobserved }.holds(&self.condition)
    }
}

fn duplicate(rule: &Metadata, first: &Metadata) -> Diagnostic {
    let (line, _) = first.file.line_column(first.span.start);
    let message = format!("the id `{}` belongs to another rule", rule.id);
    Diagnostic::new(Code::DuplicateId, &rule.file, rule.span.clone(), message)
        .advise(format!("the other is \"{}\" in {}:{line}; give this one a new UUID", first.title, first.file.name))
}
