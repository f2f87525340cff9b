//! CloudTrail's public keys in a file: what `aws cloudtrail list-public-keys` prints, once or, for several Regions, one after the
//! other.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::integrity::{KeyWanted, PublicKey};
use crate::ports::{KeysError, PublicKeys};

/// The keys of a file.
#[derive(Debug, Clone, Default)]
pub struct KeyFile {
    keys: Vec<PublicKey>,
}

/// A file of keys that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the public keys in {path}: {why} (expected is what `aws cloudtrail list-public-keys` prints as JSON)", path = path.display())]
pub struct KeyFileError {
    /// Where.
    pub path: PathBuf,
    /// What is wrong.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    public_key_list: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    fingerprint: String,
    value: String,
    validity_start_time: Option<Value>,
    validity_end_time: Option<Value>,
}

impl KeyFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it can't be read, or a key in it can't be understood.
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        let error = |why: String| KeyFileError { path: path.to_owned(), why };
        let text = std::fs::read_to_string(path).map_err(|why| error(why.to_string()))?;
        Self::parse(&text).map_err(error)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut keys = Vec::new();
        for document in serde_json::Deserializer::from_str(text).into_iter::<Document>() {
            let document = document.map_err(|error| error.to_string())?;
            keys.extend(document.public_key_list.into_iter().map(Key::read).collect::<Result<Vec<_>, _>>()?);
        }
        if keys.is_empty() { Err("there are none".to_owned()) } else { Ok(Self { keys }) }
    }
}

impl Key {
    fn read(self) -> Result<PublicKey, String> {
        let Self { fingerprint, value, validity_start_time, validity_end_time } = self;
        let wrong = |what: &str| format!("{what} of `{fingerprint}` can't be understood");
        let time = |time: Option<Value>, what| time.map(|time| time_of(&time).ok_or_else(|| wrong(what))).transpose();
        Ok(PublicKey {
            value: BASE64_STANDARD.decode(value.trim()).map_err(|_| wrong("Value"))?,
            valid_from: time(validity_start_time, "ValidityStartTime")?,
            valid_to: time(validity_end_time, "ValidityEndTime")?,
            fingerprint,
        })
    }
}

/// The second version of the AWS CLI prints times as text, the first as seconds.
fn time_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        #[expect(clippy::cast_possible_truncation, reason = "to the second; what is out of range is refused behind it")]
        Value::Number(seconds) => Timestamp::from_second(seconds.as_f64()? as i64).ok(),
        _ => None,
    }
}

/// Regions share the file: fingerprints tell their keys apart.
impl PublicKeys for KeyFile {
    fn find<'k>(&'k self, wanted: &'k KeyWanted) -> BoxFuture<'k, Result<Option<PublicKey>, KeysError>> {
        Box::pin(async { Ok(self.keys.iter().find(|key| wanted.is_met_by(key)).cloned()) })
    }
}

/// There are none: signatures can't be checked.
#[derive(Debug, Clone, Copy)]
pub struct NoKeys;

impl PublicKeys for NoKeys {
    fn find<'k>(&'k self, _: &'k KeyWanted) -> BoxFuture<'k, Result<Option<PublicKey>, KeysError>> {
        Box::pin(async { Err(KeysError::Nowhere) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(start: &str) -> String {
        format!(
            r#"{{"PublicKeyList":[{{"Value":"MIIB","ValidityStartTime":{start},"ValidityEndTime":1802000000.5,"Fingerprint":"a"}}]}}"#
        )
    }

    #[tokio::test]
    async fn both_versions_of_the_cli_are_understood_and_several_lists() {
        let file = KeyFile::parse(&format!("{}\n{}", list(r#""2026-01-01T00:00:00+00:00""#), list("1"))).unwrap();
        assert_eq!(file.keys.len(), 2);
        assert_eq!(file.keys[0].valid_from, Some("2026-01-01T00:00:00Z".parse().unwrap()));
        let wanted = |fingerprint: &str, time: &str| KeyWanted {
            region: "eu-west-1".to_owned(),
            fingerprint: fingerprint.to_owned(),
            from: time.parse().unwrap(),
            to: time.parse().unwrap(),
        };
        assert!(file.find(&wanted("a", "2026-01-17T15:00:00Z")).await.unwrap().is_some());
        assert!(file.find(&wanted("b", "2026-01-17T15:00:00Z")).await.unwrap().is_none());
        assert!(file.find(&wanted("a", "2036-01-17T15:00:00Z")).await.unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        let why = |text: &str| KeyFile::parse(text).unwrap_err();
        assert_eq!(why(&list("true")), "ValidityStartTime of `a` can't be understood");
        assert_eq!(why(&list("null").replace("MIIB", "!")), "Value of `a` can't be understood");
        assert_eq!(why(r#"{"PublicKeyList":[]}"#), "there are none");
        assert!(why("{}").starts_with("missing field `PublicKeyList`"), "{}", why("{}"));
        assert_eq!(KeyFile::open(Path::new("nowhere.json")).unwrap_err().path, Path::new("nowhere.json"));
    }
}
