//! Modifiers of a field: `eventName|startswith`, `requestParameters|contains|all`.

use crate::yaml::{Code, Diagnostic, Span, suggest};

use super::shape::Shape;

/// How a field's value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Comparison {
    /// The whole value, with wildcards.
    #[default]
    Equals,
    /// `contains`.
    Contains,
    /// `startswith`.
    StartsWith,
    /// `endswith`.
    EndsWith,
    /// `re`: a regular expression, case-sensitive, anywhere in the value.
    Regex,
    /// `cidr`: an address in a network.
    Cidr,
    /// `exists`: the field is there, be it null.
    Exists,
}

/// What stands behind a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modifiers {
    /// How values are compared.
    pub comparison: Comparison,
    /// `all`: every value has to match, not any.
    pub all: bool,
    /// `cased`: upper and lower case differ.
    pub cased: bool,
}

const COMPARISONS: &[(&str, Comparison)] = &[
    ("contains", Comparison::Contains),
    ("startswith", Comparison::StartsWith),
    ("endswith", Comparison::EndsWith),
    ("re", Comparison::Regex),
    ("cidr", Comparison::Cidr),
    ("exists", Comparison::Exists),
];

/// The rest of Sigma 2.1.
const NOT_YET: &[&str] = &[
    "neq",
    "i",
    "m",
    "s",
    "lt",
    "lte",
    "gt",
    "gte",
    "base64",
    "base64offset",
    "wide",
    "utf16le",
    "utf16be",
    "utf16",
    "windash",
    "fieldref",
    "expand",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
];

impl Modifiers {
    /// Reads the modifiers behind a field's name, each with its place.
    pub(super) fn parse<'w>(
        shape: Shape<'_>,
        words: impl Iterator<Item = (&'w str, Span)>,
    ) -> Result<Self, Diagnostic> {
        let mut modifiers = Self::default();
        for (word, span) in words {
            match word {
                "all" => modifiers.all = true,
                "cased" => modifiers.cased = true,
                _ => {
                    let comparison = comparison(shape, word, &span)?;
                    if modifiers.comparison != Comparison::Equals {
                        let message = format!("`{word}` can't be combined with the comparison before it");
                        return Err(shape.error(Code::ModifierUse, &span, message).advise("keep one of the two"));
                    }
                    modifiers.comparison = comparison;
                }
            }
            let alone = matches!(modifiers.comparison, Comparison::Exists | Comparison::Cidr);
            if (alone && modifiers.cased) || (modifiers.comparison == Comparison::Exists && modifiers.all) {
                return Err(shape
                    .error(Code::ModifierUse, &span, format!("`{word}` means nothing here"))
                    .advise("leave it out"));
            }
        }
        Ok(modifiers)
    }
}

fn comparison(shape: Shape<'_>, word: &str, span: &Span) -> Result<Comparison, Diagnostic> {
    if let Some((_, comparison)) = COMPARISONS.iter().find(|(name, _)| *name == word) {
        return Ok(*comparison);
    }
    if NOT_YET.contains(&word) {
        return Err(shape
            .error(Code::Unsupported, span, format!("the modifier `{word}` is not supported yet"))
            .advise("write out what it would match, or leave the rule out"));
    }
    let known = COMPARISONS.iter().map(|(name, _)| *name).chain(["all", "cased"]);
    let advice =
        suggest(word, known.clone()).unwrap_or_else(|| format!("known: {}", known.collect::<Vec<_>>().join(", ")));
    Err(shape.error(Code::UnknownModifier, span, format!("`{word}` is not a modifier")).advise(advice))
}
