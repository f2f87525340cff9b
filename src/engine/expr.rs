//! A rule's detection with every name resolved.

use std::net::IpAddr;
use std::ops::ControlFlow;

use ipnet::IpNet;

use crate::trail::{FieldValue, Record};

use super::Knowledge;
use super::field::Field;
use super::matcher::TextMatcher;

/// Holds or doesn't hold for a record; evaluating it cannot fail.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    All(Vec<Expr>),
    Any(Vec<Expr>),
    Not(Box<Expr>),
    Exists {
        field: Field,
        expected: bool,
    },
    /// A field, or the whole record for keywords, against values: any of them, or every one.
    Values {
        field: Option<Field>,
        tests: Vec<ValueTest>,
        every: bool,
    },
}

/// One value of a rule.
#[derive(Debug, Clone)]
pub(super) enum ValueTest {
    Text(TextMatcher),
    Network(IpNet),
    /// The field is missing or null.
    Null,
}

impl Expr {
    pub(super) fn holds(&self, record: &Record<'_>, knowledge: &Knowledge) -> bool {
        match self {
            Self::All(terms) => terms.iter().all(|term| term.holds(record, knowledge)),
            Self::Any(terms) => terms.iter().any(|term| term.holds(record, knowledge)),
            Self::Not(term) => !term.holds(record, knowledge),
            Self::Exists { field, expected } => field.exists(record, knowledge) == *expected,
            Self::Values { field: None, tests, every } => quantify(tests, *every, |test| test.matches_anywhere(record)),
            Self::Values { field: Some(field), tests, every } => {
                quantify(tests, *every, |test| test.matches(field, record, knowledge))
            }
        }
    }
}

fn quantify(tests: &[ValueTest], every: bool, matches: impl FnMut(&ValueTest) -> bool) -> bool {
    if every { tests.iter().all(matches) } else { tests.iter().any(matches) }
}

impl ValueTest {
    /// A list in the record matches if any of its elements does.
    fn matches(&self, field: &Field, record: &Record<'_>, knowledge: &Knowledge) -> bool {
        let found = field.visit(record, knowledge, &mut |value| {
            if self.accepts(&value) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        found.is_break() || (matches!(self, Self::Null) && !field.exists(record, knowledge))
    }

    fn accepts(&self, value: &FieldValue<'_>) -> bool {
        match (self, value.text()) {
            (Self::Null, text) => text.is_none(),
            (_, None) => false,
            (Self::Text(matcher), Some(text)) => matcher.matches(text),
            // What is no address, such as a service's name, lies in no network.
            (Self::Network(network), Some(text)) => {
                text.parse::<IpAddr>().is_ok_and(|address| network.contains(&address.to_canonical()))
            }
        }
    }

    fn matches_anywhere(&self, record: &Record<'_>) -> bool {
        let Self::Text(matcher) = self else { return false };
        record
            .visit_all(&mut |text| {
                if matcher.matches(text) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .is_break()
    }
}
