//! Turns the matches of one invocation, and what is remembered of others, into findings of correlations.
//!
//! What is remembered are sets: an event that comes twice or out of order changes no answer. When matches are added, the episodes
//! that they belong to are found anew; the same episode is the same finding, however often it is found. An event that comes late
//! may move an episode's start: then it is another finding, which the alert that was told of the old one holds back.
//!
//! Pure: [`Correlator::step`] says what to write or read next, and the pipeline does. Everything is written before it is read:
//! of two processes that add to a group at the same time, at least the later one sees both.

mod found;
mod gathered;
mod noted;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{CompiledCorrelation, CorrelationIndex, Observed, Part, RuleSet};
use crate::finding::{Contribution, Finding};
use crate::sigma::{CorrelationType, Mode};

use super::correlation::{Episode, Observation, Pattern, Timeline};
use super::item::{Item, Items, Key, Listed, Stretch, UnreadableItem, earlier, later};
use super::ledger::{Ledger, key_of};

use found::{Found, Source};
use gathered::Gathered;
use noted::{Home, Link, Noted, Notes, has_too_many_values, short_group};

/// How late an event may come and still find what belongs to it.
pub const LATE: SignedDuration = SignedDuration::from_hours(24);

/// Whether an item can be understood.
pub(super) fn check(item: &Item) -> Result<(), UnreadableItem> {
    Notes::read(std::slice::from_ref(item)).map(drop)
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
    touched: BTreeMap<GroupId, Touched>,
    /// Groups whose episodes belong to a group.
    links: HashMap<GroupId, BTreeSet<GroupId>>,
    /// `None`: what is at hand is all there is.
    shelves: Option<HashMap<GroupId, Shelved>>,
    asked: HashMap<Stretch, (GroupId, i64, i64)>,
    /// What is known of alerts, where that had to be asked.
    ledgers: HashMap<Key, Option<Ledger>>,
    written: HashSet<Key>,
    incomplete: u64,
    cut: HashSet<GroupId>,
}

/// Where a group was added to.
#[derive(Debug, Clone)]
struct Touched {
    from: Timestamp,
    to: Timestamp,
    places: BTreeSet<Place>,
}

/// What was read of a group.
#[derive(Debug)]
struct Shelved {
    from: i64,
    to: i64,
    notes: Notes,
}

/// What has to be read before one can go on.
#[derive(Debug, Default)]
struct Wants {
    /// Groups, and of each the first and last stretch of time.
    stretches: HashSet<(GroupId, i64, i64)>,
    ledgers: BTreeSet<Key>,
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
}

impl<'r> Correlator<'r> {
    /// Adds to what is remembered.
    #[must_use]
    pub fn new(rules: &'r RuleSet, contributions: Vec<Contribution>, now: Timestamp) -> Self {
        let mut correlator = Self {
            rules,
            now,
            contributions: contributions.into_iter().map(Arc::new).collect(),
            at_hand: HashMap::new(),
            touched: BTreeMap::new(),
            links: HashMap::new(),
            shelves: Some(HashMap::new()),
            asked: HashMap::new(),
            ledgers: HashMap::new(),
            written: HashSet::new(),
            incomplete: 0,
            cut: HashSet::new(),
        };
        for place in 0..correlator.contributions.len() {
            correlator.add(place);
        }
        correlator
    }

    /// Finds the episodes of these matches alone: nothing else is remembered.
    #[must_use]
    pub fn alone(rules: &RuleSet, contributions: Vec<Contribution>) -> Correlation {
        let mut correlator = Correlator::new(rules, contributions, Timestamp::MIN);
        correlator.shelves = None;
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
            self.touched.entry(id.clone()).or_insert_with(|| Touched::at(time)).extend(time, time, [place]);
            self.at_hand.entry(id).or_default().push(Arc::new(noted));
        }
    }

    /// Does what can be done with what is known.
    pub fn step(&mut self) -> Step {
        if self.shelves.is_some() && self.written.is_empty() && !self.at_hand.is_empty() {
            return Step::Write(self.additions());
        }
        let mut touched = self.touched.clone();
        let mut wants = Wants::default();
        let mut links = Vec::new();
        let mut findings = Vec::new();
        // A correlation comes behind those that it reads, and so do its groups.
        while let Some((id, touch)) = touched.pop_first() {
            let Some(found) = self.episodes(&id, touch.from, touch.to, &mut wants) else { continue };
            let places = Arc::new(touch.places);
            for found in found.into_iter().filter(Found::is_at_hand) {
                for outer in self.readers(&id, &found) {
                    let touch_outer = touched.entry(outer.clone()).or_insert_with(|| Touched::at(found.start));
                    touch_outer.extend(found.start, found.start, places.iter().copied());
                    links.push((outer, id.clone(), found.start));
                }
                let correlation = self.correlation(&id);
                if let Some(finding) = found.finding(correlation, &id.group, self.rules.knowledge())
                    && correlation.told
                {
                    findings.push(Correlated { finding, from: Arc::clone(&places) });
                }
            }
        }
        let links = self.link(links);
        if !links.is_empty() {
            return Step::Write(links);
        }
        if !wants.stretches.is_empty() {
            return Step::Read(self.ask(wants.stretches));
        }
        if !wants.ledgers.is_empty() {
            return Step::Ask(wants.ledgers.into_iter().collect());
        }
        Step::Done(Correlation { findings, incomplete: self.incomplete, cut: self.cut.len() as u64 })
    }

    /// Takes what was read.
    ///
    /// # Errors
    /// When an item can't be understood.
    pub fn shelve(&mut self, stretch: &Stretch, listed: &Listed) -> Result<(), UnreadableItem> {
        let Some((id, from, to)) = self.asked.remove(stretch) else { return Ok(()) };
        if listed.is_cut {
            self.cut.insert(id.clone());
        }
        let shelved = Shelved { from, to, notes: Notes::read(&listed.items)? };
        if let Some(shelves) = &mut self.shelves {
            shelves.insert(id, shelved);
        }
        Ok(())
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

    /// Notes that groups belong to others; gives the items to write for it.
    fn link(&mut self, links: Vec<(GroupId, GroupId, Timestamp)>) -> Vec<Item> {
        let mut items = Vec::new();
        for (outer, inner, time) in links {
            let item = self.home(&outer).link(Link::to(self.rules, &inner), time, self.now);
            if self.written.insert(item.key.clone()) {
                // What was read before this is written may lack what others add meanwhile.
                if let Some(shelves) = &mut self.shelves {
                    shelves.remove(&outer);
                }
                items.push(item);
            }
            self.links.entry(outer).or_default().insert(inner);
        }
        items
    }

    fn ask(&mut self, wants: HashSet<(GroupId, i64, i64)>) -> Vec<Stretch> {
        // Of one group the widest: what is read last stands.
        let mut widest: BTreeMap<GroupId, (i64, i64)> = BTreeMap::new();
        for (id, from, to) in wants {
            let read = self.shelves.as_ref().and_then(|shelves| shelves.get(&id));
            let read = read.map_or((from, to), |read| (read.from.min(from), read.to.max(to)));
            let range = widest.entry(id).or_insert(read);
            *range = (range.0.min(from), range.1.max(to));
        }
        let mut stretches = Vec::new();
        for (id, (from, to)) in widest {
            let stretch = self.home(&id).stretch(from, to);
            self.asked.insert(stretch.clone(), (id, from, to));
            stretches.push(stretch);
        }
        stretches
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
            .filter(|(_, outer)| outer.parts().contains(&Part::Correlation(id.correlation)))
            .filter_map(|(index, outer)| {
                let onward = found.onward.iter().find(|onward| onward.to == outer.info.id && onward.part == *own)?;
                Some(GroupId { correlation: CorrelationIndex(index), group: onward.group.clone()? })
            })
            .collect()
    }

    /// The episodes of a group that touch a stretch of time. `None` when something has to be read first, which is then among
    /// `wants`.
    fn episodes(&self, id: &GroupId, from: Timestamp, to: Timestamp, wants: &mut Wants) -> Option<Vec<Found>> {
        let correlation = self.correlation(id);
        let pattern = Pattern::of(&correlation.correlation);
        let home = self.home(id);
        let back = |by: SignedDuration| home.bucket(earlier(from, by));
        let last = home.bucket(later(to, pattern.timespan));
        // What holds now is seen in one timespan, and that it began now in two. Otherwise one has to look as far back as anything
        // is kept, unless people know of it already.
        let near = [back(pattern.timespan), back(pattern.timespan.saturating_mul(2))];
        for first in near.into_iter().map(Some).chain([None]) {
            let is_near = first.is_some() && self.shelves.is_some();
            let first = first.unwrap_or_else(|| back(LATE.saturating_add(home.kept)));
            let (observations, sources, judged_from) = self.observations(id, &home, first, last, wants)?;
            let timeline = Timeline::new(&pattern, &observations);
            let touches = |episode: &Episode| earlier(episode.start, pattern.timespan) <= to && episode.end >= from;
            let places: HashMap<_, _> =
                observations.iter().enumerate().map(|(place, one)| (std::ptr::from_ref(one), place)).collect();
            let source = |one: &Observation| places.get(&std::ptr::from_ref(one)).map(|&place| &sources[place]);
            let mut found = Vec::new();
            let mut is_known = true;
            for episode in timeline.episodes_since(judged_from).iter().filter(|episode| touches(episode)) {
                let Some(one) = Found::of(correlation, &id.group, &timeline, episode, source) else { continue };
                is_known &= !is_near || episode.start_is_known || self.is_spoken_for(id, &one, wants)?;
                found.push(one);
            }
            if is_known {
                return Some(found);
            }
        }
        None
    }

    /// Whether nobody will be told of an episode, wherever it began. `None` when it has to be asked first.
    fn is_spoken_for(&self, id: &GroupId, found: &Found, wants: &mut Wants) -> Option<bool> {
        let correlation = self.correlation(id);
        if !self.readers(id, found).is_empty() {
            return Some(false);
        }
        // Without an event at hand it is none of this invocation's.
        let Some(finding) = found.finding(correlation, &id.group, self.rules.knowledge()) else { return Some(true) };
        if !correlation.told || correlation.info.mode == Mode::DryRun {
            return Some(true);
        }
        let key = key_of(finding.dedup_key);
        let Some(ledger) = self.ledgers.get(&key) else {
            wants.ledgers.insert(key);
            return None;
        };
        Some(ledger.as_ref().is_some_and(|ledger| ledger.holds(&finding).is_some()))
    }

    /// What counts for a group in stretches of time, where each comes from, and from when on nothing is missing.
    fn observations(
        &self,
        id: &GroupId,
        home: &Home<'_>,
        first: i64,
        last: i64,
        wants: &mut Wants,
    ) -> Option<(Vec<Observation>, Vec<Source>, Timestamp)> {
        let mut gathered = Gathered::new(self.rules, self.correlation(id));
        let mut judged_from = Timestamp::MIN;
        let mut links: BTreeSet<GroupId> = self.links.get(id).cloned().unwrap_or_default();
        if let Some(shelves) = &self.shelves {
            let Some(shelved) = shelves.get(id).filter(|read| read.from <= first && last <= read.to) else {
                wants.stretches.insert((id.clone(), first, last));
                return None;
            };
            // Of a group that is too large one judges by what one has. Not to judge would have it hide whatever comes next.
            if !self.cut.contains(id) {
                judged_from = later(home.start_of(first), home.correlation.correlation.timespan);
            }
            for noted in shelved.notes.noted.iter().filter(|one| (first..=last).contains(&home.bucket(one.time))) {
                gathered.add(noted);
            }
            links.extend(shelved.notes.links.iter().filter_map(|link| link.target(self.rules, home.correlation)));
        }
        for noted in self.at_hand.get(id).into_iter().flatten() {
            gathered.add(noted);
        }
        let (from, to) = match self.shelves {
            Some(_) => (home.start_of(first), home.start_of(last.saturating_add(1))),
            None => (Timestamp::MIN, Timestamp::MAX),
        };
        let mut is_whole = true;
        for inner in links {
            match self.episodes(&inner, from, to, wants) {
                Some(found) => {
                    let info = &self.correlation(&inner).info;
                    found.iter().for_each(|found| gathered.add_episode(info, &id.group, found));
                }
                None => is_whole = false,
            }
        }
        is_whole.then_some((gathered.observations, gathered.sources, judged_from))
    }
}

impl Touched {
    fn at(time: Timestamp) -> Self {
        Self { from: time, to: time, places: BTreeSet::new() }
    }

    fn extend(&mut self, from: Timestamp, to: Timestamp, places: impl IntoIterator<Item = Place>) {
        self.from = self.from.min(from);
        self.to = self.to.max(to);
        self.places.extend(places);
    }
}

fn lacks_value(kind: CorrelationType, observed: &Observed) -> bool {
    match kind {
        CorrelationType::ValueCount => observed.values.is_empty(),
        kind => kind.reads_values() && observed.number.is_none(),
    }
}
