//! What SNS wraps: straight to Lambda, or as the body of an SQS message without raw delivery.
//!
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Allowed, TriggerError, Work, read, work as inner};

const WHAT: &str = "an SNS notification";

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "Sns")]
    sns: Envelope,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    r#type: Option<String>,
    topic_arn: Option<String>,
    message: Option<String>,
}

/// Reads notifications sent straight to the function.
pub(super) fn work(records: &[&RawValue], allowed: Allowed<'_>) -> Result<Work, TriggerError> {
    records.iter().try_fold(Work::default(), |all, record| {
        let Record { sns } = read(WHAT, record.get())?;
        Ok(all.and(unwrapped(sns, allowed)?))
    })
}

/// Reads the body of an SQS message.
pub(super) fn enveloped(text: &str, allowed: Allowed<'_>) -> Result<Work, TriggerError> {
    unwrapped(read(WHAT, text)?, allowed)
}

fn unwrapped(envelope: Envelope, allowed: Allowed<'_>) -> Result<Work, TriggerError> {
    match envelope.r#type.as_deref() {
        // Until somebody agrees, and once somebody has ended it, nothing comes this way: that must not look like a quiet day.
        Some("SubscriptionConfirmation") => {
            Err(TriggerError::Unconfirmed { topic: envelope.topic_arn.unwrap_or_default() })
        }
        Some("UnsubscribeConfirmation") => {
            Err(TriggerError::Unsubscribed { topic: envelope.topic_arn.unwrap_or_default() })
        }
        _ => {
            let missing = || TriggerError::Malformed { what: WHAT, why: "no `Message`".to_owned() };
            inner(&envelope.message.ok_or_else(missing)?, allowed)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Trigger, tests::direct};

    #[test]
    fn what_is_wrapped_is_read() {
        let message = json!({"s3Bucket": "b", "s3ObjectKey": ["k"]}).to_string();
        let envelope =
            json!({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:t", "Message": message});
        let record = json!({"EventVersion": "1.0", "EventSource": "aws:sns", "Sns": envelope});
        for payload in [envelope, json!({"Records": [record]})] {
            assert_eq!(direct(&payload).objects[0].to_string(), "s3://b/k");
        }
    }

    #[test]
    fn a_topic_that_waits_for_consent_is_named() {
        let topic = "arn:aws:sns:eu-west-1:111122223333:t";
        let parsed = |kind: &str| Trigger::parse(&json!({"Type": kind, "TopicArn": topic, "Token": "t"}).to_string());
        let error = parsed("SubscriptionConfirmation").unwrap_err().to_string();
        assert!(error.starts_with("the topic arn:aws:sns:eu-west-1:111122223333:t waits"), "{error}");
        let error = parsed("UnsubscribeConfirmation").unwrap_err().to_string();
        assert!(
            error.starts_with("somebody has ended the subscription to arn:aws:sns:eu-west-1:111122223333:t"),
            "{error}"
        );
        let error = parsed("Notification").unwrap_err();
        assert_eq!(error.to_string(), "an SNS notification that can't be read: no `Message`");
    }
}
