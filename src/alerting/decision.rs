//! Tell, or hold back and say why.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::finding::{DedupKey, Finding, FindingUid, Kind};
use crate::sigma::Mode;
use crate::trail::EventIdentity;

use super::sighting::{Memory, PastAlert, Seen};

/// What becomes of a finding.
#[derive(Debug, Clone)]
pub enum Decision {
    /// People are told.
    Notify(Box<Alert>),
    /// Nobody is told.
    Hold {
        /// The finding.
        finding: Box<Finding>,
        /// Why.
        why: Hold,
    },
}

/// Why nobody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// First-seen: the value is known.
    Known,
    /// First-seen: the value is new, but the entity itself has not been known for long enough.
    Learning,
    /// An alert of the same dedup key was published less than a window away.
    Repeated,
    /// This very finding was told before: its event was delivered again.
    ToldBefore,
    /// The rule is being tried out: its mode is `dry-run`.
    DryRun,
}

impl Hold {
    /// A word for counts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Learning => "learning",
            Self::Repeated => "repeated",
            Self::ToldBefore => "told before",
            Self::DryRun => "dry run",
        }
    }
}

/// The decision to tell somebody.
#[derive(Debug, Clone)]
pub struct Alert {
    /// The first finding of it.
    pub finding: Finding,
    /// Further findings of the same dedup key, in order of event time.
    pub more: Vec<Finding>,
    /// What is known of earlier alerts.
    pub repetition: Repetition,
}

/// What is known of earlier alerts of the same dedup key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// This many findings were held back since the last alert.
    HeldSince(u64),
    /// The memory could not be asked, so this may have been told before.
    Unchecked,
}

impl Alert {
    /// The first finding and those that it speaks for.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(&self.finding).chain(&self.more)
    }

    /// The event time of the last.
    #[must_use]
    pub fn last_time(&self) -> Timestamp {
        self.more.last().map_or(self.finding.event.time, |finding| finding.event.time)
    }
}

/// Decides on findings that have been remembered. They have to be [`in_order`](super::in_order), as when they were.
///
/// Every finding comes back: in an alert, or held with its reason.
#[must_use]
pub fn decide(findings: Vec<Finding>, memory: &Memory) -> Vec<Decision> {
    let mut first_seen = memory.first.iter();
    let mut batch = Batch::default();
    for finding in findings {
        let hold = match &finding.kind {
            Kind::Match | Kind::Episode(_) => None,
            Kind::FirstSeen(first) => {
                let seen = first_seen.next();
                seen.and_then(|seen| hold_sighting(seen, finding.event.time, first.learning))
            }
        };
        let past = memory.alerts.get(&finding.dedup_key);
        let hold = hold.or_else(|| hold_repeated(&finding, past.map_or(&[], |past| past.published.as_slice())));
        match hold.or_else(|| hold_dry_run(&finding)) {
            Some(why) => batch.decisions.push(Decision::Hold { finding: Box::new(finding), why }),
            // One alert tells how many were held back; a second one of the same batch doesn't tell it again.
            None if batch.open.contains_key(&finding.dedup_key) => batch.tell(finding, Repetition::HeldSince(0)),
            None => batch.tell(finding, Repetition::HeldSince(past.map_or(0, |past| past.held))),
        }
    }
    batch.decisions
}

/// Decides on matches when the memory can't be asked: a duplicate is a nuisance, a lost alert a breach.
#[must_use]
pub fn decide_without_memory(matches: Vec<Finding>) -> Vec<Decision> {
    let mut batch = Batch::default();
    for finding in matches {
        match hold_dry_run(&finding) {
            Some(why) => batch.decisions.push(Decision::Hold { finding: Box::new(finding), why }),
            None => batch.tell(finding, Repetition::Unchecked),
        }
    }
    batch.decisions
}

fn hold_sighting(seen: &Seen, time: Timestamp, learning: jiff::SignedDuration) -> Option<Hold> {
    if !seen.is_new {
        return Some(Hold::Known);
    }
    (time.duration_since(seen.entity_since) < learning).then_some(Hold::Learning)
}

fn hold_dry_run(finding: &Finding) -> Option<Hold> {
    (finding.rule.mode == Mode::DryRun).then_some(Hold::DryRun)
}

fn hold_repeated(finding: &Finding, published: &[PastAlert]) -> Option<Hold> {
    let within = |alert: &PastAlert, span| finding.event.time.duration_since(alert.time).abs() <= span;
    let told = |alert: &&PastAlert| alert.told.contains(&finding.uid);
    let told_before = match &finding.kind {
        Kind::Match | Kind::Episode(_) => published.iter().any(|alert| told(&alert)),
        // Away for longer than the history, the value is news again.
        Kind::FirstSeen(first) => published.iter().filter(told).any(|alert| within(alert, first.history)),
    };
    if told_before {
        return Some(Hold::ToldBefore);
    }
    published.iter().any(|alert| within(alert, finding.rule.window)).then_some(Hold::Repeated)
}

/// Groups what one invocation brings: a burst is one alert.
#[derive(Default)]
struct Batch {
    decisions: Vec<Decision>,
    /// The latest alert of each key, by its place.
    open: HashMap<DedupKey, usize>,
    told: HashSet<(FindingUid, EventIdentity)>,
}

impl Batch {
    fn tell(&mut self, finding: Finding, repetition: Repetition) {
        // With the event, because a value can be new a second time when it was away for longer than the history.
        if !self.told.insert((finding.uid, finding.event.identity.clone())) {
            self.decisions.push(Decision::Hold { finding: Box::new(finding), why: Hold::ToldBefore });
            return;
        }
        let open = self.open.get(&finding.dedup_key).and_then(|&place| self.decisions.get_mut(place));
        if let Some(Decision::Notify(alert)) = open
            && finding.event.time.duration_since(alert.finding.event.time) <= finding.rule.window
        {
            alert.more.push(finding);
            return;
        }
        self.open.insert(finding.dedup_key, self.decisions.len());
        self.decisions.push(Decision::Notify(Box::new(Alert { finding, more: Vec::new(), repetition })));
    }
}
