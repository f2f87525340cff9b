//! Takes nodes apart into the forms that documents ask for, with errors that point.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::Date;

use crate::yaml::{Code, Diagnostic, Key, Kind, Node, SourceFile, Span, Text, suggest};

/// Reads the nodes of one file.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'f> {
    pub(crate) file: &'f Arc<SourceFile>,
}

impl<'f> Shape<'f> {
    pub(crate) fn new(file: &'f Arc<SourceFile>) -> Self {
        Self { file }
    }

    pub(crate) fn error(self, code: Code, span: &Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.file, span.clone(), message)
    }

    /// A required member of a map.
    pub(crate) fn required<'n>(self, map: &'n Node, name: &str, advice: &str) -> Result<&'n Node, Diagnostic> {
        map.get(name).ok_or_else(|| self.error(Code::Missing, &map.span, format!("`{name}` is missing")).advise(advice))
    }

    pub(crate) fn map<'n>(self, node: &'n Node, what: &str) -> Result<&'n [(Key, Node)], Diagnostic> {
        match &node.kind {
            Kind::Map(members) => Ok(members),
            _ => Err(self.wrong(node, what, "a map")),
        }
    }

    pub(crate) fn text<'n>(self, node: &'n Node, what: &str) -> Result<&'n str, Diagnostic> {
        node.text().ok_or_else(|| self.wrong(node, what, "text"))
    }

    /// An optional member that is text.
    pub(crate) fn optional_text(self, map: &Node, name: &str) -> Result<Option<Text>, Diagnostic> {
        match map.get(name) {
            None | Some(Node { kind: Kind::Null, .. }) => Ok(None),
            Some(node) => self.text(node, name).map(|text| Some(text.trim().into())),
        }
    }

    /// An optional member that is a list of texts, or one text.
    pub(crate) fn texts(self, map: &Node, name: &str) -> Result<Vec<Text>, Diagnostic> {
        let texts = map.get(name).map(|node| self.spanned_texts(node, name)).transpose()?;
        Ok(texts.unwrap_or_default().into_iter().map(|(text, _)| text.trim().into()).collect())
    }

    pub(crate) fn spanned_texts(self, node: &Node, what: &str) -> Result<Vec<(Text, Span)>, Diagnostic> {
        match &node.kind {
            Kind::Null => Ok(Vec::new()),
            Kind::List(items) => {
                items.iter().map(|item| Ok((self.text(item, what)?.into(), item.span.clone()))).collect()
            }
            _ => Ok(vec![(self.text(node, what)?.into(), node.span.clone())]),
        }
    }

    /// The values of a list, or the one value that stands in its place.
    pub(crate) fn items(node: &Node) -> &[Node] {
        match &node.kind {
            Kind::Null => &[],
            Kind::List(items) => items,
            _ => std::slice::from_ref(node),
        }
    }

    /// Rejects members that nothing reads: a misspelt option must not be silently off.
    pub(crate) fn only(self, map: &Node, known: &[&str]) -> Result<(), Diagnostic> {
        match map.members().iter().find(|(key, _)| !known.contains(&key.text.as_str())) {
            None => Ok(()),
            Some((key, _)) => {
                Err(self.error(Code::UnknownKey, &key.span, format!("`{}` is not known here", key.text)).advise(
                    suggest(&key.text, known.iter().copied()).unwrap_or_else(|| format!("known: {}", known.join(", "))),
                ))
            }
        }
    }

    /// One of a closed set of words.
    pub(crate) fn word<T: Copy>(self, node: &Node, what: &str, words: &[(&str, T)]) -> Result<T, Diagnostic> {
        let text = self.text(node, what)?;
        words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let advice = suggest(text, names.iter().copied()).unwrap_or_else(|| format!("one of {}", names.join(", ")));
            self.error(Code::WrongType, &node.span, format!("`{text}` is no {what}")).advise(advice)
        })
    }

    /// A whole number and its unit: `90s`, `60m`, `12h`, `7d`.
    pub(crate) fn duration(self, node: &Node, what: &str) -> Result<SignedDuration, Diagnostic> {
        let text = self.text(node, what)?;
        duration(text).ok_or_else(|| {
            self.error(Code::WrongType, &node.span, format!("`{text}` is no duration"))
                .advise("a whole number and s, m, h or d, as in `60m`")
        })
    }

    /// A day: `2026-11-05`.
    pub(crate) fn date(self, node: &Node, what: &str) -> Result<Date, Diagnostic> {
        let text = self.text(node, what)?.trim();
        text.parse().ok().filter(|_| text.len() == "2026-11-05".len()).ok_or_else(|| {
            self.error(Code::WrongType, &node.span, format!("`{text}` is no date")).advise("write it as `2026-11-05`")
        })
    }

    pub(crate) fn wrong(self, node: &Node, what: &str, expected: &str) -> Diagnostic {
        self.error(Code::WrongType, &node.span, format!("{what} has to be {expected}, not {}", node.describe()))
    }
}

fn duration(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    // OK to parse as unsigned: a sign of either kind is no digit.
    let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse::<i64>().ok())??;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(seconds).map(SignedDuration::from_secs)
}
