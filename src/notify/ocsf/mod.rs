//! OCSF 1.8 Detection Finding, class 2004, with the profile `cloud`.
//!
//! <https://schema.ocsf.io/1.8.0/classes/detection_finding>

mod actor;
mod attack;
mod evidence;
mod info;
mod metadata;
mod object;
mod observable;
mod pattern;
mod resource;
mod summary;

use jiff::Timestamp;

use crate::alerting::Alert;
use crate::finding::Finding;
use crate::sigma::Level;
use crate::trail::partition;

use super::fit::Detail;
use super::redact;
use super::story::Story;
use evidence::{Evidence, evidence};
use info::{FindingInfo, Remediation, finding_info, max_related, remediation, stretch};
use metadata::{Metadata, metadata};
use object::{Account, objects};
use observable::{Observable, observables};
use pattern::{Anomaly, Pattern};
use resource::{Arn, Resource, resources};
use summary::HeldBack;

const MAX_EVIDENCES: usize = 20;
const MAX_RESOURCES: usize = 100;
const MAX_RELATED: usize = 50;

pub(super) fn finding(alert: &Alert, story: &Story, detail: Detail, now: Timestamp) -> String {
    // OK because the finding holds nothing but texts, numbers, and records that were read as JSON.
    serde_json::to_string(&DetectionFinding::of(alert, story, detail, now)).unwrap_or_default()
}

impl object::Absent for &Story {}

objects! {
    DetectionFinding<'a> {
        activity_id: u32,
        activity_name: &'static str,
        category_uid: u32,
        category_name: &'static str,
        class_uid: u32,
        class_name: &'static str,
        type_uid: u32,
        type_name: &'static str,
        severity_id: u32,
        severity: &'static str,
        status_id: u32,
        status: &'static str,
        is_alert: bool,
        time: i64,
        timezone_offset: i32,
        start_time: i64,
        end_time: i64,
        count: usize,
        message: String,
        metadata: Metadata<'a>,
        cloud: Cloud<'a>,
        finding_info: FindingInfo<'a>,
        evidences: Vec<Evidence<'a>>,
        resources: Vec<Resource<'a>>,
        observables: Vec<Observable<'a>>,
        anomaly_analyses: Vec<Anomaly<'a>>,
        remediation: Option<Remediation<'a>>,
        unmapped: Unmapped<'a>,
    }

    #[expect(clippy::struct_field_names, reason = "the words of OCSF")]
    Cloud<'a> {
        provider: &'static str,
        cloud_partition: Option<&'a str>,
        region: &'a str,
        account: Option<Account<'a>>,
        org: Option<Organization<'a>>,
    }

    Organization<'a> {
        uid: &'a str,
    }

    /// What the class has no place for.
    Unmapped<'a> {
        record_index: Option<u64>,
        correlation: Option<Pattern<'a>>,
        summary: Option<HeldBack<'a>>,
        /// What was left out of this form.
        notes: Vec<String>,
        /// What people are told, ready for any channel.
        story: &'a Story,
    }
}

impl<'a> DetectionFinding<'a> {
    fn of(alert: &'a Alert, story: &'a Story, detail: Detail, now: Timestamp) -> Self {
        let finding = &alert.finding;
        let (rule, event) = (&finding.rule, &finding.event);
        let (severity_id, severity) = severity(rule.level);
        let (start, end) = stretch(alert);
        // What a summary has are the held findings, and not a record of its own.
        let shown = || alert.findings().filter(|finding| finding.summary().is_none()).take(max_evidences(detail));
        let evidences: Vec<_> = shown().filter_map(|finding| evidence(finding, detail)).collect();
        let mut resources = resources(shown());
        let left_out = left_out(alert, detail, resources.len());
        resources.truncate(MAX_RESOURCES);
        Self {
            activity_id: 1,
            activity_name: "Create",
            category_uid: 2,
            category_name: "Findings",
            class_uid: 2004,
            class_name: "Detection Finding",
            type_uid: 200_401,
            type_name: "Detection Finding: Create",
            severity_id,
            severity,
            status_id: 1,
            status: "New",
            is_alert: true,
            time: now.as_millisecond(),
            timezone_offset: 0,
            start_time: start.as_millisecond(),
            end_time: end.as_millisecond(),
            count: alert.count(),
            message: message(&redact::text(&finding.title), &event.identity.account),
            metadata: metadata(finding, detail != Detail::Full || !left_out.is_empty()),
            cloud: cloud(finding),
            finding_info: finding_info(alert, story, detail, now),
            observables: observables(&evidences, &resources, &event.identity.account),
            evidences,
            resources,
            anomaly_analyses: finding.first_seen().map(Anomaly::of).into_iter().collect(),
            remediation: remediation(rule),
            unmapped: Unmapped {
                record_index: (!finding.is_own() && finding.summary().is_none()).then_some(finding.origin.record_index),
                correlation: finding.episode().map(Pattern::of),
                summary: finding.summary().map(|summary| HeldBack::of(summary, detail)),
                notes: left_out,
                story,
            },
        }
    }
}

fn max_evidences(detail: Detail) -> usize {
    if detail == Detail::FirstOnly { 1 } else { MAX_EVIDENCES }
}

/// Nothing is left out in silence.
fn left_out(alert: &Alert, detail: Detail, resources: usize) -> Vec<String> {
    let over = |what: &str, count: usize, max: usize| {
        (count > max).then(|| format!("{} of {count} {what} were left out", count - max))
    };
    let (findings, evidences) = (alert.count(), max_evidences(detail));
    let related = match (alert.finding.episode(), alert.finding.summary()) {
        (Some(episode), _) => (episode.count, episode.events.len()),
        (_, Some(summary)) => (findings, summary.events.len()),
        _ => (findings, evidences + max_related(detail)),
    };
    let named = alert.finding.summary().map_or(0, |summary| summary.findings.len());
    [
        over("evidences", if named == 0 { findings } else { 0 }, evidences),
        over("related events", related.0, related.1),
        over("resources", resources, MAX_RESOURCES),
        over("finding uids", named, summary::max_findings(detail)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What trailhound says of itself may belong to no account.
fn message(title: &str, account: &str) -> String {
    if account.is_empty() { title.to_owned() } else { format!("{title} in account {account}") }
}

fn cloud(finding: &Finding) -> Cloud<'_> {
    let event = &finding.event;
    let details = event.details();
    let of_region = (!details.region.is_empty()).then(|| partition(&details.region));
    let of_caller = || Arn::parse(details.actor.arn.as_deref()?).map(|arn| arn.partition);
    Cloud {
        provider: "AWS",
        cloud_partition: of_region.or_else(of_caller).filter(|partition| !partition.is_empty()),
        region: &details.region,
        account: Account::of(event.identity.account.as_str())
            .map(|account| Account { name: event.account_name.as_deref(), ..account }),
        org: organization(&finding.origin.file).map(|uid| Organization { uid }),
    }
}

/// An organisation's trail writes to `AWSLogs/o-exampleorgid/111122223333/`.
fn organization(file: &str) -> Option<&str> {
    let (_, below) = file.rsplit_once("AWSLogs/")?;
    below.split('/').next().filter(|folder| folder.starts_with("o-"))
}

fn severity(level: Level) -> (u32, &'static str) {
    match level {
        Level::Informational => (1, "Informational"),
        Level::Low => (2, "Low"),
        Level::Medium => (3, "Medium"),
        Level::High => (4, "High"),
        Level::Critical => (5, "Critical"),
    }
}
