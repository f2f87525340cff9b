//! One alert for all that a rule's limits have held back.
//!
//! Whoever finds that something is due claims the rule, reads again what is due, publishes the summary, marks what it told and then
//! removes it. So of two processes one tells; and who dies between publishing and marking has the next one tell it again.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::{Knowledge, RuleInfo, Tuning};
use crate::finding::{
    Actor, DedupKey, Details, Event, Finding, FindingUid, HeldFinding, Kind as FindingKind, OWN_SOURCE, Origin,
    Summary, Tally,
};
use crate::sigma::{Mode, Status};
use crate::trail::{EventIdentity, KeptRecord, Mfa, Outcome};
use crate::yaml::Text;

use super::acquaintance::Acquaintance;
use super::decision::{Alert, Repetition};
use super::item::{Item, Items, Key, Kind, REDELIVERY, UnreadableItem, later};
use super::kept::{Due, Kept, is_zero};
use super::ledger::{Claim, Teller};
use super::limit::Limit;
use super::uids::Uids;

/// How often a summary is told that reaches some topics and others not: as often as a queue delivers a message.
const MAX_HALVES: u64 = 5;
/// Findings that a summary shows.
const MAX_EVENTS: usize = 10;

/// Who is telling a summary of a rule, and which of what is due was told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Telling {
    rule: String,
    #[serde(deserialize_with = "Option::deserialize")]
    claim: Option<Claim>,
    /// How often it reached some topics and others not.
    #[serde(default, skip_serializing_if = "is_zero")]
    halves: u64,
    /// What could not be removed yet.
    #[serde(default, skip_serializing_if = "Uids::is_empty")]
    told: Uids,
    /// Which writing of the item this is.
    #[serde(skip)]
    revision: u64,
}

/// The rules whose summaries one process is about to tell.
#[derive(Debug, Default)]
pub struct Tellings {
    by_rule: BTreeMap<String, Telling>,
    unreadable: Vec<UnreadableItem>,
}

impl Tellings {
    /// What to read before claiming these rules.
    #[must_use]
    pub fn keys(rules: &BTreeSet<String>) -> Vec<Key> {
        rules.iter().map(|rule| key_of(rule)).collect()
    }

    /// Takes what was read. Rules that another process is telling of are left to it.
    #[must_use]
    pub fn read(rules: BTreeSet<String>, items: &Items, teller: &Teller) -> Self {
        let mut tellings = Self::default();
        for rule in rules {
            let item = items.get(&key_of(&rule));
            let read = item.map(Item::read::<Telling>).transpose();
            let read = read.map_err(|error| tellings.unreadable.push(error)).ok().flatten().unwrap_or_default();
            let revision = item.map_or(0, |item| item.revision);
            if !read.claim.as_ref().is_some_and(|claim| claim.stands(teller)) {
                tellings.by_rule.insert(rule.clone(), Telling { rule, revision, ..read });
            }
        }
        tellings
    }

    /// What could not be understood: a summary may be told again.
    pub fn unreadable(&self) -> impl Iterator<Item = &UnreadableItem> {
        self.unreadable.iter()
    }

    /// The claims to write before anything else.
    pub fn claims(&mut self, teller: &Teller) -> Vec<Item> {
        let claim = |telling: &mut Telling| {
            telling.claim = Some(Claim::of(teller));
            telling.item(teller.now)
        };
        self.by_rule.values_mut().map(claim).collect()
    }

    /// Leaves out the rules whose claims were beaten.
    pub fn settle(&mut self, written: &[bool]) {
        let mut written = written.iter();
        self.by_rule.retain(|_, telling| {
            telling.revision += 1;
            written.next().is_some_and(|written| *written)
        });
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_rule.is_empty()
    }

    /// The summaries of what is due. `rule_of` knows rules by their ids.
    #[must_use]
    pub fn summaries(
        &self,
        due: &Due,
        rule_of: impl Fn(&str) -> Option<Arc<RuleInfo>>,
        knowledge: &Knowledge,
    ) -> Vec<Alert> {
        let each = |telling: &Telling| {
            let kept: Vec<&Kept> =
                due.of(&telling.rule).iter().map(|(_, kept)| kept).filter(|kept| !telling.has_told(kept)).collect();
            let rule = rule_of(&telling.rule).or_else(|| kept.first().map(|kept| Arc::new(forgotten(kept))));
            let summary = summary(&kept, due.has_more(), knowledge)?;
            let is_own = kept.iter().any(|kept| kept.is_own);
            Some(alert(rule?, summary, is_own))
        };
        self.by_rule.values().filter_map(each).collect()
    }

    /// Notes that a summary has reached some topics and others not, and says whether that was often enough: those that have it must
    /// not get it for ever because another one refuses it.
    pub fn gives_up(&mut self, rule: &str) -> bool {
        let Some(telling) = self.by_rule.get_mut(rule) else { return false };
        telling.halves += 1;
        telling.halves >= MAX_HALVES
    }

    /// What to write once summaries of these rules are out: what they told of, and that the claims are given back. Where some
    /// topics have one and others not, the claim stands until its end: that is the pause before the next try.
    #[must_use]
    pub fn marks(&self, due: &Due, published: &BTreeSet<String>, teller: &Teller) -> Vec<Item> {
        let mark = |telling: &Telling| {
            let told = telling.told(due, published).map(|(_, kept)| kept.name()).collect();
            let halves = if published.contains(&telling.rule) { 0 } else { telling.halves };
            let claim = telling.claim.clone().filter(|_| halves > 0);
            Telling { claim, halves, told: Uids(told), ..telling.clone() }.item(teller.now)
        };
        self.by_rule.values().map(mark).collect()
    }

    /// What to remove after that.
    #[must_use]
    pub fn done(&self, due: &Due, published: &BTreeSet<String>) -> Vec<Key> {
        self.by_rule.values().flat_map(|telling| telling.told(due, published)).map(|(key, _)| key.clone()).collect()
    }
}

impl Telling {
    fn item(&self, now: Timestamp) -> Item {
        Item::new(key_of(&self.rule), self.revision, later(now, REDELIVERY), self)
    }

    fn has_told(&self, kept: &Kept) -> bool {
        self.told.0.contains(&kept.name())
    }

    /// What of that which is due was told by now.
    fn told<'d>(&self, due: &'d Due, published: &BTreeSet<String>) -> impl Iterator<Item = &'d (Key, Kept)> {
        let is_published = published.contains(&self.rule);
        due.of(&self.rule).iter().filter(move |(_, kept)| is_published || self.has_told(kept))
    }
}

fn key_of(rule: &str) -> Key {
    Key::single(Kind::Kept, DedupKey::of_summaries(rule).to_u128())
}

/// What is known of a rule that isn't there any more.
fn forgotten(kept: &Kept) -> RuleInfo {
    RuleInfo {
        id: kept.rule.clone(),
        name: None,
        title: kept.title.clone(),
        level: kept.level(),
        mode: Mode::Live,
        status: Status::Test,
        changed: None,
        description: Text::default(),
        references: Vec::new(),
        tags: Vec::new(),
        falsepositives: Vec::new(),
        runbook: Vec::new(),
        commands: Vec::new(),
        file: Text::default(),
        window: SignedDuration::ZERO,
        tuning: Tuning::default(),
    }
}

/// Puts together what was kept, each finding once.
fn summary(kept: &[&Kept], has_more: bool, knowledge: &Knowledge) -> Option<Summary> {
    let mut seen = HashSet::new();
    let mut findings: Vec<(Limit, HeldFinding)> = kept
        .iter()
        .flat_map(|kept| kept.findings().map(|finding| (kept.limit, finding)))
        .filter(|(_, finding)| seen.insert((finding.uid, finding.identity.clone())))
        .collect();
    findings.sort_by_key(|(_, finding)| (finding.time, finding.uid));
    let ((_, first), (_, last)) = findings.first().zip(findings.last())?;
    let of = |limit: Limit| findings.iter().filter(|(one, _)| *one == limit).count() as u64;
    let each = || findings.iter().map(|(_, finding)| finding);
    let mut accounts = Tally::of(each().map(|finding| finding.identity.account.as_str()));
    for tallied in &mut accounts.most {
        let account = knowledge.account(&tallied.value);
        tallied.name = account.map(|account| account.name.clone());
        tallied.owner = account.and_then(|account| account.owner.clone());
    }
    Some(Summary {
        quiet: of(Limit::Quiet),
        capped: of(Limit::Capped),
        repeated: kept.iter().map(|kept| kept.repeated).sum(),
        since: first.time,
        until: last.time,
        callers: Tally::of(each().filter_map(|finding| finding.principal.as_deref())),
        accounts,
        regions: Tally::of(each().map(|finding| finding.region.as_str())),
        events: shown(each()),
        findings: each().map(|finding| finding.uid).collect(),
        has_more,
    })
}

/// The first of each caller, and then the earliest: who makes much noise must not hide the others.
fn shown<'f>(findings: impl Iterator<Item = &'f HeldFinding>) -> Vec<HeldFinding> {
    let mut callers = HashSet::new();
    let (mut shown, others): (Vec<_>, Vec<_>) = findings.partition(|finding| callers.insert(&finding.principal));
    shown.extend(others);
    shown.truncate(MAX_EVENTS);
    shown.sort_by_key(|finding| (finding.time, finding.uid));
    shown.into_iter().cloned().collect()
}

/// The alert that tells it. Its event says what those that were held have in common, so that it goes where they would have gone.
fn alert(rule: Arc<RuleInfo>, summary: Summary, is_own: bool) -> Alert {
    let only = |tally: &Tally| tally.only().map(|only| only.value.clone()).unwrap_or_default();
    let account = summary.accounts.only();
    let same = |of: fn(&HeldFinding) -> &String| {
        let first = summary.events.first().map(of);
        first.filter(|first| summary.events.iter().all(|event| of(event) == *first)).cloned().unwrap_or_default()
    };
    let details = Details {
        source: same(|event| &event.source),
        name: same(|event| &event.name),
        region: only(&summary.regions),
        outcome: Outcome::Success,
        error_code: None,
        error_message: None,
        actor: NOBODY,
        source_ip: None,
        source_address: None,
        user_agent: None,
        request_id: None,
        resources: Vec::new(),
    };
    let event = Event {
        identity: EventIdentity { account: only(&summary.accounts), event_id: String::new() },
        time: summary.since,
        time_is_known: true,
        account_name: account.and_then(|account| account.name.clone()),
        account_owner: account.and_then(|account| account.owner.clone()),
        caller_account_name: None,
        known_source: None,
        record: KeptRecord::default(),
        details: OnceLock::from(Box::new(details)),
    };
    let finding = Finding {
        uid: FindingUid::of_summary(&rule.id, &summary.findings),
        title: format!("{} held back: {}", summary.count(), rule.title).into(),
        dedup_key: DedupKey::of_summaries(&rule.id),
        kind: FindingKind::Summary(Box::new(summary)),
        event: Arc::new(event),
        origin: Origin { file: if is_own { OWN_SOURCE } else { "" }.into(), record_index: 0 },
        rule,
    };
    Alert { finding, more: Vec::new(), repetition: Repetition::HeldSince(0), acquaintance: Acquaintance::default() }
}

const NOBODY: Actor = Actor {
    principal: None,
    principal_type: None,
    principal_id: None,
    arn: None,
    account: None,
    user_name: None,
    session_name: None,
    session_issuer: None,
    access_key_id: None,
    invoked_by: None,
    mfa: Mfa::NotApplicable,
    service_call: false,
};
