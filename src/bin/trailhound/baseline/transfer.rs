//! A memory as text, an item a line: out of a place, and into another.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use trailhound::alerting::{self, Item, Key, MAX_ITEM_BYTES};
use trailhound::notify;
use trailhound::ports::{BoxError, StateStore};

use super::tally::Tally;
use super::{BATCH, failed, is_standard};
use crate::note;

/// Lines that can't be understood are named up to here: a wrong file has a million of them.
const MAX_NAMED: u64 = 20;
const MAX_WHY: usize = 300;

/// A line. Revisions are a store's own, and stay there.
#[derive(Serialize, Deserialize)]
struct Line<V> {
    key: Key,
    /// To the second.
    expires: Timestamp,
    value: V,
}

/// Writes everything that is remembered; gives whether that was possible.
///
/// # Errors
/// When the memory or the file fails.
pub(super) async fn dump(state: &impl StateStore, to: &Path, now: Timestamp) -> Result<bool, BoxError> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", to.display()));
    let out: Box<dyn Write> =
        if is_standard(to) { Box::new(io::stdout()) } else { Box::new(File::create(to).map_err(named)?) };
    let mut out = BufWriter::new(out);
    let (mut dumped, mut broken) = (Tally::default(), 0_u64);
    let mut after = None;
    loop {
        let page = state.page(after.as_ref(), now).await.map_err(failed)?;
        for Item { key, expires, value, .. } in page.items {
            let Ok(document) = serde_json::from_str::<&RawValue>(&value) else {
                broken += 1;
                note(&format!("the item {key} is left out: its document is no JSON"));
                continue;
            };
            dumped.add(&key);
            serde_json::to_writer(&mut out, &Line { key, expires, value: document })
                .map_err(|error| named(error.into()))?;
            out.write_all(b"\n").map_err(named)?;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    out.flush().map_err(named)?;
    note(&format!("dumped: {dumped}"));
    Ok(broken == 0)
}

/// Takes over what a dump holds, but for what is known already; gives whether every line could be understood.
///
/// # Errors
/// When the file can't be read or the memory fails. What was written by then stands, and loading again goes on from there.
pub(super) async fn load(state: &impl StateStore, from: &Path, now: Timestamp) -> Result<bool, BoxError> {
    let named = |error: io::Error| format!("{}: {error}", from.display());
    let lines: Box<dyn BufRead> = if is_standard(from) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(from).map_err(named)?))
    };
    let mut loading = Loading { name: from.display().to_string(), ..Loading::default() };
    for (number, line) in (1_u64..).zip(lines.split(b'\n')) {
        let line = line.map_err(named)?;
        if !line.trim_ascii().is_empty() {
            loading.take(number, &line, now);
        }
        if loading.batch.len() == BATCH {
            loading.write(state, now).await?;
        }
    }
    loading.write(state, now).await?;
    note(&loading.summary());
    Ok(loading.bad == 0)
}

#[derive(Default)]
struct Loading {
    /// Where from.
    name: String,
    batch: BTreeMap<Key, Item>,
    new: Tally,
    known: u64,
    expired: u64,
    bad: u64,
}

impl Loading {
    fn take(&mut self, number: u64, line: &[u8], now: Timestamp) {
        match item(line) {
            Ok(item) if !item.is_alive(now) => self.expired += 1,
            // The first one stands, as it does over several batches.
            Ok(item) if self.batch.contains_key(&item.key) => self.known += 1,
            Ok(item) => drop(self.batch.insert(item.key.clone(), item)),
            Err(why) => {
                self.bad += 1;
                if self.bad <= MAX_NAMED {
                    note(&format!("{}:{number}: {}", self.name, notify::line(&why, MAX_WHY)));
                }
            }
        }
    }

    async fn write(&mut self, state: &impl StateStore, now: Timestamp) -> Result<(), BoxError> {
        let items: Vec<Item> = std::mem::take(&mut self.batch).into_values().collect();
        if items.is_empty() {
            return Ok(());
        }
        for (item, is_new) in items.iter().zip(state.swap(&items, now).await.map_err(failed)?) {
            if is_new {
                self.new.add(&item.key);
            } else {
                self.known += 1;
            }
        }
        Ok(())
    }

    fn summary(&self) -> String {
        let Self { new, known, expired, bad, .. } = self;
        format!(
            "loaded: {new}; {known} lines were known already, {expired} past their time, {bad} can't be understood and were left out"
        )
    }
}

/// Checked as those will read it who need it: one that they can't understand would stop them.
fn item(line: &[u8]) -> Result<Item, String> {
    let line: Line<Box<RawValue>> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let item = Item { key: line.key, revision: 0, expires: line.expires, value: line.value.get().to_owned() };
    if item.bytes() > MAX_ITEM_BYTES {
        return Err(format!("{} bytes are too large for an item; {MAX_ITEM_BYTES} is the most", item.bytes()));
    }
    alerting::check(&item).map_err(|error| error.why)?;
    Ok(item)
}
