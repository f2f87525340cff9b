//! The custom notification of Amazon Q Developer in chat applications, which brings SNS messages into Slack and Teams.
//!
//! <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>. Messages of any other form are dropped
//! without a word, so the limits are kept here. One text has to do for both clients. It is Slack's markup, which Teams knows part of.

use serde::Serialize;

use super::mrkdwn::{code, escape};
use super::slack::emoji;
use super::story::Story;

const MAX_TITLE: usize = 250;
const MAX_DESCRIPTION: usize = 8000;
const MAX_NEXT_STEP: usize = 350;
const MAX_NEXT_STEPS: usize = 10;
const MAX_KEYWORD: usize = 75;
const MAX_RESOURCES: usize = 10;
/// Our own, so that one text can't take all the room.
const MAX_LINE: usize = 1000;
const NOTE: &str = "_There is no room here for all of it._";

#[derive(Serialize)]
struct Message<'s> {
    version: &'static str,
    source: &'static str,
    id: &'s str,
    content: Content,
    metadata: Metadata<'s>,
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
struct Metadata<'s> {
    /// Repetitions of an alert go into its thread.
    thread_id: &'s str,
    summary: String,
    event_type: &'static str,
    related_resources: Vec<&'s str>,
    additional_context: Context<'s>,
}

/// For custom actions, which put these into commands.
#[derive(Serialize)]
struct Context<'s> {
    rule_id: &'s str,
    level: &'static str,
    finding_uid: &'s str,
    event_id: &'s str,
    event_name: &'s str,
    event_source: &'s str,
    account: &'s str,
    region: &'s str,
}

pub(super) fn message(story: &Story) -> String {
    let level = story.level.as_str();
    let title = story.safe_title();
    let message = Message {
        version: "1.0",
        source: "custom",
        id: &story.finding,
        content: Content {
            text_type: "client-markdown",
            title: format!("{} {}: {}", emoji(story.level), level.to_uppercase(), escape(title, MAX_TITLE - 50)),
            description: description(story),
            next_steps: story.steps.iter().take(MAX_NEXT_STEPS).map(|step| escape(step, MAX_NEXT_STEP)).collect(),
            keywords: keywords([level, &story.event.source, story.account_name(), &story.account.owner]),
        },
        metadata: Metadata {
            thread_id: &story.thread,
            summary: escape(title, MAX_TITLE),
            event_type: "alert",
            related_resources: story.resources.iter().take(MAX_RESOURCES).map(String::as_str).collect(),
            additional_context: Context {
                rule_id: &story.rule.id,
                level,
                finding_uid: &story.finding,
                event_id: &story.event.id,
                event_name: &story.event.name,
                event_source: &story.event.source,
                account: &story.account.id,
                region: &story.region,
            },
        },
    };
    // OK because the message holds nothing but texts and lists of texts.
    serde_json::to_string(&message).unwrap_or_default()
}

fn keywords<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.iter().filter(|word| !word.is_empty()).map(|word| escape(word, MAX_KEYWORD)).collect()
}

/// Whole lines, as many as there is room for: a line cut in its middle could leave markup open. The most important come first.
fn description(story: &Story) -> String {
    // In a title a client would follow the markup that a log may hold; in a code span it doesn't.
    let mut lines: Vec<String> = story.title_is_logged().then(|| code(&story.title, MAX_LINE)).into_iter().collect();
    lines.push(code(&story.sentence, MAX_LINE));
    lines.push(String::new());
    lines.extend(story.facts.iter().map(|fact| format!("*{}* {}", fact.name, code(&fact.value, MAX_LINE))));
    lines.extend(story.more.iter().map(|more| format!("• {}", code(more, MAX_LINE))));
    lines.extend(story.notes.iter().map(|note| format!("_{}_", escape(note, MAX_LINE))));
    lines.extend(story.known.iter().map(|known| code(known, MAX_LINE)));
    if !story.why.is_empty() {
        lines.push(String::new());
        lines.push(escape(&story.why, 2 * MAX_LINE));
    }
    lines.push(String::new());
    lines.extend(
        story
            .commands
            .iter()
            .map(|command| format!("{}: {}", escape(&command.purpose, MAX_LINE), code(&command.line, MAX_LINE))),
    );
    lines.extend(story.console.iter().map(|url| format!("In the console: {url}")));
    lines.extend(story.benign.iter().map(|benign| format!("Harmless: {}", escape(benign, MAX_LINE))));
    let (finding, rule) = (&story.finding, code(&story.rule.id, MAX_LINE));
    let origin = match story.event.origin.as_str() {
        "" => String::new(),
        origin => format!(", {}", code(origin, MAX_LINE)),
    };
    let last = format!("Finding {finding} of rule {rule}{origin}");
    let all = lines.len();
    let mut room = MAX_DESCRIPTION - last.chars().count() - NOTE.len() - 1;
    lines.retain(|line| {
        let length = line.chars().count() + 1;
        let fits = length <= room;
        room -= if fits { length } else { 0 };
        fits
    });
    if lines.len() < all {
        lines.push(NOTE.to_owned());
    }
    lines.push(last);
    lines.join("\n")
}
