//! Renders an alert for each channel.
//!
//! In: an alert. Out: a [`Notification`]: subject and text for people, chat's own schema, and an OCSF Detection Finding
//! for machines, all rendered from one [`Story`]. Pure. Text that came from a log is hostile: it is cleaned and cut here. Further
//! channels ([`slack`], [`teams`], [`pagerduty`], [`asff`]) are rendered from the story by whoever received it.

pub mod asff;
mod burst;
mod chat;
mod fit;
mod layout;
mod mrkdwn;
mod ocsf;
pub mod pagerduty;
mod plain;
mod redact;
pub mod slack;
mod story;
pub mod teams;
mod text;

use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::alerting::Alert;

pub use fit::MAX_MESSAGE_BYTES;
pub use plain::line;
pub(crate) use plain::logged;
pub use story::{Command, Fact, More, Story, StoryAccount, StoryEvent, StoryRule};

/// What one alert looks like on every channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// At most 99 printable ASCII characters.
    pub subject: String,
    /// For e-mail and the terminal.
    pub text: String,
    /// The record, for the end of the e-mail; empty where there is none, or no room.
    pub record: String,
    /// The custom schema of Amazon Q Developer in chat applications, as JSON.
    pub chat: String,
    /// An OCSF Detection Finding, as JSON.
    pub ocsf: String,
    /// For filter policies of subscriptions; names and values that SNS accepts.
    pub attributes: Vec<(&'static str, Attribute)>,
    /// What all of these tell.
    pub story: Box<Story>,
    /// The further topic that it goes to; `None`: the usual one.
    pub topic: Option<String>,
}

/// Renders an alert. `now` becomes the finding's time of creation.
#[must_use]
pub fn render(alert: &Alert, now: Timestamp) -> Notification {
    let story = Story::of(alert, now);
    fit::fit(alert, |alert, detail| {
        let story = fit::story(&story, detail);
        let record = if detail == fit::Detail::Full { story::record(alert) } else { None };
        Notification {
            subject: text::subject(&story),
            text: text::body(&story),
            record: record.map(|record| text::record(&record)).unwrap_or_default(),
            chat: chat::message(&story),
            // As a whole: a secret may stand in any text that a record has.
            ocsf: redact::record(&ocsf::finding(alert, &story, detail, now)).into_owned(),
            attributes: attributes(&story),
            story: Box::new(story),
            topic: None,
        }
    })
}

impl Notification {
    /// Every form of the alert, by its channel.
    #[must_use]
    pub fn forms(&self) -> Value {
        // OK to have none: every form is JSON.
        let json = |form: &str| serde_json::from_str::<Value>(form).unwrap_or_default();
        json!({
            "email": {"subject": self.subject, "body": self.email()},
            "sms": self.subject,
            "chat": json(&self.chat),
            "slack": json(&slack::message(&self.story)),
            "teams": json(&teams::message(&self.story)),
            "pagerduty": json(&pagerduty::event(&self.story, "ROUTING_KEY")),
            "asff": asff::finding(&self.story, &asff::Product::of_event(&self.story)),
            "ocsf": json(&self.ocsf),
        })
    }

    /// The body of an e-mail.
    #[must_use]
    pub fn email(&self) -> String {
        format!("{}{}", self.text, self.record)
    }

    /// The body of an SNS `Publish` with `MessageStructure=json`: each protocol gets the form it can use.
    #[must_use]
    pub fn sns_message(&self) -> String {
        json!({
            // For machines: queues, functions, streams, and whatever protocol there will be.
            "default": self.ocsf,
            "email": self.email(),
            "sms": self.subject,
            // Chat clients subscribe with this protocol.
            "https": self.chat,
        })
        .to_string()
    }

    /// What SNS counts of it, in bytes.
    #[must_use]
    pub fn sns_bytes(&self) -> usize {
        const TYPE: usize = "String.Array".len();
        let attributes = self.attributes.iter().map(|(name, value)| name.len() + value.to_string().len() + TYPE);
        self.sns_message().len() + attributes.sum::<usize>()
    }
}

/// A message attribute, which filter policies of subscriptions go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// One text.
    Text(String),
    /// Several; a policy asks for any of them.
    List(Vec<String>),
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(texts) => write!(f, "{}", json!(texts)),
        }
    }
}

fn attributes(story: &Story) -> Vec<(&'static str, Attribute)> {
    // SNS rejects the whole message for an empty value, or for a character outside the basic plane.
    let clean = |text: &str| -> String { plain::line(text, 256).chars().filter(|c| u32::from(*c) < 0xfffe).collect() };
    let texts = [
        ("rule_id", story.rule.id.as_str()),
        ("level", story.level.as_str()),
        ("account", &story.account.id),
        ("owner", &story.account.owner),
        ("region", &story.region),
        ("event_source", &story.event.source),
    ];
    let texts = texts.map(|(name, value)| (name, clean(value))).into_iter().filter(|(_, value)| !value.is_empty());
    let tags: Vec<String> = story.rule.tags.iter().map(|tag| clean(tag)).filter(|tag| !tag.is_empty()).collect();
    let tags = (!tags.is_empty()).then_some(("tags", Attribute::List(tags)));
    texts.map(|(name, value)| (name, Attribute::Text(value))).chain(tags).collect()
}
