//! The custom notification of Amazon Q Developer in chat applications, which brings SNS messages into Slack and Teams.
//!
//! <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>. Messages of any other form are dropped
//! without a word, so the limits are kept here.

use serde::Serialize;

use crate::sigma::Level;

use super::facts::Facts;
use super::plain;

const MAX_TITLE: usize = 250;
const MAX_DESCRIPTION: usize = 8000;
const MAX_NEXT_STEP: usize = 350;
const MAX_NEXT_STEPS: usize = 10;
const MAX_KEYWORD: usize = 75;
const MAX_RESOURCES: usize = 10;
/// Our own, so that one text can't take all the room.
const MAX_LINE: usize = 1000;
const MAX_CONTEXT: usize = 300;

#[derive(Serialize)]
struct Message<'f> {
    version: &'static str,
    source: &'static str,
    id: String,
    content: Content,
    metadata: Metadata<'f>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    text_type: &'static str,
    title: String,
    description: String,
    next_steps: Vec<String>,
    keywords: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'f> {
    /// Repetitions of an alert go into its thread.
    thread_id: String,
    summary: String,
    event_type: &'static str,
    related_resources: Vec<String>,
    additional_context: Context<'f>,
}

/// For custom actions, which put these into commands.
#[derive(Serialize)]
struct Context<'f> {
    rule_id: &'f str,
    level: &'static str,
    finding_uid: String,
    event_id: String,
    event_name: String,
    event_source: String,
    account: String,
    region: String,
}

pub(super) fn message(facts: &Facts<'_>) -> String {
    let (rule, finding) = (facts.rule, facts.finding);
    let event = &finding.event;
    let level = rule.level.as_str();
    let details = event.details();
    let logged = |text: &str| plain::logged(text, MAX_CONTEXT);
    let title = if facts.title_is_logged { &rule.title } else { &facts.title };
    let message = Message {
        version: "1.0",
        source: "custom",
        id: finding.uid.to_string(),
        content: Content {
            text_type: "client-markdown",
            title: format!("{} {}: {}", emoji(rule.level), level.to_uppercase(), escape(title, MAX_TITLE - 50)),
            description: description(facts),
            next_steps: rule.runbook.iter().take(MAX_NEXT_STEPS).map(|step| escape(step, MAX_NEXT_STEP)).collect(),
            keywords: keywords([level, &logged(&details.source), &facts.account]),
        },
        metadata: Metadata {
            thread_id: finding.dedup_key.to_string(),
            summary: escape(title, MAX_TITLE),
            event_type: "alert",
            related_resources: details.resources.iter().take(MAX_RESOURCES).map(|arn| logged(arn)).collect(),
            additional_context: Context {
                rule_id: &rule.id,
                level,
                finding_uid: finding.uid.to_string(),
                event_id: logged(&event.identity.event_id),
                event_name: logged(&details.name),
                event_source: logged(&details.source),
                account: logged(&event.identity.account),
                region: logged(&details.region),
            },
        },
    };
    // OK because the message holds nothing but texts and lists of texts.
    serde_json::to_string(&message).unwrap_or_default()
}

fn keywords(words: [&str; 3]) -> Vec<String> {
    words.iter().filter(|word| !word.is_empty()).map(|word| escape(word, MAX_KEYWORD)).collect()
}

/// Whole lines, as many as there is room for: a line cut in its middle could leave markup open.
fn description(facts: &Facts<'_>) -> String {
    // In a title a client would follow the markup that a log may hold; in a code span it doesn't.
    let mut lines: Vec<String> = facts.title_is_logged.then(|| code(&facts.title)).into_iter().collect();
    lines.extend(facts.rows.iter().map(|(name, value)| format!("*{name}* {}", code(value))));
    lines.extend(facts.more.iter().map(|more| format!("• {}", code(more))));
    lines.extend(facts.notes.iter().map(|note| format!("_{}_", escape(note, MAX_LINE))));
    if !facts.rule.description.is_empty() {
        lines.push(String::new());
        lines.push(escape(&facts.rule.description, 2 * MAX_LINE));
    }
    lines.push(String::new());
    lines.push(format!("Finding {} of rule {}, {}", facts.finding.uid, code(&facts.rule.id), code(&facts.origin)));
    let mut room = MAX_DESCRIPTION;
    lines.retain(|line| {
        let length = line.chars().count() + 1;
        let fits = length <= room;
        room -= if fits { length } else { 0 };
        fits
    });
    lines.join("\n")
}

/// Inside a code span a client shows text as it is: no links, no mentions, no markup.
fn code(text: &str) -> String {
    format!("`{}`", escape(&text.replace('`', "'"), MAX_LINE))
}

/// One line of at most `max` characters once the three that chat markup gives a meaning are escaped.
fn escape(text: &str, max: usize) -> String {
    let mut escaped = String::new();
    let mut room = max;
    for c in plain::line(text, max).chars() {
        let mut buffer = [0; 4];
        let piece = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            c => &*c.encode_utf8(&mut buffer),
        };
        room = match room.checked_sub(piece.chars().count()) {
            Some(room) => room,
            None => break,
        };
        escaped.push_str(piece);
    }
    escaped
}

fn emoji(level: Level) -> &'static str {
    match level {
        Level::Critical => ":rotating_light:",
        Level::High => ":red_circle:",
        Level::Medium => ":large_orange_circle:",
        Level::Low => ":large_yellow_circle:",
        Level::Informational => ":information_source:",
    }
}
