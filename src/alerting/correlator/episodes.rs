//! Finds the episodes of a group.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::sigma::Mode;

use super::super::correlation::{Episode, Observation, Pattern, Timeline};
use super::super::item::{earlier, later};
use super::super::ledger::key_of;
use super::found::{Found, Source};
use super::gathered::Gathered;
use super::shelves::Wants;
use super::{Correlator, GroupId};

impl<'r> Correlator<'r> {
    /// The episodes of a group that touch a stretch of time. `None` when something has to be read first, which is then among
    /// `wants`.
    pub(super) fn episodes(
        &mut self,
        id: &GroupId,
        from: Timestamp,
        to: Timestamp,
        wants: &mut Wants,
    ) -> Option<Vec<Found>> {
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
            let first = first.unwrap_or_else(|| back(home.looks_back()));
            let (observations, sources, judged_from) = self.observations(id, first, last, wants)?;
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
        &mut self,
        id: &GroupId,
        first: i64,
        last: i64,
        wants: &mut Wants,
    ) -> Option<(Vec<Observation>, Vec<Source<'r>>, Timestamp)> {
        let home = self.home(id);
        let mut gathered = Gathered::new(self.rules, self.correlation(id));
        let mut judged_from = Timestamp::MIN;
        let mut links: BTreeSet<GroupId> = self.links.get(id).cloned().unwrap_or_default();
        if let Some(shelves) = &self.shelves {
            let Some(read) = shelves.get(id, (first, last)) else {
                wants.stretches.entry(id.clone()).or_insert((first, last));
                return None;
            };
            // Of a group that is too large one judges by what one has. Not to judge would have it hide whatever comes next.
            if !read.is_cut {
                judged_from = later(home.start_of(first), home.correlation.correlation.timespan);
            }
            for noted in read.notes.noted.iter().filter(|one| (first..=last).contains(&home.bucket(one.time))) {
                gathered.add(noted);
            }
            links.extend(read.notes.links.iter().filter_map(|link| link.target(self.rules, home.correlation)));
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
            match self.inner(&inner, from, to, wants) {
                Some(found) => {
                    let info = &self.correlation(&inner).info;
                    found.iter().for_each(|found| gathered.add_episode(info, &id.group, found));
                }
                None => is_whole = false,
            }
        }
        is_whole.then_some((gathered.observations, gathered.sources, judged_from))
    }
    /// The episodes of a group that others read.
    fn inner(&mut self, id: &GroupId, from: Timestamp, to: Timestamp, wants: &mut Wants) -> Option<Arc<[Found]>> {
        let key = (id.clone(), from, to);
        if let Some(found) = self.inner.get(&key) {
            return Some(Arc::clone(found));
        }
        let found: Arc<[Found]> = self.episodes(id, from, to, wants)?.into();
        self.done(id);
        self.inner.insert(key, Arc::clone(&found));
        Some(found)
    }
}
