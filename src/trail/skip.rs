//! Finds the end of an element that can't be read, or is too large to be kept, byte for byte.

/// Follows strings and brackets from an element's first byte on; goes on where the bytes of the time before ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Skipper {
    depth: u64,
    string: InString,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum InString {
    #[default]
    No,
    Yes,
    Escape,
}

impl Skipper {
    /// How many of the bytes belong to the element: those before the comma or bracket behind it. `None`: all, and perhaps more.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match (self.string, byte) {
                (InString::Escape, _) | (InString::No, b'"') => self.string = InString::Yes,
                (InString::Yes, b'\\') => self.string = InString::Escape,
                (InString::Yes, b'"') => self.string = InString::No,
                (InString::Yes, _) => {
                    let rest = memchr::memchr2(b'"', b'\\', &bytes[at..]);
                    at += rest.unwrap_or(bytes.len() - at);
                    continue;
                }
                (InString::No, b'{' | b'[') => self.depth += 1,
                (InString::No, b',' | b'}' | b']') if self.depth == 0 => return Some(at),
                (InString::No, b'}' | b']') => self.depth -= 1,
                (InString::No, _) => {}
            }
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_ends_before_the_comma_or_bracket_behind_it() {
        for (bytes, length) in
            [(r#"{"a":"x,]}\"\\","b":[1,{}]},"#, 27), ("oops,", 4), ("]", 0), (r#""text" x]"#, 8), (r#"{"a":[}} ,"#, 9)]
        {
            for cut in 0..bytes.len() {
                let mut skipper = Skipper::default();
                let (first, second) = bytes.as_bytes().split_at(cut);
                let end = skipper.end(first).or_else(|| skipper.end(second).map(|end| cut + end));
                assert_eq!(end, Some(length), "{bytes} cut at {cut}");
            }
        }
        assert_eq!(Skipper::default().end(br#"{"a":"\"}"#), None);
    }
}
