//! Fields by dotted path.
//!
//! A path goes through objects and lists: `requestParameters.containerDefinitions.command` means that member of any
//! container. Keys may hold dots (`aws:cloudformation.stack`): at each object the longest literal key is tried first.
//! A number may pick an element of a list.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use serde_json::Value;

/// A field's name, as a rule writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldPath {
    name: Box<str>,
}

impl FieldPath {
    /// Takes a name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into() }
    }

    /// The field's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

/// A value that a rule can be held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldValue<'v> {
    /// JSON null.
    Null,
    /// Text.
    Text(&'v str),
    /// A number, a boolean, or an object: compared as its JSON text, so that `requestParameters|contains` can look inside.
    Json(&'v Value),
}

impl<'v> FieldValue<'v> {
    /// The text to compare with; `None` for null. `buffer` holds it where the record doesn't.
    #[must_use]
    pub fn text<'b>(&self, buffer: &'b mut String) -> Option<&'b str>
    where
        'v: 'b,
    {
        match *self {
            Self::Null => None,
            Self::Text(text) => Some(text),
            Self::Json(Value::Bool(value)) => Some(if *value { "true" } else { "false" }),
            Self::Json(value) => {
                buffer.clear();
                // OK because writing into a String can't fail.
                let _ = write!(buffer, "{value}");
                Some(buffer)
            }
        }
    }

    /// The value of a JSON number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Json(value) => value.as_f64(),
            _ => None,
        }
    }
}

pub(super) fn visit<B>(
    document: &Value,
    path: &FieldPath,
    visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    locate(document, &path.name, &mut |value| leaves(value, visit))
}

pub(super) fn exists(document: &Value, path: &FieldPath) -> bool {
    locate(document, &path.name, &mut |_| ControlFlow::Break(())).is_break()
}

/// Finds every place that `path` leads to.
fn locate<'r, B>(value: &'r Value, path: &str, found: &mut impl FnMut(&'r Value) -> ControlFlow<B>) -> ControlFlow<B> {
    if path.is_empty() {
        return found(value);
    }
    match value {
        Value::Object(members) => {
            let mut end = path.len();
            loop {
                if let Some(member) = members.get(&path[..end]) {
                    let rest = path.get(end + 1..).unwrap_or_default();
                    locate(member, rest, found)?;
                }
                match path[..end].rfind('.') {
                    Some(dot) => end = dot,
                    None => return ControlFlow::Continue(()),
                }
            }
        }
        Value::Array(items) => {
            let (head, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(item) = head.parse::<usize>().ok().and_then(|index| items.get(index)) {
                locate(item, rest, found)?;
            }
            items.iter().try_for_each(|item| locate(item, path, found))
        }
        _ => ControlFlow::Continue(()),
    }
}

/// A list stands for each of its elements.
fn leaves<B>(value: &Value, visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| leaves(item, visit)),
        Value::Null => visit(FieldValue::Null),
        Value::String(text) => visit(FieldValue::Text(text)),
        value => visit(FieldValue::Json(value)),
    }
}

pub(super) fn visit_all<B>(value: &Value, visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
    match value {
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            visit(FieldValue::Text(name))?;
            visit_all(member, visit)
        }),
        Value::Array(items) => items.iter().try_for_each(|item| visit_all(item, visit)),
        Value::Null => ControlFlow::Continue(()),
        Value::String(text) => visit(FieldValue::Text(text)),
        value => visit(FieldValue::Json(value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(document: &Value, path: &str) -> Vec<String> {
        let mut seen = Vec::new();
        let _ = visit::<()>(document, &FieldPath::new(path), &mut |value| {
            seen.push(value.text(&mut String::new()).unwrap_or("null").to_owned());
            ControlFlow::Continue(())
        });
        seen
    }

    #[test]
    fn paths_go_through_objects_lists_and_dotted_keys() {
        let document = json!({
            "a": {"b": [{"c": 1}, {"c": [true, null]}, {}], "x.y": {"z.w": "dots"}, "o": {"k": "v"}},
            "empty": [],
        });
        assert_eq!(values(&document, "a.b.c"), ["1", "true", "null"]);
        assert_eq!(values(&document, "a.b.1.c.0"), ["true"]);
        assert_eq!(values(&document, "a.x.y.z.w"), ["dots"]);
        assert_eq!(values(&document, "a.o"), [r#"{"k":"v"}"#]);
        assert!(values(&document, "a.b.d").is_empty());
        assert!(exists(&document, &FieldPath::new("empty")) && values(&document, "empty").is_empty());
        assert!(!exists(&document, &FieldPath::new("a.b.c.d")));
    }
}
