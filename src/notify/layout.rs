//! What of a message stays when there is no room for all.

use serde_json::Value;

/// In the place of a text that is of no use in parts.
pub(super) const ELSEWHERE: &str =
    "There is no room here for all of it. The e-mail and the JSON of this alert have it.";

/// A part of a message.
pub(super) struct Part {
    /// What it is called where it is left out; empty for what nobody misses.
    name: &'static str,
    /// The higher, the sooner it goes; 0 never does.
    priority: u8,
    block: Value,
}

impl Part {
    pub(super) fn new(priority: u8, name: &'static str, block: Value) -> Self {
        Self { name, priority, block }
    }

    /// A part that stays whatever happens.
    pub(super) fn first(block: Value) -> Self {
        Self::new(0, "", block)
    }
}

/// As many parts as fit into so many characters of text, and so many blocks, in their order. Of equal ones the last goes first. A
/// last one, made by `say`, says what is left out.
pub(super) fn fitting(
    mut parts: Vec<Part>,
    max_text: usize,
    max_parts: usize,
    say: impl Fn(&str) -> Value,
) -> Vec<Value> {
    let mut gone: Vec<&str> = Vec::new();
    loop {
        let note = (!gone.is_empty()).then(|| say(&format!("No room here for: {}.", gone.join(", "))));
        let blocks = || parts.iter().map(|part| &part.block).chain(&note);
        let fits = blocks().count() <= max_parts && blocks().map(texts).sum::<usize>() <= max_text;
        let least = (0..parts.len()).max_by_key(|&place| (parts[place].priority, place));
        match least.filter(|&place| !fits && parts[place].priority > 0) {
            None => return parts.into_iter().map(|part| part.block).chain(note).collect(),
            Some(place) => {
                let name = parts.remove(place).name;
                if !name.is_empty() && !gone.contains(&name) {
                    gone.insert(0, name);
                }
            }
        }
    }
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
                Part::new(1, "", json!("bbbb")),
                Part::new(2, "", json!("cc")),
                Part::new(1, "", json!("dddd")),
            ]
        };
        let fitting = |parts, text, count| fitting(parts, text, count, |note| json!(note));
        assert_eq!(fitting(parts(), 14, 4).len(), 4);
        assert_eq!(fitting(parts(), 13, 4), [json!("aaaa"), json!("bbbb"), json!("dddd")]);
        assert_eq!(fitting(parts(), 9, 4), [json!("aaaa"), json!("bbbb")]);
        assert_eq!(fitting(parts(), 14, 2), [json!("aaaa"), json!("bbbb")]);
        assert_eq!(fitting(parts(), 1, 1), [json!("aaaa")]);
    }

    #[test]
    fn what_is_left_out_is_named_and_the_note_takes_room_itself() {
        let parts = vec![
            Part::first(json!("a".repeat(10))),
            Part::new(2, "commands", json!("b".repeat(30))),
            Part::new(3, "the filter", json!("c".repeat(30))),
            Part::new(3, "the filter", json!("d".repeat(30))),
        ];
        let note = |text: &str| json!(text);
        assert_eq!(
            fitting(parts, 75, 4, note),
            [json!("a".repeat(10)), json!("b".repeat(30)), json!("No room here for: the filter.")]
        );
    }
}
