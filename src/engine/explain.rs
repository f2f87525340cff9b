//! Why a rule did or did not match a record: the evaluation itself, watched.

use super::context::{Context, Room};
use super::expr::{Evaluation, Observer, Part};
use super::rule_set::RuleSet;
use crate::trail::Record;

/// What one rule made of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the rule matched.
    pub matched: bool,
    /// The rule's conditions, outermost first.
    pub steps: Vec<Step>,
}

/// A part of a rule and whether it held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was asked.
    pub asked: Asked,
    /// Whether it held.
    pub holds: bool,
    /// The values of its field; `None` is null. Empty where the field is absent, and for keywords.
    pub saw: Vec<Option<String>>,
    /// Its parts.
    pub steps: Vec<Step>,
}

/// What a part of a rule asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// All of its parts.
    All,
    /// Any of its parts.
    Any,
    /// The opposite of its part.
    Not,
    /// A search identifier, by name.
    Identifier(String),
    /// A field, its modifiers and the values, as the rule writes them.
    Item(String),
}

impl RuleSet {
    /// Holds a record against the rule with this id, title or name, and tells what each part came to. `None` when there is no such
    /// rule.
    #[must_use]
    pub fn explain(&self, rule: &str, record: &Record<'_>) -> Option<Explanation> {
        let rule = self.rules.iter().find(|known| known.info.is_called(rule))?;
        let mut room = Room::default();
        let context = Context::new(record, &self.knowledge, &mut room);
        let mut recorder = Recorder { open: Vec::new(), done: Vec::new() };
        let mut evaluation = Evaluation { identifiers: &rule.identifiers, context: &context, observer: &mut recorder };
        let matched = evaluation.holds(&rule.condition);
        Some(Explanation { matched, steps: recorder.done })
    }
}

/// Builds the tree as the evaluation goes.
struct Recorder {
    open: Vec<Step>,
    done: Vec<Step>,
}

impl Observer for &mut Recorder {
    const THOROUGH: bool = true;

    fn enter(&mut self, part: Part<'_>) {
        let asked = match part {
            Part::All => Asked::All,
            Part::Any => Asked::Any,
            Part::Not => Asked::Not,
            Part::Identifier(name) => Asked::Identifier(name.to_owned()),
            Part::Item(label) => Asked::Item(label.to_owned()),
        };
        self.open.push(Step { asked, holds: false, saw: Vec::new(), steps: Vec::new() });
    }

    fn saw(&mut self, value: Option<&str>) {
        if let Some(step) = self.open.last_mut() {
            step.saw.push(value.map(str::to_owned));
        }
    }

    fn leave(&mut self, holds: bool) {
        // OK because an evaluation leaves only what it entered.
        let Some(mut step) = self.open.pop() else { return };
        step.holds = holds;
        let siblings = self.open.last_mut().map_or(&mut self.done, |parent| &mut parent.steps);
        // `all of` a single thing is that thing.
        let single = matches!(step.asked, Asked::All | Asked::Any) && step.steps.len() == 1;
        siblings.extend(if single { step.steps } else { vec![step] });
    }
}
