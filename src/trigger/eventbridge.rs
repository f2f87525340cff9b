//! Events of EventBridge: that an object was created, and single events of CloudTrail.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::s3::Entity;
use super::{TriggerError, Work, read};

const WHAT: &str = "an EventBridge event";

#[derive(Deserialize)]
struct Envelope<'p> {
    #[serde(rename = "detail-type")]
    detail_type: String,
    source: Option<String>,
    id: Option<String>,
    #[serde(borrow)]
    detail: &'p RawValue,
}

/// `None` for events of which nothing is known.
pub(super) fn work(text: &str) -> Result<Option<Work>, TriggerError> {
    let envelope: Envelope<'_> = read(WHAT, text)?;
    let kind = envelope.detail_type.to_ascii_lowercase();
    // "AWS API Call via CloudTrail", "AWS Console Sign In via CloudTrail" (which is also written "Signin"), and whatever kind
    // may come to them.
    if kind.ends_with(" via cloudtrail") {
        // Anybody who may put events can name theirs like this. Sources that begin so are kept for AWS's own.
        if !envelope.source.as_deref().is_some_and(|source| source.starts_with("aws.")) {
            return Err(TriggerError::Forged { from: envelope.source.unwrap_or_default() });
        }
        let origin = format!("EventBridge event {}", envelope.id.as_deref().unwrap_or("without an id"));
        return Ok(Some(Work::inline(origin, vec![envelope.detail.get().to_owned()])));
    }
    if envelope.source.as_deref() != Some("aws.s3") {
        return Ok(None);
    }
    if kind != "object created" {
        return Ok(Some(Work::nothing()));
    }
    // Unlike in S3's own notifications, the key is written as it is.
    let object = read::<Entity>(WHAT, envelope.detail.get())?.object(WHAT, |key| Ok(key.to_owned()))?;
    Ok(Some(Work::object(object)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{ObjectRef, Trigger, tests::direct};
    use super::*;

    #[test]
    fn an_object_is_named_by_its_key_as_it_is() {
        let detail = json!({"bucket": {"name": "b"}, "object": {"key": "a+b%20c", "version-id": "v"}});
        let event = |kind: &str| json!({"source": "aws.s3", "detail-type": kind, "detail": detail});
        let object = ObjectRef { bucket: "b".into(), key: "a+b%20c".into(), version_id: Some("v".into()) };
        assert_eq!(direct(&event("Object Created")), Work::object(object));
        assert_eq!(direct(&event("Object Deleted")), Work::nothing());
    }

    #[test]
    fn a_single_event_is_taken_as_it_was_written() {
        for kind in [
            "AWS API Call via CloudTrail",
            "AWS Console Sign In via CloudTrail",
            "AWS Console Signin via CloudTrail",
            "AWS Service Event via CloudTrail",
            "AWS Insight via CloudTrail",
        ] {
            let detail = r#"{ "eventName" : "StopLogging", "a": 1.0, "A": 2 }"#;
            let payload = format!(r#"{{"id":"1","source":"aws.iam","detail-type":"{kind}","detail":{detail}}}"#);
            let Ok(Trigger::Direct(work)) = Trigger::parse(&payload) else { panic!("{kind}") };
            assert_eq!(
                (work.records[0].origin.as_str(), work.records[0].records.as_slice()),
                ("EventBridge event 1", &[detail.to_owned()][..])
            );
        }
    }

    #[test]
    fn an_event_that_somebody_made_up_is_no_record() {
        for event in [
            json!({"source": "x", "detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": "StopLogging"}}),
            json!({"detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": "StopLogging"}}),
        ] {
            let error = Trigger::parse(&event.to_string()).unwrap_err();
            assert!(matches!(error, TriggerError::Forged { .. }), "{error}");
        }
    }

    #[test]
    fn events_of_others_are_not_understood() {
        let event = json!({"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "detail": {}});
        let error = Trigger::parse(&event.to_string()).unwrap_err().to_string();
        assert!(error.contains("an object with `source`, `detail-type`, `detail` from `aws.ec2`"), "{error}");
    }
}
