//! Turns an invocation payload into the objects to read.
//!
//! In: the JSON text that Lambda hands to the function. Out: a [`Trigger`]: for each delivery the objects it names, or
//! why it could not be understood. Knows nothing of what the objects hold.
//!
//! A delivery is what succeeds or fails as a whole: one SQS message, or the one event of a direct invocation.

mod s3;
mod sqs;

use std::fmt;

use serde_json::Value;

/// What one invocation brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Trigger {
    /// An event sent straight to the function; it fails or succeeds as a whole.
    Direct(Work),
    /// An SQS batch, answered with the ids of the messages to deliver again.
    Sqs(Vec<Delivery>),
}

/// One SQS message.
#[derive(Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The id that a partial batch response names.
    pub message_id: MessageId,
    /// A body that could not be understood fails its own message and no other.
    pub work: Result<Work, TriggerError>,
}

/// The objects a delivery names, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Objects to read.
    pub objects: Vec<ObjectRef>,
    /// Notifications that ask for nothing: test events, and events other than `ObjectCreated`.
    pub ignored: u64,
}

/// An SQS message id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub String);

/// Where an object is. The key is decoded, as the S3 API takes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Bucket name.
    pub bucket: String,
    /// Object key.
    pub key: String,
    /// Set for versioned buckets: the version that the notification spoke of.
    pub version_id: Option<String>,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// A payload that was not understood. Redelivering it will not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TriggerError {
    /// Not JSON at all.
    #[error("the payload is not JSON: {0}")]
    NotJson(String),
    /// JSON of no known shape.
    #[error("unknown payload: saw {seen}; understood are {UNDERSTOOD}")]
    Unknown {
        /// The shape that was seen, in words.
        seen: String,
    },
    /// The shape is known, but a part of it is missing or wrong.
    #[error("{what} that can't be read: {why}")]
    Malformed {
        /// The kind of payload.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

const UNDERSTOOD: &str = "an S3 event notification (`Records[].s3`), an SQS batch of such notifications (`Records[].body`), and `s3:TestEvent`";

impl Trigger {
    /// Reads an invocation payload.
    ///
    /// ```
    /// use trailhound::trigger::Trigger;
    ///
    /// let error = Trigger::parse(r#"{"routeKey": "GET /"}"#).unwrap_err();
    /// assert!(error.to_string().starts_with("unknown payload: saw an object with `routeKey`"));
    /// ```
    ///
    /// # Errors
    /// When the payload as a whole is not understood. A bad message inside an SQS batch is that message's error.
    pub fn parse(payload: &str) -> Result<Self, TriggerError> {
        let payload = json(payload)?;
        match source(&payload) {
            Some("aws:sqs") => sqs::deliveries(payload).map(Self::Sqs),
            _ => notification(payload).map(Self::Direct),
        }
    }
}

/// Reads what asks for objects: the whole payload of a direct invocation, or the body of a message.
fn notification(payload: Value) -> Result<Work, TriggerError> {
    if source(&payload) == Some("aws:s3") {
        return s3::work(payload);
    }
    if payload.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        // S3 sends one when a notification is set up. Failing it would page somebody on day one.
        return Ok(Work { objects: Vec::new(), ignored: 1 });
    }
    Err(TriggerError::Unknown { seen: shape(&payload) })
}

fn json(text: &str) -> Result<Value, TriggerError> {
    serde_json::from_str(text).map_err(|error| TriggerError::NotJson(error.to_string()))
}

fn source(payload: &Value) -> Option<&str> {
    payload.get("Records")?.get(0)?.get("eventSource")?.as_str()
}

/// Describes a value by its shape, never by its contents.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "an empty object".to_owned(),
        Value::Object(members) => {
            let names: Vec<String> = members.keys().take(8).map(|name| format!("`{}`", cut(name))).collect();
            let more = if members.len() > names.len() { ", …" } else { "" };
            let source = source(value).map(|source| format!(" from `{}`", cut(source))).unwrap_or_default();
            format!("an object with {}{more}{source}", names.join(", "))
        }
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::String(_) => "a string".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Null => "null".to_owned(),
    }
}

fn cut(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_payload_is_named_by_its_shape() {
        let seen = |payload: &str| Trigger::parse(payload).unwrap_err().to_string();
        assert!(seen("[1, 2]").contains("saw an array of 2"));
        assert!(seen("{}").contains("saw an empty object"));
        assert!(
            seen(r#"{"Records":[{"eventSource":"aws:kinesis"}]}"#)
                .contains("an object with `Records` from `aws:kinesis`")
        );
        assert!(seen("{").starts_with("the payload is not JSON"));
    }

    #[test]
    fn a_test_event_asks_for_nothing() {
        let trigger = Trigger::parse(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#).unwrap();
        assert_eq!(trigger, Trigger::Direct(Work { objects: vec![], ignored: 1 }));
    }
}
