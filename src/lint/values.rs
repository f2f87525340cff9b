//! Lints of values and of modifiers that don't fit them.

use crate::engine::is_placeholder;
use crate::sigma::{Comparison, DetectionItem, Pattern, Token, Value};
use crate::yaml::{Code, Diagnostic};

use super::subject::{Subject, compares_text, modifier};

/// The specification gives `all` a list; other tools refuse one value.
pub(super) fn single_all(subject: &Subject<'_>, item: &DetectionItem) -> Vec<Diagnostic> {
    if !item.modifiers.all || item.values.len() != 1 {
        return Vec::new();
    }
    let message = "`all` means nothing with one value, and other tools refuse it";
    vec![subject.warn(Code::SingleAll, &modifier(item, "all"), message).advise("leave it out")]
}

/// The specification wants `null` by itself; some tools refuse the list, others look for the word.
pub(super) fn null_in_list(subject: &Subject<'_>, item: &DetectionItem) -> Vec<Diagnostic> {
    let null = item.values.iter().find(|value| value.text.is_none()).filter(|_| item.values.len() > 1);
    let warning = |null: &Value| {
        let message = "other tools refuse `null` among other values, or take it as text";
        let advice = "give it a search identifier of its own, joined by `or`";
        subject.warn(Code::NullInList, &null.span, message).advise(advice)
    };
    null.map(warning).into_iter().collect()
}

/// A value that fits every text asks nothing but that there is one.
pub(super) fn wildcard_only(subject: &Subject<'_>, item: &DetectionItem) -> Vec<Diagnostic> {
    let Some(field) = item.field.as_ref().filter(|_| compares_text(item)) else { return Vec::new() };
    let warning = |value: &Value| {
        let text = value.text.as_deref()?;
        let pattern = Pattern::new(text).widened(item.modifiers.comparison);
        let message = match text {
            "" => "an empty text is part of every text".to_owned(),
            _ => format!("`{text}` fits every text, the empty one, too"),
        };
        let advice = format!("write `{0}|exists: true`, or `{0}: '?*'` for a text that is not empty", field.text);
        (pattern.tokens() == [Token::Any])
            .then(|| subject.warn(Code::WildcardOnly, &value.span, message).advise(advice))
    };
    item.values.iter().filter_map(warning).collect()
}

/// `contains` and the like bring their own wildcards; one more does nothing, or makes `startswith` a `contains`.
pub(super) fn double_wildcards(subject: &Subject<'_>, item: &DetectionItem) -> Vec<Diagnostic> {
    let comparison = item.modifiers.comparison;
    let word = match comparison {
        Comparison::Contains => "contains",
        Comparison::StartsWith => "startswith",
        Comparison::EndsWith => "endswith",
        _ => return Vec::new(),
    };
    let warning = |value: &Value| {
        let pattern = Pattern::new(value.text.as_deref()?);
        let (first, last) =
            (pattern.tokens().first() == Some(&Token::Any), pattern.tokens().last() == Some(&Token::Any));
        if pattern.tokens().len() < 2 {
            return None; // a wildcard and nothing else
        }
        let (message, advice) = match (comparison, first, last) {
            (Comparison::StartsWith, true, _) | (Comparison::EndsWith, _, true) => {
                (format!("a `*` at this end makes `{word}` a `contains`"), "leave the star out, or write `contains`")
            }
            (_, false, false) => return None,
            _ => (format!("`{word}` brings this `*` by itself"), "leave the star out"),
        };
        Some(subject.warn(Code::DoubleWildcard, &value.span, message).advise(advice))
    };
    item.values.iter().filter(|_| compares_text(item)).filter_map(warning).collect()
}

/// `%name%` is a text of six letters unless `expand` stands before it.
pub(super) fn placeholder_without_expand(subject: &Subject<'_>, item: &DetectionItem) -> Vec<Diagnostic> {
    let text = compares_text(item) || item.modifiers.comparison == Comparison::Cidr;
    if item.modifiers.expand || !text {
        return Vec::new();
    }
    let warning = |value: &Value| {
        let name = value.text.as_deref()?.strip_prefix('%')?.strip_suffix('%').filter(|name| is_placeholder(name))?;
        let message = format!("without `expand` `%{name}%` is taken as it is written");
        let advice = format!("write `{}|expand`", item.label);
        Some(subject.warn(Code::PlaceholderWithoutExpand, &value.span, message).advise(advice))
    };
    item.values.iter().filter_map(warning).collect()
}

/// Values without `%name%` are compared as they are.
pub(super) fn expand_without_placeholder(subject: &Subject<'_>, item: &DetectionItem) -> Vec<Diagnostic> {
    let mut texts = item.values.iter().filter_map(|value| value.text.as_deref());
    if !item.modifiers.expand || texts.any(has_placeholder) {
        return Vec::new();
    }
    let message = "`expand` finds no `%name%` to fill";
    let advice = "leave it out, or write the placeholder with percent signs; its name has no spaces";
    vec![subject.warn(Code::ExpandWithoutPlaceholder, &modifier(item, "expand"), message).advise(advice)]
}

fn has_placeholder(text: &str) -> bool {
    let parts: Vec<&str> = text.split('%').collect();
    parts.len() > 2 && parts[1..parts.len() - 1].iter().any(|part| is_placeholder(part))
}
