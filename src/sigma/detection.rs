//! The `detection` section: search identifiers and the condition that joins them.

use crate::yaml::{Code, Diagnostic, Key, Kind, Node, Span};

use super::condition::{self, Condition};
use super::modifier::{Comparison, Modifiers};
use super::shape::Shape;

/// What a rule looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detection {
    /// Search identifiers by name, in file order.
    pub identifiers: Vec<(String, SearchIdentifier)>,
    /// How they are joined.
    pub condition: Condition,
}

/// What one search identifier asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchIdentifier {
    /// A map: every item has to match.
    AllOf(Vec<DetectionItem>),
    /// A list: any of its elements.
    AnyOf(Vec<SearchIdentifier>),
}

/// One field and what it is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectionItem {
    /// The field; `None` for keywords, which are looked for in the whole record.
    pub field: Option<FieldName>,
    /// How.
    pub modifiers: Modifiers,
    /// Against what.
    pub values: Vec<Value>,
}

/// A field's name and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldName {
    /// As written.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// `None` is null: the field is missing or null.
    pub text: Option<String>,
    /// Where.
    pub span: Span,
}

impl Detection {
    pub(super) fn parse(shape: Shape<'_>, node: &Node) -> Result<Self, Diagnostic> {
        let mut identifiers = Vec::new();
        for (key, value) in shape.map(node, "detection")? {
            match key.text.as_str() {
                "condition" => {}
                "timeframe" => {
                    return Err(shape
                        .error(Code::Unsupported, &key.span, "`timeframe` belongs to Sigma 1")
                        .advise("the correlations that replace it are not supported yet"));
                }
                name => identifiers.push((name.to_owned(), SearchIdentifier::parse(shape, value, name)?)),
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
    DetectionItem { field: None, modifiers: Modifiers::default(), values: vec![value(node)] }
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
    let field = (!name.is_empty()).then(|| FieldName { text: name.to_owned(), span });
    let values = values(shape, node, &key.text)?;
    check(shape, field.as_ref(), modifiers, &values, key, node)?;
    Ok(DetectionItem { field, modifiers, values })
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
    Value { text: node.text().map(str::to_owned), span: node.span.clone() }
}

/// What the modifiers ask of field and values.
fn check(
    shape: Shape<'_>,
    field: Option<&FieldName>,
    modifiers: Modifiers,
    values: &[Value],
    key: &Key,
    node: &Node,
) -> Result<(), Diagnostic> {
    let keyword_comparison =
        matches!(modifiers.comparison, Comparison::Equals | Comparison::Contains | Comparison::Regex);
    if field.is_none() && !keyword_comparison {
        return Err(shape.error(Code::ModifierUse, &key.span, "this modifier needs a field in front of it"));
    }
    if modifiers.all && values.len() < 2 {
        return Err(shape
            .error(Code::ModifierUse, &key.span, "`all` needs a list of values")
            .advise("leave it out for a single value"));
    }
    if modifiers.comparison == Comparison::Exists {
        let boolean = matches!(values, [Value { text: Some(text), .. }] if ["true", "false"].contains(&text.to_lowercase().as_str()));
        return if boolean {
            Ok(())
        } else {
            Err(shape.error(Code::ModifierUse, &node.span, "`exists` takes true or false"))
        };
    }
    if field.is_none()
        && let Some(null) = values.iter().find(|value| value.text.is_none())
    {
        return Err(shape.error(Code::ModifierUse, &null.span, "null is no keyword").advise("use `field: null`"));
    }
    if modifiers.comparison != Comparison::Equals
        && let Some(null) = values.iter().find(|value| value.text.is_none())
    {
        return Err(shape
            .error(Code::ModifierUse, &null.span, "null can't be compared in part")
            .advise("use `field: null` in a selection of its own"));
    }
    Ok(())
}
