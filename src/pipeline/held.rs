//! Alerts that the limits of their rules hold back: put by, and told in summaries.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::alerting::{Alert, Decision, Due, Item, Limiter, Stretch, Teller, Tellings, all_kept, due_by};
use crate::engine::RuleInfo;
use crate::outcome::{Cause, Failure};
use crate::ports::{Clock, ObjectStore, Publisher, StateError, StateStore};
use crate::telemetry::{self, Event};

use super::Pipeline;
use super::remember::{MAX_ROUNDS, swap};
use super::run::Run;
use super::tell::Sent;

/// Whether alerts may be held back for a summary, and when that is told.
#[derive(Debug)]
pub struct Holding {
    /// What is put by must outlive the process.
    lasts: bool,
    /// Every invocation tells what is due, and not only a schedule's.
    is_told_always: bool,
    /// Something may be put by that no rule here would: limits were taken away.
    may_be_left: AtomicBool,
}

impl Default for Holding {
    fn default() -> Self {
        Self { lasts: true, is_told_always: true, may_be_left: AtomicBool::new(true) }
    }
}

impl Holding {
    /// Nothing is held back: the memory ends with the process, and what it holds would be lost.
    #[must_use]
    pub fn nothing() -> Self {
        Self { lasts: false, is_told_always: false, may_be_left: AtomicBool::new(false) }
    }

    /// What is due is told to a schedule alone: the memory may be that of a function, and what is put by there is for its readers.
    #[must_use]
    pub fn told_when_asked() -> Self {
        Self { lasts: true, is_told_always: false, may_be_left: AtomicBool::new(false) }
    }
}

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    /// Puts by what the limits of rules don't let out now. Where the memory can't be asked, people are told.
    pub(super) async fn limit(&self, run: &mut Run, decisions: Vec<Decision>, teller: &Teller) -> Vec<Decision> {
        if !self.holding.lasts {
            return decisions;
        }
        let Some(mut limiter) = Limiter::new(&decisions, teller.now) else { return decisions };
        if let Err(error) = self.take_places(run, &mut limiter, teller).await {
            run.state_error(&error);
            limiter.give_up();
        }
        limiter.unreadable().for_each(|error| run.state_failed(error));
        // Whatever is there already stays: it was delivered before.
        if let Err(error) = swap(&self.watched(run), &limiter.items(&decisions), teller.now).await {
            run.state_error(&error);
            // What is there will be told, so only the others are told now.
            let there = self.watched(run).get(&limiter.places(&decisions), teller.now).await;
            limiter.keep_only(&decisions, &there.unwrap_or_default());
        }
        limiter.decisions(decisions)
    }

    /// Has each alert of a rule with a cap take a place among those that it may tell, or be over.
    async fn take_places(&self, run: &Run, limiter: &mut Limiter, teller: &Teller) -> Result<(), StateError> {
        let state = self.watched(run);
        for _ in 0..MAX_ROUNDS {
            let keys = limiter.keys();
            if keys.is_empty() {
                return Ok(());
            }
            let items = state.get(&keys, teller.now).await?;
            let writes = limiter.judge(&items);
            let written = swap(&state, &writes, teller.now).await?;
            limiter.settle(&written);
        }
        Err(StateError::Contended { doing: "counting the alerts of a rule" })
    }

    /// Tells what was put by and is due. What fails is left to the next invocation, and fails no delivery of this one.
    pub(super) async fn summarise(&self, run: &mut Run, is_asked: bool) {
        if (is_asked || self.holding.is_told_always)
            && self.clock.now() < run.budget.telling
            && let Some(stretch) = self.where_to_look()
            && let Err(error) = self.tell_due(run, &stretch).await
        {
            run.state_error(&error);
        }
    }

    fn has_limits(&self) -> bool {
        self.rules.has_limits() || self.handling.own_rules.has_limits()
    }

    /// Where no rule has limits any more, whatever was put by is due.
    fn where_to_look(&self) -> Option<Stretch> {
        if !self.holding.lasts {
            None
        } else if self.has_limits() {
            Some(due_by(self.clock.now()))
        } else {
            self.holding.may_be_left.load(Ordering::Relaxed).then(all_kept)
        }
    }

    async fn tell_due(&self, run: &mut Run, stretch: &Stretch) -> Result<(), StateError> {
        let teller = self.teller();
        let due = self.due(run, stretch, &teller).await?;
        due.unreadable().for_each(|error| run.state_failed(error));
        if due.is_empty() {
            self.holding.may_be_left.store(false, Ordering::Relaxed);
        }
        let is_quiet =
            |rule: &String| self.rule(rule).is_some_and(|rule| rule.tuning.limits.quiet_until(teller.now).is_some());
        let rules: BTreeSet<String> = due.rules().into_iter().filter(|rule| !is_quiet(rule)).collect();
        if rules.is_empty() {
            return Ok(());
        }
        let items = self.watched(run).get(&Tellings::keys(&rules), teller.now).await?;
        let mut tellings = Tellings::read(rules, &items, &teller);
        tellings.unreadable().for_each(|error| run.state_failed(error));
        let written = swap(&self.watched(run), &tellings.claims(&teller), teller.now).await?;
        tellings.settle(&written);
        if tellings.is_empty() {
            return Ok(());
        }
        // What was due may have been told before the claim.
        let due = self.due(run, stretch, &teller).await?;
        let summaries = tellings.summaries(&due, |id| self.rule(id).cloned(), self.rules.knowledge());
        let published = self.publish_summaries(run, &mut tellings, &summaries).await;
        let marks: Vec<Item> = tellings.marks(&due, &published, &teller);
        swap(&self.unhurried(run), &marks, teller.now).await?;
        let done = tellings.done(&due, &published);
        if done.is_empty() { Ok(()) } else { self.unhurried(run).remove(&done).await }
    }

    async fn due(&self, run: &Run, stretch: &Stretch, teller: &Teller) -> Result<Due, StateError> {
        let listed = self.watched(run).list(std::slice::from_ref(stretch), teller.now).await?;
        Ok(listed.first().map(Due::read).unwrap_or_default())
    }

    fn rule(&self, id: &str) -> Option<&Arc<RuleInfo>> {
        self.rules.rule(id).or_else(|| self.handling.own_rules.rule(id))
    }

    /// Publishes summaries, and gives the rules whose are out.
    async fn publish_summaries(&self, run: &mut Run, tellings: &mut Tellings, summaries: &[Alert]) -> BTreeSet<String> {
        let summaries: Vec<&Alert> = summaries.iter().collect();
        let sent = self.publish_all(run.budget.telling, &summaries).await;
        let mut published = BTreeSet::new();
        for (alert, Sent { reached, failure }) in summaries.into_iter().zip(sent) {
            let rule = &alert.finding.rule;
            match &failure {
                Some(Failure { cause: Cause::OutOfTime, why }) => telemetry::emit(&Event::OutOfTime { why }),
                Some(failure) => {
                    run.counts.fail(failure.cause);
                    telemetry::emit(&Event::PublishFailed { rule, error: &failure.why });
                }
                None => {}
            }
            if failure.is_none() || (reached > 0 && tellings.gives_up(&rule.id)) {
                run.counts.summaries += 1;
                published.insert(rule.id.clone());
            }
        }
        published
    }
}
