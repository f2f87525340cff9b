//! Conditions that compare a number.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::yaml::{Code, Diagnostic, Kind, Node};

use super::CorrelationType;
use crate::sigma::shape::Shape;

/// What a measured number is held against. All have to hold, so that two make a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bounds(pub Vec<(Operator, f64)>);

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of the specification")]
pub enum Operator {
    Gt,
    Gte,
    Lt,
    Lte,
    Eq,
    Neq,
}

impl Operator {
    const WORDS: &[(&str, Self)] = &[
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("eq", Self::Eq),
        ("neq", Self::Neq),
    ];

    #[expect(clippy::float_cmp, reason = "counts are exact, and of other numbers the author asks for just this")]
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Gt => number > bound,
            Self::Gte => number >= bound,
            Self::Lt => number < bound,
            Self::Lte => number <= bound,
            Self::Eq => number == bound,
            Self::Neq => number != bound,
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (operator, bound)) in self.0.iter().enumerate() {
            let word = Operator::WORDS.iter().find(|(_, known)| known == operator).map_or("", |(word, _)| *word);
            write!(f, "{}{word} {bound}", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl Bounds {
    /// Whether a number is within all of them.
    #[must_use]
    pub fn hold(&self, number: f64) -> bool {
        self.0.iter().all(|(operator, bound)| operator.holds(number, *bound))
    }

    /// Whether any number but 0 is; of counts, whether any from 1 to `most`.
    ///
    /// It is enough to try the bounds and their neighbours: between two neighbouring bounds nothing changes.
    fn can_hold(&self, most: Option<f64>) -> bool {
        let near = |bound: f64| match most {
            Some(_) => [bound - 1.0, bound, bound + 1.0],
            None => [bound.next_down(), bound, bound.next_up()],
        };
        let possible = |number: &f64| most.is_none_or(|most| (1.0..=most).contains(number));
        let ends = [1.0, most.unwrap_or(1.0)];
        self.0.iter().flat_map(|(_, bound)| near(*bound)).chain(ends).filter(possible).any(|number| self.hold(number))
    }
}

pub(super) fn parse(shape: Shape<'_>, node: &Node, kind: CorrelationType, rules: usize) -> Result<Bounds, Diagnostic> {
    let words: Vec<&str> = Operator::WORDS.iter().map(|(word, _)| *word).collect();
    let others = ["field", "percentile"];
    shape.only(node, &[&words[..], &others].concat())?;
    let mut bounds = Vec::new();
    for (word, operator) in Operator::WORDS {
        if let Some(node) = node.get(word) {
            bounds.push((*operator, number(shape, node, word)?));
        }
    }
    if bounds.is_empty() {
        return Err(shape
            .error(Code::Missing, &node.span, "the condition compares nothing")
            .advise(format!("one of {}, as in `gte: 10`", words.join(", "))));
    }
    let bounds = Bounds(bounds);
    check(shape, node, &bounds, kind, rules)?;
    Ok(bounds)
}

/// A number that is one: neither infinite nor written in another way.
pub(super) fn number(shape: Shape<'_>, node: &Node, what: &str) -> Result<f64, Diagnostic> {
    let Kind::Text(text) = &node.kind else { return Err(shape.wrong(node, what, "a number")) };
    text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| {
        shape.error(Code::WrongType, &node.span, format!("`{what}` has to be a number, which `{text}` is not"))
    })
}

fn check(
    shape: Shape<'_>,
    node: &Node,
    bounds: &Bounds,
    kind: CorrelationType,
    rules: usize,
) -> Result<(), Diagnostic> {
    let error = |message: String| shape.error(Code::Correlation, &node.span, message);
    if kind.counts()
        && let Some((_, part)) = bounds.0.iter().find(|(_, bound)| bound.fract() != 0.0)
    {
        return Err(error(format!("a count is a whole number, which {part} is not")));
    }
    let most = match kind {
        _ if kind.is_temporal() => Some(u32::try_from(rules).map_or(f64::MAX, f64::from)),
        _ if kind.counts() => Some(f64::MAX),
        _ => None,
    };
    let can_hold = bounds.can_hold(most);
    // The sum of nothing is 0 as well. An average or percentile of nothing is no number, so that nothing holds for it.
    if (kind.counts() || kind == CorrelationType::ValueSum) && bounds.hold(0.0) {
        let advice = if can_hold { "add a lower bound, such as `gte: 1`" } else { "absence can't be alerted on" };
        return Err(
            error("the condition also holds when nothing happens, which no event tells of".to_owned()).advise(advice)
        );
    }
    if can_hold {
        return Ok(());
    }
    let advice = if kind.is_temporal() {
        format!("it counts different rules, of which there are {rules}")
    } else {
        "the bounds exclude each other".to_owned()
    };
    Err(error("the condition can never hold".to_owned()).advise(advice))
}
