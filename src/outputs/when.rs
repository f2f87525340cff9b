//! Which alerts go somewhere.

use std::sync::Arc;

use crate::sigma::{Level, Shape};
use crate::yaml::{Code, Diagnostic, Node, SourceFile, Span};

/// What routing can ask of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// How bad it is.
    pub level: Level,
    /// The rule's id.
    pub rule: String,
    /// The rule's tags.
    pub tags: Vec<String>,
    /// Where it happened: several for a summary of what was held back, none for what belongs to no account.
    pub places: Vec<Place>,
}

/// An account as routing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// 12 digits.
    pub account: String,
    /// Who answers for it; empty if nobody is named.
    pub owner: String,
}

/// Which alerts are meant. All kinds that are named have to hold; of each, any value is enough. Empty: every alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    levels: Vec<Level>,
    rules: Vec<NamedRule>,
    tags: Vec<String>,
    accounts: Vec<String>,
    owners: Vec<String>,
}

/// A rule that routing asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRule {
    /// Its id.
    pub id: String,
    /// The file that names it.
    pub file: Arc<SourceFile>,
    /// Where.
    pub span: Span,
}

impl When {
    /// Whether an alert is meant, or part of what it tells.
    #[must_use]
    pub fn holds(&self, alert: &Facets) -> bool {
        (self.levels.is_empty() || self.levels.contains(&alert.level))
            && (self.rules.is_empty() || self.rules.iter().any(|rule| rule.id == alert.rule))
            && (self.tags.is_empty() || alert.tags.iter().any(|tag| any_fits(&self.tags, tag)))
            && (self.is_of_any_place() || alert.places.iter().any(|place| self.is_of(place)))
    }

    /// Whether all that an alert tells is meant.
    pub(super) fn holds_for_all(&self, alert: &Facets) -> bool {
        self.holds(alert) && (self.is_of_any_place() || alert.places.iter().all(|place| self.is_of(place)))
    }

    fn is_of_any_place(&self) -> bool {
        self.accounts.is_empty() && self.owners.is_empty()
    }

    fn is_of(&self, place: &Place) -> bool {
        (self.accounts.is_empty() || any_fits(&self.accounts, &place.account))
            && (self.owners.is_empty() || any_fits(&self.owners, &place.owner))
    }

    /// The rules that are named.
    #[must_use]
    pub fn rules(&self) -> &[NamedRule] {
        &self.rules
    }

    pub(super) fn parse(shape: Shape<'_>, node: Option<&Node>) -> Result<Self, Diagnostic> {
        let Some(node) = node else { return Ok(Self::default()) };
        shape.map(node, "`when`")?;
        shape.only(node, &["level", "account", "owner", "tag", "rule"])?;
        Ok(Self {
            levels: values(shape, node, "level", |item| shape.word(item, "level", Level::WORDS))?,
            rules: values(shape, node, "rule", |item| {
                let id = text(shape, item, "rule")?;
                Ok(NamedRule { id, file: Arc::clone(shape.file), span: item.span.clone() })
            })?,
            tags: texts(shape, node, "tag")?,
            accounts: values(shape, node, "account", |item| account(shape, item))?,
            owners: texts(shape, node, "owner")?,
        })
    }
}

fn account(shape: Shape<'_>, node: &Node) -> Result<String, Diagnostic> {
    let id = shape.text(node, "account")?;
    let is_id = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = || shape.error(Code::WrongType, &node.span, format!("`{id}` is no account id")).advise("12 digits");
    is_id.then(|| id.to_owned()).ok_or_else(wrong)
}

fn texts(shape: Shape<'_>, when: &Node, name: &str) -> Result<Vec<String>, Diagnostic> {
    values(shape, when, name, |item| text(shape, item, name))
}

fn text(shape: Shape<'_>, node: &Node, name: &str) -> Result<String, Diagnostic> {
    match shape.text(node, name)?.trim() {
        "" => Err(shape.error(Code::WrongType, &node.span, format!("an empty text is no {name}"))),
        text => Ok(text.to_owned()),
    }
}

/// A list, or one value. An empty list would mean nothing at all, and look like everything.
fn values<T>(
    shape: Shape<'_>,
    when: &Node,
    name: &str,
    read: impl Fn(&Node) -> Result<T, Diagnostic>,
) -> Result<Vec<T>, Diagnostic> {
    let Some(node) = when.get(name) else { return Ok(Vec::new()) };
    let values: Vec<T> = Shape::items(node).iter().map(read).collect::<Result<_, _>>()?;
    if values.is_empty() {
        let error = shape.error(Code::WrongType, &node.span, format!("no alert has a {name} out of an empty list"));
        return Err(error.advise(format!("leave `{name}` out for every alert")));
    }
    Ok(values)
}

fn any_fits(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, text))
}

/// Whether a text fits a pattern, in which `*` is any text. Upper and lower case are the same.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(place) = rest.find(part) else { return false };
        rest = &rest[place + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, text, expected) in [
            ("attack.impact", "Attack.Impact", true),
            ("attack.t1485*", "attack.t1485.001", true),
            ("attack.t1485*", "attack.t1485", true),
            ("attack.t1485*", "attack.t148", false),
            ("*team", "payments-team", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*", "", true),
            ("a", "ab", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
