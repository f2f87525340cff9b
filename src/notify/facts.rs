//! What an alert says, in words, before any channel's markup.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::alerting::{Alert, Repetition};
use crate::engine::RuleInfo;
use crate::finding::{Actor, EpisodeEvent, Event, Finding};
use crate::trail::{Mfa, Outcome};

use super::fit::Detail;
use super::plain;

const MAX_VALUE: usize = 300;
const MAX_RESOURCES: usize = 3;
pub(super) const MAX_MORE: usize = 5;

/// The words of an alert. Every text is one clean line.
pub(super) struct Facts<'a> {
    pub(super) rule: &'a RuleInfo,
    pub(super) finding: &'a Finding,
    pub(super) title: String,
    /// Whether the title holds what a log says, which markup could be hidden in.
    pub(super) title_is_logged: bool,
    /// Name and value, most important first.
    pub(super) rows: Vec<(&'static str, String)>,
    /// The caller's short name, for subjects; trailhound itself has none.
    pub(super) caller: String,
    /// The account's name, or its id.
    pub(super) account: String,
    /// Further findings in this alert, one line each.
    pub(super) more: Vec<String>,
    /// What the receiver has to know about the alert itself.
    pub(super) notes: Vec<String>,
    /// Where the record can be read.
    pub(super) origin: String,
}

impl<'a> Facts<'a> {
    pub(super) fn of(alert: &'a Alert, detail: Detail) -> Self {
        let finding = &alert.finding;
        let event = &finding.event;
        let mut rows = if finding.is_own() { own(alert) } else { call(alert) };
        rows.extend(new_value(finding).map(|new| ("New", new)));
        rows.extend(pattern(finding).map(|pattern| ("Why", pattern)));
        rows.retain(|(_, value)| !value.is_empty());
        Self {
            rule: &finding.rule,
            finding,
            title: plain::logged(&finding.title, 150),
            title_is_logged: *finding.title != *finding.rule.title,
            rows: rows.into_iter().map(|(name, value)| (name, plain::logged(&value, MAX_VALUE * 2))).collect(),
            caller: if finding.is_own() {
                String::new()
            } else {
                plain::logged(&short_name(&event.details().actor), 60)
            },
            account: plain::logged(event.account_name.as_deref().unwrap_or(&event.identity.account), 40),
            more: [events(finding), more(alert)].concat(),
            notes: notes(alert, detail),
            origin: plain::line(&format!("{}, record {}", finding.origin.file, finding.origin.record_index), 1000),
        }
    }
}

/// Somebody's call.
fn call(alert: &Alert) -> Vec<(&'static str, String)> {
    let event = &alert.finding.event;
    vec![
        ("Who", who(event)),
        ("Did", did(event)),
        ("What", list(&event.details().resources)),
        ("From", from(event)),
        ("When", when(alert)),
        ("Where", place(event)),
    ]
}

/// Something that happened to trailhound.
fn own(alert: &Alert) -> Vec<(&'static str, String)> {
    let event = &alert.finding.event;
    let details = event.details();
    let record = event.record.record();
    let said = |path: &str| record.text(path).map(Cow::into_owned).unwrap_or_default();
    let cause = details.error_code.as_deref().unwrap_or_default().replace('_', " ");
    vec![
        ("What", list(&details.resources)),
        ("Cause", format!("{cause}: {}", details.error_message.as_deref().unwrap_or_default())),
        ("Kept", said("additionalEventData.quarantine")),
        ("Id", said("requestParameters.subject")),
        ("Digest", said("additionalEventData.digest")),
        ("Trail", said("additionalEventData.trail")),
        ("When", when(alert)),
        ("Where", place(event)),
    ]
}

fn who(event: &Event) -> String {
    let actor = &event.details().actor;
    let name = short_name(actor);
    let mut who = match actor.principal_type.as_deref() {
        Some("Root") => "root user".to_owned(),
        Some("IAMUser") => format!("{name} (IAM user)"),
        Some("AssumedRole") => match &actor.session_name {
            Some(session) => format!("{name} (role), session {}", plain::line(session, 80)),
            None => format!("{name} (role)"),
        },
        Some("AWSService") => format!("{name} (AWS service)"),
        Some("AWSAccount") => {
            format!("{name}, {}", actor.principal_id.as_deref().unwrap_or("known by its account only"))
        }
        Some(other) => format!("{name} ({other})"),
        None => name,
    };
    let named = actor.principal_type.as_deref() == Some("AWSAccount");
    if let Some(account) = actor.account.as_deref().filter(|account| *account != event.identity.account && !named) {
        who += &format!(" of account {account}");
    }
    match actor.mfa {
        Mfa::True => who += ", with MFA",
        Mfa::False => who += ", without MFA",
        Mfa::NotApplicable => {}
    }
    match &actor.invoked_by {
        Some(service) if actor.principal.as_deref() != Some(service) => format!("{who}, through {service}"),
        _ => who,
    }
}

/// `role/team/app` is `team/app`, `user/alice` is `alice`; a caller of another account is known by its id only.
fn short_name(actor: &Actor) -> String {
    let Some(principal) = &actor.principal else { return "an unknown caller".to_owned() };
    if let (Some("AWSAccount"), Some(account)) = (actor.principal_type.as_deref(), &actor.account) {
        return format!("account {account}");
    }
    let name = principal.splitn(6, ':').nth(5).filter(|_| principal.starts_with("arn:"));
    name.map_or(principal.as_str(), |name| name.split_once('/').map_or(name, |(_, name)| name)).to_owned()
}

fn did(event: &Event) -> String {
    let details = event.details();
    let outcome = match details.outcome {
        Outcome::Success => "succeeded".to_owned(),
        Outcome::Denied => format!("DENIED ({})", details.error_code.as_deref().unwrap_or("no code")),
        Outcome::Failure => {
            format!(
                "FAILED ({})",
                details.error_code.as_deref().or(details.error_message.as_deref()).unwrap_or("no reason given")
            )
        }
    };
    let source = if details.source.is_empty() { String::new() } else { format!(" ({})", details.source) };
    format!("{}{source}, {outcome}", details.name)
}

fn list(resources: &[String]) -> String {
    let shown: Vec<&str> = resources.iter().take(MAX_RESOURCES).map(String::as_str).collect();
    let more = resources.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn from(event: &Event) -> String {
    let details = event.details();
    let agent = details.user_agent.as_deref().map(|agent| agent.trim_start_matches('[').trim_end_matches(']'));
    let parts = [details.source_ip.as_deref(), agent.filter(|agent| details.source_ip.as_deref() != Some(agent))];
    parts.into_iter().flatten().map(|part| plain::line(part, 150)).collect::<Vec<_>>().join(", ")
}

fn when(alert: &Alert) -> String {
    let first = time(alert.finding.event.time);
    match alert.more.len() {
        0 => first,
        more => format!("{first}, {} times until {}", more + 1, time(alert.last_time())),
    }
}

fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn place(event: &Event) -> String {
    let account = match &event.account_name {
        Some(name) => format!("{name} ({})", event.identity.account),
        None => event.identity.account.clone(),
    };
    [account, event.details().region.clone()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn new_value(finding: &Finding) -> Option<String> {
    let first = finding.first_seen()?;
    let memory = match first.history.as_hours() {
        hours @ 0..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    };
    let (value, entity) = (first.sighted.value.join(" + "), first.sighted.entity.join(" + "));
    let (value, entity) = (plain::line(&value, MAX_VALUE), plain::line(&entity, MAX_VALUE));
    Some(format!("{value} for {entity} (memory reaches back {memory} at most)"))
}

/// What a correlation measured, of whom, and in which time.
fn pattern(finding: &Finding) -> Option<String> {
    let episode = finding.episode()?;
    let group: Vec<String> = episode.group.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let group =
        if group.is_empty() { String::new() } else { format!(" for {}", plain::line(&group.join(", "), MAX_VALUE)) };
    let seconds = episode.last.duration_since(episode.first).as_secs();
    Some(format!("{}{group}: {} events in {seconds} s, from {}", episode.measured, episode.count, time(episode.first)))
}

/// The events that made an episode.
fn events(finding: &Finding) -> Vec<String> {
    let Some(episode) = finding.episode() else { return Vec::new() };
    let line = |event: &EpisodeEvent| {
        let by = event.principal.as_deref().unwrap_or("an unknown caller");
        let line = format!(
            "{} {} {} by {by} from {} ({})",
            time(event.time),
            event.name,
            event.outcome.as_str(),
            event.source_ip.as_deref().unwrap_or("an unknown source"),
            event.rule.title
        );
        plain::logged(&line, MAX_VALUE)
    };
    let mut lines: Vec<String> = episode.events.iter().map(line).collect();
    if episode.count > lines.len() {
        lines.push(format!("and {} more", episode.count - lines.len()));
    }
    lines
}

fn more(alert: &Alert) -> Vec<String> {
    let line = |finding: &Finding| {
        let event = &finding.event;
        let line = format!("{} {} {}", time(event.time), did(event), list(&event.details().resources));
        plain::logged(&line, MAX_VALUE)
    };
    let mut lines: Vec<String> = alert.more.iter().take(MAX_MORE).map(line).collect();
    if alert.more.len() > lines.len() {
        lines.push(format!("and {} more", alert.more.len() - lines.len()));
    }
    lines
}

fn notes(alert: &Alert, detail: Detail) -> Vec<String> {
    let repetition = match alert.repetition {
        Repetition::HeldSince(0) => None,
        Repetition::HeldSince(held) => Some(format!("Held back since the last alert: {held} more like this.")),
        Repetition::HeldSinceMoreThan(0) => {
            Some("How many like this were held back since the last alert could not be asked.".to_owned())
        }
        Repetition::HeldSinceMoreThan(held) => {
            Some(format!("Held back since the last alert: more than {held} like this."))
        }
        Repetition::Unchecked => {
            Some("The memory of earlier alerts could not be asked, so this may have been told before.".to_owned())
        }
    };
    let timeless = (!alert.finding.event.time_is_known)
        .then(|| "The record carries no time; the one above is when it was read.".to_owned());
    [repetition, timeless, detail.note().map(str::to_owned)].into_iter().flatten().collect()
}
