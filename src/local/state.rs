//! The memory in an embedded database: one file, or nothing but memory.

use std::path::Path;

use jiff::Timestamp;
use redb::backends::InMemoryBackend;
use redb::{Database, DatabaseError, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use crate::alerting::{FirstSighting, Mark, Memory, PastAlert, PastAlerts, Remembered, Seen, Sightings};
use crate::finding::{DedupKey, FindingUid};
use crate::ports::{BoxError, StateError, StateStore};

/// Rule, entity and value → [`Remembered`] as JSON.
const SIGHTINGS: TableDefinition<'_, u128, &str> = TableDefinition::new("sightings");
/// Rule and entity → the second of its oldest known event.
const ENTITIES: TableDefinition<'_, u128, i64> = TableDefinition::new("entities");
/// Dedup key and event time in nanoseconds → [`Told`] as JSON.
const PUBLISHED: TableDefinition<'_, (u128, i128), &str> = TableDefinition::new("published");
/// Dedup key and finding → whether an alert has told that it was held back. Kept after that, so that a redelivery doesn't
/// count it again.
const HELD: TableDefinition<'_, (u128, u128), bool> = TableDefinition::new("held");

/// A memory for one process.
#[derive(Debug)]
pub struct State {
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

#[derive(Serialize, Deserialize)]
struct Told {
    time: Timestamp,
    uids: Vec<u128>,
}

impl State {
    /// Forgets everything when it is dropped.
    ///
    /// # Errors
    /// Never in practice: there is no file that could fail.
    pub fn in_memory() -> Result<Self, OpenError> {
        let database = Database::builder().create_with_backend(InMemoryBackend::new());
        Self::new(database.map_err(|error| OpenError::Other(error.to_string()))?)
    }

    /// Opens the memory in a file, which is made if it isn't there.
    ///
    /// # Errors
    /// When another process has it open, or it can't be read or is no such file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::new(Database::create(path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => OpenError::InUse,
            error => OpenError::Other(error.to_string()),
        })?)
    }

    fn new(database: Database) -> Result<Self, OpenError> {
        let state = Self { database };
        // Tables have to be there before they can be read.
        let tables = state.transact(|write| {
            write.open_table(SIGHTINGS)?;
            write.open_table(ENTITIES)?;
            write.open_table(PUBLISHED)?;
            write.open_table(HELD)?;
            Ok(())
        });
        tables.map_err(|error| OpenError::Other(error.to_string()))?;
        Ok(state)
    }

    /// All or nothing: a crash in the middle leaves what was there before.
    fn transact<T>(&self, run: impl FnOnce(&WriteTransaction) -> Result<T, BoxError>) -> Result<T, BoxError> {
        let write = self.database.begin_write()?;
        let value = run(&write)?;
        write.commit()?;
        Ok(value)
    }
}

impl StateStore for State {
    async fn record(&self, sightings: &Sightings) -> Result<Memory, StateError> {
        self.transact(|write| {
            let first = sightings.first.iter().map(|sighting| see(write, sighting)).collect::<Result<_, _>>()?;
            let mut memory = Memory { first, ..Memory::default() };
            for &key in &sightings.alerts {
                let past = past_alerts(write, key)?;
                if past != PastAlerts::default() {
                    memory.alerts.insert(key, past);
                }
            }
            Ok(memory)
        })
        .map_err(|source| StateError { doing: "recording sightings", source })
    }

    async fn mark(&self, marks: &[Mark]) -> Result<(), StateError> {
        self.transact(|write| marks.iter().try_for_each(|mark| write_down(write, mark)))
            .map_err(|source| StateError { doing: "marking what was published", source })
    }
}

fn see(write: &WriteTransaction, sighting: &FirstSighting) -> Result<Seen, BoxError> {
    let mut entities = write.open_table(ENTITIES)?;
    let known_since = entities.get(sighting.entity.0)?.map(|second| second.value());
    let since = known_since.map_or(sighting.time.as_second(), |known| known.min(sighting.time.as_second()));
    entities.insert(sighting.entity.0, since)?;

    let mut pairs = write.open_table(SIGHTINGS)?;
    let pair = sighting.pair.to_u128();
    let known: Option<Remembered> = pairs.get(pair)?.map(|json| serde_json::from_str(json.value())).transpose()?;
    let (remembered, seen) = Remembered::see(known, sighting, Timestamp::from_second(since)?);
    pairs.insert(pair, serde_json::to_string(&remembered)?.as_str())?;
    Ok(seen)
}

fn past_alerts(write: &WriteTransaction, key: DedupKey) -> Result<PastAlerts, BoxError> {
    let key = key.to_u128();
    let mut published = Vec::new();
    for entry in write.open_table(PUBLISHED)?.range((key, i128::MIN)..=(key, i128::MAX))? {
        let told: Told = serde_json::from_str(entry?.1.value())?;
        published.push(PastAlert { time: told.time, told: told.uids.into_iter().map(FindingUid::from_u128).collect() });
    }
    let mut held = 0;
    for entry in write.open_table(HELD)?.range((key, 0)..=(key, u128::MAX))? {
        held += u64::from(!entry?.1.value());
    }
    Ok(PastAlerts { published, held })
}

fn write_down(write: &WriteTransaction, mark: &Mark) -> Result<(), BoxError> {
    match mark {
        Mark::Published { key, alert } => {
            let told = Told { time: alert.time, uids: alert.told.iter().map(|uid| uid.to_u128()).collect() };
            let place = (key.to_u128(), alert.time.as_nanosecond());
            write.open_table(PUBLISHED)?.insert(place, serde_json::to_string(&told)?.as_str())?;
            tell_held(write, key.to_u128())?;
        }
        Mark::Held { key, uid } => {
            let mut held = write.open_table(HELD)?;
            let place = (key.to_u128(), uid.to_u128());
            if held.get(place)?.is_none() {
                held.insert(place, false)?;
            }
        }
    }
    Ok(())
}

/// The alert that was just published has told how many were held.
fn tell_held(write: &WriteTransaction, key: u128) -> Result<(), BoxError> {
    let mut held = write.open_table(HELD)?;
    let untold = held
        .range((key, 0)..=(key, u128::MAX))?
        .map(|entry| Ok(entry?.0.value()))
        .collect::<Result<Vec<_>, BoxError>>()?;
    for place in untold {
        held.insert(place, true)?;
    }
    Ok(())
}
