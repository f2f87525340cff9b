//! Makes text from a log harmless.

use super::redact;

/// One line of at most `max` characters: what could forge a line, hide text or turn its direction is taken out.
#[must_use]
pub fn line(text: &str, max: usize) -> String {
    let clean: String = text.chars().map(|c| if is_hostile(c) { ' ' } else { c }).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&clean, max)
}

/// As [`line`], for what came from a log. Without secrets, and without what mail and chat make links of: one that an intruder
/// wrote must not be a click away.
pub(crate) fn logged(text: &str, max: usize) -> String {
    // What is cut off in the end needn't be looked at, however long a log has made it.
    let looked_at = text.floor_char_boundary(max.saturating_mul(8).saturating_add(4096));
    unlinked(&line(&redact::text(&text[..looked_at]), max))
}

/// Takes the meaning from what clients make links of.
pub(super) fn unlinked(text: &str) -> String {
    // No client makes a link of a place in S3, which is how we name log files.
    let text = text.replace("://", "[:]//").replace("s3[:]//", "s3://");
    // `www.` in any case: looked for in the text as it is, because lower case may have another length.
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(place) = rest.as_bytes().windows(4).position(|bytes| bytes.eq_ignore_ascii_case(b"www.")) {
        clean.push_str(&rest[..place + 3]);
        clean.push_str("[.]");
        rest = &rest[place + 4..];
    }
    clean + rest
}

/// For what is exported as a table: a spreadsheet must not take it for a formula.
pub(super) fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() }
}

/// Cuts at a character and says so.
pub(super) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Cuts out of the middle: names of AWS differ at their ends.
pub(super) fn cut_middle(text: &str, max: usize) -> String {
    let length = text.chars().count();
    if length <= max {
        return text.to_owned();
    }
    let kept = max.saturating_sub(1);
    let (head, tail) = (kept / 2, kept - kept / 2);
    text.chars().take(head).chain(['…']).chain(text.chars().skip(length - tail)).collect()
}

pub(super) fn is_hostile(c: char) -> bool {
    let invisible_or_turning = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    c.is_control() || invisible_or_turning
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_cannot_forge_lines() {
        assert_eq!(line("a\r\nWho  root\u{202e}\u{1b}[31m", 80), "a Who root [31m");
        assert_eq!(line("abcdef", 4), "abc…");
    }

    #[test]
    fn a_log_cannot_make_links() {
        assert_eq!(
            logged("https://evil.example WWW.evil.example \u{130}www.x", 80),
            "https[:]//evil.example WWW[.]evil.example \u{130}www[.]x"
        );
    }

    #[test]
    fn the_middle_goes_first() {
        assert_eq!(cut_middle("abcdefgh", 8), "abcdefgh");
        assert_eq!(cut_middle("abcdefgh", 5), "ab…gh");
        assert_eq!(cut_middle("ab", 0), "…");
    }
}
