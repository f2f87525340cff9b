//! What an invocation of the notifier brought: messages of the topic, in any envelope, told by shape.
//!
//! SQS with raw delivery or without, SNS straight to the function, or a message by itself. What a message says is another
//! matter ([`super::told`]).

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::trigger::MessageId;

/// What one invocation brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    /// Whether the answer names the messages that failed.
    pub(super) is_batch: bool,
    pub(super) messages: Vec<Message>,
}

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// What a partial batch response names; `None` for a direct invocation.
    pub(super) id: Option<MessageId>,
    /// Names what it says: told again, it has the same.
    pub(super) name: String,
    /// How often it was handed over, this time included.
    pub(super) attempt: u32,
    /// The subject, where SNS says it.
    pub(super) subject: Option<String>,
    pub(super) text: String,
}

/// A payload that no message can be taken from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a batch of messages that can't be read: {0}")]
pub struct IncomingError(String);

#[derive(Deserialize)]
struct Batch<'p> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'p RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SqsMessage {
    message_id: String,
    #[serde(default)]
    attributes: Attributes,
    #[serde(default)]
    body: String,
}

#[derive(Default, Deserialize)]
struct Attributes {
    #[serde(rename = "ApproximateReceiveCount")]
    attempt: Option<String>,
}

#[derive(Deserialize)]
struct SnsRecord {
    #[serde(rename = "Sns")]
    sns: Envelope,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    message_id: Option<String>,
    subject: Option<String>,
    message: Option<String>,
}

pub(super) fn read(payload: &str) -> Result<Incoming, IncomingError> {
    let wrong = |error: serde_json::Error| IncomingError(error.to_string());
    match source(payload).as_deref() {
        Some("aws:sqs") => {
            let records = serde_json::from_str::<Batch<'_>>(payload).map_err(wrong)?.records;
            let messages = records.into_iter().map(|record| queued(record).map_err(wrong)).collect::<Result<_, _>>()?;
            Ok(Incoming { is_batch: true, messages })
        }
        Some("aws:sns") => {
            let records = serde_json::from_str::<Batch<'_>>(payload).map_err(wrong)?.records;
            let message = |record: &RawValue| {
                let SnsRecord { sns } = serde_json::from_str(record.get()).map_err(wrong)?;
                Ok(unwrapped(sns, None, String::new(), record.get()))
            };
            let messages = records.into_iter().map(message).collect::<Result<_, _>>()?;
            Ok(Incoming { is_batch: false, messages })
        }
        // What Lambda's destination holds of an invocation that failed: redriven, it is done again.
        _ => match failed(payload) {
            Some(again) => read(&again),
            None => Ok(Incoming { is_batch: false, messages: vec![opened(None, String::new(), payload)] }),
        },
    }
}

fn queued(record: &RawValue) -> Result<Message, serde_json::Error> {
    let SqsMessage { message_id, attributes, body } = serde_json::from_str(record.get())?;
    let id = Some(MessageId(message_id.clone()));
    let attempt = attributes.attempt.and_then(|count| count.parse().ok()).unwrap_or(1);
    let message = match failed(&body) {
        // The dead-letter queue was redriven into the queue, whatever it held.
        Some(payload) => match read(&payload) {
            Ok(Incoming { messages, .. }) if messages.len() == 1 => {
                messages.into_iter().map(|message| Message { id: id.clone(), ..message }).collect::<Vec<_>>().remove(0)
            }
            _ => opened(id, message_id, &body),
        },
        None => opened(id, message_id, &body),
    };
    Ok(Message { attempt, ..message })
}

/// A message, or SNS's envelope around one.
fn opened(id: Option<MessageId>, name: String, text: &str) -> Message {
    let has_envelope =
        members(text).is_some_and(|members| members.contains_key("TopicArn") && members.contains_key("Type"));
    match serde_json::from_str::<Envelope>(text) {
        Ok(envelope) if has_envelope => unwrapped(envelope, id, name, text),
        _ => Message { id, name, attempt: 1, subject: None, text: text.to_owned() },
    }
}

/// What has no message in it is one as a whole: nothing is dropped.
fn unwrapped(envelope: Envelope, id: Option<MessageId>, name: String, whole: &str) -> Message {
    let Envelope { message_id, subject, message } = envelope;
    let text = message.unwrap_or_else(|| whole.to_owned());
    Message { id, name: message_id.unwrap_or(name), attempt: 1, subject, text }
}

/// What an invocation that failed had been asked.
fn failed(text: &str) -> Option<String> {
    let members = members(text)?;
    members
        .contains_key("requestContext")
        .then(|| members.get("requestPayload").map(|payload| payload.get().to_owned()))?
}

fn members(text: &str) -> Option<HashMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

/// Where the first of several records comes from. SNS writes it with a capital.
fn source(payload: &str) -> Option<String> {
    let records = serde_json::from_str::<Batch<'_>>(payload).ok()?.records;
    let members = members(records.first()?.get())?;
    let name = members.get("eventSource").or_else(|| members.get("EventSource"))?;
    serde_json::from_str(name.get()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_one(payload: &Value) -> Message {
        let mut incoming = read(&payload.to_string()).unwrap();
        assert_eq!(incoming.messages.len(), 1);
        incoming.messages.remove(0)
    }

    fn envelope() -> Value {
        json!({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:t", "MessageId": "sns-1", "Subject": "S", "Message": "hello"})
    }

    fn sqs(body: &str) -> Value {
        json!({"Records": [{"messageId": "m-1", "eventSource": "aws:sqs", "body": body}]})
    }

    #[test]
    fn a_message_is_found_in_every_envelope() {
        let direct = json!({"Records": [{"EventSource": "aws:sns", "Sns": envelope()}]});
        let wrapped = |id: Option<&str>| Message {
            id: id.map(|id| MessageId(id.into())),
            name: "sns-1".into(),
            attempt: 1,
            subject: Some("S".into()),
            text: "hello".into(),
        };
        assert_eq!(read_one(&direct), wrapped(None));
        assert_eq!(read_one(&envelope()), wrapped(None));
        assert_eq!(read_one(&sqs(&envelope().to_string())), wrapped(Some("m-1")));
        let raw = Message {
            id: Some(MessageId("m-1".into())),
            name: "m-1".into(),
            attempt: 1,
            subject: None,
            text: "hello".into(),
        };
        assert_eq!(read_one(&sqs("hello")), raw);
        let failed = json!({"requestContext": {}, "requestPayload": direct});
        assert_eq!(read_one(&failed), wrapped(None));
        assert_eq!(read_one(&sqs(&failed.to_string())), wrapped(Some("m-1")));
    }

    #[test]
    fn what_is_no_envelope_is_a_message() {
        for payload in [json!({"Records": []}), json!({"Type": "Notification"}), json!("text"), json!([1])] {
            assert_eq!(read_one(&payload).text, payload.to_string());
        }
        let empty = json!({"Type": "SubscriptionConfirmation", "TopicArn": "t"});
        assert_eq!(read_one(&empty).text, empty.to_string());
    }

    #[test]
    fn without_an_id_the_batch_fails() {
        let error = read(r#"{"Records":[{"eventSource":"aws:sqs","body":"a"}]}"#).unwrap_err();
        assert!(error.to_string().starts_with("a batch of messages that can't be read: missing field `messageId`"));
        assert!(read(r#"{"Records":[{"EventSource":"aws:sns"}]}"#).is_err());
    }
}
