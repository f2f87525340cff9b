//! Holds one value's text against one value of a rule.

use std::sync::Arc;

use memchr::memmem::Finder;

use crate::sigma::{Comparison, Pattern, Token};

use super::expression::Expression;
use super::fold::folded;

/// A value of a rule in the cheapest form that can hold it.
#[derive(Debug, Clone)]
pub(super) struct TextMatcher {
    pub(super) kind: Kind,
    /// Whether upper and lower case differ. If not, the kind's text is folded.
    pub(super) cased: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Anything,
    Exact(Box<str>),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Contains(Box<Finder<'static>>),
    /// Everything with `?`, or with a `*` in its middle.
    Wildcards(Box<[Token]>),
    Regex(Arc<Expression>),
}

impl TextMatcher {
    /// Compiles a value as a rule writes it. Most have no wildcard, and needn't be taken apart.
    pub(super) fn written(text: &str, comparison: Comparison, cased: bool) -> Self {
        if text.is_empty() || text.contains(['*', '?', '\\']) {
            return Self::new(&Pattern::new(text).widened(comparison), cased);
        }
        Self::literal(text, comparison, cased)
    }

    /// Compiles a value with wildcards. `cased`: upper and lower case differ.
    pub(super) fn new(pattern: &Pattern, cased: bool) -> Self {
        let kind = match pattern.tokens() {
            [] => Kind::Exact("".into()),
            [Token::Any] => Kind::Anything,
            [Token::Literal(text)] => return Self::literal(text, Comparison::Equals, cased),
            [Token::Literal(text), Token::Any] => return Self::literal(text, Comparison::StartsWith, cased),
            [Token::Any, Token::Literal(text)] => return Self::literal(text, Comparison::EndsWith, cased),
            [Token::Any, Token::Literal(text), Token::Any] => return Self::literal(text, Comparison::Contains, cased),
            tokens => Kind::Wildcards(
                tokens
                    .iter()
                    .map(|token| match token {
                        Token::Literal(text) => Token::Literal(in_case(text, cased)),
                        other => other.clone(),
                    })
                    .collect(),
            ),
        };
        Self { kind, cased }
    }

    /// Compiles a value without wildcards, which isn't empty. `comparison`: the whole, or which part it is.
    fn literal(text: &str, comparison: Comparison, cased: bool) -> Self {
        let text = in_case(text, cased);
        let kind = match comparison {
            Comparison::StartsWith => Kind::StartsWith(text.into()),
            Comparison::EndsWith => Kind::EndsWith(text.into()),
            Comparison::Contains => Kind::Contains(Box::new(Finder::new(&text).into_owned())),
            _ => Kind::Exact(text.into()),
        };
        Self { kind, cased }
    }

    /// A regular expression, which is case-sensitive and looks anywhere in the value.
    pub(super) fn regex(expression: Arc<Expression>) -> Self {
        Self { kind: Kind::Regex(expression), cased: true }
    }

    /// Compares with a value that isn't folded, where that is enough: `true` is certain, `false` of an ASCII value or when `cased`.
    /// `None`: the value has to be folded.
    pub(super) fn matches_at_once(&self, value: &str) -> Option<bool> {
        if self.cased {
            return Some(self.matches(value));
        }
        let value = value.as_bytes();
        let equal =
            |part: Option<&[u8]>, text: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(text.as_bytes()));
        Some(match &self.kind {
            Kind::Anything => true,
            Kind::Exact(text) => equal(Some(value), text),
            Kind::StartsWith(text) => equal(value.get(..text.len()), text),
            Kind::EndsWith(text) => equal(value.len().checked_sub(text.len()).map(|from| &value[from..]), text),
            Kind::Contains(_) | Kind::Wildcards(_) | Kind::Regex(_) => return None,
        })
    }

    /// Compares. Unless it is `cased`, the value has to be folded.
    pub(super) fn matches(&self, value: &str) -> bool {
        match &self.kind {
            Kind::Anything => true,
            Kind::Exact(text) => value == &**text,
            Kind::StartsWith(text) => value.starts_with(&**text),
            Kind::EndsWith(text) => value.ends_with(&**text),
            Kind::Contains(finder) => finder.find(value.as_bytes()).is_some(),
            Kind::Wildcards(tokens) => wildcards(tokens, value),
            Kind::Regex(regex) => regex.is_match(value),
        }
    }
}

fn in_case(text: &str, cased: bool) -> String {
    if cased { text.to_owned() } else { folded(text) }
}

/// Goes through both from the left. At a mismatch behind a `*`, that star takes one more character: only the last star has to
/// be tried again, so the time is bounded by the product of the lengths.
fn wildcards(tokens: &[Token], value: &str) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let rest = &value[at..];
        let matched = match tokens.get(token) {
            None if rest.is_empty() => return true,
            None => None,
            Some(Token::Any) => {
                star = Some((token + 1, at));
                Some(0)
            }
            Some(Token::One) => rest.chars().next().map(char::len_utf8),
            Some(Token::Literal(text)) => rest.starts_with(text.as_str()).then_some(text.len()),
        };
        if let Some(length) = matched {
            token += 1;
            at += length;
            continue;
        }
        let Some((behind, from)) = star else { return false };
        let Some(skipped) = value[from..].chars().next() else { return false };
        let from = from + skipped.len_utf8();
        star = Some((behind, from));
        (token, at) = (behind, from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigma::RegexFlags;

    fn accepts(matcher: &TextMatcher, value: &str) -> bool {
        let accepted = if matcher.cased { matcher.matches(value) } else { matcher.matches(&folded(value)) };
        match matcher.matches_at_once(value) {
            Some(true) => assert!(accepted, "{value}"),
            Some(false) => assert!(!accepted || !(value.is_ascii() || matcher.cased), "{value}"),
            None => {}
        }
        accepted
    }

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
            ("a*b*c", "axbxbc", false, true),
            ("a*b*c", "axbxbcd", false, false),
            ("*a?", "xaab", false, true),
            ("?*", "", false, false),
            ("?*?", "ä", false, false),
            ("?*?", "äö", false, true),
            (r"a\*c", "a*c", false, true),
            (r"a\*c", "abc", false, false),
            ("(x)*[", "(X)y[", false, true),
            ("*", "", false, true),
            ("", "", false, true),
            ("", "a", false, false),
            ("straße", "STRASSE", false, false),
            ("ärger", "ÄRGER", false, true),
            ("?RGER", "ärger", false, true),
            ("*ΟΔΥΣΣΕΑΣ*", "xΟΔΥΣΣΕΑΣy", false, true),
        ] {
            let matcher = TextMatcher::new(&Pattern::new(pattern), cased);
            assert_eq!(accepts(&matcher, value), expected, "{pattern} on {value}, cased: {cased}");
        }
    }

    #[test]
    fn regular_expressions_are_cased_and_unanchored_unless_flags_say_so() {
        let regex = |text, flags| TextMatcher::regex(Arc::new(Expression::new(text, flags).unwrap()));
        let matcher = |flags| regex("role/[a-z]+-admin$", flags);
        let cased = matcher(RegexFlags::default());
        assert!(accepts(&cased, "arn:aws:iam::1:role/db-admin") && !accepts(&cased, "ROLE/db-admin"));
        assert!(!accepts(&cased, "role/db-admin\nx"));
        assert!(accepts(&matcher(RegexFlags { ignore_case: true, ..RegexFlags::default() }), "ROLE/db-admin"));
        assert!(accepts(&matcher(RegexFlags { multi_line: true, ..RegexFlags::default() }), "role/db-admin\nx"));
        let dot = |dot_all| regex("a.b", RegexFlags { dot_all, ..RegexFlags::default() });
        assert!(accepts(&dot(true), "a\nb") && !accepts(&dot(false), "a\nb"));
    }
}
