//! A digest file: which log files were delivered in an hour, and what the digest before it was.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>

use std::fmt;

use jiff::Timestamp;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::hash::Hash;

/// What a digest file says. Members that CloudTrail adds in future are left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// When the time began that it covers.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// The end as it is written, which is signed.
    pub end_text: String,
    /// Where it was written to.
    pub bucket: String,
    /// Under which key.
    pub key: String,
    /// Names the public key that it is signed with.
    pub fingerprint: String,
    /// The digest before it, unless this one starts a chain.
    pub previous: Option<Previous>,
    /// The signature of the digest before it, as it is written.
    pub previous_signature: Option<String>,
    /// The log files, in its order.
    pub files: Vec<LogFile>,
}

/// What a digest says of the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// Where it is.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// What it held. `None` when it was hashed in a way that isn't known here.
    pub hash: Option<Hash>,
}

/// A log file that a digest lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Where it is.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// What it held. `None` when it was hashed in a way that isn't known here.
    pub hash: Option<Hash>,
}

/// A digest file that can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// No JSON, or members of another type.
    #[error("its JSON is broken: {0}")]
    Json(String),
    /// A member that it has to have.
    #[error("it has no `{0}`")]
    Missing(String),
    /// A member that can't be read.
    #[error("its `{member}` is not {expected}")]
    Malformed {
        /// Which.
        member: String,
        /// What it should be.
        expected: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    digest_start_time: Option<String>,
    digest_end_time: Option<String>,
    #[serde(rename = "digestS3Bucket")]
    bucket: Option<String>,
    #[serde(rename = "digestS3Object")]
    key: Option<String>,
    digest_public_key_fingerprint: Option<String>,
    #[serde(rename = "previousDigestS3Bucket")]
    previous_bucket: Option<String>,
    #[serde(rename = "previousDigestS3Object")]
    previous_key: Option<String>,
    previous_digest_hash_value: Option<String>,
    previous_digest_hash_algorithm: Option<String>,
    previous_digest_signature: Option<String>,
    #[serde(default, deserialize_with = "listed")]
    log_files: Option<Vec<File>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(rename = "s3Bucket")]
    bucket: Option<String>,
    #[serde(rename = "s3Object")]
    key: Option<String>,
    hash_value: Option<String>,
    hash_algorithm: Option<String>,
}

/// Log files of an hour, at the most: it is held in memory before anything proves that CloudTrail wrote it.
const MAX_FILES: usize = 20_000;

/// Ends where there are too many.
fn listed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<File>>, D::Error> {
    struct Files;
    impl<'de> Visitor<'de> for Files {
        type Value = Option<Vec<File>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of log files")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut files = Vec::new();
            while let Some(file) = items.next_element()? {
                if files.len() == MAX_FILES {
                    return Err(A::Error::custom(format!("it lists more than {MAX_FILES} log files")));
                }
                files.push(file);
            }
            Ok(Some(files))
        }
    }
    deserializer.deserialize_any(Files)
}

impl Digest {
    /// Reads a digest file's bytes, inflated.
    ///
    /// # Errors
    /// When it is no JSON, or lacks what can't be done without; the error names it.
    pub fn parse(raw: &[u8]) -> Result<Self, DigestError> {
        let document: Document = serde_json::from_slice(raw).map_err(|error| DigestError::Json(error.to_string()))?;
        let end_text = required(document.digest_end_time, "digestEndTime")?;
        let start_text = required(document.digest_start_time, "digestStartTime")?;
        let files = required(document.log_files, "logFiles")?;
        Ok(Self {
            start: time(&start_text, "digestStartTime")?,
            end: time(&end_text, "digestEndTime")?,
            end_text,
            bucket: required(document.bucket, "digestS3Bucket")?,
            key: required(document.key, "digestS3Object")?,
            fingerprint: required(document.digest_public_key_fingerprint, "digestPublicKeyFingerprint")?,
            previous: match document.previous_key {
                None => None,
                Some(key) => Some(Previous {
                    bucket: required(document.previous_bucket, "previousDigestS3Bucket")?,
                    key,
                    hash: hash(
                        &required(document.previous_digest_hash_value, "previousDigestHashValue")?,
                        document.previous_digest_hash_algorithm.as_deref(),
                        || "previousDigestHashValue".to_owned(),
                    )?,
                }),
            },
            previous_signature: document.previous_digest_signature,
            files: files.into_iter().enumerate().map(LogFile::of).collect::<Result<_, _>>()?,
        })
    }
}

impl LogFile {
    fn of((index, file): (usize, File)) -> Result<Self, DigestError> {
        let name = |member: &str| format!("logFiles[{index}].{member}");
        let value = required(file.hash_value, &name("hashValue"))?;
        Ok(Self {
            bucket: required(file.bucket, &name("s3Bucket"))?,
            key: required(file.key, &name("s3Object"))?,
            hash: hash(&value, file.hash_algorithm.as_deref(), || name("hashValue"))?,
        })
    }
}

fn required<T>(member: Option<T>, name: &str) -> Result<T, DigestError> {
    member.ok_or_else(|| DigestError::Missing(name.to_owned()))
}

fn time(text: &str, name: &str) -> Result<Timestamp, DigestError> {
    text.parse().map_err(|_| DigestError::Malformed { member: name.to_owned(), expected: "a time" })
}

/// `None` for an algorithm that isn't known: then the value may have any form.
fn hash(value: &str, algorithm: Option<&str>, name: impl FnOnce() -> String) -> Result<Option<Hash>, DigestError> {
    if algorithm.is_some_and(|algorithm| algorithm != "SHA-256") {
        return Ok(None);
    }
    let malformed = || DigestError::Malformed { member: name(), expected: "a SHA-256 hash" };
    Hash::parse(value).ok_or_else(malformed).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document() -> Value {
        json!({
            "awsAccountId": "111122223333", "digestStartTime": "2026-01-17T14:01:31Z", "digestEndTime": "2026-01-17T15:01:31Z",
            "digestS3Bucket": "b", "digestS3Object": "k", "digestPublicKeyFingerprint": "31e8",
            "digestSignatureAlgorithm": "SHA256withRSA", "newestEventTime": null, "oldestEventTime": null,
            "previousDigestS3Bucket": "b", "previousDigestS3Object": "p", "previousDigestHashValue": Hash::of(b"").to_string(),
            "previousDigestHashAlgorithm": "SHA-256", "previousDigestSignature": "5088", "ofTheFuture": {"a": [1]},
            "logFiles": [{"s3Bucket": "b", "s3Object": "f", "hashValue": Hash::of(b"x").to_string(), "hashAlgorithm": "SHA-256"}],
        })
    }

    fn parse(document: &Value) -> Result<Digest, String> {
        Digest::parse(document.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_needed_is_named_when_it_is_missing_and_nothing_else_is_asked_for() {
        let digest = parse(&document()).unwrap();
        assert_eq!((digest.files.len(), digest.previous.unwrap().key.as_str()), (1, "p"));
        for member in [
            "awsAccountId",
            "digestSignatureAlgorithm",
            "newestEventTime",
            "ofTheFuture",
            "previousDigestHashAlgorithm",
        ] {
            let mut less = document();
            less.as_object_mut().unwrap().remove(member);
            assert!(parse(&less).is_ok(), "{member}");
        }
        for member in [
            "digestStartTime",
            "digestEndTime",
            "digestS3Bucket",
            "digestS3Object",
            "digestPublicKeyFingerprint",
            "logFiles",
            "previousDigestS3Bucket",
            "previousDigestHashValue",
        ] {
            let mut less = document();
            less[member] = Value::Null;
            assert_eq!(parse(&less), Err(format!("it has no `{member}`")));
        }
    }

    #[test]
    fn what_starts_a_chain_has_nothing_before_it() {
        let mut start = document();
        for member in ["S3Bucket", "S3Object", "HashValue", "HashAlgorithm", "Signature"] {
            start[format!("previousDigest{member}")] = Value::Null;
        }
        let start = parse(&start).unwrap();
        assert_eq!((start.previous, start.previous_signature), (None, None));
    }

    #[test]
    fn what_is_malformed_is_named() {
        let with = |pointer: &str, value: Value| {
            let mut document = document();
            *document.pointer_mut(pointer).unwrap() = value;
            parse(&document).unwrap_err()
        };
        assert_eq!(with("/digestEndTime", json!("today")), "its `digestEndTime` is not a time");
        assert_eq!(with("/logFiles/0/hashValue", json!("beef")), "its `logFiles[0].hashValue` is not a SHA-256 hash");
        assert_eq!(with("/logFiles/0/s3Object", json!(null)), "it has no `logFiles[0].s3Object`");
        assert!(with("/logFiles", json!("none")).starts_with("its JSON is broken: invalid type"));
        assert!(matches!(Digest::parse(br#"{"digestStartTime":"2026"#), Err(DigestError::Json(_))));
    }

    #[test]
    fn a_hash_of_another_algorithm_is_no_error() {
        let mut other = document();
        other["logFiles"][0]["hashAlgorithm"] = json!("SHA3-512");
        other["logFiles"][0]["hashValue"] = json!("beef");
        assert_eq!(parse(&other).unwrap().files[0].hash, None);
    }
}
