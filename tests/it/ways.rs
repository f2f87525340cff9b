//! Every way in: payloads around an object, or around a record.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::support::{gzip, s3_event, sqs};

/// The bucket of the tests.
const BUCKET: &str = "trail-logs";

/// How something gets to the function.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub(crate) name: &'static str,
    /// Whether single messages are answered.
    pub(crate) is_batch: bool,
    wrap: fn(&str) -> String,
}

impl Way {
    const fn new(name: &'static str, is_batch: bool, wrap: fn(&str) -> String) -> Self {
        Self { name, is_batch, wrap }
    }

    /// The payload; `it` is an object's key, or a record as JSON.
    pub(crate) fn payload(&self, it: &str) -> String {
        (self.wrap)(it)
    }
}

/// Ways in for objects.
pub(crate) const OBJECTS: &[Way] = &[
    Way::new("S3", false, s3_event),
    Way::new("S3, SQS", true, |key| batch(s3_event(key))),
    Way::new("S3, SNS, SQS", true, |key| batch(envelope(&s3_event(key)))),
    Way::new("S3, SNS", false, |key| sns(&s3_event(key))),
    Way::new("CloudTrail, SNS, SQS", true, |key| batch(envelope(&cloudtrail(key)))),
    Way::new("CloudTrail, SNS raw, SQS", true, |key| batch(cloudtrail(key))),
    Way::new("CloudTrail, SNS", false, |key| sns(&cloudtrail(key))),
    Way::new("EventBridge", false, object_created),
    Way::new("EventBridge, SQS", true, |key| batch(object_created(key))),
    Way::new("a list", false, |key| json!({"objects": [format!("s3://{BUCKET}/{key}")]}).to_string()),
    Way::new("a distributed map", false, |key| {
        json!({"BatchInput": {"bucket": BUCKET}, "Items": [{"Key": key}]}).to_string()
    }),
];

/// Ways in for single records.
pub(crate) const RECORDS: &[Way] = &[
    Way::new("event by EventBridge", false, single_event),
    Way::new("event by EventBridge, SQS", true, |record| batch(single_event(record))),
    Way::new("event by EventBridge, Kinesis", true, |record| kinesis(single_event(record).as_bytes())),
    Way::new("CloudWatch Logs", false, |record| {
        json!({"awslogs": {"data": BASE64_STANDARD.encode(gzip(log_events(record).as_bytes()))}}).to_string()
    }),
    Way::new("CloudWatch Logs, Kinesis", true, |record| kinesis(&gzip(log_events(record).as_bytes()))),
    Way::new("a log file as it is", false, |record| format!(r#"{{"Records":[{record}]}}"#)),
];

/// The same envelopes around something that nobody knows.
pub(crate) const STRANGE: &[Way] = &[
    Way::new("direct", false, str::to_owned),
    Way::new("SQS", true, |text| batch(text.to_owned())),
    Way::new("SNS", false, sns),
    Way::new("SNS, SQS", true, |text| batch(envelope(text))),
    Way::new("Kinesis", true, |text| kinesis(text.as_bytes())),
];

fn batch(body: String) -> String {
    sqs(&[body])
}

/// What SNS makes of a message without raw delivery.
fn envelope(message: &str) -> String {
    json!({"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:trail", "Message": message,
        "Timestamp": "2026-11-05T10:05:00.000Z"})
    .to_string()
}

fn sns(message: &str) -> String {
    let envelope: Value = serde_json::from_str(&envelope(message)).unwrap();
    json!({"Records": [{"EventVersion": "1.0", "EventSource": "aws:sns", "Sns": envelope}]}).to_string()
}

fn cloudtrail(key: &str) -> String {
    json!({"s3Bucket": BUCKET, "s3ObjectKey": [key]}).to_string()
}

fn object_created(key: &str) -> String {
    json!({"version": "0", "id": "1", "detail-type": "Object Created", "source": "aws.s3",
        "detail": {"bucket": {"name": BUCKET}, "object": {"key": key, "size": 1}}})
    .to_string()
}

fn single_event(record: &str) -> String {
    format!(
        r#"{{"version":"0","id":"1","detail-type":"AWS API Call via CloudTrail","source":"aws.cloudtrail","detail":{record}}}"#
    )
}

fn log_events(record: &str) -> String {
    json!({"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "trail", "logStream": "s",
        "subscriptionFilters": ["f"], "logEvents": [{"id": "1", "timestamp": 1, "message": record}]})
    .to_string()
}

fn kinesis(data: &[u8]) -> String {
    let data = BASE64_STANDARD.encode(data);
    json!({"Records": [{"kinesis": {"sequenceNumber": "m0", "partitionKey": "p", "data": data}, "eventSource": "aws:kinesis"}]})
        .to_string()
}
