//! What a rule's limits held back, in words.

use std::collections::BTreeSet;

use crate::finding::{HeldFinding, Summary, Tallied, Tally};

use super::lists::{ended, time};
use super::{MAX_VALUE, StoryAccount, actor, plain, sentence};

/// Values that are named.
const MAX_NAMED: usize = 5;
/// Findings that are shown, with the line that says how many more there are.
const MAX_LINES: usize = 10;
/// Of a text in such a line.
const MAX_TEXT: usize = 80;

pub(super) fn sentence(summary: &Summary) -> String {
    let (what, were) = if summary.count() == 1 { ("finding", "was") } else { ("findings", "were") };
    let why = match (summary.quiet, summary.capped) {
        (_, 0) => " in quiet hours".to_owned(),
        (0, _) => " over the rule's cap".to_owned(),
        (quiet, capped) => format!(", {quiet} in quiet hours and {capped} over the rule's cap"),
    };
    let when = if summary.since == summary.until {
        format!(", at {}", time(summary.since))
    } else {
        format!(", from {} to {}", time(summary.since), time(summary.until))
    };
    let by = summary.callers.most.first().map(|first| {
        let who = plain::line(actor::short(&first.value), 120);
        format!(", by {}", sentence::with_others(who, summary.callers.count()))
    });
    format!("{} {what} of this rule {were} held back{why}{when}{}.", summary.count(), by.unwrap_or_default())
}

pub(super) fn facts(summary: &Summary) -> Vec<(&'static str, String)> {
    let when = if summary.since == summary.until {
        time(summary.since)
    } else {
        format!("{} to {}", time(summary.since), time(summary.until))
    };
    let places = [list(&summary.accounts, "account"), list(&summary.regions, "Region")];
    vec![
        ("Held", held(summary)),
        ("Who", list(&summary.callers, "caller")),
        ("When", when),
        ("Where", places.into_iter().filter(|place| !place.is_empty()).collect::<Vec<_>>().join("; ")),
        ("Owner", owners(summary)),
    ]
}

/// The most frequent accounts, if they are several.
pub(super) fn elsewhere(summary: &Summary) -> Vec<StoryAccount> {
    let account = |account: &Tallied| StoryAccount {
        id: plain::logged(&account.value, 40),
        name: plain::line(account.name.as_deref().unwrap_or_default(), 40),
        owner: plain::line(account.owner.as_deref().unwrap_or_default(), 80),
    };
    if summary.accounts.only().is_some() {
        return Vec::new();
    }
    summary.accounts.most.iter().map(account).collect()
}

/// The findings that are shown, one line each.
pub(super) fn lines(summary: &Summary) -> Vec<String> {
    let is_cut = summary.findings.len() > summary.events.len();
    let shown = if is_cut { MAX_LINES - 1 } else { MAX_LINES };
    let is_elsewhere = summary.accounts.only().is_none() || summary.regions.only().is_none();
    let mut lines: Vec<String> = summary.events.iter().take(shown).map(|event| line(event, is_elsewhere)).collect();
    let more = summary.findings.len().saturating_sub(lines.len());
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn held(summary: &Summary) -> String {
    let why: Vec<String> = [(summary.quiet, "in quiet hours"), (summary.capped, "over the cap")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!("{count} {why}"))
        .collect();
    let repeated = match summary.repeated {
        0 => String::new(),
        1 => ", and 1 repetition of such".to_owned(),
        repeated => format!(", and {repeated} repetitions of such"),
    };
    format!("{}{repeated}", why.join(", "))
}

/// The most frequent values; how often each, unless there is no other.
fn list(tally: &Tally, what: &str) -> String {
    let one = |one: &Tallied| {
        let value = plain::line(&one.value, 100);
        let value = match &one.name {
            Some(name) => format!("{} ({value})", plain::line(name, 40)),
            None => value,
        };
        if tally.only().is_some() { value } else { format!("{value}: {}", one.count) }
    };
    let mut named: Vec<String> = tally.most.iter().take(MAX_NAMED).map(one).collect();
    match tally.count() - named.len() {
        0 => {}
        1 => named.push(format!("1 other {what}")),
        others => named.push(format!("{others} other {what}s")),
    }
    named.join(", ")
}

/// Who looks after the accounts.
fn owners(summary: &Summary) -> String {
    let owners: BTreeSet<&str> = summary.accounts.most.iter().filter_map(|account| account.owner.as_deref()).collect();
    owners.into_iter().take(MAX_NAMED).map(|owner| plain::line(owner, 80)).collect::<Vec<_>>().join(", ")
}

/// `is_elsewhere`: the place is not the same for all.
fn line(finding: &HeldFinding, is_elsewhere: bool) -> String {
    let place =
        if is_elsewhere { format!(" in {} {}", finding.identity.account, finding.region) } else { String::new() };
    let said = |word: &str, text: Option<&str>| {
        text.map(|text| format!(" {word} {}", plain::cut_middle(text, MAX_TEXT))).unwrap_or_default()
    };
    let title = finding.title.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
    let line = format!(
        "{} {}{}{}{}{place} {}{title}",
        time(finding.time),
        finding.name,
        said("on", finding.resource.as_deref().map(sentence::resource)),
        said("by", finding.principal.as_deref().map(actor::short)),
        said("from", finding.source_ip.as_deref()),
        ended(finding.outcome),
    );
    plain::logged(&line, MAX_VALUE)
}
