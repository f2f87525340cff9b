//! OCSF 1.8 Detection Finding, class 2004, with the profile `cloud`.
//!
//! <https://schema.ocsf.io/1.8.0/classes/detection_finding>

mod episode;
mod evidence;

use jiff::Timestamp;
use serde::Serialize;

use crate::alerting::Alert;
use crate::finding::{Event, FirstSeen};
use crate::sigma::Level;

use super::fit::Detail;
use super::story::Story;
use episode::Pattern;
use evidence::{Evidence, evidence};

const MAX_EVIDENCES: usize = 20;
const MAX_RESOURCES: usize = 100;

pub(super) fn finding(alert: &Alert, story: &Story, detail: Detail, now: Timestamp) -> String {
    // OK because the finding holds nothing but texts, numbers, and records that were read as JSON.
    serde_json::to_string(&DetectionFinding::of(alert, story, detail, now)).unwrap_or_default()
}

#[derive(Serialize)]
struct DetectionFinding<'a> {
    activity_id: u32,
    category_uid: u32,
    class_uid: u32,
    class_name: &'static str,
    type_uid: u32,
    severity_id: u32,
    severity: &'static str,
    status_id: u32,
    is_alert: bool,
    time: i64,
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
    unmapped: Unmapped<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'static str,
    profiles: [&'static str; 1],
    product: Product,
    log_name: &'static str,
    log_provider: &'static str,
    event_code: &'a str,
    original_time: String,
    uid: String,
}

#[derive(Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Cloud<'a> {
    provider: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    region: &'a str,
    account: Account<'a>,
}

#[derive(Serialize)]
struct Account<'a> {
    uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    type_id: u32,
    r#type: &'static str,
}

#[derive(Serialize)]
struct FindingInfo<'a> {
    uid: String,
    title: &'a str,
    desc: &'a str,
    created_time: i64,
    first_seen_time: i64,
    last_seen_time: i64,
    related_events_count: usize,
    analytic: Analytic<'a>,
    attacks: Vec<Attack>,
    data_sources: [&'static str; 1],
}

#[derive(Serialize)]
struct Analytic<'a> {
    type_id: u32,
    r#type: &'static str,
    uid: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Attack {
    #[serde(skip_serializing_if = "Option::is_none")]
    tactic: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    technique: Option<Identified>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_technique: Option<Identified>,
}

#[derive(Serialize)]
struct Named {
    name: String,
}

#[derive(Serialize)]
struct Identified {
    uid: String,
}

#[derive(Serialize)]
struct Resource<'a> {
    uid: &'a str,
    role_id: u32,
    role: &'static str,
}

#[derive(Serialize)]
struct Observable<'a> {
    name: &'static str,
    type_id: u32,
    r#type: &'static str,
    value: &'a str,
}

/// What the class has no place for.
#[derive(Serialize)]
struct Unmapped<'a> {
    level: &'static str,
    dedup_key: String,
    file: &'a str,
    record_index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<NewValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation: Option<Pattern<'a>>,
    /// What was left out of this form.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    /// What people are told, ready for any channel.
    story: &'a Story,
}

#[derive(Serialize)]
struct NewValue<'a> {
    entity: &'a [String],
    value: &'a [String],
}

impl<'a> NewValue<'a> {
    fn of(first: &'a FirstSeen) -> Self {
        Self { entity: &first.sighted.entity, value: &first.sighted.value }
    }
}

impl<'a> DetectionFinding<'a> {
    fn of(alert: &'a Alert, story: &'a Story, detail: Detail, now: Timestamp) -> Self {
        let finding = &alert.finding;
        let (rule, event) = (&finding.rule, &finding.event);
        let (severity_id, severity) = severity(rule.level);
        Self {
            activity_id: 1, // create
            category_uid: 2,
            class_uid: 2004,
            class_name: "Detection Finding",
            type_uid: 200_401,
            severity_id,
            severity,
            status_id: 1, // new
            is_alert: true,
            time: now.as_millisecond(),
            start_time: event.time.as_millisecond(),
            end_time: alert.last_time().as_millisecond(),
            count: alert.findings().count(),
            message: message(&rule.title, &event.identity.account),
            metadata: metadata(event, finding.uid.to_string()),
            cloud: Cloud {
                provider: "AWS",
                region: &event.details().region,
                account: account(&event.identity.account, event.account_name.as_deref()),
            },
            finding_info: finding_info(alert, now),
            evidences: alert
                .findings()
                .take(max_evidences(detail))
                .map(|finding| evidence(&finding.event, detail))
                .collect(),
            resources: event
                .details()
                .resources
                .iter()
                .take(MAX_RESOURCES)
                .map(|arn| Resource { uid: arn, role_id: 3, role: "Affected" })
                .collect(),
            observables: observables(event),
            unmapped: unmapped(alert, story, detail),
        }
    }
}

fn finding_info(alert: &Alert, now: Timestamp) -> FindingInfo<'_> {
    let finding = &alert.finding;
    let rule = &finding.rule;
    FindingInfo {
        uid: finding.uid.to_string(),
        title: &rule.title,
        desc: &rule.description,
        created_time: now.as_millisecond(),
        first_seen_time: finding.event.time.as_millisecond(),
        last_seen_time: alert.last_time().as_millisecond(),
        related_events_count: alert.findings().count(),
        analytic: Analytic { type_id: 1, r#type: "Rule", uid: &rule.id, name: &rule.title },
        attacks: attacks(&rule.tags),
        data_sources: ["AWS CloudTrail"],
    }
}

fn unmapped<'a>(alert: &'a Alert, story: &'a Story, detail: Detail) -> Unmapped<'a> {
    let finding = &alert.finding;
    Unmapped {
        level: finding.rule.level.as_str(),
        dedup_key: finding.dedup_key.to_string(),
        file: &finding.origin.file,
        record_index: finding.origin.record_index,
        first_seen: finding.first_seen().map(NewValue::of),
        correlation: finding.episode().map(Pattern::of),
        notes: left_out(alert, detail),
        story,
    }
}

fn max_evidences(detail: Detail) -> usize {
    if detail == Detail::FirstOnly { 1 } else { MAX_EVIDENCES }
}

/// Nothing is left out in silence.
fn left_out(alert: &Alert, detail: Detail) -> Vec<String> {
    let over = |what: &str, count: usize, max: usize| {
        (count > max).then(|| format!("{} of {count} {what} were left out", count - max))
    };
    let events = over("events", alert.findings().count(), max_evidences(detail));
    let resources = over("resources", alert.finding.event.details().resources.len(), MAX_RESOURCES);
    [events, resources].into_iter().flatten().collect()
}

/// What trailhound says of itself may belong to no account.
fn message(title: &str, account: &str) -> String {
    if account.is_empty() { title.to_owned() } else { format!("{title} in account {account}") }
}

fn metadata(event: &Event, uid: String) -> Metadata<'_> {
    Metadata {
        version: "1.8.0",
        profiles: ["cloud"],
        product: Product { name: "trailhound", vendor_name: "trailhound", version: env!("CARGO_PKG_VERSION") },
        log_name: "CloudTrail",
        log_provider: "AWS",
        event_code: &event.details().name,
        original_time: event.time.to_string(),
        uid,
    }
}

fn account<'a>(uid: &'a str, name: Option<&'a str>) -> Account<'a> {
    Account { uid, name, type_id: 10, r#type: "AWS Account" }
}

fn observables(event: &Event) -> Vec<Observable<'_>> {
    let details = event.details();
    let address = details.source_ip.as_deref().filter(|_| details.source_address.is_some());
    let ip = address.map(|value| Observable {
        name: "evidences[].src_endpoint.ip",
        type_id: 2,
        r#type: "IP Address",
        value,
    });
    let user = details.actor.arn.as_deref().map(|value| Observable {
        name: "evidences[].actor.user.uid_alt",
        type_id: 10,
        r#type: "Resource UID",
        value,
    });
    let resources = details.resources.iter().take(MAX_RESOURCES).map(|value| Observable {
        name: "resources[].uid",
        type_id: 10,
        r#type: "Resource UID",
        value,
    });
    ip.into_iter().chain(user).chain(resources).collect()
}

/// `attack.t1098.001` names a technique; `attack.persistence` a tactic. Other tags are not ATT&CK's.
fn attacks(tags: &[String]) -> Vec<Attack> {
    let attack = |tag: &String| {
        let name = tag.strip_prefix("attack.")?;
        let (technique, sub) = name.split_once('.').map_or((name, None), |(technique, _)| (technique, Some(name)));
        let is_technique = technique.strip_prefix('t').is_some_and(|number| number.parse::<u32>().is_ok());
        Some(if is_technique {
            Attack {
                tactic: None,
                technique: Some(Identified { uid: technique.to_uppercase() }),
                sub_technique: sub.map(|sub| Identified { uid: sub.to_uppercase() }),
            }
        } else {
            Attack { tactic: Some(Named { name: title_case(name) }), technique: None, sub_technique: None }
        })
    };
    tags.iter().filter_map(attack).collect()
}

fn title_case(name: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    name.split('-').map(capital).collect::<Vec<_>>().join(" ")
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
