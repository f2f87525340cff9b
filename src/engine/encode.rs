//! Values as `base64`, `wide` and their kin make them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::sigma::{Pattern, Token, Transform};

/// A value on its way through its transforms: bytes, and the wildcards that may stand between them.
type Parts = Vec<Part>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Bytes(Vec<u8>),
    Wildcard(Token),
}

/// Dashes and slashes that start an option.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];
/// Forms that one value may take.
const MAX_FORMS: usize = 1000;
const TOO_MANY: Unfit = Unfit { why: "it takes more than 1,000 forms", advice: "look for fewer dashes in one value" };
const NO_TEXT: Unfit = Unfit {
    why: "its bytes are no text, so no record can hold them",
    advice: "`base64` or `base64offset` behind it makes text of any bytes",
};

/// A value that can't be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unfit {
    /// What is wrong with it.
    pub(super) why: &'static str,
    /// What to try.
    pub(super) advice: &'static str,
}
const BYTE_ORDER_MARK: [u8; 2] = [0xff, 0xfe];

/// Applies `transforms` in their order; any of the patterns that come out may match.
///
/// # Errors
/// Why the result can't be looked for.
pub(super) fn encode(pattern: Pattern, transforms: &[Transform]) -> Result<Vec<Pattern>, Unfit> {
    if transforms.is_empty() {
        return Ok(vec![pattern]);
    }
    let parts = pattern.tokens().iter().map(|token| match token {
        Token::Literal(text) => Part::Bytes(text.clone().into_bytes()),
        wildcard => Part::Wildcard(wildcard.clone()),
    });
    let mut forms: Vec<Parts> = vec![parts.collect()];
    for transform in transforms {
        forms = forms.into_iter().map(|form| apply(*transform, form)).collect::<Result<Vec<_>, _>>()?.concat();
        if forms.len() > MAX_FORMS {
            return Err(TOO_MANY);
        }
    }
    forms.into_iter().map(pattern_of).collect()
}

fn apply(transform: Transform, parts: Parts) -> Result<Vec<Parts>, Unfit> {
    match transform {
        Transform::Base64 => Ok(vec![vec![text(STANDARD.encode(bytes(&parts)?))]]),
        Transform::Base64Offset => {
            let bytes = bytes(&parts)?;
            // What shares each of its characters with its neighbours would be looked for as nothing, and found in everything.
            if bytes.len() < 2 {
                return Err(Unfit {
                    why: "one byte is too short to be found inside base64",
                    advice: "look for two characters or more",
                });
            }
            Ok((0..3).map(|offset| vec![text(at_offset(&bytes, offset))]).collect())
        }
        Transform::Utf16Le => utf16(parts, u16::to_le_bytes).map(|parts| vec![parts]),
        Transform::Utf16Be => utf16(parts, u16::to_be_bytes).map(|parts| vec![parts]),
        Transform::Utf16 => {
            let mut parts = utf16(parts, u16::to_le_bytes)?;
            match parts.first_mut() {
                Some(Part::Bytes(bytes)) => drop(bytes.splice(0..0, BYTE_ORDER_MARK)),
                _ => parts.insert(0, Part::Bytes(BYTE_ORDER_MARK.to_vec())),
            }
            Ok(vec![parts])
        }
        Transform::WinDash => windash(&parts),
    }
}

fn text(text: String) -> Part {
    Part::Bytes(text.into_bytes())
}

/// The parser lets no wildcard of a rule through to base64; a placeholder's values come later.
fn bytes(parts: &[Part]) -> Result<Vec<u8>, Unfit> {
    let bytes = parts.iter().map(|part| match part {
        Part::Bytes(bytes) => Ok(bytes.as_slice()),
        Part::Wildcard(_) => Err(Unfit {
            why: "wildcards can't be encoded",
            advice: "write the value, or those of the placeholder, out in full",
        }),
    });
    Ok(bytes.collect::<Result<Vec<_>, _>>()?.concat())
}

/// The characters that are the same whatever stands before and after, when `offset` bytes of a group of three stand before.
fn at_offset(bytes: &[u8], offset: usize) -> String {
    let padded = [&[b' '; 2][..offset], bytes].concat();
    let encoded = STANDARD.encode(&padded);
    let start = [0, 2, 3][offset];
    let cut = [0, 3, 2][padded.len() % 3];
    encoded.get(start..encoded.len() - cut).unwrap_or_default().to_owned()
}

fn utf16(parts: Parts, unit: fn(u16) -> [u8; 2]) -> Result<Parts, Unfit> {
    parts
        .into_iter()
        .map(|part| match part {
            Part::Bytes(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| NO_TEXT)?;
                Ok(Part::Bytes(text.encode_utf16().flat_map(unit).collect()))
            }
            wildcard @ Part::Wildcard(_) => Ok(wildcard),
        })
        .collect()
}

/// Every dash in front of a word, in each of its forms; a dash inside a word is none.
fn windash(parts: &[Part]) -> Result<Vec<Parts>, Unfit> {
    let mut forms: Vec<Parts> = vec![Vec::new()];
    for part in parts {
        let choices: Vec<Part> = match part {
            Part::Bytes(bytes) => {
                let value = std::str::from_utf8(bytes).map_err(|_| NO_TEXT)?;
                dashed(value)?.into_iter().map(text).collect()
            }
            wildcard @ Part::Wildcard(_) => vec![wildcard.clone()],
        };
        if forms.len() * choices.len() > MAX_FORMS {
            return Err(TOO_MANY);
        }
        forms = forms
            .iter()
            .flat_map(|form| choices.iter().map(move |choice| [form.as_slice(), std::slice::from_ref(choice)].concat()))
            .collect();
    }
    Ok(forms)
}

fn dashed(value: &str) -> Result<Vec<String>, Unfit> {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut forms = vec![String::new()];
    let mut before = None;
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let dash = DASHES.contains(&c) && !word(before) && word(chars.peek().copied());
        let choices = if dash { DASHES.as_slice() } else { &[c] };
        forms = forms.iter().flat_map(|form| choices.iter().map(move |c| format!("{form}{c}"))).collect();
        if forms.len() > MAX_FORMS {
            return Err(TOO_MANY);
        }
        before = Some(c);
    }
    Ok(forms)
}

/// Text in a JSON record can hold a byte order mark as a character only.
fn pattern_of(parts: Parts) -> Result<Pattern, Unfit> {
    let token = |part| match part {
        Part::Bytes(bytes) => match bytes.strip_prefix(&BYTE_ORDER_MARK) {
            Some(rest) => String::from_utf8(rest.to_vec()).map(|rest| format!("\u{feff}{rest}")),
            None => String::from_utf8(bytes),
        }
        .map(Token::Literal)
        .map_err(|_| NO_TEXT),
        Part::Wildcard(token) => Ok(token),
    };
    parts.into_iter().map(token).collect::<Result<Vec<_>, _>>().map(Pattern::from_tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: &str, transforms: &[Transform]) -> Vec<String> {
        let literal = |pattern: &Pattern| match pattern.tokens() {
            [Token::Literal(text)] => text.clone(),
            other => format!("{other:?}"),
        };
        encode(Pattern::new(value), transforms).unwrap().iter().map(literal).collect()
    }

    #[test]
    fn base64_at_any_offset_is_part_of_every_longer_text() {
        assert_eq!(encoded("foobar", &[Transform::Base64]), ["Zm9vYmFy"]);
        for value in ["fo", "foob", "foo", "http://", "ÄÖ"] {
            let forms = encoded(value, &[Transform::Base64Offset]);
            for before in 0..4 {
                for after in 0..4 {
                    let longer = STANDARD.encode(format!("{}{value}{}", "x".repeat(before), "y".repeat(after)));
                    assert!(forms.iter().any(|form| longer.contains(form)), "{value}: {forms:?} in {longer}");
                }
            }
            assert!(forms.iter().all(|form| !form.is_empty()));
        }
        assert!(encode(Pattern::new("f"), &[Transform::Base64Offset]).is_err());
    }

    #[test]
    fn utf16_in_its_forms() {
        assert_eq!(encoded("cmd", &[Transform::Utf16Le]), ["c\0m\0d\0"]);
        assert_eq!(encoded("cmd", &[Transform::Utf16Be]), ["\0c\0m\0d"]);
        assert_eq!(encoded("cmd", &[Transform::Utf16]), ["\u{feff}c\0m\0d\0"]);
        assert_eq!(encoded("cmd", &[Transform::Utf16, Transform::Base64]), ["//5jAG0AZAA="]);
        assert_eq!(encoded("ä", &[Transform::Utf16Le, Transform::Base64]), ["5AA="]);
        assert_eq!(encode(Pattern::new("ä"), &[Transform::Utf16Le]), Err(NO_TEXT));
    }

    #[test]
    fn only_a_dash_in_front_of_a_word_varies() {
        let forms = encoded("cmd -foo-bar /x", &[Transform::WinDash]);
        assert_eq!(forms.len(), 25);
        assert!(forms.contains(&"cmd /foo-bar \u{2014}x".to_owned()) && forms.contains(&"cmd -foo-bar /x".to_owned()));
        assert_eq!(encoded("a - b", &[Transform::WinDash]), ["a - b"]);
        for many in ["-a ".repeat(9), "-a*".repeat(40)] {
            assert_eq!(encode(Pattern::new(&many), &[Transform::WinDash]), Err(TOO_MANY));
        }
    }
}
