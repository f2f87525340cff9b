//! What was read of groups: as much as is needed at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::item::{Item, Key, LISTED_AT_ONCE, Listed, Stretch, UnreadableItem};
use super::GroupId;
use super::noted::Notes;

/// Of what is no longer needed this much is kept, in case it is after all.
const SPARE_BYTES: usize = 8_000_000;
/// Ledgers that are read at a time: what one call to `DynamoDB` gives.
const LEDGERS_AT_ONCE: usize = 100;

/// What was read of groups.
#[derive(Debug, Default)]
pub(super) struct Shelves {
    /// Of a group several: who reads it may want other times of it than another one, and both at once.
    by_group: HashMap<GroupId, Vec<Shelf>>,
    /// Those that won't be needed any more, it seems, and how much they hold.
    done: HashSet<GroupId>,
    spare: usize,
    asked: HashMap<Stretch, (GroupId, Buckets)>,
    /// Groups of which more is there than was read.
    pub(super) cut: HashSet<GroupId>,
    /// What can't be understood.
    pub(super) unreadable: BTreeMap<Key, UnreadableItem>,
}

/// Stretches of a group's time, the first and the last.
pub(super) type Buckets = (i64, i64);

/// What was read of one group.
#[derive(Debug)]
pub(super) struct Shelf {
    buckets: Buckets,
    bytes: usize,
    pub(super) is_cut: bool,
    pub(super) notes: Notes,
}

/// What has to be read before one can go on.
#[derive(Debug, Default)]
pub(super) struct Wants {
    /// Of each group one stretch: another one can be read when this one was looked at.
    pub(super) stretches: BTreeMap<GroupId, Buckets>,
    pub(super) ledgers: BTreeSet<Key>,
}

impl Wants {
    /// Whether it is as much as is read at a time.
    pub(super) fn are_enough(&self) -> bool {
        self.stretches.len() >= LISTED_AT_ONCE || self.ledgers.len() >= LEDGERS_AT_ONCE
    }
}

impl Shelves {
    /// What was read of a group, if it was read from the first to the last of these.
    pub(super) fn get(&self, id: &GroupId, (first, last): Buckets) -> Option<&Shelf> {
        let mut shelves = self.by_group.get(id)?.iter();
        shelves.find(|shelf| shelf.buckets.0 <= first && last <= shelf.buckets.1)
    }

    /// Notes what is going to be read.
    pub(super) fn ask(&mut self, id: GroupId, buckets: Buckets, stretch: &Stretch) {
        self.make_room();
        self.asked.insert(stretch.clone(), (id, buckets));
    }

    pub(super) fn put(&mut self, stretch: &Stretch, listed: &Listed) {
        let Some((id, buckets)) = self.asked.remove(stretch) else { return };
        if listed.is_cut {
            self.cut.insert(id.clone());
        }
        let mut notes = Notes::default();
        for item in &listed.items {
            if let Err(error) = notes.add(item) {
                self.unreadable.insert(item.key.clone(), error);
            }
        }
        let bytes = listed.items.iter().map(Item::bytes).sum();
        if self.done.remove(&id) {
            self.spare -= self.bytes(&id);
        }
        let shelves = self.by_group.entry(id).or_default();
        shelves.retain(|old| old.buckets.0 < buckets.0 || buckets.1 < old.buckets.1);
        shelves.push(Shelf { buckets, bytes, is_cut: listed.is_cut, notes });
    }

    /// A group won't be needed any more, it seems.
    pub(super) fn done(&mut self, id: &GroupId) {
        if self.done.insert(id.clone()) {
            self.spare += self.bytes(id);
        }
    }

    /// What was read is old: others may have written since.
    pub(super) fn clear(&mut self) {
        self.by_group.clear();
        self.done.clear();
        self.spare = 0;
    }

    fn bytes(&self, id: &GroupId) -> usize {
        self.by_group.get(id).into_iter().flatten().map(|shelf| shelf.bytes).sum()
    }

    fn make_room(&mut self) {
        if self.spare > SPARE_BYTES {
            self.spare = 0;
            for id in self.done.drain() {
                self.by_group.remove(&id);
            }
        }
    }
}
