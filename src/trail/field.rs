//! Fields by dotted path.
//!
//! A path goes through objects and lists: `requestParameters.containerDefinitions.command` means that member of any
//! container. Keys may hold dots (`aws:cloudformation.stack`): at each object the longest literal key is tried first.
//! A number may pick an element of a list. A string that holds JSON is gone through as if it were parsed
//! (`requestParameters.policyDocument.Statement.Effect`); a path that ends at it finds the string.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::embedded;

/// A record has about 25 members, an identity ten.
const FEW_MEMBERS: usize = 40;

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
    locate(document, &path.name, embedded::MAX_DEPTH, &mut |value| leaves(value, visit))
}

pub(super) fn exists(document: &Value, path: &FieldPath) -> bool {
    locate(document, &path.name, embedded::MAX_DEPTH, &mut |_| ControlFlow::Break(())).is_break()
}

/// Finds every place that `path` leads to, through at most `depth` strings inside one another.
fn locate<B>(value: &Value, path: &str, depth: u8, found: &mut impl FnMut(&Value) -> ControlFlow<B>) -> ControlFlow<B> {
    if path.is_empty() {
        return found(value);
    }
    match value {
        Value::Object(members) if members.len() <= FEW_MEMBERS => few_members(members, path, depth, found),
        Value::Object(members) => {
            let mut end = path.len();
            loop {
                if let Some(member) = members.get(&path[..end]) {
                    let rest = path.get(end + 1..).unwrap_or_default();
                    locate(member, rest, depth, found)?;
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
                locate(item, rest, depth, found)?;
            }
            items.iter().try_for_each(|item| locate(item, path, depth, found))
        }
        Value::String(text) => match depth.checked_sub(1).and_then(|depth| Some((depth, embedded::document(text)?))) {
            Some((depth, inner)) => locate(&inner, path, depth, found),
            None => ControlFlow::Continue(()),
        },
        _ => ControlFlow::Continue(()),
    }
}

/// Compares the path with every key at once, which for few keys is faster than a hash of each beginning of the path.
fn few_members<B>(
    members: &Map<String, Value>,
    path: &str,
    depth: u8,
    found: &mut impl FnMut(&Value) -> ControlFlow<B>,
) -> ControlFlow<B> {
    if !path.contains('.') {
        let member = members.iter().find(|(key, _)| *key == path);
        return member.map_or(ControlFlow::Continue(()), |(_, member)| locate(member, "", depth, found));
    }
    let mut below = usize::MAX;
    loop {
        let (mut longest, mut more) = (None, false);
        for (key, member) in members {
            if key.len() < below && begins(path, key) {
                more |= longest.is_some();
                longest = longest.filter(|(longest, _)| *longest > key.len()).or(Some((key.len(), member)));
            }
        }
        let Some((end, member)) = longest else { return ControlFlow::Continue(()) };
        locate(member, path.get(end + 1..).unwrap_or_default(), depth, found)?;
        if !more {
            return ControlFlow::Continue(());
        }
        below = end;
    }
}

/// Whether the key is the path, or its beginning up to a dot.
fn begins(path: &str, key: &str) -> bool {
    path.as_bytes().get(key.len()).map_or(path.len() == key.len(), |next| *next == b'.') && path.starts_with(key)
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

    #[test]
    fn few_members_and_many_are_searched_alike() {
        let few = json!({"a": {"b": 1}, "a.b": 2, "a.b.c": 3, "": {"a": 4}, "x": 5, "ä.ö": {"ü": 6}, "a.": 7});
        let mut many = few.clone();
        (0..FEW_MEMBERS).for_each(|number| many[format!("other {number}")] = json!(number));
        for path in ["a", "a.b", "a.b.c", "a.b.c.d", ".a", "x", "x.", "y", "ä.ö.ü", "ä", "a.", ".", "a.b.", "ab"] {
            assert_eq!(values(&few, path), values(&many, path), "{path}");
        }
        assert_eq!(values(&few, "a.b"), ["2", "1"]);
    }

    #[test]
    fn paths_go_through_strings_that_hold_json() {
        let policy = r#"{"Statement":[{"Effect":"Allow","Action":["a:B","a:C"]},{"Effect":"Deny"}],"Id":null}"#;
        let document = json!({
            "plain": policy,
            "encoded": "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%7D%7D",
            "twice": json!({"inner": policy}).to_string(),
            "list": ["text", "{\"a\":1}", "[{\"a\":2}]", "{cut"],
            "dotted": {"a.b": "{\"c\":\"literal\"}", "a": {"b": {"c": "nested"}}},
        });
        assert_eq!(values(&document, "plain.Statement.Effect"), ["Allow", "Deny"]);
        assert_eq!(values(&document, "plain.Statement.0.Action"), ["a:B", "a:C"]);
        assert_eq!(values(&document, "plain"), [policy]);
        assert_eq!(values(&document, "encoded.Statement.Effect"), ["Allow"]);
        assert_eq!(values(&document, "twice.inner.Statement.Effect"), ["Allow", "Deny"]);
        assert_eq!(values(&document, "list.a"), ["1", "2"]);
        assert_eq!(values(&document, "dotted.a.b.c"), ["literal", "nested"]);
        assert!(exists(&document, &FieldPath::new("plain.Id")) && !exists(&document, &FieldPath::new("plain.id")));
        assert!(!exists(&document, &FieldPath::new("list.cut")));
    }

    #[test]
    fn strings_inside_strings_have_an_end() {
        let nested = |levels: u8| (0..levels).fold(json!({"a": 1}), |inner, _| json!([inner.to_string()]));
        assert!(exists(&nested(embedded::MAX_DEPTH), &FieldPath::new("a")));
        assert!(!exists(&nested(embedded::MAX_DEPTH + 1), &FieldPath::new("a")));
    }
}
