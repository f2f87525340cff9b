//! Finds when the events of one group add up to what a correlation asks for.
//!
//! In: a [`Pattern`] and all [`Observation`]s of one group that are remembered, in any order, some of them perhaps twice.
//! Out: [`Episode`]s. Pure: the same set of observations gives the same episodes, however it was delivered.
//!
//! The window has the length of the timespan, both ends included, and is not aligned to anything. It is looked at where
//! an event arrives: the condition is held against what happened in the timespan up to then, everything of that very
//! moment included. Nothing is looked at in between, because nothing wakes us there; therefore no condition may hold for
//! nothing at all, and `a and not b` asks that no `b` came in the timespan *before*.

mod gauge;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::sigma::{Correlation, CorrelationCondition, CorrelationType};

use gauge::Gauge;

/// What a correlation asks of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// What is measured in a window.
    pub measure: Measure,
    /// When what is measured counts.
    pub condition: CorrelationCondition,
    /// The length of the window. Positive.
    pub timespan: SignedDuration,
}

/// What is measured in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// Different events; one that several rules match counts once.
    Events,
    /// Different values.
    Values,
    /// Different rules. Against alternatives: the rules of the largest one that is fulfilled.
    Rules,
    /// The same, of rules that came in their order; equal times are in order, and one event may serve several rules.
    ///
    /// A count takes the longest such row, which may leave rules out: of `[a, b, c]`, `b` and then `c` are two. An
    /// alternative asks for all its rules in order, and for none of those that it excludes, wherever they stand.
    RulesInOrder,
    /// The sum of the events' numbers.
    Sum,
    /// Their mean.
    Average,
    /// Their percentile, 0 to 100; between two numbers it is interpolated, so that 50 is the median.
    Percentile(f64),
}

/// A match of one of the correlation's rules, in the group that is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Which event: the same one counts once, however often it is delivered.
    pub event: String,
    /// The rule, by its place in [`Correlation::rules`].
    pub rule: usize,
    /// When it happened.
    pub time: Timestamp,
    /// Its values, for [`Measure::Values`]. Without one it doesn't count there.
    pub values: Vec<Arc<str>>,
    /// Its number, for sums, averages and percentiles. Without a finite one it doesn't count there.
    pub number: Option<f64>,
}

/// A stretch of time during which the condition holds: at every event, with at most a timespan from one to the
/// next.
///
/// Where a timespan passes without an event, the window is empty, and what comes later is another episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// When the condition first held.
    pub start: Timestamp,
    /// When it was last seen to hold. An event up to a timespan later can still continue the episode.
    pub end: Timestamp,
    /// What was measured at its start.
    pub measured: f64,
    /// The most that was measured during it.
    pub peak: f64,
    /// Whether it is known that the condition did not hold just before; see [`Timeline::episodes_since`].
    pub start_is_known: bool,
    completed_by: usize,
    observations: Range<usize>,
}

/// The observations of one group that count for a pattern, in order.
#[derive(Debug)]
pub struct Timeline<'o> {
    pattern: &'o Pattern,
    /// By time, then rule, so that simultaneous events are in the rules' order, then event; each once.
    observations: Vec<&'o Observation>,
}

impl Pattern {
    /// What a correlation asks for.
    #[must_use]
    pub fn of(correlation: &Correlation) -> Self {
        let measure = match correlation.kind {
            CorrelationType::EventCount => Measure::Events,
            CorrelationType::ValueCount => Measure::Values,
            CorrelationType::Temporal => Measure::Rules,
            CorrelationType::TemporalOrdered => Measure::RulesInOrder,
            CorrelationType::ValueSum => Measure::Sum,
            CorrelationType::ValueAvg => Measure::Average,
            CorrelationType::ValuePercentile | CorrelationType::ValueMedian => {
                Measure::Percentile(correlation.percentile.unwrap_or(50.0))
            }
        };
        Self { measure, condition: correlation.condition.clone(), timespan: correlation.timespan }
    }

    fn holds(&self, measured: f64) -> bool {
        match &self.condition {
            CorrelationCondition::Bounds(bounds) => bounds.hold(measured),
            CorrelationCondition::Rules(_) => measured > 0.0,
        }
    }
}

impl Measure {
    fn counts(self, observation: &Observation) -> bool {
        match self {
            Self::Events | Self::Rules | Self::RulesInOrder => true,
            Self::Values => !observation.values.is_empty(),
            Self::Sum | Self::Average | Self::Percentile(_) => observation.number.is_some_and(f64::is_finite),
        }
    }

    /// Whether it matters that one event matches several rules.
    fn tells_rules_apart(self) -> bool {
        matches!(self, Self::Values | Self::Rules | Self::RulesInOrder)
    }
}

impl<'o> Timeline<'o> {
    /// Puts the observations of one group in order. O(n log n).
    #[must_use]
    pub fn new(pattern: &'o Pattern, observations: &'o [Observation]) -> Self {
        let measure = pattern.measure;
        let mut observations: Vec<&Observation> = observations.iter().filter(|one| measure.counts(one)).collect();
        // Of copies that differ, the same one has to stay whatever the order of arrival.
        observations.sort_by(|a, b| {
            (&a.event, a.rule, a.time, &a.values)
                .cmp(&(&b.event, b.rule, b.time, &b.values))
                .then_with(|| a.number.unwrap_or(0.0).total_cmp(&b.number.unwrap_or(0.0)))
        });
        observations.dedup_by(|a, b| a.event == b.event && (a.rule == b.rule || !measure.tells_rules_apart()));
        observations.sort_by(|a, b| (a.time, a.rule, &a.event).cmp(&(b.time, b.rule, &b.event)));
        Self { pattern, observations }
    }

    /// Every episode, in order of time. O(n log n), and for rules in order the square of their number for each event.
    #[must_use]
    pub fn episodes(&self) -> Vec<Episode> {
        self.episodes_since(Timestamp::MIN)
    }

    /// The episodes, as far as they can be seen when no observation is missing but those more than a timespan before `since`.
    /// Before that the condition can't be judged, so an episode may have begun earlier than it seems.
    #[must_use]
    pub fn episodes_since(&self, since: Timestamp) -> Vec<Episode> {
        let mut gauge = Gauge::new(self.pattern, &self.observations);
        let mut episodes: Vec<Episode> = Vec::new();
        let mut holding = false;
        let mut unjudged: Option<Timestamp> = None;
        for moment in self.observations.chunk_by(|a, b| a.time == b.time) {
            let time = moment[0].time; // OK because chunks are not empty
            gauge.forget(|old| time.duration_since(old) > self.pattern.timespan);
            let completed_by = self.add(&mut gauge, moment.len());
            if time < since {
                unjudged = Some(time);
                continue;
            }
            let follows_unjudged =
                unjudged.take().is_some_and(|before| time.duration_since(before) <= self.pattern.timespan);
            let Some(completed_by) = completed_by.filter(|_| self.pattern.holds(gauge.reading())) else {
                holding = false;
                continue;
            };
            let measured = gauge.reading();
            match episodes.last_mut() {
                Some(open) if holding && time.duration_since(open.end) <= self.pattern.timespan => {
                    open.end = time;
                    open.peak = open.peak.max(measured);
                    open.observations.end = gauge.window().end;
                }
                _ => episodes.push(Episode {
                    start: time,
                    end: time,
                    measured,
                    peak: measured,
                    start_is_known: !follows_unjudged,
                    completed_by,
                    observations: gauge.window(),
                }),
            }
            holding = true;
        }
        episodes
    }

    /// Adds what happened at one moment; gives the first observation with which the condition holds.
    fn add(&self, gauge: &mut Gauge<'_>, observations: usize) -> Option<usize> {
        let mut completed_by = None;
        for _ in 0..observations {
            let place = gauge.add();
            completed_by = completed_by.or_else(|| self.pattern.holds(gauge.reading()).then_some(place));
        }
        completed_by
    }

    /// The observation with which the condition first held.
    #[must_use]
    pub fn completed_by(&self, episode: &Episode) -> &'o Observation {
        self.observations[episode.completed_by]
    }

    /// All observations within the windows of an episode of this timeline, in order.
    #[must_use]
    pub fn observations(&self, episode: &Episode) -> &[&'o Observation] {
        &self.observations[episode.observations.clone()]
    }

    /// At most so many of [`Self::observations`], in order: the one that completed the episode, the first of each rule
    /// and of each value, and then the earliest.
    #[must_use]
    pub fn evidence(&self, episode: &Episode, at_most: usize) -> Vec<&'o Observation> {
        let all = self.observations(episode);
        let (mut rules, mut values) = (HashSet::new(), HashSet::<&str>::new());
        let mut ranked: Vec<(bool, bool, usize)> = Vec::with_capacity(all.len());
        for (place, observation) in all.iter().enumerate() {
            let new_rule = rules.insert(observation.rule);
            let new_values = observation.values.iter().map(AsRef::as_ref).filter(|value| values.insert(*value)).count();
            let completes = episode.observations.start + place == episode.completed_by;
            ranked.push((!completes, !new_rule && new_values == 0, place));
        }
        ranked.sort_unstable();
        ranked.truncate(at_most);
        ranked.sort_unstable_by_key(|(_, _, place)| *place);
        ranked.into_iter().map(|(_, _, place)| all[place]).collect()
    }
}
