//! Errors in this part of the file must not show a secret that somebody has put into it.

use crate::yaml::{Diagnostic, Kind, Node, SourceFile, Span};

/// Shorter texts are words: `eu`, `ocsf`, a channel's id.
const MIN_SECRET: usize = 16;

/// The error, with everything in its excerpt hidden that could be a secret.
pub(crate) fn masked(error: Diagnostic, channels: &Node) -> Diagnostic {
    let mut hidden = Vec::new();
    // Of a channel, everything but the routing.
    for (name, channel) in channels.members() {
        if name.text.contains("://") {
            hidden.push(name.span.clone());
        }
        match &channel.kind {
            Kind::Map(members) => {
                let members = members.iter().filter(|(key, _)| key.text != "when");
                members.for_each(|(_, value)| find(value, &mut hidden));
            }
            _ => find(channel, &mut hidden),
        }
    }
    if !matches!(channels.kind, Kind::Map(_)) {
        find(channels, &mut hidden);
    }
    without(error, hidden)
}

/// As [`masked`], where YAML itself is broken and nobody knows what stands where: every word is hidden that could be a secret.
pub(crate) fn masked_words(error: Diagnostic) -> Diagnostic {
    let is_between = |c: char| c.is_whitespace() || "'\"{}[],".contains(c);
    let is_secret = |word: &str| {
        let is_key = word.ends_with(':') && !word.contains("://");
        word.len() >= MIN_SECRET && !is_reference(word) && !is_key
    };
    let mut hidden = Vec::new();
    let mut start = 0;
    for piece in error.file().text.split_inclusive(is_between) {
        let word = piece.trim_end_matches(is_between);
        if is_secret(word) {
            hidden.push(start..start + word.len());
        }
        start += piece.len();
    }
    without(error, hidden)
}

/// The error, with these places of its file hidden.
fn without(error: Diagnostic, hidden: Vec<Span>) -> Diagnostic {
    let file = error.file();
    let mut text = file.text.as_bytes().to_vec();
    for span in hidden {
        text[span].fill(b'*');
    }
    // OK because the bytes of whole words were replaced, and no character is part of two.
    let text = String::from_utf8(text).unwrap_or_default();
    let file = SourceFile::new(file.name.clone(), text);
    error.shown_in(&file)
}

fn find(node: &Node, hidden: &mut Vec<Span>) {
    match &node.kind {
        Kind::Null => {}
        Kind::Text(text) if text.len() < MIN_SECRET || is_reference(text) => {}
        Kind::Text(_) => hidden.push(node.span.clone()),
        Kind::List(items) => items.iter().for_each(|item| find(item, hidden)),
        Kind::Map(members) => members.iter().for_each(|(_, value)| find(value, hidden)),
    }
}

pub(super) fn is_reference(text: &str) -> bool {
    text.starts_with("ssm:") || text.starts_with("secretsmanager:")
}
