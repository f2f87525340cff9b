//! The condition that joins search identifiers.
//!
//! ```text
//! or      := and ("or" and)*
//! and     := not ("and" not)*
//! not     := "not" not | primary
//! primary := ("1" | "any" | "all") "of" ("them" | pattern) | identifier | "(" or ")"
//! ```

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::yaml::{Code, Diagnostic, Kind, Node, suggest};

use super::shape::Shape;

/// A condition with its search identifiers resolved to their places in [`super::Detection::identifiers`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of the language")]
pub enum Condition {
    Identifier(usize),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

impl Default for Condition {
    fn default() -> Self {
        Self::Or(Vec::new())
    }
}

const MAX_DEPTH: usize = 100;

/// Parses a condition; a list of them means any.
pub(super) fn parse(shape: Shape<'_>, node: &Node, names: &[&str]) -> Result<Condition, Diagnostic> {
    match &node.kind {
        Kind::List(items) if !items.is_empty() => {
            items.iter().map(|item| one(shape, item, names)).collect::<Result<_, _>>().map(any)
        }
        _ => one(shape, node, names),
    }
}

fn one(shape: Shape<'_>, node: &Node, names: &[&str]) -> Result<Condition, Diagnostic> {
    let text = shape.text(node, "condition")?;
    let mut parser = Parser { shape, node, text, names, tokens: tokens(text), next: 0, depth: 0 };
    let condition = parser.or()?;
    match parser.peek() {
        None => Ok(condition),
        Some("|") => Err(parser
            .unexpected()
            .advise("aggregations belong to Sigma 1; write a correlation, such as one of type `event_count`")),
        Some(_) => Err(parser.unexpected().advise("`and` or `or` is missing before it")),
    }
}

struct Parser<'c> {
    shape: Shape<'c>,
    node: &'c Node,
    text: &'c str,
    names: &'c [&'c str],
    tokens: Vec<Range<usize>>,
    next: usize,
    /// Of parentheses and `not`: parsing recurses, and a stack is finite.
    depth: usize,
}

impl<'c> Parser<'c> {
    fn or(&mut self) -> Result<Condition, Diagnostic> {
        let mut terms = vec![self.and()?];
        while self.take("or") {
            terms.push(self.and()?);
        }
        Ok(any(terms))
    }

    fn and(&mut self) -> Result<Condition, Diagnostic> {
        let mut terms = vec![self.not()?];
        while self.take("and") {
            terms.push(self.not()?);
        }
        Ok(all(terms))
    }

    fn not(&mut self) -> Result<Condition, Diagnostic> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(Code::Condition, "the condition is nested too deeply".to_owned()));
        }
        let condition = if self.take("not") { Condition::Not(Box::new(self.not()?)) } else { self.primary()? };
        self.depth -= 1;
        Ok(condition)
    }

    fn primary(&mut self) -> Result<Condition, Diagnostic> {
        if self.take("(") {
            let inner = self.or()?;
            return if self.take(")") { Ok(inner) } else { Err(self.unexpected().advise("a `)` is missing")) };
        }
        let Some(word) = self.peek() else { return Err(self.unexpected().advise("a search identifier is missing")) };
        let quantified = matches!(word, "1" | "any" | "all") && self.token(self.next + 1) == Some("of");
        if quantified {
            self.next += 2;
            return self.quantified(word == "all");
        }
        if let Some(index) = self.names.iter().position(|name| *name == word) {
            self.next += 1;
            return Ok(Condition::Identifier(index));
        }
        Err(self.unknown(word))
    }

    fn quantified(&mut self, every: bool) -> Result<Condition, Diagnostic> {
        let Some(pattern) = self.peek() else {
            return Err(self.unexpected().advise("`them` or a name with `*` is missing"));
        };
        let matching: Vec<Condition> = self
            .names
            .iter()
            .enumerate()
            .filter(|(_, name)| if pattern == "them" { !name.starts_with('_') } else { selects(pattern, name) })
            .map(|(index, _)| Condition::Identifier(index))
            .collect();
        if matching.is_empty() {
            return Err(self.unknown(pattern));
        }
        self.next += 1;
        Ok(if every { all(matching) } else { any(matching) })
    }

    fn unknown(&self, word: &str) -> Diagnostic {
        if matches!(word, "|" | ")" | "and" | "or" | "of" | "them") {
            return self.unexpected();
        }
        let lower = word.to_lowercase();
        let advice = if ["and", "or", "not"].contains(&lower.as_str()) {
            Some(format!("operators are written in lower case: `{lower}`"))
        } else {
            suggest(word, self.names.iter().copied())
                .or_else(|| Some(format!("the search identifiers are {}", self.names.join(", "))))
        };
        self.error(Code::UnknownIdentifier, format!("no search identifier matches `{word}`")).advise_if(advice)
    }

    fn unexpected(&self) -> Diagnostic {
        let what = self
            .peek()
            .map_or_else(|| "the condition ends too early".to_owned(), |word| format!("`{word}` is not expected here"));
        self.error(Code::Condition, what)
    }

    fn error(&self, code: Code, message: String) -> Diagnostic {
        let part = self.tokens.get(self.next).cloned().unwrap_or(self.text.len()..self.text.len());
        self.shape.error(code, &self.shape.file.part(&self.node.span, self.text, part), message)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.next += usize::from(found);
        found
    }

    fn peek(&self) -> Option<&'c str> {
        self.token(self.next)
    }

    fn token(&self, index: usize) -> Option<&'c str> {
        self.tokens.get(index).map(|range| &self.text[range.clone()])
    }
}

fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut tokens: Vec<Range<usize>> = Vec::new();
    let mut in_word = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        match c {
            _ if c.is_whitespace() => in_word = false,
            '(' | ')' | '|' => {
                tokens.push(at..end);
                in_word = false;
            }
            _ => match tokens.last_mut() {
                Some(word) if in_word => word.end = end,
                _ => {
                    tokens.push(at..end);
                    in_word = true;
                }
            },
        }
    }
    tokens
}

/// `*` stands for any run of characters. Names that start with `_` are only meant when the pattern does too.
fn selects(pattern: &str, name: &str) -> bool {
    if name.starts_with('_') && !pattern.starts_with('_') {
        return false;
    }
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = tail.split('*').collect();
    // OK because splitting gives at least one part.
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn any(mut terms: Vec<Condition>) -> Condition {
    if terms.len() == 1 { terms.remove(0) } else { Condition::Or(terms) }
}

fn all(mut terms: Vec<Condition>) -> Condition {
    if terms.len() == 1 { terms.remove(0) } else { Condition::And(terms) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::SourceFile;

    const NAMES: &[&str] = &["sel_a", "sel_b", "filter", "_hidden", "1"];

    fn parsed(condition: &str) -> Result<String, String> {
        let file = SourceFile::new("t.yml", format!("c: {condition}"));
        let node = file.documents().remove(0).unwrap();
        parse(Shape::new(&file), node.get("c").unwrap(), NAMES).map(|c| shown(&c)).map_err(|error| error.summary())
    }

    fn shown(condition: &Condition) -> String {
        let list =
            |terms: &[Condition], word: &str| format!("({})", terms.iter().map(shown).collect::<Vec<_>>().join(word));
        match condition {
            Condition::Identifier(index) => NAMES[*index].to_owned(),
            Condition::Not(inner) => format!("!{}", shown(inner)),
            Condition::And(terms) => list(terms, " & "),
            Condition::Or(terms) => list(terms, " | "),
        }
    }

    #[test]
    fn precedence_and_quantifiers() {
        for (text, expected) in [
            ("sel_a", "sel_a"),
            ("sel_a or sel_b and not filter", "(sel_a | (sel_b & !filter))"),
            ("(sel_a or sel_b) and not not filter", "((sel_a | sel_b) & !!filter)"),
            ("1 of sel_* and not filter", "((sel_a | sel_b) & !filter)"),
            ("all of sel*", "(sel_a & sel_b)"),
            ("any of *_b", "sel_b"),
            ("1 of them", "(sel_a | sel_b | filter | 1)"),
            ("1 of _*", "_hidden"),
            ("1 or sel_a", "(1 | sel_a)"),
            ("[sel_a, not filter]", "(sel_a | !filter)"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        for deep in ["(".repeat(50_000), "not ".repeat(50_000)] {
            assert!(parsed(&format!("'{deep}sel_a'")).unwrap_err().contains("nested too deeply"));
        }
    }

    #[test]
    fn errors_point_and_advise() {
        for (text, expected) in [
            ("sel_c", "t.yml:1:4: unknown-identifier: no search identifier matches `sel_c` (did you mean `sel_a`?)"),
            (
                "sel_a AND sel_b",
                "t.yml:1:10: condition: `AND` is not expected here (`and` or `or` is missing before it)",
            ),
            (
                "NOT sel_a",
                "t.yml:1:4: unknown-identifier: no search identifier matches `NOT` (operators are written in lower case: `not`)",
            ),
            ("(sel_a", "t.yml:1:10: condition: the condition ends too early (a `)` is missing)"),
            (
                "1 of x*",
                "t.yml:1:9: unknown-identifier: no search identifier matches `x*` (the search identifiers are sel_a, sel_b, filter, _hidden, 1)",
            ),
            (
                "'sel_a | count() > 5'",
                "t.yml:1:11: condition: `|` is not expected here (aggregations belong to Sigma 1; write a correlation, such as one of type `event_count`)",
            ),
        ] {
            assert_eq!(parsed(text), Err(expected.to_owned()), "{text}");
        }
    }
}
