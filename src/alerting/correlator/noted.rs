//! What is written down of the matches that a correlation counts.
//!
//! Sets, never counters, and nothing is ever changed: each delivery adds items of its own, named after what they hold, in the
//! stretch of time that it belongs to. What is known of a group is all of its items together, so that a redelivery adds nothing
//! new, two processes never wait for each other, and no group grows too large for an item.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::{CompiledCorrelation, CorrelationIndex, Observed, RuleInfo, RuleSet};
use crate::finding::{Contribution, EpisodeEvent, Event, GroupKey};
use crate::trail::{EventIdentity, Outcome};

use super::super::item::{Item, Key, Kind, Stretch, UnreadableItem, expiry, sortable};
use super::{Group, GroupId, LATE};

/// Matches in one item, and how large one of several may be: what is written is paid for by the kilobyte anyway.
const MAX_NOTED: usize = 100;
const MAX_CHUNK_BYTES: usize = 100_000;
/// Values of one match that count, so that any match fits into an item.
const MAX_VALUES: usize = 100;
/// Of a text, as it is written down. Longer ones that count are told apart by a hash.
const MAX_TEXT: usize = 200;

/// A match that a correlation counts.
#[derive(Debug, Clone)]
pub(super) struct Noted {
    identity: EventIdentity,
    /// The rule that it matched, by id.
    pub(super) by: Arc<str>,
    pub(super) time: Timestamp,
    /// The values that count.
    pub(super) values: Vec<Arc<str>>,
    /// The number that counts, as text: JSON's numbers don't hold every one.
    number: Option<String>,
    /// What it shows the correlations that read this one, should it complete an episode.
    pub(super) onward: Vec<Onward>,
    from: From,
}

/// Where what an alert names of a match is found.
#[derive(Debug, Clone)]
enum From {
    AtHand(Arc<Contribution>),
    Memory(Shown),
}

#[derive(Debug, Clone)]
struct Shown {
    source: Arc<str>,
    name: Arc<str>,
    outcome: Outcome,
    principal: Option<Arc<str>>,
    source_ip: Option<Arc<str>>,
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
#[derive(Debug, Default, Serialize, Deserialize)]
struct Chunk {
    rule: String,
    group: Group,
    /// What the events have in common is written once; they name it by its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    texts: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<Row>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
}

/// A match: `eventID`, time, outcome; account, rule, source, name, principal and address; the values that count, the number, and
/// what is shown onward. An array in JSON: what is written and read is paid for by its length.
#[derive(Debug, Serialize, Deserialize)]
struct Row(String, Timestamp, Outcome, [Option<usize>; 6], Vec<usize>, Option<String>, Vec<Onward>);

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
            identity: event.identity.clone(),
            by: contribution.rule.id.as_str().into(),
            time: event.time,
            values: values(observed).map(Arc::from).collect(),
            number: observed.number.map(|number| number.to_string()),
            onward: onward.filter_map(|one| Onward::of(rules, one)).collect(),
            from: From::AtHand(Arc::clone(contribution)),
        }
    }

    pub(super) fn identity(&self) -> &EventIdentity {
        &self.identity
    }

    pub(super) fn at_hand(&self) -> Option<&Arc<Contribution>> {
        match &self.from {
            From::AtHand(contribution) => Some(contribution),
            From::Memory(_) => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        self.number.as_deref().and_then(|number| number.parse().ok())
    }

    /// What an alert names of it. `rule`: the one called [`Self::by`].
    pub(super) fn shown(&self, rule: &Arc<RuleInfo>) -> EpisodeEvent {
        match &self.from {
            From::AtHand(contribution) => EpisodeEvent::of(rule, &contribution.event),
            From::Memory(shown) => EpisodeEvent {
                rule: Arc::clone(rule),
                identity: self.identity.clone(),
                time: self.time,
                source: shown.source.to_string(),
                name: shown.name.to_string(),
                outcome: shown.outcome,
                principal: shown.principal.as_deref().map(str::to_owned),
                source_ip: shown.source_ip.as_deref().map(str::to_owned),
            },
        }
    }

    fn name(&self) -> [&str; 3] {
        [&self.identity.account, &self.identity.event_id, &self.by]
    }
}

impl Shown {
    fn of(event: &Event) -> Self {
        let details = event.details();
        let cut = |text: &str| Arc::from(text.chars().take(MAX_TEXT).collect::<String>());
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
            group: observed.group.as_ref().map(short_group),
            values: values(observed).collect(),
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

    /// The group that it leads to, if `from` still reads its correlation.
    pub(super) fn target(&self, rules: &RuleSet, from: &CompiledCorrelation) -> Option<GroupId> {
        let correlation = from.inner().find(|index| rules.correlations()[index.0].info.id == self.part)?;
        Some(GroupId { correlation, group: self.group.clone() })
    }
}

impl Notes {
    /// Adds what an item holds.
    ///
    /// # Errors
    /// When it can't be understood.
    pub(super) fn add(&mut self, item: &Item) -> Result<(), UnreadableItem> {
        let Chunk { texts, events, links, .. } = item.read()?;
        // Shared by its events: of many there are few different texts.
        let texts: Vec<Arc<str>> = texts.into_iter().map(Arc::from).collect();
        self.noted.extend(events.into_iter().map(|row| Arc::new(row.noted(&texts))));
        self.links.extend(links);
        Ok(())
    }
}

/// A chunk in the making.
#[derive(Default)]
struct ChunkBuilder {
    chunk: Chunk,
    places: HashMap<String, usize>,
}

impl ChunkBuilder {
    fn add(&mut self, noted: &Noted) {
        let shown = match &noted.from {
            From::AtHand(contribution) => &Shown::of(&contribution.event),
            From::Memory(shown) => shown,
        };
        let Shown { source, name, outcome, principal, source_ip } = shown;
        let EventIdentity { account, event_id } = &noted.identity;
        let always = [account.as_str(), &noted.by, source, name].map(|text| Some(self.text(text)));
        let [account, by, source, name] = always;
        let [principal, source_ip] = [principal, source_ip].map(|text| text.as_ref().map(|text| self.text(text)));
        let values = noted.values.iter().map(|value| self.text(value)).collect();
        let texts = [account, by, source, name, principal, source_ip];
        let (number, onward) = (noted.number.clone(), noted.onward.clone());
        self.chunk.events.push(Row(event_id.clone(), noted.time, *outcome, texts, values, number, onward));
    }

    /// The place of a text, which is added unless it is there.
    fn text(&mut self, text: &str) -> usize {
        let texts = &mut self.chunk.texts;
        *self.places.entry(text.to_owned()).or_insert_with(|| {
            texts.push(text.to_owned());
            texts.len() - 1
        })
    }
}

impl Row {
    /// `texts`: those of its chunk. A place that is none of them is as good as empty.
    fn noted(self, texts: &[Arc<str>]) -> Noted {
        let Self(event_id, time, outcome, places, values, number, onward) = self;
        let text = |place: usize| texts.get(place).cloned().unwrap_or_default();
        let [account, by, source, name, principal, source_ip] = places.map(|place| place.map(text));
        let shown =
            Shown { source: source.unwrap_or_default(), name: name.unwrap_or_default(), outcome, principal, source_ip };
        Noted {
            identity: EventIdentity { account: account.unwrap_or_default().to_string(), event_id },
            by: by.unwrap_or_default(),
            time,
            values: values.into_iter().map(text).collect(),
            number,
            onward,
            from: From::Memory(shown),
        }
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
                self.add_items(bucket, events, now, &mut items);
            }
        }
        items
    }

    /// Halves what is too large for one item.
    fn add_items(&self, bucket: i64, events: &[Arc<Noted>], now: Timestamp, items: &mut Vec<Item>) {
        let name = GroupKey::of_texts(events.iter().flat_map(|one| one.name()));
        let mut chunk = ChunkBuilder::default();
        events.iter().for_each(|one| chunk.add(one));
        let item = self.item(bucket, name, chunk.chunk, now);
        if item.bytes() <= MAX_CHUNK_BYTES || events.len() < 2 {
            items.push(item);
            return;
        }
        let (first, second) = events.split_at(events.len() / 2);
        self.add_items(bucket, first, now, items);
        self.add_items(bucket, second, now, items);
    }

    /// The item that links a group to this one.
    pub(super) fn link(&self, link: Link, time: Timestamp, now: Timestamp) -> Item {
        let name = GroupKey::of_texts(std::iter::once(link.part.as_str()).chain(link.group.iter().map(String::as_str)));
        self.item(self.bucket(time), name, Chunk { links: vec![link], ..Chunk::default() }, now)
    }

    fn item(&self, bucket: i64, name: GroupKey, chunk: Chunk, now: Timestamp) -> Item {
        let chunk = Chunk { rule: self.correlation.info.id.clone(), group: self.id.group.clone(), ..chunk };
        let sort = format!("{}#{:032x}", sortable(bucket), name.to_u128());
        let end = self.start_of(bucket.saturating_add(1));
        Item::new(Key { partition: self.partition(), sort }, 0, expiry(end, now, self.kept), &chunk)
    }

    /// How far back one looks at most from an event that came.
    pub(super) fn looks_back(&self) -> SignedDuration {
        self.kept.saturating_add(LATE)
    }

    /// What these stretches of time hold.
    pub(super) fn stretch(&self, from: i64, to: i64) -> Stretch {
        // `~` comes after every character of a name.
        Stretch { partition: self.partition(), from: sortable(from), to: format!("{}~", sortable(to)) }
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
        // A rule that groups by something else, counts something else or looks at other stretches of time starts anew.
        let length = asked.timespan.as_nanos().to_string();
        let count = asked.group_by.len().to_string();
        let percentile = format!("{:?}", asked.percentile);
        let counted = asked.fields.iter().map(|field| field.text.as_str());
        let texts = [self.correlation.info.id.as_str(), &length, &percentile, &count].into_iter();
        let texts = texts.chain(names).chain(values).chain(counted);
        Key::partition(Kind::Pattern, GroupKey::of_texts(texts).to_u128())
    }
}

/// Whether another correlation reads this one.
fn is_read(rules: &RuleSet, index: CorrelationIndex) -> bool {
    rules.correlations().iter().any(|one| one.inner().any(|inner| inner == index))
}

/// Whether a match shows more values than are counted.
pub(super) fn has_too_many_values(observed: &Observed) -> bool {
    observed.values.len() > MAX_VALUES
}

fn values(observed: &Observed) -> impl Iterator<Item = String> {
    observed.values.iter().take(MAX_VALUES).map(|value| short(value))
}

/// A group as it is written down.
pub(super) fn short_group(group: &Group) -> Group {
    group.iter().map(|value| short(value)).collect()
}

/// A value is compared, and shown by its beginning.
fn short(value: &str) -> String {
    if value.len() <= MAX_TEXT {
        return value.to_owned();
    }
    let start: String = value.chars().take(MAX_TEXT / 4).collect();
    format!("{start}… (sha256 {:032x})", GroupKey::of_texts([value]).to_u128())
}
