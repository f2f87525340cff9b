//! The one place that awaits: the order of effects.
//!
//! read objects → hold records against rules → remember → decide → claim → publish → mark. Whatever fails, fails the deliveries
//! that it came with and no others. What needs the least goes first: single events are told before first sightings are looked up,
//! and these before correlations count. Objects are taken in waves, each of which is finished before the next begins, so that
//! little is open when an invocation's time runs out.

mod acquaint;
mod aside;
mod budget;
mod digests;
mod held;
mod integrity;
mod own;
mod read;
mod remember;
mod run;
mod screen;
mod take;
mod tell;
mod watched;

use std::sync::Mutex;

use jiff::Timestamp;

use crate::alerting::{self, Correlator, FirstSighting, KnownPairs, Published, Recalled};
use crate::engine::RuleSet;
use crate::finding::{Contribution, Finding};
use crate::outcome::{Cause, Failure, Outcome, RuleCounts};
use crate::outputs::Topic;
use crate::ports::{Clock, ObjectStore, PublicKeys, Publisher, StateError, StateStore, chain};
use crate::telemetry::{self, Event};
use crate::trail::{Readers, Scope};
use crate::trigger::{Trigger, Work};

use acquaint::Company;
pub use aside::Quarantine;
use budget::Budget;
pub use held::Holding;
pub use integrity::{Advanced, Unread, advance, open};
pub use remember::see;
use run::{Collected, Run};
pub use screen::{Screen, Screened, Told};
use watched::Watched;

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
    /// Whether alerts may be held back for a summary.
    pub holding: Holding,
    /// Objects read, and alerts published, at the same time.
    pub concurrency: usize,
    /// What is taken, and what becomes of what can't be.
    pub handling: Handling,
}

/// What is taken, and what becomes of what can't be. By default everything is taken, nothing is put aside, and trailhound
/// says nothing of itself.
#[derive(Debug)]
pub struct Handling {
    /// Which events are taken.
    pub scope: Scope,
    /// Where what can't be read is put aside.
    pub quarantine: Option<Quarantine>,
    /// What trailhound's own events are held against.
    pub own_rules: RuleSet,
    /// With what digest files are checked; without it they are counted.
    pub keys: Option<Box<dyn PublicKeys>>,
    /// Where alerts go, besides the usual topic.
    pub topics: Vec<Topic>,
    /// What came of loading the rules, and the data that they ask for.
    pub rules: RuleCounts,
    /// Memory that what rules find in one file may take, in bytes. A file with more counts as too large.
    pub max_found_bytes: usize,
}

/// [`Handling::max_found_bytes`], unless somebody knows how much memory there is. The largest file that CloudTrail writes has 50 MB.
pub const MAX_FOUND_BYTES: usize = 100 << 20;

impl Default for Handling {
    fn default() -> Self {
        Self {
            scope: Scope::default(),
            quarantine: None,
            own_rules: RuleSet::default(),
            keys: None,
            topics: Vec::new(),
            rules: RuleCounts::default(),
            max_found_bytes: MAX_FOUND_BYTES,
        }
    }
}

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    /// Does what one invocation asks, however long it takes.
    pub async fn handle(&self, payload: &str) -> Outcome {
        self.handle_until(payload, None).await
    }

    /// Does what one invocation asks. What there is no time for before it `ends` comes again.
    pub async fn handle_until(&self, payload: &str, ends: Option<Timestamp>) -> Outcome {
        let mut run = Run::new(Budget::new(self.clock.now(), ends));
        let trigger = Trigger::parse(payload);
        // A schedule names nothing to read: it asks for what is due.
        let is_tick = matches!(&trigger, Ok(Trigger::Direct(work)) if *work == Work::default());
        let wanted = run.take(trigger, payload);
        self.do_all(&mut run, wanted).await;
        self.summarise(&mut run, is_tick).await;
        self.tell_of_itself(&mut run).await;
        let rules = RuleCounts { loaded: self.rules.loaded() as u64, ..self.handling.rules };
        let outcome = Outcome { rules, ..run.finish() };
        telemetry::emit(&Event::Invocation { outcome: &outcome });
        outcome
    }

    /// Tells people what a wave gave.
    async fn follow_up(&self, run: &mut Run, collected: Collected) {
        let Collected { findings, contributions } = collected;
        let (sightings, matches): (Vec<Finding>, Vec<Finding>) =
            findings.into_iter().partition(|finding| finding.first_seen().is_some());
        run.company = Company::default();
        run.company.add(&matches);
        self.tell(run, matches, &[]).await;
        self.see(run, sightings).await;
        self.correlate(run, contributions).await;
    }

    /// Tells of values that are new. Without the memory they wait for redelivery.
    async fn see(&self, run: &mut Run, mut findings: Vec<Finding>) {
        if findings.is_empty() {
            return;
        }
        alerting::in_order(&mut findings);
        let sightings: Vec<FirstSighting> = findings.iter().filter_map(FirstSighting::of).collect();
        match see(&self.watched(run), &self.known, sightings, self.clock.now()).await {
            Ok(Recalled { seen, unreadable }) => {
                unreadable.iter().for_each(|item| run.state_failed(item));
                self.tell(run, findings, &seen).await;
            }
            Err(error) => {
                let failure = run.state_error(&error);
                run.fail_findings(findings.iter(), &failure);
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
        match remember::correlate(&self.watched(run), correlator, now).await {
            Ok(correlation) => {
                if correlation.cut > 0 {
                    telemetry::emit(&Event::CorrelationsCut { groups: correlation.cut });
                }
                correlation.unreadable.iter().for_each(|item| run.state_failed(item));
                let findings = run.correlated(correlation);
                self.tell(run, findings, &[]).await;
            }
            Err(error) => {
                let failure = run.state_error(&error);
                run.fail_contributions(&failure);
            }
        }
    }

    /// The memory, as long as there is time to ask it.
    fn watched(&self, run: &Run) -> Watched<'_, S, C> {
        Watched::new(&self.state, &self.clock, Some(run.budget.telling), &run.state_calls)
    }

    /// The memory, whatever the time: for what has to be written down once people were told.
    fn unhurried(&self, run: &Run) -> Watched<'_, S, C> {
        Watched::new(&self.state, &self.clock, None, &run.state_calls)
    }
}

impl Run {
    /// The memory could not be asked or told.
    fn state_failed(&mut self, error: &dyn std::error::Error) {
        self.counts.state_failures += 1;
        telemetry::emit(&Event::StateFailed { error: &chain(error) });
    }

    /// The same, and why deliveries fail for it.
    fn state_error(&mut self, error: &StateError) -> Failure {
        let why = chain(error);
        // A memory that isn't asked for want of time has not failed.
        if matches!(error, StateError::OutOfTime { .. }) {
            telemetry::emit(&Event::OutOfTime { why: &why });
            return Failure { cause: Cause::OutOfTime, why };
        }
        self.state_failed(error);
        Failure { cause: Cause::StateFailed, why }
    }
}
