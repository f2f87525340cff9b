//! SQS batches, as the event source mapping delivers them.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};

use super::{Delivery, MessageId, Rejected, Room, TriggerError, read_batch, work};

const WHAT: &str = "an SQS batch";

pub(super) fn deliveries(payload: &str) -> Result<Vec<Delivery>, TriggerError> {
    let mut room = Room::default();
    let messages = read_batch::<SqsEvent>(WHAT, payload)?.records;
    messages.into_iter().map(|message| delivery(message, &mut room)).collect()
}

fn delivery(message: SqsMessage, room: &mut Room) -> Result<Delivery, TriggerError> {
    // Without an id the message cannot be reported, so the whole batch has to fail: an id that SQS did not send would
    // do that too, only silently.
    let no_id = || TriggerError::Batch { what: WHAT, why: "a message has no `messageId`".to_owned() };
    let message_id = message.message_id.filter(|id| !id.is_empty()).ok_or_else(no_id)?;
    let attempt = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    let payload = message.body.unwrap_or_default();
    let work = room.open(|allowed| work(&payload, allowed)).map_err(|error| Rejected { error, payload });
    Ok(Delivery { message_id: MessageId(message_id), attempt, work })
}

#[cfg(test)]
mod tests {
    use super::super::{Trigger, Work};
    use super::*;

    #[test]
    fn a_bad_message_fails_alone() {
        let batch = serde_json::json!({"Records": [
            {"messageId": "good", "eventSource": "aws:sqs", "body": r#"{"Event":"s3:TestEvent"}"#},
            {"messageId": "bad", "eventSource": "aws:sqs", "body": "hello", "attributes": {"ApproximateReceiveCount": "3"}},
        ]});
        let Trigger::Batch(deliveries) = Trigger::parse(&batch.to_string()).unwrap() else { panic!("no batch") };
        assert_eq!((&deliveries[0].work, deliveries[0].attempt), (&Ok(Work::nothing()), None));
        let Err(Rejected { error: TriggerError::NotJson(_), payload }) = &deliveries[1].work else { panic!() };
        assert_eq!((payload.as_str(), deliveries[1].attempt), ("hello", Some(3)));
        assert_eq!(deliveries[1].message_id, MessageId("bad".to_owned()));
    }

    #[test]
    fn a_message_without_an_id_fails_the_batch() {
        let batch = r#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#;
        assert!(Trigger::parse(batch).unwrap_err().to_string().contains("no `messageId`"));
    }
}
