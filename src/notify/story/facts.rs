//! The facts of an alert, a line each.

use std::borrow::Cow;
use std::fmt::Display;

use crate::alerting::Alert;
use crate::engine::KnownSource;
use crate::finding::{Event, Finding};
use crate::trail::Outcome;

use super::lists::time;
use super::{Fact, MAX_FACT, MAX_VALUE, actor, plain, summary};

const MAX_LISTED: usize = 3;

pub(super) fn of(alert: &Alert) -> Vec<Fact> {
    let finding = &alert.finding;
    let mut rows = match finding.summary() {
        Some(summary) => summary::facts(summary),
        None if finding.is_own() => own(alert),
        None => call(alert),
    };
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
        ("From", from(event)),
        ("With", agent(event)),
        ("When", when(alert)),
        ("Where", place(event)),
        ("Owner", event.account_owner.clone().unwrap_or_default()),
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

/// The address and all that is known of it.
fn from(event: &Event) -> String {
    let Some(known) = &event.known_source else { return source(event) };
    let mut parts = networks(known);
    let number = known.asn.map(|number| format!("AS{number}"));
    let system = number.into_iter().chain(known.as_org.clone()).collect::<Vec<_>>().join(" ");
    parts.extend([system, known.country.clone().unwrap_or_default()].into_iter().filter(|part| !part.is_empty()));
    if parts.is_empty() {
        return source(event);
    }
    format!("{} ({})", source(event), plain::line(&parts.join(", "), MAX_VALUE))
}

/// What of the address tells most: whose network it is, else who runs it; and in which country.
pub(super) fn whereabouts(event: &Event) -> Option<String> {
    let known = event.known_source.as_deref()?;
    let whose = networks(known).into_iter().next().or_else(|| known.as_org.clone());
    let parts: Vec<String> = whose.into_iter().chain(known.country.clone()).collect();
    (!parts.is_empty()).then(|| plain::line(&parts.join(", "), 80))
}

/// Networks that the address is in: the organisation's by their names, AWS's by service and Region.
fn networks(known: &KnownSource) -> Vec<String> {
    let name = |name: &String| {
        let mut parts = name.split(':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(own), None, None) if own != "aws" => Some(own.to_owned()),
            (_, Some(service), Some(region)) => Some(format!("AWS {service} {region}")),
            // The same once more, with less said.
            _ => None,
        }
    };
    known.networks.iter().filter_map(name).collect()
}

/// The program, unless it is the service that stands in the address's place.
fn agent(event: &Event) -> String {
    let details = event.details();
    let agent = details.user_agent.as_deref().map(|agent| agent.trim_start_matches('[').trim_end_matches(']'));
    let agent = agent.filter(|agent| details.source_ip.as_deref() != Some(agent));
    agent.map(|agent| plain::logged(agent, 150)).unwrap_or_default()
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

/// `1 event`, `2 events`.
pub(super) fn counted(count: impl Display, what: &str) -> String {
    let count = count.to_string();
    if count == "1" { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// What a correlation measured, of whom, and in which time.
fn pattern(finding: &Finding) -> Option<String> {
    let episode = finding.episode()?;
    let group: Vec<&str> = episode.group.iter().map(|(_, value)| actor::short(value)).collect();
    let group =
        if group.is_empty() { String::new() } else { format!(" for {}", plain::line(&group.join(", "), MAX_VALUE)) };
    let seconds = episode.last.duration_since(episode.first).as_secs();
    let measured = in_words(&episode.measured);
    let events = counted(episode.count, "event");
    // A count of events has said how many.
    let events = if measured.starts_with(&events) { String::new() } else { format!(": {events}") };
    Some(format!("{measured}{group}{events} in {seconds} s, from {}", time(episode.first)))
}

/// `event_count 12 (gte 10)` is `12 events (at least 10)`.
fn in_words(measured: &str) -> String {
    const WORDS: &[(&str, &str)] = &[
        ("gte ", "at least "),
        ("gt ", "more than "),
        ("lte ", "at most "),
        ("lt ", "less than "),
        ("neq ", "not "),
        ("eq ", "exactly "),
    ];
    let (kind, rest) = measured.split_once(' ').unwrap_or((measured, ""));
    let (much, bounds) = rest.split_once(' ').unwrap_or((rest, ""));
    let bounds = WORDS.iter().fold(bounds.to_owned(), |bounds, (word, words)| bounds.replace(word, words));
    // `temporal of 2 rules`: all of them; `temporal 3 (gte 3)`: so many.
    let rules = if much == "of" { bounds.clone() } else { format!("{} {bounds}", counted(much, "rule")) };
    match kind {
        "temporal" => format!("{rules} matched"),
        "temporal_ordered" => format!("{rules} matched in this order"),
        "event_count" => format!("{} {bounds}", counted(much, "event")),
        "value_count" => format!("{much} different values {bounds}"),
        _ => format!("{} {much} {bounds}", kind.replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn what_was_measured_says_how_many() {
        for (measured, words) in [
            ("event_count 12 (gte 10)", "12 events (at least 10)"),
            ("value_count 5 (gt 4)", "5 different values (more than 4)"),
            ("temporal of 2 rules", "2 rules matched"),
            ("temporal 4 (gte 3)", "4 rules (at least 3) matched"),
            ("temporal_ordered of 3 rules", "3 rules matched in this order"),
        ] {
            assert_eq!(in_words(measured), words);
        }
    }
}
