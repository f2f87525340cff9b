//! What a record says, as a tree that `serde_json`'s parser made, and what paths mean in it.

use std::cell::Cell;

use serde_json::value::RawValue;

use super::strict::{Text, members};

/// Nested deeper, a record is not compared: of lists inside lists trailhound goes through a hundred.
const MAX_DEPTH: usize = 100;
/// Strings inside strings that hold JSON.
const MAX_STRINGS: u8 = 4;
/// What a string may be long that holds JSON.
const MAX_STRING_BYTES: usize = 1_000_000;

pub(super) enum Node {
    Null,
    /// A number or a word, as it is written.
    Scalar(String),
    Text(String),
    List(Vec<Node>),
    /// Members in their order, those of one name too.
    Object(Vec<(String, Node)>),
}

/// What a record says.
pub(super) struct Tree {
    pub(super) root: Node,
    /// Whether something was nested too deep to be compared.
    deep: Cell<bool>,
}

impl Tree {
    /// `None` when `serde_json` doesn't take the record.
    pub(super) fn new(raw: &str) -> Option<Self> {
        let deep = Cell::new(false);
        let root = node(serde_json::from_str(raw).ok()?, 0, &deep)?;
        Some(Self { root, deep })
    }

    pub(super) fn is_deep(&self) -> bool {
        self.deep.get()
    }

    /// Every place that the path leads to.
    pub(super) fn at(&self, path: &str) -> (bool, Vec<String>) {
        let (mut places, mut texts) = (0, Vec::new());
        self.locate(&self.root, path, MAX_STRINGS, &mut |found| {
            places += 1;
            leaves(found, &mut texts);
        });
        (places > 0, texts)
    }

    fn locate(&self, node: &Node, path: &str, strings: u8, found: &mut dyn FnMut(&Node)) {
        if path.is_empty() {
            return found(node);
        }
        match node {
            Node::Object(members) => {
                let ends = path.match_indices('.').map(|(dot, _)| dot).chain([path.len()]);
                for end in ends.collect::<Vec<_>>().into_iter().rev() {
                    if let Some(value) = last(members, &path[..end]) {
                        self.locate(value, path.get(end + 1..).unwrap_or_default(), strings, found);
                    }
                }
            }
            Node::List(items) => {
                let (head, rest) = path.split_once('.').unwrap_or((path, ""));
                if let Some(item) = head.parse::<usize>().ok().and_then(|index| items.get(index)) {
                    self.locate(item, rest, strings, found);
                }
                items.iter().for_each(|item| self.locate(item, path, strings, found));
            }
            Node::Text(text) if strings > 0 => {
                if let Some(inner) = self.document(text) {
                    self.locate(&inner, path, strings - 1, found);
                }
            }
            _ => {}
        }
    }

    /// The JSON that a string holds.
    fn document(&self, text: &str) -> Option<Node> {
        let plain = if text.trim_start().starts_with('%') { percent_decoded(text) } else { text.to_owned() };
        let json = plain.trim();
        if text.len() > MAX_STRING_BYTES || !json.starts_with(['{', '[']) {
            return None;
        }
        node(serde_json::from_str(json).ok()?, 0, &self.deep)
    }

    /// Paths of member names through the whole record, at most `count`.
    pub(super) fn paths(&self, count: usize) -> Vec<String> {
        let mut paths = Vec::new();
        self.names(&self.root, "", MAX_STRINGS, &mut paths, count);
        paths
    }

    fn names(&self, node: &Node, above: &str, strings: u8, paths: &mut Vec<String>, count: usize) {
        match node {
            Node::Object(members) => {
                for (name, value) in members {
                    let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
                    self.names(value, &path, strings, paths, count);
                    if paths.len() < count && !path.is_empty() && !paths.contains(&path) {
                        paths.push(path);
                    }
                }
            }
            Node::List(items) => items.iter().for_each(|item| self.names(item, above, strings, paths, count)),
            Node::Text(text) if strings > 0 => {
                if let Some(inner) = self.document(text) {
                    self.names(&inner, above, strings - 1, paths, count);
                }
            }
            _ => {}
        }
    }
}

impl Node {
    /// The text at names that are members of one another.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        let found = path.split('.').try_fold(self, |node, name| match node {
            Self::Object(members) => last(members, name),
            _ => None,
        });
        match found? {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Every name and every value but null, in their order.
    pub(super) fn all(&self, texts: &mut Vec<String>) {
        match self {
            Self::Null => {}
            Self::Scalar(text) | Self::Text(text) => texts.push(text.clone()),
            Self::List(items) => items.iter().for_each(|item| item.all(texts)),
            Self::Object(members) => members.iter().for_each(|(name, value)| {
                texts.push(name.clone());
                value.all(texts);
            }),
        }
    }

    /// JSON without white space, with each character escaped in one way.
    fn write(&self, to: &mut String) {
        match self {
            Self::Null => to.push_str("null"),
            Self::Scalar(text) => to.push_str(text),
            Self::Text(text) => to.push_str(&serde_json::Value::from(&**text).to_string()),
            Self::List(items) => {
                to.push('[');
                separated(items, to, |item, to| item.write(to));
                to.push(']');
            }
            Self::Object(members) => {
                to.push('{');
                separated(members, to, |(name, value), to| {
                    to.push_str(&serde_json::Value::from(&**name).to_string());
                    to.push(':');
                    value.write(to);
                });
                to.push('}');
            }
        }
    }
}

fn separated<T>(parts: &[T], to: &mut String, write: impl Fn(&T, &mut String)) {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            to.push(',');
        }
        write(part, to);
    }
}

/// Of two members of one name the last counts.
fn last<'n>(members: &'n [(String, Node)], name: &str) -> Option<&'n Node> {
    members.iter().rev().find(|(of, _)| of == name).map(|(_, value)| value)
}

/// A list stands for each of its elements.
fn leaves(node: &Node, texts: &mut Vec<String>) {
    match node {
        Node::List(items) => items.iter().for_each(|item| leaves(item, texts)),
        Node::Text(text) => texts.push(text.clone()),
        node => {
            let mut text = String::new();
            node.write(&mut text);
            texts.push(text);
        }
    }
}

fn node(raw: &RawValue, depth: usize, deep: &Cell<bool>) -> Option<Node> {
    if depth > MAX_DEPTH {
        deep.set(true);
        return Some(Node::Null);
    }
    let text = raw.get();
    Some(match text.as_bytes().first()? {
        b'n' => Node::Null,
        b'"' => Node::Text(serde_json::from_str::<Text>(text).ok()?.0),
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Node::List(items.iter().map(|item| node(item, depth + 1, deep)).collect::<Option<_>>()?)
        }
        b'{' => {
            let member = |(name, value): (String, &RawValue)| Some((name, node(value, depth + 1, deep)?));
            Node::Object(members(raw)?.into_iter().map(member).collect::<Option<_>>()?)
        }
        _ => Node::Scalar(text.to_owned()),
    })
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(digits.unwrap_or(*first));
        rest = if digits.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
