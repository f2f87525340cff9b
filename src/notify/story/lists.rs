//! What else there is to say: of the caller, of further events, of the alert itself.

use jiff::Timestamp;

use crate::alerting::{Alert, Repetition};
use crate::finding::{Episode, EpisodeEvent, Finding};
use crate::trail::Outcome;

use super::{MAX_VALUE, More, actor, facts, plain, summary};

pub(in crate::notify) const MAX_MORE: usize = 5;
const MAX_KNOWN: usize = 6;

pub(super) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// What is known about the caller.
pub(super) fn known(alert: &Alert) -> Vec<String> {
    let acquaintance = &alert.acquaintance;
    let name = plain::logged(&actor::short_name(&alert.finding.event.details().actor), 60);
    let since = acquaintance.since.map(|since| {
        if since < alert.finding.event.time {
            format!("{name} has been seen since {}, if not longer.", time(since))
        } else {
            format!("{name} was not seen before this.")
        }
    });
    let others: usize = acquaintance.others.iter().map(|(_, count)| count).sum();
    let mut lines: Vec<String> = since.into_iter().collect();
    if others > 0 {
        let findings = if others == 1 { "Another finding" } else { "Other findings" };
        let shown = acquaintance.others.iter().take(MAX_KNOWN).map(|(title, count)| match count {
            1 => plain::line(title, 100),
            count => format!("{} ({count})", plain::line(title, 100)),
        });
        let more = acquaintance.others.len().saturating_sub(MAX_KNOWN);
        let more = if more > 0 { format!(", and of {more} more rules") } else { String::new() };
        lines
            .push(format!("{findings} about {name} at the same time: {}{more}.", shown.collect::<Vec<_>>().join("; ")));
    }
    lines
}

/// The lines of [`Story::more`], and what they are.
pub(super) fn more(alert: &Alert) -> (More, Vec<String>) {
    let finding = &alert.finding;
    match (finding.episode(), finding.summary()) {
        (None, None) => (More::Same, others(alert)),
        (Some(episode), _) => (More::AddsUp, [events(episode), others(alert)].concat()),
        (_, Some(summary)) => (More::HeldBack, summary::lines(summary)),
    }
}

/// The events that made an episode.
fn events(episode: &Episode) -> Vec<String> {
    let line = |event: &EpisodeEvent| {
        let by = event.principal.as_deref().map_or("an unknown caller", actor::short);
        let line = format!(
            "{} {} by {by} from {} {} ({})",
            time(event.time),
            event.name,
            event.source_ip.as_deref().unwrap_or("an unknown source"),
            ended(event.outcome),
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

/// How a call ended.
pub(super) fn ended(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "succeeded",
        Outcome::Denied => "was denied",
        Outcome::Failure => "failed",
    }
}

fn others(alert: &Alert) -> Vec<String> {
    let line = |finding: &Finding| {
        let event = &finding.event;
        let line = format!("{} {} {}", time(event.time), facts::did(event), facts::list(&event.details().resources));
        plain::logged(&line, MAX_VALUE)
    };
    let mut lines: Vec<String> = alert.more.iter().take(MAX_MORE).map(line).collect();
    if alert.more.len() > lines.len() {
        lines.push(format!("and {} more", alert.more.len() - lines.len()));
    }
    lines
}

pub(super) fn notes(alert: &Alert) -> Vec<String> {
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
    let has_more = alert.finding.summary().is_some_and(|summary| summary.has_more);
    let more = has_more.then(|| {
        "More was held back than could be read at once; if some of it is this rule's, another summary follows."
            .to_owned()
    });
    [repetition, timeless, more].into_iter().flatten().collect()
}
