//! What a memory is made of: small documents by key, each of which is forgotten at its time.

use std::collections::HashMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

/// No item is larger: what `DynamoDB` takes (400 KB), less its key and other attributes.
pub const MAX_ITEM_BYTES: usize = 390_000;

/// Stretches that are read at a time: a function has little memory, and each of them may be megabytes.
pub const LISTED_AT_ONCE: usize = 8;

/// How long after the longest way of a message something is remembered for its sake: an SQS queue and a dead-letter queue keep
/// one for 14 days.
pub(super) const REDELIVERY: SignedDuration = SignedDuration::from_hours(15 * 24);

/// What kind of thing an item remembers. The letter that its keys begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// That an entity showed a value.
    Pair,
    /// Since when an entity is known.
    Entity,
    /// What was published under a dedup key, and held back since.
    Alerts,
    /// What a correlation counts of a group, in one stretch of time.
    Pattern,
    /// How far the check of a digest file has come.
    Audit,
    /// That a channel was told of an alert.
    Delivered,
    /// In which thread of a channel alerts of a kind stand.
    Thread,
    /// Alerts that were put by for a summary, and who is telling one.
    Kept,
    /// Which alerts a rule has told in a stretch of time.
    Rate,
}

/// Names an item. Items of one partition can be listed by their `sort`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// A letter for the kind of thing, and a hash of what it is.
    pub partition: String,
    /// `-` where the partition holds one item only.
    pub sort: String,
}

/// Something that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub key: Key,
    /// Which writing this is, counted from 1: who writes tells which one it has read. 0: none is there yet.
    pub revision: u64,
    /// When it is forgotten, by the clock; to the second.
    pub expires: Timestamp,
    /// A JSON document.
    pub value: String,
}

/// A part of a partition, by `sort`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stretch {
    /// The partition.
    pub partition: String,
    /// The lowest `sort` that belongs to it.
    pub from: String,
    /// The highest.
    pub to: String,
}

/// What a stretch holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// By `sort`, ascending.
    pub items: Vec<Item>,
    /// There is more, below the lowest of these, than one wants to read.
    pub is_cut: bool,
}

/// An item that can't be understood: written by another version, or damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the item {key} can't be understood ({why}): what it held is lost")]
pub struct UnreadableItem {
    /// Which one.
    pub key: Key,
    /// What is wrong.
    pub why: String,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Pair,
        Self::Entity,
        Self::Alerts,
        Self::Pattern,
        Self::Audit,
        Self::Delivered,
        Self::Thread,
        Self::Kept,
        Self::Rate,
    ];

    fn letter(self) -> char {
        match self {
            Self::Pair => 'S',
            Self::Entity => 'E',
            Self::Alerts => 'A',
            Self::Pattern => 'C',
            Self::Audit => 'D',
            Self::Delivered => 'N',
            Self::Thread => 'T',
            Self::Kept => 'Q',
            Self::Rate => 'R',
        }
    }

    /// Many of them, in words.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Pair => "first sightings",
            Self::Entity => "entities",
            Self::Alerts => "alert histories",
            Self::Pattern => "parts of correlations",
            Self::Audit => "checks of digest files",
            Self::Delivered => "alerts that channels were told",
            Self::Thread => "threads of channels",
            Self::Kept => "alerts put by",
            Self::Rate => "rate caps",
        }
    }
}

impl Key {
    /// The sort key of what stands alone in its partition.
    pub(super) const ONLY: &str = "-";

    /// The one item of a partition.
    pub(super) fn single(kind: Kind, name: u128) -> Self {
        Self { partition: Self::partition(kind, name), sort: Self::ONLY.to_owned() }
    }

    pub(super) fn partition(kind: Kind, name: u128) -> String {
        format!("{}#{name:032x}", kind.letter())
    }

    /// What kind of thing it names, if it is one of ours.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        let (letter, _) = self.partition.split_once('#')?;
        Kind::ALL.into_iter().find(|kind| letter.len() == 1 && letter.starts_with(kind.letter()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.partition, self.sort)
    }
}

impl Item {
    /// A first writing, or the next after `revision`.
    pub(super) fn new(key: Key, revision: u64, expires: Timestamp, document: &impl Serialize) -> Self {
        // OK because our documents hold nothing but texts, numbers and lists of them.
        let value = serde_json::to_string(document).unwrap_or_default();
        Self { key, revision, expires: whole_seconds(expires), value }
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, UnreadableItem> {
        serde_json::from_str(&self.value).map_err(|error| {
            // The error's own text may repeat what a record says.
            let (line, column) = (error.line(), error.column());
            let why = match error.classify() {
                Category::Data => format!("not what is expected at line {line} column {column}"),
                _ => format!("no JSON at line {line} column {column}"),
            };
            UnreadableItem { key: self.key.clone(), why }
        })
    }

    /// What it takes of [`MAX_ITEM_BYTES`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.key.partition.len() + self.key.sort.len() + self.value.len()
    }

    /// Whether it is there still.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.expires > now
    }

    /// The text of the member `rule`, which each of our documents has.
    #[must_use]
    pub fn rule(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct OfRule {
            rule: String,
        }
        self.read::<OfRule>().ok().map(|document| document.rule)
    }
}

/// Items by key.
pub type Items = HashMap<Key, Item>;

/// As text in the order of the numbers, negative ones first.
pub(super) fn sortable(number: i64) -> String {
    format!("{:016x}", number.cast_unsigned() ^ (1 << 63))
}

/// The next whole second: stores keep no more.
fn whole_seconds(time: Timestamp) -> Timestamp {
    let second = time.as_second() + i64::from(time.subsec_nanosecond() > 0);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// When something that happened at `time` is forgotten: so long after it, or after now, for old files are read anew. A time beyond
/// tomorrow counts as tomorrow, or one wrong record would stay for ever.
pub(super) fn expiry(time: Timestamp, now: Timestamp, kept: SignedDuration) -> Timestamp {
    let tomorrow = later(now, SignedDuration::from_hours(24));
    later(time.max(now).min(tomorrow), kept)
}

/// `from` and so much; the last moment there is when that is beyond it.
pub(super) fn later(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The same in the other direction.
pub(super) fn earlier(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.checked_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_it_names() {
        let key = Key::single(Kind::Entity, 0xab);
        assert_eq!(key.to_string(), "E#000000000000000000000000000000ab/-");
        assert_eq!(key.kind(), Some(Kind::Entity));
        assert_eq!(Key { partition: "E".into(), sort: "-".into() }.kind(), None);
        assert_eq!(Key { partition: "Events#1".into(), sort: "-".into() }.kind(), None);
    }

    #[test]
    fn numbers_sort_as_texts() {
        let sorted = [i64::MIN, -2, -1, 0, 1, 255, 256, i64::MAX].map(sortable);
        assert!(sorted.is_sorted(), "{sorted:?}");
    }

    #[test]
    fn nothing_is_forgotten_before_its_time() {
        let time: Timestamp = "2026-11-05T10:00:00.5Z".parse().unwrap();
        assert_eq!(whole_seconds(time).to_string(), "2026-11-05T10:00:01Z");
        assert_eq!(whole_seconds(Timestamp::MAX), Timestamp::MAX);
        assert_eq!(later(Timestamp::MAX, SignedDuration::from_secs(1)), Timestamp::MAX);
    }
}
