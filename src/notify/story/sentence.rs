//! Who did what to what, where, from where, and whether it succeeded, in one sentence or two.

use std::collections::BTreeSet;

use crate::alerting::Alert;
use crate::finding::{Event, Finding};
use crate::trail::Outcome;

use super::{actor, facts, plain, services, summary};

const MAX_NAMES: usize = 3;
const MAX_NAME: usize = 120;

pub(super) fn of(alert: &Alert) -> String {
    let finding = &alert.finding;
    if let Some(summary) = finding.summary() {
        return summary::sentence(summary);
    }
    if finding.is_own() {
        return own(finding);
    }
    let happened = if let Some(episode) = finding.episode() {
        let seconds = episode.last.duration_since(episode.first).as_secs();
        let (events, add) = (facts::counted(episode.count, "event"), if episode.count == 1 { "adds" } else { "add" });
        format!("{events} within {} {add} up to this. {}", span(seconds), call(&finding.event))
    } else if alert.more.is_empty() {
        call(&finding.event)
    } else {
        calls(alert)
    };
    match news(finding) {
        Some(news) => format!("{happened} {news}"),
        None => happened,
    }
}

/// One call.
fn call(event: &Event) -> String {
    let details = event.details();
    let who = capital(&who(event));
    let (place, from) = (place(event), from(event));
    if details.name == "ConsoleLogin" {
        return match details.outcome {
            Outcome::Success => format!("{who} signed in to the AWS console{place}{from}."),
            _ => format!("{who} tried to sign in to the AWS console{place}{from}, and failed ({}).", reason(event)),
        };
    }
    let what = what(&[event]);
    let called = format!("{}{what}{place}{from}", names(&[event]));
    match details.outcome {
        Outcome::Success => format!("{who} called {called}. It succeeded."),
        Outcome::Denied => format!("{who} tried {called}. It was denied ({}).", reason(event)),
        Outcome::Failure => format!("{who} called {called}. It failed ({}).", reason(event)),
    }
}

/// Several calls that are one alert.
fn calls(alert: &Alert) -> String {
    let events: Vec<&Event> = alert.findings().map(|finding| &*finding.event).collect();
    let first = events[0]; // OK because an alert has a first finding
    let callers: BTreeSet<_> = events.iter().map(|event| &event.details().actor.principal).collect();
    let who = with_others(who(first), callers.len());
    let count = |outcome| events.iter().filter(|event| event.details().outcome == outcome).count();
    let (good, denied, failed) = (count(Outcome::Success), count(Outcome::Denied), count(Outcome::Failure));
    let all = if events.len() == 2 { "Both" } else { "All" };
    let ended = match (good, denied, failed) {
        (_, 0, 0) => format!("{all} succeeded."),
        (0, _, 0) => format!("{all} were denied."),
        (0, 0, _) => format!("{all} failed."),
        _ => {
            let parts = [(good, "succeeded"), (denied, "denied"), (failed, "failed")];
            let parts: Vec<String> =
                parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
            capital(&format!("{}.", parts.join(", ")))
        }
    };
    format!(
        "{} made {} calls ({}){}{}{}. {ended}",
        capital(&who),
        events.len(),
        names(&events),
        what(&events),
        place(first),
        from(first)
    )
}

/// One of so many callers.
pub(super) fn with_others(who: String, callers: usize) -> String {
    match callers {
        0 | 1 => who,
        2 => format!("{who} and another caller"),
        more => format!("{who} and {} other callers", more - 1),
    }
}

/// What trailhound says of its own work.
fn own(finding: &Finding) -> String {
    let details = finding.event.details();
    let why = details.error_message.as_deref().unwrap_or("no reason given").trim_end_matches('.');
    // Most reasons name what they are about.
    let what = details.resources.first().filter(|what| !why.contains(what.as_str()));
    let what = what.map(|what| format!(" ({})", plain::cut_middle(what, MAX_NAME))).unwrap_or_default();
    format!("{}{what}: {why}.", finding.rule.title)
}

fn who(event: &Event) -> String {
    let actor = &event.details().actor;
    let name = plain::cut_middle(&plain::line(&actor::short_name(actor), 2 * MAX_NAME), MAX_NAME);
    let through = actor.invoked_by.as_ref().filter(|service| actor.principal.as_ref() != Some(*service));
    let through = through.map(|service| format!(" through {}", plain::line(service, 80))).unwrap_or_default();
    let who = match actor.principal_type.as_deref() {
        Some("Root") => "the root user".to_owned(),
        Some("IAMUser") => format!("IAM user {name}"),
        Some("AssumedRole") => {
            let session = actor.session_name.as_deref().map(|name| format!(" (session {})", plain::line(name, 80)));
            format!("role {name}{}", session.unwrap_or_default())
        }
        Some("AWSService") => format!("AWS service {name}"),
        _ => name,
    };
    let who = match actor::other_account(event) {
        Some(account) if actor::is_account(actor) => format!("account {account}"),
        Some(account) => format!("{who} of account {account}"),
        None => who,
    };
    who + &through
}

/// The calls' names, and of which service.
fn names(events: &[&Event]) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut sources = BTreeSet::new();
    for event in events {
        let details = event.details();
        sources.insert(services::name(&details.source));
        if !names.contains(&details.name.as_str()) {
            names.push(&details.name);
        }
    }
    let more = names.len().saturating_sub(MAX_NAMES);
    let shown = names.iter().take(MAX_NAMES).map(|name| plain::line(name, 80));
    let shown = enumerated(shown.chain((more > 0).then(|| format!("{more} more"))).collect());
    match enumerated(sources.into_iter().filter(|source| !source.is_empty()).take(2).collect()) {
        of if of.is_empty() => shown,
        of => format!("{shown} of {of}"),
    }
}

/// `a, b and c`.
fn enumerated(mut texts: Vec<String>) -> String {
    match (texts.pop(), texts.as_slice()) {
        (None, _) => String::new(),
        (Some(only), []) => only,
        (Some(last), first) => format!("{} and {last}", first.join(", ")),
    }
}

/// The resources, by the ends of their ARNs.
fn what(events: &[&Event]) -> String {
    let mut resources: Vec<&str> = Vec::new();
    for resource in events.iter().flat_map(|event| &event.details().resources) {
        if !resources.contains(&resource.as_str()) {
            resources.push(resource);
        }
    }
    let Some(first) = resources.first() else { return String::new() };
    let more = if resources.len() > 1 { format!(" and {} more", resources.len() - 1) } else { String::new() };
    format!(" on {}{more}", plain::cut_middle(resource(first), MAX_NAME))
}

/// `arn:aws:kms:eu-west-1:111122223333:key/abc` is `key/abc`.
pub(super) fn resource(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).filter(|_| arn.starts_with("arn:")).unwrap_or(arn)
}

fn place(event: &Event) -> String {
    let place = facts::place(event);
    if place.is_empty() { place } else { format!(" in {}", plain::line(&place, MAX_NAME)) }
}

fn from(event: &Event) -> String {
    let source = facts::source(event);
    let source = plain::line(&source, 80);
    let is_said = event.details().actor.principal.as_deref() == Some(&source)
        || event.details().actor.invoked_by.as_deref() == Some(&source);
    match facts::whereabouts(event) {
        _ if source.is_empty() || is_said => String::new(),
        Some(whereabouts) => format!(", from {source} ({whereabouts})"),
        None => format!(", from {source}"),
    }
}

fn reason(event: &Event) -> String {
    plain::logged(facts::reason(event), 100)
}

/// What makes it unusual.
fn news(finding: &Finding) -> Option<String> {
    let first = finding.first_seen()?;
    let shown = |values: &[String]| {
        plain::line(&values.iter().map(|value| actor::short(value)).collect::<Vec<_>>().join(" + "), MAX_NAME)
    };
    Some(format!("{} is new for {}.", shown(&first.sighted.value), shown(&first.sighted.entity)))
}

pub(super) fn span(seconds: i64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds.max(1), "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    // A user's or a role's name keeps its case: those stand behind a word of ours.
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
