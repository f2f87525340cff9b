//! Modifiers of a field: `eventName|startswith`, `requestParameters|contains|all`, `userAgent|wide|base64offset|contains`.

use serde::{Deserialize, Serialize};

use crate::yaml::{Code, Diagnostic, Span, suggest};

use super::shape::Shape;

/// How a field's value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    Regex(RegexFlags),
    /// `cidr`: an address in a network.
    Cidr,
    /// `exists`: the field is there, be it null.
    Exists,
    /// `lt`, `lte`, `gt`, `gte`: a number.
    Number(NumberOperator),
    /// `minute`, `hour`, …: a part of a time, equal to a number or compared with it.
    Time(TimePart, Option<NumberOperator>),
}

/// `i`, `m` and `s` behind `re`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct RegexFlags {
    /// `i`: upper and lower case are the same.
    pub ignore_case: bool,
    /// `m`: `^` and `$` stand for the ends of a line, too.
    pub multi_line: bool,
    /// `s`: a dot stands for a line's end, too.
    pub dot_all: bool,
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of the specification")]
pub enum NumberOperator {
    Lt,
    Lte,
    Gt,
    Gte,
}

/// The part of a time, in UTC as CloudTrail writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimePart {
    /// 0–59.
    Minute,
    /// 0–23.
    Hour,
    /// Of the month, 1–31.
    Day,
    /// ISO 8601, 1–53.
    Week,
    /// 1–12.
    Month,
    /// As written.
    Year,
}

/// What is done to a value before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transform {
    /// `base64`.
    Base64,
    /// `base64offset`: as it looks inside a longer text, at any of three offsets.
    Base64Offset,
    /// `utf16le`, `wide`.
    Utf16Le,
    /// `utf16be`.
    Utf16Be,
    /// `utf16`: a byte order mark, then little endian.
    Utf16,
    /// `windash`: any dash or slash in front of an option.
    WinDash,
}

/// What stands behind a field's name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "four words of the language that are there or not")]
pub struct Modifiers {
    /// How values are compared.
    pub comparison: Comparison,
    /// What is done to them before, in this order.
    pub transforms: Vec<Transform>,
    /// `all`: every value has to match, not any.
    pub all: bool,
    /// `cased`: upper and lower case differ.
    pub cased: bool,
    /// `neq`: the item matches when it would not without.
    pub negated: bool,
    /// `fieldref`: values name other fields.
    pub fieldref: bool,
    /// `expand`: `%name%` in a value stands for a list of the configuration.
    pub expand: bool,
}

#[derive(Clone, Copy)]
enum Word {
    Comparison(Comparison),
    Time(TimePart),
    Transform(Transform),
    Flag(fn(&mut RegexFlags)),
    Switch(fn(&mut Modifiers) -> &mut bool),
}

const WORDS: &[(&str, Word)] = &[
    ("contains", Word::Comparison(Comparison::Contains)),
    ("startswith", Word::Comparison(Comparison::StartsWith)),
    ("endswith", Word::Comparison(Comparison::EndsWith)),
    ("re", Word::Comparison(Comparison::Regex(RegexFlags { ignore_case: false, multi_line: false, dot_all: false }))),
    ("i", Word::Flag(|flags| flags.ignore_case = true)),
    ("m", Word::Flag(|flags| flags.multi_line = true)),
    ("s", Word::Flag(|flags| flags.dot_all = true)),
    ("cidr", Word::Comparison(Comparison::Cidr)),
    ("exists", Word::Comparison(Comparison::Exists)),
    ("lt", Word::Comparison(Comparison::Number(NumberOperator::Lt))),
    ("lte", Word::Comparison(Comparison::Number(NumberOperator::Lte))),
    ("gt", Word::Comparison(Comparison::Number(NumberOperator::Gt))),
    ("gte", Word::Comparison(Comparison::Number(NumberOperator::Gte))),
    ("minute", Word::Time(TimePart::Minute)),
    ("hour", Word::Time(TimePart::Hour)),
    ("day", Word::Time(TimePart::Day)),
    ("week", Word::Time(TimePart::Week)),
    ("month", Word::Time(TimePart::Month)),
    ("year", Word::Time(TimePart::Year)),
    ("base64", Word::Transform(Transform::Base64)),
    ("base64offset", Word::Transform(Transform::Base64Offset)),
    ("utf16le", Word::Transform(Transform::Utf16Le)),
    ("wide", Word::Transform(Transform::Utf16Le)),
    ("utf16be", Word::Transform(Transform::Utf16Be)),
    ("utf16", Word::Transform(Transform::Utf16)),
    ("windash", Word::Transform(Transform::WinDash)),
    ("all", Word::Switch(|modifiers| &mut modifiers.all)),
    ("cased", Word::Switch(|modifiers| &mut modifiers.cased)),
    ("neq", Word::Switch(|modifiers| &mut modifiers.negated)),
    ("fieldref", Word::Switch(|modifiers| &mut modifiers.fieldref)),
    ("expand", Word::Switch(|modifiers| &mut modifiers.expand)),
];

/// Long forms that other implementations take.
const ALIASES: &[(&str, &str)] = &[("ignorecase", "i"), ("multiline", "m"), ("dotall", "s")];

impl TimePart {
    /// The numbers that it can be.
    #[must_use]
    pub fn range(self) -> std::ops::RangeInclusive<i64> {
        match self {
            Self::Minute => 0..=59,
            Self::Hour => 0..=23,
            Self::Day => 1..=31,
            Self::Week => 1..=53,
            Self::Month => 1..=12,
            Self::Year => 1..=9999,
        }
    }
}

impl Modifiers {
    /// Every modifier's name.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        WORDS.iter().map(|(name, _)| *name)
    }

    /// Reads the modifiers behind a field's name, each with its place.
    pub(super) fn parse<'w>(
        shape: Shape<'_>,
        words: impl Iterator<Item = (&'w str, Span)>,
    ) -> Result<Self, Diagnostic> {
        let mut modifiers = Self::default();
        for (name, span) in words {
            let word = word(shape, name, &span)?;
            modifiers.add(word).and_then(|()| modifiers.check()).map_err(|Misuse { why, advice }| {
                shape.error(Code::ModifierUse, &span, format!("`{name}` {why}")).advise(advice)
            })?;
        }
        Ok(modifiers)
    }

    fn add(&mut self, word: Word) -> Result<(), Misuse> {
        match (word, &mut self.comparison) {
            (Word::Comparison(comparison), Comparison::Equals) => self.comparison = comparison,
            (Word::Comparison(Comparison::Number(operator)), Comparison::Time(_, compared @ None)) => {
                *compared = Some(operator);
            }
            // An expression is looked for anywhere as it is.
            (Word::Comparison(Comparison::Contains), Comparison::Regex(_)) => {}
            (Word::Comparison(Comparison::StartsWith | Comparison::EndsWith), Comparison::Regex(_)) => {
                return Err(Misuse {
                    why: "does nothing behind `re`",
                    advice: "anchor the expression with `^` or `$`",
                });
            }
            (Word::Time(part), Comparison::Equals) => self.comparison = Comparison::Time(part, None),
            (Word::Time(part), Comparison::Number(operator)) => {
                self.comparison = Comparison::Time(part, Some(*operator));
            }
            (Word::Comparison(_) | Word::Time(_), _) => {
                return Err(Misuse { why: "can't be combined with the comparison before it", advice: KEEP_ONE });
            }
            (Word::Flag(set), Comparison::Regex(flags)) => set(flags),
            (Word::Flag(_), _) => return Err(Misuse { why: "stands behind `re` only", advice: "put `re` in front" }),
            (Word::Transform(transform), Comparison::Equals) => self.transforms.push(transform),
            // Dashes are the same whatever stands around them.
            (
                Word::Transform(Transform::WinDash),
                Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith,
            ) => self.transforms.push(Transform::WinDash),
            (Word::Transform(_), _) => {
                return Err(Misuse { why: "changes the value, so it goes first", advice: "`field|base64|contains`" });
            }
            (Word::Switch(switch), _) => {
                if std::mem::replace(switch(self), true) {
                    return Err(Misuse { why: "stands here twice", advice: "leave one out" });
                }
            }
        }
        Ok(())
    }

    /// What the words that were read so far ask of each other.
    fn check(&self) -> Result<(), Misuse> {
        let means_nothing = Err(Misuse { why: "means nothing here", advice: "leave it out" });
        let text = matches!(
            self.comparison,
            Comparison::Equals | Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith
        );
        let regex = matches!(self.comparison, Comparison::Regex(_));
        if self.cased && !text && !regex {
            return means_nothing;
        }
        if self.comparison == Comparison::Exists && (self.all || self.negated || self.expand) {
            return Err(Misuse { why: "can't be combined with `exists`", advice: "`exists` stands alone" });
        }
        if !text && !self.transforms.is_empty() {
            return Err(Misuse { why: "can't be held against an encoded value", advice: KEEP_ONE });
        }
        if self.fieldref && (!text || !self.transforms.is_empty() || self.expand) {
            return Err(Misuse { why: "can't be combined with what is before it", advice: KEEP_ONE });
        }
        if self.expand && !text && !regex && self.comparison != Comparison::Cidr {
            return means_nothing;
        }
        Ok(())
    }
}

const KEEP_ONE: &str = "keep one of the two";

struct Misuse {
    why: &'static str,
    advice: &'static str,
}

fn word(shape: Shape<'_>, name: &str, span: &Span) -> Result<Word, Diagnostic> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| *name);
    WORDS.iter().find(|(known, _)| *known == name).map(|(_, word)| *word).ok_or_else(|| {
        let advice = suggest(name, Modifiers::names())
            .unwrap_or_else(|| format!("known: {}", Modifiers::names().collect::<Vec<_>>().join(", ")));
        shape.error(Code::UnknownModifier, span, format!("`{name}` is not a modifier")).advise(advice)
    })
}
