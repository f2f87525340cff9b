//! Fields by dotted path.
//!
//! A path goes through objects and lists: `requestParameters.containerDefinitions.command` means that member of any
//! container. Keys may hold dots (`aws:cloudformation.stack`): at each object the longest literal key is tried first.
//! A number may pick an element of a list. A string that holds JSON is gone through as if it were parsed
//! (`requestParameters.policyDocument.Statement.Effect`); a path that ends at it finds the string.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::embedded;
use super::json::{Broken, Json, Kind, Token, compact, differs, has_escapes, tokens, unescape, unescaped};
use super::slots::Slot;

/// Lists inside lists that are gone through; real records have two.
pub(super) const MAX_LISTS: u8 = 100;

/// A field's name, as a rule writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldPath {
    name: Arc<str>,
    /// The member that it begins with, and where the rest of the name begins.
    slot: Option<(Slot, usize)>,
    /// Its number among the paths whose places are remembered while a record is looked at.
    number: Option<u16>,
}

impl FieldPath {
    /// Takes a name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), slot: slot(name), number: None }
    }

    /// The field's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The number under which its place is remembered.
    pub(crate) fn number(&self) -> Option<u16> {
        self.number
    }

    /// Has its place remembered under this number: the same for the same name.
    pub(crate) fn remember_as(&mut self, number: u16) {
        self.number = Some(number);
    }

    /// How far one has to look for it.
    #[must_use]
    pub fn distance(&self) -> Distance {
        match self.slot() {
            Some((slot, "")) if slot.is_large() => Distance::Whole,
            Some((_, "")) => Distance::AtHand,
            _ => Distance::Below,
        }
    }

    /// The member that it begins with, if that has a place of its own, and the rest of the name.
    pub(super) fn slot(&self) -> Option<(Slot, &str)> {
        // OK because the rest begins behind a dot or at the end.
        self.slot.map(|(slot, rest)| (slot, &self.name[rest..]))
    }
}

/// How far one has to look for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// It has a place of its own.
    AtHand,
    /// It has, and holds a whole object.
    Whole,
    /// It is a part of something that has to be searched.
    Below,
}

/// The member with a place of its own that a dotted name begins with, and where the rest of the name begins.
pub(super) fn slot(name: &str) -> Option<(Slot, usize)> {
    let head = |from: usize| {
        let dot = memchr::memchr(b'.', &name.as_bytes()[from..]).map(|dot| from + dot);
        dot.map_or((name.len(), name.len()), |dot| (dot, dot + 1))
    };
    let (end, behind) = head(0);
    let top = Slot::top(&name[..end])?;
    if top == Slot::UserIdentity {
        let (end, further) = head(behind);
        if let Some(slot) = Slot::of_identity(&name[behind..end]) {
            return Some((slot, further));
        }
    }
    Some((top, behind))
}

/// A value that a rule can be held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldValue<'v> {
    /// JSON null.
    Null,
    /// Text.
    Text(&'v str),
    /// Text with JSON's escapes in it.
    Escaped(&'v str),
    /// A number, a boolean, or an object: compared as its JSON text, so that `requestParameters|contains` can look inside.
    Json(&'v str),
}

impl<'v> FieldValue<'v> {
    /// What stands between the quotes of a string. `escapes`: whether there may be any in it.
    fn of_string(content: &'v str, escapes: bool) -> Self {
        if escapes && has_escapes(content) { Self::Escaped(content) } else { Self::Text(content) }
    }

    /// The text to compare with; `None` for null. `buffer` holds it where the record doesn't.
    #[must_use]
    pub fn text<'b>(&self, buffer: &'b mut String) -> Option<&'b str>
    where
        'v: 'b,
    {
        match *self {
            Self::Null => None,
            Self::Text(text) => Some(text),
            Self::Escaped(content) => {
                buffer.clear();
                unescape(content, buffer);
                Some(buffer)
            }
            Self::Json(json) if json.starts_with('{') => Some(compact(json, buffer)),
            Self::Json(scalar) => Some(scalar),
        }
    }

    /// The value of a JSON number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            // Rust reads words as numbers, too: `inf`, but none of JSON's.
            Self::Json(json) => json.parse().ok(),
            _ => None,
        }
    }
}

/// Why going through a value stopped early.
pub(super) enum Halt<B> {
    /// The visitor has seen enough.
    Asked(B),
    /// Something is no JSON, so that what stands behind it can't be found.
    Broken,
}

impl<B> From<Broken> for Halt<B> {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

/// Hands each value at `path` to `visit`. `escapes`: whether texts of this record may hold any.
pub(super) fn visit<B>(
    value: Json<'_>,
    path: &str,
    escapes: bool,
    visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>,
) -> ControlFlow<Halt<B>> {
    match value.kind() {
        // Most fields are texts at a place of their own.
        Kind::String(content) if path.is_empty() => asked(visit(FieldValue::of_string(content, escapes))),
        _ => locate(value, path, Depth::default(), &mut |value| leaves(value, MAX_LISTS, visit)),
    }
}

pub(super) fn exists(value: Json<'_>, path: &str) -> ControlFlow<Halt<()>> {
    locate(value, path, Depth::default(), &mut |_| ControlFlow::Break(Halt::Asked(())))
}

/// How much further in something is looked for.
#[derive(Clone, Copy)]
struct Depth {
    /// Strings inside one another that hold JSON.
    strings: u8,
    lists: u8,
}

impl Default for Depth {
    fn default() -> Self {
        Self { strings: embedded::MAX_DEPTH, lists: MAX_LISTS }
    }
}

/// Finds every place that `path` leads to.
fn locate<B>(
    value: Json<'_>,
    path: &str,
    depth: Depth,
    found: &mut impl FnMut(Json<'_>) -> ControlFlow<Halt<B>>,
) -> ControlFlow<Halt<B>> {
    if path.is_empty() {
        return found(value);
    }
    match value.kind() {
        Kind::Object => in_object(value, path, depth, found),
        Kind::List => in_list(value, path, depth, found),
        Kind::String(content) => in_string(content, path, depth, found),
        Kind::Null | Kind::Scalar => ControlFlow::Continue(()),
    }
}

/// Of the keys that are the path or its beginning the longest is tried first.
fn in_object<B>(
    object: Json<'_>,
    path: &str,
    depth: Depth,
    found: &mut impl FnMut(Json<'_>) -> ControlFlow<Halt<B>>,
) -> ControlFlow<Halt<B>> {
    let mut below = usize::MAX;
    loop {
        let (mut longest, mut more, mut broken) = (None, false, false);
        for member in object.members() {
            let Ok((key, value)) = member else {
                broken = true;
                break;
            };
            let Some(end) = begins(path, key).filter(|end| *end < below) else { continue };
            more |= longest.is_some_and(|(longest, _)| longest != end);
            // Of two members of one name the last counts.
            longest = longest.filter(|(longest, _)| *longest > end).or(Some((end, value)));
        }
        if let Some((end, value)) = longest {
            locate(value, path.get(end + 1..).unwrap_or_default(), depth, found)?;
            below = end;
        }
        if broken {
            return ControlFlow::Break(Halt::Broken);
        }
        if !more {
            return ControlFlow::Continue(());
        }
    }
}

/// Where the key ends in the path: at its end or at a dot.
pub(super) fn begins(path: &str, key: &str) -> Option<usize> {
    if differs(key, path) {
        return None;
    }
    let key = unescaped(key);
    let ends = path.as_bytes().get(key.len()).map_or(path.len() == key.len(), |next| *next == b'.');
    (ends && path.starts_with(&*key)).then_some(key.len())
}

/// A list stands for each of its elements; a number picks one.
fn in_list<B>(
    list: Json<'_>,
    path: &str,
    depth: Depth,
    found: &mut impl FnMut(Json<'_>) -> ControlFlow<Halt<B>>,
) -> ControlFlow<Halt<B>> {
    let Some(lists) = depth.lists.checked_sub(1) else { return ControlFlow::Break(Halt::Broken) };
    let depth = Depth { lists, ..depth };
    let (head, rest) = path.split_once('.').unwrap_or((path, ""));
    if let Some(Ok(item)) = head.parse().ok().and_then(|index| list.items().nth(index)) {
        locate(item, rest, depth, found)?;
    }
    for item in list.items() {
        match item {
            Ok(item) => locate(item, path, depth, found)?,
            Err(broken) => return ControlFlow::Break(broken.into()),
        }
    }
    ControlFlow::Continue(())
}

fn in_string<B>(
    content: &str,
    path: &str,
    depth: Depth,
    found: &mut impl FnMut(Json<'_>) -> ControlFlow<Halt<B>>,
) -> ControlFlow<Halt<B>> {
    let Some(strings) = depth.strings.checked_sub(1) else { return ControlFlow::Continue(()) };
    match embedded::json(&unescaped(content)) {
        Some(inner) => locate(Json(&inner), path, Depth { strings, ..depth }, found),
        None => ControlFlow::Continue(()),
    }
}

/// A list stands for each of its elements.
pub(super) fn leaves<B>(
    value: Json<'_>,
    lists: u8,
    visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>,
) -> ControlFlow<Halt<B>> {
    let value = match value.kind() {
        Kind::List => {
            let Some(lists) = lists.checked_sub(1) else { return ControlFlow::Break(Halt::Broken) };
            for item in value.items() {
                match item {
                    Ok(item) => leaves(item, lists, visit)?,
                    Err(broken) => return ControlFlow::Break(broken.into()),
                }
            }
            return ControlFlow::Continue(());
        }
        Kind::Null => FieldValue::Null,
        Kind::String(content) => FieldValue::of_string(content, true),
        Kind::Scalar | Kind::Object => FieldValue::Json(value.0),
    };
    asked(visit(value))
}

pub(super) fn visit_all<B>(
    json: &str,
    visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>,
) -> ControlFlow<Halt<B>> {
    for token in tokens(json) {
        match token {
            Ok(Token::Null) => {}
            Ok(Token::String(content)) => asked(visit(FieldValue::of_string(content, true)))?,
            Ok(Token::Scalar(text)) => asked(visit(FieldValue::Json(text)))?,
            Err(()) => return ControlFlow::Break(Halt::Broken),
        }
    }
    ControlFlow::Continue(())
}

fn asked<B>(flow: ControlFlow<B>) -> ControlFlow<Halt<B>> {
    match flow {
        ControlFlow::Continue(()) => ControlFlow::Continue(()),
        ControlFlow::Break(result) => ControlFlow::Break(Halt::Asked(result)),
    }
}

#[cfg(test)]
mod reference;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn exists(document: &Value, path: &str) -> bool {
        super::exists(Json(&document.to_string()), path).is_break()
    }

    fn values(document: &Value, path: &str) -> Vec<String> {
        let mut seen = Vec::new();
        let _ = visit::<()>(Json(&document.to_string()), path, true, &mut |value| {
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
        assert!(exists(&document, "empty") && values(&document, "empty").is_empty());
        assert!(!exists(&document, "a.b.c.d"));
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
        assert!(exists(&document, "plain.Id") && !exists(&document, "plain.id"));
        assert!(!exists(&document, "list.cut"));
    }

    #[test]
    fn strings_inside_strings_have_an_end() {
        let nested = |levels: u8| (0..levels).fold(json!({"a": 1}), |inner, _| json!([inner.to_string()]));
        assert!(exists(&nested(embedded::MAX_DEPTH), "a"));
        assert!(!exists(&nested(embedded::MAX_DEPTH + 1), "a"));
    }
}
