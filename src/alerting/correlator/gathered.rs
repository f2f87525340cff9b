//! What counts for a group, brought together from what is at hand, what was written down, and the correlations in between.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::{CompiledCorrelation, RuleInfo, RuleSet};

use super::super::correlation::Observation;
use super::Group;
use super::found::{Found, Source};
use super::noted::Noted;

/// What counts for a group, each once.
pub(super) struct Gathered<'r> {
    rules: &'r RuleSet,
    correlation: &'r CompiledCorrelation,
    known: HashMap<(String, usize), usize>,
    pub(super) observations: Vec<Observation>,
    /// Where each of them comes from.
    pub(super) sources: Vec<Source<'r>>,
}

impl<'r> Gathered<'r> {
    pub(super) fn new(rules: &'r RuleSet, correlation: &'r CompiledCorrelation) -> Self {
        Self { rules, correlation, known: HashMap::new(), observations: Vec::new(), sources: Vec::new() }
    }

    pub(super) fn add(&mut self, noted: &Arc<Noted>) {
        let Some((place, rule)) = self.part(&noted.by) else { return };
        let (event, number) = (noted.identity().to_string(), noted.number());
        let observation = Observation { event, rule: place, time: noted.time, values: noted.values.clone(), number };
        self.keep(observation, || Source::of(noted, rule));
    }

    /// An episode of a correlation that this one reads.
    pub(super) fn add_episode(&mut self, inner: &RuleInfo, group: &Group, found: &Found) {
        let own = &self.correlation.info.id;
        let onward = found.onward.iter().find(|onward| onward.to == *own && onward.part == inner.id);
        let Some(onward) = onward.filter(|onward| onward.group.as_ref() == Some(group)) else { return };
        let Some((place, rule)) = self.part(&inner.id) else { return };
        let (event, values) =
            (found.uid.to_string(), onward.values.iter().map(|value| value.as_str().into()).collect());
        let observation = Observation { event, rule: place, time: found.start, values, number: onward.number() };
        self.keep(observation, || Source::of_episode(found, rule));
    }

    /// Which of its rules has this id. One that was taken out of the correlation counts no more.
    fn part(&self, id: &str) -> Option<(usize, &'r Arc<RuleInfo>)> {
        let rules = self.correlation.parts().iter().map(|part| self.rules.part(*part));
        rules.enumerate().find(|(_, rule)| rule.id == id)
    }

    fn keep(&mut self, observation: Observation, source: impl FnOnce() -> Source<'r>) {
        let name = (observation.event.clone(), observation.rule);
        match self.known.get(&name) {
            None => {
                self.known.insert(name, self.observations.len());
                self.observations.push(observation);
                self.sources.push(source());
            }
            // What is at hand says more than what was written down of it.
            Some(&place) if self.sources[place].main().is_none() => self.sources[place] = source(),
            Some(_) => {}
        }
    }
}
