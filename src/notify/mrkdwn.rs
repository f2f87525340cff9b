//! Slack's markup, and what Amazon Q hands on to Slack and Teams.

use super::plain;

/// Inside a code span a client shows text as it is: no links, no mentions, no markup.
pub(super) fn code(text: &str, max: usize) -> String {
    format!("`{}`", escape(&text.replace('`', "'"), max))
}

/// One line of at most `max` characters once the three that chat markup gives a meaning are escaped.
pub(super) fn escape(text: &str, max: usize) -> String {
    let mut escaped = String::new();
    let mut room = max;
    for c in plain::line(text, max).chars() {
        let mut buffer = [0; 4];
        let piece = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            c => &*c.encode_utf8(&mut buffer),
        };
        room = match room.checked_sub(piece.chars().count()) {
            Some(room) => room,
            None => break,
        };
        escaped.push_str(piece);
    }
    escaped
}
