//! The facts of an alert, a line each.

use std::borrow::Cow;

use crate::alerting::Alert;
use crate::finding::{Event, Finding};
use crate::trail::Outcome;

use super::lists::time;
use super::{Fact, MAX_FACT, MAX_VALUE, actor, plain};

const MAX_LISTED: usize = 3;

pub(super) fn of(alert: &Alert) -> Vec<Fact> {
    let finding = &alert.finding;
    let mut rows = if finding.is_own() { own(alert) } else { call(alert) };
    rows.extend(new_value(finding).map(|new| ("New", new)));
    rows.extend(pattern(finding).map(|pattern| ("Why", pattern)));
    rows.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| Fact { name: name.to_owned(), value: plain::logged(&value, MAX_FACT) })
        .collect()
}

/// Somebody's call.
fn call(alert: &Alert) -> Vec<(&'static str, String)> {
    let event = &alert.finding.event;
    vec![
        ("Who", actor::described(event)),
        ("Did", did(event)),
        ("What", list(&event.details().resources)),
        ("From", source(event)),
        ("With", agent(event)),
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

/// What was called and how it ended.
pub(super) fn did(event: &Event) -> String {
    let details = event.details();
    let outcome = match details.outcome {
        Outcome::Success => "succeeded".to_owned(),
        Outcome::Denied => format!("DENIED ({})", details.error_code.as_deref().unwrap_or("no code")),
        Outcome::Failure => format!("FAILED ({})", reason(event)),
    };
    let source = if details.source.is_empty() { String::new() } else { format!(" ({})", details.source) };
    format!("{}{source}, {outcome}", details.name)
}

/// Why it failed, in a word.
pub(super) fn reason(event: &Event) -> &str {
    let details = event.details();
    details.error_code.as_deref().or(details.error_message.as_deref()).unwrap_or("no reason given")
}

pub(super) fn list(resources: &[String]) -> String {
    let shown: Vec<&str> = resources.iter().take(MAX_LISTED).map(String::as_str).collect();
    let more = resources.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// The address, or the service in its place.
pub(super) fn source(event: &Event) -> String {
    event.details().source_ip.as_deref().map(|source| plain::line(source, 150)).unwrap_or_default()
}

/// The program, unless it is the service that stands in the address's place.
fn agent(event: &Event) -> String {
    let details = event.details();
    let agent = details.user_agent.as_deref().map(|agent| agent.trim_start_matches('[').trim_end_matches(']'));
    let agent = agent.filter(|agent| details.source_ip.as_deref() != Some(agent));
    agent.map(|agent| plain::line(agent, 150)).unwrap_or_default()
}

fn when(alert: &Alert) -> String {
    let first = time(alert.finding.event.time);
    match alert.more.len() {
        0 => first,
        more => format!("{first}, {} events until {}", more + 1, time(alert.last_time())),
    }
}

/// The account with its name, and the Region.
pub(super) fn place(event: &Event) -> String {
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
