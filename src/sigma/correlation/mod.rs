//! The `correlation` section: which rules belong together, and when their matches are worth telling.
//!
//! Only what the document itself shows is checked here; whether the rules exist is found when all are loaded. Language:
//! <https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-correlation-rules-specification.md>

mod bounds;
mod expression;
mod rule;
#[cfg(test)]
mod tests;

use jiff::SignedDuration;

use serde::{Deserialize, Serialize};

use crate::yaml::{Code, Diagnostic, Kind, Node, Span, Text, suggest};

use super::detection::FieldName;
use super::shape::Shape;

pub use bounds::{Bounds, Operator};
pub use expression::Alternative;
pub use rule::CorrelationRule;

/// A correlation whose form is right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Correlation {
    /// What is looked at.
    pub kind: CorrelationType,
    /// The rules that it reads, at least one, each once.
    pub rules: Vec<RuleRef>,
    /// Fields that name the group in which is counted. None: one group for all.
    pub group_by: Vec<FieldName>,
    /// How far apart the events of one window may be. Positive.
    pub timespan: SignedDuration,
    /// When it holds. Never for nothing at all.
    pub condition: CorrelationCondition,
    /// Whose values count. Several, for `value_count` only, count combinations; none for types that don't read values.
    pub fields: Vec<FieldName>,
    /// Which percentile `value_percentile` compares, 0 to 100; 50 for `value_median`.
    pub percentile: Option<f64>,
    /// Names for fields that differ between the rules.
    pub aliases: Vec<Alias>,
    /// Whether the rules also alert by themselves.
    pub generate: bool,
}

/// What a correlation looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of the specification")]
pub enum CorrelationType {
    EventCount,
    ValueCount,
    Temporal,
    TemporalOrdered,
    ValueSum,
    ValueAvg,
    ValuePercentile,
    ValueMedian,
}

/// When a correlation holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CorrelationCondition {
    /// The measured number is within bounds.
    Bounds(Bounds),
    /// Of temporal types: any of these is there. A condition that is left out asks for all rules.
    Rules(Vec<Alternative>),
}

/// The id or name of a rule, and where it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct RuleRef {
    /// As written.
    pub text: Text,
    /// Where.
    pub span: Span,
}

/// One name for fields that are called differently from rule to rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Alias {
    /// The name, as `group-by` and `field` use it.
    pub name: FieldName,
    /// The field in events of a rule, which is called by its id or name whatever [`Correlation::rules`] calls it. Other rules
    /// keep the alias's own name.
    pub fields: Vec<(RuleRef, FieldName)>,
}

const MEMBERS: &[&str] = &["type", "rules", "group-by", "timespan", "timeframe", "condition", "aliases", "generate"];

impl CorrelationType {
    /// Every type with its word.
    pub const WORDS: &[(&str, Self)] = &[
        ("event_count", Self::EventCount),
        ("value_count", Self::ValueCount),
        ("temporal", Self::Temporal),
        ("temporal_ordered", Self::TemporalOrdered),
        ("value_sum", Self::ValueSum),
        ("value_avg", Self::ValueAvg),
        ("value_percentile", Self::ValuePercentile),
        ("value_median", Self::ValueMedian),
    ];

    /// The specification's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize].0
    }

    /// Whether it asks which rules matched, not how often or with what.
    #[must_use]
    pub fn is_temporal(self) -> bool {
        matches!(self, Self::Temporal | Self::TemporalOrdered)
    }

    /// Whether it reads a field's values.
    #[must_use]
    pub fn reads_values(self) -> bool {
        !self.is_temporal() && self != Self::EventCount
    }

    /// Whether what it measures is a count.
    fn counts(self) -> bool {
        self.is_temporal() || matches!(self, Self::EventCount | Self::ValueCount)
    }
}

/// Reads the section `correlation` of a document.
pub(super) fn parse(shape: Shape<'_>, document: &Node) -> Result<Correlation, Diagnostic> {
    let node = shape.required(document, "correlation", "`type`, `rules`, `timespan` and `condition`")?;
    shape.map(node, "correlation")?;
    shape.only(node, MEMBERS)?;
    let kind = shape.required(node, "type", "for example `type: event_count`")?;
    let kind = shape.word(kind, "type of correlation", CorrelationType::WORDS)?;
    let rules = rules(shape, node, kind)?;
    let (condition, fields, percentile) = condition(shape, node, kind, &rules)?;
    let group_by = node.get("group-by").map_or(Ok(Vec::new()), |node| fields_once(shape, node, "group-by"))?;
    let aliases = aliases(shape, node)?;
    aliases.iter().try_for_each(|alias| in_use(shape, alias, &group_by, &fields))?;
    Ok(Correlation {
        kind,
        timespan: timespan(shape, node)?,
        generate: generate(shape, document, node)?,
        rules,
        group_by,
        condition,
        fields,
        percentile,
        aliases,
    })
}

/// An expression over rules names them itself; then `rules` may be left out, as other implementations have it.
fn rules(shape: Shape<'_>, node: &Node, kind: CorrelationType) -> Result<Vec<RuleRef>, Diagnostic> {
    let (rules, span) = match (node.get("rules"), node.get("condition")) {
        (None, Some(condition @ Node { kind: Kind::Text(text), span })) if kind.is_temporal() => {
            (expression::named(shape, condition, text), span)
        }
        _ => listed(shape, node)?,
    };
    if kind == CorrelationType::TemporalOrdered && rules.len() == 1 {
        return Err(shape
            .error(Code::Correlation, span, "one rule has no order")
            .advise("name a second rule, or count its events with `type: event_count`"));
    }
    Ok(rules)
}

fn listed<'n>(shape: Shape<'_>, node: &'n Node) -> Result<(Vec<RuleRef>, &'n Span), Diagnostic> {
    let list = shape.required(node, "rules", "ids or names of the rules, as in `rules: [failed_login]`")?;
    let rules = once(shape, list, "rules")?;
    if rules.is_empty() {
        return Err(shape.error(Code::Missing, &list.span, "`rules` names no rule"));
    }
    Ok((rules.into_iter().map(|(text, span)| RuleRef { text, span }).collect(), &list.span))
}

/// A list of texts, or one text. What stands in it twice was meant to be something else.
fn once(shape: Shape<'_>, node: &Node, what: &str) -> Result<Vec<(Text, Span)>, Diagnostic> {
    let texts = shape.spanned_texts(node, what)?;
    for (place, (text, span)) in texts.iter().enumerate() {
        if texts[..place].iter().any(|(earlier, _)| earlier == text) {
            return Err(shape.error(Code::Correlation, span, format!("`{text}` stands twice in `{what}`")));
        }
    }
    Ok(texts)
}

fn fields_once(shape: Shape<'_>, node: &Node, what: &str) -> Result<Vec<FieldName>, Diagnostic> {
    let texts = once(shape, node, what)?;
    Ok(texts.into_iter().map(|(text, span)| FieldName { text, span }).collect())
}

type Parts = (CorrelationCondition, Vec<FieldName>, Option<f64>);

fn condition(shape: Shape<'_>, node: &Node, kind: CorrelationType, rules: &[RuleRef]) -> Result<Parts, Diagnostic> {
    let every = || CorrelationCondition::Rules(vec![Alternative::every(rules.len())]);
    let given = node.get("condition").filter(|node| node.kind != Kind::Null);
    let Some(condition) = given else {
        return if kind.is_temporal() {
            Ok((every(), Vec::new(), None))
        } else {
            let example = if kind.reads_values() { "`{field: sourceIPAddress, gte: 10}`" } else { "`{gte: 10}`" };
            Err(shape
                .error(Code::Missing, &node.span, "`condition` is missing")
                .advise(format!("what to compare with, as in {example}")))
        };
    };
    match &condition.kind {
        Kind::Map(_) => {
            let fields = fields(shape, condition, kind)?;
            let percentile = percentile(shape, condition, kind)?;
            let bounds = bounds::parse(shape, condition, kind, rules.len())?;
            Ok((CorrelationCondition::Bounds(bounds), fields, percentile))
        }
        Kind::Text(_) if kind.is_temporal() => {
            expression::parse(shape, condition, rules).map(|any| (CorrelationCondition::Rules(any), Vec::new(), None))
        }
        Kind::Text(_) => Err(shape
            .wrong(condition, "condition", "a map")
            .advise("only `temporal` and `temporal_ordered` take an expression over rules")),
        _ => Err(shape.wrong(condition, "condition", "a map, as in `{gte: 10}`")),
    }
}

fn fields(shape: Shape<'_>, condition: &Node, kind: CorrelationType) -> Result<Vec<FieldName>, Diagnostic> {
    let Some((key, node)) = condition.members().iter().find(|(key, _)| key.text == "field") else {
        return if kind.reads_values() {
            Err(shape
                .error(Code::Missing, &condition.span, "`field` is missing")
                .advise(format!("`{}` reads a field's values, as in `field: sourceIPAddress`", kind.as_str())))
        } else {
            Ok(Vec::new())
        };
    };
    if !kind.reads_values() {
        return Err(shape
            .error(Code::Correlation, &key.span, format!("`{}` reads no field", kind.as_str()))
            .advise("leave it out, or count different values with `type: value_count`"));
    }
    let fields = fields_once(shape, node, "field")?;
    match fields.len() {
        0 => Err(shape.error(Code::Missing, &node.span, "`field` names no field")),
        1 => Ok(fields),
        _ if kind == CorrelationType::ValueCount => Ok(fields),
        _ => Err(shape.error(Code::Correlation, &node.span, format!("`{}` reads one field", kind.as_str()))),
    }
}

/// The specification's own example compares without saying which percentile; a guess would be right for nobody.
fn percentile(shape: Shape<'_>, condition: &Node, kind: CorrelationType) -> Result<Option<f64>, Diagnostic> {
    let given = condition.members().iter().find(|(key, _)| key.text == "percentile");
    match (kind, given) {
        (CorrelationType::ValuePercentile, None) => Err(shape
            .error(Code::Missing, &condition.span, "`percentile` is missing")
            .advise("which percentile is compared, 0 to 100, as in `{field: x, percentile: 95, gt: 1000}`")),
        (CorrelationType::ValuePercentile, Some((_, node))) => {
            let percentile = bounds::number(shape, node, "percentile")?;
            if !(0.0..=100.0).contains(&percentile) {
                return Err(shape.error(Code::WrongType, &node.span, "a percentile lies between 0 and 100"));
            }
            Ok(Some(percentile))
        }
        (_, Some((key, _))) => Err(shape
            .error(Code::Correlation, &key.span, format!("`{}` has no percentile", kind.as_str()))
            .advise("leave it out, or use `type: value_percentile`")),
        (CorrelationType::ValueMedian, None) => Ok(Some(50.0)),
        (_, None) => Ok(None),
    }
}

fn timespan(shape: Shape<'_>, node: &Node) -> Result<SignedDuration, Diagnostic> {
    let span = match (node.get("timespan"), node.get("timeframe")) {
        (Some(_), Some(old)) => {
            return Err(shape
                .error(Code::Correlation, &old.span, "`timeframe` is the old name of `timespan`, and both are there")
                .advise("leave `timeframe` out"));
        }
        (None, Some(old)) => old,
        (_, None) => shape.required(node, "timespan", "how far apart the events may be, as in `timespan: 10m`")?,
    };
    let text = shape.text(span, "timespan")?;
    let duration = duration(text).ok_or_else(|| {
        shape
            .error(Code::WrongType, &span.span, format!("`{text}` is no timespan"))
            .advise("a whole number and s, m, h, d, w, M (month) or y, as in `90m`")
    })?;
    if duration.is_zero() {
        return Err(shape.error(Code::WrongType, &span.span, "a timespan has to be longer than nothing"));
    }
    Ok(duration)
}

/// Months and years are a twelfth of and a whole mean Gregorian year, as in other implementations.
fn duration(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        "M" => 2_629_746,
        "y" => 31_556_952,
        _ => return None,
    };
    // OK to parse as unsigned: a sign of either kind is no digit.
    let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse::<i64>().ok())??;
    number.checked_mul(seconds).map(SignedDuration::from_secs)
}

/// Whether the rules of an alias are among `rules` is found when all are there: one may be called by its name, the other by its id.
fn aliases(shape: Shape<'_>, node: &Node) -> Result<Vec<Alias>, Diagnostic> {
    let Some(node) = node.get("aliases").filter(|node| node.kind != Kind::Null) else { return Ok(Vec::new()) };
    let members = shape.map(node, "aliases")?.iter();
    members
        .map(|(key, by_rule)| {
            let fields = shape.map(by_rule, &key.text)?.iter().map(|(rule, field)| {
                let text = shape.text(field, "a field")?.to_owned();
                let rule = RuleRef { text: rule.text.as_str().into(), span: rule.span.clone() };
                Ok((rule, FieldName { text: text.into(), span: field.span.clone() }))
            });
            let fields = fields.collect::<Result<_, _>>()?;
            Ok(Alias { name: FieldName { text: key.text.as_str().into(), span: key.span.clone() }, fields })
        })
        .collect()
}

/// An alias that nothing uses is a misspelt one: grouping would look for a field that no event has.
fn in_use(shape: Shape<'_>, alias: &Alias, group_by: &[FieldName], fields: &[FieldName]) -> Result<(), Diagnostic> {
    let mut users = group_by.iter().chain(fields).map(|field| field.text.as_str());
    if users.clone().any(|name| alias.name.text == name) {
        return Ok(());
    }
    let advice = suggest(&alias.name.text, &mut users).unwrap_or_else(|| "use it there, or leave it out".to_owned());
    Err(shape
        .error(
            Code::Correlation,
            &alias.name.span,
            format!("neither `group-by` nor `field` uses the alias `{}`", alias.name.text),
        )
        .advise(advice))
}

/// The specification has it beside `correlation`, other implementations read it inside.
fn generate(shape: Shape<'_>, document: &Node, node: &Node) -> Result<bool, Diagnostic> {
    let read = |map: &Node| {
        let member = map.get("generate").filter(|node| node.kind != Kind::Null);
        member.map(|node| shape.word(node, "value of generate", &[("true", true), ("false", false)])).transpose()
    };
    match (read(document)?, read(node)?) {
        (Some(outside), Some(inside)) if outside != inside => {
            // OK to fall back on the section: it was just read from there.
            let span = node.get("generate").map_or(&node.span, |node| &node.span);
            Err(shape
                .error(Code::Correlation, span, "`generate` is also set beside `correlation`, to the contrary")
                .advise("leave one of the two out"))
        }
        (outside, inside) => Ok(outside.or(inside).unwrap_or(false)),
    }
}
