//! Tell, or hold back and say why.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::engine::RuleInfo;
use crate::finding::{DedupKey, Finding, FindingUid, FirstSeen};
use crate::sigma::Mode;
use crate::trail::EventIdentity;

use super::acquaintance::Acquaintance;
use super::ledger::{Ledgers, Teller};
use super::limit::Limit;
use super::published::Published;
use super::sighting::Seen;

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
    /// People are told later, in a summary: it is put by until then.
    Keep {
        /// What they would have been told.
        alert: Box<Alert>,
        /// Why not now.
        limit: Limit,
        /// When the summary is due.
        until: Timestamp,
    },
    /// Another process is telling an alert of the same dedup key. Should it fail, this one has to be told, so its delivery
    /// comes again.
    Wait(Box<Finding>),
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
    /// The rule is milder than what people want to be told of: it is context.
    BelowLevel,
    /// The rule's quiet hours; a summary tells of it.
    Quiet,
    /// Enough of the rule has been told; a summary tells of it.
    Capped,
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
            Self::BelowLevel => "below level",
            Self::Quiet => "quiet",
            Self::Capped => "capped",
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
    /// What is known about the caller.
    pub acquaintance: Acquaintance,
}

/// What is known of earlier alerts of the same dedup key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// This many findings were held back since the last alert.
    HeldSince(u64),
    /// More than this many: not all could be read. 0 when none could.
    HeldSinceMoreThan(u64),
    /// The memory could not be asked, so this may have been told before.
    Unchecked,
}

impl Alert {
    /// The first finding and those that it speaks for.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(&self.finding).chain(&self.more)
    }

    /// How many findings it tells of.
    #[must_use]
    pub fn count(&self) -> usize {
        let held = self.finding.summary().and_then(|summary| usize::try_from(summary.count()).ok());
        held.unwrap_or(1 + self.more.len())
    }

    /// The event time of the last.
    #[must_use]
    pub fn last_time(&self) -> Timestamp {
        let last = || self.more.last().unwrap_or(&self.finding).time();
        self.finding.summary().map_or_else(last, |summary| summary.until)
    }
}

impl Decision {
    /// The alert, if people are told.
    #[must_use]
    pub fn alert(&self) -> Option<&Alert> {
        match self {
            Self::Notify(alert) => Some(alert),
            Self::Keep { .. } | Self::Hold { .. } | Self::Wait(_) => None,
        }
    }

    /// The same, to add what is known of it.
    pub fn alert_mut(&mut self) -> Option<&mut Alert> {
        match self {
            Self::Notify(alert) => Some(alert),
            Self::Keep { .. } | Self::Hold { .. } | Self::Wait(_) => None,
        }
    }

    /// What it decides on.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let (one, more) = match self {
            Self::Notify(alert) | Self::Keep { alert, .. } => (&alert.finding, alert.more.as_slice()),
            Self::Hold { finding, .. } | Self::Wait(finding) => (&**finding, [].as_slice()),
        };
        std::iter::once(one).chain(more)
    }

    /// The same key for all of them.
    #[must_use]
    pub fn dedup_key(&self) -> DedupKey {
        match self {
            Self::Notify(alert) | Self::Keep { alert, .. } => alert.finding.dedup_key,
            Self::Hold { finding, .. } | Self::Wait(finding) => finding.dedup_key,
        }
    }

    /// Takes it apart again, to decide anew.
    #[must_use]
    pub fn into_findings(self) -> Vec<Finding> {
        match self {
            Self::Notify(alert) | Self::Keep { alert, .. } => {
                std::iter::once(alert.finding).chain(alert.more).collect()
            }
            Self::Hold { finding, .. } | Self::Wait(finding) => vec![*finding],
        }
    }
}

/// Sorts findings as [`decide`] takes them: by event time, the same on each run.
pub fn in_order(findings: &mut [Finding]) {
    let place = |finding: &Finding| (finding.time(), finding.uid);
    findings.sort_by(|a, b| (place(a), &a.event.identity).cmp(&(place(b), &b.event.identity)));
}

/// Holds back what is no news whatever was told before: known values, entities that are being learned, rules that are tried
/// out or that are too mild. `seen` answers for the findings of first-seen rules, in their order. The others are to be decided on.
#[must_use]
pub fn judge(findings: Vec<Finding>, seen: &[Seen]) -> (Vec<Finding>, Vec<Decision>) {
    let mut seen = seen.iter();
    let mut open = Vec::new();
    let mut decided = Vec::new();
    for finding in findings {
        let why = finding.first_seen().and_then(|first| hold_sighting(seen.next()?, finding.event.time, first));
        match why.or_else(|| hold_untold(&finding.rule)) {
            Some(why) => decided.push(Decision::Hold { finding: Box::new(finding), why }),
            None => open.push(finding),
        }
    }
    (open, decided)
}

/// Decides on findings by what was told before. They have to be [`in_order`].
///
/// Every finding comes back: in an alert, held with its reason, or to wait.
#[must_use]
pub fn decide(findings: Vec<Finding>, ledgers: &Ledgers, published: &mut Published, teller: &Teller) -> Vec<Decision> {
    let mut batch = Batch::default();
    for finding in findings {
        let ledger = ledgers.get(finding.dedup_key);
        let why = ledger.and_then(|ledger| ledger.holds(&finding, teller.now));
        // That an alert is out could not always be written down.
        let told = || published.holds(&finding).filter(|why| *why == Hold::ToldBefore);
        if let Some(why) = why.or_else(told) {
            batch.decisions.push(Decision::Hold { finding: Box::new(finding), why });
        } else if ledger.is_some_and(|ledger| ledger.is_claimed(teller)) {
            batch.decisions.push(Decision::Wait(Box::new(finding)));
        } else {
            // How many were held back is asked once it is certain that somebody is told.
            batch.tell(finding, Repetition::HeldSince(0));
        }
    }
    batch.decisions
}

/// Decides when the memory can't be asked, by what this process has told itself: a duplicate is a nuisance, a lost alert a
/// breach.
#[must_use]
pub fn decide_without_memory(findings: Vec<Finding>, published: &mut Published) -> Vec<Decision> {
    let mut batch = Batch::default();
    for finding in findings {
        match published.holds(&finding) {
            Some(why) => batch.decisions.push(Decision::Hold { finding: Box::new(finding), why }),
            None => batch.tell(finding, Repetition::Unchecked),
        }
    }
    batch.decisions
}

fn hold_sighting(seen: &Seen, time: Timestamp, first: &FirstSeen) -> Option<Hold> {
    if first.is_known || !seen.is_new {
        return Some(Hold::Known);
    }
    (time.duration_since(seen.entity_since) < first.learning).then_some(Hold::Learning)
}

fn hold_untold(rule: &RuleInfo) -> Option<Hold> {
    match rule.mode {
        Mode::DryRun => Some(Hold::DryRun),
        Mode::Live => rule.tuning.is_context.then_some(Hold::BelowLevel),
    }
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
            && finding.time().duration_since(alert.finding.time()) <= finding.rule.window
        {
            alert.more.push(finding);
            return;
        }
        self.open.insert(finding.dedup_key, self.decisions.len());
        self.decisions.push(Decision::Notify(Box::new(Alert {
            finding,
            more: Vec::new(),
            repetition,
            acquaintance: Acquaintance::default(),
        })));
    }
}
