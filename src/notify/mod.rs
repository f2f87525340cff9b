//! Renders an alert for each channel.
//!
//! In: an alert. Out: a [`Notification`]: subject and text for people, chat's own schema, and an OCSF Detection Finding
//! for machines, all with the same facts. Pure. Text that came from a log is hostile: it is cleaned and cut here.

mod chat;
mod facts;
mod fit;
mod ocsf;
mod plain;
mod text;

use jiff::Timestamp;
use serde_json::json;

use crate::alerting::Alert;

pub use fit::MAX_MESSAGE_BYTES;
pub use plain::line;

/// What one alert looks like on every channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// At most 99 printable ASCII characters.
    pub subject: String,
    /// For e-mail and the terminal.
    pub text: String,
    /// The custom schema of Amazon Q Developer in chat applications, as JSON.
    pub chat: String,
    /// An OCSF Detection Finding, as JSON.
    pub ocsf: String,
    /// For filter policies of subscriptions; names and values that SNS accepts.
    pub attributes: Vec<(&'static str, String)>,
}

/// Renders an alert. `now` becomes the finding's time of creation.
#[must_use]
pub fn render(alert: &Alert, now: Timestamp) -> Notification {
    fit::fit(alert, |alert, detail| {
        let facts = facts::Facts::of(alert, detail);
        Notification {
            subject: text::subject(&facts),
            text: text::body(&facts),
            chat: chat::message(&facts),
            ocsf: ocsf::finding(alert, &facts.notes, detail, now),
            attributes: attributes(alert),
        }
    })
}

impl Notification {
    /// The body of an SNS `Publish` with `MessageStructure=json`: each protocol gets the form it can use.
    #[must_use]
    pub fn sns_message(&self) -> String {
        json!({
            "default": self.text,
            "email": self.text,
            "sms": self.subject,
            // Chat clients subscribe with this protocol.
            "https": self.chat,
            "http": self.ocsf,
            "sqs": self.ocsf,
            "lambda": self.ocsf,
            "firehose": self.ocsf,
        })
        .to_string()
    }
}

fn attributes(alert: &Alert) -> Vec<(&'static str, String)> {
    let event = &alert.finding.event;
    [
        ("rule_id", alert.finding.rule.id.as_str()),
        ("level", alert.finding.rule.level.as_str()),
        ("account", &event.identity.account),
        ("region", &event.details().region),
        ("event_source", &event.details().source),
    ]
    .into_iter()
    // SNS rejects the whole message for an empty value, or for a character outside the basic plane.
    .map(|(name, value)| (name, plain::line(value, 256).chars().filter(|c| u32::from(*c) < 0xfffe).collect::<String>()))
    .filter(|(_, value)| !value.is_empty())
    .collect()
}
