//! Alerts that were put by, until a summary tells of them.
//!
//! Items of one partition, by the time at which they are due, so that one query tells what there is to tell. Each is named after what
//! it holds: a redelivery writes it once more and changes nothing. It is removed after its summary is out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, FindingUid, HeldFinding};
use crate::sigma::Level;
use crate::trail::{EventIdentity, Outcome};

use super::decision::{Alert, Repetition};
use super::item::{Item, Key, Kind, Listed, Stretch, UnreadableItem, later, sortable};
use super::limit::Limit;

/// Findings in one item, and characters of a text, so that any of them fit.
const MAX_FINDINGS: usize = 30;
const MAX_TEXT: usize = 200;
/// How long after it is due an alert is kept, should nobody come to tell it.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Findings of an alert that was put by.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) rule: String,
    /// Of the rule: it may not be there any more when it is told.
    pub(super) title: String,
    level: String,
    pub(super) limit: Limit,
    /// It is about trailhound itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_own: bool,
    /// Repetitions that had been held back before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) repeated: u64,
    findings: Vec<Row>,
}

/// A finding: uid, event's account and `eventID`, time, outcome, Region, source, name; principal, address, title if it has one of
/// its own, and resource. An array in JSON: what is written and read is paid for by its length.
#[derive(Debug, Serialize, Deserialize)]
struct Row(FindingUid, String, String, Timestamp, Outcome, String, String, String, [Option<String>; 4]);

/// Alerts that are due, by the id of their rule.
#[derive(Debug, Default)]
pub struct Due {
    by_rule: BTreeMap<String, Vec<(Key, Kept)>>,
    unreadable: Vec<UnreadableItem>,
    has_more: bool,
}

/// Items to write where there are none yet, for an alert whose summary is due then.
pub(super) fn keep(alert: &Alert, limit: Limit, due: Timestamp) -> Vec<Item> {
    let rule = &alert.finding.rule;
    let findings: Vec<&Finding> = alert.findings().collect();
    let item = |(place, findings): (usize, &[&Finding])| {
        let repeated = match alert.repetition {
            Repetition::HeldSince(held) | Repetition::HeldSinceMoreThan(held) if place == 0 => held,
            _ => 0,
        };
        let kept = Kept {
            rule: rule.id.clone(),
            title: cut(&rule.title),
            level: rule.level.as_str().to_owned(),
            limit,
            is_own: alert.finding.is_own(),
            repeated,
            findings: findings.iter().map(|finding| Row::of(finding)).collect(),
        };
        let sort = format!("{}#{}", sortable(due.as_second()), kept.name());
        Item::new(Key { partition: partition(), sort }, 0, later(due, KEPT), &kept)
    };
    findings.chunks(MAX_FINDINGS).enumerate().map(item).collect()
}

/// Where to look for what is due by now.
#[must_use]
pub fn due_by(now: Timestamp) -> Stretch {
    Stretch { partition: partition(), from: "0".to_owned(), to: format!("{}#~", sortable(now.as_second())) }
}

/// Where to look for whatever was put by.
#[must_use]
pub fn all_kept() -> Stretch {
    Stretch { partition: partition(), from: "0".to_owned(), to: "~".to_owned() }
}

/// Whether something stands there that people have yet to be told of.
#[must_use]
pub fn is_put_by(key: &Key) -> bool {
    key.partition == partition() && key.sort != Key::ONLY
}

impl Due {
    /// Takes what was read.
    #[must_use]
    pub fn read(listed: &Listed) -> Self {
        let mut due = Self { has_more: listed.is_cut, ..Self::default() };
        for item in &listed.items {
            match item.read::<Kept>() {
                Ok(kept) => due.by_rule.entry(kept.rule.clone()).or_default().push((item.key.clone(), kept)),
                Err(error) => due.unreadable.push(error),
            }
        }
        due
    }

    /// The rules whose alerts are due.
    #[must_use]
    pub fn rules(&self) -> BTreeSet<String> {
        self.by_rule.keys().cloned().collect()
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_rule.is_empty() && self.unreadable.is_empty()
    }

    /// What could not be understood: it stays, and nobody is told of it.
    pub fn unreadable(&self) -> impl Iterator<Item = &UnreadableItem> {
        self.unreadable.iter()
    }

    /// There is more than could be read.
    pub(super) fn has_more(&self) -> bool {
        self.has_more
    }

    pub(super) fn of(&self, rule: &str) -> &[(Key, Kept)] {
        self.by_rule.get(rule).map_or(&[], Vec::as_slice)
    }
}

impl Kept {
    /// What it is called: by all that it holds, because an alert that comes again may have grown.
    pub(super) fn name(&self) -> FindingUid {
        let findings =
            self.findings.iter().map(|Row(uid, account, event, ..)| (*uid, account.as_str(), event.as_str()));
        FindingUid::of_kept(&self.rule, findings)
    }

    pub(super) fn level(&self) -> Level {
        let known = Level::WORDS.iter().find(|(word, _)| *word == self.level);
        known.map_or(Level::Medium, |(_, level)| *level)
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = HeldFinding> {
        self.findings.iter().map(Row::finding)
    }
}

impl Row {
    fn of(finding: &Finding) -> Self {
        let details = finding.event.details();
        let EventIdentity { account, event_id } = &finding.event.identity;
        let title = Some(&*finding.title).filter(|title| *title != finding.rule.title);
        // What trailhound says of itself is nobody's call.
        let principal = details.actor.principal.as_deref().filter(|_| !finding.is_own());
        let resource = details.resources.first().map(String::as_str);
        Self(
            finding.uid,
            cut(account),
            cut(event_id),
            finding.time(),
            details.outcome,
            cut(&details.region),
            cut(&details.source),
            cut(&details.name),
            [principal, details.source_ip.as_deref(), title, resource].map(|text| text.map(cut)),
        )
    }

    fn finding(&self) -> HeldFinding {
        let Self(uid, account, event_id, time, outcome, region, source, name, [principal, source_ip, title, resource]) =
            self;
        HeldFinding {
            uid: *uid,
            identity: EventIdentity { account: account.clone(), event_id: event_id.clone() },
            time: *time,
            title: title.clone(),
            region: region.clone(),
            source: source.clone(),
            name: name.clone(),
            outcome: *outcome,
            principal: principal.clone(),
            source_ip: source_ip.clone(),
            resource: resource.clone(),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
pub(super) fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn partition() -> String {
    Key::partition(Kind::Kept, 0)
}
