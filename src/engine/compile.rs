//! From a parsed rule to one that can be evaluated: the only step that can fail.

use std::sync::Arc;

use ipnet::IpNet;
use jiff::SignedDuration;

use crate::sigma::{
    Comparison, Condition, Detection, DetectionItem, FieldName, FirstSeen, Modifiers, Pattern, Rule, SearchIdentifier,
    Value,
};
use crate::yaml::{Code, Diagnostic, SourceFile};

use super::expr::{Expr, ValueTest};
use super::field::Field;
use super::matcher::TextMatcher;
use super::organisation::Override;
use super::rule_set::{CompiledRule, FirstSeenPlan, RuleInfo};

/// Findings of one principal, in one account and Region, are one alert unless the rule says otherwise.
const DEFAULT_DEDUP: &[&str] = &["derived.principal", "recipientAccountId", "awsRegion"];
const DEFAULT_WINDOW: SignedDuration = SignedDuration::from_mins(60);

/// Compiles one rule as the organisation wants it.
///
/// An exception that can't be compiled is reported to `problems` and left out: a mistake in it may bring an alert too many,
/// but must not switch its rule off.
pub(super) fn rule(
    rule: &Rule,
    change: Option<&Override>,
    problems: &mut Vec<Diagnostic>,
) -> Result<CompiledRule, Diagnostic> {
    let compiler = Compiler { file: &rule.file };
    let mut expr = compiler.detection(&rule.detection)?;
    for exception in change.iter().flat_map(|change| &change.exceptions) {
        // OK because an exception comes with the change that holds it.
        let file = change.map_or(&rule.file, |change| &change.file);
        match (Compiler { file }).identifier(exception) {
            Ok(exception) => expr = Expr::All(vec![expr, Expr::Not(Box::new(exception))]),
            Err(error) => problems.push(error),
        }
    }
    let alert = &rule.extension.alert;
    let first_seen = rule.extension.first_seen.as_ref().map(|plan| compiler.first_seen(plan)).transpose()?;
    let dedup = match &alert.dedup {
        Some(fields) => Some(compiler.fields(fields)?),
        // What is new is told once, whoever else did something new in that hour.
        None if first_seen.is_some() => None,
        None => Some(DEFAULT_DEDUP.iter().filter_map(|name| Field::new(name).ok()).collect()),
    };
    Ok(CompiledRule {
        info: Arc::new(RuleInfo {
            id: rule.id.clone(),
            title: rule.title.clone(),
            level: change.and_then(|change| change.level).unwrap_or(rule.level),
            description: rule.description.clone(),
            references: rule.references.clone(),
            tags: rule.tags.clone(),
            falsepositives: rule.falsepositives.clone(),
            next_steps: alert.next_steps.clone(),
            file: rule.file.name.clone(),
            window: alert.window.unwrap_or(DEFAULT_WINDOW),
        }),
        expr,
        first_seen,
        dedup,
    })
}

struct Compiler<'f> {
    file: &'f Arc<SourceFile>,
}

impl Compiler<'_> {
    fn detection(&self, detection: &Detection) -> Result<Expr, Diagnostic> {
        let identifiers: Vec<Expr> = detection
            .identifiers
            .iter()
            .map(|(_, identifier)| self.identifier(identifier))
            .collect::<Result<_, _>>()?;
        Ok(condition(&detection.condition, &identifiers))
    }

    fn identifier(&self, identifier: &SearchIdentifier) -> Result<Expr, Diagnostic> {
        match identifier {
            SearchIdentifier::AllOf(items) => {
                items.iter().map(|item| self.item(item)).collect::<Result<_, _>>().map(Expr::All)
            }
            SearchIdentifier::AnyOf(identifiers) => identifiers
                .iter()
                .map(|identifier| self.identifier(identifier))
                .collect::<Result<_, _>>()
                .map(Expr::Any),
        }
    }

    fn item(&self, item: &DetectionItem) -> Result<Expr, Diagnostic> {
        let field = item.field.as_ref().map(|field| self.field(field)).transpose()?;
        if let (Comparison::Exists, Some(field)) = (item.modifiers.comparison, &field) {
            let expected = item
                .values
                .iter()
                .any(|value| value.text.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("true")));
            return Ok(Expr::Exists { field: field.clone(), expected });
        }
        let keyword = field.is_none();
        let tests =
            item.values.iter().map(|value| self.value(value, item.modifiers, keyword)).collect::<Result<_, _>>()?;
        Ok(Expr::Values { field, tests, every: item.modifiers.all })
    }

    fn value(&self, value: &Value, modifiers: Modifiers, keyword: bool) -> Result<ValueTest, Diagnostic> {
        let Some(text) = &value.text else { return Ok(ValueTest::Null) };
        match modifiers.comparison {
            Comparison::Cidr => text.parse::<IpNet>().map(ValueTest::Network).map_err(|_| {
                self.error(Code::Cidr, value, format!("`{text}` is no network"))
                    .advise("an address and a prefix length, as in `10.0.0.0/8`")
            }),
            Comparison::Regex => {
                TextMatcher::regex(text).map(ValueTest::Text).map_err(|error| self.regex_error(value, &error))
            }
            comparison => {
                // A keyword may stand anywhere in a text.
                let comparison = if keyword { Comparison::Contains } else { comparison };
                let pattern = Pattern::new(text).widened(comparison);
                TextMatcher::new(&pattern, modifiers.cased)
                    .map(ValueTest::Text)
                    .map_err(|error| self.regex_error(value, &error))
            }
        }
    }

    fn first_seen(&self, plan: &FirstSeen) -> Result<FirstSeenPlan, Diagnostic> {
        Ok(FirstSeenPlan {
            entity: self.fields(&plan.entity)?,
            value: self.fields(&plan.value)?,
            history: plan.history,
            learning: plan.learning,
        })
    }

    fn fields(&self, names: &[FieldName]) -> Result<Vec<Field>, Diagnostic> {
        names.iter().map(|name| self.field(name)).collect()
    }

    fn field(&self, name: &FieldName) -> Result<Field, Diagnostic> {
        Field::new(&name.text).map_err(|advice| {
            Diagnostic::new(
                Code::UnknownField,
                self.file,
                name.span.clone(),
                format!("there is no field `{}`", name.text),
            )
            .advise(advice)
        })
    }

    /// The last line of a regex error says what is wrong; the lines above draw the expression again.
    fn regex_error(&self, value: &Value, error: &regex::Error) -> Diagnostic {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let advice = "look-around and back-references are not part of the language";
        self.error(Code::Regex, value, format!("not a regular expression: {reason}")).advise(advice)
    }

    fn error(&self, code: Code, value: &Value, message: String) -> Diagnostic {
        Diagnostic::new(code, self.file, value.span.clone(), message)
    }
}

fn condition(parsed: &Condition, identifiers: &[Expr]) -> Expr {
    let terms = |terms: &[Condition]| terms.iter().map(|term| condition(term, identifiers)).collect();
    match parsed {
        // OK because parsing resolved every name to its place in the list.
        Condition::Identifier(index) => identifiers[*index].clone(),
        Condition::Not(term) => Expr::Not(Box::new(condition(term, identifiers))),
        Condition::And(all) => Expr::All(terms(all)),
        Condition::Or(any) => Expr::Any(terms(any)),
    }
}
