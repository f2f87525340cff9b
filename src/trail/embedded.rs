//! JSON inside strings: CloudTrail keeps policy documents, queue attributes and template parameters as text.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::json::Json;

/// How many strings inside strings are gone through; real records have two.
pub(super) const MAX_DEPTH: u8 = 4;

/// A record is 256 kB at most (1 MB with extended event size), and a document is a part of it.
const MAX_BYTES: usize = 1_000_000;

/// The object or list that a string holds, as a tree; `None` when it holds none, or is longer than 1 MB.
pub(super) fn document(text: &str) -> Option<Value> {
    Json(&json(text)?).tree()
}

/// The JSON of the object or list that a string holds; `None` when it holds none, or is longer than 1 MB.
pub(super) fn json(text: &str) -> Option<Cow<'_, str>> {
    if text.len() > MAX_BYTES || !looks_like_one(text) {
        return None;
    }
    let json = match plain(text) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    // Text that only begins like JSON is none. This builds nothing, and goes as deep as it is nested.
    serde_json::from_str::<IgnoredAny>(&json).is_ok().then_some(json)
}

/// Whether a string begins as an object or a list does, be it cut short later on.
pub(super) fn looks_like_one(text: &str) -> bool {
    let first = text.trim_start();
    first.starts_with(['{', '[']) || (first.starts_with('%') && plain(first).trim_start().starts_with(['{', '[']))
}

/// IAM answers with documents in percent-encoding, the line breaks before them included; a `+` is a plus sign there.
fn plain(text: &str) -> Cow<'_, str> {
    if text.trim_start().starts_with('%') { percent_decode_str(text).decode_utf8_lossy() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_and_lists_are_read_plain_or_percent_encoded() {
        for (text, expected) in [
            (r#"{"a":1}"#, json!({"a": 1})),
            (" \n[1, 2] ", json!([1, 2])),
            ("%7B%22a%22%3A%22b+c%22%7D", json!({"a": "b+c"})),
            ("%5b%22x%22%5D", json!(["x"])),
            ("%0A%20%7B%22a%22%3A%7B%7D%7D", json!({"a": {}})),
            (r#"{"a":"%7B"}"#, json!({"a": "%7B"})),
        ] {
            assert_eq!(document(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_document() {
        for text in
            ["", " ", "text", "12", "\"{}\"", "null", "{", "[1,", "{} {}", "%", "%7", "%41", "%7B%22a", "{{name}}"]
        {
            assert_eq!(document(text), None, "{text}");
        }
        assert!(looks_like_one(" {\"cut\": \"sho") && looks_like_one("%7B%22cut") && !looks_like_one("%41{"));
    }

    #[test]
    fn documents_are_bounded_in_size_and_depth() {
        let list = |bytes: usize| format!("[{}]", " ".repeat(bytes - 2));
        assert!(document(&list(MAX_BYTES)).is_some());
        assert_eq!(document(&list(MAX_BYTES + 1)), None);
        assert_eq!(document(&"[".repeat(100_000)), None);
        assert_eq!(document(&("[".repeat(1_000) + &"]".repeat(1_000))), None);
    }
}
