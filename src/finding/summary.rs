//! What a rule's limits held back, told in one alert.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::trail::{EventIdentity, Outcome};

use super::FindingUid;

/// What quiet hours and caps have held back of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Findings that came in quiet hours.
    pub quiet: u64,
    /// Findings that came when enough of the rule had been told.
    pub capped: u64,
    /// How many more like these had been held back as repetitions.
    pub repeated: u64,
    /// When the earliest happened.
    pub since: Timestamp,
    /// When the latest did.
    pub until: Timestamp,
    /// Who did it; a caller that no record names is left out.
    pub callers: Tally,
    /// In which accounts.
    pub accounts: Tally,
    /// In which Regions.
    pub regions: Tally,
    /// Some of them, by time.
    pub events: Vec<HeldFinding>,
    /// All of them, by time.
    pub findings: Vec<FindingUid>,
    /// There is more, which another summary tells.
    pub has_more: bool,
}

/// What occurs how often.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// The most frequent first.
    pub most: Vec<Tallied>,
    /// How many others there are.
    pub others: usize,
}

/// How often something occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tallied {
    /// What.
    pub value: String,
    /// The organisation's name for it, of an account.
    pub name: Option<String>,
    /// Who looks after it, of an account.
    pub owner: Option<String>,
    /// How often.
    pub count: u64,
}

/// A finding that was held back, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of CloudTrail")]
pub struct HeldFinding {
    pub uid: FindingUid,
    pub identity: EventIdentity,
    pub time: Timestamp,
    /// Its title, where that is not the rule's.
    pub title: Option<String>,
    pub region: String,
    pub source: String,
    pub name: String,
    pub outcome: Outcome,
    pub principal: Option<String>,
    pub source_ip: Option<String>,
    /// The first, if there are several.
    pub resource: Option<String>,
}

impl Tally {
    /// Values that are told by name.
    const MOST: usize = 20;

    /// Counts values; empty ones are none.
    #[must_use]
    pub fn of<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for value in values.into_iter().filter(|value| !value.is_empty()) {
            *counts.entry(value).or_default() += 1;
        }
        let tallied = |(value, count): (&str, u64)| Tallied { value: value.to_owned(), name: None, owner: None, count };
        let mut most: Vec<Tallied> = counts.into_iter().map(tallied).collect();
        most.sort_by(|a, b| (b.count, &a.value).cmp(&(a.count, &b.value)));
        let others = most.len().saturating_sub(Self::MOST);
        most.truncate(Self::MOST);
        Self { most, others }
    }

    /// How many different values there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.most.len() + self.others
    }

    /// The one value, if there is no other.
    #[must_use]
    pub fn only(&self) -> Option<&Tallied> {
        if let [only] = self.most.as_slice() { Some(only) } else { None }
    }
}

impl Summary {
    /// How many findings it tells of.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.quiet + self.capped
    }
}
