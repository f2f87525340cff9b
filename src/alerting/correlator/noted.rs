//! What is written down of the matches that a correlation counts.
//!
//! Sets, never counters, and nothing is ever changed: each delivery adds items of its own, named after what they hold, in the
//! stretch of time that it belongs to. What is known of a group is all of its items together, so that a redelivery adds nothing
//! new, two processes never wait for each other, and no group grows too large for an item.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::{CompiledCorrelation, CorrelationIndex, Observed, Part, RuleInfo, RuleSet};
use crate::finding::{Contribution, EpisodeEvent, Event, GroupKey};
use crate::trail::{EventIdentity, Outcome};

use super::super::item::{Item, Key, Kind, Stretch, UnreadableItem, later};
use super::{Group, GroupId};

/// Matches in one item. Below a tenth of what an item may hold: what is written is paid for by the kilobyte anyway.
const MAX_NOTED: usize = 100;
/// Of a text, as it is written down. Longer ones that count are told apart by a hash.
const MAX_TEXT: usize = 200;

/// A match that a correlation counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Noted {
    account: String,
    event: String,
    /// The rule that it matched, by id.
    pub(super) by: String,
    pub(super) time: Timestamp,
    /// The values that count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) values: Vec<String>,
    /// The number that counts, as text: JSON's numbers don't hold every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    /// What an alert names of it; of what is at hand when it is written down.
    shown: Option<Shown>,
    /// What it shows the correlations that read this one, should it complete an episode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) onward: Vec<Onward>,
    #[serde(skip)]
    pub(super) at_hand: Option<Arc<Contribution>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Shown {
    source: String,
    name: String,
    outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_ip: Option<String>,
}

/// What a match shows a correlation through another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Onward {
    /// The correlation, by id.
    pub(super) to: String,
    /// The correlation in between, by id.
    pub(super) part: String,
    pub(super) group: Option<Group>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<String>,
}

/// A group of another correlation, whose episodes belong to this group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Link {
    part: String,
    group: Group,
}

/// One item: what one delivery adds to a group in one stretch of time.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Chunk {
    rule: String,
    group: Group,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<Noted>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
}

/// What the items of a group hold.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) noted: Vec<Arc<Noted>>,
    pub(super) links: Vec<Link>,
}

impl Noted {
    /// What a match means to a correlation that names its rule.
    pub(super) fn of(rules: &RuleSet, contribution: &Arc<Contribution>, observed: &Observed) -> Self {
        let event = &contribution.event;
        let is_read = is_read(rules, observed.correlation);
        let onward = contribution.observed.iter().filter(|one| is_read && !one.direct);
        Self {
            account: event.identity.account.clone(),
            event: event.identity.event_id.clone(),
            by: contribution.rule.id.clone(),
            time: event.time,
            values: observed.values.iter().map(|value| short(value)).collect(),
            number: observed.number.map(|number| number.to_string()),
            shown: None,
            onward: onward.filter_map(|one| Onward::of(rules, one)).collect(),
            at_hand: Some(Arc::clone(contribution)),
        }
    }

    pub(super) fn identity(&self) -> EventIdentity {
        EventIdentity { account: self.account.clone(), event_id: self.event.clone() }
    }

    pub(super) fn number(&self) -> Option<f64> {
        self.number.as_deref().and_then(|number| number.parse().ok())
    }

    /// What an alert names of it. `rule`: the one called [`Self::by`].
    pub(super) fn shown(&self, rule: &Arc<RuleInfo>) -> EpisodeEvent {
        if let Some(contribution) = &self.at_hand {
            return EpisodeEvent::of(rule, &contribution.event);
        }
        let shown = self.shown.as_ref();
        EpisodeEvent {
            rule: Arc::clone(rule),
            identity: self.identity(),
            time: self.time,
            source: shown.map_or_else(String::new, |shown| shown.source.clone()),
            name: shown.map_or_else(String::new, |shown| shown.name.clone()),
            outcome: shown.map_or(Outcome::Success, |shown| shown.outcome),
            principal: shown.and_then(|shown| shown.principal.clone()),
            source_ip: shown.and_then(|shown| shown.source_ip.clone()),
        }
    }

    /// As it is written down.
    fn written(&self) -> Self {
        let shown =
            self.at_hand.as_ref().map(|contribution| Shown::of(&contribution.event)).or_else(|| self.shown.clone());
        Self { shown, ..self.clone() }
    }

    fn name(&self) -> [&str; 3] {
        [&self.account, &self.event, &self.by]
    }
}

impl Shown {
    fn of(event: &Event) -> Self {
        let details = event.details();
        let cut = |text: &str| text.chars().take(MAX_TEXT).collect::<String>();
        Self {
            source: cut(&details.source),
            name: cut(&details.name),
            outcome: details.outcome,
            principal: details.actor.principal.as_deref().map(cut),
            source_ip: details.source_ip.as_deref().map(cut),
        }
    }
}

impl Onward {
    fn of(rules: &RuleSet, observed: &Observed) -> Option<Self> {
        let to = &rules.correlations()[observed.correlation.0];
        Some(Self {
            to: to.info.id.clone(),
            part: rules.part(*to.parts().get(observed.place)?).id.clone(),
            group: observed.group.clone(),
            values: observed.values.iter().map(|value| short(value)).collect(),
            number: observed.number.map(|number| number.to_string()),
        })
    }

    pub(super) fn number(&self) -> Option<f64> {
        self.number.as_deref().and_then(|number| number.parse().ok())
    }
}

impl Link {
    pub(super) fn to(rules: &RuleSet, id: &GroupId) -> Self {
        Self { part: rules.correlations()[id.correlation.0].info.id.clone(), group: id.group.clone() }
    }

    /// The group that it leads to, if its correlation is still there.
    pub(super) fn target(&self, rules: &RuleSet) -> Option<GroupId> {
        let index = rules.correlations().iter().position(|one| one.info.id == self.part)?;
        Some(GroupId { correlation: CorrelationIndex(index), group: self.group.clone() })
    }
}

impl Notes {
    /// # Errors
    /// When an item can't be understood.
    pub(super) fn read(items: &[Item]) -> Result<Self, UnreadableItem> {
        let mut notes = Self::default();
        for item in items {
            let chunk: Chunk = item.read()?;
            notes.noted.extend(chunk.events.into_iter().map(Arc::new));
            notes.links.extend(chunk.links);
        }
        Ok(notes)
    }
}

/// Where a group's items are, and how long they are kept.
pub(super) struct Home<'r> {
    pub(super) correlation: &'r CompiledCorrelation,
    pub(super) id: &'r GroupId,
    pub(super) kept: SignedDuration,
}

impl Home<'_> {
    /// The items that add these matches.
    pub(super) fn items(&self, noted: &[Arc<Noted>], now: Timestamp) -> Vec<Item> {
        let mut by_bucket: BTreeMap<i64, Vec<Arc<Noted>>> = BTreeMap::new();
        for one in noted {
            by_bucket.entry(self.bucket(one.time)).or_default().push(Arc::clone(one));
        }
        let mut items = Vec::new();
        for (bucket, mut noted) in by_bucket {
            // The same matches have to be the same items, whatever order they came in.
            noted.sort_by(|a, b| (a.time, a.name()).cmp(&(b.time, b.name())));
            noted.dedup_by(|a, b| a.name() == b.name());
            for events in noted.chunks(MAX_NOTED) {
                let name = GroupKey::of_texts(events.iter().flat_map(|one| one.name()));
                let events = events.iter().map(|one| one.written()).collect();
                items.push(self.item(bucket, name, events, Vec::new(), now));
            }
        }
        items
    }

    /// The item that links a group to this one.
    pub(super) fn link(&self, link: Link, time: Timestamp, now: Timestamp) -> Item {
        let name = GroupKey::of_texts(std::iter::once(link.part.as_str()).chain(link.group.iter().map(String::as_str)));
        self.item(self.bucket(time), name, Vec::new(), vec![link], now)
    }

    fn item(&self, bucket: i64, name: GroupKey, events: Vec<Noted>, links: Vec<Link>, now: Timestamp) -> Item {
        let chunk = Chunk { rule: self.correlation.info.id.clone(), group: self.id.group.clone(), events, links };
        let sort = format!("{}#{:032x}", sortable(bucket), name.to_u128());
        let end = self.start_of(bucket.saturating_add(1));
        Item::new(Key { partition: self.partition(), sort }, 0, later(end.max(now), self.kept), &chunk)
    }

    /// What these stretches of time hold.
    pub(super) fn stretch(&self, from: i64, to: i64) -> Stretch {
        // `~` comes after every character of a name.
        Stretch { partition: self.partition(), from: sortable(from), to: format!("{}~", sortable(to)) }
    }

    /// The stretch that an item of this group stands in.
    pub(super) fn bucket_of(key: &Key) -> Option<i64> {
        let bucket = u64::from_str_radix(key.sort.split('#').next()?, 16).ok()?;
        Some((bucket ^ (1 << 63)).cast_signed())
    }

    /// Stretches are as long as the correlation's window, so that a window touches two of them.
    pub(super) fn bucket(&self, time: Timestamp) -> i64 {
        let bucket = time.as_nanosecond().div_euclid(self.correlation.correlation.timespan.as_nanos().max(1));
        i64::try_from(bucket).unwrap_or(if bucket < 0 { i64::MIN } else { i64::MAX })
    }

    pub(super) fn start_of(&self, bucket: i64) -> Timestamp {
        let nanosecond = i128::from(bucket).saturating_mul(self.correlation.correlation.timespan.as_nanos());
        let end = if bucket < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_nanosecond(nanosecond).unwrap_or(end)
    }

    fn partition(&self) -> String {
        let asked = &self.correlation.correlation;
        let names = asked.group_by.iter().map(|field| field.text.as_str());
        let values = self.id.group.iter().map(String::as_str);
        // A rule that groups by something else, or looks at other stretches of time, starts anew.
        let length = asked.timespan.as_nanos().to_string();
        let count = asked.group_by.len().to_string();
        let texts = [self.correlation.info.id.as_str(), &length, &count].into_iter().chain(names).chain(values);
        Key::partition(Kind::Pattern, GroupKey::of_texts(texts).to_u128())
    }
}

/// Whether another correlation reads this one.
fn is_read(rules: &RuleSet, index: CorrelationIndex) -> bool {
    rules.correlations().iter().any(|one| one.parts().contains(&Part::Correlation(index)))
}

/// In the order of the numbers, negative ones first.
fn sortable(bucket: i64) -> String {
    format!("{:016x}", bucket.cast_unsigned() ^ (1 << 63))
}

/// A value that counts is only ever compared.
fn short(value: &str) -> String {
    if value.len() <= MAX_TEXT {
        return value.to_owned();
    }
    format!("sha256:{:032x}", GroupKey::of_texts([value]).to_u128())
}
