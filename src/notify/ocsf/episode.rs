//! What a correlation found, in the part of a finding that OCSF has no place for.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::finding::{Episode, EpisodeEvent};

/// The events that add up to what a correlation asks for.
#[derive(Serialize)]
pub(super) struct Pattern<'a> {
    group: BTreeMap<&'a str, &'a str>,
    measured: &'a str,
    timespan_seconds: i64,
    count: usize,
    first_time: i64,
    last_time: i64,
    events: Vec<PatternEvent<'a>>,
}

#[derive(Serialize)]
struct PatternEvent<'a> {
    uid: &'a str,
    account_uid: &'a str,
    rule_uid: &'a str,
    time: i64,
    operation: &'a str,
}

impl<'a> Pattern<'a> {
    pub(super) fn of(episode: &'a Episode) -> Self {
        let event = |event: &'a EpisodeEvent| PatternEvent {
            uid: &event.identity.event_id,
            account_uid: &event.identity.account,
            rule_uid: &event.rule.id,
            time: event.time.as_millisecond(),
            operation: &event.name,
        };
        Self {
            group: episode.group.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            measured: &episode.measured,
            timespan_seconds: episode.timespan.as_secs(),
            count: episode.count,
            first_time: episode.first.as_millisecond(),
            last_time: episode.last.as_millisecond(),
            events: episode.events.iter().map(event).collect(),
        }
    }
}
