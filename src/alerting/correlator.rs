//! Keeps what correlations count, by group, and turns it into findings.
//!
//! What is kept are sets: an event that comes twice or out of order changes no answer. When events are added, the episodes that
//! they belong to are found anew; the same episode is the same finding, however often it is found. An event that comes late may
//! move an episode's start: then it is another finding, which the window of the alert that was told holds back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{CompiledCorrelation, CorrelationIndex, Knowledge, Observed, Part, RuleInfo, RuleSet};
use crate::finding::{self, Contribution, DedupKey, EpisodeEvent, Finding, FindingUid, Kind};
use crate::sigma::{CorrelationCondition, CorrelationType};
use crate::trail::EventIdentity;

use super::correlation::{Episode, Observation, Pattern, Timeline};

/// Events that an alert names.
const MAX_EVENTS: usize = 10;

/// What is kept for the correlations of one set of rules.
#[derive(Debug, Default)]
pub struct Correlator {
    groups: HashMap<(CorrelationIndex, Group), Kept>,
    /// Which groups of a correlation hold episodes of a group of another.
    passed: HashMap<(CorrelationIndex, Inner), HashSet<Group>>,
    /// Observations that were added since the last time that old ones were forgotten, and those that were left then.
    added: usize,
    left: usize,
}

/// How late an event may come and still find what belongs to it.
const LATE: SignedDuration = SignedDuration::from_hours(24);
/// Fewer observations are not worth looking through.
const MIN_ADDED: usize = 10_000;

/// The values that the events of a group have in common.
type Group = Vec<String>;
/// A group of a correlation that another one reads.
type Inner = (CorrelationIndex, Group);
/// The place of a contribution among those that were added with it.
type Place = usize;

/// What is kept of one group.
#[derive(Debug, Default)]
struct Kept {
    observations: Vec<Observation>,
    /// Where each of them comes from.
    sources: Vec<Source>,
    /// Events by rule, each once.
    known: HashSet<(String, usize)>,
}

#[derive(Debug, Clone)]
struct Source {
    contribution: Arc<Contribution>,
    /// The rule whose match it is: the contribution's, or a correlation in between.
    rule: Arc<RuleInfo>,
    /// The group of the correlation in between.
    inner: Option<Inner>,
    /// The events behind it: one, or all of the episode in between.
    events: Arc<[EventIdentity]>,
}

/// A finding of a correlation, and which of the contributions that were added led to it.
#[derive(Debug)]
pub struct Correlated {
    /// The finding.
    pub finding: Finding,
    /// Places in the list that was added.
    pub from: Arc<[Place]>,
}

/// What adding contributions came to.
#[derive(Debug, Default)]
pub struct Correlation {
    /// The episodes that they belong to.
    pub findings: Vec<Correlated>,
    /// Matches that lack a field which names a group, or the value that counts.
    pub incomplete: u64,
}

/// Groups that something was added to, and by which contributions.
type Touched = BTreeMap<CorrelationIndex, BTreeMap<Group, Vec<Place>>>;

impl Correlator {
    /// Adds matches and finds the episodes that they belong to.
    pub fn add(&mut self, rules: &RuleSet, contributions: Vec<Contribution>) -> Correlation {
        let mut result = Correlation::default();
        let mut touched = Touched::new();
        let contributions: Vec<Arc<Contribution>> = contributions.into_iter().map(Arc::new).collect();
        for (place, contribution) in contributions.iter().enumerate() {
            for observed in contribution.observed.iter().filter(|observed| observed.direct) {
                let kind = rules.correlations()[observed.correlation.0].correlation.kind;
                result.incomplete += u64::from(observed.group.is_none() || lacks_value(kind, observed));
                let Some(group) = &observed.group else { continue };
                let identity = &contribution.event.identity;
                let source = Source {
                    contribution: Arc::clone(contribution),
                    rule: Arc::clone(&contribution.rule),
                    inner: None,
                    events: [identity.clone()].into(),
                };
                let event = identity.to_string();
                self.keep(observed, group, event, contribution.event.time, source);
                touched.entry(observed.correlation).or_default().entry(group.clone()).or_default().push(place);
            }
        }
        for (index, correlation) in rules.correlations().iter().enumerate() {
            let index = CorrelationIndex(index);
            for (group, places) in touched.remove(&index).unwrap_or_default() {
                let Some(episodes) = self.episodes(index, &group, correlation, rules.knowledge()) else { continue };
                for outer in self.pass_on(rules, index, &group, &episodes) {
                    touched.entry(outer.0).or_default().entry(outer.1).or_default().extend(&places);
                }
                let added: HashSet<&EventIdentity> =
                    places.iter().map(|&place| &contributions[place].event.identity).collect();
                let told = |found: &Found| correlation.told && found.events.iter().any(|event| added.contains(event));
                let from: Arc<[Place]> = places.as_slice().into();
                let findings = episodes.into_iter().filter(told).map(|found| found.finding);
                result.findings.extend(findings.map(|finding| Correlated { finding, from: Arc::clone(&from) }));
            }
        }
        result
    }

    fn keep(&mut self, observed: &Observed, group: &Group, event: String, time: Timestamp, source: Source) {
        let kept = self.groups.entry((observed.correlation, group.clone())).or_default();
        if kept.known.insert((event.clone(), observed.place)) {
            self.added += 1;
            let (rule, values, number) = (observed.place, observed.values.clone(), observed.number);
            kept.observations.push(Observation { event, rule, time, values, number });
            kept.sources.push(source);
        }
    }

    fn episodes(
        &self,
        index: CorrelationIndex,
        group: &Group,
        correlation: &CompiledCorrelation,
        knowledge: &Knowledge,
    ) -> Option<Vec<Found>> {
        let kept = self.groups.get(&(index, group.clone()))?;
        let pattern = Pattern::of(&correlation.correlation);
        let timeline = Timeline::new(&pattern, &kept.observations);
        let places =
            kept.observations.iter().enumerate().map(|(place, one)| (std::ptr::from_ref(one), place)).collect();
        let found = |episode: &Episode| kept.found(&places, &timeline, episode, group, correlation, knowledge);
        Some(timeline.episodes().iter().filter_map(found).collect())
    }

    /// Gives a group's episodes to the correlations that read this one, in place of those that they had of it.
    fn pass_on(
        &mut self,
        rules: &RuleSet,
        index: CorrelationIndex,
        group: &Group,
        episodes: &[Found],
    ) -> Vec<(CorrelationIndex, Group)> {
        let reads = |outer: &CompiledCorrelation| outer.parts().contains(&Part::Correlation(index));
        let readers: Vec<usize> =
            rules.correlations().iter().enumerate().filter(|(_, outer)| reads(outer)).map(|(outer, _)| outer).collect();
        let inner = (index, group.clone());
        let mut touched = Vec::new();
        for outer in readers.into_iter().map(CorrelationIndex) {
            for group in self.passed.remove(&(outer, inner.clone())).unwrap_or_default() {
                if let Some(kept) = self.groups.get_mut(&(outer, group)) {
                    kept.retain(|_, source| source.inner.as_ref() != Some(&inner));
                }
            }
            let parts = rules.correlations()[outer.0].parts();
            let place = parts.iter().position(|part| *part == Part::Correlation(index)).unwrap_or_default();
            for found in episodes {
                let contribution = &found.completed_by;
                let observed = contribution.observed.iter().find(|one| one.correlation == outer && one.place == place);
                let Some((observed, group)) = observed.and_then(|one| Some((one, one.group.clone()?))) else {
                    continue;
                };
                let rule = Arc::clone(&rules.correlations()[index.0].info);
                let events = Arc::clone(&found.events);
                let source =
                    Source { contribution: Arc::clone(contribution), rule, inner: Some(inner.clone()), events };
                let event = found.finding.uid.to_string();
                self.keep(observed, &group, event, found.finding.event.time, source);
                self.passed.entry((outer, inner.clone())).or_default().insert(group.clone());
                touched.push((outer, group));
            }
        }
        touched
    }

    /// Forgets what can't be part of a new episode, unless it comes more than a day late. Does so each time that as much was
    /// added as is kept, so that the work is in proportion to what comes in.
    pub fn forget(&mut self, rules: &RuleSet) {
        if self.added <= self.left + MIN_ADDED {
            return;
        }
        let mut latest: HashMap<CorrelationIndex, Timestamp> = HashMap::new();
        for ((index, _), kept) in &self.groups {
            for one in &kept.observations {
                latest.entry(*index).and_modify(|latest| *latest = one.time.max(*latest)).or_insert(one.time);
            }
        }
        let reaches = reaches(rules);
        self.groups.retain(|(index, _), kept| {
            let (Some(correlation), Some(latest)) = (rules.correlations().get(index.0), latest.get(index)) else {
                return false;
            };
            kept.forget_before(&Pattern::of(&correlation.correlation), *latest, reaches[index.0]);
            !kept.observations.is_empty()
        });
        let groups = &self.groups;
        self.passed.retain(|(_, inner), _| groups.contains_key(inner));
        self.left = self.groups.values().map(|kept| kept.observations.len()).sum();
        self.added = 0;
    }
}

/// An episode and what is needed of it here.
struct Found {
    finding: Finding,
    completed_by: Arc<Contribution>,
    /// All events behind it.
    events: Arc<[EventIdentity]>,
}

impl Kept {
    /// `places`: the places of [`Self::observations`].
    fn found(
        &self,
        places: &HashMap<*const Observation, usize>,
        timeline: &Timeline<'_>,
        episode: &Episode,
        group: &Group,
        correlation: &CompiledCorrelation,
        knowledge: &Knowledge,
    ) -> Option<Found> {
        let observations = timeline.observations(episode);
        let source = |one: &&Observation| places.get(&std::ptr::from_ref(*one)).map(|&place| &self.sources[place]);
        let completed_by = &source(&timeline.completed_by(episode))?.contribution;
        let events = observations.iter().filter_map(source);
        let events = events.flat_map(|source| source.events.iter().cloned()).collect();
        let evidence = timeline.evidence(episode, MAX_EVENTS);
        let evidence = evidence.iter().filter_map(source);
        let told = finding::Episode {
            group: names(correlation).zip(group.iter().cloned()).collect(),
            measured: measured(correlation, episode),
            timespan: correlation.correlation.timespan,
            count: observations.len(),
            first: observations.first()?.time,
            last: observations.last()?.time,
            events: evidence.map(|source| EpisodeEvent::of(&source.rule, &source.contribution.event)).collect(),
        };
        let finding = finding_of(correlation, told, group, completed_by, knowledge, episode.start);
        Some(Found { finding, completed_by: Arc::clone(completed_by), events })
    }

    /// `latest`: the time of the latest event of the correlation. What belongs to an episode that is still open stays.
    fn forget_before(&mut self, pattern: &Pattern, latest: Timestamp, reach: SignedDuration) {
        let open = Timeline::new(pattern, &self.observations)
            .episodes()
            .last()
            .filter(|episode| latest.duration_since(episode.end) <= pattern.timespan)
            .map(|episode| episode.start);
        let horizon = open.map_or(latest, |start| start.min(latest));
        let reach = reach.saturating_add(LATE);
        self.retain(|one, _| horizon.duration_since(one.time) <= reach);
    }

    fn retain(&mut self, wanted: impl Fn(&Observation, &Source) -> bool) {
        let observations = std::mem::take(&mut self.observations);
        let sources = std::mem::take(&mut self.sources);
        (self.observations, self.sources) =
            observations.into_iter().zip(sources).filter(|(one, source)| wanted(one, source)).unzip();
        self.known = self.observations.iter().map(|one| (one.event.clone(), one.rule)).collect();
    }
}

/// How far back each correlation may have to look. What another reads is kept for as long as that one looks back: its
/// episodes are found anew from its events.
fn reaches(rules: &RuleSet) -> Vec<SignedDuration> {
    let all = rules.correlations();
    let mut reaches: Vec<SignedDuration> = all.iter().map(|one| one.correlation.timespan).collect();
    // Who reads comes behind what it reads.
    for (index, correlation) in all.iter().enumerate().rev() {
        for part in correlation.parts() {
            if let Part::Correlation(inner) = part {
                let reach = all[inner.0].correlation.timespan.saturating_add(reaches[index]);
                reaches[inner.0] = reaches[inner.0].max(reach);
            }
        }
    }
    reaches
}

fn lacks_value(kind: CorrelationType, observed: &Observed) -> bool {
    match kind {
        CorrelationType::ValueCount => observed.values.is_empty(),
        kind => kind.reads_values() && observed.number.is_none(),
    }
}

fn names(correlation: &CompiledCorrelation) -> impl Iterator<Item = String> {
    correlation.correlation.group_by.iter().map(|field| field.text.clone())
}

fn measured(correlation: &CompiledCorrelation, episode: &Episode) -> String {
    let correlation = &correlation.correlation;
    match &correlation.condition {
        CorrelationCondition::Bounds(bounds) => format!("{} {} ({bounds})", correlation.kind.as_str(), episode.peak),
        CorrelationCondition::Rules(_) => format!("{} of {} rules", correlation.kind.as_str(), correlation.rules.len()),
    }
}

fn finding_of(
    correlation: &CompiledCorrelation,
    told: finding::Episode,
    group: &Group,
    completed_by: &Contribution,
    knowledge: &Knowledge,
    start: Timestamp,
) -> Finding {
    let event = &completed_by.event;
    let (title, dedup) = correlation.told_by(&event.record.record(), knowledge);
    let rule_id = &correlation.info.id;
    Finding {
        uid: FindingUid::of_episode(rule_id, group, start),
        rule: Arc::clone(&correlation.info),
        title: title.into(),
        kind: Kind::Episode(Box::new(told)),
        dedup_key: DedupKey::new(rule_id, dedup.as_ref().unwrap_or(group)),
        event: Arc::clone(event),
        origin: completed_by.origin.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Organisation;
    use crate::{sigma, yaml::SourceFile};

    /// What is forgotten too early can't be found anew, and is missing where it is read.
    #[test]
    fn what_is_read_is_kept_for_as_long_as_its_readers_look_back() {
        let rule = "title: a\nlogsource: {product: aws, service: cloudtrail}\ndetection: {s: {eventName: x}, condition: s}\n---\n";
        let over = |id: &str, of: &str, timespan: &str| {
            format!(
                "title: {id}\nid: {id}\ncorrelation: {{type: event_count, rules: [{of}], timespan: {timespan}, condition: {{gte: 2}}}}\n---\n"
            )
        };
        let yaml = [rule.to_owned(), over("last", "b", "7d"), over("b", "c", "1h"), over("c", "a", "5m")].concat();
        let collection = sigma::parse(&SourceFile::new("rules.yml", yaml));
        let (rules, errors) = RuleSet::compile(&collection, &Organisation::default());
        assert!(errors.is_empty(), "{}", errors[0]);
        let minutes: Vec<i64> = reaches(&rules).iter().map(|reach| reach.as_mins()).collect();
        let week = 7 * 24 * 60;
        assert_eq!(minutes, [5 + 60 + week, 60 + week, week]);
    }
}
