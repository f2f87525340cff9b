//! The memory of one process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::alerting::{Item, Items, Key, Listed, Stretch};
use crate::ports::{MAX_LISTED_BYTES, Page, StateError, StateStore};

/// Items in one page.
const PAGE: usize = 1_000;
/// Fewer items are not worth looking through for what is past its time.
const MIN_LOOKED_THROUGH: usize = 10_000;

/// A memory that lasts as long as its process.
#[derive(Debug, Default)]
pub struct StateMemory(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    items: BTreeMap<Key, Item>,
    /// Items that were left the last time that old ones were let go.
    left: usize,
}

impl StateMemory {
    /// A panic elsewhere leaves items that are no worse for it.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn insert(&mut self, item: &Item) {
        self.items.insert(item.key.clone(), Item { revision: item.revision + 1, ..item.clone() });
    }

    fn get(&self, key: &Key, now: Timestamp) -> Option<&Item> {
        self.items.get(key).filter(|item| item.is_alive(now))
    }

    fn list(&self, stretch: &Stretch, now: Timestamp) -> Listed {
        let end = |sort: &str| Key { partition: stretch.partition.clone(), sort: sort.to_owned() };
        let mut listed = Listed::default();
        let mut bytes = 0;
        for (_, item) in self.items.range(end(&stretch.from)..=end(&stretch.to)).rev() {
            if bytes > MAX_LISTED_BYTES {
                listed.is_cut = true;
                break;
            }
            bytes += item.bytes();
            listed.items.extend(item.is_alive(now).then(|| item.clone()));
        }
        listed.items.reverse();
        listed
    }

    /// Each time that as much was added as is kept, so that the work is in proportion to what comes in.
    fn forget(&mut self, now: Timestamp) {
        if self.items.len() > 2 * self.left + MIN_LOOKED_THROUGH {
            self.items.retain(|_, item| item.is_alive(now));
            self.left = self.items.len();
        }
    }
}

impl StateStore for StateMemory {
    async fn get(&self, keys: &[Key], now: Timestamp) -> Result<Items, StateError> {
        let kept = self.lock();
        Ok(keys.iter().filter_map(|key| Some((key.clone(), kept.get(key, now)?.clone()))).collect())
    }

    async fn list(&self, stretches: &[Stretch], now: Timestamp) -> Result<Vec<Listed>, StateError> {
        let mut kept = self.lock();
        kept.forget(now);
        Ok(stretches.iter().map(|stretch| kept.list(stretch, now)).collect())
    }

    async fn put(&self, items: &[Item]) -> Result<(), StateError> {
        StateError::check_size(items)?;
        let mut kept = self.lock();
        items.iter().for_each(|item| kept.insert(item));
        Ok(())
    }

    async fn swap(&self, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
        StateError::check_size(items)?;
        let mut kept = self.lock();
        kept.forget(now);
        let each = |item: &Item| {
            let is_there = kept.get(&item.key, now).map_or(0, |there| there.revision) == item.revision;
            if is_there {
                kept.insert(item);
            }
            is_there
        };
        Ok(items.iter().map(each).collect())
    }

    async fn page(&self, after: Option<&Key>, now: Timestamp) -> Result<Page, StateError> {
        let kept = self.lock();
        let start = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let items: Vec<&Item> =
            kept.items.range((start, std::ops::Bound::Unbounded)).map(|(_, item)| item).take(PAGE).collect();
        let next = items.last().filter(|_| items.len() == PAGE).map(|item| item.key.clone());
        Ok(Page { items: items.into_iter().filter(|item| item.is_alive(now)).cloned().collect(), next })
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StateError> {
        let mut kept = self.lock();
        keys.iter().for_each(|key| drop(kept.items.remove(key)));
        Ok(())
    }
}
