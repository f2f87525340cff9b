//! One CloudTrail record: a view over its bytes.

use std::fmt;
use std::ops::ControlFlow;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::field::{self, FieldPath, FieldValue};
use super::identity::UserIdentity;

/// A record as it stands in the file. Unknown fields, identity types and event versions are never an error.
#[derive(Debug)]
pub struct Record<'a> {
    raw: &'a str,
    index: u64,
    document: Value,
}

/// Something in a record's place that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {index} can't be read: {reason}")]
pub struct BadRecord {
    /// Its place in the file, counted from 0.
    pub index: u64,
    /// What is wrong with it; never its contents.
    pub reason: String,
}

/// Which event a record tells of, whatever file it stands in: overlapping trails and redelivery bring it again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventIdentity {
    /// Account whose trail got this copy.
    pub account: String,
    /// `eventID`; a digest of the record where it has none.
    pub event_id: String,
}

impl fmt::Display for EventIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.event_id)
    }
}

impl<'a> Record<'a> {
    /// Reads one record; `index` is its place in the file.
    ///
    /// # Errors
    /// When the bytes are not one JSON object.
    pub fn parse(index: u64, bytes: &'a [u8]) -> Result<Self, BadRecord> {
        let bad = |reason: String| BadRecord { index, reason };
        let raw = std::str::from_utf8(bytes).map_err(|error| bad(error.to_string()))?.trim();
        let document = document(raw).map_err(|error| bad(error.to_string()))?;
        if !document.is_object() {
            return Err(bad("it is not a JSON object".to_owned()));
        }
        Ok(Self { raw, index, document })
    }

    /// The record's bytes.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Its place in the file, counted from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The text at a dotted path of literal member names; `None` when it isn't there, isn't text, or is empty.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// Hands each value at `path` to `visit`, going through lists, until it breaks.
    pub fn visit<B>(
        &self,
        path: &FieldPath,
        visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        field::visit(&self.document, path, visit)
    }

    /// Whether the path leads anywhere, be it to null or an empty list.
    #[must_use]
    pub fn has(&self, path: &FieldPath) -> bool {
        field::exists(&self.document, path)
    }

    /// Hands every member name and every value of the record to `visit`, until it breaks.
    pub fn visit_all<B>(&self, visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
        field::visit_all(&self.document, visit)
    }

    /// Who made the call.
    #[must_use]
    pub fn identity(&self) -> UserIdentity<'_> {
        UserIdentity::new(self)
    }

    /// Account whose trail got this copy.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        // Aggregated events carry `accountId`; records before version 1.02 only have the caller's.
        ["recipientAccountId", "accountId", "userIdentity.accountId"].iter().find_map(|path| self.text(path))
    }

    /// When the request was completed; `None` where the record doesn't say.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        ["eventTime", "timeWindow.windowEnd"].iter().find_map(|path| self.text(path)?.parse().ok())
    }

    /// Which event this is a copy of.
    #[must_use]
    pub fn event_identity(&self) -> EventIdentity {
        let id = self.text("eventID").or_else(|| self.text("eventId"));
        EventIdentity {
            account: self.account().unwrap_or_default().to_owned(),
            event_id: id.map_or_else(|| digest(self.raw), str::to_owned),
        }
    }

    /// Tells a record that stands alone in a file from any other JSON object.
    pub(super) fn looks_like_a_record(&self) -> bool {
        ["eventName", "eventSource", "eventVersion", "eventType"].iter().any(|name| self.document.get(*name).is_some())
    }

    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.document, |value, name| value.get(name))
    }
}

/// CloudTrail cuts long texts at a number of bytes, which can leave half of a surrogate pair: JSON to CloudTrail, an error to
/// a strict parser. The half becomes a replacement character, as the whole would be lost otherwise.
fn document(raw: &str) -> serde_json::Result<Value> {
    serde_json::from_str(raw).or_else(|error| match without_lone_surrogates(raw) {
        Some(repaired) => serde_json::from_str(&repaired),
        None => Err(error),
    })
}

fn without_lone_surrogates(raw: &str) -> Option<String> {
    let unit = |at: usize| {
        let escape = raw.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let mut repaired = String::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(offset) = raw[at..].find('\\') {
        let escape = at + offset;
        let (first, second) = (unit(escape), unit(escape + 6));
        at = match (first, second) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => escape + 12,
            (Some(0xd800..=0xdfff), _) => {
                repaired.push_str(&raw[copied..escape]);
                repaired.push('\u{fffd}');
                copied = escape + 6;
                copied
            }
            // The backslash takes the next character with it, be it another backslash.
            _ => raw[escape + 1..].chars().next().map_or(raw.len(), |next| escape + 1 + next.len_utf8()),
        };
    }
    repaired.push_str(&raw[copied..]);
    (copied > 0).then_some(repaired)
}

fn digest(text: &str) -> String {
    let mut first = [0; 16];
    first.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
    format!("{:032x}", u128::from_be_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_does_not_hide_a_record() {
        for (raw, expected) in [
            (r#"{"a":"x\ud83d"}"#, "x\u{fffd}"),
            (r#"{"a":"\ud83d\ude00 \udc00"}"#, "\u{1f600} \u{fffd}"),
            (r#"{"a":"\\ud83d \ud83d"}"#, "\\ud83d \u{fffd}"),
        ] {
            let record = Record::parse(0, raw.as_bytes()).unwrap();
            assert_eq!((record.text("a"), record.raw()), (Some(expected), raw));
        }
        assert!(Record::parse(0, br#"{"a":"\ud83d"#).is_err());
    }
}
