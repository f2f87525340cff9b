//! Regular expressions that are compiled when the first value is held against them: of a large pack most never are, and compiling
//! them takes as long as everything else that a rule needs.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::sigma::RegexFlags;

/// Bytes that one compiled expression may take: a rule's author must not be able to fill the memory.
const MAX_BYTES: usize = 1 << 20;
/// Up to this [`size`] an expression stays far below [`MAX_BYTES`], so that compiling it later can't fail.
const SMALL: usize = 10_000;
/// States that one range of characters may take, of one to four bytes each. One of ASCII takes one.
const RANGE: usize = 20;

/// An expression that is known to be one.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    text: Box<str>,
    flags: RegexFlags,
    compiled: OnceLock<Option<Regex>>,
}

impl Expression {
    /// # Errors
    /// When it isn't one, or is too large.
    pub(super) fn new(text: &str, flags: RegexFlags) -> Result<Self, regex::Error> {
        let mut parser = regex_syntax::ParserBuilder::new();
        parser.case_insensitive(flags.ignore_case).multi_line(flags.multi_line).dot_matches_new_line(flags.dot_all);
        let is_small = parser.build().parse(text).is_ok_and(|hir| size(&hir).is_some_and(|size| size <= SMALL));
        // What is wrong, and what is large, is found now.
        let compiled = if is_small { OnceLock::new() } else { Some(compile(text, flags)?).into() };
        Ok(Self { text: text.into(), flags, compiled })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn is_match(&self, value: &str) -> bool {
        // What waits until now can't fail. Should it: rather an alert too many than silence.
        let compiled = self.compiled.get_or_init(|| compile(&self.text, self.flags).ok());
        compiled.as_ref().is_none_or(|compiled| compiled.is_match(value))
    }
}

fn compile(text: &str, flags: RegexFlags) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .size_limit(MAX_BYTES)
        .build()
}

/// An upper bound of the states that it compiles to; `None` when it is not known to be bounded.
fn size(hir: &Hir) -> Option<usize> {
    let all = |parts: &[Hir]| parts.iter().try_fold(1_usize, |sum, part| sum.checked_add(size(part)?));
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(1),
        HirKind::Literal(literal) => Some(literal.0.len() + 1),
        HirKind::Class(Class::Unicode(class)) => {
            Some(class.iter().map(|range| if range.end().is_ascii() { 1 } else { RANGE }).sum())
        }
        HirKind::Class(Class::Bytes(class)) => Some(class.ranges().len()),
        HirKind::Capture(capture) => size(&capture.sub)?.checked_add(2),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            (size(&repetition.sub)? + 2).checked_mul(usize::try_from(times).ok()?.checked_add(1)?)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => all(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_ones_wait_and_all_find_the_same() {
        let none = RegexFlags::default();
        for (text, waits) in [
            (r"^arn:[^:]+:iam::\d{5}:user/", true),
            (":i-[0-9a-f]{8,17}$", true),
            ("(a|b)*c", true),
            (r"\w{20}", false),
            (r"\d{12}", false),
        ] {
            let expression = Expression::new(text, none).unwrap();
            assert_eq!(expression.compiled.get().is_none(), waits, "{text}");
            for value in ["arn:aws:iam::111122223333:user/alice", "x:i-0123456789abcdef0", "abbac", ""] {
                assert_eq!(expression.is_match(value), Regex::new(text).unwrap().is_match(value), "{text} {value}");
            }
        }
        // The largest that wait.
        for text in ["a{2400}", "[a-z]{3000}", "[\u{100}-\u{10ffff}]{400}", "(?:a|[b-d]|é){1000}"] {
            let expression = Expression::new(text, none).unwrap();
            assert!(expression.compiled.get().is_none(), "{text}");
            expression.is_match("");
            assert!(expression.compiled.get().is_some_and(Option::is_some), "{text}");
        }
        assert!(Expression::new("(a", none).is_err());
        assert!(Expression::new(r"\w{1000}{1000}", none).is_err());
    }
}
