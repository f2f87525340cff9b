//! The one place that awaits: the order of effects.
//!
//! read objects → hold records against rules → remember → decide → claim → publish → mark. Whatever fails, fails the deliveries
//! that it came with and no others. What needs the least goes first: single events are told before first sightings are looked up,
//! and these before correlations count.

mod integrity;
mod read;
mod remember;
mod run;
mod screen;
mod tell;

use std::sync::Mutex;

use futures_util::{StreamExt as _, stream};

use crate::alerting::{self, Correlator, FirstSighting, KnownPairs, Published, Recalled};
use crate::engine::RuleSet;
use crate::finding::{Contribution, Finding};
use crate::outcome::Outcome;
use crate::ports::{Clock, ObjectStore, Publisher, StateStore, chain};
use crate::telemetry::{self, Event};
use crate::trail::Readers;
use crate::trigger::{Trigger, TriggerError};

pub use integrity::{advance, open};
use read::ObjectReport;
pub use remember::see;
use run::{Collected, Run};
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
    /// What this process knows of first sightings without asking.
    pub known: Mutex<KnownPairs>,
    /// What this process has told people, for when the memory can't be asked.
    pub published: Mutex<Published>,
    /// Objects read, and alerts published, at the same time.
    pub concurrency: usize,
}

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    /// Does what one invocation asks.
    ///
    /// # Errors
    /// When the payload is not understood. What goes wrong after that is in the [`Outcome`].
    pub async fn handle(&self, payload: &str) -> Result<Outcome, TriggerError> {
        let trigger = Trigger::parse(payload).inspect_err(|error| telemetry::emit(&Event::PayloadUnknown { error }))?;
        let mut run = Run::default();
        let objects = run.take(trigger);
        let reading: Vec<_> = objects.keys().map(|object| self.read(object)).collect();
        let reports: Vec<ObjectReport> = stream::iter(reading).buffered(self.concurrency.max(1)).collect().await;
        let Collected { findings, contributions } = run.collect(reports, &objects);
        let (sightings, matches) = findings.into_iter().partition(|finding| finding.first_seen().is_some());
        self.tell(&mut run, matches, &[]).await;
        self.see(&mut run, sightings).await;
        self.correlate(&mut run, contributions).await;
        let outcome = run.finish();
        telemetry::emit(&Event::Invocation { outcome: &outcome });
        Ok(outcome)
    }

    /// Tells of values that are new. Without the memory they wait for redelivery.
    async fn see(&self, run: &mut Run, mut findings: Vec<Finding>) {
        alerting::in_order(&mut findings);
        let sightings: Vec<FirstSighting> = findings.iter().filter_map(FirstSighting::of).collect();
        match see(&self.state, &self.known, sightings, self.clock.now()).await {
            Ok(Recalled { seen, unreadable }) => {
                unreadable.iter().for_each(|item| run.state_failed(item));
                self.tell(run, findings, &seen).await;
            }
            Err(error) => {
                run.state_failed(&error);
                run.fail_findings(findings.iter(), &chain(&error));
            }
        }
    }

    /// Tells of the episodes that these matches belong to. Without the memory they wait for redelivery.
    async fn correlate(&self, run: &mut Run, contributions: Vec<Contribution>) {
        if contributions.is_empty() {
            return;
        }
        let now = self.clock.now();
        let correlator = Correlator::new(&self.rules, contributions, now);
        match remember::correlate(&self.state, correlator, now).await {
            Ok(correlation) => {
                if correlation.cut > 0 {
                    telemetry::emit(&Event::CorrelationsCut { groups: correlation.cut });
                }
                correlation.unreadable.iter().for_each(|item| run.state_failed(item));
                let findings = run.correlated(correlation);
                self.tell(run, findings, &[]).await;
            }
            Err(error) => {
                run.state_failed(&error);
                run.fail_contributions(&chain(&error));
            }
        }
    }
}

impl Run {
    fn state_failed(&mut self, error: &dyn std::error::Error) {
        self.counts.state_failures += 1;
        telemetry::emit(&Event::StateFailed { error: &chain(error) });
    }
}
