//! Keeps a notification within what SNS takes, and says what was left out.

use std::sync::Arc;

use crate::alerting::Alert;
use crate::engine::{KnownSource, RuleInfo};
use crate::finding::{Actor, Details, Episode, EpisodeEvent, Event, Finding, Kind};
use crate::trail::{EventIdentity, KeptRecord};

use super::story::{MAX_MORE, Story};
use super::{Notification, plain, redact};

/// Message and attributes of one SNS publish, in bytes.
/// <https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html>
pub const MAX_MESSAGE_BYTES: usize = 262_144;

/// What is left of a text, a list and a description when nothing else fits, in characters and items.
const MAX_TEXT: usize = 200;
const MAX_ITEMS: usize = 5;
const MAX_DESCRIPTION: usize = 1000;

/// How much of the events goes into the machine-readable form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Every event of the alert, with its record.
    Full,
    /// Every event, without records.
    WithoutRecords,
    /// The first event, without its record, its texts and lists cut short.
    FirstOnly,
}

impl Detail {
    /// What was left out, for the receiver.
    pub(super) fn note(self) -> Option<&'static str> {
        match self {
            Self::Full => None,
            Self::WithoutRecords => Some("The records were left out: with them the message is too large for SNS."),
            Self::FirstOnly => Some(
                "All but the first evidence was left out, long texts and lists were cut: the message was too large for SNS.",
            ),
        }
    }
}

/// Renders with as much detail as fits.
pub(super) fn fit(alert: &Alert, render: impl Fn(&Alert, Detail) -> Notification) -> Notification {
    let fits = |notification: &Notification| notification.sns_bytes() <= MAX_MESSAGE_BYTES;
    // Records that can't fit needn't be rendered: one may have megabytes.
    let record = alert.finding.event.record.raw().len();
    let details = [Detail::Full, Detail::WithoutRecords];
    (details.into_iter().skip(usize::from(record > MAX_MESSAGE_BYTES)))
        .map(|detail| render(alert, detail))
        .find(fits)
        .unwrap_or_else(|| render(&shortened(alert), Detail::FirstOnly))
}

/// The story with as much in it as fits, and a note of what doesn't.
pub(super) fn story(story: &Story, detail: Detail) -> Story {
    let mut story = story.clone();
    story.notes.extend(detail.note().map(str::to_owned));
    if detail == Detail::FirstOnly {
        story.shorten(MAX_TEXT, MAX_ITEMS);
    }
    story
}

/// The alert with every text and list cut so short that it fits whatever a log or a rule holds: whoever makes a call with
/// a thousand resources must not keep their own alert from going out.
fn shortened(alert: &Alert) -> Alert {
    let rule = Arc::new(short_rule(&alert.finding.rule));
    let finding = |finding: &Finding| short_finding(finding, &rule);
    // Of the others only the time is told.
    let (named, others) = alert.more.split_at(alert.more.len().min(MAX_MORE));
    Alert {
        finding: finding(&alert.finding),
        more: named.iter().map(finding).chain(others.iter().cloned()).collect(),
        repetition: alert.repetition,
        acquaintance: alert.acquaintance.clone(),
    }
}

fn short_finding(finding: &Finding, rule: &Arc<RuleInfo>) -> Finding {
    let mut short = Finding { rule: Arc::clone(rule), event: Arc::new(short_event(&finding.event)), ..finding.clone() };
    short.origin.file = plain::line(&finding.origin.file, MAX_DESCRIPTION).into();
    short.title = plain::line(&finding.title, MAX_DESCRIPTION).into();
    match &mut short.kind {
        // The texts of a summary were cut when they were put by.
        Kind::Match | Kind::Summary(_) => {}
        Kind::FirstSeen(first) => {
            first.sighted.entity = list(&first.sighted.entity);
            first.sighted.value = list(&first.sighted.value);
        }
        Kind::Episode(episode) => **episode = short_episode(episode),
    }
    short
}

fn short_episode(episode: &Episode) -> Episode {
    let event = |event: &EpisodeEvent| EpisodeEvent {
        rule: Arc::new(short_rule(&event.rule)),
        identity: short_identity(&event.identity),
        source: short(&event.source),
        name: short(&event.name),
        principal: option(event.principal.as_ref()),
        source_ip: option(event.source_ip.as_ref()),
        ..event.clone()
    };
    Episode {
        group: episode.group.iter().map(|(name, value)| (short(name), short(value))).collect(),
        events: episode.events.iter().map(event).collect(),
        ..episode.clone()
    }
}

fn short_identity(identity: &EventIdentity) -> EventIdentity {
    EventIdentity { account: short(&identity.account), event_id: short(&identity.event_id) }
}

fn short_rule(rule: &RuleInfo) -> RuleInfo {
    RuleInfo {
        id: short(&rule.id),
        name: None,
        title: short(&rule.title),
        level: rule.level,
        mode: rule.mode,
        status: rule.status,
        changed: option(rule.changed.as_ref()),
        description: plain::line(&rule.description, MAX_DESCRIPTION).into(),
        references: list(&rule.references),
        tags: list(&rule.tags),
        falsepositives: list(&rule.falsepositives),
        runbook: list(&rule.runbook),
        commands: Vec::new(),
        file: short(&rule.file).into(),
        window: rule.window,
        tuning: rule.tuning.clone(),
    }
}

fn short_event(event: &Event) -> Event {
    Event {
        identity: short_identity(&event.identity),
        time: event.time,
        time_is_known: event.time_is_known,
        account_name: option(event.account_name.as_ref()),
        account_owner: option(event.account_owner.as_ref()),
        caller_account_name: option(event.caller_account_name.as_ref()),
        known_source: event.known_source.as_deref().map(|source| Box::new(short_source(source))),
        record: KeptRecord::default(),
        details: Box::new(short_details(event.details())).into(),
    }
}

fn short_source(source: &KnownSource) -> KnownSource {
    KnownSource {
        asn: source.asn,
        as_org: option(source.as_org.as_ref()),
        country: option(source.country.as_ref()),
        networks: list(&source.networks),
    }
}

fn short_details(details: &Details) -> Details {
    Details {
        source: short(&details.source),
        name: short(&details.name),
        region: short(&details.region),
        outcome: details.outcome,
        error_code: option(details.error_code.as_ref()),
        error_message: option(details.error_message.as_ref()),
        actor: short_actor(&details.actor),
        source_ip: option(details.source_ip.as_ref()),
        source_address: details.source_address,
        user_agent: option(details.user_agent.as_ref()),
        request_id: option(details.request_id.as_ref()),
        resources: list(&details.resources),
    }
}

fn short_actor(actor: &Actor) -> Actor {
    Actor {
        principal: option(actor.principal.as_ref()),
        principal_type: option(actor.principal_type.as_ref()),
        principal_id: option(actor.principal_id.as_ref()),
        arn: option(actor.arn.as_ref()),
        account: option(actor.account.as_ref()),
        user_name: option(actor.user_name.as_ref()),
        session_name: option(actor.session_name.as_ref()),
        session_issuer: option(actor.session_issuer.as_ref()),
        access_key_id: option(actor.access_key_id.as_ref()),
        invoked_by: option(actor.invoked_by.as_ref()),
        mfa: actor.mfa,
        service_call: actor.service_call,
    }
}

/// Without secrets before it is cut: part of one would not be known for what it is.
fn short(text: &str) -> String {
    plain::line(&redact::text(text), MAX_TEXT)
}

fn option<T: AsRef<str> + From<String>>(text: Option<&T>) -> Option<T> {
    text.map(|text| short(text.as_ref())).filter(|text| !text.is_empty()).map(T::from)
}

fn list<T: AsRef<str> + From<String>>(texts: &[T]) -> Vec<T> {
    texts.iter().take(MAX_ITEMS).map(|text| short(text.as_ref()).into()).collect()
}
