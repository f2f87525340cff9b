//! A self-contained fact: this rule met this event.
//!
//! A [`Finding`] owns all that alerting and the channels need, so that the file it came from can be let go. It is not
//! what is serialised: wire formats are `notify`'s.

mod episode;
mod summary;
mod uid;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};

use crate::engine::{FirstSeenPlan, Knowledge, KnownSource, Match, RuleInfo, Sighted};
use crate::trail::{EventIdentity, KeptRecord, Mfa, Outcome, Record, Slot};

pub use episode::{Contribution, Episode, EpisodeEvent};
pub use summary::{HeldFinding, Summary, Tallied, Tally};
pub use uid::{DedupKey, FindingUid, GroupKey, fingerprint};

/// The `eventSource` of records that are about trailhound itself.
pub const OWN_SOURCE: &str = "trailhound";

/// A rule met an event.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The same rule and event, or the same new value, give the same uid on any machine and in any order.
    pub uid: FindingUid,
    /// The rule.
    pub rule: Arc<RuleInfo>,
    /// What happened, in one line: the rule's title, with what the record says where the rule asks for that.
    pub title: Arc<str>,
    /// What kind of rule, and what it has to remember.
    pub kind: Kind,
    /// Findings with the same key are one alert for the length of the rule's window.
    pub dedup_key: DedupKey,
    /// What the record says; shared by the findings of one record.
    pub event: Arc<Event>,
    /// Where the record stands.
    pub origin: Origin,
}

/// What kind of rule the finding comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The record matches.
    Match,
    /// The record matches, and counts if its entity shows this value for the first time.
    FirstSeen(FirstSeen),
    /// The records of a group add up to what a correlation asks for. The finding's event is the one that completed it, if that
    /// is at hand, or else the latest of it that is.
    Episode(Box<Episode>),
    /// None of its own, but what the rule's limits have held back. The finding's event is none that happened: it says what those that
    /// were held have in common.
    Summary(Box<Summary>),
}

/// What a first-seen rule has to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstSeen {
    /// The entity and the value it showed.
    pub sighted: Sighted,
    /// What the rule learns.
    pub subject: Arc<str>,
    /// A value not seen for this long is new again.
    pub history: SignedDuration,
    /// No alerts about an entity until it has been known this long.
    pub learning: SignedDuration,
    /// The latest event of its file and period that showed the same.
    pub until: Timestamp,
    /// Nobody is told: it only makes the entity known.
    pub is_known: bool,
}

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The object's URL or the file's path.
    pub file: Arc<str>,
    /// The record's place in it, counted from 0.
    pub record_index: u64,
}

/// A record that met a rule: what tells it from others, and its bytes. What it says is read when somebody asks, because most
/// findings are repetitions that nobody is told.
#[derive(Debug, Clone)]
pub struct Event {
    /// Which event, whatever file it stands in.
    pub identity: EventIdentity,
    /// When the request was completed; when it was read, if the record doesn't say.
    pub time: Timestamp,
    /// Whether the record says when.
    pub time_is_known: bool,
    /// The organisation's name for the account.
    pub account_name: Option<String>,
    /// Who looks after the account.
    pub account_owner: Option<String>,
    /// The organisation's name for the caller's account, if that is another one.
    pub caller_account_name: Option<String>,
    /// What is known of the address that the call came from, if anything is.
    pub known_source: Option<Box<KnownSource>>,
    /// The record as it stands in the file.
    pub record: KeptRecord,
    pub(crate) details: OnceLock<Box<Details>>,
}

/// What a record says, taken out of it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the words of CloudTrail")]
pub struct Details {
    pub source: String,
    pub name: String,
    pub region: String,
    pub outcome: Outcome,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub actor: Actor,
    pub source_ip: Option<String>,
    pub source_address: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    pub resources: Vec<String>,
}

/// Who made the call.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the words of CloudTrail")]
pub struct Actor {
    /// The stable principal: a role, a user, a service.
    pub principal: Option<String>,
    pub principal_type: Option<String>,
    pub principal_id: Option<String>,
    pub arn: Option<String>,
    pub account: Option<String>,
    pub user_name: Option<String>,
    pub session_name: Option<String>,
    pub session_issuer: Option<String>,
    pub access_key_id: Option<String>,
    pub invoked_by: Option<String>,
    pub mfa: Mfa,
    pub service_call: bool,
}

impl Finding {
    /// A match, told by itself. `event` is the record's.
    #[must_use]
    pub fn of_match(matched: &Match<'_, '_>, uid: FindingUid, event: &Arc<Event>, file: &Arc<str>) -> Self {
        let key = DedupKey::new(&matched.info().id, &matched.dedup_values().unwrap_or_default());
        Self::new(matched, uid, Kind::Match, key, event, file)
    }

    /// A first-seen rule's match, for one entity and value.
    #[must_use]
    pub fn of_sighting(
        matched: &Match<'_, '_>,
        plan: &FirstSeenPlan,
        sighted: Sighted,
        event: &Arc<Event>,
        file: &Arc<str>,
    ) -> Self {
        let id = &matched.info().id;
        let values = matched.dedup_values().unwrap_or_else(|| [&*sighted.entity, &*sighted.value].concat());
        let (uid, key) = (FindingUid::of_sighting(id, &sighted), DedupKey::new(id, &values));
        let first = FirstSeen {
            sighted,
            subject: Arc::clone(&plan.subject),
            history: plan.history,
            learning: plan.learning,
            until: event.time,
            is_known: false,
        };
        Self::new(matched, uid, Kind::FirstSeen(first), key, event, file)
    }

    fn new(
        matched: &Match<'_, '_>,
        uid: FindingUid,
        kind: Kind,
        dedup_key: DedupKey,
        event: &Arc<Event>,
        file: &Arc<str>,
    ) -> Self {
        Self {
            uid,
            rule: Arc::clone(matched.info()),
            title: matched.title().into(),
            kind,
            dedup_key,
            event: Arc::clone(event),
            origin: Origin { file: Arc::clone(file), record_index: matched.record.index() },
        }
    }

    /// When it happened: for an episode when it began, whichever of its events is at hand.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.stretch().0
    }

    /// From when to when it happened.
    #[must_use]
    pub fn stretch(&self) -> (Timestamp, Timestamp) {
        self.episode().map_or((self.event.time, self.event.time), |episode| (episode.start, episode.end))
    }

    /// Whether it is about trailhound itself. What a record says of that proves nothing: where it came from does.
    #[must_use]
    pub fn is_own(&self) -> bool {
        &*self.origin.file == OWN_SOURCE
    }

    /// What a first-seen rule has to remember.
    #[must_use]
    pub fn first_seen(&self) -> Option<&FirstSeen> {
        match &self.kind {
            Kind::FirstSeen(first) => Some(first),
            _ => None,
        }
    }

    /// What a correlation found.
    #[must_use]
    pub fn episode(&self) -> Option<&Episode> {
        match &self.kind {
            Kind::Episode(episode) => Some(episode),
            _ => None,
        }
    }

    /// What was held back, if it tells of that.
    #[must_use]
    pub fn summary(&self) -> Option<&Summary> {
        match &self.kind {
            Kind::Summary(summary) => Some(summary),
            _ => None,
        }
    }

    /// Has a first sighting be no news.
    pub fn take_as_known(&mut self) {
        if let Kind::FirstSeen(first) = &mut self.kind {
            first.is_known = true;
        }
    }

    /// Takes another event of the same rule, entity and value in: the earlier one stands, the later one's time is kept.
    pub fn collapse(&mut self, other: &mut Self) {
        let earliest = |finding: &Self| (finding.event.time, finding.event.identity.clone());
        if earliest(other) < earliest(self) {
            std::mem::swap(self, other);
        }
        if let (Kind::FirstSeen(kept), Kind::FirstSeen(dropped)) = (&mut self.kind, &other.kind) {
            kept.until = kept.until.max(dropped.until);
        }
    }
}

impl Event {
    /// Takes the record over. `now` stands in for the time of a record that carries none.
    #[must_use]
    pub fn of(record: &Record<'_>, knowledge: &Knowledge, now: Timestamp) -> Self {
        let identity = record.event_identity();
        let time = record.time();
        let account = knowledge.account(&identity.account);
        let caller = record.identity().account().filter(|caller| **caller != identity.account);
        Self {
            time: time.unwrap_or(now),
            time_is_known: time.is_some(),
            account_name: account.map(|account| account.name.clone()),
            account_owner: account.and_then(|account| account.owner.clone()),
            caller_account_name: caller.and_then(|caller| knowledge.account_name(&caller)).map(str::to_owned),
            known_source: knowledge.source(record).map(Box::new),
            record: record.keep(),
            identity,
            details: OnceLock::new(),
        }
    }

    /// What the record says; read once.
    #[must_use]
    pub fn details(&self) -> &Details {
        self.details.get_or_init(|| Box::new(Details::of(&self.record.record())))
    }
}

impl Details {
    fn of(record: &Record<'_>) -> Self {
        let said = |slot| record.said(slot).map(Cow::into_owned);
        Self {
            source: record.event_source().unwrap_or_default().into_owned(),
            name: record.event_name().unwrap_or_default().into_owned(),
            region: record.region().unwrap_or_default().into_owned(),
            outcome: record.outcome(),
            error_code: said(Slot::ErrorCode),
            error_message: said(Slot::ErrorMessage),
            actor: Actor::of(record),
            source_ip: record.source_ip().map(Cow::into_owned),
            source_address: record.source_address(),
            user_agent: said(Slot::UserAgent),
            request_id: said(Slot::RequestId),
            resources: record.resources().into_iter().map(Cow::into_owned).collect(),
        }
    }
}

impl Actor {
    fn of(record: &Record<'_>) -> Self {
        let identity = record.identity();
        let said = |slot| record.said(slot).map(Cow::into_owned);
        Self {
            principal: identity.principal().map(Into::into),
            principal_type: identity.principal_type().map(Cow::into_owned),
            principal_id: said(Slot::IdentityPrincipalId),
            arn: said(Slot::IdentityArn),
            account: identity.account().map(Cow::into_owned),
            user_name: said(Slot::IdentityUserName),
            session_name: identity.session_name(),
            session_issuer: record.text("userIdentity.sessionContext.sessionIssuer.arn").map(Cow::into_owned),
            access_key_id: said(Slot::IdentityAccessKeyId),
            invoked_by: identity.invoked_by().map(Cow::into_owned),
            mfa: record.mfa(),
            service_call: record.is_service_call(),
        }
    }
}
