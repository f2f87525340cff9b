//! Slack's Block Kit, for incoming webhooks and `chat.postMessage`.
//!
//! <https://docs.slack.dev/reference/block-kit/blocks>. A message that breaks a limit is refused as a whole, so the limits are kept
//! here. What a log says stands in code spans or in `plain_text`, where no markup, link or mention means anything.

use serde_json::{Value, json};

use crate::sigma::Level;

use super::layout::{ELSEWHERE, Part, fitting};
use super::mrkdwn::{code, escape};
use super::plain;
use super::story::{Fact, Story};

/// Slack refuses more than some 13,200 characters in all blocks together, which its documentation doesn't say.
const MAX_ALL: usize = 12_000;
const MAX_BLOCKS: usize = 50;
const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 3000;
const MAX_FIELD: usize = 2000;
const MAX_FIELDS: usize = 10;
const MAX_TEXT: usize = 3000;
/// Alerts that a burst names one by one.
const MAX_NAMED: usize = 20;

/// An alert, as the body of a request: `text` for notifications, `blocks` for the channel.
#[must_use]
pub fn message(story: &Story) -> String {
    let blocks = fitting(parts(story), MAX_ALL, MAX_BLOCKS, context);
    json!({"text": code(&headline(story), MAX_TEXT), "blocks": blocks}).to_string()
}

/// Many alerts in one message, the gravest first.
#[must_use]
pub fn burst(stories: &[&Story]) -> String {
    let title = super::burst::title(stories);
    let mut parts = vec![Part::first(header(&title))];
    let named = super::burst::gravest_first(stories);
    for story in named.iter().take(MAX_NAMED) {
        let line = format!(
            "{} *{}* {} · {}\n{}",
            emoji(story.level),
            story.level.as_str().to_uppercase(),
            escape(story.safe_title(), MAX_HEADER),
            super::burst::time(story),
            code(&story.sentence, 400)
        );
        parts.push(Part::new(1, "some of the alerts", section(&line)));
    }
    if named.len() > MAX_NAMED {
        parts.push(Part::new(1, "", context(&format!("and {} more", named.len() - MAX_NAMED))));
    }
    let blocks = fitting(parts, MAX_ALL, MAX_BLOCKS, context);
    json!({"text": escape(&title, MAX_TEXT), "blocks": blocks}).to_string()
}

/// The same in plain words, for when the blocks are refused.
#[must_use]
pub fn reduced(story: &Story) -> String {
    let facts = story.facts.iter().map(|fact| format!("{}: {}", fact.name, code(&fact.value, 300)));
    let lines = [code(&headline(story), 300), code(&story.sentence, 600)].into_iter().chain(facts);
    json!({"text": lines.collect::<Vec<_>>().join("\n")}).to_string()
}

/// Level, title, actor and account, in a line.
fn headline(story: &Story) -> String {
    super::text::subject(story)
}

/// The blocks from top to bottom, each with how soon it may go when there is no room for all.
fn parts(story: &Story) -> Vec<Part> {
    let mut parts = vec![
        Part::first(header(&format!(
            "{} {}: {}",
            emoji(story.level),
            story.level.as_str().to_uppercase(),
            story.safe_title()
        ))),
        Part::first(json!({"type": "section", "text": plain_text(&story.sentence, MAX_SECTION)})),
    ];
    parts.extend(story.facts.chunks(MAX_FIELDS).map(|facts| Part::first(fields(facts))));
    let bullets = |texts: &[String]| texts.iter().map(|text| format!("• {}", code(text, 400))).collect::<Vec<_>>();
    parts.extend(listed(4, story.more_is.heading(), &bullets(&story.more)));
    parts.extend(story.notes.iter().map(|note| Part::new(1, "notes", context(&format!("_{}_", escape(note, 1000))))));
    parts.extend(listed(5, "What is known", &bullets(&story.known)));
    parts.extend(listed(3, "Why it matters", &paragraph(&story.why)));
    let steps = (1..).zip(&story.steps).map(|(number, step)| format!("{number}. {}", escape(step, 350)));
    parts.extend(listed(2, "What to do next", &steps.collect::<Vec<_>>()));
    let commands = story.commands.iter().map(|command| {
        format!("{}\n```{}```", escape(&command.purpose, 200), escape(&command.line.replace('`', "'"), 1200))
    });
    parts.extend(listed(6, "Ready to paste", &commands.collect::<Vec<_>>()));
    // OK to link: it is ours, and nothing of the log that it holds means anything in markup.
    let console = story.console.iter().map(|url| section(&format!("<{url}|The event in the CloudTrail console>")));
    parts.extend(console.map(|block| Part::new(2, "the link to CloudTrail", block)));
    let benign: Vec<String> = story.benign.iter().map(|text| format!("• {}", escape(text, 400))).collect();
    parts.extend(listed(7, "When it is harmless", &benign));
    let silence = story.silence.iter().map(|filter| filter_text(filter).unwrap_or_else(|| ELSEWHERE.to_owned()));
    parts.extend(listed(8, "How to silence it: a Sigma filter", &silence.collect::<Vec<_>>()));
    parts.push(Part::new(1, "", context(&footer(story))));
    parts
}

fn footer(story: &Story) -> String {
    let parts = [("rule ", &story.rule.id, 80), ("event ", &story.event.id, 100), ("", &story.event.origin, 400)];
    let parts = parts.into_iter().filter(|(_, value, _)| !value.is_empty());
    let parts = parts.map(|(name, value, max)| format!(" · {name}{}", code(value, max)));
    format!("Finding {}{}", story.finding, parts.collect::<Vec<_>>().concat())
}

/// `None` if there is no room for all of it: part of a filter excepts something else, or nothing.
fn filter_text(filter: &str) -> Option<String> {
    let lines: Vec<String> = filter.lines().map(|line| escape_line(&line.replace('`', "'"))).collect();
    let text = format!("```{}```", lines.join("\n"));
    (text.chars().count() < MAX_SECTION - 100).then_some(text)
}

/// As [`escape`], with the line's indentation.
fn escape_line(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    format!("{}{}", &line[..indent], escape(line, MAX_SECTION))
}

fn paragraph(text: &str) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { vec![escape(text, 2500)] }
}

/// A heading and what stands under it, over as many sections as it takes; none for nothing.
fn listed(priority: u8, title: &'static str, lines: &[String]) -> Vec<Part> {
    let mut sections: Vec<String> = Vec::new();
    for line in lines {
        match sections.last_mut() {
            Some(last) if last.chars().count() + line.chars().count() < MAX_SECTION => *last += &format!("\n{line}"),
            Some(_) => sections.push(line.clone()),
            None => sections.push(format!("*{title}*\n{line}")),
        }
    }
    sections.iter().map(|text| Part::new(priority, title, section(text))).collect()
}

fn fields(facts: &[Fact]) -> Value {
    let field = |name: &str, value: &str| json!({"type": "mrkdwn", "text": format!("*{name}*\n{}", code(value, 700))});
    let fields: Vec<Value> = facts.iter().map(|fact| field(&fact.name, &fact.value)).collect();
    json!({"type": "section", "fields": fields})
}

fn header(text: &str) -> Value {
    json!({"type": "header", "text": {"type": "plain_text", "text": plain::line(text, MAX_HEADER), "emoji": true}})
}

fn plain_text(text: &str, max: usize) -> Value {
    json!({"type": "plain_text", "text": plain::line(text, max), "emoji": false})
}

/// `text` is markup already.
fn section(text: &str) -> Value {
    json!({"type": "section", "expand": true, "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
}

fn context(text: &str) -> Value {
    json!({"type": "context", "elements": [{"type": "mrkdwn", "text": cut_markup(text), "verbatim": true}]})
}

/// One that is too long loses its markup rather than its end.
fn cut_markup(text: &str) -> String {
    if text.chars().count() <= MAX_FIELD {
        text.to_owned()
    } else {
        plain::cut(&text.replace(['`', '*', '_'], ""), MAX_FIELD)
    }
}

pub(super) fn emoji(level: Level) -> &'static str {
    match level {
        Level::Critical => ":rotating_light:",
        Level::High => ":red_circle:",
        Level::Medium => ":large_orange_circle:",
        Level::Low => ":large_yellow_circle:",
        Level::Informational => ":information_source:",
    }
}
