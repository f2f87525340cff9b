//! What is known of the alerts of one dedup key: which were published, and who is telling one now.
//!
//! One document a key. It is read before deciding, claimed before publishing and closed after it. A claim keeps two processes
//! that hold the same finding from telling it twice; it ends by itself, because its owner may have died. Nothing but an alert
//! that was published, or put by for a summary, ever holds another back; and of these a finding that could be told by itself only
//! until the summary is due.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::finding::{DedupKey, Episode, Finding, GroupKey};

use super::decision::{Alert, Decision, Hold};
use super::item::{Item, Items, Key, Kind, REDELIVERY, UnreadableItem, earlier, expiry, later};
use super::limit::Limit;
use super::uids::Uids;

/// How long a process may take from its claim to the mark that it has published. What another one holds of the same key goes
/// back to its queue meanwhile, so this is shorter than a queue keeps a message from view.
pub const CLAIM: SignedDuration = SignedDuration::from_mins(2);

/// Bounds of one document, which together stay below what an item may hold. Of more findings the oldest lose their names: when
/// they come again, they count as held back.
const MAX_TOLD: usize = 6_000;
const MAX_ALERTS: usize = 1_000;

/// What is known of the alerts of one dedup key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// For whoever looks into the memory.
    rule: String,
    /// Oldest first.
    published: Vec<PastAlert>,
    claim: Option<Claim>,
    /// Which writing of the item this is.
    #[serde(skip)]
    revision: u64,
}

/// An alert that was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PastAlert {
    /// The time of its first finding.
    time: Timestamp,
    /// The end of its last: of an episode, as far as it was seen to go on.
    until: Timestamp,
    /// When it was published, by the clock.
    at: Timestamp,
    /// It was not published but put by, for a summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    put_by: Option<PutBy>,
    /// The findings it told of.
    told: Uids,
    /// The episodes among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    episodes: Vec<PastEpisode>,
}

/// Why an alert was put by, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PutBy {
    limit: Limit,
    until: Timestamp,
}

/// An episode that was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PastEpisode {
    /// A hash of its group: several may share a key.
    group: String,
    start: Timestamp,
    /// As far as it was seen to go on.
    end: Timestamp,
}

impl PastEpisode {
    fn of(episode: &Episode) -> Self {
        let values = episode.group.iter().map(|(_, value)| value.as_str());
        let group = format!("{:032x}", GroupKey::of_texts(values).to_u128());
        Self { group, start: episode.start, end: episode.end }
    }

    /// Whether they are the same, or one that a late event has made of two.
    fn touches(&self, other: &Self, timespan: SignedDuration) -> bool {
        self.group == other.group
            && other.start <= later(self.end, timespan)
            && other.end >= earlier(self.start, timespan)
    }
}

/// Who is about to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    by: String,
    until: Timestamp,
}

impl Claim {
    pub(super) fn of(teller: &Teller) -> Self {
        Self { by: teller.name.clone(), until: later(teller.now, CLAIM) }
    }

    /// Whether it keeps `teller` from telling.
    pub(super) fn stands(&self, teller: &Teller) -> bool {
        self.by != teller.name && self.until > teller.now
    }
}

/// Ledgers by key; a key that nothing is known of has none.
#[derive(Debug, Default)]
pub struct Ledgers {
    by_key: BTreeMap<DedupKey, Ledger>,
    unreadable: Vec<UnreadableItem>,
}

/// One invocation, as the others know it.
#[derive(Debug, Clone)]
pub struct Teller {
    /// Nobody else has this name.
    pub name: String,
    /// The time by the clock.
    pub now: Timestamp,
}

/// What became of the findings of one key.
#[derive(Debug, Default)]
pub struct Closing<'d> {
    published: Vec<&'d Alert>,
    /// Those that were put by.
    put_by: Vec<(&'d Alert, PutBy)>,
    /// Episodes that were told before and go on.
    going_on: Vec<&'d Finding>,
    /// An alert could not be published: another process may tell it at once.
    has_failed: bool,
}

impl Ledgers {
    /// The keys to read for these findings.
    #[must_use]
    pub fn keys(findings: &[Finding]) -> Vec<Key> {
        let keys: HashSet<DedupKey> = findings.iter().map(|finding| finding.dedup_key).collect();
        keys.into_iter().map(key_of).collect()
    }

    /// Reads what the store holds for these findings. What can't be understood counts as nothing, and is written over.
    #[must_use]
    pub fn read(findings: &[Finding], items: &Items) -> Self {
        let keys: BTreeSet<DedupKey> = findings.iter().map(|finding| finding.dedup_key).collect();
        let mut ledgers = Self::default();
        for (key, item) in keys.into_iter().filter_map(|key| Some((key, items.get(&key_of(key))?))) {
            ledgers.unreadable.extend(Ledger::read(item).err());
            ledgers.by_key.insert(key, Ledger::read_or_new(item));
        }
        ledgers
    }

    /// What could not be understood: its alerts may repeat others.
    pub fn unreadable(&self) -> impl Iterator<Item = &UnreadableItem> {
        self.unreadable.iter()
    }

    pub(super) fn get(&self, key: DedupKey) -> Option<&Ledger> {
        self.by_key.get(&key)
    }

    /// The claims to write before the alerts among these decisions are published.
    #[must_use]
    pub fn claims(&self, decisions: &[Decision], teller: &Teller) -> BTreeMap<DedupKey, Item> {
        let alerts = decisions.iter().filter_map(Decision::alert);
        let claim = |alert: &Alert| {
            let key = alert.finding.dedup_key;
            let mut ledger = self.get(key).cloned().unwrap_or_else(|| Ledger::of(&alert.finding));
            ledger.claim = Some(Claim::of(teller));
            (key, ledger.item(key, teller.now, alert.finding.rule.window))
        };
        alerts.map(claim).collect()
    }
}

impl Ledger {
    pub(super) fn of(finding: &Finding) -> Self {
        Self { rule: finding.rule.id.clone(), ..Self::default() }
    }

    pub(super) fn read(item: &Item) -> Result<Self, UnreadableItem> {
        Ok(Self { revision: item.revision, ..item.read()? })
    }

    /// The same, but what can't be understood counts as nothing.
    fn read_or_new(item: &Item) -> Self {
        Self::read(item).unwrap_or_else(|_| Self { revision: item.revision, ..Self::default() })
    }

    fn item(&self, key: DedupKey, now: Timestamp, window: SignedDuration) -> Item {
        let latest = self.published.iter().map(|alert| alert.until).fold(now, Timestamp::max);
        let kept = window.saturating_add(REDELIVERY);
        Item::new(key_of(key), self.revision, expiry(latest, now, kept), self)
    }

    /// Whether another process is about to publish an alert of this key.
    pub(super) fn is_claimed(&self, teller: &Teller) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.stands(teller))
    }

    /// Why nobody is told of a finding, if an alert that was published or put by speaks for it.
    pub(super) fn holds(&self, finding: &Finding, now: Timestamp) -> Option<Hold> {
        let start = finding.time();
        let within = |alert: &PastAlert, span: SignedDuration| start.duration_since(alert.time).abs() <= span;
        let told = |alert: &PastAlert| match (finding.episode(), finding.first_seen()) {
            (Some(episode), _) => {
                let found = PastEpisode::of(episode);
                alert.episodes.iter().any(|told| told.touches(&found, episode.timespan))
            }
            // Away for longer than the history, the value is news again.
            (_, Some(first)) => alert.told.0.contains(&finding.uid) && within(alert, first.history),
            _ => alert.told.0.contains(&finding.uid),
        };
        if let Some(alert) = self.published.iter().find(|alert| told(alert)) {
            return Some(alert.put_by.map_or(Hold::ToldBefore, |put_by| put_by.limit.into()));
        }
        let speaks = |alert: &PastAlert| alert.put_by.is_none_or(|put_by| now < put_by.until);
        self.published.iter().any(|alert| within(alert, finding.rule.window) && speaks(alert)).then_some(Hold::Repeated)
    }
}

impl<'d> Closing<'d> {
    /// What decisions came to, by key; `is_published` says which of the alerts are out.
    pub fn of(decisions: &'d [Decision], is_published: impl Fn(&Alert) -> bool) -> BTreeMap<DedupKey, Closing<'d>> {
        let mut closings: BTreeMap<DedupKey, Closing<'d>> = BTreeMap::new();
        for decision in decisions {
            match decision {
                Decision::Notify(alert) => {
                    let closing = closings.entry(alert.finding.dedup_key).or_default();
                    if is_published(alert) { closing.published.push(alert) } else { closing.has_failed = true }
                }
                Decision::Keep { alert, limit, until } => {
                    let put_by = PutBy { limit: *limit, until: *until };
                    closings.entry(alert.finding.dedup_key).or_default().put_by.push((alert, put_by));
                }
                Decision::Hold { finding, why: Hold::ToldBefore | Hold::Quiet | Hold::Capped }
                    if finding.episode().is_some() =>
                {
                    closings.entry(finding.dedup_key).or_default().going_on.push(finding);
                }
                Decision::Hold { .. } | Decision::Wait(_) => {}
            }
        }
        closings
    }

    /// What has to be written into the item that is there. Doing it again changes nothing.
    #[must_use]
    pub fn write(&self, key: DedupKey, there: Option<&Item>, teller: &Teller) -> Option<Item> {
        let alerts = self.published.iter().copied().chain(self.put_by.iter().map(|(alert, _)| *alert));
        let Some(finding) = alerts.map(|alert| &alert.finding).chain(self.going_on.iter().copied()).next() else {
            // Nothing came of it but a claim to give back.
            return self.give_back(key, there, teller);
        };
        let before = there.map_or_else(|| Ledger::of(finding), Ledger::read_or_new);
        let window = finding.rule.window;
        let mut ledger = before.clone();
        for alert in &self.published {
            ledger.add(alert, teller.now, None);
        }
        for (alert, put_by) in &self.put_by {
            ledger.add(alert, teller.now, Some(*put_by));
        }
        for finding in &self.going_on {
            ledger.extend(finding);
        }
        ledger.claim.take_if(|claim| claim.by == teller.name);
        ledger.bound(teller.now, window, MAX_ALERTS, MAX_TOLD);
        (ledger != before).then(|| ledger.item(key, teller.now, window))
    }

    fn give_back(&self, key: DedupKey, there: Option<&Item>, teller: &Teller) -> Option<Item> {
        let there = there.filter(|_| self.has_failed)?;
        let mut ledger = Ledger::read_or_new(there);
        let given_back = ledger.claim.take_if(|claim| claim.by == teller.name);
        given_back.map(|_| Item::new(key_of(key), there.revision, there.expires, &ledger))
    }
}

impl Ledger {
    pub(super) fn add(&mut self, alert: &Alert, now: Timestamp, put_by: Option<PutBy>) {
        let told = Uids(alert.findings().map(|finding| finding.uid).collect());
        let time = alert.finding.time();
        // Of a very large alert not all names were kept.
        let is_same = |past: &PastAlert| past.time == time && told.0.ends_with(&past.told.0);
        if self.published.iter().any(is_same) {
            return;
        }
        let until = alert.findings().map(|finding| finding.stretch().1).fold(time, Timestamp::max);
        let episodes = alert.findings().filter_map(Finding::episode).map(PastEpisode::of).collect();
        self.published.push(PastAlert { time, until, at: now, put_by, told, episodes });
        self.published.sort_by_key(|alert| alert.time);
    }

    fn extend(&mut self, finding: &Finding) {
        let Some(episode) = finding.episode() else { return };
        let found = PastEpisode::of(episode);
        for alert in &mut self.published {
            for told in alert.episodes.iter_mut().filter(|told| told.touches(&found, episode.timespan)) {
                told.end = told.end.max(found.end);
                alert.until = alert.until.max(told.end);
            }
        }
    }

    /// Lets go of what can't be asked for any more, and of the oldest where there is too much.
    pub(super) fn bound(&mut self, now: Timestamp, window: SignedDuration, max_alerts: usize, max_told: usize) {
        let kept = window.saturating_add(REDELIVERY);
        self.published.retain(|alert| now.duration_since(alert.at.max(alert.until)) <= kept);
        drop_oldest(&mut self.published, max_alerts);
        let mut room = max_told;
        for alert in self.published.iter_mut().rev() {
            drop_oldest(&mut alert.told.0, room);
            drop_oldest(&mut alert.episodes, room / 6);
            room -= alert.told.0.len();
        }
    }
}

fn drop_oldest<T>(list: &mut Vec<T>, at_most: usize) {
    if list.len() > at_most {
        list.drain(..list.len() - at_most);
        list.shrink_to_fit();
    }
}

/// Where the ledger of a dedup key is.
#[must_use]
pub fn key_of(key: DedupKey) -> Key {
    Key::single(Kind::Alerts, key.to_u128())
}
