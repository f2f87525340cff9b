//! Makes text from a log harmless.

/// One line of at most `max` characters: what could forge a line, hide text or turn its direction is taken out.
#[must_use]
pub fn line(text: &str, max: usize) -> String {
    let clean: String = text.chars().map(|c| if is_hostile(c) { ' ' } else { c }).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&clean, max)
}

/// As [`line`], for what came from a log: mail and chat make links of addresses, and one that an intruder wrote must not be a
/// click away.
pub(super) fn logged(text: &str, max: usize) -> String {
    line(&text.replace("://", "[:]//"), max)
}

/// Cuts at a character and says so.
pub(super) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn is_hostile(c: char) -> bool {
    let invisible_or_turning = matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}'
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
}
