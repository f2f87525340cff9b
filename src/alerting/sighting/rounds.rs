//! The rounds that sightings go with the store: read the pairs, read the entities of what is new, write these, write those.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::finding::FindingUid;

use super::super::item::{Item, Items, Key, UnreadableItem};
use super::known::{Glimpse, KnownPairs};
use super::{EntityKey, FirstSighting, KnownEntity, Remembered, Seen, grain, shown};

/// Sightings on their way through the memory.
#[derive(Debug)]
pub struct Sightings {
    all: Vec<FirstSighting>,
    answers: Vec<Option<Seen>>,
    /// What the store holds of the pairs that it answered for.
    glimpses: Vec<(FindingUid, Glimpse)>,
    unreadable: BTreeMap<Key, UnreadableItem>,
}

/// What the memory answered.
#[derive(Debug)]
pub struct Recalled {
    /// An answer for each sighting, in their order.
    pub seen: Vec<Seen>,
    /// What could not be understood: it counts as nothing.
    pub unreadable: Vec<UnreadableItem>,
}

/// One round with the store over the sightings that have no answer yet.
#[derive(Debug)]
pub struct Round {
    pairs: Vec<Pair>,
    /// Since when each entity is known.
    entities: HashMap<Key, Timestamp>,
}

/// Sightings of one entity and value.
#[derive(Debug)]
struct Pair {
    key: Key,
    entity: Key,
    /// In order of time.
    places: Vec<usize>,
    revision: u64,
    known: Option<Remembered>,
}

impl Sightings {
    /// Takes sightings in order of event time: who shows a value first is the one that is new.
    #[must_use]
    pub fn new(all: Vec<FirstSighting>) -> Self {
        let answers = vec![None; all.len()];
        Self { all, answers, glimpses: Vec::new(), unreadable: BTreeMap::new() }
    }

    /// Answers what this process knows already.
    pub fn recall(&mut self, known: &mut KnownPairs, now: Timestamp) {
        for (sighting, answer) in self.all.iter().zip(&mut self.answers) {
            *answer = answer.or_else(|| known.recall(sighting, now));
        }
    }

    /// Has the process know what the store answered.
    pub fn memorise(&mut self, known: &mut KnownPairs) {
        for (pair, glimpse) in self.glimpses.drain(..) {
            known.learn(pair, glimpse);
        }
    }

    /// An answer for each, in their order, once there is one for each.
    #[must_use]
    pub fn answers(self) -> Option<Recalled> {
        let seen = self.answers.into_iter().collect::<Option<_>>()?;
        Some(Recalled { seen, unreadable: self.unreadable.into_values().collect() })
    }

    /// Whether all are answered.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.open().next().is_none()
    }

    fn open(&self) -> impl Iterator<Item = usize> {
        (0..self.all.len()).filter(|&place| self.answers[place].is_none())
    }

    /// What to read first: the pairs.
    #[must_use]
    pub fn pairs(&self) -> BTreeSet<Key> {
        self.open().map(|place| self.all[place].pair_key()).collect()
    }

    /// Begins a round with the pairs that are there. Answers those for which nothing has to be written. A pair that can't be
    /// understood is none, and is written over.
    pub fn begin(&mut self, items: &Items) -> Round {
        let mut pairs: Vec<Pair> = Vec::new();
        let mut by_key: HashMap<Key, usize> = HashMap::new();
        for place in self.open().collect::<Vec<_>>() {
            let sighting = &self.all[place];
            match by_key.entry(sighting.pair_key()) {
                Entry::Occupied(pair) => pairs[*pair.get()].places.push(place),
                Entry::Vacant(vacant) => {
                    let item = items.get(vacant.key());
                    let pair = Pair {
                        key: vacant.key().clone(),
                        entity: sighting.entity_key(),
                        places: vec![place],
                        revision: item.map_or(0, |item| item.revision),
                        known: item.map(Item::read).transpose().unwrap_or_else(|error| {
                            self.unreadable.insert(error.key.clone(), error);
                            None
                        }),
                    };
                    vacant.insert(pairs.len());
                    pairs.push(pair);
                }
            }
        }
        pairs.retain(|pair| {
            let (after, seen) = pair.see(&self.all, Timestamp::MAX);
            let is_settled = after == pair.known && !pair.makes_its_entity_older(&self.all);
            if is_settled {
                self.answer(pair, after, &seen);
            }
            !is_settled
        });
        Round { pairs, entities: HashMap::new() }
    }

    /// What to read next: the entities of what has to be written.
    #[must_use]
    pub fn entities(&self, round: &Round) -> BTreeSet<Key> {
        round.pairs.iter().map(|pair| pair.entity.clone()).collect()
    }

    /// With the entities that are there: those to write. One that can't be understood counts as known for as long as any, so that
    /// nothing of it is missed, and is written over.
    pub fn entity_writes(&mut self, round: &mut Round, items: &Items, now: Timestamp) -> Vec<Item> {
        let mut writes: HashMap<&Key, (KnownEntity, Timestamp, SignedDuration)> = HashMap::new();
        for pair in &round.pairs {
            for &place in &pair.places {
                let sighting = &self.all[place];
                let (entity, expires, _) = match writes.entry(&pair.entity) {
                    Entry::Occupied(entity) => entity.into_mut(),
                    Entry::Vacant(vacant) => {
                        let new = |since: Timestamp| KnownEntity {
                            rule: sighting.rule.id.clone(),
                            entity: shown(&sighting.sighted.entity),
                            since,
                        };
                        let known = items.get(&pair.entity).map(Item::read::<KnownEntity>);
                        let entity = match known {
                            Some(Ok(entity)) => entity,
                            Some(Err(error)) => {
                                self.unreadable.insert(error.key.clone(), error);
                                new(Timestamp::UNIX_EPOCH)
                            }
                            None => new(sighting.time),
                        };
                        vacant.insert((entity, Timestamp::MIN, grain(sighting.history)))
                    }
                };
                entity.since = entity.since.min(sighting.time);
                *expires = sighting.entity_expires(now).max(*expires);
            }
        }
        let mut due = Vec::new();
        for (key, (entity, expires, grain)) in writes {
            round.entities.insert(key.clone(), entity.since);
            let there = items.get(key);
            let item = Item::new(key.clone(), there.map_or(0, |item| item.revision), expires, &entity);
            let is_due = there
                .is_none_or(|there| there.value != item.value || item.expires.duration_since(there.expires) > grain);
            if is_due {
                due.push(item);
            }
        }
        due.sort_by(|a, b| a.key.cmp(&b.key));
        due
    }

    /// The pairs to write, but for those whose entity another one has written in between.
    #[must_use]
    pub fn pair_writes(&self, round: &mut Round, beaten: &HashSet<Key>, now: Timestamp) -> Vec<Item> {
        round.pairs.retain(|pair| !beaten.contains(&pair.entity));
        let item = |pair: &Pair| {
            let (after, _) = pair.see(&self.all, round.entity_since(pair));
            let expires = pair.places.iter().map(|&place| self.all[place].expires(now)).max().unwrap_or(now);
            after.map(|after| Item::new(pair.key.clone(), pair.revision, expires, &after))
        };
        round.pairs.iter().filter_map(item).collect()
    }

    /// Ends a round: answers for the pairs that were written, in the order of [`Self::pair_writes`].
    pub fn end(&mut self, round: &Round, written: &[bool]) {
        for (pair, _) in round.pairs.iter().zip(written).filter(|(_, written)| **written) {
            let (after, seen) = pair.see(&self.all, round.entity_since(pair));
            self.answer(pair, after, &seen);
        }
    }

    fn answer(&mut self, pair: &Pair, after: Option<Remembered>, seen: &[Seen]) {
        for (&place, &seen) in pair.places.iter().zip(seen) {
            self.answers[place] = Some(seen);
        }
        let name = pair.places.first().map(|&place| self.all[place].pair);
        self.glimpses.extend(name.zip(after.map(|after| Glimpse::of(&after))));
    }

    /// Answers from these sightings alone, without a store.
    #[must_use]
    pub fn among_themselves(self) -> Vec<Seen> {
        let mut entities: HashMap<EntityKey, Timestamp> = HashMap::new();
        let mut pairs: HashMap<FindingUid, Remembered> = HashMap::new();
        let each = |sighting: &FirstSighting| {
            let since = entities.entry(sighting.entity).or_insert(sighting.time);
            *since = (*since).min(sighting.time);
            let (after, seen) = Remembered::see(pairs.remove(&sighting.pair), sighting, *since);
            pairs.insert(sighting.pair, after);
            seen
        };
        self.all.iter().map(each).collect()
    }
}

impl Round {
    fn entity_since(&self, pair: &Pair) -> Timestamp {
        self.entities.get(&pair.entity).copied().unwrap_or(Timestamp::MAX)
    }
}

impl Pair {
    /// Whether something that is taken as known is older than what was known of its entity, which has to be asked for that.
    fn makes_its_entity_older(&self, all: &[FirstSighting]) -> bool {
        let since = self.known.as_ref().map_or(Timestamp::MAX, |known| known.entity_since);
        self.places.iter().any(|&place| all[place].event.is_none() && all[place].time < since)
    }

    /// What is known after all its sightings, and the answer to each.
    fn see(&self, all: &[FirstSighting], entity_since: Timestamp) -> (Option<Remembered>, Vec<Seen>) {
        let mut known = self.known.clone();
        let each = |&place: &usize| {
            let sighting = &all[place];
            let (after, seen) = Remembered::see(known.take(), sighting, entity_since.min(sighting.time));
            known = Some(after);
            seen
        };
        let seen = self.places.iter().map(each).collect();
        (known, seen)
    }
}
