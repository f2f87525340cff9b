//! Detection items: a field, its modifiers and its values.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};

use crate::engine::encode::encode;
use crate::engine::expr::{Expr, Item};
use crate::engine::field::{Derived, Field};
use crate::engine::matcher::TextMatcher;
use crate::engine::outline;
use crate::engine::value_test::{FieldTest, Test};
use crate::sigma::{Comparison, DetectionItem, FieldName, Modifiers, Pattern, Value, number};
use crate::yaml::{Code, Diagnostic};

use super::common::is_quoted;
use super::{Compiler, placeholder};

const MAX_LABEL: usize = 200;

impl Compiler<'_> {
    pub(super) fn item(&self, item: &DetectionItem) -> Result<Expr, Diagnostic> {
        let DetectionItem { field, modifiers, values, .. } = item;
        let field = field.as_ref().map(|field| self.field(field)).transpose()?;
        if let (Some(Field::Derived(Derived::SourceNetwork)), Some(value)) = (&field, values.first()) {
            self.note(&value.span, "a network", self.organisation.knowledge.lacks_networks(item));
        }
        let is_never_there = matches!(&field, Some(Field::Derived(derived)) if self.is_never_there(*derived));
        if let (Comparison::Exists, Some(field)) = (modifiers.comparison, &field) {
            let yes = |value: &Value| value.text.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("true"));
            let expected = values.iter().any(yes);
            if !is_never_there {
                return Ok(Expr::Exists { label: label(item), field: field.clone(), expected });
            }
            // Nothing of nothing is true, and nothing is any of it.
            let every = !expected;
            let item = Item { label: label(item), field: None, tests: Vec::new(), every, ..Item::default() };
            return Ok(Expr::Item(Arc::new(item)));
        }
        let make = || {
            let mut tests = Vec::with_capacity(values.len());
            for value in values {
                let before = tests.len();
                self.value(item, value, &mut tests)?;
                if modifiers.all && tests.len() != before + 1 {
                    let forms = tests.split_off(before);
                    tests.push(Test::Any(forms.into()));
                }
            }
            if !modifiers.all {
                tests.retain(|test| !is_never_there || test.accepts_null());
            }
            let (every, negated) = (modifiers.all, modifiers.negated);
            let mut item = Item { label: label(item), field, tests, every, negated, ..Item::default() };
            item.is_settled = outline::settles(&item);
            Ok(item)
        };
        self.common.item(item, self.file, make).map(Expr::Item)
    }

    /// Whether no record shows a value of the field, because the organisation knows nothing of it.
    fn is_never_there(&self, derived: Derived) -> bool {
        let knowledge = &self.organisation.knowledge;
        knowledge.lacks(derived).is_some() || derived == Derived::ExpectedPrincipal && !knowledge.expects_anybody()
    }

    /// Adds what a value asks. It may stand for several: at each offset of its encoding, for each text of a list.
    fn value(&self, item: &DetectionItem, value: &Value, tests: &mut Vec<Test>) -> Result<(), Diagnostic> {
        let modifiers = &item.modifiers;
        let Some(text) = &value.text else {
            tests.push(Test::Null);
            return Ok(());
        };
        if modifiers.fieldref {
            let field = self.field(&FieldName { text: text.trim().into(), span: value.span.clone() })?;
            let other = FieldTest { field, comparison: modifiers.comparison, cased: modifiers.cased };
            tests.push(Test::Field(Box::new(other)));
            return Ok(());
        }
        if !modifiers.expand {
            return self.text(item, value, text, tests);
        }
        self.expand(value, text, modifiers)?.iter().try_for_each(|text| self.text(item, value, text, tests))
    }

    fn expand(&self, value: &Value, text: &str, modifiers: &Modifiers) -> Result<Vec<String>, Diagnostic> {
        let escape = |text: &str| match modifiers.comparison {
            Comparison::Regex(_) => regex::escape(text),
            _ => text.to_owned(),
        };
        placeholder::expand(text, &self.organisation.placeholders, escape)
            .map_err(|problem| self.error(Code::Placeholder, value, problem.why).advise(problem.advice))
    }

    /// Adds what a value asks that says `text`.
    fn text(&self, item: &DetectionItem, value: &Value, text: &str, tests: &mut Vec<Test>) -> Result<(), Diagnostic> {
        let modifiers = &item.modifiers;
        match modifiers.comparison {
            Comparison::Cidr => tests.push(network(text).map(Test::Network).ok_or_else(|| {
                self.error(Code::Cidr, value, format!("`{text}` is no network"))
                    .advise("an address and a prefix length, as in `10.0.0.0/8`")
            })?),
            Comparison::Regex(flags) => {
                let expression = self.common.expression(text, flags);
                let expression = expression.map_err(|error| self.regex_error(value, &error))?;
                tests.push(Test::Text(TextMatcher::regex(expression)));
            }
            // OK because parsing checked the numbers.
            Comparison::Number(operator) => tests.push(Test::Compare(operator, number(text).unwrap_or(f64::NAN))),
            Comparison::Time(part, operator) => {
                tests.push(Test::Time(part, operator, number(text).unwrap_or(f64::NAN)));
            }
            // A keyword may stand anywhere in a text.
            _ if item.field.is_none() => self.compared(modifiers, Comparison::Contains, value, text, tests)?,
            comparison => self.compared(modifiers, comparison, value, text, tests)?,
        }
        Ok(())
    }

    /// The same of what is compared as text.
    fn compared(
        &self,
        modifiers: &Modifiers,
        comparison: Comparison,
        value: &Value,
        text: &str,
        tests: &mut Vec<Test>,
    ) -> Result<(), Diagnostic> {
        let cased = modifiers.cased;
        if !modifiers.transforms.is_empty() {
            let forms = encode(Pattern::new(text), &modifiers.transforms).map_err(|unfit| {
                self.error(Code::ModifierUse, value, format!("this value can't be encoded so: {}", unfit.why))
                    .advise(unfit.advice)
            })?;
            tests.extend(forms.into_iter().map(|form| Test::Text(TextMatcher::new(&form.widened(comparison), cased))));
            return Ok(());
        }
        let matcher = TextMatcher::written(text, comparison, cased);
        let may_be_number = comparison == Comparison::Equals && !is_quoted(value, self.file);
        tests.push(match may_be_number.then(|| number(text)).flatten() {
            Some(number) => Test::Number(matcher, number),
            None => Test::Text(matcher),
        });
        Ok(())
    }

    /// The last line of a regex error says what is wrong; the lines above draw the expression again.
    fn regex_error(&self, value: &Value, error: &regex::Error) -> Diagnostic {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let advice = match error {
            regex::Error::CompiledTooBig(_) => "repeat less, or look for a part of it with `contains`",
            _ if reason.contains("look-around") || reason.contains("backreference") => {
                "they are not part of the language; use two selections"
            }
            _ => "a backslash takes the meaning from a character such as `[`, `(` or `.`",
        };
        self.error(Code::Regex, value, format!("not a regular expression: {reason}")).advise(advice)
    }

    fn error(&self, code: Code, value: &Value, message: String) -> Diagnostic {
        Diagnostic::new(code, self.file, value.span.clone(), message)
    }
}

/// A bare address is a network of one. IPv4 addresses written as IPv6 are IPv4, as those in records are.
pub(in crate::engine) fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let network = text.parse().or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address))).ok()?;
    let IpNet::V6(v6) = network else { return Some(network) };
    let mapped: Option<Ipv4Net> = v6.prefix_len().checked_sub(96).and_then(|length| {
        let address: Ipv6Addr = v6.addr();
        Ipv4Net::new(address.to_ipv4_mapped()?, length).ok()
    });
    Some(mapped.map_or(network, IpNet::V4))
}

fn label(item: &DetectionItem) -> Box<str> {
    let mut label = String::with_capacity(MAX_LABEL);
    if !item.label.is_empty() {
        label.push_str(&item.label);
        label.push_str(": ");
    }
    let brackets = if item.values.len() == 1 { ("", "") } else { ("[", "]") };
    label.push_str(brackets.0);
    for (place, value) in item.values.iter().enumerate() {
        label.push_str(if place > 0 { ", " } else { "" });
        label.push_str(value.text.as_deref().unwrap_or("null"));
        // What would follow is cut off, whatever it is: no character has more bytes than four.
        if label.len() > 4 * MAX_LABEL {
            break;
        }
    }
    label.push_str(brackets.1);
    if label.len() > MAX_LABEL
        && let Some((cut, _)) = label.char_indices().nth(MAX_LABEL)
    {
        label.truncate(cut);
        label.push('…');
    }
    label.into()
}
