//! Which alerts go out now, and which are put by for a summary: the quiet hours of their rules, and how many a rule may tell.
//!
//! Both go by the clock. Of a rule with a cap one document says which alerts it has told in the present stretch, which began with
//! the first of them: a set, so that an alert that is told a second time takes no second place. It is written before the alert is
//! published, so an alert that can't be published may keep its place from another; that one is put by, and not lost.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::MaxAlerts;
use crate::finding::{FindingUid, GroupKey};

use super::decision::{Alert, Decision, Hold};
use super::item::{Item, Items, Key, Kind, UnreadableItem, later};
use super::kept;
use super::uids::Uids;

/// What keeps an alert from going out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The rule's quiet hours.
    Quiet,
    /// The rule has told as much as it may.
    Capped,
}

impl From<Limit> for Hold {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Quiet => Self::Quiet,
            Limit::Capped => Self::Capped,
        }
    }
}

/// The alerts that a rule has told in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    rule: String,
    since: Timestamp,
    alerts: Uids,
}

/// Goes through the alerts of one invocation.
#[derive(Debug)]
pub struct Limiter {
    now: Timestamp,
    /// Those that are put by, by their places among the decisions.
    held: BTreeMap<usize, (Limit, Timestamp)>,
    /// Rules with a cap whose alerts are still to be judged.
    open: BTreeMap<String, Capped>,
    /// The same, in the order of the writes that were asked for last.
    asked: Vec<(String, Vec<(usize, Timestamp)>)>,
    unreadable: Vec<UnreadableItem>,
}

#[derive(Debug)]
struct Capped {
    most: MaxAlerts,
    alerts: Vec<(usize, FindingUid)>,
}

impl Limiter {
    /// Looks at the alerts among these decisions. `None` if no rule of theirs has a limit.
    #[must_use]
    pub fn new(decisions: &[Decision], now: Timestamp) -> Option<Self> {
        let mut limiter =
            Self { now, held: BTreeMap::new(), open: BTreeMap::new(), asked: Vec::new(), unreadable: Vec::new() };
        for (place, alert) in alerts(decisions) {
            let rule = &alert.finding.rule;
            if let Some(until) = rule.tuning.limits.quiet_until(now) {
                limiter.held.insert(place, (Limit::Quiet, until));
            } else if let Some(most) = rule.tuning.limits.max_alerts {
                let capped = limiter.open.entry(rule.id.clone()).or_insert(Capped { most, alerts: Vec::new() });
                capped.alerts.push((place, alert.finding.uid));
            }
        }
        (!limiter.held.is_empty() || !limiter.open.is_empty()).then_some(limiter)
    }

    /// What to read before it can go on; nothing once it is done.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        self.open.keys().map(|rule| key_of(rule)).collect()
    }

    /// Judges by what was read, and gives what has to be written for that to stand.
    pub fn judge(&mut self, items: &Items) -> Vec<Item> {
        let mut writes = Vec::new();
        self.asked.clear();
        for (rule, Capped { most, alerts }) in &self.open {
            let item = items.get(&key_of(rule));
            let read = item.and_then(|item| item.read::<Told>().map_err(|error| self.unreadable.push(error)).ok());
            let begins = || Told { rule: rule.clone(), since: self.now, alerts: Uids::default() };
            let mut told = read.filter(|told| self.now < later(told.since, most.per)).unwrap_or_else(begins);
            let end = later(told.since, most.per);
            let over = told.take(alerts, most.count).into_iter().map(|place| (place, end)).collect();
            self.asked.push((rule.clone(), over));
            let revision = item.map_or(0, |item| item.revision);
            // A little longer, for clocks that go wrong.
            writes.push(Item::new(key_of(rule), revision, later(end, SignedDuration::from_hours(1)), &told));
        }
        writes
    }

    /// Takes to account which of the writes succeeded: the others were beaten, and are judged again.
    pub fn settle(&mut self, written: &[bool]) {
        for ((rule, over), _) in self.asked.drain(..).zip(written).filter(|(_, written)| **written) {
            self.open.remove(&rule);
            self.held.extend(over.into_iter().map(|(place, end)| (place, (Limit::Capped, end))));
        }
    }

    /// Leaves open what could not be judged: people are told.
    pub fn give_up(&mut self) {
        self.open.clear();
    }

    /// What could not be understood: its rule begins anew.
    pub fn unreadable(&self) -> impl Iterator<Item = &UnreadableItem> {
        self.unreadable.iter()
    }

    /// The items to write before anything is put by.
    #[must_use]
    pub fn items(&self, decisions: &[Decision]) -> Vec<Item> {
        let held = alerts(decisions).filter_map(|(place, alert)| Some((alert, self.held.get(&place)?)));
        held.flat_map(|(alert, (limit, until))| kept::keep(alert, *limit, *until)).collect()
    }

    /// Where those items are.
    #[must_use]
    pub fn places(&self, decisions: &[Decision]) -> Vec<Key> {
        self.items(decisions).into_iter().map(|item| item.key).collect()
    }

    /// Puts by nothing but what is there.
    pub fn keep_only(&mut self, decisions: &[Decision], there: &Items) {
        let is_there = |place: usize, (limit, until): &(Limit, Timestamp)| {
            let alert = decisions.get(place).and_then(Decision::alert);
            alert
                .is_some_and(|alert| kept::keep(alert, *limit, *until).iter().all(|item| there.contains_key(&item.key)))
        };
        self.held.retain(|place, held| is_there(*place, held));
    }

    /// The decisions with what is put by, once these items are written.
    #[must_use]
    pub fn decisions(&self, decisions: Vec<Decision>) -> Vec<Decision> {
        let judge = |(place, decision)| match (decision, self.held.get(&place)) {
            (Decision::Notify(alert), Some(&(limit, until))) => Decision::Keep { alert, limit, until },
            (decision, _) => decision,
        };
        decisions.into_iter().enumerate().map(judge).collect()
    }
}

impl Told {
    /// Takes places for alerts, and gives those that there is none for.
    fn take(&mut self, alerts: &[(usize, FindingUid)], most: usize) -> Vec<usize> {
        let mut over = Vec::new();
        for (place, uid) in alerts {
            let has_place = self.alerts.0.contains(uid);
            if !has_place && self.alerts.0.len() >= most {
                over.push(*place);
            } else if !has_place {
                self.alerts.0.push(*uid);
            }
        }
        over
    }
}

fn alerts(decisions: &[Decision]) -> impl Iterator<Item = (usize, &Alert)> {
    decisions.iter().enumerate().filter_map(|(place, decision)| Some((place, decision.alert()?)))
}

fn key_of(rule: &str) -> Key {
    Key::single(Kind::Rate, GroupKey::of_texts([rule]).to_u128())
}
