//! What one invocation has come to so far.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::alerting::{Correlated, Correlation, Decision};
use crate::finding::{Contribution, Finding, FindingUid};
use crate::outcome::{Cause, Counts, Failure, Outcome, REPEATED, SelfAlert};
use crate::own::OwnEvent;
use crate::telemetry::{self, Event};
use crate::trigger::{Delivery, MessageId, Prefix, Rejected, Trigger, TriggerError, Work};

use super::acquaint::Company;
use super::budget::Budget;
use super::take::{Read, Wanted};

/// The place of a delivery in its invocation.
pub(super) type DeliveryIndex = usize;

/// What one invocation has come to so far.
pub(super) struct Run {
    pub(super) budget: Budget,
    deliveries: Vec<Received>,
    is_batch: bool,
    /// Which deliveries brought a finding.
    brought_by: HashMap<FindingUid, BTreeSet<DeliveryIndex>>,
    /// Which deliveries brought each contribution of this wave to correlations.
    contributed_by: Vec<Vec<DeliveryIndex>>,
    failures: BTreeMap<DeliveryIndex, Failure>,
    /// What trailhound has to say of itself.
    pub(super) own: Vec<(OwnEvent, Vec<DeliveryIndex>)>,
    pub(super) counts: Counts,
    /// The findings of this wave.
    pub(super) company: Company,
    lags: Vec<u64>,
    is_listing: bool,
    next: Option<Prefix>,
    /// How long to wait, time after time, for what other processes are about to tell.
    pub(super) pauses: std::slice::Iter<'static, Duration>,
    pub(super) state_calls: Arc<AtomicU64>,
}

/// Publishing and marking take less than a second. Of who takes longer than all of these nobody knows whether he lives, and the
/// deliveries come again.
const PAUSES: &[Duration] = &[Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// A delivery as it was received.
pub(super) struct Received {
    /// `None` for the one delivery of a direct invocation.
    pub(super) message_id: Option<MessageId>,
    pub(super) attempt: Option<u32>,
    /// Somebody has history read anew.
    is_history: bool,
}

/// What the objects of one wave gave, each event once.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) findings: Vec<Finding>,
    pub(super) contributions: Vec<Contribution>,
}

impl Run {
    pub(super) fn new(budget: Budget) -> Self {
        Self {
            budget,
            deliveries: Vec::new(),
            is_batch: false,
            brought_by: HashMap::new(),
            contributed_by: Vec::new(),
            failures: BTreeMap::new(),
            own: Vec::new(),
            counts: Counts::default(),
            company: Company::default(),
            lags: Vec::new(),
            is_listing: false,
            next: None,
            pauses: PAUSES.iter(),
            state_calls: Arc::default(),
        }
    }

    /// Lists what is to be done, each object once, with the deliveries that ask for it.
    pub(super) fn take(&mut self, trigger: Result<Trigger, TriggerError>, payload: &str) -> Wanted {
        let rejected = |error| Rejected { error, payload: payload.to_owned() };
        let mut wanted = Wanted::default();
        match trigger {
            Ok(Trigger::Batch(deliveries)) => {
                self.is_batch = true;
                for Delivery { message_id, attempt, work } in deliveries {
                    self.receive(
                        Received { message_id: Some(message_id), attempt, is_history: false },
                        work,
                        &mut wanted,
                    );
                }
            }
            Ok(Trigger::Direct(work)) => self.receive(Received::DIRECT, Ok(work), &mut wanted),
            Err(error @ TriggerError::Batch { .. }) => {
                // Put aside, it would be acknowledged with all its messages.
                telemetry::emit(&Event::PayloadUnknown { error: &error });
                self.receive(Received::DIRECT, Ok(Work::default()), &mut wanted);
                self.counts.fail(Cause::NotUnderstood);
                self.fail(0, Failure { cause: Cause::NotUnderstood, why: error.to_string() });
            }
            Err(error) => self.receive(Received::DIRECT, Err(rejected(error)), &mut wanted),
        }
        wanted
    }

    fn receive(&mut self, mut received: Received, work: Result<Work, Rejected>, wanted: &mut Wanted) {
        let index = self.deliveries.len();
        received.is_history = work.as_ref().is_ok_and(|work| work.is_history);
        self.deliveries.push(received);
        self.counts.deliveries += 1;
        match work {
            Ok(work) => {
                self.counts.ignored += work.ignored;
                for object in work.objects {
                    wanted.objects.entry(object).or_default().push(index);
                }
                wanted.records.extend(work.records.into_iter().map(|inline| (inline, index)));
                self.is_listing |= !work.prefixes.is_empty();
                wanted.prefixes.extend(work.prefixes.into_iter().map(|prefix| (prefix, index)));
            }
            Err(Rejected { error: error @ TriggerError::NoRoom, .. }) => {
                let why = error.to_string();
                telemetry::emit(&Event::OutOfTime { why: &why });
                self.counts.fail(Cause::OutOfTime);
                self.fail(index, Failure { cause: Cause::OutOfTime, why });
            }
            Err(rejected) => wanted.rejected.push((rejected, index)),
        }
    }

    /// Brings what a wave gave together.
    pub(super) fn collect(&mut self, read: Vec<Read>) -> Collected {
        let mut places = HashMap::new();
        let mut collected = Collected::default();
        let findings = &mut collected.findings;
        self.contributed_by.clear();
        for (report, deliveries) in read {
            self.counts.add(&report.counts);
            if let Some(failure) = &report.failure {
                deliveries.iter().for_each(|&index| self.fail(index, failure.clone()));
            }
            let own = report.own.into_iter().filter(|event| event.alert == SelfAlert::AtOnce);
            self.own.extend(own.map(|event| (event, deliveries.clone())));
            self.contributed_by.extend(report.contributions.iter().map(|_| deliveries.clone()));
            collected.contributions.extend(report.contributions);
            for mut finding in report.findings {
                self.brought_by.entry(finding.uid).or_default().extend(&deliveries);
                match places.entry((finding.uid, finding.event.identity.clone())) {
                    Entry::Vacant(place) => {
                        place.insert(findings.len());
                        findings.push(finding);
                    }
                    Entry::Occupied(place) => {
                        findings[*place.get()].collapse(&mut finding);
                        self.counts.duplicates += 1;
                    }
                }
            }
        }
        self.counts.findings += findings.len() as u64;
        collected
    }

    /// Takes what correlations made of the contributions.
    pub(super) fn correlated(&mut self, correlation: Correlation) -> Vec<Finding> {
        self.counts.incomplete += correlation.incomplete;
        self.counts.episodes += correlation.findings.len() as u64;
        self.counts.findings += correlation.findings.len() as u64;
        // The findings of a group share their places, and there may be many of both.
        let mut latest: Option<(Arc<BTreeSet<usize>>, BTreeSet<DeliveryIndex>)> = None;
        let each = |Correlated { finding, from }: Correlated| {
            if !latest.as_ref().is_some_and(|(places, _)| Arc::ptr_eq(places, &from)) {
                let deliveries = from.iter().flat_map(|&place| &self.contributed_by[place]).copied().collect();
                latest = Some((from, deliveries));
            }
            let deliveries = latest.iter().flat_map(|(_, deliveries)| deliveries);
            self.brought_by.entry(finding.uid).or_default().extend(deliveries);
            finding
        };
        correlation.findings.into_iter().map(each).collect()
    }

    /// What was to be counted could not be: whatever brought it has to come again.
    pub(super) fn fail_contributions(&mut self, failure: &Failure) {
        self.counts.fail(failure.cause);
        for index in std::mem::take(&mut self.contributed_by).into_iter().flatten() {
            self.fail(index, failure.clone());
        }
    }

    pub(super) fn fail_findings<'f>(&mut self, findings: impl Iterator<Item = &'f Finding>, failure: &Failure) {
        for finding in findings {
            self.counts.findings_failed += 1;
            self.counts.fail(failure.cause);
            for index in self.brought_by.get(&finding.uid).cloned().unwrap_or_default() {
                self.fail(index, failure.clone());
            }
        }
    }

    /// Counts what was held back, and has what waits for another process come again.
    pub(super) fn held(&mut self, decisions: &[Decision]) {
        for decision in decisions {
            match decision {
                Decision::Hold { why, .. } => *self.counts.held.entry(*why).or_default() += 1,
                Decision::Keep { alert, limit, .. } => {
                    *self.counts.held.entry((*limit).into()).or_default() += alert.count() as u64;
                }
                Decision::Wait(finding) => {
                    telemetry::emit(&Event::AlertClaimed { rule: &finding.rule });
                    let why = "another process is about to tell an alert that speaks for this one; should it fail, this one has to be told";
                    let failure = Failure { cause: Cause::Claimed, why: why.to_owned() };
                    self.fail_findings(std::iter::once(&**finding), &failure);
                }
                Decision::Notify(_) => {}
            }
        }
    }

    /// Notes how long after their events findings were told.
    pub(super) fn told<'f>(&mut self, findings: impl Iterator<Item = &'f Finding>, now: Timestamp) {
        // How old history is says nothing of how fast this is.
        let has_history = self.deliveries.iter().any(|received| received.is_history);
        for finding in findings {
            self.counts.told += 1;
            if finding.event.time_is_known && !has_history && !finding.is_own() {
                let lag = now.duration_since(finding.event.time).as_millis();
                self.lags.push(u64::try_from(lag).unwrap_or_default());
            }
        }
    }

    /// A listing that there was no time to go through. Who invoked the function directly is told where it goes on; a message
    /// would begin anew each time.
    pub(super) fn goes_on(&mut self, prefix: Prefix, index: DeliveryIndex) {
        if self.is_batch {
            let why = format!(
                "there are more objects below {prefix} than one invocation has time for; invoke the function with it directly, which answers where to go on"
            );
            telemetry::emit(&Event::OutOfTime { why: &why });
            self.counts.fail(Cause::OutOfTime);
            self.fail(index, Failure { cause: Cause::OutOfTime, why });
        } else {
            let why = format!("there was no time for all below {prefix}; {} goes on there", prefix.payload());
            telemetry::emit(&Event::OutOfTime { why: &why });
            self.next = Some(prefix);
        }
    }

    /// A listing of which the rest can't be had. Whoever goes on by the answer must not take that for the end: it is an error, before
    /// those of single objects.
    pub(super) fn breaks_off(&mut self, index: DeliveryIndex, failure: Failure) {
        telemetry::emit(&Event::ListingFailed { error: &failure.why });
        self.is_listing = false;
        self.counts.fail(failure.cause);
        self.failures.insert(index, failure);
    }

    /// The first reason stands: what follows is often its consequence.
    pub(super) fn fail(&mut self, index: DeliveryIndex, failure: Failure) {
        self.failures.entry(index).or_insert(failure);
    }

    /// How much that was found could not be told so far.
    pub(super) fn untold(&self) -> u64 {
        let causes = [Cause::PublishFailed, Cause::StateFailed, Cause::Claimed, Cause::OutOfTime];
        causes.iter().filter_map(|cause| self.counts.failed.get(cause)).sum()
    }

    /// Whether all of these have history read anew.
    pub(super) fn is_history(&self, deliveries: &[DeliveryIndex]) -> bool {
        // OK because the indices are places in this list.
        deliveries.iter().all(|&index| self.deliveries[index].is_history)
    }

    /// Whether a delivery is a record of a stream, which nobody counts the tries of.
    pub(super) fn is_stream(&self, index: DeliveryIndex) -> bool {
        // OK because the indices are places in this list.
        self.is_batch && self.deliveries[index].attempt.is_none()
    }

    /// Whether a delivery has been tried so often that people have to know. A stream counts no tries, and stands still until one
    /// succeeds; Lambda tries direct events again by itself, and then hands them on.
    pub(super) fn has_been_tried(&self, index: DeliveryIndex) -> bool {
        // OK because the indices are places in this list.
        self.deliveries[index].attempt.map_or(self.is_batch, |attempt| attempt >= REPEATED)
    }

    /// The deliveries that failed by now.
    pub(super) fn failed(&self) -> impl Iterator<Item = (&Received, DeliveryIndex, &Failure)> {
        // OK because the indices are places in this list.
        self.failures.iter().map(|(&index, failure)| (&self.deliveries[index], index, failure))
    }

    pub(super) fn finish(self) -> Outcome {
        let Self { deliveries, failures, mut counts, lags, is_batch, is_listing, next, state_calls, .. } = self;
        counts.deliveries_failed = failures.len() as u64;
        counts.state_calls = state_calls.load(Ordering::Relaxed);
        // OK because the indices are places in this list.
        let failures = failures.into_iter().map(|(index, failure)| (deliveries[index].message_id.clone(), failure));
        let failures = failures.collect();
        Outcome { counts, lags, failures, is_batch, is_listing, next, ..Outcome::default() }
    }
}

impl Received {
    const DIRECT: Self = Self { message_id: None, attempt: None, is_history: false };
}
