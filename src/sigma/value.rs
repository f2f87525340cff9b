//! Values with wildcards.

use super::Comparison;

/// A value taken apart at its wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Token>);

/// A part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Text as it is; never empty, never beside another.
    Literal(String),
    /// `*`: any text, or none.
    Any,
    /// `?`: exactly one character.
    One,
}

impl Pattern {
    /// Reads a value as the specification has it: a backslash takes the meaning from `*`, `?` and `\`, and is itself
    /// before anything else.
    ///
    /// ```
    /// use trailhound::sigma::{Pattern, Token};
    ///
    /// let tokens = Pattern::new(r"a\*b*").tokens().to_vec();
    /// assert_eq!(tokens, [Token::Literal("a*b".to_owned()), Token::Any]);
    /// ```
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut pattern = Self(Vec::new());
        let mut rest = text;
        while let Some(special) = rest.find(['*', '?', '\\']) {
            pattern.literal(&rest[..special]);
            let behind = &rest[special + 1..];
            rest = match (rest.as_bytes()[special], behind.as_bytes().first()) {
                (b'*', _) => {
                    pattern.any();
                    behind
                }
                (b'?', _) => {
                    pattern.0.push(Token::One);
                    behind
                }
                (_, Some(b'*' | b'?' | b'\\')) => {
                    pattern.literal(&behind[..1]);
                    &behind[1..]
                }
                _ => {
                    pattern.literal("\\");
                    behind
                }
            };
        }
        pattern.literal(rest);
        pattern
    }

    /// Puts a value together; literals may stand side by side.
    #[must_use]
    pub fn from_tokens(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut pattern = Self(Vec::new());
        for token in tokens {
            match token {
                Token::Any => pattern.any(),
                Token::One => pattern.0.push(Token::One),
                Token::Literal(text) => pattern.literal(&text),
            }
        }
        pattern
    }

    /// Widens the value for `contains`, `startswith` and `endswith`.
    #[must_use]
    pub fn widened(mut self, comparison: Comparison) -> Self {
        if matches!(comparison, Comparison::Contains | Comparison::EndsWith) && self.0.first() != Some(&Token::Any) {
            self.0.insert(0, Token::Any);
        }
        if matches!(comparison, Comparison::Contains | Comparison::StartsWith) {
            self.any();
        }
        self
    }

    /// Its parts.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.0
    }

    /// Two `*` in a row mean one.
    fn any(&mut self) {
        if self.0.last() != Some(&Token::Any) {
            self.0.push(Token::Any);
        }
    }

    fn literal(&mut self, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Token::Literal(literal)) => literal.push_str(text),
            _ => self.0.push(Token::Literal(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &Pattern) -> String {
        let token = |token: &Token| match token {
            Token::Literal(text) => format!("[{text}]"),
            Token::Any => "*".to_owned(),
            Token::One => "?".to_owned(),
        };
        pattern.tokens().iter().map(token).collect()
    }

    #[test]
    fn wildcards_and_escapes_follow_the_specification() {
        for (text, expected) in [
            ("", ""),
            ("a*b?", "[a]*[b]?"),
            (r"\*", "[*]"),
            (r"\\*", r"[\]*"),
            (r"\\\*", r"[\*]"),
            (r"a\b", r"[a\b]"),
            (r"a\\b", r"[a\b]"),
            (r"a\\\\b", r"[a\\b]"),
            (r"a\", r"[a\]"),
            ("a**", "[a]*"),
        ] {
            assert_eq!(shown(&Pattern::new(text)), expected, "{text}");
        }
    }

    #[test]
    fn modifiers_widen_but_do_not_double() {
        assert_eq!(shown(&Pattern::new("a").widened(Comparison::Contains)), "*[a]*");
        assert_eq!(shown(&Pattern::new("*a*").widened(Comparison::Contains)), "*[a]*");
        assert_eq!(shown(&Pattern::new("*").widened(Comparison::Contains)), "*");
        assert_eq!(shown(&Pattern::new("a").widened(Comparison::StartsWith)), "[a]*");
        assert_eq!(shown(&Pattern::new("a").widened(Comparison::EndsWith)), "*[a]");
    }
}
