//! Holds one value's text against one value of a rule.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

use crate::sigma::{Pattern, Token};

/// A value of a rule in the cheapest form that can hold it.
#[derive(Debug, Clone)]
pub(super) struct TextMatcher {
    kind: Kind,
    /// Whether upper and lower case are the same; the kind's text is folded then.
    folded: bool,
}

#[derive(Debug, Clone)]
enum Kind {
    Anything,
    Exact(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Regex(Box<Regex>),
}

impl TextMatcher {
    /// Compiles a value with wildcards. `cased`: upper and lower case differ.
    pub(super) fn new(pattern: &Pattern, cased: bool) -> Result<Self, regex::Error> {
        let text = |text: &String| if cased { text.clone() } else { fold(text).into_owned() };
        let kind = match pattern.tokens() {
            [] => Kind::Exact(String::new()),
            [Token::Any] => Kind::Anything,
            [Token::Literal(literal)] => Kind::Exact(text(literal)),
            [Token::Literal(literal), Token::Any] => Kind::StartsWith(text(literal)),
            [Token::Any, Token::Literal(literal)] => Kind::EndsWith(text(literal)),
            [Token::Any, Token::Literal(literal), Token::Any] => Kind::Contains(text(literal)),
            tokens => return wildcards(tokens, cased),
        };
        Ok(Self { kind, folded: !cased })
    }

    /// Compiles a regular expression, which is case-sensitive and looks anywhere in the value.
    pub(super) fn regex(expression: &str) -> Result<Self, regex::Error> {
        Ok(Self { kind: Kind::Regex(Box::new(Regex::new(expression)?)), folded: false })
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        let value = if self.folded { fold(value) } else { Cow::Borrowed(value) };
        match &self.kind {
            Kind::Anything => true,
            Kind::Exact(text) => value == text.as_str(),
            Kind::StartsWith(text) => value.starts_with(text),
            Kind::EndsWith(text) => value.ends_with(text),
            Kind::Contains(text) => value.contains(text),
            Kind::Regex(regex) => regex.is_match(&value),
        }
    }
}

/// Everything with `?`, or with a `*` in its middle.
fn wildcards(tokens: &[Token], cased: bool) -> Result<TextMatcher, regex::Error> {
    let body: String = tokens
        .iter()
        .map(|token| match token {
            Token::Literal(text) => regex::escape(text),
            Token::Any => ".*".to_owned(),
            Token::One => ".".to_owned(),
        })
        .collect();
    let regex = RegexBuilder::new(&format!("^{body}$")).case_insensitive(!cased).dot_matches_new_line(true).build()?;
    Ok(TextMatcher { kind: Kind::Regex(Box::new(regex)), folded: false })
}

/// Folds character by character, so that a part folds as it does inside the whole (`str::to_lowercase` looks at what follows
/// a sigma). Most values are ASCII, and many lower case already.
fn fold(value: &str) -> Cow<'_, str> {
    if value.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        value.chars().flat_map(char::to_lowercase).collect::<String>().into()
    } else {
        value.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_match_as_the_specification_says() {
        for (pattern, value, cased, expected) in [
            ("StopLogging", "stoplogging", false, true),
            ("StopLogging", "stoplogging", true, false),
            ("Stop", "StopLogging", false, false),
            ("*Logging", "StopLogging", false, true),
            ("Stop*", "STOPLOGGING", false, true),
            ("*pLo*", "StopLogging", false, true),
            ("St?pL*g", "StopLogging", false, true),
            ("St?pL*g", "stoplogging", true, false),
            ("a?c", "ac", false, false),
            ("a*c", "a\nc", false, true),
            (r"a\*c", "a*c", false, true),
            (r"a\*c", "abc", false, false),
            ("(x)*[", "(X)y[", false, true),
            ("*", "", false, true),
            ("", "", false, true),
            ("", "a", false, false),
            ("straße", "STRASSE", false, false),
            ("ärger", "ÄRGER", false, true),
            ("*ΟΔΥΣΣΕΑΣ*", "xΟΔΥΣΣΕΑΣy", false, true),
        ] {
            let matcher = TextMatcher::new(&Pattern::new(pattern), cased).unwrap();
            assert_eq!(matcher.matches(value), expected, "{pattern} on {value}, cased: {cased}");
        }
    }

    #[test]
    fn regular_expressions_are_cased_and_unanchored() {
        let matcher = TextMatcher::regex("role/[a-z]+-admin").unwrap();
        assert!(matcher.matches("arn:aws:iam::1:role/db-admin/x") && !matcher.matches("ROLE/db-admin"));
    }
}
