//! Lints of regular expressions.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind, Look};

use crate::sigma::{Comparison, DetectionItem, Value};
use crate::yaml::{Code, Diagnostic};

use super::subject::{Subject, modifier};

/// What an expression asks for, where a text comparison asks the same.
#[derive(Debug, PartialEq, Eq)]
struct Plain {
    /// `contains` and the like; empty for the whole value.
    modifier: &'static str,
    /// The value, with Sigma's escapes.
    value: String,
}

/// A text comparison is read faster by people and found faster by the index.
pub(super) fn could_be_text(subject: &Subject<'_>, item: &DetectionItem) -> Vec<Diagnostic> {
    let (Comparison::Regex(flags), Some(field)) = (item.modifiers.comparison, &item.field) else { return Vec::new() };
    if item.modifiers.expand || flags.multi_line {
        return Vec::new();
    }
    let plain: Option<Vec<(Plain, &Value)>> =
        item.values.iter().map(|value| Some((plain(value.text.as_deref()?)?, value))).collect();
    // Values that ask for different comparisons can't share a key.
    let Some(values) = plain.filter(|plain| plain.windows(2).all(|pair| pair[0].0.modifier == pair[1].0.modifier))
    else {
        return Vec::new();
    };
    let warning = |(plain, value): (Plain, &Value)| {
        let cased = if flags.ignore_case { "" } else { "|cased" };
        let advice = format!("write `{}{}{cased}: {}`", field.text, plain.modifier, quoted(&plain.value));
        let message = "this expression asks for a text, not for a pattern";
        subject.warn(Code::RegexCouldBeText, &value.span, message).advise(advice)
    };
    values.into_iter().map(warning).collect()
}

/// A literal between `.*` and anchors, or nothing but it.
fn plain(expression: &str) -> Option<Plain> {
    let hir = ParserBuilder::new().build().parse(expression).ok()?;
    let parts = match hir.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => std::slice::from_ref(&hir),
    };
    let is_look = |hir: Option<&Hir>, look: Look| hir.is_some_and(|hir| *hir.kind() == HirKind::Look(look));
    let (start, parts) = match parts {
        [first, rest @ ..] if is_look(Some(first), Look::Start) => (true, rest),
        parts => (false, parts),
    };
    let (end, parts) = match parts {
        [rest @ .., last] if is_look(Some(last), Look::End) => (true, rest),
        parts => (false, parts),
    };
    let (open_start, parts) = match parts {
        [first, rest @ ..] if is_anything(first) => (true, rest),
        parts => (false, parts),
    };
    let (open_end, parts) = match parts {
        [rest @ .., last] if is_anything(last) => (true, rest),
        parts => (false, parts),
    };
    let [literal] = parts else { return None };
    let HirKind::Literal(literal) = literal.kind() else { return None };
    let modifier = match (start && !open_start, end && !open_end) {
        (true, true) => "",
        (true, false) => "|startswith",
        (false, true) => "|endswith",
        (false, false) => "|contains",
    };
    Some(Plain { modifier, value: escaped(std::str::from_utf8(&literal.0).ok()?) })
}

/// `.*`, greedy or not.
fn is_anything(hir: &Hir) -> bool {
    let HirKind::Repetition(repetition) = hir.kind() else { return false };
    let dots = [Hir::dot(regex_syntax::hir::Dot::AnyCharExceptLF), Hir::dot(regex_syntax::hir::Dot::AnyChar)];
    repetition.min == 0 && repetition.max.is_none() && dots.contains(&repetition.sub)
}

fn escaped(literal: &str) -> String {
    literal.replace('\\', r"\\").replace('*', r"\*").replace('?', r"\?")
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Flags in front of an expression are Rust's and Perl's; Sigma has modifiers for them.
///
/// Classes such as `\d` are no part of the specification either, but every tool that is about reads them.
pub(super) fn flavour(subject: &Subject<'_>, item: &DetectionItem) -> Vec<Diagnostic> {
    let Comparison::Regex(_) = item.modifiers.comparison else { return Vec::new() };
    let warning = |value: &Value| {
        let (flags, _) = value.text.as_deref()?.strip_prefix("(?")?.split_once(')')?;
        let known = !flags.is_empty() && flags.chars().all(|flag| matches!(flag, 'i' | 'm' | 's'));
        let modifiers: String = flags.chars().flat_map(|flag| ['|', flag]).collect();
        let place = modifier(item, "re");
        let line = subject.metadata.file.line_column(place.start).0;
        let advice = format!("write `re{modifiers}` on line {line}, and leave `(?{flags})` out");
        let message = format!("not every Sigma tool reads `(?{flags})`");
        known.then(|| subject.warn(Code::RegexFlavour, &value.span, message).advise(advice))
    };
    item.values.iter().filter_map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_a_text_is_told_from_a_pattern() {
        for (expression, expected) in [
            ("abc", Some(("|contains", "abc"))),
            (r"^iam\.amazonaws\.com$", Some(("", "iam.amazonaws.com"))),
            ("^Create.*", Some(("|startswith", "Create"))),
            (".*User$", Some(("|endswith", "User"))),
            ("^.*root.*$", Some(("|contains", "root"))),
            (r"a\*b", Some(("|contains", r"a\*b"))),
            ("a.c", None),
            ("a|b", None),
            ("a.*b", None),
            ("[ab]", None),
            ("(?i)abc", None),
            (".*", None),
            ("^$", None),
        ] {
            let found = plain(expression);
            assert_eq!(found.as_ref().map(|plain| (plain.modifier, plain.value.as_str())), expected, "{expression}");
        }
    }
}
