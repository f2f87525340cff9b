//! An Adaptive Card for the webhook of a Microsoft Teams workflow.
//!
//! <https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook>. In a `TextBlock`
//! and a `FactSet` Teams reads Markdown, links among it. What a log says stands in `TextRun`s, which are text and nothing else.

use serde_json::{Value, json};

use crate::sigma::Level;

use super::layout::{ELSEWHERE, Part, fitting};
use super::plain;
use super::story::Story;

/// Teams takes 28 KB a message. Characters of text, so that quotes, escapes and what is around them have room.
const MAX_ALL: usize = 8_000;
const MAX_BYTES: usize = 26_000;
const MAX_PARTS: usize = 80;
const MAX_TEXT: usize = 2000;
/// Alerts that a burst names one by one.
const MAX_NAMED: usize = 20;

/// An alert.
#[must_use]
pub fn message(story: &Story) -> String {
    let actions =
        story.console.iter().map(|url| json!({"type": "Action.OpenUrl", "title": "Open in CloudTrail", "url": url}));
    let actions: Vec<Value> = actions.collect();
    within(|max| card(&fitting(parts(story), max, MAX_PARTS, note), &actions))
}

/// Many alerts in one message, the gravest first.
#[must_use]
pub fn burst(stories: &[&Story]) -> String {
    let named = super::burst::gravest_first(stories);
    let parts = || {
        let mut parts = vec![Part::first(heading(&super::burst::title(stories), "Attention"))];
        for story in named.iter().take(MAX_NAMED) {
            let title = format!("{} {}", story.level.as_str().to_uppercase(), story.safe_title());
            let told = format!("  {}  {}", super::burst::time(story), plain::cut(&story.sentence, 300));
            parts.push(Part::new(1, "some of the alerts", runs(&[bold(&title), run(&told)])));
        }
        if named.len() > MAX_NAMED {
            parts.push(Part::new(1, "", runs(&[run(&format!("and {} more", named.len() - MAX_NAMED))])));
        }
        parts
    };
    within(|max| card(&fitting(parts(), max, MAX_PARTS, note), &[]))
}

/// The same with nothing but the sentence and the facts, for when the card is refused.
#[must_use]
pub fn reduced(story: &Story) -> String {
    let facts =
        story.facts.iter().map(|fact| runs(&[run(&format!("{}: {}", fact.name, plain::cut(&fact.value, 200)))]));
    let title = runs(&[run(&super::text::subject(story))]);
    let body: Vec<Value> = [title, runs(&[run(&story.sentence)])].into_iter().chain(facts).collect();
    card(&body, &[])
}

/// Renders with ever less text until the bytes fit: a character may take several.
fn within(render: impl Fn(usize) -> String) -> String {
    let sizes = [MAX_ALL, MAX_ALL / 2, MAX_ALL / 4];
    let fits = |card: &String| card.len() <= MAX_BYTES;
    sizes.iter().map(|max| render(*max)).find(fits).unwrap_or_else(|| render(0))
}

/// From top to bottom, each with how soon it may go.
fn parts(story: &Story) -> Vec<Part> {
    let level = story.level.as_str().to_uppercase();
    let mut parts = vec![
        Part::first(heading(&format!("{level}: {}", story.safe_title()), color(story.level))),
        Part::first(runs(&[run(&story.sentence)])),
    ];
    parts.extend(
        story
            .facts
            .iter()
            .map(|fact| runs(&[bold(&format!("{}  ", fact.name)), run(&plain::cut(&fact.value, 400))]))
            .map(|fact| Part::first(close(fact))),
    );
    parts.extend(listed(4, story.more_is.heading(), story.more.iter().map(|more| format!("• {more}"))));
    parts.extend(story.notes.iter().map(|note| Part::new(1, "notes", runs(&[run(note)]))));
    parts.extend(listed(5, "What is known", story.known.iter().map(|known| format!("• {known}"))));
    parts.extend(listed(3, "Why it matters", story.why.split_inclusive('\n').map(str::to_owned)));
    let steps = (1..).zip(&story.steps).map(|(number, step)| format!("{number}. {step}"));
    parts.extend(listed(2, "What to do next", steps));
    let commands = story.commands.iter().flat_map(|command| [run(&command.purpose), typed(&command.line)]);
    parts.extend(section(6, "Ready to paste", commands));
    parts.extend(listed(7, "When it is harmless", story.benign.iter().map(|text| format!("• {text}"))));
    let filter: Vec<String> = story.silence.iter().flat_map(|filter| in_lines(filter)).collect();
    // Part of a filter excepts something else, or nothing.
    let is_whole = filter.iter().all(|line| line.chars().count() <= MAX_TEXT);
    let filter = if is_whole { filter.iter().map(|line| typed(line)).collect() } else { vec![run(ELSEWHERE)] };
    parts.extend(section(8, "How to silence it: a Sigma filter", filter.into_iter()));
    let ids = [("rule ", &story.rule.id), ("event ", &story.event.id), ("", &story.event.origin)];
    let ids = ids.into_iter().filter(|(_, id)| !id.is_empty()).map(|(name, id)| format!(" · {name}{id}"));
    let footer = format!("Finding {}{}", story.finding, ids.collect::<Vec<_>>().concat());
    parts.push(Part::new(1, "", runs(&[subtle(&footer)])));
    parts
}

fn note(text: &str) -> Value {
    runs(&[subtle(text)])
}

/// A filter without indentation, which Teams would show as spaces that YAML doesn't know: what stands below a key comes behind it.
fn in_lines(filter: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines: Vec<String> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for line in filter.lines() {
        while open.last().is_some_and(|outer| indent(line) <= *outer) {
            open.pop();
            if let Some(last) = lines.last_mut() {
                last.push('}');
            }
        }
        let text = line.trim_start();
        match lines.last_mut().filter(|_| !open.is_empty()) {
            Some(last) if last.ends_with('{') => *last += text,
            Some(last) => *last += &format!(", {text}"),
            None => lines.push(text.to_owned()),
        }
        if let Some(last) = lines.last_mut().filter(|_| text.ends_with(':')) {
            *last += " {";
            open.push(indent(line));
        }
    }
    if let Some(last) = lines.last_mut() {
        *last += &"}".repeat(open.len());
    }
    lines
}

fn listed(priority: u8, title: &'static str, lines: impl Iterator<Item = String>) -> Option<Part> {
    section(priority, title, lines.map(|line| run(&line)))
}

/// A heading and its lines go together: a heading without them says nothing.
fn section(priority: u8, title: &'static str, lines: impl Iterator<Item = Value>) -> Option<Part> {
    let lines: Vec<Value> = lines.map(|line| close(runs(&[line]))).collect();
    if lines.is_empty() {
        return None;
    }
    let heading = runs(&[bold(title)]);
    let items: Vec<Value> = std::iter::once(heading).chain(lines).collect();
    Some(Part::new(priority, title, json!({"type": "Container", "spacing": "Medium", "items": items})))
}

fn heading(text: &str, color: &str) -> Value {
    json!({"type": "RichTextBlock", "inlines": [
        {"type": "TextRun", "text": plain::line(text, 200), "size": "Large", "weight": "Bolder", "color": color}
    ]})
}

fn runs(inlines: &[Value]) -> Value {
    json!({"type": "RichTextBlock", "inlines": inlines})
}

/// Right below what stands above.
fn close(mut block: Value) -> Value {
    block["spacing"] = json!("Small");
    block
}

/// What is to be typed or pasted.
fn typed(text: &str) -> Value {
    json!({"type": "TextRun", "text": spaced(text), "fontType": "Monospace"})
}

fn run(text: &str) -> Value {
    json!({"type": "TextRun", "text": spaced(text)})
}

fn bold(text: &str) -> Value {
    json!({"type": "TextRun", "text": spaced(text), "weight": "Bolder"})
}

fn subtle(text: &str) -> Value {
    json!({"type": "TextRun", "text": spaced(text), "isSubtle": true, "size": "Small"})
}

/// One clean line that keeps the space before it and before what follows.
fn spaced(text: &str) -> String {
    let space = |is_there: bool| if is_there { "  " } else { "" };
    format!("{}{}{}", space(text.starts_with(' ')), plain::line(text, MAX_TEXT), space(text.ends_with(' ')))
}

fn color(level: Level) -> &'static str {
    match level {
        Level::Critical | Level::High => "Attention",
        Level::Medium => "Warning",
        Level::Low | Level::Informational => "Accent",
    }
}

fn card(body: &[Value], actions: &[Value]) -> String {
    let content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
        "actions": actions,
    });
    let attachment =
        json!({"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": content});
    json!({"type": "message", "attachments": [attachment]}).to_string()
}
