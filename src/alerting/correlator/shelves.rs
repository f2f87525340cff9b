//! What was read of groups: as much as is needed at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::item::{Key, Listed, Stretch, UnreadableItem};
use super::GroupId;
use super::noted::Notes;

/// Of what is no longer needed this much is kept, in case it is after all.
const SPARE_BYTES: usize = 8_000_000;

/// What was read of groups.
#[derive(Debug, Default)]
pub(super) struct Shelves {
    by_group: HashMap<GroupId, Shelf>,
    /// Those that won't be needed any more, it seems.
    done: HashSet<GroupId>,
    asked: HashMap<Stretch, (GroupId, Buckets)>,
    /// Groups of which more is there than was read.
    pub(super) cut: HashSet<GroupId>,
    /// What can't be understood.
    pub(super) unreadable: Vec<UnreadableItem>,
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

impl Shelves {
    /// What was read of a group, if it was read from the first to the last of these.
    pub(super) fn get(&self, id: &GroupId, (first, last): Buckets) -> Option<&Shelf> {
        self.by_group.get(id).filter(|shelf| shelf.buckets.0 <= first && last <= shelf.buckets.1)
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
        self.unreadable.extend(listed.items.iter().filter_map(|item| notes.add(item).err()));
        let bytes = listed.items.iter().map(super::Item::bytes).sum();
        self.done.remove(&id);
        self.by_group.insert(id, Shelf { buckets, bytes, is_cut: listed.is_cut, notes });
    }

    /// A group won't be needed any more, it seems.
    pub(super) fn done(&mut self, id: &GroupId) {
        self.done.insert(id.clone());
    }

    fn make_room(&mut self) {
        let bytes = |id: &GroupId| self.by_group.get(id).map_or(0, |shelf| shelf.bytes);
        if self.done.iter().map(bytes).sum::<usize>() > SPARE_BYTES {
            for id in self.done.drain() {
                self.by_group.remove(&id);
            }
        }
    }
}
