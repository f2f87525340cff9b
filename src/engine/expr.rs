//! A rule's detection with every name resolved, and the one evaluator of it.

use std::ops::{ControlFlow, Deref};
use std::sync::{Arc, OnceLock};

use crate::trail::FieldValue;
use crate::yaml::Text;

use super::context::Context;
use super::field::Field;
use super::value_test::Test;

/// Holds or doesn't hold for a record; evaluating it cannot fail.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    All(Terms),
    Any(Terms),
    Not(Box<Expr>),
    /// A search identifier, by its place in the rule.
    Identifier(usize),
    Exists {
        label: Box<str>,
        field: Field,
        expected: bool,
    },
    Item(Arc<Item>),
    /// A filter that is joined to the rule.
    Filter(Arc<JoinedFilter>),
}

/// A filter, compiled once for all rules that it is joined to.
#[derive(Debug)]
pub(super) struct JoinedFilter {
    pub(super) identifiers: Vec<Identifier>,
    pub(super) condition: Expr,
    /// What trying it takes, as a rank.
    pub(super) cost: u16,
    /// Its number among what several rules ask; none when there are too many of these.
    pub(super) number: Option<u16>,
}

/// Parts that are joined, as the rule writes them, and in which order they are best tried.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    written: Vec<Expr>,
    /// Places in `written`, the cheapest first; empty where that is the order in which they are written.
    cheap_first: Box<[u16]>,
}

impl FromIterator<Expr> for Terms {
    fn from_iter<T: IntoIterator<Item = Expr>>(terms: T) -> Self {
        Self { written: terms.into_iter().collect(), cheap_first: Box::default() }
    }
}

impl Deref for Terms {
    type Target = [Expr];

    fn deref(&self) -> &[Expr] {
        &self.written
    }
}

/// A field, or the whole record for keywords, against values: any of them, or every one.
#[derive(Debug, Clone, Default)]
pub(super) struct Item {
    /// Field, modifiers and values as the rule writes them.
    pub(super) label: Box<str>,
    pub(super) field: Option<Field>,
    pub(super) tests: Vec<Test>,
    pub(super) every: bool,
    pub(super) negated: bool,
    /// Whether the [outline](super::outline) of a record alone says what it comes to.
    pub(super) is_settled: bool,
    /// Its number among what several rules ask, if they do; none when there are too many of these.
    pub(super) number: OnceLock<Option<u16>>,
}

/// A named part of a rule.
#[derive(Debug, Clone)]
pub(super) struct Identifier {
    pub(super) name: Text,
    pub(super) expr: Expr,
}

impl Expr {
    /// Has the cheapest of joined parts tried first, and says what trying it all takes, as a rank. `identifiers` are the ranks of the
    /// search identifiers.
    pub(super) fn arrange(&mut self, identifiers: &[u16]) -> u16 {
        match self {
            Self::All(terms) | Self::Any(terms) if terms.len() == 1 => terms.written[0].arrange(identifiers),
            Self::All(terms) | Self::Any(terms) => {
                let costs: Vec<u16> = terms.written.iter_mut().map(|term| term.arrange(identifiers)).collect();
                if !costs.is_sorted() {
                    let mut places: Vec<u16> = (0..).take(costs.len()).collect();
                    // OK because there is a cost for each place.
                    places.sort_by_key(|place| costs[usize::from(*place)]);
                    terms.cheap_first = places.into();
                }
                costs.into_iter().max().unwrap_or_default()
            }
            Self::Not(term) => term.arrange(identifiers),
            Self::Identifier(index) => identifiers.get(*index).copied().unwrap_or_default(),
            Self::Exists { field, .. } => field.cost(),
            Self::Item(item) => item.field.as_ref().map_or(u16::MAX, Field::cost),
            Self::Filter(filter) => filter.cost,
        }
    }

    /// Whether some record may fulfil it. None does where a list that it asks for is empty.
    pub(super) fn can_hold(&self, identifiers: &[Identifier]) -> bool {
        match self {
            Self::All(terms) => terms.iter().all(|term| term.can_hold(identifiers)),
            Self::Any(terms) => terms.iter().any(|term| term.can_hold(identifiers)),
            // OK because compiling resolved every name to its place in the list.
            Self::Identifier(index) => identifiers[*index].expr.can_hold(identifiers),
            Self::Filter(filter) => filter.condition.can_hold(&filter.identifiers),
            Self::Not(_) | Self::Exists { .. } => true,
            Self::Item(item) if item.negated => true,
            Self::Item(item) if item.every => item.tests.iter().all(Test::can_accept),
            Self::Item(item) => item.tests.iter().any(Test::can_accept),
        }
    }
}

/// Watches an evaluation.
pub(super) trait Observer {
    /// Whether everything is evaluated, or only what decides.
    const THOROUGH: bool;
    /// A part begins.
    fn enter(&mut self, part: Part<'_>);
    /// A value of the field that the part is about; `None` is null.
    fn saw(&mut self, value: Option<&str>);
    /// The part ends.
    fn leave(&mut self, holds: bool);
}

/// A part of a rule, for people.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'e> {
    All,
    Any,
    Not,
    Identifier(&'e str),
    Item(&'e str),
}

/// Watches nothing.
pub(super) struct Unobserved;

impl Observer for Unobserved {
    const THOROUGH: bool = false;
    fn enter(&mut self, _: Part<'_>) {}
    fn saw(&mut self, _: Option<&str>) {}
    fn leave(&mut self, _: bool) {}
}

/// Holds a record against one rule.
pub(super) struct Evaluation<'e, 'c, 'r, O> {
    pub(super) identifiers: &'e [Identifier],
    pub(super) context: &'e Context<'c, 'r>,
    pub(super) observer: O,
}

impl<'e, O: Observer> Evaluation<'e, '_, '_, O> {
    pub(super) fn holds(&mut self, expr: &'e Expr) -> bool {
        match expr {
            Expr::All(terms) => {
                self.observer.enter(Part::All);
                let failed = self.first(terms, false);
                self.left(!failed)
            }
            Expr::Any(terms) => {
                self.observer.enter(Part::Any);
                let met = self.first(terms, true);
                self.left(met)
            }
            Expr::Not(term) => {
                self.observer.enter(Part::Not);
                let holds = !self.holds(term);
                self.left(holds)
            }
            Expr::Identifier(index) => {
                // OK because compiling resolved every name to its place in the list.
                let identifier = &self.identifiers[*index];
                self.observer.enter(Part::Identifier(&identifier.name));
                let holds = self.holds(&identifier.expr);
                self.left(holds)
            }
            Expr::Exists { label, field, expected } => {
                self.observer.enter(Part::Item(label));
                self.show(Some(field));
                let holds = field.exists(self.context) == *expected;
                self.left(holds)
            }
            Expr::Item(item) => {
                self.observer.enter(Part::Item(&item.label));
                self.show(item.field.as_ref());
                let answer = || self.item(item) != item.negated;
                let holds = match item.number.get() {
                    Some(Some(number)) if !O::THOROUGH => self.context.ask(*number, answer),
                    _ => answer(),
                };
                self.left(holds)
            }
            Expr::Filter(filter) => {
                let context = self.context;
                let mut answer = || self.within(filter, Self::holds);
                match filter.number {
                    Some(number) if !O::THOROUGH => context.ask(number, answer),
                    _ => answer(),
                }
            }
        }
    }

    /// Does something with the condition of a filter, which has search identifiers of its own.
    pub(super) fn within<T>(&mut self, filter: &'e JoinedFilter, work: impl FnOnce(&mut Self, &'e Expr) -> T) -> T {
        let outer = std::mem::replace(&mut self.identifiers, &filter.identifiers);
        let result = work(self, &filter.condition);
        self.identifiers = outer;
        result
    }

    fn left(&mut self, holds: bool) -> bool {
        self.observer.leave(holds);
        holds
    }

    /// Whether one of the terms comes out as `wanted`.
    fn first(&mut self, terms: &'e Terms, wanted: bool) -> bool {
        if O::THOROUGH {
            return terms.iter().fold(false, |found, term| (self.holds(term) == wanted) | found);
        }
        if terms.cheap_first.is_empty() {
            return terms.iter().any(|term| self.holds(term) == wanted);
        }
        // OK because the places are those of the terms.
        terms.cheap_first.iter().any(|place| self.holds(&terms.written[usize::from(*place)]) == wanted)
    }

    fn item(&self, item: &Item) -> bool {
        if item.tests.is_empty() {
            return item.every;
        }
        if item.every {
            item.tests.iter().all(|test| self.met(item, std::slice::from_ref(test)))
        } else {
            self.met(item, &item.tests)
        }
    }

    /// Whether a value of the field meets one of the tests. A list in the record matches if any of its elements does.
    fn met(&self, item: &Item, tests: &[Test]) -> bool {
        let mut visit = |value: FieldValue<'_>| {
            if Test::any_accepts(tests, value, self.context) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let Some(field) = &item.field else { return self.context.record.visit_all(&mut visit).is_break() };
        field.visit(self.context, &mut visit).is_break()
            || (tests.iter().any(Test::accepts_null) && !field.exists(self.context))
    }

    fn show(&mut self, field: Option<&Field>) {
        if let (true, Some(field)) = (O::THOROUGH, field) {
            let mut buffer = String::new();
            let _: ControlFlow<()> = field.visit(self.context, &mut |value| {
                self.observer.saw(value.text(&mut buffer));
                ControlFlow::Continue(())
            });
        }
    }
}
