//! CloudTrail's own notification: the topic that a trail may have.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html>

use serde::Deserialize;

use super::room::Objects;
use super::s3::object_ref;
use super::{TriggerError, Work, read};

/// What CloudTrail publishes when the topic is attached.
pub(super) const VALIDATION: &str = "CloudTrail validation message.";

const WHAT: &str = "a notification of CloudTrail";

#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "s3Bucket")]
    bucket: String,
    #[serde(rename = "s3ObjectKey")]
    keys: Objects<String>,
}

/// Lists the objects. Unlike S3, CloudTrail writes their keys as they are.
pub(super) fn work(text: &str) -> Result<Work, TriggerError> {
    let Notification { bucket, keys } = read(WHAT, text)?;
    let object = |key| object_ref(WHAT, Some(bucket.clone()), Some(key), None, |key| Ok(key.to_owned()));
    Ok(Work { objects: keys.0.into_iter().map(object).collect::<Result<_, _>>()?, ..Work::default() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Trigger, tests::direct};

    #[test]
    fn every_key_is_taken_as_it_is_written() {
        let work = direct(&json!({"s3Bucket": "b", "s3ObjectKey": ["a+b", "c%20d"]}));
        assert_eq!(work.objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["a+b", "c%20d"]);
    }

    #[test]
    fn a_missing_part_is_named() {
        let error = |payload: &str| Trigger::parse(payload).unwrap_err().to_string();
        assert!(
            error(r#"{"s3Bucket":"b"}"#)
                .contains("a notification of CloudTrail that can't be read: missing field `s3ObjectKey`")
        );
        assert!(error(r#"{"s3Bucket":"b","s3ObjectKey":[""]}"#).ends_with("no object key"));
    }
}
