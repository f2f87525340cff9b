//! First sightings: which values an entity has shown, and since when the entity is known.
//!
//! Two documents: one for each entity and value, one for each entity. A round with the store reads both, and writes what is
//! new; whoever finds that another one wrote in between goes another round. Known pairs cost a read at most, and what this
//! process knows already costs nothing ([`KnownPairs`]).

mod known;
mod rounds;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::{RuleInfo, Sighted};
use crate::finding::{Finding, FindingUid, GroupKey};

use super::item::{Key, Kind, expiry, later};

pub use known::KnownPairs;
pub use rounds::{Recalled, Round, Sightings};

/// Of a value, for whoever looks into the memory: its name is a hash of the whole.
const MAX_SHOWN: usize = 256;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// An entity showing a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstSighting {
    /// Names rule, entity and value.
    pub pair: FindingUid,
    /// Names rule, what it learns, and entity.
    pub entity: EntityKey,
    /// The rule that learns.
    pub rule: Arc<RuleInfo>,
    /// Entity and value.
    pub sighted: Sighted,
    /// The event that showed it: seeing the same event again changes no answer. `None` for what is taken as known.
    pub event: Option<String>,
    /// When.
    pub time: Timestamp,
    /// The latest event that showed the same, inside the same stretch of history.
    pub until: Timestamp,
    /// A value not seen for this long is new again.
    pub history: SignedDuration,
}

/// Names a rule, what it learns, and an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityKey(u128);

/// What is known of a sighting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The entity shows the value for the first time.
    pub is_new: bool,
    /// The oldest event of the entity that was known when the value became so.
    pub entity_since: Timestamp,
}

/// What is kept of an entity and a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remembered {
    rule: String,
    entity: Vec<String>,
    value: Vec<String>,
    /// The event that made it known; none when it was taken as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    /// When it was last seen, not older than the truth by more than [`grain`].
    last: Timestamp,
    entity_since: Timestamp,
}

/// What is kept of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::alerting) struct KnownEntity {
    rule: String,
    entity: Vec<String>,
    since: Timestamp,
}

impl KnownEntity {
    pub(super) fn since(&self) -> Timestamp {
        self.since
    }
}

impl EntityKey {
    /// With what the rule learns: were an entity known to a rule that now learns something else, all that it shows would be news
    /// at once.
    pub(super) fn new(rule_id: &str, subject: &str, sighted: &Sighted) -> Self {
        let entity = sighted.entity.iter().map(String::as_str);
        Self(GroupKey::of_texts([rule_id, subject].into_iter().chain(entity)).to_u128())
    }

    /// For stores.
    pub(super) fn key(self) -> Key {
        Key::single(Kind::Entity, self.0)
    }
}

impl FirstSighting {
    /// What a finding asks of the memory, if it is one of a first-seen rule.
    #[must_use]
    pub fn of(finding: &Finding) -> Option<Self> {
        let first = finding.first_seen()?;
        Some(Self {
            pair: finding.uid,
            entity: EntityKey::new(&finding.rule.id, &first.subject, &first.sighted),
            rule: Arc::clone(&finding.rule),
            sighted: first.sighted.clone(),
            event: (!first.is_known).then(|| finding.event.identity.to_string()),
            time: finding.event.time,
            until: first.until,
            history: first.history,
        })
    }

    /// The same, but nobody shall be told, whenever the event comes again.
    #[must_use]
    pub fn as_known(self) -> Self {
        Self { event: None, ..self }
    }

    fn is_by(&self, event: Option<&str>) -> bool {
        self.event.is_some() && self.event.as_deref() == event
    }

    /// Whether a value last seen then has been away for so long that it is news.
    fn is_news_after(&self, last: Timestamp) -> bool {
        // `last` may be older than the truth: only what has been away for longer all the same counts.
        self.time.duration_since(last) > self.history.saturating_add(grain(self.history))
    }

    /// Whether that it was seen again has to be written down.
    fn outdates(&self, last: Timestamp) -> bool {
        self.until.duration_since(last) > grain(self.history)
    }

    fn pair_key(&self) -> Key {
        Key::single(Kind::Pair, self.pair.to_u128())
    }

    fn entity_key(&self) -> Key {
        self.entity.key()
    }

    /// Until when the pair is kept. Old files that are read anew count from now.
    fn expires(&self, now: Timestamp) -> Timestamp {
        let away = self.history.saturating_add(grain(self.history)).saturating_add(DAY);
        expiry(self.until, now, away)
    }

    fn entity_expires(&self, now: Timestamp) -> Timestamp {
        // An entity has to outlive its values, or it would be learned anew. It is not written each time that one of them is.
        later(self.expires(now), grain(self.history).saturating_mul(2).saturating_add(DAY))
    }
}

/// How exactly it is written down when a value was last seen: each time would be a write an event.
fn grain(history: SignedDuration) -> SignedDuration {
    (history / 30).min(DAY)
}

impl Remembered {
    /// Adds a sighting to what is remembered: what to keep, and what to answer. `entity_since`: the oldest event of the entity,
    /// this one included.
    ///
    /// Deterministic under redelivery: the event that made a value known finds it new again, and its entity as well known as
    /// then. A late event never makes a known value new.
    fn see(known: Option<Self>, sighting: &FirstSighting, entity_since: Timestamp) -> (Self, Seen) {
        match known {
            Some(known) if sighting.is_by(known.event.as_deref()) => {
                let seen = Seen { is_new: true, entity_since: known.entity_since };
                (known.seen_again(sighting), seen)
            }
            Some(known) if !sighting.is_news_after(known.last) => {
                let seen = Seen { is_new: false, entity_since: known.entity_since };
                (known.seen_again(sighting), seen)
            }
            _ => {
                let first = Self {
                    rule: sighting.rule.id.clone(),
                    entity: shown(&sighting.sighted.entity),
                    value: shown(&sighting.sighted.value),
                    event: sighting.event.clone(),
                    last: sighting.until,
                    entity_since,
                };
                (first, Seen { is_new: true, entity_since })
            }
        }
    }

    fn seen_again(self, sighting: &FirstSighting) -> Self {
        if sighting.outdates(self.last) { Self { last: sighting.until, ..self } } else { self }
    }
}

fn shown(values: &[String]) -> Vec<String> {
    values.iter().map(|value| value.chars().take(MAX_SHOWN).collect()).collect()
}
