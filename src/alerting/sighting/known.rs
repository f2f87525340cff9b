//! What a process knows of first sightings without asking.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::num::NonZeroUsize;

use jiff::Timestamp;
use lru::LruCache;

use crate::finding::FindingUid;

use super::super::item::later;
use super::{DAY, FirstSighting, Remembered, Seen};

/// Pairs that a process keeps in mind: a few megabytes.
const MAX_KNOWN: NonZeroUsize = NonZeroUsize::MIN.saturating_add(50_000);

/// What this process knows of first sightings: the latest ones, up to a bound. Most pairs are seen again and again.
#[derive(Debug)]
pub struct KnownPairs(LruCache<u128, Glimpse>);

/// What the store holds of a pair, in short.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glimpse {
    /// A hash of the event that made the pair known.
    event: Option<u64>,
    last: Timestamp,
    entity_since: Timestamp,
}

impl Default for KnownPairs {
    fn default() -> Self {
        Self(LruCache::new(MAX_KNOWN))
    }
}

impl KnownPairs {
    pub(super) fn learn(&mut self, pair: FindingUid, glimpse: Glimpse) {
        self.0.put(pair.to_u128(), glimpse);
    }

    pub(super) fn recall(&mut self, sighting: &FirstSighting, now: Timestamp) -> Option<Seen> {
        let known = self.0.get(&sighting.pair.to_u128())?;
        let is_new = known.event.is_some() && known.event == sighting.event.as_deref().map(fingerprint);
        // What has to be written down has to be asked as well, and so has what a wrong record would keep for ever.
        let is_settled = !sighting.outdates(known.last) && known.last <= later(now, DAY);
        is_settled.then_some(Seen { is_new, entity_since: known.entity_since })
    }
}

impl Glimpse {
    pub(super) fn of(known: &Remembered) -> Self {
        let event = known.event.as_deref().map(fingerprint);
        Self { event, last: known.last, entity_since: known.entity_since }
    }
}

fn fingerprint(event: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    event.hash(&mut hasher);
    hasher.finish()
}
