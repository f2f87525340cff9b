//! Goes through JSON from token to token without looking at what lies between.

use std::ops::Range;

use super::block::{BLOCK, Strings, block, brackets};

/// Why there is no further token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trail) enum Stop {
    /// The bytes end first.
    Incomplete,
    /// No JSON, at this place.
    Malformed(usize),
}

/// Reads forward only: each call takes a place at or behind the one before. Starts outside of strings.
#[derive(Debug, Clone)]
pub(in crate::trail) struct Cursor<'b> {
    bytes: &'b [u8],
    /// Where the block begins that is looked at.
    base: usize,
    /// Its strings.
    strings: Strings,
}

impl<'b> Cursor<'b> {
    #[inline]
    pub(in crate::trail) fn new(bytes: &'b [u8], at: usize) -> Self {
        let mut cursor = Self { bytes, base: at, strings: Strings::default() };
        cursor.load(at);
        cursor
    }

    pub(in crate::trail) fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    #[inline]
    fn load(&mut self, base: usize) {
        self.base = base;
        let mut strings = self.strings;
        self.look(|block| strings.next(block));
        self.strings = strings;
    }

    /// Looks at the block, filled up with zeros behind the end.
    #[inline]
    fn look<M>(&self, mut look: impl FnMut(&[u8; BLOCK]) -> M) -> M {
        match self.bytes.get(self.base..self.base + BLOCK).map(TryInto::try_into) {
            Some(Ok(whole)) => look(whole),
            _ => look(&last(self.bytes, self.base)),
        }
    }

    #[inline]
    fn next_block(&mut self) -> Result<(), Stop> {
        let next = self.base + BLOCK;
        if next >= self.bytes.len() {
            return Err(Stop::Incomplete);
        }
        self.load(next);
        Ok(())
    }

    /// Moves to the block of `at`; returns the bits of `at` and behind.
    #[inline]
    fn seek(&mut self, at: usize) -> Result<u64, Stop> {
        while at >= self.base + BLOCK {
            self.next_block()?;
        }
        Ok(u64::MAX << (at - self.base))
    }

    /// The next byte that is no white space, and its place.
    #[inline]
    pub(in crate::trail) fn token(&self, mut at: usize) -> Result<(usize, u8), Stop> {
        loop {
            match self.bytes.get(at) {
                None => return Err(Stop::Incomplete),
                Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
                Some(byte) => return Ok((at, *byte)),
            }
        }
    }

    /// The place of the quote that ends the string whose content begins at `at`.
    #[expect(clippy::inline_always, reason = "once for each member of each record")]
    #[inline(always)]
    pub(in crate::trail) fn quote(&mut self, at: usize) -> Result<usize, Stop> {
        let mut found = self.seek(at)? & self.strings.quotes;
        while found == 0 {
            self.next_block()?;
            found = self.strings.quotes;
        }
        Ok(self.base + found.trailing_zeros() as usize)
    }

    /// The end of the value that begins at `at`, which is no white space.
    #[expect(clippy::inline_always, reason = "once for each member of each record")]
    #[inline(always)]
    pub(in crate::trail) fn value(&mut self, at: usize) -> Result<usize, Stop> {
        match self.bytes.get(at) {
            Some(b'"') => Ok(self.quote(at + 1)? + 1),
            Some(b'{' | b'[') => self.container(at),
            _ => self.scalar(at),
        }
    }

    /// The end of the object or list that begins at `at`. Brackets are counted, whatever their kind.
    #[inline]
    fn container(&mut self, at: usize) -> Result<usize, Stop> {
        let mut from = self.seek(at)?;
        let mut depth = 0_usize;
        loop {
            let (opens, closes) = self.look(brackets);
            let mut rest = (opens | closes) & !self.strings.inside & from;
            while rest != 0 {
                let place = rest.trailing_zeros();
                // OK because the first is the one at `at`, which opens.
                depth = depth + 1 - 2 * (closes >> place & 1) as usize;
                if depth == 0 {
                    return Ok(self.base + place as usize + 1);
                }
                rest &= rest - 1;
            }
            self.next_block()?;
            from = u64::MAX;
        }
    }

    #[inline]
    fn scalar(&self, at: usize) -> Result<usize, Stop> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
        match rest.iter().position(ends) {
            None => Err(Stop::Incomplete),
            Some(length) if is_scalar(&rest[..length]) => Ok(at + length),
            Some(_) => Err(Stop::Malformed(at)),
        }
    }
}

/// Kept out of the way of what is done for every block.
#[cold]
fn last(bytes: &[u8], base: usize) -> [u8; BLOCK] {
    block(bytes, base)
}

pub(super) fn is_scalar(text: &[u8]) -> bool {
    matches!(text, b"null" | b"true" | b"false") || is_number(text)
}

fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    let rest = match rest.strip_prefix(b".").map(digits) {
        Some((0, _)) => return false,
        Some((_, rest)) => rest,
        None => rest,
    };
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            matches!(digits(exponent), (1.., []))
        }
        _ => false,
    }
}

/// How many digits the text begins with, and what follows them.
fn digits(text: &[u8]) -> (usize, &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    (end, &text[end..])
}

/// Goes through the members of an object, one after the other.
#[derive(Debug, Clone)]
pub(in crate::trail) struct Members {
    at: usize,
    first: bool,
}

/// A name and where its value begins.
#[derive(Debug, Clone)]
pub(in crate::trail) struct Member {
    /// Between the quotes.
    pub(in crate::trail) name: Range<usize>,
    pub(in crate::trail) value: usize,
}

impl Members {
    /// Starts with the object whose `{` stands at `at`.
    #[inline]
    pub(in crate::trail) fn new(at: usize) -> Self {
        Self { at: at + 1, first: true }
    }

    /// Starts behind a value of the object, at `at`.
    pub(in crate::trail) fn behind(at: usize) -> Self {
        Self { at, first: false }
    }

    /// The next member; `None` behind the last one. Its value has to be told by [`Self::passed`] before the one after it.
    #[expect(clippy::inline_always, reason = "once for each member of each record")]
    #[inline(always)]
    pub(in crate::trail) fn next(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<Member>, Stop> {
        let (mut at, mut byte) = cursor.token(self.at)?;
        if byte == b'}' {
            self.at = at + 1;
            return Ok(None);
        }
        if !std::mem::take(&mut self.first) {
            if byte != b',' {
                return Err(Stop::Malformed(at));
            }
            (at, byte) = cursor.token(at + 1)?;
        }
        if byte != b'"' {
            return Err(Stop::Malformed(at));
        }
        let name = at + 1..cursor.quote(at + 1)?;
        let (colon, byte) = cursor.token(name.end + 1)?;
        if byte != b':' {
            return Err(Stop::Malformed(colon));
        }
        let (value, _) = cursor.token(colon + 1)?;
        Ok(Some(Member { name, value }))
    }

    /// The value ends at `end`.
    #[inline]
    pub(in crate::trail) fn passed(&mut self, end: usize) {
        self.at = end;
    }

    /// Where the object ends, once [`Self::next`] has found its end.
    #[inline]
    pub(in crate::trail) fn end(&self) -> usize {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_are_those_of_json() {
        for text in ["0", "-0", "10", "1.5", "1e5", "1E+05", "-0.0e-0", "true", "false", "null", "1e999"] {
            assert!(is_scalar(text.as_bytes()), "{text}");
        }
        for text in ["", "-", "01", "1.", ".5", "1e", "1e+", "+1", "0x1", "nul", "True", "NaN", "1 ", "1e5.0", "--1"] {
            assert!(!is_scalar(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn values_end_where_they_end_wherever_blocks_do() {
        for padding in 0..2 * BLOCK {
            let before = " ".repeat(padding);
            for value in [
                r#""""#,
                r#""a\"}]b\\""#,
                r#"{"a":[{"b":"]}"},[]],"c":"{"}"#,
                "[[[[]]]]",
                "-1.5e3",
                "null",
                &format!("\"{}\"", "\\\\\\\"".repeat(40)),
                &format!("[{}]", "{\"a\":[1,2]},".repeat(30)),
            ] {
                let text = format!("{before}{value},]}}\"");
                let mut cursor = Cursor::new(text.as_bytes(), 0);
                assert_eq!(cursor.token(0).unwrap().0, padding);
                assert_eq!(cursor.value(padding), Ok(padding + value.len()), "{text}");
            }
        }
    }

    #[test]
    fn what_is_cut_is_incomplete() {
        let text = br#"{"a":{"b":["text",1]}}"#;
        for end in 1..text.len() {
            assert_eq!(Cursor::new(&text[..end], 0).value(0), Err(Stop::Incomplete));
        }
        assert_eq!(Cursor::new(b"", 0).value(0), Err(Stop::Incomplete));
        assert_eq!(Cursor::new(b"oops,", 0).value(0), Err(Stop::Malformed(0)));
    }
}
