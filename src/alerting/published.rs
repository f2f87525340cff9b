//! What this process has told people, for when the memory can't be asked.

use std::num::NonZeroUsize;

use jiff::Timestamp;
use lru::LruCache;

use crate::finding::{DedupKey, Finding};

use super::decision::{Alert, Hold};
use super::ledger::Ledger;

/// Dedup keys that a process keeps in mind, and of each so many alerts and findings by name: a few megabytes, 30 at most.
const MAX_KEYS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999);
const MAX_ALERTS: usize = 100;
const MAX_TOLD: usize = 1_000;

/// What this process has published. Its messages come again for as long as the memory is away, most of them to the same process.
#[derive(Debug)]
pub struct Published(LruCache<DedupKey, Ledger>);

impl Default for Published {
    fn default() -> Self {
        Self(LruCache::new(MAX_KEYS))
    }
}

impl Published {
    /// Adds an alert that is out.
    pub fn add(&mut self, alert: &Alert, now: Timestamp) {
        let ledger = self.0.get_or_insert_mut(alert.finding.dedup_key, || Ledger::of(&alert.finding));
        ledger.add(alert, now, None);
        ledger.bound(now, alert.finding.rule.window, MAX_ALERTS, MAX_TOLD);
    }

    /// Why nobody is told of a finding, if this process has published an alert that speaks for it.
    pub(super) fn holds(&mut self, finding: &Finding) -> Option<Hold> {
        // What was kept for a summary is not among these, so the time doesn't matter.
        self.0.get(&finding.dedup_key)?.holds(finding, Timestamp::MAX)
    }
}
