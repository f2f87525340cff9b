//! What was held back under a dedup key, so that the next alert can say how much.
//!
//! Sets of findings, as small items beside the key's ledger: each delivery adds what it held back, named after what it is, so that
//! its redelivery adds nothing. An alert that was published marks those that it spoke of. Were they kept in the ledger, a rule that
//! always matches would have it written anew, and ever larger, with each file.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::finding::{DedupKey, Finding, FindingUid, GroupKey};

use super::item::{Item, Key, Listed, REDELIVERY, Stretch, UnreadableItem, later};
use super::ledger::key_of;
use super::uids::Uids;

/// Findings in one item.
const MAX_UIDS: usize = 5_000;

/// What one delivery held back.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HeldNote {
    rule: String,
    held: Uids,
    /// An alert has said so.
    told: bool,
}

/// What is known to be held back under a key.
#[derive(Debug, Default)]
pub struct HeldBack {
    /// Findings that no alert has spoken of.
    count: u64,
    /// The items to write once one has.
    marks: Vec<Item>,
}

/// Items to write where there are none yet, for findings that were held back as repetitions.
#[must_use]
pub fn hold<'f>(findings: impl IntoIterator<Item = &'f Finding>, now: Timestamp) -> Vec<Item> {
    let mut by_key: BTreeMap<DedupKey, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by_key.entry(finding.dedup_key).or_default().push(finding);
    }
    let mut items = Vec::new();
    for (key, findings) in by_key {
        let Some(rule) = findings.first().map(|finding| &finding.rule) else { continue };
        let mut uids: Vec<FindingUid> = findings.iter().map(|finding| finding.uid).collect();
        uids.sort_unstable();
        uids.dedup();
        for uids in uids.chunks(MAX_UIDS) {
            let note = HeldNote { rule: rule.id.clone(), held: Uids(uids.to_vec()), told: false };
            items.push(Item::new(note.key(key), 0, expires(now, rule.window), &note));
        }
    }
    items
}

/// Where to look for what was held back under a key.
#[must_use]
pub fn held_under(key: DedupKey) -> Stretch {
    Stretch { partition: key_of(key).partition, from: "H#".to_owned(), to: "H#~".to_owned() }
}

impl HeldNote {
    fn key(&self, key: DedupKey) -> Key {
        let names: Vec<String> = self.held.0.iter().map(ToString::to_string).collect();
        let name = GroupKey::of_texts(names.iter().map(String::as_str));
        Key { partition: key_of(key).partition, sort: format!("H#{:032x}", name.to_u128()) }
    }
}

impl HeldBack {
    /// Takes what was read. Notes beyond what is read at once are neither counted nor marked.
    ///
    /// # Errors
    /// When an item can't be understood.
    pub fn read(listed: &Listed) -> Result<Self, UnreadableItem> {
        let mut notes = Vec::new();
        for item in &listed.items {
            notes.push((item, item.read::<HeldNote>()?));
        }
        let of = |told: bool| {
            let notes = notes.iter().filter(move |(_, note)| note.told == told);
            notes.flat_map(|(_, note)| note.held.0.iter().copied()).collect::<HashSet<FindingUid>>()
        };
        let count = of(false).difference(&of(true)).count() as u64;
        let untold = notes.iter().filter(|(_, note)| !note.told);
        let marks = untold.map(|(item, note)| {
            let note = HeldNote { rule: note.rule.clone(), held: note.held.clone(), told: true };
            Item::new(item.key.clone(), item.revision, item.expires, &note)
        });
        Ok(Self { count, marks: marks.collect() })
    }

    /// Findings that no alert has spoken of.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What to write once an alert has said so.
    #[must_use]
    pub fn marks(&self) -> &[Item] {
        &self.marks
    }
}

fn expires(now: Timestamp, window: SignedDuration) -> Timestamp {
    later(later(now, window), REDELIVERY)
}
