//! Objects that somebody names: `{"objects": ["s3://BUCKET/KEY"]}`, `{"prefix": "s3://BUCKET/PREFIX"}`, and the batches of a
//! distributed map of Step Functions.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html>

use serde::Deserialize;

use super::room::Objects;
use super::s3::{decode, object_ref};
use super::{ObjectRef, Prefix, TriggerError, Work, read, s3_url};

const WHAT: &str = "a list of objects";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)] // a misspelt `after` would begin anew each time
struct Listed {
    #[serde(default)]
    objects: Objects<Item>,
    prefix: Option<String>,
    after: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    items: Objects<Item>,
    batch_input: Option<Shared>,
}

/// What the items of a batch have in common.
#[derive(Deserialize)]
struct Shared {
    bucket: Option<String>,
}

/// As people write one, as `ItemSelector` may put it, as S3 lists it, or as an inventory has it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "an object is `s3://BUCKET/KEY`, or has a `key` and, unless all share one, a `bucket`")]
enum Item {
    Url(String),
    Inventoried {
        #[serde(rename = "Bucket")]
        bucket: String,
        #[serde(rename = "Key")]
        key: String,
    },
    Object {
        bucket: Option<String>,
        #[serde(alias = "Key")]
        key: String,
        #[serde(rename = "versionId")]
        version_id: Option<String>,
    },
}

/// Reads what somebody wrote.
pub(super) fn listed(text: &str) -> Result<Work, TriggerError> {
    let Listed { objects, prefix, after } = read(WHAT, text)?;
    if after.is_some() && prefix.is_none() {
        return Err(malformed("`after` belongs to a `prefix`, and there is none"));
    }
    if prefix.is_some() && !objects.0.is_empty() {
        return Err(malformed(
            "`objects` and a `prefix` are two payloads: an object that fails is an error, a prefix goes on behind it",
        ));
    }
    let objects = objects.0.into_iter().map(|item| object(item, None)).collect::<Result<_, _>>()?;
    let prefix = prefix.map(|url| {
        let (bucket, prefix) = place(&url)?;
        Ok(Prefix { bucket, prefix, after })
    });
    Ok(Work { objects, prefixes: prefix.transpose()?.into_iter().collect(), is_history: true, ..Work::default() })
}

/// Reads what Step Functions hands on.
pub(super) fn batch(text: &str) -> Result<Work, TriggerError> {
    let Batch { items, batch_input } = read(WHAT, text)?;
    let shared = batch_input.and_then(|shared| shared.bucket);
    let objects = items.0.into_iter().map(|item| object(item, shared.as_ref())).collect::<Result<_, _>>()?;
    Ok(Work { objects, is_history: true, ..Work::default() })
}

fn object(item: Item, shared: Option<&String>) -> Result<ObjectRef, TriggerError> {
    let as_it_is = |key: &str| Ok(key.to_owned());
    match item {
        Item::Url(url) => {
            let (bucket, key) = place(&url)?;
            if key.is_empty() || key.ends_with('/') {
                return Err(malformed(format!("`{url}` is no object; to read what is below it, write it as `prefix`")));
            }
            Ok(ObjectRef { bucket, key, version_id: None })
        }
        // An inventory is the one list that writes keys form-encoded.
        Item::Inventoried { bucket, key } => object_ref(WHAT, Some(bucket), Some(key), None, decode),
        Item::Object { bucket, key, version_id } => {
            object_ref(WHAT, bucket.or_else(|| shared.cloned()), Some(key), version_id, as_it_is)
        }
    }
}

fn place(url: &str) -> Result<(String, String), TriggerError> {
    let (bucket, key) = s3_url(url).ok_or_else(|| malformed(format!("`{url}` is not written `s3://BUCKET/KEY`")))?;
    Ok((bucket.to_owned(), key.to_owned()))
}

fn malformed(why: impl Into<String>) -> TriggerError {
    TriggerError::Malformed { what: WHAT, why: why.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Trigger, tests::direct};

    fn objects(payload: &Value) -> Vec<String> {
        direct(payload).objects.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn objects_are_named_in_any_of_four_ways() {
        assert_eq!(
            objects(&json!({"objects": ["s3://b/a+b", {"bucket": "b", "key": "c"}]})),
            ["s3://b/a+b", "s3://b/c"]
        );
        let batch = json!({"BatchInput": {"bucket": "b", "mode": "backfill"}, "Items": [
            {"Etag": "e", "Key": "a+b", "LastModified": 1, "Size": 1, "StorageClass": "STANDARD"},
            {"Bucket": "inventoried", "Key": "a+b", "Size": "1"}, {"bucket": "other", "key": "k", "size": 3}, "s3://b/k"]});
        assert_eq!(objects(&batch), ["s3://b/a+b", "s3://inventoried/a b", "s3://other/k", "s3://b/k"]);
    }

    #[test]
    fn a_prefix_goes_on_after_a_key() {
        let work = direct(&json!({"prefix": "s3://b/AWSLogs/", "after": "AWSLogs/k"}));
        assert_eq!(
            (work.prefixes[0].to_string(), work.prefixes[0].after.as_deref()),
            ("s3://b/AWSLogs/".into(), Some("AWSLogs/k"))
        );
        assert_eq!(direct(&json!({"prefix": "s3://b"})).prefixes[0].prefix, "");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (payload, why) in [
            (json!({"objects": ["b/k"]}), "`b/k` is not written `s3://BUCKET/KEY`"),
            (json!({"objects": ["s3://b/k/"]}), "to read what is below it, write it as `prefix`"),
            (json!({"objects": [], "after": "k"}), "`after` belongs to a `prefix`"),
            (json!({"prefix": "s3://b", "from": "k"}), "unknown field `from`"),
            (json!({"prefix": "s3://b", "objects": ["s3://b/k"]}), "are two payloads"),
            (json!({"Items": [{"Key": "k"}]}), "no bucket name"),
            (json!({"objects": [{"name": "k"}]}), "an object is `s3://BUCKET/KEY`, or has a `key`"),
        ] {
            let error = Trigger::parse(&payload.to_string()).unwrap_err().to_string();
            assert!(error.starts_with("a list of objects that can't be read") && error.contains(why), "{error}");
        }
    }
}
