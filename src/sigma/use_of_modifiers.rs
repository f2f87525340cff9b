//! What modifiers ask of the field in front of them and the values behind them.

use crate::yaml::{Code, Diagnostic, Key, Node, Span};

use super::detection::{DetectionItem, Value};
use super::modifier::{Comparison, Transform};
use super::shape::Shape;
use super::value::{Pattern, Token};

pub(super) fn check(shape: Shape<'_>, item: &DetectionItem, key: &Key, node: &Node) -> Result<(), Diagnostic> {
    let DetectionItem { field, modifiers, values, .. } = item;
    if field.is_none() {
        keyword(shape, item, key)?;
    }
    if modifiers.comparison == Comparison::Exists {
        let boolean = matches!(values.as_slice(), [Value { text: Some(text), .. }] if ["true", "false"].contains(&text.to_lowercase().as_str()));
        return if boolean {
            Ok(())
        } else {
            Err(misuse(shape, &node.span, "`exists` takes true or false", "`field|exists: true`"))
        };
    }
    values.iter().try_for_each(|value| match &value.text {
        None => null(shape, item, &value.span),
        Some(text) => text_value(shape, item, text, &value.span),
    })
}

fn keyword(shape: Shape<'_>, item: &DetectionItem, key: &Key) -> Result<(), Diagnostic> {
    let text = matches!(item.modifiers.comparison, Comparison::Equals | Comparison::Contains | Comparison::Regex(_));
    if !text || item.modifiers.fieldref {
        return Err(misuse(shape, &key.span, "this modifier needs a field in front of it", "`field|modifier: value`"));
    }
    match item.values.iter().find(|value| value.text.is_none()) {
        Some(null) => Err(misuse(shape, &null.span, "null is no keyword", "use `field: null`")),
        None => Ok(()),
    }
}

fn null(shape: Shape<'_>, item: &DetectionItem, span: &Span) -> Result<(), Diagnostic> {
    let modifiers = &item.modifiers;
    if modifiers.comparison == Comparison::Equals && modifiers.transforms.is_empty() && !modifiers.fieldref {
        return Ok(());
    }
    let advice = "use `field: null` in a selection of its own";
    Err(misuse(shape, span, "null can't be compared in part or encoded", advice))
}

fn text_value(shape: Shape<'_>, item: &DetectionItem, text: &str, span: &Span) -> Result<(), Diagnostic> {
    let modifiers = &item.modifiers;
    let has_wildcards = || Pattern::new(text).tokens().iter().any(|token| !matches!(token, Token::Literal(_)));
    match modifiers.comparison {
        Comparison::Number(_) if number(text).is_none() => {
            Err(misuse(shape, span, format!("`{text}` is no number"), "this modifier compares numbers"))
        }
        Comparison::Time(part, _) => {
            let range = part.range();
            if text.parse().is_ok_and(|number: i64| range.contains(&number)) {
                return Ok(());
            }
            let advice = format!("a whole number from {} to {}", range.start(), range.end());
            Err(misuse(shape, span, format!("`{text}` is no such part of a time"), advice))
        }
        _ if modifiers.fieldref && has_wildcards() => {
            Err(misuse(shape, span, "a field's name has no wildcards", "name one field, or list several"))
        }
        _ if encodes(&modifiers.transforms) && has_wildcards() => {
            let advice = r"write `\*` for a star; `contains` goes behind the encoding";
            Err(misuse(shape, span, "wildcards can't be encoded", advice))
        }
        _ => Ok(()),
    }
}

fn encodes(transforms: &[Transform]) -> bool {
    transforms.iter().any(|transform| *transform != Transform::WinDash)
}

/// A number as JSON writes it: no leading zeros or plus sign, so that account ids stay texts.
pub(crate) fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leading_zero = digits.starts_with('0') && digits.len() > 1 && digits.as_bytes()[1].is_ascii_digit();
    if leading_zero || !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn misuse(shape: Shape<'_>, span: &Span, why: impl Into<String>, advice: impl Into<String>) -> Diagnostic {
    shape.error(Code::ModifierUse, span, why).advise(advice)
}
