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
use super::noted::Noted;
use super::shelves::{Buckets, Wants};
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
        let stages = [pattern.timespan, pattern.timespan.saturating_mul(2), home.looks_back()];
        let times = (id.clone(), from, to);
        let reached = self.stages.get(&times).copied().unwrap_or_default();
        for (stage, first) in stages.into_iter().map(back).enumerate().skip(reached) {
            let is_all = stage + 1 == stages.len() || self.shelves.is_none();
            let (observations, sources, judged_from) = self.observations(id, (first, last), wants)?;
            let timeline = Timeline::new(&pattern, &observations);
            let touches = |episode: &Episode| earlier(episode.start, pattern.timespan) <= to && episode.end >= from;
            let places: HashMap<_, _> =
                observations.iter().enumerate().map(|(place, one)| (std::ptr::from_ref(one), place)).collect();
            let source = |one: &Observation| places.get(&std::ptr::from_ref(one)).map(|&place| &sources[place]);
            let mut found = Vec::new();
            let mut is_known = true;
            for episode in timeline.episodes_since(judged_from).iter().filter(|episode| touches(episode)) {
                let Some(one) = Found::of(correlation, &id.group, &timeline, episode, source) else { continue };
                is_known &= is_all || episode.start_is_known || self.is_spoken_for(id, &one, wants)?;
                found.push(one);
            }
            if is_known {
                return Some(found);
            }
            self.stages.insert(times.clone(), stage + 1);
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
        Some(ledger.as_ref().is_some_and(|ledger| ledger.holds(&finding, self.now).is_some()))
    }

    /// What counts for a group in stretches of time, where each comes from, and from when on nothing is missing.
    fn observations(
        &mut self,
        id: &GroupId,
        buckets: Buckets,
        wants: &mut Wants,
    ) -> Option<(Vec<Observation>, Vec<Source<'r>>, Timestamp)> {
        if self.shelves.as_ref().is_some_and(|shelves| shelves.get(id, buckets).is_none()) {
            wants.stretches.entry(id.clone()).or_insert(buckets);
            return None;
        }
        let home = self.home(id);
        let (first, last) = buckets;
        let (from, to) = match self.shelves {
            Some(_) => (home.start_of(first), home.start_of(last.saturating_add(1))),
            None => (Timestamp::MIN, Timestamp::MAX),
        };
        if !self.resolve(id, buckets, (from, to), wants) {
            return None;
        }
        let mut gathered = Gathered::new(self.rules, self.correlation(id));
        let mut judged_from = Timestamp::MIN;
        if let Some(read) = self.shelves.as_ref().and_then(|shelves| shelves.get(id, buckets)) {
            // Of a group that is too large one judges by what one has. Not to judge would have it hide whatever comes next.
            if !read.is_cut {
                judged_from = later(from, home.correlation.correlation.timespan);
            }
            let is_meant = |noted: &&Arc<Noted>| (first..=last).contains(&home.bucket(noted.time));
            read.notes.noted.iter().filter(is_meant).for_each(|noted| gathered.add(noted));
        }
        self.at_hand.get(id).into_iter().flatten().for_each(|noted| gathered.add(noted));
        let known = self.inner.get(&(from, to));
        for (inner, found) in self.links_of(id, buckets).iter().filter_map(|inner| known?.get_key_value(inner)) {
            let info = &self.correlation(inner).info;
            found.iter().for_each(|found| gathered.add_episode(info, &id.group, found));
        }
        Some((gathered.observations, gathered.sources, judged_from))
    }

    /// The groups whose episodes belong to a group.
    fn links_of(&self, id: &GroupId, buckets: Buckets) -> BTreeSet<GroupId> {
        let correlation = self.correlation(id);
        let read = self.shelves.as_ref().and_then(|shelves| shelves.get(id, buckets));
        let read = read.into_iter().flat_map(|read| &read.notes.links);
        let at_hand = self.links.get(id).into_iter().flatten().cloned();
        read.filter_map(|link| link.target(self.rules, correlation)).chain(at_hand).collect()
    }

    /// Finds the episodes of the groups that a group reads, as many as can be read at a time. Whether that was all of them.
    fn resolve(&mut self, id: &GroupId, buckets: Buckets, times: (Timestamp, Timestamp), wants: &mut Wants) -> bool {
        let key = (id.clone(), buckets);
        let open = self.unresolved.remove(&key);
        let mut open = open.unwrap_or_else(|| self.links_of(id, buckets).into_iter().collect::<Vec<_>>());
        let mut waiting = Vec::new();
        while !wants.are_enough()
            && let Some(inner) = open.pop()
        {
            if !self.is_found(&inner, times, wants) {
                waiting.push(inner);
            }
        }
        open.append(&mut waiting);
        let is_done = open.is_empty();
        if !is_done {
            self.unresolved.insert(key, open);
        }
        is_done
    }

    /// Finds the episodes of a group that another one reads.
    fn is_found(&mut self, id: &GroupId, times: (Timestamp, Timestamp), wants: &mut Wants) -> bool {
        if self.inner.get(&times).is_some_and(|known| known.contains_key(id)) {
            return true;
        }
        let Some(found) = self.episodes(id, times.0, times.1, wants) else { return false };
        self.done(id);
        self.inner.entry(times).or_default().insert(id.clone(), found);
        true
    }
}
