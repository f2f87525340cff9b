//! An episode that was found, and the finding that is made of it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::{CompiledCorrelation, Knowledge, RuleInfo};
use crate::finding::{self, Contribution, DedupKey, EpisodeEvent, Finding, FindingUid, Kind};
use crate::sigma::CorrelationCondition;

use super::super::correlation::{Episode, Observation, Timeline};
use super::Group;
use super::noted::{Noted, Onward};

/// Events that an alert names.
const MAX_EVENTS: usize = 10;

/// Where an observation comes from.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// What an alert names of it.
    shown: EpisodeEvent,
    /// What it shows the correlations that read this one.
    onward: Vec<Onward>,
    /// The event itself, or one of the episode in between, if it came with this invocation.
    pub(super) main: Option<Arc<Contribution>>,
}

/// An episode and what is needed of it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) uid: FindingUid,
    pub(super) start: Timestamp,
    /// What the event that completed it shows the correlations that read this one.
    pub(super) onward: Vec<Onward>,
    completed_by: EpisodeEvent,
    /// The event that completed it, or else the latest of its events that came with this invocation.
    main: Option<Arc<Contribution>>,
    told: finding::Episode,
}

impl Source {
    pub(super) fn of(noted: &Noted, rule: &Arc<RuleInfo>) -> Self {
        Self { shown: noted.shown(rule), onward: noted.onward.clone(), main: noted.at_hand().cloned() }
    }

    pub(super) fn of_episode(found: &Found, correlation: &Arc<RuleInfo>) -> Self {
        Self {
            shown: EpisodeEvent { rule: Arc::clone(correlation), ..found.completed_by.clone() },
            onward: found.onward.clone(),
            main: found.main.clone(),
        }
    }
}

impl Found {
    pub(super) fn of<'s>(
        correlation: &CompiledCorrelation,
        group: &Group,
        timeline: &Timeline<'_>,
        episode: &Episode,
        source: impl Fn(&Observation) -> Option<&'s Source>,
    ) -> Option<Self> {
        let observations = timeline.observations(episode);
        let completed_by = source(timeline.completed_by(episode))?;
        let sources = || observations.iter().filter_map(|one| source(one));
        let names = correlation.correlation.group_by.iter().map(|field| field.text.clone());
        let told = finding::Episode {
            group: names.zip(group.iter().cloned()).collect(),
            measured: measured(correlation, episode),
            timespan: correlation.correlation.timespan,
            start: episode.start,
            end: episode.end,
            count: observations.len(),
            first: observations.first()?.time,
            last: observations.last()?.time,
            events: timeline
                .evidence(episode, MAX_EVENTS)
                .into_iter()
                .filter_map(&source)
                .map(|source| source.shown.clone())
                .collect(),
        };
        Some(Self {
            uid: FindingUid::of_episode(&correlation.info.id, group, episode.start),
            start: episode.start,
            onward: completed_by.onward.clone(),
            completed_by: completed_by.shown.clone(),
            main: completed_by.main.clone().or_else(|| sources().filter_map(|source| source.main.clone()).last()),
            told,
        })
    }

    /// Whether one of its events came with this invocation.
    pub(super) fn is_at_hand(&self) -> bool {
        self.main.is_some()
    }

    /// The finding, if one of its events is at hand.
    pub(super) fn finding(
        &self,
        correlation: &CompiledCorrelation,
        group: &Group,
        knowledge: &Knowledge,
    ) -> Option<Finding> {
        let main = self.main.as_ref()?;
        let event = &main.event;
        Some(Finding {
            uid: self.uid,
            rule: Arc::clone(&correlation.info),
            title: correlation.title(&event.record.record(), knowledge).into(),
            kind: Kind::Episode(Box::new(self.told.clone())),
            dedup_key: DedupKey::new(&correlation.info.id, &correlation.dedup_values(group)),
            event: Arc::clone(event),
            origin: main.origin.clone(),
        })
    }
}

fn measured(correlation: &CompiledCorrelation, episode: &Episode) -> String {
    let correlation = &correlation.correlation;
    match &correlation.condition {
        CorrelationCondition::Bounds(bounds) => format!("{} {} ({bounds})", correlation.kind.as_str(), episode.peak),
        CorrelationCondition::Rules(_) => format!("{} of {} rules", correlation.kind.as_str(), correlation.rules.len()),
    }
}
