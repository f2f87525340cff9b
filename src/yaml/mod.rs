//! YAML documents as a tree that remembers where everything stands.
//!
//! In: a [`SourceFile`]. Out: one [`Node`] a document, with byte spans into the file, so that errors can point. Scalars
//! keep their text: `012345678901` stays an account id and `No` stays a word.

mod diagnostic;
mod text;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span as ParserSpan};

pub use diagnostic::{Code, Diagnostic, Severity, suggest};
pub use text::Text;

/// A byte range of the file.
pub type Span = Range<usize>;

/// Nodes that aliases may add up to; a handful of lines can otherwise stand for billions.
const MAX_NODES: usize = 100_000;
const STRING_TAG: &str = "tag:yaml.org,2002:str";

/// A file's name, for people, and its text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SourceFile {
    /// Path as the user gave it, or a name such as `rules/kms/key_disabled.yml` for what is built in.
    pub name: Text,
    /// The whole text.
    pub text: Text,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where the value stands.
    pub span: Span,
    /// The value.
    pub kind: Kind,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, `~` or `null`, not quoted.
    Null,
    /// Any other scalar, as text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in file order, each key once.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key's text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl SourceFile {
    /// Names a text.
    #[must_use]
    pub fn new(name: impl Into<Text>, text: impl Into<Text>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }

    /// Reads the documents of the file. After a syntax error nothing more can be read, but what came before it stands.
    #[must_use]
    pub fn documents(self: &Arc<Self>) -> Vec<Result<Node, Diagnostic>> {
        let mut builder =
            Builder { file: self, parser: Parser::new_from_str(&self.text), anchors: HashMap::new(), nodes: 0 };
        let mut documents = Vec::new();
        loop {
            match builder.next_document() {
                Ok(Some(document)) => documents.push(Ok(document)),
                Ok(None) => return documents,
                Err(error) => {
                    documents.push(Err(error));
                    return documents;
                }
            }
        }
    }

    /// Where a part of a scalar's text stands: exact for plain and quoted text, the whole scalar for folded text.
    #[must_use]
    pub fn part(&self, span: &Span, text: &str, part: Range<usize>) -> Span {
        let written = self.text.get(span.clone()).unwrap_or_default();
        match written.find(text) {
            Some(offset) if offset <= 1 => span.start + offset + part.start..span.start + offset + part.end,
            _ => span.clone(),
        }
    }

    /// Line and column of a byte, both from 1.
    #[must_use]
    pub fn line_column(&self, byte: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(byte)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl Node {
    /// The text of a scalar that is not null.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The members of a mapping; none for anything else.
    #[must_use]
    pub fn members(&self) -> &[(Key, Node)] {
        match &self.kind {
            Kind::Map(members) => members,
            _ => &[],
        }
    }

    /// A mapping's member by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members().iter().find(|(key, _)| key.text == name).map(|(_, value)| value)
    }

    /// What it is, for error messages.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}

struct Builder<'f> {
    file: &'f Arc<SourceFile>,
    parser: Parser<'f, granit_parser::StrInput<'f>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'f> Builder<'f> {
    fn next_document(&mut self) -> Result<Option<Node>, Diagnostic> {
        loop {
            match self.event()? {
                None => return Ok(None),
                Some((Event::DocumentStart(..), _)) => {
                    let (event, span) = self.expect_event()?;
                    return self.node(event, &span).map(Some);
                }
                Some(_) => {}
            }
        }
    }

    fn node(&mut self, event: Event<'f>, span: &ParserSpan) -> Result<Node, Diagnostic> {
        self.nodes += 1;
        let start = span.byte_range().unwrap_or(0..0);
        let (kind, anchor) = match event {
            // A tag could change what the value means; `!!str` is the one that says what we take for granted.
            Event::Scalar(_, _, _, Some(tag))
            | Event::SequenceStart(_, _, Some(tag))
            | Event::MappingStart(_, _, Some(tag))
                if tag.to_string() != STRING_TAG =>
            {
                return Err(self.error(start, format!("the tag `{tag}` is not supported")).advise("leave it out"));
            }
            Event::Scalar(text, _, anchor, Some(_)) => (Kind::Text(text.into_owned()), anchor),
            Event::Scalar(text, style, anchor, None) => (scalar(&text, style), anchor),
            Event::SequenceStart(_, anchor, _) => (Kind::List(self.items()?), anchor),
            Event::MappingStart(_, anchor, _) => (Kind::Map(self.entries()?), anchor),
            Event::Alias(id) => {
                let node = self
                    .anchors
                    .get(&id)
                    .cloned()
                    .ok_or_else(|| self.error(start.clone(), "an alias refers to itself"))?;
                self.nodes += size(&node);
                if self.nodes > MAX_NODES {
                    return Err(self.error(start, "aliases make this file too large"));
                }
                return Ok(Node { span: start, kind: node.kind });
            }
            _ => return Err(self.error(start, "a value is missing here")),
        };
        let end = match &kind {
            Kind::List(items) => items.last().map_or(start.end, |item| item.span.end.max(start.end)),
            Kind::Map(members) => members.last().map_or(start.end, |(_, value)| value.span.end.max(start.end)),
            _ => start.end,
        };
        let node = Node { span: start.start..end, kind };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn items(&mut self) -> Result<Vec<Node>, Diagnostic> {
        let mut items = Vec::new();
        loop {
            match self.expect_event()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, &span)?),
            }
        }
    }

    fn entries(&mut self) -> Result<Vec<(Key, Node)>, Diagnostic> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        loop {
            let key = match self.expect_event()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (event, span) => self.node(event, &span)?,
            };
            let text = match key.kind {
                Kind::Text(text) => text,
                // `null:` is a key like any other word.
                Kind::Null => self.file.text.get(key.span.clone()).unwrap_or_default().to_owned(),
                _ => return Err(self.error(key.span, "a key has to be text")),
            };
            if text == "<<" {
                return Err(self.error(key.span, "merge keys are not supported").advise("write the members out"));
            }
            if let Some(first) = known.insert(text.clone(), key.span.start) {
                let (line, _) = self.file.line_column(first);
                return Err(self
                    .error(key.span, format!("`{text}` stands twice in one map"))
                    .advise(format!("the first is on line {line}; one of the two would be lost")));
            }
            let (event, span) = self.expect_event()?;
            let value = self.node(event, &span)?;
            entries.push((Key { text, span: key.span }, value));
        }
    }

    fn event(&mut self) -> Result<Option<(Event<'f>, ParserSpan)>, Diagnostic> {
        self.parser.next().transpose().map_err(|error| syntax(self.file, &error))
    }

    fn expect_event(&mut self) -> Result<(Event<'f>, ParserSpan), Diagnostic> {
        self.event()?
            .ok_or_else(|| self.error(self.file.text.len()..self.file.text.len(), "the document ends too early"))
    }

    fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::Yaml, self.file, span, message)
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" if style == ScalarStyle::Plain => Kind::Null,
        _ => Kind::Text(text.to_owned()),
    }
}

fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Kind::Map(members) => 1 + members.iter().map(|(_, value)| 1 + size(value)).sum::<usize>(),
        _ => 1,
    }
}

fn syntax(file: &Arc<SourceFile>, error: &ScanError) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or_default().min(file.text.len());
    let message = format!("not valid YAML: {}", error.kind());
    // Whoever writes `*Logging` means a wildcard, and YAML an alias.
    let advice = if file.text[file.text.floor_char_boundary(at)..].starts_with(['*', '&', '!', '%', '@', '`']) {
        "put the value in quotes: it begins with a character that means something to YAML"
    } else {
        "check indentation and quotes on this line and the one above"
    };
    Diagnostic::new(Code::Yaml, file, at..at, message).advise(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Node, Diagnostic> {
        SourceFile::new("t.yml", text).documents().remove(0)
    }

    #[test]
    fn scalars_keep_their_text() {
        let node = one("{a: 012345678901, b: No, c: 'null', d: null, e: , f: 1.50}").unwrap();
        let kinds: Vec<Option<&str>> = node.members().iter().map(|(_, value)| value.text()).collect();
        assert_eq!(kinds, [Some("012345678901"), Some("No"), Some("null"), None, None, Some("1.50")]);
    }

    #[test]
    fn keys_and_values_know_where_they_stand() {
        let text = "a:\n  'b|c': \"d e\"\n";
        let file = SourceFile::new("t.yml", text);
        let node = file.documents().remove(0).unwrap();
        let (key, value) = &node.get("a").unwrap().members()[0];
        assert_eq!((&text[key.span.clone()], &text[value.span.clone()]), ("'b|c'", "\"d e\""));
        let part = file.part(&key.span, &key.text, 2..3);
        assert_eq!((&text[part.clone()], file.line_column(part.start)), ("c", (2, 6)));
    }

    #[test]
    fn a_key_twice_is_an_error_and_names_the_first() {
        let error = one("a: 1\nb: 2\na: 3\n").unwrap_err().to_string();
        assert!(error.contains("`a` stands twice") && error.contains("first is on line 1"), "{error}");
    }

    #[test]
    fn what_would_change_the_meaning_in_silence_is_an_error() {
        assert!(one("a: &x {b: 1}\nc: {<<: *x}\n").unwrap_err().to_string().contains("merge keys are not supported"));
        assert!(one("a: !foo x\n").unwrap_err().to_string().contains("is not supported"));
        assert_eq!(one("a: !!str null\n").unwrap().get("a").unwrap().text(), Some("null"));
    }

    #[test]
    fn documents_before_a_syntax_error_stand() {
        let documents = SourceFile::new("t.yml", "a: 1\n---\nb: [1\n---\nc: 2\n").documents();
        assert!(documents[0].is_ok() && documents[1].is_err(), "{documents:?}");
        assert_eq!(documents.len(), 2);
    }

    #[test]
    fn aliases_are_followed_but_not_for_ever() {
        let node = one("a: &x [1, 2]\nb: *x\n").unwrap();
        assert_eq!(node.get("a").unwrap().kind, node.get("b").unwrap().kind);
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..9 {
            let list = vec![format!("*a{}", i - 1); 10].join(", ");
            bomb += &format!("a{i}: &a{i} [{list}]\n");
        }
        assert!(one(&bomb).unwrap_err().to_string().contains("too large"));
    }
}
