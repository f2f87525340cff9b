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
#[derive(Debug)]
pub(super) enum Source<'r> {
    /// An event that a rule matched.
    Event { noted: Arc<Noted>, rule: &'r Arc<RuleInfo> },
    /// An episode of a correlation in between.
    Episode(Box<Within>),
}

/// An episode of a correlation in between.
#[derive(Debug)]
pub(super) struct Within {
    shown: EpisodeEvent,
    onward: Vec<Onward>,
    main: Option<Arc<Contribution>>,
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
    /// What people are told of it. Only one with an event at hand is told.
    told: Option<Box<finding::Episode>>,
}

impl<'r> Source<'r> {
    pub(super) fn of(noted: &Arc<Noted>, rule: &'r Arc<RuleInfo>) -> Self {
        Self::Event { noted: Arc::clone(noted), rule }
    }

    pub(super) fn of_episode(found: &Found, correlation: &Arc<RuleInfo>) -> Self {
        Self::Episode(Box::new(Within {
            shown: EpisodeEvent { rule: Arc::clone(correlation), ..found.completed_by.clone() },
            onward: found.onward.clone(),
            main: found.main.clone(),
        }))
    }

    /// The event itself, or one of the episode in between, if it came with this invocation.
    pub(super) fn main(&self) -> Option<&Arc<Contribution>> {
        match self {
            Self::Event { noted, .. } => noted.at_hand(),
            Self::Episode(within) => within.main.as_ref(),
        }
    }

    /// What it shows the correlations that read this one.
    fn onward(&self) -> &[Onward] {
        match self {
            Self::Event { noted, .. } => &noted.onward,
            Self::Episode(within) => &within.onward,
        }
    }

    /// What an alert names of it.
    fn shown(&self) -> EpisodeEvent {
        match self {
            Self::Event { noted, rule } => noted.shown(rule),
            Self::Episode(within) => within.shown.clone(),
        }
    }
}

impl Found {
    pub(super) fn of<'s, 'r: 's>(
        correlation: &CompiledCorrelation,
        group: &Group,
        timeline: &Timeline<'_>,
        episode: &Episode,
        source: impl Fn(&Observation) -> Option<&'s Source<'r>>,
    ) -> Option<Self> {
        let observations = timeline.observations(episode);
        let completed_by = source(timeline.completed_by(episode))?;
        let at_hand = || observations.iter().rev().find_map(|one| source(one)?.main());
        let main = completed_by.main().or_else(at_hand).cloned();
        let told = || {
            let names = correlation.correlation.group_by.iter().map(|field| field.text.to_string());
            let events = timeline.evidence(episode, MAX_EVENTS).into_iter().filter_map(&source);
            Some(Box::new(finding::Episode {
                group: names.zip(group.iter().cloned()).collect(),
                measured: measured(correlation, episode),
                timespan: correlation.correlation.timespan,
                start: episode.start,
                end: episode.end,
                count: observations.len(),
                first: observations.first()?.time,
                last: observations.last()?.time,
                events: events.map(Source::shown).collect(),
            }))
        };
        Some(Self {
            uid: FindingUid::of_episode(&correlation.info.id, group, episode.start),
            start: episode.start,
            onward: completed_by.onward().to_vec(),
            completed_by: completed_by.shown(),
            told: main.as_ref().and_then(|_| told()),
            main,
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
        let (main, told) = self.main.as_ref().zip(self.told.as_ref())?;
        let event = &main.event;
        Some(Finding {
            uid: self.uid,
            rule: Arc::clone(&correlation.info),
            title: correlation.title(&event.record.record(), knowledge).into(),
            kind: Kind::Episode(told.clone()),
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
