//! S3 event notifications.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ObjectRef, TriggerError, Work, read};

const WHAT: &str = "an S3 event notification";
/// Bytes of a bucket's name; the oldest have so many.
const MAX_BUCKET: usize = 255;
/// Bytes of a key, of which S3 allows 1,024, each written as three.
const MAX_KEY: usize = 3 * 1024;

/// What is read of a notification. Whoever else speaks S3's language leaves much of the rest out.
#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "eventName")]
    event_name: Option<String>,
    s3: Option<Entity>,
}

/// The object that an event is about, as S3 and EventBridge write it.
#[derive(Deserialize)]
pub(super) struct Entity {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Object {
    key: Option<String>,
    #[serde(rename = "versionId", alias = "version-id")]
    version_id: Option<String>,
}

impl Entity {
    /// Names the object; how its key is to be read depends on who wrote it.
    pub(super) fn object(
        self,
        what: &'static str,
        decode: impl Fn(&str) -> Result<String, TriggerError>,
    ) -> Result<ObjectRef, TriggerError> {
        object_ref(what, self.bucket.name, self.object.key, self.object.version_id, decode)
    }
}

/// Lists the objects that were created. Other events (a removal, a tag) are counted as ignored.
pub(super) fn work(records: &[&RawValue]) -> Result<Work, TriggerError> {
    let mut work = Work::default();
    for record in records {
        let Notification { event_name, s3 } = read(WHAT, record.get())?;
        // A copy comes as `ObjectCreated:Copy`, which is how old files are brought in for back-fill.
        // Some stores that speak S3's language put `s3:` in front.
        let created = |name: &str| name.strip_prefix("s3:").unwrap_or(name).starts_with("ObjectCreated:");
        let event_name = event_name.ok_or_else(|| malformed("no `eventName`"))?;
        if created(&event_name) {
            work.objects.push(s3.ok_or_else(|| malformed("no `s3`"))?.object(WHAT, decode)?);
        } else {
            work.ignored += 1;
        }
    }
    Ok(work)
}

/// Names an object, if everything is there.
pub(super) fn object_ref(
    what: &'static str,
    bucket: Option<String>,
    key: Option<String>,
    version_id: Option<String>,
    decode: impl Fn(&str) -> Result<String, TriggerError>,
) -> Result<ObjectRef, TriggerError> {
    let missing = |name: &str| TriggerError::Malformed { what, why: format!("no {name}") };
    let bucket = bucket.filter(|name| !name.is_empty()).ok_or_else(|| missing("bucket name"))?;
    let key = key.filter(|key| !key.is_empty()).ok_or_else(|| missing("object key"))?;
    // A notification of CloudTrail's has many keys and one name of a bucket, which each object is given a copy of.
    let too_long = |name: &str, limit: usize| TriggerError::Malformed {
        what,
        why: format!("the {name} has more than {limit} bytes"),
    };
    if bucket.len() > MAX_BUCKET {
        return Err(too_long("bucket name", MAX_BUCKET));
    }
    if key.len() > MAX_KEY {
        return Err(too_long("object key", MAX_KEY));
    }
    // An unversioned bucket sends no id, an empty one, or the text "null".
    let version_id = version_id.filter(|id| !id.is_empty() && id != "null");
    Ok(ObjectRef { bucket, key: decode(&key)?, version_id })
}

/// S3 sends the key form-encoded (`a+b%3D` is `a b=`): decoded exactly once, here.
pub(super) fn decode(key: &str) -> Result<String, TriggerError> {
    percent_decode_str(&key.replace('+', " "))
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| malformed(format!("the object key `{key}` is not UTF-8 once decoded")))
}

fn malformed(why: impl Into<String>) -> TriggerError {
    TriggerError::Malformed { what: WHAT, why: why.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Trigger;
    use super::*;

    #[test]
    fn keys_are_form_decoded_exactly_once() {
        assert_eq!(decode("a+b%2Bc").unwrap(), "a b+c");
        assert_eq!(decode("a%2525").unwrap(), "a%25");
        assert_eq!(decode("AWSLogs/1/x_y-z.json.gz").unwrap(), "AWSLogs/1/x_y-z.json.gz");
        assert!(decode("%ff").unwrap_err().to_string().contains("not UTF-8"));
    }

    /// Nothing but what is needed is there.
    fn parsed(name: &str, bucket: &Value) -> Result<Trigger, TriggerError> {
        let record =
            json!({"eventSource": "aws:s3", "eventName": name, "s3": {"bucket": bucket, "object": {"key": "k"}}});
        Trigger::parse(&json!({"Records": [record]}).to_string())
    }

    #[test]
    fn a_removal_is_not_an_arrival() {
        let named = json!({"name": "b"});
        assert_eq!(parsed("ObjectRemoved:Delete", &named), Ok(Trigger::Direct(Work::nothing())));
        let object = ObjectRef { bucket: "b".into(), key: "k".into(), version_id: None };
        for name in ["ObjectCreated:Copy", "s3:ObjectCreated:Put"] {
            assert_eq!(parsed(name, &named), Ok(Trigger::Direct(Work::object(object.clone()))));
        }
        let error = parsed("ObjectCreated:Put", &json!({})).unwrap_err();
        assert_eq!(error.to_string(), "an S3 event notification that can't be read: no bucket name");
    }
}
