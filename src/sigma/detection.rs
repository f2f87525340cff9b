//! The `detection` section: search identifiers and the condition that joins them.

use serde::{Deserialize, Serialize};

use crate::yaml::{Code, Diagnostic, Key, Kind, Node, Span, Text};

use super::condition::{self, Condition};
use super::modifier::Modifiers;
use super::shape::Shape;
use super::use_of_modifiers;

/// What a rule looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Detection {
    /// Search identifiers by name, in file order.
    pub identifiers: Vec<(Text, SearchIdentifier)>,
    /// How they are joined.
    pub condition: Condition,
}

/// What one search identifier asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub enum SearchIdentifier {
    /// A map: every item has to match.
    AllOf(Vec<DetectionItem>),
    /// A list: any of its elements.
    AnyOf(Vec<SearchIdentifier>),
}

/// One field and what it is held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct DetectionItem {
    /// Field and modifiers as written; empty for a bare keyword.
    pub label: Text,
    /// The field; `None` for keywords, which are looked for in the whole record.
    pub field: Option<FieldName>,
    /// How.
    pub modifiers: Modifiers,
    /// Against what.
    pub values: Vec<Value>,
}

/// A field's name and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct FieldName {
    /// As written.
    pub text: Text,
    /// Where.
    pub span: Span,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Value {
    /// `None` is null: the field is missing or null.
    pub text: Option<Text>,
    /// Where.
    pub span: Span,
}

impl Detection {
    /// Reads search identifiers and condition; `others` are members that are neither.
    pub(super) fn parse(shape: Shape<'_>, node: &Node, others: &[&str]) -> Result<Self, Diagnostic> {
        let mut identifiers = Vec::new();
        for (key, value) in shape.map(node, "detection")? {
            match key.text.as_str() {
                "condition" => {}
                name if others.contains(&name) => {}
                "timeframe" => {
                    return Err(shape
                        .error(Code::Unsupported, &key.span, "`timeframe` belongs to Sigma 1")
                        .advise("write a correlation with a `timespan`"));
                }
                name => identifiers.push((Text::from(name), SearchIdentifier::parse(shape, value, name)?)),
            }
        }
        let condition = shape.required(node, "condition", "for example `condition: selection`")?;
        let names: Vec<&str> = identifiers.iter().map(|(name, _)| name.as_str()).collect();
        let condition = condition::parse(shape, condition, &names)?;
        Ok(Self { identifiers, condition })
    }
}

impl SearchIdentifier {
    /// Reads a map, a list of maps, or keywords.
    pub(crate) fn parse(shape: Shape<'_>, node: &Node, name: &str) -> Result<Self, Diagnostic> {
        match &node.kind {
            Kind::Map(members) if members.is_empty() => {
                Err(shape.error(Code::WrongType, &node.span, format!("`{name}` is empty")))
            }
            Kind::Map(members) => {
                members.iter().map(|(key, value)| item(shape, key, value)).collect::<Result<_, _>>().map(Self::AllOf)
            }
            Kind::List(items) if items.is_empty() => {
                Err(shape.error(Code::WrongType, &node.span, format!("`{name}` is empty")))
            }
            Kind::List(items) => {
                items.iter().map(|item| Self::parse(shape, item, name)).collect::<Result<_, _>>().map(Self::AnyOf)
            }
            Kind::Text(_) => Ok(Self::AllOf(vec![keyword(node)])),
            Kind::Null => Err(shape.error(Code::WrongType, &node.span, format!("`{name}` says nothing"))),
        }
    }
}

fn keyword(node: &Node) -> DetectionItem {
    DetectionItem { label: Text::default(), field: None, modifiers: Modifiers::default(), values: vec![value(node)] }
}

fn item(shape: Shape<'_>, key: &Key, node: &Node) -> Result<DetectionItem, Diagnostic> {
    let mut at = 0;
    let mut words = key.text.split('|').map(|word| {
        let span = shape.file.part(&key.span, &key.text, at..at + word.len());
        at += word.len() + 1;
        (word, span)
    });
    // OK because splitting gives at least one part.
    let (name, span) = words.next().unwrap_or_default();
    let modifiers = Modifiers::parse(shape, words)?;
    let field = (!name.is_empty()).then(|| FieldName { text: name.into(), span });
    let label = key.text.clone();
    let item = DetectionItem { label: label.into(), field, modifiers, values: values(shape, node, &key.text)? };
    use_of_modifiers::check(shape, &item, key, node)?;
    Ok(item)
}

fn values(shape: Shape<'_>, node: &Node, what: &str) -> Result<Vec<Value>, Diagnostic> {
    match &node.kind {
        Kind::Null | Kind::Text(_) => Ok(vec![value(node)]),
        // As in other implementations, an empty list asks for what null asks for.
        Kind::List(items) if items.is_empty() => Ok(vec![Value { text: None, span: node.span.clone() }]),
        Kind::List(items) => items
            .iter()
            .map(|item| match item.kind {
                Kind::Null | Kind::Text(_) => Ok(value(item)),
                _ => Err(shape.wrong(item, what, "a value or a list of values")),
            })
            .collect(),
        Kind::Map(_) => Err(shape
            .wrong(node, what, "a value or a list of values")
            .advise("write a path as one key: `requestParameters.name: x`")),
    }
}

fn value(node: &Node) -> Value {
    Value { text: node.text().map(Text::from), span: node.span.clone() }
}
