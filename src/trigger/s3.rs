//! S3 event notifications.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use aws_lambda_events::event::s3::{S3Event, S3EventRecord};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{ObjectRef, TriggerError, Work};

/// Lists the objects that were created. Other events (a removal, a tag) are counted as ignored.
pub(super) fn work(payload: Value) -> Result<Work, TriggerError> {
    let event: S3Event = serde_json::from_value(payload).map_err(|error| malformed(error.to_string()))?;
    let mut work = Work::default();
    for record in event.records {
        // A copy comes as `ObjectCreated:Copy`, which is how old files are brought in for back-fill.
        // Some stores that speak S3's language put `s3:` in front.
        let created = |name: &str| name.strip_prefix("s3:").unwrap_or(name).starts_with("ObjectCreated:");
        if record.event_name.as_deref().is_some_and(created) {
            work.objects.push(object(record)?);
        } else {
            work.ignored += 1;
        }
    }
    Ok(work)
}

fn object(record: S3EventRecord) -> Result<ObjectRef, TriggerError> {
    let bucket = record.s3.bucket.name.filter(|name| !name.is_empty()).ok_or_else(|| malformed("no bucket name"))?;
    let key = record.s3.object.key.filter(|key| !key.is_empty()).ok_or_else(|| malformed("no object key"))?;
    // An unversioned bucket sends no id, an empty one, or the text "null".
    let version_id = record.s3.object.version_id.filter(|id| !id.is_empty() && id != "null");
    Ok(ObjectRef { bucket, key: decode(&key)?, version_id })
}

/// S3 sends the key form-encoded (`a+b%3D` is `a b=`): decoded exactly once, here.
fn decode(key: &str) -> Result<String, TriggerError> {
    percent_decode_str(&key.replace('+', " "))
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| malformed(format!("the object key `{key}` is not UTF-8 once decoded")))
}

fn malformed(why: impl Into<String>) -> TriggerError {
    TriggerError::Malformed { what: "an S3 event notification", why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_form_decoded_exactly_once() {
        assert_eq!(decode("a+b%2Bc").unwrap(), "a b+c");
        assert_eq!(decode("a%2525").unwrap(), "a%25");
        assert_eq!(decode("AWSLogs/1/x_y-z.json.gz").unwrap(), "AWSLogs/1/x_y-z.json.gz");
        assert!(decode("%ff").unwrap_err().to_string().contains("not UTF-8"));
    }

    #[test]
    fn a_removal_is_not_an_arrival() {
        let record = |name: &str, bucket: Value| {
            serde_json::json!({"Records": [{
                "eventSource": "aws:s3", "eventTime": "2026-01-11T12:50:59.074Z", "eventName": name,
                "userIdentity": {}, "requestParameters": {}, "s3": {"bucket": bucket, "object": {"key": "k"}}}]})
        };
        let named = || serde_json::json!({"name": "b"});
        assert_eq!(work(record("ObjectRemoved:Delete", named())).unwrap(), Work { objects: vec![], ignored: 1 });
        assert_eq!(work(record("ObjectCreated:Copy", named())).unwrap().objects[0].to_string(), "s3://b/k");
        let error = work(record("ObjectCreated:Put", serde_json::json!({}))).unwrap_err();
        assert_eq!(error.to_string(), "an S3 event notification that can't be read: no bucket name");
    }
}
