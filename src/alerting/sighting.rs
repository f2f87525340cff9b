//! What has to be remembered, and what is remembered.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::Sighted;
use crate::finding::{DedupKey, Finding, FindingUid, Kind};

use super::decision::{Alert, Decision, Hold};

/// What a batch of findings asks of the store.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sightings {
    /// To be recorded in this order, oldest first: who shows a value first is the one that is new.
    pub first: Vec<FirstSighting>,
    /// Alerts that may have been told already.
    pub alerts: BTreeSet<DedupKey>,
}

/// An entity showing a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstSighting {
    /// Names rule, entity and value.
    pub pair: FindingUid,
    /// Names rule and entity.
    pub entity: EntityKey,
    /// The event that showed it: seeing the same event again changes no answer.
    pub event: String,
    /// When.
    pub time: Timestamp,
    /// The latest event that showed the same, inside the same stretch of history.
    pub until: Timestamp,
    /// A value not seen for this long is new again.
    pub history: SignedDuration,
}

/// Names a rule and an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityKey(pub u128);

/// What the store answers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// For each of [`Sightings::first`], in their order.
    pub first: Vec<Seen>,
    /// For each key of [`Sightings::alerts`] that something is known of.
    pub alerts: BTreeMap<DedupKey, PastAlerts>,
}

/// What is known of a sighting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The entity shows the value for the first time.
    pub is_new: bool,
    /// The oldest event of the entity that is known.
    pub entity_since: Timestamp,
}

/// Alerts published under one dedup key, and what was held back since the last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastAlerts {
    /// Oldest first.
    pub published: Vec<PastAlert>,
    /// Findings held back since.
    pub held: u64,
}

/// An alert that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAlert {
    /// The event time of its first finding.
    pub time: Timestamp,
    /// The findings it told of.
    pub told: Vec<FindingUid>,
}

/// What the store is told once the alerts are out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// Only an alert that was published may hold others back.
    Published {
        /// The alert's key.
        key: DedupKey,
        /// The alert.
        alert: PastAlert,
    },
    /// A finding that another alert spoke for. A set, so that a redelivery doesn't count twice.
    Held {
        /// The key of the alert that spoke for it.
        key: DedupKey,
        /// The finding.
        uid: FindingUid,
    },
}

/// What a store keeps of an entity and a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The event that made it known.
    pub event: String,
    /// When it was last seen.
    pub last: Timestamp,
    /// How long the entity had been known then.
    pub entity_since: Timestamp,
}

impl Remembered {
    /// Adds a sighting to what is remembered: what to keep, and what to answer. `entity_since`: the oldest event of the
    /// entity, this one included.
    ///
    /// Deterministic under redelivery: the event that made a value known finds it new again, and its entity as well known as
    /// then. A late event never makes a known value new.
    #[must_use]
    pub fn see(known: Option<Self>, sighting: &FirstSighting, entity_since: Timestamp) -> (Self, Seen) {
        match known {
            Some(known) if known.event == sighting.event => {
                let seen = Seen { is_new: true, entity_since: known.entity_since };
                (known.seen_at(sighting.until), seen)
            }
            Some(known) if sighting.time.duration_since(known.last) <= sighting.history => {
                (known.seen_at(sighting.until), Seen { is_new: false, entity_since })
            }
            _ => {
                let first = Self { event: sighting.event.clone(), last: sighting.until, entity_since };
                (first, Seen { is_new: true, entity_since })
            }
        }
    }

    fn seen_at(self, time: Timestamp) -> Self {
        Self { last: self.last.max(time), ..self }
    }
}

impl EntityKey {
    fn new(rule_id: &str, sighted: &Sighted) -> Self {
        Self(DedupKey::new(rule_id, &sighted.entity).to_u128())
    }
}

/// Sorts findings as [`sightings`] and [`super::decide`] take them: by event time, the same on each run.
pub fn in_order(findings: &mut [Finding]) {
    let place = |finding: &Finding| (finding.event.time, finding.uid);
    findings.sort_by(|a, b| (place(a), &a.event.identity).cmp(&(place(b), &b.event.identity)));
}

/// What these findings ask of the store. They have to be [`in_order`].
#[must_use]
pub fn sightings(findings: &[Finding]) -> Sightings {
    let first = findings.iter().filter_map(|finding| match &finding.kind {
        Kind::Match | Kind::Episode(_) => None,
        Kind::FirstSeen(first) => Some(FirstSighting {
            pair: finding.uid,
            entity: EntityKey::new(&finding.rule.id, &first.sighted),
            event: finding.event.identity.to_string(),
            time: finding.event.time,
            until: first.until,
            history: first.history,
        }),
    });
    Sightings { first: first.collect(), alerts: findings.iter().map(|finding| finding.dedup_key).collect() }
}

/// What to write down of what was decided and published.
#[must_use]
pub fn marks<'d>(published: impl IntoIterator<Item = &'d Alert>, decisions: &[Decision]) -> Vec<Mark> {
    let published = published.into_iter().map(|alert| Mark::Published {
        key: alert.finding.dedup_key,
        alert: PastAlert {
            time: alert.finding.event.time,
            told: alert.findings().map(|finding| finding.uid).collect(),
        },
    });
    let held = decisions.iter().filter_map(|decision| match decision {
        Decision::Hold { finding, why: Hold::Repeated } => {
            Some(Mark::Held { key: finding.dedup_key, uid: finding.uid })
        }
        _ => None,
    });
    published.chain(held).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::EventIdentity;

    fn sighting(event: &str, time: &str) -> FirstSighting {
        let sighted = Sighted { entity: vec!["alice".into()], value: vec!["203.0.113.7".into()] };
        let event = EventIdentity { account: "1".into(), event_id: event.into() };
        FirstSighting {
            pair: FindingUid::of_sighting("r", &sighted),
            entity: EntityKey::new("r", &sighted),
            event: event.to_string(),
            time: format!("2026-11-{time}Z").parse().unwrap(),
            until: format!("2026-11-{time}Z").parse().unwrap(),
            history: SignedDuration::from_hours(48),
        }
    }

    fn see(known: Option<Remembered>, event: &str, time: &str) -> (Remembered, bool) {
        let sighting = sighting(event, time);
        let (remembered, seen) = Remembered::see(known, &sighting, sighting.time);
        (remembered, seen.is_new)
    }

    #[test]
    fn a_value_is_new_once_and_again_when_the_same_event_is_retried() {
        let (known, is_new) = see(None, "a", "05T10:00:00");
        assert!(is_new);
        let (known, is_new) = see(Some(known), "b", "05T11:00:00");
        assert!(!is_new);
        let (known, is_new) = see(Some(known), "a", "05T10:00:00");
        assert!(is_new, "a retry decides as the first try did");
        assert_eq!(known.last, sighting("b", "05T11:00:00").time);
    }

    #[test]
    fn a_late_event_is_not_new_but_one_after_the_history_is() {
        let (known, _) = see(None, "a", "05T10:00:00");
        assert!(!see(Some(known.clone()), "late", "01T10:00:00").1);
        assert!(!see(Some(known.clone()), "b", "07T10:00:00").1);
        assert!(see(Some(known), "c", "07T10:00:01").1);
    }
}
