//! The rounds that first sightings and correlations go with the store.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::alerting::{
    Correlation, Correlator, FirstSighting, Item, Items, Key, KnownPairs, Recalled, Sightings, Step,
};
use crate::ports::{StateError, StateStore};

/// How often one writes again what others have written in between. Each time at least one of them got ahead, so among a
/// hundred processes this is enough.
pub(super) const MAX_ROUNDS: usize = 100;

/// Remembers first sightings, which have to be in order of event time, and tells what was known.
///
/// Idempotent by event: asking again with the same sightings gives the same answer.
///
/// # Errors
/// When the store can't be read or written. What was written by then stands.
pub async fn see(
    state: &impl StateStore,
    known: &Mutex<KnownPairs>,
    sightings: Vec<FirstSighting>,
    now: Timestamp,
) -> Result<Recalled, StateError> {
    let mut sightings = Sightings::new(sightings);
    sightings.recall(&mut known.lock().unwrap_or_else(PoisonError::into_inner), now);
    for _ in 0..MAX_ROUNDS {
        if sightings.is_answered() {
            break;
        }
        let pairs = read(state, sightings.pairs(), now).await?;
        let mut round = sightings.begin(&pairs);
        // The entity first: should its pair be missing after a crash, it is written by the redelivery.
        let entities = read(state, sightings.entities(&round), now).await?;
        let entities = sightings.entity_writes(&mut round, &entities, now);
        let written = swap(state, &entities, now).await?;
        let beaten = entities.into_iter().zip(written).filter(|(_, written)| !written);
        let beaten: HashSet<Key> = beaten.map(|(item, _)| item.key).collect();
        let pairs = sightings.pair_writes(&mut round, &beaten, now);
        let written = swap(state, &pairs, now).await?;
        sightings.end(&round, &written);
        sightings.memorise(&mut known.lock().unwrap_or_else(PoisonError::into_inner));
    }
    sightings.answers().ok_or(StateError::Contended { doing: "recording sightings" })
}

/// Adds to what correlations count, and finds the episodes that this belongs to.
pub(super) async fn correlate(
    state: &impl StateStore,
    mut correlator: Correlator<'_>,
    now: Timestamp,
) -> Result<Correlation, StateError> {
    loop {
        match correlator.step() {
            Step::Write(items) => state.put(&items).await?,
            Step::Read(stretches) => {
                let listed = state.list(&stretches, now).await?;
                for (stretch, listed) in stretches.iter().zip(&listed) {
                    correlator.shelve(stretch, listed);
                }
            }
            Step::Ask(keys) => {
                let items = state.get(&keys, now).await?;
                correlator.hear(keys, &items);
            }
            Step::Done(correlation) => return Ok(correlation),
        }
    }
}

async fn read(
    state: &impl StateStore,
    keys: impl IntoIterator<Item = Key>,
    now: Timestamp,
) -> Result<Items, StateError> {
    let keys: Vec<Key> = keys.into_iter().collect();
    if keys.is_empty() { Ok(Items::new()) } else { state.get(&keys, now).await }
}

pub(super) async fn swap(state: &impl StateStore, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
    if items.is_empty() { Ok(Vec::new()) } else { state.swap(items, now).await }
}
