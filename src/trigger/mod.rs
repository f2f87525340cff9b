//! Turns an invocation payload into work: objects to read, and records that are there already.
//!
//! In: the JSON text that Lambda hands to the function. Out: a [`Trigger`]: for each delivery what it asks for, or why it
//! could not be understood. Knows nothing of what objects hold.
//!
//! A delivery is what succeeds or fails as a whole: one SQS message, one Kinesis record, or the one event of a direct
//! invocation. What it is, is told by its shape alone, however it came: a message of SQS may hold whatever may also come
//! straight to the function.

mod backfill;
mod cloudtrail_sns;
mod error;
mod eventbridge;
mod kinesis;
mod logs;
mod room;
mod s3;
mod shape;
mod sns;
mod sqs;
mod tick;

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub use error::TriggerError;
use room::{Allowed, MAX_OTHER, Room};
use shape::shape;

/// What one invocation brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Trigger {
    /// An event sent straight to the function; it fails or succeeds as a whole.
    Direct(Work),
    /// A batch of SQS or Kinesis, answered with the ids of what has to be delivered again.
    Batch(Vec<Delivery>),
}

/// One message of a batch.
#[derive(Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The id that a partial batch response names.
    pub message_id: MessageId,
    /// How often it has been delivered, this time included; `None` where nobody counts.
    pub attempt: Option<u32>,
    /// What can't be understood fails its own message and no other.
    pub work: Result<Work, Rejected>,
}

/// What a delivery asks for, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Objects to read.
    pub objects: Vec<ObjectRef>,
    /// Places whose objects are to be read.
    pub prefixes: Vec<Prefix>,
    /// Records that came by themselves, without a file.
    pub records: Vec<Inline>,
    /// Somebody names what was there before.
    pub is_history: bool,
    /// Notifications that ask for nothing: test events, probes, events other than that an object was created.
    pub ignored: u64,
}

/// Records that came without a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    /// Where they come from, for people.
    pub origin: String,
    /// Each as it was written.
    pub records: Vec<String>,
}

/// Objects whose keys begin alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    /// Bucket name.
    pub bucket: String,
    /// What the keys begin with.
    pub prefix: String,
    /// Only keys that come after this one.
    pub after: Option<String>,
}

/// A delivery that can't be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub error: TriggerError,
    /// What came, as it came.
    pub payload: String,
}

/// The id of an SQS message, or the sequence number of a Kinesis record.
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

/// Takes `s3://BUCKET/KEY` apart, or `s3://BUCKET/PREFIX`; the key may be empty, the bucket may not.
///
/// ```
/// use trailhound::trigger::s3_url;
///
/// assert_eq!(s3_url("s3://trail-logs/AWSLogs/"), Some(("trail-logs", "AWSLogs/")));
/// assert_eq!(s3_url("s3:///AWSLogs/"), None);
/// ```
#[must_use]
pub fn s3_url(url: &str) -> Option<(&str, &str)> {
    let place = url.strip_prefix("s3://")?;
    Some(place.split_once('/').unwrap_or((place, ""))).filter(|(bucket, _)| !bucket.is_empty())
}

impl Prefix {
    /// The payload that asks for it.
    #[must_use]
    pub fn payload(&self) -> Value {
        match &self.after {
            None => json!({"prefix": self.to_string()}),
            Some(after) => json!({"prefix": self.to_string(), "after": after}),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

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
    /// When the payload as a whole is not understood. A bad message inside a batch is that message's error.
    pub fn parse(payload: &str) -> Result<Self, TriggerError> {
        match source(payload).as_deref() {
            Some("aws:sqs") => sqs::deliveries(payload).map(Self::Batch),
            Some("aws:kinesis") => kinesis::deliveries(payload).map(Self::Batch),
            _ => Room::default().open(|allowed| work(payload, allowed)).map(Self::Direct),
        }
    }
}

/// The members of an object as they were written.
type Members<'p> = HashMap<String, &'p RawValue>;

/// Reads what asks for work: the whole payload of a direct invocation, or the body of a message.
fn work(text: &str, allowed: Allowed<'_>) -> Result<Work, TriggerError> {
    if text.trim() == cloudtrail_sns::VALIDATION {
        return Ok(Work::nothing());
    }
    let unknown = || TriggerError::Unknown { seen: shape(text) };
    let allowed = allowed.deeper().ok_or_else(unknown)?;
    let Ok(members) = serde_json::from_str::<Members<'_>>(text) else {
        return Err(parsed::<&RawValue>(text).err().unwrap_or_else(unknown));
    };
    let has = |name: &str| members.contains_key(name);
    let is_message_of_logs = has("messageType") && has("logEvents");
    if text.len() > MAX_OTHER && !is_message_of_logs {
        return Err(TriggerError::Malformed {
            what: "a payload",
            why: format!("it has more than {MAX_OTHER} bytes once it is unpacked"),
        });
    }
    if let Some(records) = members.get("Records") {
        many(records.get(), allowed)?.ok_or_else(unknown)
    } else if has("awslogs") {
        logs::subscribed(text, allowed)
    } else if is_message_of_logs {
        logs::message(text)
    } else if member(&members, "Event").as_deref() == Some("s3:TestEvent") {
        // S3 sends one when a notification is set up. Failing it would page somebody on day one.
        Ok(Work::nothing())
    } else if has("requestContext") && has("requestPayload") {
        // What Lambda's destination holds of an invocation that failed: redriven, it is done again.
        members.get("requestPayload").map_or_else(|| Err(unknown()), |payload| work(payload.get(), allowed))
    } else if has("TopicArn") && has("Type") {
        sns::enveloped(text, allowed)
    } else if has("s3Bucket") {
        cloudtrail_sns::work(text)
    } else if has("detail-type") {
        eventbridge::work(text)?.ok_or_else(unknown)
    } else if has("trailhound") {
        tick::work(text)
    } else if has("objects") || has("prefix") {
        backfill::listed(text)
    } else if has("Items") {
        backfill::batch(text)
    } else if is_record(&members) {
        Ok(Work::inline("the payload", vec![text.to_owned()]))
    } else {
        Err(unknown())
    }
}

/// Reads what stands in `Records`: notifications of S3, of SNS, or CloudTrail's own records, as in a log file.
fn many(records: &str, allowed: Allowed<'_>) -> Result<Option<Work>, TriggerError> {
    let Ok(records) = serde_json::from_str::<Vec<&RawValue>>(records) else { return Ok(None) };
    let Some(first) = records.first() else { return Ok(Some(Work::nothing())) };
    let Ok(members) = serde_json::from_str::<Members<'_>>(first.get()) else { return Ok(None) };
    match event_source(&members).as_deref() {
        Some("aws:s3") => s3::work(&records).map(Some),
        Some("aws:sns") => sns::work(&records, allowed).map(Some),
        Some(source) if source.starts_with("aws:") => Ok(None),
        _ if is_record(&members) => {
            let records = records.into_iter().map(|record| record.get().to_owned()).collect();
            Ok(Some(Work::inline("the payload", records)))
        }
        _ => Ok(None),
    }
}

/// Tells a record of CloudTrail from other objects.
fn is_record(members: &Members<'_>) -> bool {
    let has = |name: &str| members.contains_key(name);
    has("eventVersion") && (has("eventName") || has("eventCategory") || has("eventType"))
}

/// Where the first of several records comes from: `aws:sqs` and the like.
fn source(payload: &str) -> Option<String> {
    let payload: Members<'_> = serde_json::from_str(payload).ok()?;
    let records: Vec<&RawValue> = serde_json::from_str(payload.get("Records")?.get()).ok()?;
    event_source(&serde_json::from_str(records.first()?.get()).ok()?)
}

/// SNS writes it with a capital.
fn event_source(members: &Members<'_>) -> Option<String> {
    member(members, "eventSource").or_else(|| member(members, "EventSource"))
}

fn member(members: &Members<'_>, name: &str) -> Option<String> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

fn parsed<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, TriggerError> {
    serde_json::from_str(text).map_err(|error| TriggerError::NotJson(error.to_string()))
}

/// Reads a payload of a shape that was recognised.
fn read<'t, T: Deserialize<'t>>(what: &'static str, text: &'t str) -> Result<T, TriggerError> {
    serde_json::from_str(text).map_err(|error| TriggerError::Malformed { what, why: error.to_string() })
}

/// Reads a batch.
fn read_batch<'t, T: Deserialize<'t>>(what: &'static str, text: &'t str) -> Result<T, TriggerError> {
    serde_json::from_str(text).map_err(|error| TriggerError::Batch { what, why: error.to_string() })
}

impl Work {
    /// What was understood, and asks for nothing.
    fn nothing() -> Self {
        Self { ignored: 1, ..Self::default() }
    }

    fn object(object: ObjectRef) -> Self {
        Self { objects: vec![object], ..Self::default() }
    }

    fn inline(origin: impl Into<String>, records: Vec<String>) -> Self {
        Self { records: vec![Inline { origin: origin.into(), records }], ..Self::default() }
    }

    fn and(mut self, other: Self) -> Self {
        self.objects.extend(other.objects);
        self.prefixes.extend(other.prefixes);
        self.records.extend(other.records);
        self.is_history |= other.is_history;
        self.ignored += other.ignored;
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(super) fn direct(payload: &serde_json::Value) -> Work {
        match Trigger::parse(&payload.to_string()) {
            Ok(Trigger::Direct(work)) => work,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_unknown_payload_is_named_by_its_shape() {
        let seen = |payload: &str| Trigger::parse(payload).unwrap_err().to_string();
        assert!(seen("[1, 2]").contains("saw an array of 2"));
        assert!(seen("{}").contains("saw an empty object"));
        assert!(seen(r#"{"Records":[{"eventSource":"aws:ses"}]}"#).contains("an object with `Records` from `aws:ses`"));
        assert!(seen("{").starts_with("the payload is not JSON"));
        assert!(seen("hello").starts_with("the payload is not JSON"));
    }

    #[test]
    fn what_asks_for_nothing_is_understood() {
        for payload in [
            r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#,
            " CloudTrail validation message.\n",
            r#"{"Records":[]}"#,
        ] {
            assert_eq!(Trigger::parse(payload), Ok(Trigger::Direct(Work::nothing())), "{payload}");
        }
    }

    #[test]
    fn records_may_come_as_in_a_log_file_or_alone() {
        let record = r#"{"eventVersion": "1.11", "eventName":"StopLogging", "n": 1.0}"#;
        for payload in [record.to_owned(), format!(r#"{{"Records":[{record}]}}"#)] {
            let Ok(Trigger::Direct(work)) = Trigger::parse(&payload) else { panic!("{payload}") };
            assert_eq!(work.records[0].records, [record], "as it was written");
        }
    }

    #[test]
    fn an_invocation_that_failed_is_done_again() {
        let payload = json!({"objects": ["s3://b/k"]});
        let failed = json!({"version": "1.0", "requestContext": {"condition": "RetriesExhausted"}, "requestPayload": payload,
            "responseContext": {"statusCode": 200}, "responsePayload": {"errorMessage": "m"}});
        assert_eq!(direct(&failed), direct(&payload));
    }

    #[test]
    fn envelopes_end_somewhere() {
        let mut payload = json!({"Event": "s3:TestEvent"}).to_string();
        for depth in 0..10 {
            let result = Room::default().open(|allowed| work(&payload, allowed));
            assert_eq!(result.is_ok(), depth < room::MAX_DEPTH.into(), "{depth}: {result:?}");
            payload = json!({"Type": "Notification", "TopicArn": "arn", "Message": payload}).to_string();
        }
    }
}
