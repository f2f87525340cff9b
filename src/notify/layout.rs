//! What of a message stays when there is no room for all.

use serde_json::Value;

/// A part of a message.
pub(super) struct Part {
    /// The higher, the sooner it goes; 0 never does.
    priority: u8,
    block: Value,
}

impl Part {
    pub(super) fn new(priority: u8, block: Value) -> Self {
        Self { priority, block }
    }

    /// A part that stays whatever happens.
    pub(super) fn first(block: Value) -> Self {
        Self::new(0, block)
    }
}

/// As many parts as fit into so many characters of text, and so many blocks, in their order. Of equal ones the last goes first.
pub(super) fn fitting(mut parts: Vec<Part>, max_text: usize, max_parts: usize) -> Vec<Value> {
    while parts.len() > max_parts || parts.iter().map(|part| texts(&part.block)).sum::<usize>() > max_text {
        let least = (0..parts.len()).max_by_key(|&place| (parts[place].priority, place));
        match least.filter(|&place| parts[place].priority > 0) {
            Some(place) => drop(parts.remove(place)),
            None => break,
        }
    }
    parts.into_iter().map(|part| part.block).collect()
}

/// Characters of all texts in it.
fn texts(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.iter().map(texts).sum(),
        Value::Object(members) => members.values().map(texts).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_least_important_goes_first_and_the_first_stays() {
        let parts = || {
            vec![
                Part::first(json!("aaaa")),
                Part::new(1, json!("bbbb")),
                Part::new(2, json!("cc")),
                Part::new(1, json!("dddd")),
            ]
        };
        assert_eq!(fitting(parts(), 14, 4).len(), 4);
        assert_eq!(fitting(parts(), 13, 4), [json!("aaaa"), json!("bbbb"), json!("dddd")]);
        assert_eq!(fitting(parts(), 9, 4), [json!("aaaa"), json!("bbbb")]);
        assert_eq!(fitting(parts(), 14, 2), [json!("aaaa"), json!("bbbb")]);
        assert_eq!(fitting(parts(), 1, 1), [json!("aaaa")]);
    }
}
