//! Errors in this part of the file must not show a secret that somebody has put into it.

use crate::yaml::{Diagnostic, Kind, Node, SourceFile, Span};

/// Shorter texts are words: `eu`, `ocsf`, a channel's id.
const MIN_SECRET: usize = 16;

/// The error, with everything in its excerpt hidden that could be a secret.
pub(super) fn masked(error: Diagnostic, channels: &Node) -> Diagnostic {
    let mut hidden = Vec::new();
    // Of a channel, everything but the routing.
    for (_, channel) in channels.members() {
        channel.members().iter().filter(|(key, _)| key.text != "when").for_each(|(_, value)| find(value, &mut hidden));
    }
    let file = error.file();
    let mut text = file.text.clone().into_bytes();
    for span in hidden {
        text[span].fill(b'*');
    }
    // OK because the bytes of whole scalars were replaced, and no character is part of two.
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
