//! Texts as JSON writes them, and what they say.

use std::borrow::Cow;

use super::block::{BLOCK, Strings, block, spaces};
use super::cursor::is_scalar;

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

pub(in crate::trail) fn has_escapes(content: &str) -> bool {
    memchr::memchr(b'\\', content.as_bytes()).is_some()
}

/// What a string says; `content` is what stands between its quotes.
pub(in crate::trail) fn unescaped(content: &str) -> Cow<'_, str> {
    if !has_escapes(content) {
        return Cow::Borrowed(content);
    }
    let mut text = String::new();
    unescape(content, &mut text);
    Cow::Owned(text)
}

/// Whether one byte is enough to know that a string doesn't say what `text` begins with. That is so for most names of members.
pub(in crate::trail) fn differs(content: &str, text: &str) -> bool {
    let first = content.as_bytes().first();
    first.is_some_and(|byte| *byte != b'\\') && first != text.as_bytes().first()
}

/// Adds what a string says to `text`.
///
/// CloudTrail cuts long texts at a number of bytes, which can leave half of a surrogate pair, or half an escape. The
/// half becomes a replacement character, as the whole record would be lost otherwise.
pub(in crate::trail) fn unescape(content: &str, text: &mut String) {
    let mut rest = content;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let (character, used) = escaped_character(escape);
        text.push(character);
        // OK because what was used are whole characters.
        rest = &escape[used..];
    }
    text.push_str(rest);
}

/// The character that stands behind a backslash, and the bytes that it takes.
fn escaped_character(escape: &str) -> (char, usize) {
    let Some(first) = escape.chars().next() else { return (REPLACEMENT, 0) };
    let character = match first {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '"' | '\\' | '/' => first,
        'u' => return code_unit(escape).map_or((REPLACEMENT, 1), |unit| code_point(unit, escape)),
        _ => REPLACEMENT,
    };
    (character, first.len_utf8())
}

fn code_point(unit: u16, escape: &str) -> (char, usize) {
    if let Some(character) = char::from_u32(u32::from(unit)) {
        return (character, 5);
    }
    let second = escape[5..].strip_prefix('\\').and_then(code_unit);
    match second.map(|second| char::decode_utf16([unit, second]).next()) {
        Some(Some(Ok(character))) => (character, 11),
        _ => (REPLACEMENT, 5),
    }
}

/// The number in `u00e4`.
fn code_unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix('u')?.get(..4)?;
    // Parsing would take a sign.
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

/// JSON without white space between its tokens and with each character escaped in one way only, so that rules find in it what
/// they look for however it was written. Numbers stay as written. `buffer` holds the result where `json` isn't so already.
pub(in crate::trail) fn compact<'t>(json: &'t str, buffer: &'t mut String) -> &'t str {
    if is_compact(json) {
        return json;
    }
    buffer.clear();
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        squeeze(&rest[..start], buffer);
        let content = &rest[start + 1..];
        let end = string_end(content);
        buffer.push('"');
        normalise(&content[..end], buffer);
        buffer.push('"');
        rest = content.get(end + 1..).unwrap_or_default();
    }
    squeeze(rest, buffer);
    buffer
}

/// Copies what stands between strings.
fn squeeze(between: &str, to: &mut String) {
    to.extend(between.chars().filter(|character| !is_space(*character)));
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_compact(json: &str) -> bool {
    let bytes = json.as_bytes();
    let mut strings = Strings::default();
    (0..bytes.len()).step_by(BLOCK).all(|at| {
        let block = block(bytes, at);
        strings.next(&block);
        let there = u64::MAX >> (BLOCK - (bytes.len() - at).min(BLOCK));
        spaces(&block) & !strings.inside & there == 0
            && bits(strings.escaped & there).all(|bit| is_short_escape(block[bit]))
    })
}

/// The places of the bits that are set.
fn bits(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(place)
    })
}

fn is_short_escape(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'n' | b't' | b'r' | b'b' | b'f')
}

/// Where the string ends whose content `text` begins with.
fn string_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(offset) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        if bytes[at + offset] == b'"' {
            return at + offset;
        }
        at += offset + 2;
    }
    text.len()
}

/// Writes a string's content anew.
fn normalise(content: &str, to: &mut String) {
    for character in unescaped(content).chars() {
        match character {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\t' => to.push_str("\\t"),
            '\r' => to.push_str("\\r"),
            '\u{8}' => to.push_str("\\b"),
            '\u{c}' => to.push_str("\\f"),
            '\0'..=' ' if character != ' ' => to.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => to.push(character),
        }
    }
}

/// A string, a number or a word that stands somewhere in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trail) enum Token<'j> {
    /// The content of a string.
    String(&'j str),
    /// `true`, `false`, or a number.
    Scalar(&'j str),
    Null,
}

/// All strings, numbers and words of a value in their order, names of members among them. `Err`: the rest is no JSON.
pub(in crate::trail) fn tokens(json: &str) -> impl Iterator<Item = Result<Token<'_>, ()>> {
    let mut rest = json;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', '{', '}', '[', ']', ',', ':']);
        let (token, used) = match rest.as_bytes().first()? {
            b'"' => {
                let end = string_end(&rest[1..]) + 1;
                (if end < rest.len() { Ok(Token::String(&rest[1..end])) } else { Err(()) }, end + 1)
            }
            _ => scalar(rest),
        };
        rest = if token.is_ok() { rest.get(used..).unwrap_or_default() } else { "" };
        Some(token)
    })
}

fn scalar(rest: &str) -> (Result<Token<'_>, ()>, usize) {
    let end = rest.find([' ', '\t', '\r', '\n', '}', ']', ',', ':']).unwrap_or(rest.len());
    let token = match &rest[..end] {
        "null" => Ok(Token::Null),
        text if is_scalar(text.as_bytes()) => Ok(Token::Scalar(text)),
        _ => Err(()),
    };
    (token, end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn escapes_say_what_they_say_in_json() {
        for (content, expected) in [
            ("plain", "plain"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\u0041\u00e4\ud83d\ude00", "A\u{e4}\u{1f600}"),
            (r"ü\u00E4\\u0041", r"üä\u0041"),
            // What no JSON may hold, or what was cut.
            (r"x\ud83d", "x\u{fffd}"),
            (r"\ud83d\ude00 \udc00", "\u{1f600} \u{fffd}"),
            (r"\\ud83d \ud83d", "\\ud83d \u{fffd}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\ud83d\n", "\u{fffd}\n"),
            (r"\u12", "\u{fffd}12"),
            (r"\u+123", "\u{fffd}+123"),
            (r"\xü\ü", "\u{fffd}ü\u{fffd}"),
            (r"cut\", "cut\u{fffd}"),
        ] {
            assert_eq!(unescaped(content), expected, "{content}");
        }
    }

    #[test]
    fn what_is_compact_is_not_copied() {
        for (json, expected) in [
            (r#"{"a":[1,"b c",null],"d":"\"\n"}"#, None),
            (r#"{ "a" : [1, "b  c"],"x":"\u003c\/" }"#, Some(r#"{"a":[1,"b  c"],"x":"</"}"#)),
            ("{\"a\"\n:\t-1.50}", Some(r#"{"a":-1.50}"#)),
            (r#"{"a":"\u001f\u0022\u005c"}"#, Some(r#"{"a":"\u001f\"\\"}"#)),
            (r#"{"cut":"#, None),
            (r#"{ "cut"#, Some(r#"{"cut""#)),
        ] {
            let mut buffer = String::new();
            assert_eq!(compact(json, &mut buffer), expected.unwrap_or(json));
            assert_eq!(buffer.is_empty(), expected.is_none(), "{json}");
        }
    }

    #[test]
    fn tokens_come_in_order_and_broken_ones_are_told() {
        let shown = |json| tokens(json).map(|token| format!("{token:?}")).collect::<Vec<_>>().join(" ");
        assert_eq!(
            shown(r#" {"a" : [1.5,null,{"b\"":true}], "":"x"} "#),
            r#"Ok(String("a")) Ok(Scalar("1.5")) Ok(Null) Ok(String("b\\\"")) Ok(Scalar("true")) Ok(String("")) Ok(String("x"))"#
        );
        assert_eq!(shown(r#"{"a":oops,"b":1}"#), r#"Ok(String("a")) Err(())"#);
        assert_eq!(shown(r#"["a"#), "Err(())");
    }

    fn value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![".*", Just("\u{0}\u{1f}\"\\/\u{8}\u{c}\n\r\t\u{7f}\u{2028}😀".to_owned())];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn compact_text_is_what_serde_json_writes(value in value()) {
            let written = value.to_string();
            let mut buffer = String::new();
            prop_assert_eq!(compact(&written, &mut buffer), &written);
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(compact(&pretty, &mut buffer), &written);
            let all_escaped: String = pretty.chars().map(|c| match c {
                '/' => "\\/".to_owned(),
                c if c.is_ascii() => c.to_string(),
                c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat(),
            }).collect();
            prop_assert_eq!(compact(&all_escaped, &mut buffer), &written);
        }
    }
}
