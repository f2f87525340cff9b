//! What correlations need of a match, and what they find.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{Match, Observed, RuleInfo};
use crate::trail::{EventIdentity, Outcome};

use super::{Event, Origin};

/// A match that counts for correlations.
#[derive(Debug, Clone)]
pub struct Contribution {
    /// The rule that matched.
    pub rule: Arc<RuleInfo>,
    /// What it matched.
    pub event: Arc<Event>,
    /// Where the record stands.
    pub origin: Origin,
    /// What it shows each correlation that it reaches.
    pub observed: Vec<Observed>,
}

/// What a correlation found: a stretch of time during which its condition held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// What the events have in common, by the names that the rule uses.
    pub group: Vec<(String, String)>,
    /// What was measured and what was asked for, in words: `12 events (gte 10)`.
    pub measured: String,
    /// The length of the window.
    pub timespan: SignedDuration,
    /// When the condition first held.
    pub start: Timestamp,
    /// When it was last seen to hold.
    pub end: Timestamp,
    /// How many events lie in its windows.
    pub count: usize,
    /// The earliest of them.
    pub first: Timestamp,
    /// The latest.
    pub last: Timestamp,
    /// Some of them, in order of time; always the first of each rule.
    pub events: Vec<EpisodeEvent>,
}

/// An event that made an episode.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of CloudTrail")]
pub struct EpisodeEvent {
    /// The rule that it matched, or the correlation that it completed.
    pub rule: Arc<RuleInfo>,
    pub identity: EventIdentity,
    pub time: Timestamp,
    pub source: String,
    pub name: String,
    pub outcome: Outcome,
    pub principal: Option<String>,
    pub source_ip: Option<String>,
}

impl EpisodeEvent {
    /// Takes out of an event what tells it from the others.
    #[must_use]
    pub fn of(rule: &Arc<RuleInfo>, event: &Event) -> Self {
        let details = event.details();
        Self {
            rule: Arc::clone(rule),
            identity: event.identity.clone(),
            time: event.time,
            source: details.source.clone(),
            name: details.name.clone(),
            outcome: details.outcome,
            principal: details.actor.principal.clone(),
            source_ip: details.source_ip.clone(),
        }
    }
}

impl Contribution {
    /// What a match shows the correlations; `None` when it reaches none.
    #[must_use]
    pub fn of(matched: &Match<'_, '_>, event: impl FnOnce() -> Arc<Event>, file: &Arc<str>) -> Option<Self> {
        let observed = matched.observed();
        (!observed.is_empty()).then(|| Self {
            rule: Arc::clone(matched.info()),
            event: event(),
            origin: Origin { file: Arc::clone(file), record_index: matched.record.index() },
            observed,
        })
    }
}
