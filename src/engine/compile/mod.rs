//! From a parsed rule to one that can be evaluated: the only step that can fail.

mod common;
mod first_seen;
mod item;
mod placeholder;

use std::cell::RefCell;
use std::fmt::Display;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::sigma::{Condition, Detection, Extension, FieldName, Filter, Metadata, Rule, SearchIdentifier};
use crate::yaml::{Code, Diagnostic, SourceFile, Span, Text};

use super::Organisation;
use super::expr::{Expr, Identifier, JoinedFilter};
use super::field::Field;
use super::rule_set::{CompiledRule, RuleInfo, Tuning};
use super::source::Lack;
use super::title::{Command, Title};

pub(super) use common::Common;
pub(super) use item::network;
pub(crate) use placeholder::is_name as is_placeholder;

/// Findings of one principal, in one account and Region, are one alert unless the rule says otherwise.
const DEFAULT_DEDUP: &[&str] = &["derived.principal", "recipientAccountId", "awsRegion"];
const DEFAULT_WINDOW: SignedDuration = SignedDuration::from_mins(60);

/// Compiles one rule with the filters that are for it, as the organisation wants it.
///
/// An exception of the organisation that can't be compiled is reported to `problems` and left out: a mistake in it may bring
/// an alert too many, but must not switch its rule off. `problems` also gets a warning about what the rule asks for and is not
/// loaded: it would be silence that looks like peace.
pub(super) fn rule(
    rule: &Rule,
    filters: Vec<Arc<JoinedFilter>>,
    organisation: &Organisation,
    common: &Common,
    problems: &mut Vec<Diagnostic>,
) -> Result<CompiledRule, Diagnostic> {
    let Rule { metadata, detection, extension, .. } = rule;
    let change = organisation.overrides.get(&*metadata.id);
    let compiler = Compiler::new(metadata, organisation, common);
    let mut detections = Detections::default();
    compiler.detection(&mut detections, "", detection)?;
    let first_seen = extension.first_seen.as_ref().map(|plan| compiler.first_seen(plan)).transpose()?;
    let lacks_data = compiler.lacks_data();
    for (number, exception) in (1..).zip(&extension.exceptions) {
        let exception = compiler.identifier(exception)?;
        detections.except(format!("exception {number}"), exception);
    }
    let excepted = change.map_or(0, |change| {
        let compiler = Compiler { file: &change.file, ..Compiler::new(metadata, organisation, common) };
        let excepted = detections.except_all(&change.exceptions, &compiler, problems);
        problems.extend(compiler.lacking());
        excepted
    });
    let dedup = match &extension.alert.dedup {
        Some(fields) => Some(compiler.fields(fields)?),
        // What is new is told once, whoever else did something new in that hour.
        None if first_seen.is_some() => None,
        None => Some(DEFAULT_DEDUP.iter().filter_map(|name| Field::new(name).ok()).collect()),
    };
    let title = extension.alert.title.as_ref().map(|title| compiler.title(title)).transpose()?;
    let mut info = info(metadata, extension, &compiler)?;
    (info.tuning.exceptions, info.tuning.filters) = (excepted, filters.len());
    detections.conditions.extend(filters.into_iter().map(Expr::Filter));
    problems.extend(compiler.lacking());
    let (identifiers, condition, _) = detections.arranged();
    Ok(CompiledRule {
        info: Arc::new(info),
        waits: !lacks_data && !condition.can_hold(&identifiers),
        condition,
        identifiers,
        first_seen,
        dedup,
        title,
        told: true,
        lacks_data,
    })
}

/// Compiles one filter for all rules that it is for, and says what it asks for and is not loaded.
pub(super) fn filter(
    filter: &Filter,
    organisation: &Organisation,
    common: &Common,
) -> Result<(Arc<JoinedFilter>, Option<Diagnostic>), Diagnostic> {
    let compiler = Compiler::new(&filter.metadata, organisation, common);
    let mut detections = Detections::default();
    compiler.detection(&mut detections, &format!("filter \"{}\": ", filter.metadata.title), &filter.detection)?;
    let (identifiers, condition, cost) = detections.arranged();
    let joined = JoinedFilter { identifiers, condition, cost, number: common.number() };
    Ok((Arc::new(joined), compiler.lacking()))
}

/// What people are told about a rule or a correlation.
pub(super) fn info(
    metadata: &Metadata,
    extension: &Extension,
    compiler: &Compiler<'_>,
) -> Result<RuleInfo, Diagnostic> {
    let command = |template| Command::new(template, |name| compiler.field(name));
    let change = compiler.organisation.overrides.get(&*metadata.id);
    let alert = &extension.alert;
    let level = change.and_then(|change| change.level).unwrap_or(metadata.level);
    Ok(RuleInfo {
        id: metadata.id.to_string(),
        name: metadata.name.as_ref().map(Text::to_string),
        title: metadata.title.to_string(),
        level,
        mode: change.and_then(|change| change.mode).unwrap_or(extension.mode),
        status: metadata.status,
        changed: metadata.changed.clone(),
        description: metadata.description.clone(),
        references: [metadata.references.as_slice(), &alert.references].concat(),
        tags: metadata.tags.clone(),
        falsepositives: metadata.falsepositives.clone(),
        runbook: alert.runbook.clone(),
        commands: alert.commands.iter().map(command).collect::<Result<_, _>>()?,
        file: metadata.file.name.clone(),
        window: alert.window.unwrap_or(DEFAULT_WINDOW),
        tuning: Tuning {
            authors_level: (level != metadata.level).then_some(metadata.level),
            is_context: level < compiler.organisation.least_level,
            limits: change.map(|change| change.limits.clone()).unwrap_or_default(),
            ..Tuning::default()
        },
    })
}

/// The search identifiers of a rule and of whatever is joined to it, and the conditions that all have to hold.
#[derive(Default)]
struct Detections {
    identifiers: Vec<Identifier>,
    conditions: Vec<Expr>,
}

impl Detections {
    /// All with the cheapest first, and what trying them takes.
    fn arranged(self) -> (Vec<Identifier>, Expr, u16) {
        let Self { mut identifiers, conditions } = self;
        let costs: Vec<u16> = identifiers.iter_mut().map(|identifier| identifier.expr.arrange(&[])).collect();
        let mut condition = Expr::All(conditions.into_iter().collect());
        let cost = condition.arrange(&costs);
        (identifiers, condition, cost)
    }

    fn except(&mut self, name: String, exception: Expr) {
        self.conditions.push(Expr::Not(Box::new(Expr::Identifier(self.identifiers.len()))));
        self.identifiers.push(Identifier { name: name.into(), expr: exception });
    }

    /// Adds the organisation's exceptions but those that can't be compiled, and says how many.
    fn except_all(
        &mut self,
        exceptions: &[SearchIdentifier],
        compiler: &Compiler<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> usize {
        let mut added = 0;
        for (number, exception) in (1..).zip(exceptions) {
            match compiler.identifier(exception) {
                Ok(exception) => {
                    added += 1;
                    self.except(format!("exception {number} of the organisation"), exception);
                }
                Err(error) => problems.push(error),
            }
        }
        added
    }
}

/// Compiles what stands in one file about one rule.
pub(super) struct Compiler<'f> {
    file: &'f Arc<SourceFile>,
    title: &'f str,
    organisation: &'f Organisation,
    common: &'f Common,
    /// The first that asks for data that isn't loaded.
    lacking: RefCell<Option<Diagnostic>>,
}

impl<'f> Compiler<'f> {
    pub(super) fn new(metadata: &'f Metadata, organisation: &'f Organisation, common: &'f Common) -> Self {
        let Metadata { file, title, .. } = metadata;
        Self { file, title, organisation, common, lacking: RefCell::default() }
    }

    /// Whether something asked for data that isn't loaded, so far.
    pub(super) fn lacks_data(&self) -> bool {
        self.lacking.borrow().is_some()
    }

    /// What did.
    pub(super) fn lacking(self) -> Option<Diagnostic> {
        self.lacking.into_inner()
    }

    fn note(&self, span: &Span, asked: impl Display, lack: Option<Lack>) {
        let Some(Lack { what, advice }) = lack else { return };
        let message = format!("\"{}\" asks for {asked}, and {what}", self.title);
        let warning = Diagnostic::warning(Code::NoData, self.file, span.clone(), message).advise(advice);
        self.lacking.borrow_mut().get_or_insert(warning);
    }
}

impl Compiler<'_> {
    fn detection(&self, detections: &mut Detections, prefix: &str, detection: &Detection) -> Result<(), Diagnostic> {
        let first = detections.identifiers.len();
        for (name, identifier) in &detection.identifiers {
            let expr = self.identifier(identifier)?;
            let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}{name}").into() };
            detections.identifiers.push(Identifier { name, expr });
        }
        detections.conditions.push(condition(&detection.condition, first));
        Ok(())
    }

    fn identifier(&self, identifier: &SearchIdentifier) -> Result<Expr, Diagnostic> {
        match identifier {
            SearchIdentifier::AllOf(items) => match items.as_slice() {
                [item] => self.item(item),
                items => items.iter().map(|item| self.item(item)).collect::<Result<_, _>>().map(Expr::All),
            },
            SearchIdentifier::AnyOf(identifiers) => identifiers
                .iter()
                .map(|identifier| self.identifier(identifier))
                .collect::<Result<_, _>>()
                .map(Expr::Any),
        }
    }

    pub(super) fn title(&self, title: &crate::sigma::Template) -> Result<Title, Diagnostic> {
        Title::new(title, |name| self.field(name))
    }

    pub(super) fn fields(&self, names: &[FieldName]) -> Result<Vec<Field>, Diagnostic> {
        names.iter().map(|name| self.field(name)).collect()
    }

    pub(super) fn field(&self, name: &FieldName) -> Result<Field, Diagnostic> {
        let field = self.common.field(&name.text).map_err(|advice| {
            let message = format!("there is no field `{}`", name.text);
            Diagnostic::new(Code::UnknownField, self.file, name.span.clone(), message).advise(advice)
        })?;
        if let Field::Derived(derived) = field {
            self.note(&name.span, format_args!("`{}`", name.text), self.organisation.knowledge.lacks(derived));
        }
        Ok(field)
    }
}

/// `first`: the place of the condition's first search identifier among all.
fn condition(parsed: &Condition, first: usize) -> Expr {
    let terms = |terms: &[Condition]| terms.iter().map(|term| condition(term, first)).collect();
    match parsed {
        Condition::Identifier(index) => Expr::Identifier(first + index),
        Condition::Not(term) => Expr::Not(Box::new(condition(term, first))),
        Condition::And(all) => Expr::All(terms(all)),
        Condition::Or(any) => Expr::Any(terms(any)),
    }
}
