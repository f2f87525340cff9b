//! Names that come out the same on any machine and in any order.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::engine::Sighted;
use crate::trail::EventIdentity;

/// A finding's identity: 128 bits of SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FindingUid(u128);

/// What findings have in common that are one alert: 128 bits of SHA-256 over rule and dedup values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DedupKey(u128);

/// Names a group of a correlation, or a set of its events: 128 bits of SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupKey(u128);

impl GroupKey {
    /// Names what these texts name together.
    #[must_use]
    pub fn of_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self(hash("group", texts))
    }

    /// For stores.
    #[must_use]
    pub fn to_u128(self) -> u128 {
        self.0
    }
}

impl FindingUid {
    /// A match of a rule is named after the event, never after the file it stands in.
    #[must_use]
    pub fn of_match(rule_id: &str, event: &EventIdentity) -> Self {
        Self(hash("match", [rule_id, &event.account, &event.event_id]))
    }

    /// A first sighting is named after what was seen.
    #[must_use]
    pub fn of_sighting(rule_id: &str, sighted: &Sighted) -> Self {
        let entity_length = sighted.entity.len().to_string();
        let parts = [rule_id, &entity_length]
            .into_iter()
            .chain(sighted.entity.iter().chain(&sighted.value).map(String::as_str));
        Self(hash("sighting", parts))
    }

    /// An episode is named after its group and its start.
    #[must_use]
    pub fn of_episode(rule_id: &str, group: &[String], start: Timestamp) -> Self {
        let start = start.to_string();
        Self(hash("episode", [rule_id, &start].into_iter().chain(group.iter().map(String::as_str))))
    }

    /// Findings that are put by are named together, with the accounts and ids of the events that they cite: a value that is
    /// news again has the name that it had.
    #[must_use]
    pub fn of_kept<'t>(rule_id: &'t str, findings: impl Iterator<Item = (Self, &'t str, &'t str)>) -> Self {
        let findings = findings.map(|(uid, account, event)| fingerprint(&uid.to_string(), [account, event]));
        let findings: Vec<String> = findings.collect();
        Self(hash("kept", [rule_id].into_iter().chain(findings.iter().map(String::as_str))))
    }

    /// A summary is named after what it tells of.
    #[must_use]
    pub fn of_summary(rule_id: &str, findings: &[Self]) -> Self {
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        Self(hash("summary", [rule_id].into_iter().chain(findings.iter().map(String::as_str))))
    }

    /// For stores.
    #[must_use]
    pub fn to_u128(self) -> u128 {
        self.0
    }

    /// From a store.
    #[must_use]
    pub fn from_u128(uid: u128) -> Self {
        Self(uid)
    }
}

impl DedupKey {
    /// Names a rule's findings by the values of its dedup fields.
    #[must_use]
    pub fn new(rule_id: &str, values: &[String]) -> Self {
        Self(hash("dedup", [rule_id].into_iter().chain(values.iter().map(String::as_str))))
    }

    /// Names the summaries of a rule: no values are hashed like this.
    #[must_use]
    pub fn of_summaries(rule_id: &str) -> Self {
        Self(hash("summaries", [rule_id]))
    }

    /// For stores.
    #[must_use]
    pub fn to_u128(self) -> u128 {
        self.0
    }
}

/// Names what these texts name together: 32 hexadecimal digits.
#[must_use]
pub fn fingerprint<'t>(kind: &'t str, parts: impl IntoIterator<Item = &'t str>) -> String {
    format!("{:032x}", hash(kind, parts))
}

/// Lengths go in with the texts, so that no two lists run into the same bytes.
fn hash<'t>(kind: &'t str, parts: impl IntoIterator<Item = &'t str>) -> u128 {
    let mut hasher = Sha256::new();
    for part in std::iter::once(kind).chain(parts) {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hasher.finalize()[..16]);
    u128::from_be_bytes(first)
}

impl fmt::Display for FindingUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for FindingUid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FindingUid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(de::Error::custom)
    }
}

impl fmt::Debug for FindingUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for DedupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for DedupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_the_same_for_ever() {
        let event = EventIdentity { account: "111122223333".into(), event_id: "e".into() };
        // Stored by others: changing it would tell every finding a second time.
        assert_eq!(FindingUid::of_match("r", &event).to_string(), "e14f2206b5983ca054132bc5b8de327c");
    }

    #[test]
    fn where_one_text_ends_and_the_next_begins_counts() {
        let sighted = |entity: &[&str], value: &[&str]| Sighted {
            entity: entity.iter().map(|&text| text.to_owned()).collect(),
            value: value.iter().map(|&text| text.to_owned()).collect(),
        };
        let uids = [
            sighted(&["a", "b"], &["c"]),
            sighted(&["a"], &["b", "c"]),
            sighted(&["ab"], &["c"]),
            sighted(&["a"], &["bc"]),
        ]
        .map(|sighted| FindingUid::of_sighting("r", &sighted));
        assert_eq!(uids.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    }
}
