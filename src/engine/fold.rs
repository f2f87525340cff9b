//! Upper and lower case made the same: Unicode's simple case folding, character by character.
//!
//! Simple folding, because a part then folds as it does inside the whole, one character stays one character for `?`, and
//! regular expressions with `i` fold the same way.

/// Folds a value of a rule.
pub(super) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(fold_char).collect()
}

/// Folds a value of a record into `buffer`; `false` when it is folded already and stands for itself.
pub(super) fn fold(text: &str, buffer: &mut String) -> bool {
    if text.is_ascii() {
        // Without an early end the compiler looks at many bytes at a time.
        if !text.bytes().fold(false, |any, byte| any | byte.is_ascii_uppercase()) {
            return false;
        }
        buffer.clear();
        buffer.push_str(text);
        buffer.make_ascii_lowercase();
    } else {
        buffer.clear();
        buffer.extend(text.chars().map(fold_char));
    }
    true
}

pub(super) fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    unicode_case_mapping::case_folded(c).and_then(|code| char::from_u32(code.get())).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_is_the_one_that_regular_expressions_use() {
        for c in ('\0'..=char::MAX).filter(|c| fold_char(*c) != *c) {
            let pattern = regex::RegexBuilder::new(&format!("^{}$", regex::escape(&fold_char(c).to_string())))
                .case_insensitive(true)
                .build()
                .unwrap();
            assert!(pattern.is_match(&c.to_string()), "{c}");
        }
    }

    #[test]
    fn what_is_folded_already_is_not_copied() {
        let mut buffer = String::new();
        assert!(!fold("abc-1", &mut buffer) && buffer.is_empty());
        for (text, expected) in [("ÄRGER", "ärger"), ("\u{212a}ey", "key"), ("StopLogging", "stoplogging")] {
            assert!(fold(text, &mut buffer));
            assert_eq!(buffer, expected);
        }
        assert_eq!(folded("ΟΔΥΣΣΕΑΣ"), folded("οδυσσεας"));
    }
}
