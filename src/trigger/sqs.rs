//! SQS batches, as the event source mapping delivers them.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use serde_json::Value;

use super::{Delivery, MessageId, TriggerError, json, notification};

pub(super) fn deliveries(payload: Value) -> Result<Vec<Delivery>, TriggerError> {
    let event: SqsEvent = serde_json::from_value(payload).map_err(|error| malformed(error.to_string()))?;
    event.records.into_iter().map(delivery).collect()
}

fn delivery(message: SqsMessage) -> Result<Delivery, TriggerError> {
    // Without an id the message cannot be reported, so the whole batch has to fail: an id that SQS did not send would
    // do that too, only silently.
    let message_id =
        message.message_id.filter(|id| !id.is_empty()).ok_or_else(|| malformed("a message has no `messageId`"))?;
    let work = json(message.body.as_deref().unwrap_or_default()).and_then(notification);
    Ok(Delivery { message_id: MessageId(message_id), work })
}

fn malformed(why: impl Into<String>) -> TriggerError {
    TriggerError::Malformed { what: "an SQS batch", why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::super::{Trigger, Work};
    use super::*;

    #[test]
    fn a_bad_message_fails_alone() {
        let batch = serde_json::json!({"Records": [
            {"messageId": "good", "eventSource": "aws:sqs", "body": r#"{"Event":"s3:TestEvent"}"#},
            {"messageId": "bad", "eventSource": "aws:sqs", "body": "hello"},
        ]});
        let Trigger::Sqs(deliveries) = Trigger::parse(&batch.to_string()).unwrap() else { panic!("not SQS") };
        assert_eq!(deliveries[0].work, Ok(Work { objects: vec![], ignored: 1 }));
        assert!(matches!(deliveries[1].work, Err(TriggerError::NotJson(_))));
        assert_eq!(deliveries[1].message_id, MessageId("bad".to_owned()));
    }

    #[test]
    fn a_message_without_an_id_fails_the_batch() {
        let batch = r#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#;
        assert!(Trigger::parse(batch).unwrap_err().to_string().contains("no `messageId`"));
    }
}
