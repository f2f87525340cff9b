//! Subscriptions of CloudWatch Logs: CloudTrail's records, one a log event.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>

use std::io::Read as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::room::{Allowed, MAX_UNPACKED};
use super::{TriggerError, Work, read};

const WHAT: &str = "a message of CloudWatch Logs";

#[derive(Deserialize)]
struct Subscribed {
    awslogs: Data,
}

#[derive(Deserialize)]
struct Data {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(rename = "messageType")]
    kind: String,
    #[serde(default)]
    log_group: String,
    #[serde(default)]
    log_stream: String,
    log_events: Vec<LogEvent>,
}

#[derive(Deserialize)]
struct LogEvent {
    message: String,
}

/// Reads what a subscription sends straight to the function.
pub(super) fn subscribed(text: &str, allowed: Allowed<'_>) -> Result<Work, TriggerError> {
    let Subscribed { awslogs } = read(WHAT, text)?;
    message(&decoded(WHAT, &awslogs.data, allowed)?)
}

/// Reads the message itself. `CONTROL_MESSAGE` asks whether anybody is there.
pub(super) fn message(text: &str) -> Result<Work, TriggerError> {
    let Message { kind, log_group, log_stream, log_events } = read(WHAT, text)?;
    if kind != "DATA_MESSAGE" || log_events.is_empty() {
        return Ok(Work::nothing());
    }
    let records = log_events.into_iter().map(|event| event.message).collect();
    Ok(Work::inline(format!("log group {log_group}, stream {log_stream}"), records))
}

/// Text that was packed for the way: base64, and gzip if it is compressed.
pub(super) fn decoded(what: &'static str, data: &str, allowed: Allowed<'_>) -> Result<String, TriggerError> {
    let malformed = |why: String| TriggerError::Malformed { what, why };
    let bytes =
        BASE64_STANDARD.decode(data.trim()).map_err(|error| malformed(format!("its data is no base64: {error}")))?;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut inflated = Vec::new();
        let left = allowed.bytes.get();
        let read = MultiGzDecoder::new(bytes.as_slice()).take(left as u64 + 1).read_to_end(&mut inflated);
        read.map_err(|error| malformed(format!("its gzip data is damaged: {error}")))?;
        let left = left.checked_sub(inflated.len());
        allowed.bytes.set(left.unwrap_or_default());
        if left.is_none() {
            return Err(malformed(format!("it inflates to more than {MAX_UNPACKED} bytes")));
        }
        inflated
    } else {
        bytes
    };
    String::from_utf8(bytes).map_err(|_| malformed("its data is no UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use serde_json::{Value, json};

    use super::super::{Trigger, tests::direct};
    use super::*;

    pub(crate) fn packed(message: &Value) -> String {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(message.to_string().as_bytes()).unwrap();
        BASE64_STANDARD.encode(encoder.finish().unwrap())
    }

    fn data(messages: &[&str]) -> Value {
        let events: Vec<Value> =
            messages.iter().map(|message| json!({"id": "1", "timestamp": 1, "message": message})).collect();
        json!({"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logStream": "s",
            "subscriptionFilters": ["f"], "logEvents": events})
    }

    #[test]
    fn every_log_event_is_a_record() {
        let message = data(&[r#"{"eventName":"A"}"#, "not json"]);
        let event = json!({"awslogs": {"data": packed(&message), "more": 1}});
        let expected = Work::inline("log group g, stream s", vec![r#"{"eventName":"A"}"#.into(), "not json".into()]);
        assert_eq!(
            (direct(&event), direct(&message)),
            (expected, Work::inline("log group g, stream s", vec![r#"{"eventName":"A"}"#.into(), "not json".into()]))
        );
    }

    #[test]
    fn a_probe_asks_for_nothing() {
        let probe = json!({"messageType": "CONTROL_MESSAGE", "logGroup": "", "logStream": "", "owner": "CloudwatchLogs",
            "subscriptionFilters": [], "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health of destination"}]});
        assert_eq!(direct(&json!({"awslogs": {"data": packed(&probe)}})), Work::nothing());
    }

    #[test]
    fn damage_is_named() {
        let error =
            |data: &str| Trigger::parse(&json!({"awslogs": {"data": data}}).to_string()).unwrap_err().to_string();
        assert!(error("%").contains("a message of CloudWatch Logs that can't be read: its data is no base64"));
        let whole = packed(&data(&["{}"]));
        assert!(error(&whole[..40]).contains("its gzip data is damaged"), "{}", error(&whole[..40]));
        assert!(error(&BASE64_STANDARD.encode(b"hello")).contains("that can't be read: expected value"));
    }
}
