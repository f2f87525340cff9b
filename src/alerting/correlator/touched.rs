//! Where groups were added to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{CompiledCorrelation, CorrelationIndex};

use super::{GroupId, Place};

/// The groups that were added to and have to be looked at still.
#[derive(Debug)]
pub(super) struct Open {
    levels: Vec<usize>,
    /// A correlation comes behind those that it reads, and so do its groups.
    groups: BTreeMap<(usize, GroupId), Vec<Span>>,
}

/// A stretch of time in which a group was added to.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// What was added.
    pub(super) places: Arc<BTreeSet<Place>>,
}

impl Open {
    pub(super) fn new(correlations: &[CompiledCorrelation]) -> Self {
        let mut levels: Vec<usize> = Vec::with_capacity(correlations.len());
        for correlation in correlations {
            // OK because who reads comes behind what it reads.
            let above = correlation.inner().map(|CorrelationIndex(inner)| levels[inner] + 1);
            levels.push(above.max().unwrap_or(0));
        }
        Self { levels, groups: BTreeMap::new() }
    }

    /// Times that are `apart` don't belong together: to look at what lies between them could be to look at years.
    pub(super) fn add(
        &mut self,
        id: &GroupId,
        time: Timestamp,
        places: impl IntoIterator<Item = Place>,
        apart: SignedDuration,
    ) {
        // OK because the index was made of these correlations.
        let level = self.levels[id.correlation.0];
        let spans = self.groups.entry((level, id.clone())).or_default();
        match spans.iter_mut().find(|span| span.distance(time) < apart) {
            Some(span) => {
                span.from = span.from.min(time);
                span.to = span.to.max(time);
                Arc::make_mut(&mut span.places).extend(places);
            }
            None => spans.push(Span { from: time, to: time, places: Arc::new(places.into_iter().collect()) }),
        }
    }

    /// What to look at next, at most so many: one stretch of each of some groups, none of which reads another. And how deep they
    /// lie: those of a deeper level read the ones before.
    pub(super) fn first(&self, at_most: usize) -> Option<(usize, Vec<(GroupId, Span)>)> {
        let (level, _) = self.groups.first_key_value()?.0;
        let same = self.groups.iter().take_while(|((one, _), _)| one == level);
        let first = same.filter_map(|((_, id), spans)| Some((id.clone(), spans.last()?.clone())));
        Some((*level, first.take(at_most).collect()))
    }

    /// The stretch of a group that [`Self::first`] gave has been looked at.
    pub(super) fn close(&mut self, level: usize, id: GroupId) {
        let key = (level, id);
        let spans = self.groups.get_mut(&key);
        if spans.is_none_or(|spans| spans.pop().is_none() || spans.is_empty()) {
            self.groups.remove(&key);
        }
    }
}

impl Span {
    fn distance(&self, time: Timestamp) -> SignedDuration {
        let nearest = time.clamp(self.from, self.to);
        time.duration_since(nearest).abs()
    }
}
