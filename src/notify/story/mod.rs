//! What an alert says, in words, before any channel's markup.
//!
//! Every channel renders the same [`Story`], so that all tell the same. It is self-contained and goes out with the OCSF finding:
//! whoever receives that can render any channel from it. Every text is one clean line (`plain`) unless it says otherwise.

mod actor;
mod commands;
mod console;
mod facts;
mod lists;
mod sentence;
mod services;
mod silence;
mod summary;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alerting::Alert;
use crate::finding::{Origin, fingerprint};
use crate::outputs::{Facets, Place};
use crate::sigma::Level;
use crate::yaml::Text;

use super::{plain, redact};

pub(super) use lists::MAX_MORE;

const MAX_TITLE: usize = 150;
/// Of a line such as Who or From.
const MAX_FACT: usize = 600;
/// Of a value inside one.
const MAX_VALUE: usize = 300;
/// Of a paragraph, and how many of them, that a rule's author wrote.
const MAX_PARAGRAPH: usize = 4000;
const MAX_PARAGRAPHS: usize = 10;
const MAX_RESOURCES: usize = 10;
/// Of the record in e-mail.
const MAX_RECORD: usize = 8000;

/// What an alert says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Names the alert: told again, it has the same.
    pub id: String,
    /// What alerts of the same kind have in common: the rule and its dedup fields.
    pub thread: String,
    /// The finding's uid.
    pub finding: String,
    /// How bad it is.
    pub level: Level,
    /// The rule.
    pub rule: StoryRule,
    /// What happened, in a few words: the rule's title, or with values of the record in it.
    pub title: String,
    /// Who did what to what, from where, and whether it succeeded.
    pub sentence: String,
    /// The caller's short name; empty for what trailhound says of itself.
    pub actor: String,
    /// Where it happened.
    pub account: StoryAccount,
    /// The accounts of a summary that is of several.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub elsewhere: Vec<StoryAccount>,
    /// The Region; may be empty.
    pub region: String,
    /// Name and value, most important first.
    pub facts: Vec<Fact>,
    /// What is known about the caller.
    pub known: Vec<String>,
    /// What else there is: events or findings, one line each.
    pub more: Vec<String>,
    /// What these are.
    pub more_is: More,
    /// What the receiver has to know about the alert itself.
    pub notes: Vec<String>,
    /// Why it matters.
    pub why: String,
    /// Benign events that look alike.
    pub benign: Vec<String>,
    /// What to do, step by step.
    pub steps: Vec<String>,
    /// Commands to look further and to stop it.
    pub commands: Vec<Command>,
    /// Where CloudTrail's console shows the event.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub console: Option<String>,
    /// A Sigma filter that excepts this, to paste and adapt. Several lines.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub silence: Option<String>,
    /// Further reading.
    pub references: Vec<String>,
    /// What it was done to: ARNs.
    pub resources: Vec<String>,
    /// The first event.
    pub event: StoryEvent,
    /// When the first event happened.
    pub first: Timestamp,
    /// When the last one did.
    pub last: Timestamp,
    /// How many findings this speaks for.
    pub count: usize,
}

/// What else a story has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum More {
    /// Further findings of the alert.
    Same,
    /// The events of a correlation.
    AddsUp,
    /// What the rule's limits held back: the story is a summary of that.
    HeldBack,
}

impl More {
    /// What stands above it.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Same => "More of the same",
            Self::AddsUp => "What adds up",
            Self::HeldBack => "What was held back",
        }
    }
}

/// The rule of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryRule {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `attack.t1098` and the like.
    pub tags: Vec<String>,
}

/// The account of a story. All empty for what belongs to none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryAccount {
    /// 12 digits.
    pub id: String,
    /// The organisation's name for it; empty if it has none.
    pub name: String,
    /// Who answers for it; empty if nobody is named.
    pub owner: String,
}

/// A line of a story: what, and what of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// One short word.
    pub name: String,
    /// What is said.
    pub value: String,
}

/// A command to paste into a shell. What a log says stands in it only if it means nothing to a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// What it is for.
    pub purpose: String,
    /// The command.
    pub line: String,
}

/// The event of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryEvent {
    /// `eventID`.
    pub id: String,
    /// `eventName`.
    pub name: String,
    /// `eventSource`.
    pub source: String,
    /// The file that holds the record, and its place in it.
    pub origin: String,
}

impl Story {
    /// Tells an alert. `now`: when it is told.
    #[must_use]
    pub fn of(alert: &Alert, now: Timestamp) -> Self {
        let finding = &alert.finding;
        let (rule, event) = (&finding.rule, &finding.event);
        let details = event.details();
        let time = finding.time().as_millisecond().to_string();
        let thread = finding.dedup_key.to_string();
        let (more_is, more) = lists::more(alert);
        // A summary is of no one caller and no one record.
        let is_of_one = finding.summary().is_none();
        Self {
            id: fingerprint("alert", [thread.as_str(), &finding.uid.to_string(), &time]),
            finding: finding.uid.to_string(),
            level: rule.level,
            rule: StoryRule {
                id: plain::line(&rule.id, 80),
                title: plain::line(&rule.title, MAX_TITLE),
                tags: rule.tags.iter().take(30).map(|tag| plain::line(tag, 80)).collect(),
            },
            title: plain::logged(&actor::without_arns(&finding.title), MAX_TITLE),
            sentence: plain::logged(&sentence::of(alert), MAX_FACT),
            actor: if finding.is_own() || !is_of_one {
                String::new()
            } else {
                plain::logged(&actor::short_name(&details.actor), 60)
            },
            account: StoryAccount {
                id: plain::logged(&event.identity.account, 40),
                name: plain::line(event.account_name.as_deref().unwrap_or_default(), 40),
                owner: plain::line(event.account_owner.as_deref().unwrap_or_default(), 80),
            },
            elsewhere: finding.summary().map(summary::elsewhere).unwrap_or_default(),
            region: plain::logged(&details.region, 40),
            facts: facts::of(alert),
            known: lists::known(alert),
            more,
            more_is,
            notes: lists::notes(alert),
            why: plain::line(&rule.description, MAX_PARAGRAPH),
            benign: paragraphs(&rule.falsepositives),
            steps: paragraphs(&rule.runbook),
            commands: commands::of(alert, now),
            console: console::link(alert),
            silence: silence::filter(alert, now),
            references: paragraphs(&rule.references),
            resources: details.resources.iter().take(MAX_RESOURCES).map(|arn| plain::logged(arn, MAX_VALUE)).collect(),
            event: StoryEvent {
                id: plain::logged(&event.identity.event_id, 100),
                name: plain::logged(&details.name, 100),
                source: plain::logged(&details.source, 100),
                origin: if is_of_one { origin(&finding.origin) } else { String::new() },
            },
            first: finding.event.time,
            last: alert.last_time(),
            count: alert.count(),
            thread,
        }
    }

    /// The title with nothing in it that a log says.
    #[must_use]
    pub fn safe_title(&self) -> &str {
        if self.more_is == More::HeldBack { &self.title } else { &self.rule.title }
    }

    /// Whether the title holds what a log says, which markup could be hidden in.
    #[must_use]
    pub fn title_is_logged(&self) -> bool {
        self.title != self.safe_title()
    }

    /// The account's name, or its id.
    #[must_use]
    pub fn account_name(&self) -> &str {
        if self.account.name.is_empty() { &self.account.id } else { &self.account.name }
    }

    /// The accounts that it is of: most are of one.
    pub fn places(&self) -> impl Iterator<Item = &StoryAccount> {
        std::iter::once(&self.account).chain(&self.elsewhere).filter(|account| !account.id.is_empty())
    }

    /// What routing asks.
    #[must_use]
    pub fn facets(&self) -> Facets {
        Facets {
            level: self.level,
            rule: self.rule.id.clone(),
            tags: self.rule.tags.clone(),
            places: self
                .places()
                .map(|account| Place { account: account.id.clone(), owner: account.owner.clone() })
                .collect(),
        }
    }

    /// Cuts what a rule's author wrote, so that everything else fits.
    pub(super) fn shorten(&mut self, max: usize, items: usize) {
        for list in [&mut self.benign, &mut self.steps, &mut self.references, &mut self.more, &mut self.known] {
            list.truncate(items);
            list.iter_mut().for_each(|text| *text = plain::cut(text, max));
        }
        self.resources.truncate(items);
        self.why = plain::cut(&self.why, 2 * max);
        self.facts.iter_mut().for_each(|fact| fact.value = plain::cut(&fact.value, max));
        self.commands.truncate(items);
    }
}

/// The record as people read it: indented, without secrets, cut at its end.
pub(super) fn record(alert: &Alert) -> Option<String> {
    let raw = alert.finding.event.record.raw();
    if raw.is_empty() || alert.finding.is_own() {
        return None;
    }
    let clean = redact::record(raw);
    let pretty =
        serde_json::from_str::<serde_json::Value>(&clean).and_then(|record| serde_json::to_string_pretty(&record));
    let pretty = pretty.unwrap_or_else(|_| clean.into_owned());
    let lines: String = pretty.lines().map(|line| line_of_record(line) + "\n").collect();
    let length = lines.chars().count();
    if length <= MAX_RECORD {
        return Some(lines);
    }
    let kept: String = lines.chars().take(MAX_RECORD).collect();
    Some(format!("{kept}…\n(cut: {} of {length} characters are left out)\n", length - MAX_RECORD))
}

/// A line of a record keeps its indentation, and nothing that turns or hides text or makes links.
fn line_of_record(line: &str) -> String {
    plain::unlinked(&line.chars().map(|c| if plain::is_hostile(c) { ' ' } else { c }).collect::<String>())
}

fn origin(origin: &Origin) -> String {
    plain::line(&format!("{}, record {}", origin.file, origin.record_index), 1000)
}

fn paragraphs(texts: &[Text]) -> Vec<String> {
    let texts = texts.iter().map(|text| plain::line(text, MAX_PARAGRAPH)).filter(|text| !text.is_empty());
    texts.take(MAX_PARAGRAPHS).collect()
}
