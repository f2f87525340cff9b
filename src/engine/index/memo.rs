//! What values led to, so that a value that comes again is looked up once.

use std::hash::BuildHasher as _;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::RuleIndex;

/// Values that are kept.
const MAX_VALUES: usize = 2048;
/// Bytes of values, and rules that they led to, that are kept. Beyond either everything is forgotten: a log can hold more values than
/// memory.
const MAX_BYTES: usize = 128 * 1024;
const MAX_RULES: usize = 16 * 1024;
const MAX_VALUE_BYTES: usize = 512;

/// Values of one place and the rules that they led to. Its memory is taken once, and bounded.
#[derive(Debug, Default)]
pub(super) struct Memo {
    hasher: DefaultHashBuilder,
    entries: HashTable<Entry>,
    text: String,
    rules: Vec<RuleIndex>,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    text: Range<usize>,
    rules: Range<usize>,
}

impl Memo {
    pub(super) fn get(&self, value: &str) -> Option<&[RuleIndex]> {
        let entry = self.entries.find(self.hasher.hash_one(value), |entry| &self.text[entry.text.clone()] == value)?;
        Some(&self.rules[entry.rules.clone()])
    }

    /// Keeps a value that is not kept yet.
    pub(super) fn insert(&mut self, value: &str, rules: &[RuleIndex]) {
        if value.len() > MAX_VALUE_BYTES || rules.len() > MAX_RULES {
            return;
        }
        let full = self.entries.len() >= MAX_VALUES
            || self.text.len() + value.len() > MAX_BYTES
            || self.rules.len() + rules.len() > MAX_RULES;
        if full || self.text.capacity() == 0 {
            self.clear();
        }
        let hash = self.hasher.hash_one(value);
        let (text, from) = (self.text.len(), self.rules.len());
        self.text.push_str(value);
        self.rules.extend_from_slice(rules);
        let entry = Entry { hash, text: text..self.text.len(), rules: from..self.rules.len() };
        self.entries.insert_unique(hash, entry, |entry| entry.hash);
    }

    /// Forgets everything; the first time it takes its memory.
    fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.rules.clear();
        self.entries.reserve(MAX_VALUES, |entry| entry.hash);
        self.text.reserve(MAX_BYTES);
        self.rules.reserve(MAX_RULES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_found_and_memory_is_bounded() {
        let mut memo = Memo::default();
        for number in 0..3 * u32::try_from(MAX_VALUES).unwrap() {
            let value = format!("value {number}");
            assert_eq!(memo.get(&value), None);
            memo.insert(&value, &[number]);
            assert_eq!(memo.get(&value), Some([number].as_slice()));
            assert!(memo.entries.len() <= MAX_VALUES && memo.text.len() <= MAX_BYTES);
        }
        memo.insert(&"x".repeat(MAX_VALUE_BYTES + 1), &[1]);
        assert_eq!(memo.get(&"x".repeat(MAX_VALUE_BYTES + 1)), None);
    }
}
