//! The memory in an embedded database file.

use std::path::Path;

use jiff::Timestamp;
use redb::{Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, TableDefinition, WriteTransaction};

use crate::alerting::{Item, Items, Key, Listed, Stretch};
use crate::ports::{BoxError, MAX_LISTED_BYTES, Page, StateError, StateStore};

/// Partition and sort → revision, the second it is forgotten, document.
const ITEMS: TableDefinition<'_, (&str, &str), (u64, i64, &str)> = TableDefinition::new("items");

/// Items in one page.
const PAGE: usize = 1_000;

/// A memory that outlives its process.
#[derive(Debug)]
pub struct StateFile {
    database: Database,
}

/// A memory file that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Two processes would overwrite each other's memory.
    #[error("the state file is in use by another process; give this one a file of its own")]
    InUse,
    /// Anything else.
    #[error(
        "the state file can't be opened: {0} (it has to be one that trailhound made, or a new one in a folder that is there)"
    )]
    Other(String),
}

impl StateFile {
    /// Opens the memory in a file, which is made if it isn't there, and lets go of what is past its time.
    ///
    /// # Errors
    /// When another process has it open, or it can't be read or is no such file.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, OpenError> {
        let database = Database::create(path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => OpenError::InUse,
            error => OpenError::Other(error.to_string()),
        })?;
        let state = Self { database };
        // The table has to be there before it can be read.
        let forget = state.transact(|write| {
            let mut items = write.open_table(ITEMS)?;
            items.retain(|_, (_, expires, _)| expires > now.as_second())?;
            Ok(())
        });
        forget.map_err(|error| OpenError::Other(error.to_string()))?;
        Ok(state)
    }

    /// All or nothing: a crash in the middle leaves what was there before.
    fn transact<T>(&self, run: impl FnOnce(&WriteTransaction) -> Result<T, BoxError>) -> Result<T, BoxError> {
        let write = self.database.begin_write()?;
        let value = run(&write)?;
        write.commit()?;
        Ok(value)
    }

    fn read(&self, from: (&str, &str), to: (&str, &str), each: &mut dyn FnMut(Item) -> bool) -> Result<(), BoxError> {
        let items = self.database.begin_read()?.open_table(ITEMS)?;
        for entry in items.range(from..=to)?.rev() {
            let (key, value) = entry?;
            if !each(item(key.value(), value.value())?) {
                break;
            }
        }
        Ok(())
    }

    fn list_one(&self, stretch: &Stretch, now: Timestamp) -> Result<Listed, BoxError> {
        let Stretch { partition, from, to } = stretch;
        let mut listed = Listed::default();
        let mut bytes = 0;
        self.read((partition, from), (partition, to), &mut |item| {
            listed.is_cut = bytes > MAX_LISTED_BYTES;
            bytes += item.bytes();
            if !listed.is_cut && item.is_alive(now) {
                listed.items.push(item);
            }
            !listed.is_cut
        })?;
        listed.items.reverse();
        Ok(listed)
    }
}

impl StateStore for StateFile {
    async fn get(&self, keys: &[Key], now: Timestamp) -> Result<Items, StateError> {
        let mut items = Items::new();
        for Key { partition, sort } in keys {
            let place = (partition.as_str(), sort.as_str());
            let keep = &mut |item: Item| {
                if item.is_alive(now) {
                    items.insert(item.key.clone(), item);
                }
                true
            };
            self.read(place, place, keep).map_err(|source| StateError::Failed { doing: "reading", source })?;
        }
        Ok(items)
    }

    async fn list(&self, stretches: &[Stretch], now: Timestamp) -> Result<Vec<Listed>, StateError> {
        let listed = stretches.iter().map(|stretch| self.list_one(stretch, now)).collect::<Result<_, _>>();
        listed.map_err(|source| StateError::Failed { doing: "listing", source })
    }

    async fn put(&self, items: &[Item]) -> Result<(), StateError> {
        StateError::check_size(items)?;
        self.transact(|write| items.iter().try_for_each(|item| insert(write, item)))
            .map_err(|source| StateError::Failed { doing: "writing", source })
    }

    async fn swap(&self, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
        StateError::check_size(items)?;
        let each = |write: &WriteTransaction, item: &Item| {
            let there = {
                let table = write.open_table(ITEMS)?;
                let there = table.get((item.key.partition.as_str(), item.key.sort.as_str()))?;
                let there = there.map(|there| (there.value().0, there.value().1));
                there.filter(|(_, expires)| *expires > now.as_second()).map_or(0, |(revision, _)| revision)
            };
            if there == item.revision {
                insert(write, item)?;
            }
            Ok(there == item.revision)
        };
        self.transact(|write| items.iter().map(|item| each(write, item)).collect())
            .map_err(|source| StateError::Failed { doing: "writing", source })
    }

    async fn page(&self, after: Option<&Key>, now: Timestamp) -> Result<Page, StateError> {
        // Read backwards: the place after which one goes on is the last one's.
        let end = after.map_or(("~", "~"), |key| (key.partition.as_str(), key.sort.as_str()));
        let mut page = Page::default();
        let mut read = 0;
        let each = &mut |item: Item| {
            if after == Some(&item.key) {
                return true;
            }
            read += 1;
            page.next = (read == PAGE).then(|| item.key.clone());
            if item.is_alive(now) {
                page.items.push(item);
            }
            read < PAGE
        };
        self.read(("", ""), end, each).map_err(|source| StateError::Failed { doing: "reading all", source })?;
        Ok(page)
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StateError> {
        self.transact(|write| {
            let mut items = write.open_table(ITEMS)?;
            keys.iter().try_for_each(|key| Ok(items.remove((key.partition.as_str(), key.sort.as_str())).map(drop)?))
        })
        .map_err(|source| StateError::Failed { doing: "removing", source })
    }
}

fn insert(write: &WriteTransaction, item: &Item) -> Result<(), BoxError> {
    let place = (item.key.partition.as_str(), item.key.sort.as_str());
    let value = (item.revision + 1, item.expires.as_second(), item.value.as_str());
    write.open_table(ITEMS)?.insert(place, value)?;
    Ok(())
}

fn item(key: (&str, &str), value: (u64, i64, &str)) -> Result<Item, BoxError> {
    Ok(Item {
        key: Key { partition: key.0.to_owned(), sort: key.1.to_owned() },
        revision: value.0,
        expires: Timestamp::from_second(value.1)?,
        value: value.2.to_owned(),
    })
}
