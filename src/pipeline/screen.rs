//! The records of one file, held against the rules.

use std::cell::{Cell, OnceCell};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{Knowledge, Match, Matcher, RuleSet, Sighted};
use crate::finding::{Contribution, Event, Finding, FindingUid, FirstSeen};
use crate::outcome::Counts;
use crate::trail::{BadRecord, Item, Record, Scope};

/// Holds the records of one file against the rules. Matches are handed on at once; what first-seen rules and correlations
/// make of the file is known when it ends.
#[derive(Debug)]
pub struct Screen<'s> {
    rules: &'s RuleSet,
    matcher: Matcher<'s>,
    file: Arc<str>,
    now: Timestamp,
    contributions: Vec<Contribution>,
    /// The same event again tells nothing new. A match's uid is its rule's and its event's alone.
    seen: HashSet<FindingUid>,
    /// First-seen rules match almost everything: of each entity and value, only the earliest event of each period is kept,
    /// with the time of the latest. Which one that is depends on the file alone, so a redelivery finds the same.
    sightings: HashMap<(FindingUid, i128), Finding>,
    counts: Counts,
    scope: Option<&'s Scope>,
    bad: Vec<BadRecord>,
    found_bytes: usize,
    max_found_bytes: usize,
}

/// What a record takes that is kept, besides its text, in bytes.
const RECORD: usize = 900;
/// What a finding takes besides its record.
const FINDING: usize = 800;

/// Bad records of a file that are named; the others are counted.
const MAX_BAD: usize = 100;

/// What a file gave besides the matches that were handed on.
#[derive(Debug)]
pub struct Screened {
    /// What first-seen rules have to look up, in file order.
    pub sightings: Vec<Finding>,
    /// What correlations count, in file order.
    pub contributions: Vec<Contribution>,
    /// What was counted.
    pub counts: Counts,
    /// What is wrong with bad records, those first in the file.
    pub bad: Vec<BadRecord>,
}

/// A match that is told by itself. Nothing of the record has been copied for it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'t, 'r> {
    /// The rule and the record.
    pub matched: Match<'t, 'r>,
    /// Names it.
    pub uid: FindingUid,
    met: &'t Met<'t, 'r>,
}

/// A record that met a rule.
#[derive(Debug)]
struct Met<'t, 'r> {
    record: &'t Record<'r>,
    file: &'t Arc<str>,
    knowledge: &'t Knowledge,
    now: Timestamp,
    /// Its copy, once somebody needs one.
    event: OnceCell<Arc<Event>>,
    is_counted: Cell<bool>,
}

impl Met<'_, '_> {
    fn event(&self) -> &Arc<Event> {
        self.event.get_or_init(|| Arc::new(Event::of(self.record, self.knowledge, self.now)))
    }

    /// What one more finding takes; those of a record share it.
    fn size(&self) -> usize {
        FINDING + if self.is_counted.replace(true) { 0 } else { RECORD + self.record.raw().len() }
    }
}

impl Told<'_, '_> {
    /// When it happened; when it was read, if the record doesn't say.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.met.record.time().unwrap_or(self.met.now)
    }

    /// Takes out of the file what alerts need.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding::of_match(&self.matched, self.uid, self.met.event(), self.met.file)
    }
}

impl<'s> Screen<'s> {
    /// Starts a file. `now` stands in for the time of records that carry none.
    #[must_use]
    pub fn new(rules: &'s RuleSet, file: Arc<str>, now: Timestamp) -> Self {
        Self {
            rules,
            matcher: rules.matcher(),
            file,
            now,
            contributions: Vec::new(),
            seen: HashSet::new(),
            sightings: HashMap::new(),
            counts: Counts::default(),
            scope: None,
            bad: Vec::new(),
            found_bytes: 0,
            max_found_bytes: usize::MAX,
        }
    }

    /// Takes nothing more once its findings take more memory than this, in bytes. Which record is the last one depends on the file
    /// alone.
    #[must_use]
    pub fn holding(mut self, max_found_bytes: usize) -> Self {
        self.max_found_bytes = max_found_bytes;
        self
    }

    /// Whether it took nothing more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.found_bytes > self.max_found_bytes
    }

    /// Leaves records to others.
    #[must_use]
    pub fn within(mut self, scope: &'s Scope) -> Self {
        self.scope = (!scope.is_everything()).then_some(scope);
        self
    }

    /// How many records could not be read so far.
    #[must_use]
    pub fn bad_records(&self) -> u64 {
        self.counts.bad_records
    }

    /// About how many bytes of memory its findings take, those included that were handed on.
    #[must_use]
    pub fn found_bytes(&self) -> usize {
        self.found_bytes
    }

    /// Takes what the reader hands on. `told` gets the matches in file order, those of one event and rule once.
    pub fn item(&mut self, item: Item<'_>, told: &mut impl FnMut(Told<'_, '_>)) {
        if self.is_full() {
            return;
        }
        let record = match item {
            Item::Record(record) => record,
            Item::Bad(bad) => return self.bad(bad),
        };
        if self.scope.is_some_and(|scope| !scope.takes(&record)) {
            self.counts.records_unwanted += 1;
            return;
        }
        self.counts.records += 1;
        let matches = self.matcher.matches(&record);
        if !matches.is_empty() {
            let file = &Arc::clone(&self.file);
            let (knowledge, now, event) = (self.rules.knowledge(), self.now, OnceCell::new());
            let met = Met { record: &record, file, knowledge, now, event, is_counted: Cell::new(false) };
            matches.into_iter().for_each(|matched| self.matched(matched, &met, told));
        }
        // It was read up to there, and counts as bad as well.
        if let Some(bad) = record.broken() {
            self.bad(bad);
        }
    }

    fn matched(&mut self, matched: Match<'_, '_>, met: &Met<'_, '_>, told: &mut impl FnMut(Told<'_, '_>)) {
        let contribution = Contribution::of(&matched, || Arc::clone(met.event()), met.file);
        self.found_bytes += contribution.as_ref().map_or(0, |_| met.size());
        self.contributions.extend(contribution);
        if !matched.is_told() {
            self.counts.matches += 1;
            self.counts.parts += 1;
        } else if let Some((plan, shown)) = matched.sighted() {
            self.counts.excluded += shown.excluded as u64;
            self.counts.incomplete += u64::from(shown.is_incomplete());
            let sighted = shown.sighted.into_iter().map(|sighted| (sighted, false));
            for (sighted, is_known) in sighted.chain(shown.known.into_iter().map(|sighted| (sighted, true))) {
                self.counts.matches += 1;
                let mut finding = Finding::of_sighting(&matched, plan, sighted, met.event(), met.file);
                if is_known {
                    finding.take_as_known();
                }
                self.sighting(finding, plan.history, met);
            }
        } else {
            self.counts.matches += 1;
            let uid = FindingUid::of_match(&matched.info().id, &met.record.event_identity());
            if self.seen.insert(uid) {
                self.found_bytes += met.size();
                told(Told { matched, uid, met });
            } else {
                self.counts.duplicates += 1;
            }
        }
    }

    fn sighting(&mut self, mut finding: Finding, history: SignedDuration, met: &Met<'_, '_>) {
        match self.sightings.entry((finding.uid, period(finding.event.time, history))) {
            Entry::Vacant(entry) => {
                self.found_bytes += met.size() + finding.first_seen().map_or(0, texts_of);
                entry.insert(finding);
            }
            Entry::Occupied(mut entry) => {
                self.counts.collapsed += 1;
                let kept = entry.get_mut();
                kept.collapse(&mut finding);
                let took_its_place = Arc::ptr_eq(&kept.event, met.event());
                if took_its_place {
                    self.found_bytes += met.size() - FINDING;
                    if Arc::strong_count(&finding.event) == 1 {
                        self.found_bytes -= RECORD + finding.event.record.raw().len();
                    }
                }
            }
        }
    }

    fn bad(&mut self, bad: BadRecord) {
        self.counts.bad_records += 1;
        if self.bad.len() < MAX_BAD {
            self.bad.push(bad);
        }
    }

    /// Ends the file.
    #[must_use]
    pub fn finish(self) -> Screened {
        let mut sightings: Vec<Finding> = self.sightings.into_values().collect();
        sightings.sort_unstable_by_key(|finding| (finding.origin.record_index, finding.uid));
        Screened { sightings, contributions: self.contributions, counts: self.counts, bad: self.bad }
    }
}

/// Bytes of what it showed.
fn texts_of(first_seen: &FirstSeen) -> usize {
    let Sighted { entity, value } = &first_seen.sighted;
    entity.iter().chain(value).map(String::len).sum()
}

/// Which stretch of a rule's history a time lies in. Inside one no value can be forgotten, so its events can be told by the
/// first and the last of them.
fn period(time: Timestamp, history: SignedDuration) -> i128 {
    time.as_nanosecond().div_euclid(history.as_nanos().max(1))
}
