//! What one invocation has come to so far.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::alerting::{Correlated, Correlation, Decision};
use crate::finding::{Contribution, Finding, FindingUid};
use crate::outcome::{Counts, Outcome};
use crate::telemetry::{self, Event};
use crate::trigger::{Delivery, MessageId, ObjectRef, Trigger};

use super::read::ObjectReport;

/// The place of a delivery in its invocation.
type DeliveryIndex = usize;
/// Objects to read, and the deliveries that ask for each.
pub(super) type Objects = BTreeMap<ObjectRef, Vec<DeliveryIndex>>;

/// What one invocation has come to so far.
#[derive(Default)]
pub(super) struct Run {
    /// `None` for the one delivery of a direct invocation.
    message_ids: Vec<Option<MessageId>>,
    /// Which deliveries brought a finding.
    brought_by: HashMap<FindingUid, BTreeSet<DeliveryIndex>>,
    /// Which deliveries brought each contribution to correlations.
    contributed_by: Vec<Vec<DeliveryIndex>>,
    failures: BTreeMap<DeliveryIndex, String>,
    pub(super) counts: Counts,
}

/// What the objects of one invocation gave, each event once.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) findings: Vec<Finding>,
    pub(super) contributions: Vec<Contribution>,
}

impl Run {
    /// Lists the objects to read, each once, with the deliveries that ask for it.
    pub(super) fn take(&mut self, trigger: Trigger) -> Objects {
        let deliveries = match trigger {
            Trigger::Direct(work) => vec![(None, Ok(work))],
            Trigger::Sqs(deliveries) => {
                deliveries.into_iter().map(|Delivery { message_id, work }| (Some(message_id), work)).collect()
            }
        };
        let mut objects = Objects::new();
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

    /// Brings what all objects gave together.
    pub(super) fn collect(&mut self, reports: Vec<ObjectReport>, objects: &Objects) -> Collected {
        let mut places = HashMap::new();
        let mut collected = Collected::default();
        let findings = &mut collected.findings;
        for (report, deliveries) in reports.into_iter().zip(objects.values()) {
            self.counts.add(&report.counts);
            if let Some(error) = &report.failure {
                deliveries.iter().for_each(|&index| self.fail(index, error));
            }
            self.contributed_by.extend(report.contributions.iter().map(|_| deliveries.clone()));
            collected.contributions.extend(report.contributions);
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
        self.counts.findings += findings.len() as u64;
        collected
    }

    /// Takes what correlations made of the contributions.
    pub(super) fn correlated(&mut self, correlation: Correlation) -> Vec<Finding> {
        self.counts.incomplete += correlation.incomplete;
        self.counts.episodes = correlation.findings.len() as u64;
        self.counts.findings += self.counts.episodes;
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
    pub(super) fn fail_contributions(&mut self, error: &str) {
        for index in std::mem::take(&mut self.contributed_by).into_iter().flatten() {
            self.fail(index, error);
        }
    }

    pub(super) fn fail_findings<'f>(&mut self, findings: impl Iterator<Item = &'f Finding>, error: &str) {
        for finding in findings {
            self.counts.findings_failed += 1;
            for index in self.brought_by.get(&finding.uid).cloned().unwrap_or_default() {
                self.fail(index, error);
            }
        }
    }

    /// Counts what was held back, and has what waits for another process come again.
    pub(super) fn held(&mut self, decisions: &[Decision]) {
        for decision in decisions {
            match decision {
                Decision::Hold { why, .. } => *self.counts.held.entry(*why).or_default() += 1,
                Decision::Wait(finding) => {
                    telemetry::emit(&Event::AlertClaimed { rule: &finding.rule });
                    let error = "another process is about to tell an alert that speaks for this one; should it fail, this one has to be told";
                    self.fail_findings(std::iter::once(&**finding), error);
                }
                Decision::Notify(_) => {}
            }
        }
    }

    /// The first reason stands: what follows is often its consequence.
    fn fail(&mut self, index: DeliveryIndex, error: &str) {
        self.failures.entry(index).or_insert_with(|| error.to_owned());
    }

    pub(super) fn finish(mut self) -> Outcome {
        self.counts.deliveries_failed = self.failures.len() as u64;
        Outcome::new(&self.message_ids, self.failures, self.counts)
    }
}
