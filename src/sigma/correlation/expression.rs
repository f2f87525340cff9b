//! Conditions over rules, `a and not b`, of the temporal types.

use serde::{Deserialize, Serialize};

use crate::yaml::{Code, Diagnostic, Kind, Node, suggest};

use super::RuleRef;
use crate::sigma::condition::{self, Condition};
use crate::sigma::shape::Shape;

/// One way to fulfil an expression. Rules by their place in [`super::Correlation::rules`], ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// Rules that have to match; at least one.
    pub present: Vec<usize>,
    /// Rules that must not.
    pub absent: Vec<usize>,
}

/// Multiplied out, an expression of a dozen rules can have thousands of alternatives, and each is looked for.
const MAX_ALTERNATIVES: usize = 100;

impl Alternative {
    pub(super) fn every(rules: usize) -> Self {
        Self { present: (0..rules).collect(), absent: Vec::new() }
    }

    /// Both at once; `None` where they contradict each other.
    fn and(&self, other: &Self) -> Option<Self> {
        let joined = |left: &[usize], right: &[usize]| {
            let mut places = [left, right].concat();
            places.sort_unstable();
            places.dedup();
            places
        };
        let both = Self { present: joined(&self.present, &other.present), absent: joined(&self.absent, &other.absent) };
        (!both.present.iter().any(|rule| both.absent.contains(rule))).then_some(both)
    }
}

/// Reads an expression. It has to name every rule, and can't hold where none of them matched.
pub(super) fn parse(shape: Shape<'_>, node: &Node, rules: &[RuleRef]) -> Result<Vec<Alternative>, Diagnostic> {
    let names: Vec<&str> = rules.iter().map(|rule| rule.text.as_str()).collect();
    let text = shape.text(node, "condition")?;
    known_rules(shape, node, text, &names)?;
    let lower = Node { span: node.span.clone(), kind: Kind::Text(lower_operators(text, &names)) };
    let condition = condition::parse(shape, &lower, &names)?;
    let mut mentioned = vec![false; rules.len()];
    mention(&condition, &mut mentioned);
    if let Some(place) = mentioned.iter().position(|mentioned| !mentioned) {
        let error = shape.error(Code::Correlation, &node.span, format!("the condition leaves out `{}`", names[place]));
        return Err(error.advise("name it, or take it from `rules`"));
    }
    let alternatives = alternatives(&condition, true).ok_or_else(|| {
        let message = format!("multiplied out, the condition has more than {MAX_ALTERNATIVES} alternatives");
        shape.error(Code::Correlation, &node.span, message).advise("split it into several correlations")
    })?;
    if alternatives.is_empty() {
        return Err(shape.error(Code::Correlation, &node.span, "the condition contradicts itself"));
    }
    if alternatives.iter().any(|alternative| alternative.present.is_empty()) {
        return Err(shape
            .error(
                Code::Correlation,
                &node.span,
                "the condition also holds when nothing happens, which no event tells of",
            )
            .advise("ask for a rule that matches, as in `a and not b`"));
    }
    Ok(alternatives)
}

/// The words of an expression, as the parser of conditions takes them apart.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '|'))
        // OK because the pieces are parts of the text.
        .map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
        .filter(|(_, word)| !word.is_empty())
}

/// The rules that an expression names, in its order.
pub(super) fn named(shape: Shape<'_>, node: &Node, text: &str) -> Vec<RuleRef> {
    let mut rules: Vec<RuleRef> = Vec::new();
    for (at, word) in words(text).filter(|(_, word)| !is_operator(word)) {
        if !rules.iter().any(|rule| rule.text == word) {
            let span = shape.file.part(&node.span, text, at..at + word.len());
            rules.push(RuleRef { text: word.into(), span });
        }
    }
    rules
}

fn is_operator(word: &str) -> bool {
    ["and", "or", "not"].iter().any(|operator| word.eq_ignore_ascii_case(operator))
}

/// What is no word of the language has to be one of the rules.
fn known_rules(shape: Shape<'_>, node: &Node, text: &str, names: &[&str]) -> Result<(), Diagnostic> {
    let known = |word: &str| {
        names.contains(&word)
            || is_operator(word)
            || word.contains('*')
            || ["1", "any", "all", "of", "them"].contains(&word)
    };
    let Some((at, word)) = words(text).find(|(_, word)| !known(word)) else { return Ok(()) };
    let span = shape.file.part(&node.span, text, at..at + word.len());
    let advice = suggest(word, names.iter().copied()).unwrap_or_else(|| format!("the rules are {}", names.join(", ")));
    Err(shape.error(Code::Correlation, &span, format!("`{word}` is not among `rules`")).advise(advice))
}

/// The specification's own examples write operators in capitals here.
fn lower_operators(text: &str, names: &[&str]) -> String {
    let mut lower = text.to_owned();
    for (at, word) in words(text).filter(|(_, word)| is_operator(word) && !names.contains(word)) {
        lower.replace_range(at..at + word.len(), &word.to_ascii_lowercase());
    }
    lower
}

fn mention(condition: &Condition, mentioned: &mut [bool]) {
    match condition {
        Condition::Identifier(place) => mentioned[*place] = true,
        Condition::Not(inner) => mention(inner, mentioned),
        Condition::And(terms) | Condition::Or(terms) => terms.iter().for_each(|term| mention(term, mentioned)),
    }
}

/// Multiplies out; `None` when there are too many.
fn alternatives(condition: &Condition, wanted: bool) -> Option<Vec<Alternative>> {
    let (terms, joined_by_and) = match condition {
        Condition::Identifier(place) if wanted => {
            return Some(vec![Alternative { present: vec![*place], absent: Vec::new() }]);
        }
        Condition::Identifier(place) => {
            return Some(vec![Alternative { present: Vec::new(), absent: vec![*place] }]);
        }
        Condition::Not(inner) => return alternatives(inner, !wanted),
        Condition::And(terms) => (terms, wanted),
        Condition::Or(terms) => (terms, !wanted),
    };
    let mut all = if joined_by_and { vec![Alternative::default()] } else { Vec::new() };
    for term in terms {
        let more = alternatives(term, wanted)?;
        all = if joined_by_and { product(&all, &more) } else { [all, more].concat() };
        if all.len() > MAX_ALTERNATIVES {
            return None;
        }
    }
    Some(all)
}

fn product(left: &[Alternative], right: &[Alternative]) -> Vec<Alternative> {
    let mut product: Vec<Alternative> = Vec::new();
    for both in left.iter().flat_map(|left| right.iter().filter_map(|right| left.and(right))) {
        if !product.contains(&both) {
            product.push(both);
        }
        if product.len() > MAX_ALTERNATIVES {
            break; // too many already
        }
    }
    product
}
