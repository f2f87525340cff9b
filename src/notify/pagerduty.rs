//! An event for PagerDuty's Events API v2.
//!
//! <https://developer.pagerduty.com/docs/send-alert-event>. Alerts of one kind share a `dedup_key`, so they are one incident while it
//! is open.

use serde_json::{Map, Value, json};

use crate::sigma::Level;

use super::plain;
use super::story::Story;

const MAX_SUMMARY: usize = 1024;
/// PagerDuty takes 512 KB; what stands here is far below that, whatever a log holds.
const MAX_VALUE: usize = 2000;

/// Triggers an incident.
#[must_use]
pub fn event(story: &Story, routing_key: &str) -> String {
    let subject = format!("[{}] {}", story.level.as_str().to_uppercase(), story.title);
    let links: Vec<Value> =
        story.console.iter().map(|url| json!({"href": url, "text": "The event in the CloudTrail console"})).collect();
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": story.thread,
        "client": "trailhound",
        "links": links,
        "payload": {
            "summary": plain::cut(&format!("{subject}: {}", story.sentence), MAX_SUMMARY),
            "source": source(story),
            "severity": severity(story.level),
            "timestamp": story.first.to_string(),
            "component": story.event.source,
            "group": story.account_name(),
            "class": story.rule.title,
            "custom_details": details(story),
        },
    })
    .to_string()
}

/// PagerDuty wants one.
fn source(story: &Story) -> String {
    let places = [story.account_name(), &story.region].into_iter().filter(|place| !place.is_empty());
    match places.collect::<Vec<_>>().join(" ") {
        place if place.is_empty() => "trailhound".to_owned(),
        place => place,
    }
}

fn details(story: &Story) -> Value {
    let mut details = Map::new();
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            details.insert(name.to_owned(), Value::String(plain::cell(&plain::cut(&value, MAX_VALUE))));
        }
    };
    put("what happened", story.sentence.clone());
    for fact in &story.facts {
        put(&fact.name, fact.value.clone());
    }
    put("more", story.more.join("; "));
    put("note", story.notes.join(" "));
    put("known", story.known.join(" "));
    put("why it matters", story.why.clone());
    let steps = (1..).zip(&story.steps).map(|(number, step)| format!("{number}. {step}"));
    put("what to do next", steps.collect::<Vec<_>>().join(" "));
    for command in &story.commands {
        put(&command.purpose, command.line.clone());
    }
    put("when it is harmless", story.benign.join(" "));
    put("rule", story.rule.id.clone());
    put("finding", story.finding.clone());
    put("event", story.event.id.clone());
    put("file", story.event.origin.clone());
    Value::Object(details)
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Critical => "critical",
        Level::High => "error",
        Level::Medium => "warning",
        Level::Low | Level::Informational => "info",
    }
}
