//! Slack's markup, and what Amazon Q hands on to Slack and Teams.

use super::plain;

/// Inside a code span a client shows text as it is: no links, no mentions, no markup.
pub(super) fn code(text: &str, max: usize) -> String {
    format!("`{}`", escape(&text.replace('`', "'"), max))
}

/// One line of at most `max` characters once the three that chat markup gives a meaning are escaped.
pub(super) fn escape(text: &str, max: usize) -> String {
    let line = plain::line(text, max);
    let length = |c: char| named(c).map_or(1, str::len);
    let mut escaped = String::new();
    let mut room = max;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        // Room is left for the mark of a cut, unless nothing is cut.
        if length(c) + 1 > room && (length(c) > room || rest.clone().next().is_some()) {
            escaped.push('…');
            break;
        }
        room -= length(c);
        match named(c) {
            Some(name) => escaped.push_str(name),
            None => escaped.push(c),
        }
    }
    escaped
}

/// Of the three that chat markup gives a meaning.
fn named(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_marked_and_no_name_is_cut_in_two() {
        for (text, max, escaped) in [
            ("a<b", 6, "a&lt;b"),
            ("a<b", 5, "a…"),
            ("<<", 8, "&lt;&lt;"),
            ("<<", 7, "&lt;…"),
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
        ] {
            assert_eq!(escape(text, max), escaped, "{text} in {max}");
        }
    }
}
