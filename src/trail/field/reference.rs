//! What paths mean, told once more over a parsed tree, and both held against each other.

use std::ops::ControlFlow;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{FieldPath, FieldValue};
use crate::trail::Record;
use crate::trail::embedded;

/// Every place that the path leads to.
fn locate(value: &Value, path: &str, depth: u8, found: &mut Vec<Value>) {
    if path.is_empty() {
        return found.push(value.clone());
    }
    match value {
        Value::Object(members) => {
            let ends = path.match_indices('.').map(|(dot, _)| dot).chain([path.len()]);
            for end in ends.collect::<Vec<_>>().into_iter().rev() {
                if let Some(member) = members.get(&path[..end]) {
                    locate(member, path.get(end + 1..).unwrap_or_default(), depth, found);
                }
            }
        }
        Value::Array(items) => {
            let (head, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(item) = head.parse::<usize>().ok().and_then(|index| items.get(index)) {
                locate(item, rest, depth, found);
            }
            items.iter().for_each(|item| locate(item, path, depth, found));
        }
        Value::String(text) if depth > 0 => {
            if let Some(inner) = embedded::document(text) {
                locate(&inner, path, depth - 1, found);
            }
        }
        _ => {}
    }
}

fn leaves(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::String(text) => texts.push(text.clone()),
        value => texts.push(value.to_string()),
    }
}

fn expected(record: &Value, path: &str) -> (bool, Vec<String>) {
    let mut found = Vec::new();
    locate(record, path, embedded::MAX_DEPTH, &mut found);
    let mut texts = Vec::new();
    found.iter().for_each(|value| leaves(value, &mut texts));
    (!found.is_empty(), texts)
}

fn all(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            texts.push(name.clone());
            all(member, texts);
        }),
        Value::Array(items) => items.iter().for_each(|item| all(item, texts)),
        Value::Null => {}
        Value::String(text) => texts.push(text.clone()),
        value => texts.push(value.to_string()),
    }
}

fn collect(texts: &mut Vec<String>) -> impl FnMut(FieldValue<'_>) -> ControlFlow<()> {
    |value| {
        texts.push(value.text(&mut String::new()).unwrap_or("null").to_owned());
        ControlFlow::Continue(())
    }
}

fn read(raw: &str, path: &str) -> (bool, Vec<String>) {
    let record = Record::parse(0, raw.as_bytes()).unwrap();
    let path = FieldPath::new(path);
    let mut texts = Vec::new();
    let _ = record.visit(&path, &mut collect(&mut texts));
    assert_eq!(record.broken(), None);
    (record.has(&path), texts)
}

fn holds(record: &Value, raw: &str, path: &str) {
    assert_eq!(read(raw, path), expected(record, path), "{path} in {raw}");
}

const NAMES: &[&str] = &[
    "a",
    "b",
    "",
    "a.b",
    "0",
    "1",
    "ä",
    "\"\\",
    "eventName",
    "requestParameters",
    "userIdentity",
    "type",
    "arn",
    "sessionContext",
];

fn name() -> impl Strategy<Value = String> + Clone {
    prop::sample::select(NAMES).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z\\u{0}-\u{1f}\"\\\\{}\\[\\]:,ä😀 ]{0,90}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let object = prop::collection::vec((name(), inner.clone()), 0..5)
            .prop_map(|members| Value::Object(members.into_iter().collect()));
        prop_oneof![
            2 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
            4 => object.clone(),
            1 => object.prop_map(|object| Value::from(object.to_string())),
        ]
    })
}

fn record() -> impl Strategy<Value = Value> {
    prop::collection::vec((name(), value()), 0..8).prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..5).prop_map(|names| names.join(".")).prop_filter("a name", |path| !path.is_empty())
}

/// The same JSON with every character of every string escaped, and white space between all tokens.
fn written_otherwise(value: &Value) -> String {
    let text = |text: &str| text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("\n\"{}\" : {} ", text(name), written_otherwise(value)))
                .collect();
            format!("{{{}\t}}", members.join(","))
        }
        Value::Array(items) => {
            format!("[ {} ]", items.iter().map(written_otherwise).collect::<Vec<_>>().join(" ,\r\n"))
        }
        Value::String(string) => format!("\"{}\"", text(string)),
        value => value.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn paths_lead_where_they_lead_in_a_tree(record in record(), paths in prop::collection::vec(path(), 10)) {
        let (written, otherwise) = (record.to_string(), written_otherwise(&record));
        for path in paths.iter().map(String::as_str).chain(["userIdentity.type", "userIdentity", "requestParameters.a"]) {
            holds(&record, &written, path);
            holds(&record, &otherwise, path);
        }
        let (mut seen, mut there) = (Vec::new(), Vec::new());
        let _ = Record::parse(0, otherwise.as_bytes()).unwrap().visit_all(&mut collect(&mut seen));
        all(&record, &mut there);
        prop_assert_eq!(seen, there);
    }

    /// Whatever the bytes: nothing panics, and what a strict parser takes is read as it reads it.
    #[test]
    fn damaged_records_are_refused_or_read_as_they_are(
        record in record(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(), paths in prop::collection::vec(path(), 5),
    ) {
        let mut bytes = record.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        let strict = serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object);
        let Ok(read) = Record::parse(0, &bytes) else {
            prop_assert!(strict.is_none());
            return Ok(());
        };
        for path in &paths {
            let path = FieldPath::new(path);
            let mut texts = Vec::new();
            let _ = read.visit(&path, &mut collect(&mut texts));
            if let Some(strict) = &strict {
                let numbers = |texts: Vec<String>| -> Vec<String> {
                    // A mutation can write a number in another way than the tree does.
                    texts.into_iter().map(|text| text.parse::<f64>().map_or(text, |number| number.to_string())).collect()
                };
                let (there, expected) = expected(strict, path.as_str());
                if !expected.iter().any(|text| text.starts_with('{')) {
                    prop_assert_eq!((read.has(&path), numbers(texts)), (there, numbers(expected)));
                }
            }
        }
    }
}

#[test]
fn longer_names_come_first_and_of_two_the_last_counts() {
    let record = json!({"a": {"b": 1}, "a.b": 2, "a.b.c": 3, "": {"a": 4}, "x": 5, "ä.ö": {"ü": 6}, "a.": 7});
    for path in ["a", "a.b", "a.b.c", "a.b.c.d", ".a", "x", "x.", "y", "ä.ö.ü", "ä", "a.", ".", "a.b.", "ab"] {
        holds(&record, &record.to_string(), path);
    }
    assert_eq!(read(&record.to_string(), "a.b").1, ["2", "1"]);
    let twice = r#"{"a":{"b":1},"a":{"c":2,"c":3},"eventName":"x","eventName":["y"]}"#;
    assert_eq!(
        (read(twice, "a.b").0, read(twice, "a.c").1, read(twice, "eventName").1),
        (false, vec!["3".into()], vec!["y".into()])
    );
}
