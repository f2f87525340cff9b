//! Rules that can match records of one event source only.
//!
//! Names of calls repeat from service to service: whoever looks for `GetResourcePolicy` of one finds the rules of twenty. A number for
//! each rule tells them apart without a look at the rules.

use hashbrown::HashMap;

use crate::engine::context::Context;
use crate::engine::expr::{Expr, Identifier};
use crate::engine::field::Field;
use crate::engine::fold::fold;
use crate::trail::{FieldPath, Written};

use super::RuleIndex;
use super::access::{Key, Place, of_item};

/// No source in particular.
const ANY: u32 = 0;
/// None that a rule asks for.
const OTHER: u32 = 1;

/// Which source each rule asks for.
#[derive(Debug)]
pub(super) struct Sources {
    field: FieldPath,
    /// The sources that rules ask for, folded.
    numbers: HashMap<Box<str>, u32>,
    /// By rule.
    asked_for: Vec<u32>,
}

impl Default for Sources {
    fn default() -> Self {
        Self { field: FieldPath::new("eventSource"), numbers: HashMap::new(), asked_for: Vec::new() }
    }
}

impl Sources {
    /// Adds the next rule.
    pub(super) fn add(&mut self, condition: &Expr, identifiers: &[Identifier]) {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX).saturating_add(OTHER + 1);
        let number = only(condition, identifiers).map_or(ANY, |source| *self.numbers.entry(source).or_insert(next));
        self.asked_for.push(number);
    }

    /// Keeps the rules that the record's source doesn't rule out.
    pub(super) fn retain(&self, context: &Context<'_, '_>, rules: &mut Vec<RuleIndex>) {
        if rules.is_empty() {
            return;
        }
        if let Some(source) = self.source(context) {
            // OK because every rule was added.
            rules.retain(|rule| [ANY, source].contains(&self.asked_for[*rule as usize]));
        }
    }

    /// The number of the record's source; `None` where it is not a plain text.
    fn source(&self, context: &Context<'_, '_>) -> Option<u32> {
        let Written::Here(json) = context.record.written(&self.field) else { return None };
        let text = json.strip_prefix('"')?.strip_suffix('"')?;
        if text.contains('\\') {
            return None;
        }
        context.room.folded.with(|buffer| {
            let text = if fold(text, buffer) { buffer.as_str() } else { text };
            Some(self.numbers.get(text).copied().unwrap_or(OTHER))
        })
    }
}

/// The one source that `expr` can't hold without, folded.
fn only(expr: &Expr, identifiers: &[Identifier]) -> Option<Box<str>> {
    match expr {
        Expr::All(terms) => terms.iter().find_map(|term| only(term, identifiers)),
        Expr::Any(terms) => same(terms.iter().map(|term| only(term, identifiers))),
        // OK because compiling resolved every name to its place in the list.
        Expr::Identifier(index) => only(&identifiers[*index].expr, identifiers),
        Expr::Not(_) | Expr::Exists { .. } => None,
        Expr::Item(item) => same(of_item(item)?.keys.into_iter().map(|key| match key {
            (Place::Field(Field::Raw(path)), Key::Exact(source)) if path.as_str() == "eventSource" => Some(source),
            _ => None,
        })),
    }
}

/// What all of them are.
fn same(mut sources: impl Iterator<Item = Option<Box<str>>>) -> Option<Box<str>> {
    let first = sources.next()??;
    sources.all(|source| source.as_ref() == Some(&first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use crate::engine::{Organisation, RuleSet};
    use crate::sigma;
    use crate::trail::Record;
    use crate::yaml::SourceFile;

    /// How many of one rule with this detection are held against each of the records.
    fn tried(detection: &str, records: &[&str]) -> Vec<usize> {
        let rule = format!(
            "title: t\nid: r\nlevel: low\nlogsource: {{product: aws, service: cloudtrail}}\ndetection:\n{detection}"
        );
        let (rules, errors) = RuleSet::compile(
            &sigma::parse(&SourceFile::new("t.yml", rule.as_str())),
            &Organisation::default(),
            jiff::civil::date(2026, 11, 5),
        );
        assert!(errors.is_empty(), "{errors:?}");
        let mut matcher = rules.matcher();
        let tried = |raw: &&str| {
            let record = Record::parse(0, raw.as_bytes()).unwrap();
            let met = matcher.matches(&record).len();
            assert_eq!(met, rules.matches_one_by_one(&record).len(), "{raw}");
            matcher.tried()
        };
        records.iter().map(tried).collect()
    }

    #[test]
    fn a_rule_of_one_source_is_not_held_against_another() {
        let records = [
            r#"{"eventName":"A","eventSource":"S.amazonaws.com"}"#,
            r#"{"eventName":"A","eventSource":"t.amazonaws.com"}"#,
            r#"{"eventName":"A","eventSource":["s.amazonaws.com","t.amazonaws.com"]}"#,
            r#"{"eventName":"A","eventSource":"\u0073.amazonaws.com"}"#,
            r#"{"eventName":"A"}"#,
        ];
        let one = "  s:\n    eventName: A\n    eventSource: s.amazonaws.com\n  condition: s";
        assert_eq!(tried(one, &records), [1, 0, 1, 1, 1]);
        for any in [
            "  s:\n    eventName: A\n    eventSource: [s.amazonaws.com, t.amazonaws.com]\n  condition: s",
            "  s:\n    eventName: A\n    eventSource|startswith: s\n  condition: s",
            "  s:\n    eventName: A\n    eventSource: [s.amazonaws.com, null]\n  condition: s",
            "  s:\n    eventName: A\n  f:\n    eventSource: s.amazonaws.com\n  condition: s and not f",
            "  s:\n    eventName: A\n  f:\n    eventSource: s.amazonaws.com\n  condition: s or f",
        ] {
            assert_eq!(tried(any, &records), [1; 5], "{any}");
        }
        let both = "  s:\n    eventName: A\n    eventSource: s.amazonaws.com\n  t:\n    eventSource: S.AMAZONAWS.COM\n    eventName: A\n  condition: s or t";
        assert_eq!(tried(both, &records), [1, 0, 1, 1, 1]);
    }
}
