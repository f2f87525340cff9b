//! Describes a payload by its shape, never by its contents.

use serde_json::Value;

/// Bytes of a payload that is taken apart for this: parts of JSON take many times the memory of the text.
const MAX_BYTES: usize = 1 << 20;

/// What somebody sees who looks at it from afar.
pub(super) fn shape(text: &str) -> String {
    if text.len() > MAX_BYTES {
        return format!("{} bytes", text.len());
    }
    serde_json::from_str(text).map_or_else(|_| "no JSON".to_owned(), |value| of(&value))
}

fn of(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "an empty object".to_owned(),
        Value::Object(members) => {
            let names: Vec<String> = members.keys().take(8).map(|name| format!("`{}`", cut(name))).collect();
            let more = if members.len() > names.len() { ", …" } else { "" };
            let source = source(value).map(|source| format!(" from `{}`", cut(source))).unwrap_or_default();
            format!("an object with {}{more}{source}", names.join(", "))
        }
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::String(_) => "a string".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Null => "null".to_owned(),
    }
}

fn source(payload: &Value) -> Option<&str> {
    let first = payload.get("Records").and_then(|records| records.get(0)).unwrap_or(payload);
    ["eventSource", "EventSource", "source"].iter().find_map(|name| first.get(name))?.as_str()
}

fn cut(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}
