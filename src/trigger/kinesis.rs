//! Batches of Kinesis Data Streams: what CloudWatch Logs or EventBridge sends through them.
//!
//! Lambda goes on behind the first record that failed, so those after it come again: they are known by then.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>

use serde::Deserialize;

use super::{Delivery, MessageId, Rejected, Room, TriggerError, logs, read_batch, work};

const WHAT: &str = "a Kinesis batch";
const RECORD: &str = "a Kinesis record";

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    kinesis: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "sequenceNumber")]
    sequence_number: String,
    data: String,
}

pub(super) fn deliveries(payload: &str) -> Result<Vec<Delivery>, TriggerError> {
    let Batch { records } = read_batch(WHAT, payload)?;
    let mut room = Room::default();
    Ok(records.into_iter().map(|record| delivery(record, &mut room)).collect())
}

fn delivery(Record { kinesis: Data { sequence_number, data } }: Record, room: &mut Room) -> Delivery {
    let opened = room.open(|allowed| {
        let text = logs::decoded(RECORD, &data, allowed)?;
        Ok(work(&text, allowed).map_err(|error| Rejected { error, payload: text }))
    });
    let work = opened.unwrap_or_else(|error| Err(Rejected { error, payload: data }));
    Delivery { message_id: MessageId(sequence_number), attempt: None, work }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use serde_json::{Value, json};

    use super::super::{Trigger, Work};
    use super::*;

    fn record(number: &str, data: &str) -> Value {
        json!({"kinesis": {"partitionKey": "p", "sequenceNumber": number, "data": data}, "eventSource": "aws:kinesis"})
    }

    #[test]
    fn each_record_is_a_delivery() {
        let probe = BASE64_STANDARD.encode(r#"{"messageType":"CONTROL_MESSAGE","logEvents":[]}"#);
        let batch =
            json!({"Records": [record("1", &probe), record("2", "%"), record("3", &BASE64_STANDARD.encode("x"))]});
        let Trigger::Batch(deliveries) = Trigger::parse(&batch.to_string()).unwrap() else { panic!("no batch") };
        assert_eq!(deliveries[0].work, Ok(Work::nothing()));
        let payloads: Vec<&str> =
            deliveries[1..].iter().map(|it| it.work.as_ref().unwrap_err().payload.as_str()).collect();
        assert_eq!(payloads, ["%", "x"]);
        assert_eq!(deliveries[2].message_id, MessageId("3".into()));
    }
}
