//! What was held back under a dedup key, so that the next alert can say how much.
//!
//! Sets of findings, as small items beside the key's ledger: each delivery adds what it held back, named after what it is, so that
//! its redelivery adds nothing. An alert that was published marks those that it spoke of. Were they kept in the ledger, a rule that
//! always matches would have it written anew, and ever larger, with each file.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::finding::{DedupKey, Finding, FindingUid, GroupKey};

use super::decision::Repetition;
use super::item::{Item, Key, Listed, REDELIVERY, Stretch, UnreadableItem, later, sortable};
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
    /// There are more of them than were read.
    has_more: bool,
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
        let mut held: Vec<(Timestamp, FindingUid)> =
            findings.iter().map(|finding| (finding.time(), finding.uid)).collect();
        held.sort_unstable();
        held.dedup();
        for held in held.chunks(MAX_UIDS) {
            let (since, _) = held[0]; // OK because chunks are not empty
            let uids = held.iter().map(|(_, uid)| *uid).collect();
            let note = HeldNote { rule: rule.id.clone(), held: Uids(uids), told: false };
            items.push(Item::new(note.key(key, since), 0, expires(now, rule.window), &note));
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
    /// By time: where more is there than one reads, it is the latest that counts.
    fn key(&self, key: DedupKey, since: Timestamp) -> Key {
        let names: Vec<String> = self.held.0.iter().map(ToString::to_string).collect();
        let name = GroupKey::of_texts(names.iter().map(String::as_str));
        Key {
            partition: key_of(key).partition,
            sort: format!("H#{}#{:032x}", sortable(since.as_second()), name.to_u128()),
        }
    }
}

impl HeldBack {
    /// Takes what was read. What can't be understood counts as nothing, and is among `unreadable` then.
    #[must_use]
    pub fn read(listed: &Listed, unreadable: &mut Vec<UnreadableItem>) -> Self {
        let mut notes: Vec<(&Item, HeldNote)> = Vec::new();
        for item in &listed.items {
            match item.read() {
                Ok(note) => notes.push((item, note)),
                Err(error) => unreadable.push(error),
            }
        }
        let of = |told: bool| {
            let notes = notes.iter().filter(move |(_, note)| note.told == told);
            notes.flat_map(|(_, note)| note.held.0.iter().copied()).collect::<HashSet<FindingUid>>()
        };
        let count = of(false).difference(&of(true)).count() as u64;
        // Earlier ones than one that was told were told with it.
        let has_more = listed.is_cut && notes.iter().all(|(_, note)| !note.told);
        let untold = notes.iter().filter(|(_, note)| !note.told);
        let marks = untold.map(|(item, note)| {
            let note = HeldNote { rule: note.rule.clone(), held: note.held.clone(), told: true };
            Item::new(item.key.clone(), item.revision, item.expires, &note)
        });
        Self { count, has_more, marks: marks.collect() }
    }

    /// What an alert says of it.
    #[must_use]
    pub fn repetition(&self) -> Repetition {
        if self.has_more { Repetition::HeldSinceMoreThan(self.count) } else { Repetition::HeldSince(self.count) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::EventIdentity;

    fn note(second: i64, events: &[&str], told: bool) -> Item {
        let uid = |event: &&str| {
            let identity = EventIdentity { account: "111122223333".into(), event_id: (*event).into() };
            FindingUid::of_match("rule", &identity)
        };
        let note = HeldNote { rule: "rule".into(), held: Uids(events.iter().map(uid).collect()), told };
        let since = Timestamp::from_second(second).unwrap();
        Item::new(note.key(DedupKey::new("rule", &[]), since), 1, Timestamp::MAX, &note)
    }

    fn read(items: Vec<Item>, is_cut: bool) -> (Repetition, usize, usize) {
        let mut unreadable = Vec::new();
        let held = HeldBack::read(&Listed { items, is_cut }, &mut unreadable);
        (held.repetition(), held.marks().len(), unreadable.len())
    }

    #[test]
    fn each_finding_counts_once_and_until_it_is_told() {
        let notes = vec![note(1, &["a"], true), note(2, &["a", "b"], false), note(3, &["b", "c"], false)];
        assert_eq!(read(notes.clone(), false), (Repetition::HeldSince(2), 2, 0));
        assert_eq!(read(notes.clone(), true), (Repetition::HeldSince(2), 2, 0), "what came before was told");
        assert_eq!(read(notes[1..].to_vec(), true), (Repetition::HeldSinceMoreThan(3), 2, 0));
    }

    #[test]
    fn what_cannot_be_understood_hides_nothing_else() {
        let broken = Item { value: "{".into(), ..note(3, &["c"], false) };
        assert_eq!(read(vec![note(1, &["a"], false), broken], false), (Repetition::HeldSince(1), 1, 1));
    }

    #[test]
    fn the_latest_come_last() {
        assert!(note(99, &["a"], false).key.sort < note(100, &["a"], false).key.sort);
    }
}
