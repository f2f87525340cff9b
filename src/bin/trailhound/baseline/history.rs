//! What a history shows, each entity and value once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};
use trailhound::alerting::{EntityKey, FirstSighting};
use trailhound::engine::{FirstSeenPlan, RuleInfo, RuleSet};
use trailhound::finding::FindingUid;
use trailhound::notify;
use trailhound::outcome::Counts;

use crate::note;
use crate::scan::work::FileReport;

const MAX_TITLE: usize = 300;

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct History {
    /// All that is kept of a history of any length.
    pairs: HashMap<FindingUid, FirstSighting>,
    pub(super) counts: Counts,
    /// Places that could not be listed.
    pub(super) unlisted: usize,
    /// Files that are no log files.
    pub(super) skipped: u64,
}

/// A stretch of event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: Timestamp,
    to: Timestamp,
}

/// What a rule learned.
#[derive(Debug, Default)]
struct Learned {
    /// Since when each is known.
    entities: HashMap<EntityKey, Timestamp>,
    pairs: u64,
    span: Option<Span>,
}

impl History {
    /// Takes what a file gave.
    pub(super) fn add(&mut self, report: &FileReport) {
        self.counts.add(&report.counts);
        report.problems.iter().for_each(|problem| note(problem));
        let sightings = report.sightings.iter().filter_map(FirstSighting::of);
        sightings.for_each(|sighting| self.sighting(sighting.as_known()));
    }

    /// A place that could not be listed.
    pub(super) fn unlisted(&mut self, why: &str) {
        self.unlisted += 1;
        note(why);
    }

    /// Of all events that show the same, the memory needs to know when the first and the last were. That a value was away for
    /// longer than the rule's history in between makes it news for the function; here, where nobody is told of news, it
    /// makes no difference to what is remembered.
    fn sighting(&mut self, sighting: FirstSighting) {
        match self.pairs.entry(sighting.pair) {
            Entry::Vacant(vacant) => drop(vacant.insert(sighting)),
            Entry::Occupied(known) => {
                let known = known.into_mut();
                known.time = known.time.min(sighting.time);
                known.until = known.until.max(sighting.until);
            }
        }
    }

    /// Entities and values.
    pub(super) fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// In order of event time, as the memory takes them: an entity is known since the first that is written.
    pub(super) fn in_order(&self) -> Vec<FirstSighting> {
        let mut all: Vec<FirstSighting> = self.pairs.values().cloned().collect();
        all.sort_by_key(|sighting| (sighting.time, sighting.pair));
        all
    }

    /// Says what each rule learned.
    pub(super) fn print(&self, rules: &RuleSet, out: &mut impl Write) -> io::Result<()> {
        let mut by_rule: HashMap<&str, Learned> = HashMap::new();
        for sighting in self.pairs.values() {
            by_rule.entry(sighting.rule.id.as_str()).or_default().add(sighting);
        }
        let whole = by_rule.values().filter_map(|learned| learned.span).reduce(Span::and);
        for (rule, plan) in rules.first_seen() {
            let learned = by_rule.remove(rule.id.as_str()).unwrap_or_default();
            learned.print(rule, plan, whole, out)?;
        }
        Ok(())
    }
}

impl Span {
    fn of(sighting: &FirstSighting) -> Self {
        Self { from: sighting.time, to: sighting.until }
    }

    fn and(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }

    fn length(self) -> SignedDuration {
        self.to.duration_since(self.from)
    }
}

impl Learned {
    fn add(&mut self, sighting: &FirstSighting) {
        let since = self.entities.entry(sighting.entity).or_insert(sighting.time);
        *since = sighting.time.min(*since);
        self.pairs += 1;
        let span = Span::of(sighting);
        self.span = Some(self.span.map_or(span, |all| all.and(span)));
    }

    /// `history`: what was read for all rules.
    fn print(
        &self,
        rule: &RuleInfo,
        plan: &FirstSeenPlan,
        history: Option<Span>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        writeln!(out, "{}", notify::line(&rule.title, MAX_TITLE))?;
        let (Some(span), Some(history)) = (self.span, history) else {
            return writeln!(out, "    nothing in this history");
        };
        let (entities, pairs) = (self.entities.len(), self.pairs);
        let length = words(span.length());
        writeln!(
            out,
            "    {entities} entities, {pairs} pairs of entity and value, from {} to {} ({length})",
            span.from, span.to
        )?;
        let young = self.entities.values().filter(|since| history.to.duration_since(**since) < plan.learning).count();
        let learning = words(plan.learning);
        if history.length() < plan.learning {
            writeln!(
                out,
                "    hint: this rule holds back an entity's new values for its first {learning}, and the history is shorter; read more of it if there is more"
            )?;
        } else if young > 0 {
            writeln!(
                out,
                "    {young} of the entities were known for less than {learning} when the history ended: until then their new values are held back"
            )?;
        }
        Ok(())
    }
}

fn words(duration: SignedDuration) -> String {
    match duration.as_hours() {
        hours @ 0..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_the_unit_that_says_something() {
        let told = [0, 47, 48, 24 * 90].map(|hours| words(SignedDuration::from_hours(hours)));
        assert_eq!(told, ["0 hours", "47 hours", "2 days", "90 days"]);
    }
}
