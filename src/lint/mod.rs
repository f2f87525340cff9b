//! What a rule may name: the events that CloudTrail writes ([`events`]) and the tags of MITRE ATT&CK ([`attack`]).
//!
//! A rule with a misspelt event name compiles, runs and never fires. Both tables are compiled in, read when first asked, and
//! stand in `data/` with where they come from. They age: what they don't know is a remark to the author, never an error.

pub mod attack;
pub mod events;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use walkdir::WalkDir;

    use super::{attack, events};
    use crate::yaml::{Kind, Node, SourceFile};

    /// The rules of `rules/`, without their tests.
    fn shipped() -> Vec<Node> {
        let files = WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")).into_iter().map(Result::unwrap);
        let rules = files.filter(|file| {
            let name = file.file_name().to_string_lossy();
            name.ends_with(".yml") && !name.ends_with(".test.yml")
        });
        let texts = rules.map(|file| std::fs::read_to_string(file.path()).unwrap());
        texts.flat_map(|text| SourceFile::new("rule", text).documents()).map(Result::unwrap).collect()
    }

    fn texts(node: &Node) -> Vec<&str> {
        match &node.kind {
            Kind::List(items) => items.iter().filter_map(Node::text).collect(),
            _ => node.text().into_iter().collect(),
        }
    }

    /// Every source and name that a mapping at or below the node asks for together.
    fn pairs(node: &Node) -> Vec<(String, String)> {
        let named = node.members().iter().filter_map(|(key, value)| match key.text.as_str() {
            "eventName" => Some((value, "")),
            "eventName|startswith" => Some((value, "*")),
            _ => None,
        });
        let sources = node.get("eventSource").map(texts).unwrap_or_default();
        let mut found: Vec<_> = named
            .flat_map(|(value, end)| texts(value).into_iter().map(move |name| format!("{name}{end}")))
            .flat_map(|name| sources.iter().map(move |source| ((*source).to_owned(), name.clone())))
            .collect();
        let below: &[Node] = if let Kind::List(items) = &node.kind { items } else { &[] };
        found.extend(node.members().iter().map(|(_, value)| value).chain(below).flat_map(pairs));
        found
    }

    #[test]
    fn shipped_rules_name_events_and_tags_that_exist() {
        let rules = shipped();
        let events: Vec<_> = rules.iter().flat_map(pairs).collect();
        let tags: Vec<_> = rules.iter().filter_map(|rule| rule.get("tags")).flat_map(texts).collect();
        assert!(events.len() > 50 && tags.len() > 50);

        let wrong: Vec<_> =
            events.iter().filter(|(at, name)| events::check(at, name) != events::Verdict::Known).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        let wrong: Vec<_> = tags.iter().filter(|tag| attack::check(tag) != attack::Tag::Known).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
