//! The one place that awaits: the order of effects.
//!
//! read objects → hold records against rules → remember → decide → publish → mark. Publishing comes before marking: a
//! crash in between repeats an alert, the other order would lose it. Whatever fails, fails the deliveries that it came
//! with and no others.

mod read;
mod screen;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt as _, stream};

use crate::alerting::{self, Alert, Correlated, Correlator, Decision, Mark};
use crate::engine::RuleSet;
use crate::finding::{Contribution, Finding, FindingUid, Kind};
use crate::notify;
use crate::outcome::{Counts, Outcome};
use crate::ports::{Clock, ObjectStore, Publisher, StateStore, chain};
use crate::telemetry::{self, Event};
use crate::trail::Readers;
use crate::trigger::{Delivery, MessageId, ObjectRef, Trigger, TriggerError};

use read::ObjectReport;
pub use screen::{Screen, Screened, Told};

/// Everything between an invocation payload and its answer.
#[derive(Debug)]
pub struct Pipeline<O, S, P, C> {
    /// Where log files are.
    pub objects: O,
    /// What is remembered.
    pub state: S,
    /// Where alerts go.
    pub publisher: P,
    /// What time it is.
    pub clock: C,
    /// What records are held against.
    pub rules: RuleSet,
    /// What reads log files, and what one may cost.
    pub readers: Readers,
    /// What correlations count; lasts as long as the process.
    pub correlator: Mutex<Correlator>,
    /// Objects read, and alerts published, at the same time.
    pub concurrency: usize,
}

/// The place of a delivery in its invocation.
type DeliveryIndex = usize;

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    /// Does what one invocation asks.
    ///
    /// # Errors
    /// When the payload is not understood. What goes wrong after that is in the [`Outcome`].
    pub async fn handle(&self, payload: &str) -> Result<Outcome, TriggerError> {
        let trigger = Trigger::parse(payload).inspect_err(|error| telemetry::emit(&Event::PayloadUnknown { error }))?;
        let mut run = Run::default();
        let objects = run.take(trigger);
        let reports: Vec<ObjectReport> = stream::iter(objects.keys())
            .map(|object| self.read(object))
            .buffered(self.concurrency.max(1))
            .collect()
            .await;
        let findings = run.collect(reports, &objects, |contributions| self.correlate(contributions));
        self.tell(&mut run, findings).await;
        let outcome = run.finish();
        telemetry::emit(&Event::Invocation { outcome: &outcome });
        Ok(outcome)
    }

    /// Adds to what correlations count. A panic elsewhere leaves sets that are no worse for it.
    fn correlate(&self, contributions: Vec<Contribution>) -> alerting::Correlation {
        let mut correlator = self.correlator.lock().unwrap_or_else(PoisonError::into_inner);
        let result = correlator.add(&self.rules, contributions);
        correlator.forget(&self.rules);
        result
    }

    async fn tell(&self, run: &mut Run, findings: Vec<Finding>) {
        let decisions = self.decide(run, findings).await;
        let alerts: Vec<&Alert> = decisions.iter().filter_map(alert_of).collect();
        let results: Vec<_> = stream::iter(alerts)
            .map(async |alert| (alert, self.publisher.publish(&notify::render(alert, self.clock.now())).await))
            .buffered(self.concurrency.max(1))
            .collect()
            .await;
        let mut published = Vec::new();
        for (alert, result) in results {
            match result {
                Ok(()) => published.push(alert),
                Err(error) => {
                    telemetry::emit(&Event::PublishFailed { rule: &alert.finding.rule, error: &chain(&error) });
                    run.fail_findings(alert.findings(), &chain(&error));
                }
            }
        }
        run.counts.alerts += published.len() as u64;
        run.counts.told += published.iter().map(|alert| alert.findings().count() as u64).sum::<u64>();
        self.mark(run, alerting::marks(published, &decisions)).await;
        for decision in &decisions {
            if let Decision::Hold { why, .. } = decision {
                *run.counts.held.entry(*why).or_default() += 1;
            }
        }
    }

    /// Asks the memory. Without it matches are told all the same, and first-seen rules wait for redelivery.
    async fn decide(&self, run: &mut Run, findings: Vec<Finding>) -> Vec<Decision> {
        if findings.is_empty() {
            return Vec::new();
        }
        match self.state.record(&alerting::sightings(&findings)).await {
            Ok(memory) => alerting::decide(findings, &memory),
            Err(error) => {
                let error = chain(&error);
                telemetry::emit(&Event::StateFailed { error: &error });
                run.counts.state_failures += 1;
                let (matches, first_seen): (Vec<_>, Vec<_>) =
                    findings.into_iter().partition(|finding| !matches!(finding.kind, Kind::FirstSeen(_)));
                run.fail_findings(first_seen.iter(), &error);
                alerting::decide_without_memory(matches)
            }
        }
    }

    /// A failure here fails no delivery: its alerts are out, and delivering them again would only repeat them.
    async fn mark(&self, run: &mut Run, marks: Vec<Mark>) {
        if marks.is_empty() {
            return;
        }
        if let Err(error) = self.state.mark(&marks).await {
            run.counts.state_failures += 1;
            telemetry::emit(&Event::StateFailed { error: &chain(&error) });
        }
    }
}

fn alert_of(decision: &Decision) -> Option<&Alert> {
    match decision {
        Decision::Notify(alert) => Some(alert),
        Decision::Hold { .. } => None,
    }
}

/// What one invocation has come to so far.
#[derive(Default)]
struct Run {
    /// `None` for the one delivery of a direct invocation.
    message_ids: Vec<Option<MessageId>>,
    /// Which deliveries brought a finding.
    brought_by: HashMap<FindingUid, BTreeSet<DeliveryIndex>>,
    failures: BTreeMap<DeliveryIndex, String>,
    counts: Counts,
}

impl Run {
    /// Lists the objects to read, each once, with the deliveries that ask for it.
    fn take(&mut self, trigger: Trigger) -> BTreeMap<ObjectRef, Vec<DeliveryIndex>> {
        let deliveries = match trigger {
            Trigger::Direct(work) => vec![(None, Ok(work))],
            Trigger::Sqs(deliveries) => {
                deliveries.into_iter().map(|Delivery { message_id, work }| (Some(message_id), work)).collect()
            }
        };
        let mut objects: BTreeMap<ObjectRef, Vec<DeliveryIndex>> = BTreeMap::new();
        for (index, (message_id, work)) in deliveries.into_iter().enumerate() {
            self.counts.deliveries += 1;
            self.message_ids.push(message_id);
            match work {
                Ok(work) => {
                    self.counts.ignored += work.ignored;
                    for object in work.objects {
                        objects.entry(object).or_default().push(index);
                    }
                }
                Err(error) => {
                    telemetry::emit(&Event::PayloadUnknown { error: &error });
                    self.fail(index, &error.to_string());
                }
            }
        }
        objects
    }

    /// Brings the findings of all objects together, each event once, in order of event time.
    fn collect(
        &mut self,
        reports: Vec<ObjectReport>,
        objects: &BTreeMap<ObjectRef, Vec<DeliveryIndex>>,
        correlate: impl FnOnce(Vec<Contribution>) -> alerting::Correlation,
    ) -> Vec<Finding> {
        let mut places = HashMap::new();
        let mut findings: Vec<Finding> = Vec::new();
        let (mut contributions, mut contributed_by) = (Vec::new(), Vec::new());
        for (report, deliveries) in reports.into_iter().zip(objects.values()) {
            self.counts.add(&report.counts);
            if let Some(error) = &report.failure {
                deliveries.iter().for_each(|&index| self.fail(index, error));
            }
            contributed_by.extend(report.contributions.iter().map(|_| deliveries));
            contributions.extend(report.contributions);
            for mut finding in report.findings {
                self.brought_by.entry(finding.uid).or_default().extend(deliveries);
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
        let correlation = correlate(contributions);
        self.counts.incomplete += correlation.incomplete;
        self.counts.episodes = correlation.findings.len() as u64;
        for Correlated { finding, from } in correlation.findings {
            let deliveries = from.iter().flat_map(|&place| contributed_by[place]);
            self.brought_by.entry(finding.uid).or_default().extend(deliveries);
            findings.push(finding);
        }
        alerting::in_order(&mut findings);
        self.counts.findings = findings.len() as u64;
        findings
    }

    fn fail_findings<'f>(&mut self, findings: impl Iterator<Item = &'f Finding>, error: &str) {
        for finding in findings {
            self.counts.findings_failed += 1;
            for index in self.brought_by.get(&finding.uid).cloned().unwrap_or_default() {
                self.fail(index, error);
            }
        }
    }

    /// The first reason stands: what follows is often its consequence.
    fn fail(&mut self, index: DeliveryIndex, error: &str) {
        self.failures.entry(index).or_insert_with(|| error.to_owned());
    }

    fn finish(mut self) -> Outcome {
        self.counts.deliveries_failed = self.failures.len() as u64;
        Outcome::new(&self.message_ids, self.failures, self.counts)
    }
}
