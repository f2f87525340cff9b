//! From findings to people: decide, claim, publish, mark.
//!
//! A claim comes before publishing, so that of two processes with the same finding one tells it. The mark comes after it: a crash
//! in between repeats an alert, the other order would lose it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{MutexGuard, PoisonError};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use crate::alerting::{
    self, Alert, Closing, Decision, HeldBack, Hold, Item, Items, Key, LISTED_AT_ONCE, Ledgers, Published, Repetition,
    Seen, Stretch, Teller, key_of,
};
use crate::finding::{DedupKey, Finding, FindingUid};
use crate::notify::{self, Notification};
use crate::outcome::{Cause, Failure};
use crate::outputs;
use crate::ports::{Clock, ObjectStore, Publisher, StateError, StateStore, chain};
use crate::telemetry::{self, Event};

use super::Pipeline;
use super::remember::{MAX_ROUNDS, swap};
use super::run::Run;

/// SNS takes so many alerts in one request.
const PUBLISHED_TOGETHER: usize = 10;

/// How far an alert got.
#[derive(Default)]
pub(super) struct Sent {
    /// How many topics have it.
    pub(super) reached: usize,
    /// Why another one hasn't.
    pub(super) failure: Option<Failure>,
}

/// Names one alert of an invocation: by its key, its first finding and when that happened.
type AlertId = (DedupKey, FindingUid, Timestamp);

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    /// Tells people of findings, but for those that are no news and those that an alert already speaks for. `seen` answers for
    /// first sightings, in their order.
    pub(super) async fn tell(&self, run: &mut Run, findings: Vec<Finding>, seen: &[Seen]) {
        let (mut findings, held) = alerting::judge(findings, seen);
        run.company.add(findings.iter().filter(|finding| finding.first_seen().is_some()));
        run.held(&held);
        while !findings.is_empty() {
            let decisions = self.tell_once(run, findings).await;
            let (waiting, done): (Vec<_>, Vec<_>) =
                decisions.into_iter().partition(|decision| matches!(decision, Decision::Wait(_)));
            run.held(&done);
            if waiting.is_empty() || !self.pause(run).await {
                return run.held(&waiting);
            }
            findings = waiting.into_iter().flat_map(Decision::into_findings).collect();
        }
    }

    /// Lets another process tell what it is about to: to come again takes a delivery minutes, and one of its few tries.
    async fn pause(&self, run: &mut Run) -> bool {
        let Some(pause) = run.pauses.next().copied().filter(|pause| self.clock.now() + *pause < run.budget.telling)
        else {
            return false;
        };
        self.clock.pause(pause).await;
        true
    }

    /// The same, as things are now. What another process is about to tell is left open.
    async fn tell_once(&self, run: &mut Run, mut findings: Vec<Finding>) -> Vec<Decision> {
        alerting::in_order(&mut findings);
        let teller = self.teller();
        let (mut is_asked, mut has_claimed) = (true, false);
        let mut decisions = match self.decide(run, findings.clone(), &teller, &mut has_claimed).await {
            Ok(decisions) => decisions,
            Err(error) => {
                run.state_error(&error);
                is_asked = false;
                alerting::decide_without_memory(findings, &mut self.published())
            }
        };
        let held_back = self.held_back(run, &mut decisions, &teller).await;
        if is_asked {
            decisions = self.limit(run, decisions, &teller).await;
        }
        self.acquaint(run, &mut decisions, &teller).await;
        let published = self.publish(run, &decisions).await;
        if !is_asked && !has_claimed && published.is_empty() {
            // There is nothing to write down, and nobody who takes it.
            return decisions;
        }
        // Failures from here on fail no delivery: its alerts are out, and delivering them again would only repeat them.
        let closings = Closing::of(&decisions, |alert| published.contains(&id(alert)));
        if let Err(error) = self.close(run, &closings, &teller).await {
            run.state_failed(&error);
        }
        let kept = decisions.iter().filter(|decision| matches!(decision, Decision::Keep { .. }));
        let keys: BTreeSet<DedupKey> =
            published.iter().map(|(key, ..)| *key).chain(kept.map(Decision::dedup_key)).collect();
        let told = keys.iter().filter_map(|key| held_back.get(key)).flat_map(HeldBack::marks);
        if let Err(error) = self.hold(run, &decisions, told.cloned().collect(), &teller).await {
            run.state_failed(&error);
        }
        decisions
    }

    /// Has the alerts say how many findings were held back since the last. One alert says it; a second one of the same key doesn't
    /// say it again.
    async fn held_back(
        &self,
        run: &mut Run,
        decisions: &mut [Decision],
        teller: &Teller,
    ) -> BTreeMap<DedupKey, HeldBack> {
        let mut alerts: BTreeMap<DedupKey, &mut Alert> = BTreeMap::new();
        for alert in decisions.iter_mut().filter_map(Decision::alert_mut) {
            if alert.repetition != Repetition::Unchecked {
                alerts.entry(alert.finding.dedup_key).or_insert(alert);
            }
        }
        let keys: Vec<DedupKey> = alerts.keys().copied().collect();
        let mut held_back = BTreeMap::new();
        let mut unreadable = Vec::new();
        for keys in keys.chunks(LISTED_AT_ONCE) {
            let stretches: Vec<Stretch> = keys.iter().map(|key| alerting::held_under(*key)).collect();
            match self.watched(run).list(&stretches, teller.now).await {
                Ok(listed) => {
                    let read = |listed| HeldBack::read(listed, &mut unreadable);
                    held_back.extend(keys.iter().copied().zip(listed.iter().map(read)));
                }
                Err(error) => {
                    run.state_error(&error);
                    break;
                }
            }
        }
        unreadable.iter().for_each(|item| run.state_failed(item));
        for (key, alert) in alerts {
            alert.repetition = held_back.get(&key).map_or(Repetition::HeldSinceMoreThan(0), HeldBack::repetition);
        }
        held_back
    }

    /// Writes down what was held back as a repetition, and what alerts have said of that.
    async fn hold(
        &self,
        run: &Run,
        decisions: &[Decision],
        told: Vec<Item>,
        teller: &Teller,
    ) -> Result<(), StateError> {
        let repeated = decisions.iter().filter_map(|decision| match decision {
            Decision::Hold { finding, why: Hold::Repeated } => Some(&**finding),
            _ => None,
        });
        // Whatever is there already stays: it was delivered before.
        let items = [told, alerting::hold(repeated, teller.now)].concat();
        swap(&self.unhurried(run), &items, teller.now).await.map(drop)
    }

    fn published(&self) -> MutexGuard<'_, Published> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This invocation, as others know it.
    pub(super) fn teller(&self) -> Teller {
        // Two numbers that no other process comes by.
        let name = format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1));
        Teller { name, now: self.clock.now() }
    }

    /// Decides, and claims what is to be told. Whoever finds that another one was faster reads and decides again.
    async fn decide(
        &self,
        run: &mut Run,
        findings: Vec<Finding>,
        teller: &Teller,
        has_claimed: &mut bool,
    ) -> Result<Vec<Decision>, StateError> {
        let mut decided = Vec::new();
        let mut open = findings;
        for _ in 0..MAX_ROUNDS {
            if open.is_empty() {
                return Ok(decided);
            }
            let items = self.watched(run).get(&Ledgers::keys(&open), teller.now).await?;
            let ledgers = Ledgers::read(&open, &items);
            ledgers.unreadable().for_each(|error| run.state_failed(error));
            let decisions = alerting::decide(open, &ledgers, &mut self.published(), teller);
            let (keys, claims): (Vec<DedupKey>, Vec<Item>) = ledgers.claims(&decisions, teller).into_iter().unzip();
            *has_claimed |= !claims.is_empty();
            let written = swap(&self.watched(run), &claims, teller.now).await?;
            let beaten: HashSet<DedupKey> =
                keys.into_iter().zip(written).filter(|(_, written)| !written).map(|(key, _)| key).collect();
            let (again, done): (Vec<Decision>, Vec<Decision>) =
                decisions.into_iter().partition(|decision| beaten.contains(&decision.dedup_key()));
            decided.extend(done);
            open = again.into_iter().flat_map(Decision::into_findings).collect();
            alerting::in_order(&mut open);
        }
        Err(StateError::Contended { doing: "claiming alerts" })
    }

    /// Publishes the alerts among decisions, and tells which are out.
    async fn publish(&self, run: &mut Run, decisions: &[Decision]) -> HashSet<AlertId> {
        let alerts: Vec<&Alert> = decisions.iter().filter_map(Decision::alert).collect();
        let sent = self.publish_all(run.budget.telling, &alerts).await;
        let mut published = HashSet::new();
        for (alert, sent) in alerts.into_iter().zip(sent) {
            match sent.failure {
                None => {
                    let now = self.clock.now();
                    run.counts.alerts += 1;
                    run.told(alert.findings(), now);
                    published.insert(id(alert));
                    self.published().add(alert, now);
                }
                Some(failure) => {
                    telemetry::emit(&match failure.cause {
                        Cause::OutOfTime => Event::OutOfTime { why: &failure.why },
                        _ => Event::PublishFailed { rule: &alert.finding.rule, error: &failure.why },
                    });
                    run.fail_findings(alert.findings(), &failure);
                }
            }
        }
        published
    }

    /// Publishes alerts, each to all topics that it is meant for, and tells in their order how far they got.
    pub(super) async fn publish_all(&self, until: Timestamp, alerts: &[&Alert]) -> Vec<Sent> {
        // As many are in flight as the setting says, together or not.
        let together = self.concurrency.clamp(1, PUBLISHED_TOGETHER);
        let publishing: Vec<_> = alerts.chunks(together).map(|alerts| self.publish_some(until, alerts)).collect();
        let sent: Vec<_> = stream::iter(publishing).buffered((self.concurrency / together).max(1)).collect().await;
        sent.into_iter().flatten().collect()
    }

    async fn publish_some(&self, until: Timestamp, alerts: &[&Alert]) -> Vec<Sent> {
        let now = self.clock.now();
        if now >= until {
            let why = "the invocation's time was nearly over before the alert was published";
            let failure = || Failure { cause: Cause::OutOfTime, why: why.to_owned() };
            return alerts.iter().map(|_| Sent { reached: 0, failure: Some(failure()) }).collect();
        }
        let mut notifications = Vec::new();
        let mut places = Vec::new();
        for (place, alert) in alerts.iter().enumerate() {
            let notification = notify::render(alert, now);
            for topic in outputs::destinations(&self.handling.topics, &notification.story.facets()) {
                places.push(place);
                notifications.push(Notification { topic: topic.map(str::to_owned), ..notification.clone() });
            }
        }
        let mut sent: Vec<Sent> = alerts.iter().map(|_| Sent::default()).collect();
        // A topic that fails keeps an alert from no other. When the finding comes again, those that have it get it again.
        for (place, answer) in places.into_iter().zip(self.publisher.publish_all(&notifications).await) {
            // OK because the places are those of the alerts.
            let sent = &mut sent[place];
            match answer {
                Ok(()) => sent.reached += 1,
                Err(error) => {
                    let failure = || Failure { cause: Cause::PublishFailed, why: chain(&error) };
                    sent.failure.get_or_insert_with(failure);
                }
            }
        }
        sent
    }

    /// Writes down what was published and which episodes go on, and gives the claims back.
    async fn close(
        &self,
        run: &Run,
        closings: &BTreeMap<DedupKey, Closing<'_>>,
        teller: &Teller,
    ) -> Result<(), StateError> {
        let state = self.unhurried(run);
        let mut open: Vec<DedupKey> = closings.keys().copied().collect();
        for _ in 0..MAX_ROUNDS {
            if open.is_empty() {
                return Ok(());
            }
            let places: Vec<Key> = open.iter().map(|key| key_of(*key)).collect();
            let items: Items = state.get(&places, teller.now).await?;
            let mut writes = Vec::new();
            for key in open {
                let item = closings[&key].write(key, items.get(&key_of(key)), teller);
                writes.extend(item.map(|item| (key, item)));
            }
            let (keys, writes): (Vec<DedupKey>, Vec<Item>) = writes.into_iter().unzip();
            let written = swap(&state, &writes, teller.now).await?;
            open = keys.into_iter().zip(written).filter(|(_, written)| !written).map(|(key, _)| key).collect();
        }
        Err(StateError::Contended { doing: "marking what was published" })
    }
}

fn id(alert: &Alert) -> AlertId {
    (alert.finding.dedup_key, alert.finding.uid, alert.finding.time())
}
