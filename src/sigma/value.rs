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
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '*' => pattern.any(),
                '?' => pattern.0.push(Token::One),
                '\\' => {
                    let escaped = chars.next_if(|next| matches!(next, '*' | '?' | '\\'));
                    pattern.literal(escaped.unwrap_or('\\'));
                }
                c => pattern.literal(c),
            }
        }
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
                Token::Literal(text) => text.chars().for_each(|c| pattern.literal(c)),
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

    fn literal(&mut self, c: char) {
        match self.0.last_mut() {
            Some(Token::Literal(text)) => text.push(c),
            _ => self.0.push(Token::Literal(c.to_string())),
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
