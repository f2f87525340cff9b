//! Turns the matches of one invocation, and what is remembered of others, into findings of correlations.
//!
//! What is remembered are sets: an event that comes twice or out of order changes no answer. When matches are added, the episodes
//! that they belong to are found anew; the same episode is the same finding, however often it is found. An event that comes late
//! may move an episode's start: then it is another finding, which the alert that was told of the old one holds back.
//!
//! Pure: [`Correlator::step`] says what to write or read next, and the pipeline does. Everything is written before it is read:
//! of two processes that add to a group at the same time, at least the later one sees both.

mod episodes;
mod found;
mod gathered;
mod noted;
mod shelves;
mod touched;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{CompiledCorrelation, CorrelationIndex, Observed, RuleSet};
use crate::finding::{Contribution, Finding, FindingUid};
use crate::sigma::CorrelationType;

use super::item::{Item, Items, Key, LISTED_AT_ONCE, Listed, Stretch, UnreadableItem};
use super::ledger::Ledger;

use found::Found;
use noted::{Home, Link, Noted, Notes, has_too_many_values, short_group};
use shelves::{Buckets, Shelves, Wants};
use touched::{Open, Span};

/// How late an event may come and still find what belongs to it.
pub const LATE: SignedDuration = SignedDuration::from_hours(24);

/// Whether an item can be understood.
pub(super) fn check(item: &Item) -> Result<(), UnreadableItem> {
    Notes::default().add(item)
}

/// The values that the events of a group have in common.
type Group = Vec<String>;
/// The place of a contribution among those that were added.
type Place = usize;

/// A group of a correlation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct GroupId {
    correlation: CorrelationIndex,
    group: Group,
}

/// Finds episodes: those that the matches of one invocation belong to.
#[derive(Debug)]
pub struct Correlator<'r> {
    rules: &'r RuleSet,
    now: Timestamp,
    contributions: Vec<Arc<Contribution>>,
    at_hand: HashMap<GroupId, Vec<Arc<Noted>>>,
    open: Open,
    /// Groups whose episodes belong to a group.
    links: HashMap<GroupId, BTreeSet<GroupId>>,
    /// Those of them that nobody has written down yet.
    new_links: Vec<Item>,
    /// `None`: what is at hand is all there is.
    shelves: Option<Shelves>,
    /// Of groups that others read: the episodes between two times.
    inner: HashMap<(Timestamp, Timestamp), HashMap<GroupId, Vec<Found>>>,
    /// Groups that one reads and of which the episodes aren't known yet.
    unresolved: HashMap<(GroupId, Buckets), Vec<GroupId>>,
    /// How far back one had to look for the episodes of a group between two times.
    stages: HashMap<(GroupId, Timestamp, Timestamp), usize>,
    /// What is known of alerts, where that had to be asked.
    ledgers: HashMap<Key, Option<Ledger>>,
    written: HashSet<Key>,
    findings: Vec<Correlated>,
    /// By uid, where a finding is.
    found: HashMap<FindingUid, usize>,
    incomplete: u64,
    /// How deep the groups lie that are looked at.
    level: usize,
}

/// What is needed next.
#[derive(Debug)]
pub enum Step {
    /// These items have to be written.
    Write(Vec<Item>),
    /// These stretches have to be read, and given to [`Correlator::shelve`].
    Read(Vec<Stretch>),
    /// These items have to be read, and given to [`Correlator::hear`].
    Ask(Vec<Key>),
    /// That's all.
    Done(Correlation),
}

/// A finding of a correlation, and which of the contributions that were added led to it.
#[derive(Debug)]
pub struct Correlated {
    /// The finding.
    pub finding: Finding,
    /// Places in the list that was added: those of its group.
    pub from: Arc<BTreeSet<Place>>,
}

/// What adding contributions came to.
#[derive(Debug, Default)]
pub struct Correlation {
    /// The episodes that they belong to.
    pub findings: Vec<Correlated>,
    /// Matches that lack a field which names a group, or the value that counts.
    pub incomplete: u64,
    /// Groups of which more is remembered than is read: they are judged by their latest events.
    pub cut: u64,
    /// What could not be understood: it counts as nothing.
    pub unreadable: Vec<UnreadableItem>,
}

impl<'r> Correlator<'r> {
    /// Adds to what is remembered.
    #[must_use]
    pub fn new(rules: &'r RuleSet, contributions: Vec<Contribution>, now: Timestamp) -> Self {
        Self::start(rules, contributions, now, Some(Shelves::default()))
    }

    fn start(rules: &'r RuleSet, contributions: Vec<Contribution>, now: Timestamp, shelves: Option<Shelves>) -> Self {
        let mut correlator = Self {
            rules,
            now,
            contributions: contributions.into_iter().map(Arc::new).collect(),
            at_hand: HashMap::new(),
            open: Open::new(rules.correlations()),
            links: HashMap::new(),
            new_links: Vec::new(),
            shelves,
            inner: HashMap::new(),
            unresolved: HashMap::new(),
            stages: HashMap::new(),
            ledgers: HashMap::new(),
            written: HashSet::new(),
            findings: Vec::new(),
            found: HashMap::new(),
            incomplete: 0,
            level: 0,
        };
        for place in 0..correlator.contributions.len() {
            correlator.add(place);
        }
        correlator
    }

    /// Finds the episodes of these matches alone: nothing else is remembered.
    #[must_use]
    pub fn alone(rules: &RuleSet, contributions: Vec<Contribution>) -> Correlation {
        let mut correlator = Correlator::start(rules, contributions, Timestamp::MIN, None);
        // OK because nothing has to be written or read.
        loop {
            if let Step::Done(correlation) = correlator.step() {
                return correlation;
            }
        }
    }

    fn add(&mut self, place: Place) {
        let contribution = &self.contributions[place];
        let time = contribution.event.time;
        for observed in contribution.observed.iter().filter(|observed| observed.direct) {
            let kind = self.rules.correlations()[observed.correlation.0].correlation.kind;
            let is_incomplete =
                observed.group.is_none() || lacks_value(kind, observed) || has_too_many_values(observed);
            self.incomplete += u64::from(is_incomplete);
            let Some(group) = &observed.group else { continue };
            let id = GroupId { correlation: observed.correlation, group: short_group(group) };
            let noted = Noted::of(self.rules, contribution, observed);
            let apart = self.apart(&id);
            self.open.add(&id, time, [place], apart);
            self.at_hand.entry(id).or_default().push(Arc::new(noted));
        }
    }

    /// Does what can be done with what is known.
    pub fn step(&mut self) -> Step {
        if self.shelves.is_some() && self.written.is_empty() && !self.at_hand.is_empty() {
            return Step::Write(self.additions());
        }
        while let Some((level, groups)) = self.open.first(LISTED_AT_ONCE) {
            // Who is looked at next may read what was looked at before.
            if level > self.level && !self.new_links.is_empty() {
                return Step::Write(self.new_links());
            }
            self.level = level;
            let mut wants = Wants::default();
            for (id, span) in groups {
                if wants.are_enough() {
                    break;
                }
                if let Some(found) = self.episodes(&id, span.from, span.to, &mut wants) {
                    self.open.close(level, id.clone());
                    self.done(&id);
                    self.take(&id, &span, found);
                }
            }
            // First what costs less, and may make reading more needless.
            if !wants.ledgers.is_empty() {
                return Step::Ask(wants.ledgers.into_iter().collect());
            }
            if !wants.stretches.is_empty() {
                return Step::Read(self.ask(wants));
            }
        }
        Step::Done(self.finish())
    }

    fn finish(&mut self) -> Correlation {
        let shelves = self.shelves.take().unwrap_or_default();
        Correlation {
            findings: std::mem::take(&mut self.findings),
            incomplete: self.incomplete,
            cut: shelves.cut.len() as u64,
            unreadable: shelves.unreadable.into_values().collect(),
        }
    }

    /// Takes what was read.
    pub fn shelve(&mut self, stretch: &Stretch, listed: &Listed) {
        if let Some(shelves) = &mut self.shelves {
            shelves.put(stretch, listed);
        }
    }

    /// Takes what was asked for. What can't be understood speaks for nobody.
    pub fn hear(&mut self, keys: Vec<Key>, items: &Items) {
        for key in keys {
            let ledger = items.get(&key).and_then(|item| Ledger::read(item).ok());
            self.ledgers.insert(key, ledger);
        }
    }

    /// The items that add what is at hand.
    fn additions(&mut self) -> Vec<Item> {
        let mut items: Vec<Item> =
            self.at_hand.iter().flat_map(|(id, noted)| self.home(id).items(noted, self.now)).collect();
        items.sort_by(|a, b| a.key.cmp(&b.key));
        self.written.extend(items.iter().map(|item| item.key.clone()));
        items
    }

    /// The links to write. Whatever has to do with them is read anew afterwards: of two processes that link the same group to
    /// others, the later one has to see what the earlier one's link leads to, too.
    fn new_links(&mut self) -> Vec<Item> {
        self.inner.clear();
        self.unresolved.clear();
        if let Some(shelves) = &mut self.shelves {
            shelves.clear();
        }
        std::mem::take(&mut self.new_links)
    }

    /// Takes the episodes that were found where a group was added to.
    fn take(&mut self, id: &GroupId, span: &Span, found: Vec<Found>) {
        let correlation = self.correlation(id);
        for found in found.into_iter().filter(Found::is_at_hand) {
            for outer in self.readers(id, &found) {
                let apart = self.apart(&outer);
                self.open.add(&outer, found.start, span.places.iter().copied(), apart);
                let item = self.home(&outer).link(Link::to(self.rules, id), found.start, self.now);
                if self.written.insert(item.key.clone()) {
                    self.new_links.push(item);
                }
                self.links.entry(outer).or_default().insert(id.clone());
            }
            let finding = found.finding(correlation, &id.group, self.rules.knowledge());
            if let Some(finding) = finding.filter(|_| correlation.told) {
                self.tell(finding, span);
            }
        }
    }

    /// An episode may reach from one stretch to another.
    fn tell(&mut self, finding: Finding, span: &Span) {
        if let Some(&place) = self.found.get(&finding.uid) {
            Arc::make_mut(&mut self.findings[place].from).extend(span.places.iter());
            return;
        }
        self.found.insert(finding.uid, self.findings.len());
        self.findings.push(Correlated { finding, from: Arc::clone(&span.places) });
    }

    fn ask(&mut self, wants: Wants) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        for (id, buckets) in wants.stretches.into_iter().take(LISTED_AT_ONCE) {
            let stretch = self.home(&id).stretch(buckets.0, buckets.1);
            if let Some(shelves) = &mut self.shelves {
                shelves.ask(id, buckets, &stretch);
            }
            stretches.push(stretch);
        }
        stretches
    }

    fn done(&mut self, id: &GroupId) {
        if let Some(shelves) = &mut self.shelves {
            shelves.done(id);
        }
    }

    /// How far apart events of a group lie that have nothing to do with each other.
    fn apart(&self, id: &GroupId) -> SignedDuration {
        // What is at hand needn't be read, so it is looked at once.
        if self.shelves.is_none() { SignedDuration::MAX } else { self.home(id).looks_back() }
    }

    fn correlation(&self, id: &GroupId) -> &'r CompiledCorrelation {
        // OK because the index was made of these rules.
        &self.rules.correlations()[id.correlation.0]
    }

    fn home<'i>(&self, id: &'i GroupId) -> Home<'i>
    where
        'r: 'i,
    {
        let kept = self.rules.reach(id.correlation).saturating_add(LATE);
        Home { correlation: self.correlation(id), id, kept }
    }

    /// The groups of other correlations that an episode counts for.
    fn readers(&self, id: &GroupId, found: &Found) -> Vec<GroupId> {
        let own = &self.correlation(id).info.id;
        let outer = self.rules.correlations().iter().enumerate();
        outer
            .filter(|(_, outer)| outer.inner().any(|inner| inner == id.correlation))
            .filter_map(|(index, outer)| {
                let onward = found.onward.iter().find(|onward| onward.to == outer.info.id && onward.part == *own)?;
                Some(GroupId { correlation: CorrelationIndex(index), group: onward.group.clone()? })
            })
            .collect()
    }
}

fn lacks_value(kind: CorrelationType, observed: &Observed) -> bool {
    match kind {
        CorrelationType::ValueCount => observed.values.is_empty(),
        kind => kind.reads_values() && observed.number.is_none(),
    }
}
