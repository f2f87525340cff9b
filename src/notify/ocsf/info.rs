//! What the finding is about, and the rule that made it.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::alerting::Alert;
use crate::engine::RuleInfo;
use crate::finding::{EpisodeEvent, Finding, HeldFinding, Kind, OWN_SOURCE};
use crate::sigma::{Mode, Status};
use crate::yaml::Text;

use super::super::asff;
use super::super::fit::Detail;
use super::super::redact;
use super::super::story::{MAX_MORE, Story};
use super::attack::{self, Attack};
use super::object::{Tag, objects};
use super::{MAX_RELATED, max_evidences};

objects! {
    FindingInfo<'a> {
        uid: String,
        title: Cow<'a, str>,
        desc: &'a str,
        src_url: Option<&'a str>,
        types: Vec<&'static str>,
        created_time: i64,
        first_seen_time: i64,
        last_seen_time: i64,
        analytic: Analytic<'a>,
        attacks: Vec<Attack>,
        related_events_count: usize,
        related_events: Vec<RelatedEvent<'a>>,
        tags: Vec<Tag<'a>>,
        data_sources: [&'static str; 1],
    }

    Analytic<'a> {
        type_id: u32,
        r#type: &'static str,
        category: &'static str,
        uid: &'a str,
        name: &'a str,
        desc: &'a str,
        version: Option<&'a str>,
        state_id: u32,
        state: &'static str,
    }

    RelatedEvent<'a> {
        uid: &'a str,
        r#type: &'a str,
        title: &'a str,
        first_seen_time: i64,
        tags: Vec<Tag<'a>>,
    }

    Remediation<'a> {
        desc: String,
        references: Vec<&'a str>,
    }
}

pub(super) fn finding_info<'a>(alert: &'a Alert, story: &'a Story, detail: Detail, now: Timestamp) -> FindingInfo<'a> {
    let finding = &alert.finding;
    let rule = &finding.rule;
    let (first, last) = stretch(alert);
    FindingInfo {
        uid: finding.uid.to_string(),
        title: redact::text(&finding.title),
        desc: &story.sentence,
        src_url: story.console.as_deref(),
        types: types(finding),
        created_time: now.as_millisecond(),
        first_seen_time: first.as_millisecond(),
        last_seen_time: last.as_millisecond(),
        analytic: analytic(rule, &finding.kind),
        attacks: attack::attacks(&rule.tags),
        related_events_count: finding.episode().map_or(alert.count(), |episode| episode.count),
        related_events: related_events(alert, detail),
        tags: tags(&rule.tags),
        data_sources: [if finding.is_own() { OWN_SOURCE } else { "AWS CloudTrail" }],
    }
}

/// From the first to the last event; for a correlation, of those that add up.
pub(super) fn stretch(alert: &Alert) -> (Timestamp, Timestamp) {
    let last = alert.last_time();
    alert.finding.episode().map_or((alert.finding.event.time, last), |episode| (episode.first, episode.last.max(last)))
}

/// In the taxonomy of Security Hub's findings.
fn types(finding: &Finding) -> Vec<&'static str> {
    let tactics = asff::types_of(&finding.rule.tags);
    let unusual = finding.first_seen().map(|_| "Unusual Behaviors");
    let own = finding.is_own().then_some("Software and Configuration Checks");
    tactics.chain(unusual).chain(own).collect()
}

fn analytic<'a>(rule: &'a RuleInfo, kind: &Kind) -> Analytic<'a> {
    let (type_id, r#type, category) = match kind {
        Kind::Match => (1, "Rule", "match"),
        Kind::FirstSeen(_) => (2, "Behavioral", "first-seen"),
        Kind::Episode(_) => (1, "Rule", "correlation"),
        Kind::Summary(_) => (1, "Rule", "summary"),
    };
    let is_trial = rule.status == Status::Experimental || rule.mode == Mode::DryRun;
    let (state_id, state) = if is_trial { (3, "Experimental") } else { (1, "Active") };
    Analytic {
        type_id,
        r#type,
        category,
        uid: &rule.id,
        name: &rule.title,
        desc: &rule.description,
        version: rule.changed.as_deref(),
        state_id,
        state,
    }
}

/// The events that a correlation adds up, some of those that were held back; otherwise those that there is no evidence of.
fn related_events(alert: &Alert, detail: Detail) -> Vec<RelatedEvent<'_>> {
    match (alert.finding.episode(), alert.finding.summary()) {
        (Some(episode), _) => episode.events.iter().map(counted).collect(),
        (_, Some(summary)) => summary.events.iter().map(held).collect(),
        _ => alert.findings().skip(max_evidences(detail)).take(max_related(detail)).map(further).collect(),
    }
}

/// An event that a correlation counts.
fn counted(event: &EpisodeEvent) -> RelatedEvent<'_> {
    RelatedEvent {
        uid: &event.identity.event_id,
        r#type: &event.name,
        title: &event.rule.title,
        first_seen_time: event.time.as_millisecond(),
        tags: vec![Tag::new("rule_uid", &event.rule.id), Tag::new("account_uid", &event.identity.account)],
    }
}

/// The event of a finding that was held back.
fn held(finding: &HeldFinding) -> RelatedEvent<'_> {
    RelatedEvent {
        uid: &finding.identity.event_id,
        r#type: &finding.name,
        title: finding.title.as_deref().unwrap_or_default(),
        first_seen_time: finding.time.as_millisecond(),
        tags: vec![Tag::new("account_uid", &finding.identity.account)],
    }
}

/// The event of one more finding of the alert.
fn further(finding: &Finding) -> RelatedEvent<'_> {
    let event = &finding.event;
    RelatedEvent {
        uid: &event.identity.event_id,
        r#type: &event.details().name,
        title: "",
        first_seen_time: event.time.as_millisecond(),
        tags: Vec::new(),
    }
}

/// When little fits, only those whose texts were cut short.
pub(super) fn max_related(detail: Detail) -> usize {
    if detail == Detail::FirstOnly { MAX_MORE } else { MAX_RELATED }
}

/// Tags that are not ATT&CK's: `cve.2021-44228` has the name `cve`.
fn tags(tags: &[Text]) -> Vec<Tag<'_>> {
    let mut named: Vec<Tag<'_>> = Vec::new();
    for tag in tags.iter().filter(|tag| !attack::is_attack(tag)) {
        let (name, value) = tag.split_once('.').unwrap_or(("tag", tag));
        match named.iter_mut().find(|tag| tag.name == name) {
            Some(tag) => tag.values.push(value),
            None => named.push(Tag { name, value: None, values: vec![value] }),
        }
    }
    named
}

/// What the rule's author has the receiver do.
pub(super) fn remediation(rule: &RuleInfo) -> Option<Remediation<'_>> {
    let steps = rule.runbook.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1));
    (!rule.runbook.is_empty()).then(|| Remediation {
        desc: steps.collect::<Vec<_>>().join("\n"),
        references: rule.references.iter().map(Text::as_str).collect(),
    })
}
