//! A Sigma filter that excepts what an alert is about, ready to paste.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::alerting::Alert;
use crate::finding::Finding;

use super::{actor, plain, redact};

/// After that somebody has to look at it again.
const VALID: SignedDuration = SignedDuration::from_hours(90 * 24);
const MAX_RULES: usize = 10;
const MAX_VALUES: usize = 5;
const MAX_TEXT: usize = 300;

/// The filter. `None` where there is nothing narrower than the rule itself to except.
pub(super) fn filter(alert: &Alert, now: Timestamp) -> Option<String> {
    let finding = &alert.finding;
    let principal = principal(finding)?;
    let rules = rules(finding);
    let mut selection = format!("    derived.principal: {}\n", value(&principal));
    // An episode's filter is for other rules than its own, and a new value may come with any call.
    if finding.episode().is_none() && finding.first_seen().is_none() {
        let details = || alert.findings().map(|finding| finding.event.details());
        selection += &listed("eventName", details().map(|details| &details.name).collect());
        selection += &listed("derived.resource", details().flat_map(|details| &details.resources).collect());
    }
    let title = format!("Expected: {} does this ({})", actor::short(&principal), finding.rule.title);
    let expires = now.checked_add(VALID).unwrap_or(now).strftime("%Y-%m-%d");
    Some(format!(
        "title: {}\nlogsource: {{product: aws, service: cloudtrail}}\nfilter:\n  rules: [{}]\n  selection:\n{selection}  condition: not selection\ntrailhound: {{owner: you@example.com, expires: {expires}}}\n",
        quoted(&plain::logged(&title, 200)),
        rules.iter().map(|id| quoted(id)).collect::<Vec<_>>().join(", "),
    ))
}

/// Whose doing it is, if that is one and the same for all.
fn principal(finding: &Finding) -> Option<String> {
    if finding.is_own() {
        return None;
    }
    let whole = |principal: &String| is_shown(principal).then(|| principal.clone());
    match finding.episode() {
        None => whole(finding.event.details().actor.principal.as_ref()?),
        Some(episode) => {
            let principals: BTreeSet<_> = episode.events.iter().map(|event| &event.principal).collect();
            match principals.into_iter().collect::<Vec<_>>().as_slice() {
                [Some(principal)] => whole(principal),
                _ => None,
            }
        }
    }
}

/// A correlation looks at no event itself: its filter is for the rules that it reads.
fn rules(finding: &Finding) -> Vec<String> {
    match finding.episode() {
        None => vec![finding.rule.id.clone()],
        Some(episode) => {
            let ids: BTreeSet<&String> = episode.events.iter().map(|event| &event.rule.id).collect();
            ids.into_iter().take(MAX_RULES).cloned().collect()
        }
    }
}

/// A field that has to have one of these values, unless that is too much to list.
fn listed(field: &str, values: BTreeSet<&String>) -> String {
    let fits =
        (1..=MAX_VALUES).contains(&values.len()) && values.iter().all(|value| !value.is_empty() && is_shown(value));
    if !fits {
        return String::new();
    }
    match values.into_iter().collect::<Vec<_>>().as_slice() {
        [one] => format!("    {field}: {}\n", value(one)),
        several => {
            let values: Vec<String> = several.iter().map(|one| value(one)).collect();
            format!("    {field}: [{}]\n", values.join(", "))
        }
    }
}

/// Whether a value can stand there as it is.
fn is_shown(value: &str) -> bool {
    value.chars().count() <= MAX_TEXT && !redact::is_in(value)
}

/// A value as Sigma takes it literally.
fn value(text: &str) -> String {
    let escaped: String =
        text.chars().flat_map(|c| matches!(c, '*' | '?' | '\\').then_some('\\').into_iter().chain([c])).collect();
    quoted(&escaped)
}

/// A scalar of YAML that is nothing but this text. What could hide or turn text is written as numbers, and so is what mail and
/// chat would make links of, or change.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut before = '"';
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '/' if matches!(before, ':' | '/') => quoted += r"\x2f",
            '.' if matches!(before, 'w' | 'W') => quoted += r"\x2e",
            ' ' if before == ' ' => quoted += r"\x20",
            '`' => quoted += r"\x60",
            c if plain::is_hostile(c) => quoted += &format!("\\U{:08x}", u32::from(c)),
            c => quoted.push(c),
        }
        before = c;
    }
    quoted + "\""
}
