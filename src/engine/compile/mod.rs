//! From a parsed rule to one that can be evaluated: the only step that can fail.

mod first_seen;
mod item;
mod placeholder;

use std::sync::Arc;

use jiff::SignedDuration;

use crate::sigma::{Condition, Detection, Extension, FieldName, Filter, Metadata, Rule, SearchIdentifier};
use crate::yaml::{Code, Diagnostic, SourceFile};

use super::Organisation;
use super::expr::{Expr, Identifier};
use super::field::Field;
use super::rule_set::{CompiledRule, RuleInfo};
use super::title::{Command, Title};

pub(super) use item::network;
pub(crate) use placeholder::is_name as is_placeholder;

/// Findings of one principal, in one account and Region, are one alert unless the rule says otherwise.
const DEFAULT_DEDUP: &[&str] = &["derived.principal", "recipientAccountId", "awsRegion"];
const DEFAULT_WINDOW: SignedDuration = SignedDuration::from_mins(60);

/// Compiles one rule with the filters that are for it, as the organisation wants it.
///
/// An exception of the organisation that can't be compiled is reported to `problems` and left out: a mistake in it may bring
/// an alert too many, but must not switch its rule off.
pub(super) fn rule(
    rule: &Rule,
    filters: &[&Filter],
    organisation: &Organisation,
    problems: &mut Vec<Diagnostic>,
) -> Result<CompiledRule, Diagnostic> {
    let Rule { metadata, detection, extension, .. } = rule;
    let change = organisation.overrides.get(&metadata.id);
    let compiler = Compiler { file: &metadata.file, organisation };
    let mut detections = Detections::default();
    compiler.detection(&mut detections, "", detection)?;
    for (number, exception) in (1..).zip(&extension.exceptions) {
        let exception = compiler.identifier(exception)?;
        detections.except(format!("exception {number}"), exception);
    }
    if let Some(change) = change {
        let compiler = Compiler { file: &change.file, organisation };
        for (number, exception) in (1..).zip(&change.exceptions) {
            match compiler.identifier(exception) {
                Ok(exception) => detections.except(format!("exception {number} of the organisation"), exception),
                Err(error) => problems.push(error),
            }
        }
    }
    for filter in filters {
        let compiler = Compiler { file: &filter.metadata.file, organisation };
        compiler.detection(&mut detections, &format!("filter \"{}\": ", filter.metadata.title), &filter.detection)?;
    }
    let first_seen = extension.first_seen.as_ref().map(|plan| compiler.first_seen(plan)).transpose()?;
    let dedup = match &extension.alert.dedup {
        Some(fields) => Some(compiler.fields(fields)?),
        // What is new is told once, whoever else did something new in that hour.
        None if first_seen.is_some() => None,
        None => Some(DEFAULT_DEDUP.iter().filter_map(|name| Field::new(name).ok()).collect()),
    };
    let title = extension.alert.title.as_ref().map(|title| compiler.title(title)).transpose()?;
    Ok(CompiledRule {
        info: Arc::new(info(metadata, extension, organisation)?),
        condition: Expr::All(detections.conditions),
        identifiers: detections.identifiers,
        first_seen,
        dedup,
        title,
        told: true,
    })
}

/// Whether a filter can be compiled.
pub(super) fn check_filter(filter: &Filter, organisation: &Organisation) -> Result<(), Diagnostic> {
    let compiler = Compiler { file: &filter.metadata.file, organisation };
    compiler.detection(&mut Detections::default(), "", &filter.detection)
}

/// What people are told about a rule or a correlation.
pub(super) fn info(
    metadata: &Metadata,
    extension: &Extension,
    organisation: &Organisation,
) -> Result<RuleInfo, Diagnostic> {
    let compiler = Compiler { file: &metadata.file, organisation };
    let command = |template| Command::new(template, |name| compiler.field(name));
    let change = organisation.overrides.get(&metadata.id);
    let alert = &extension.alert;
    Ok(RuleInfo {
        id: metadata.id.clone(),
        name: metadata.name.clone(),
        title: metadata.title.clone(),
        level: change.and_then(|change| change.level).unwrap_or(metadata.level),
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
    })
}

/// The search identifiers of a rule and of whatever is joined to it, and the conditions that all have to hold.
#[derive(Default)]
struct Detections {
    identifiers: Vec<Identifier>,
    conditions: Vec<Expr>,
}

impl Detections {
    fn except(&mut self, name: String, exception: Expr) {
        self.conditions.push(Expr::Not(Box::new(Expr::Identifier(self.identifiers.len()))));
        self.identifiers.push(Identifier { name: name.into(), expr: exception });
    }
}

/// Compiles what stands in one file.
pub(super) struct Compiler<'f> {
    pub(super) file: &'f Arc<SourceFile>,
    pub(super) organisation: &'f Organisation,
}

impl Compiler<'_> {
    fn detection(&self, detections: &mut Detections, prefix: &str, detection: &Detection) -> Result<(), Diagnostic> {
        let first = detections.identifiers.len();
        for (name, identifier) in &detection.identifiers {
            let expr = self.identifier(identifier)?;
            detections.identifiers.push(Identifier { name: format!("{prefix}{name}").into(), expr });
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
        Field::new(&name.text).map_err(|advice| {
            let message = format!("there is no field `{}`", name.text);
            Diagnostic::new(Code::UnknownField, self.file, name.span.clone(), message).advise(advice)
        })
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
