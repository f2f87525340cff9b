//! What only rules of ours find: a value that is seen for the first time, and events that add up.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::finding::{Episode, FirstSeen};

use super::super::redact;
use super::object::objects;

objects! {
    /// A value that is new for somebody or something.
    Anomaly<'a> {
        analysis_targets: Vec<Target<'a>>,
        anomalies: [Unseen<'a>; 1],
    }

    Target<'a> {
        name: Cow<'a, str>,
        r#type: &'a str,
    }

    Unseen<'a> {
        observation_parameter: &'a str,
        observation_type: &'static str,
        observed_pattern: &'static str,
        observations: Vec<Observation<'a>>,
    }

    Observation<'a> {
        value: Cow<'a, str>,
    }

    /// Of which group, and what was measured. OCSF has no place for it; the events themselves are related events.
    Pattern<'a> {
        group: Group<'a>,
        measured: &'a str,
        timespan_seconds: i64,
    }
}

type Group<'a> = BTreeMap<&'a str, Cow<'a, str>>;
impl super::object::Absent for Group<'_> {}

impl<'a> Anomaly<'a> {
    pub(super) fn of(first: &'a FirstSeen) -> Self {
        // `entity fields; value fields; network`
        let (entity, rest) = first.subject.split_once("; ").unwrap_or((&first.subject, ""));
        let observation_parameter = rest.split_once("; ").map_or(rest, |(value, _)| value);
        let target = |(name, r#type): (&'a String, _)| Target { name: redact::text(name), r#type };
        Self {
            analysis_targets: first.sighted.entity.iter().zip(entity.split(',')).map(target).collect(),
            anomalies: [Unseen {
                observation_parameter,
                observation_type: "Frequency Analysis",
                observed_pattern: "UNSEEN",
                observations: first
                    .sighted
                    .value
                    .iter()
                    .map(|value| Observation { value: redact::text(value) })
                    .collect(),
            }],
        }
    }
}

impl<'a> Pattern<'a> {
    pub(super) fn of(episode: &'a Episode) -> Self {
        Self {
            group: episode.group.iter().map(|(name, value)| (name.as_str(), redact::text(value))).collect(),
            measured: &episode.measured,
            timespan_seconds: episode.timespan.as_secs(),
        }
    }
}
