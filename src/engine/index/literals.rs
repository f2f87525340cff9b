//! Literals that a regular expression can't match without.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::engine::fold::{fold_char, folded};

/// Alternatives that one expression may need; more would find too much.
const MAX_LITERALS: usize = 64;
/// A shorter literal stands in too many values.
const MIN_CHARS: usize = 3;

/// Texts of which every match holds one, folded; `None` when the expression promises none.
pub(super) fn required(expression: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::Parser::new().parse(expression).ok()?;
    of(&hir).filter(|texts| texts.iter().all(|text| text.chars().count() >= MIN_CHARS))
}

fn of(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => text(hir).map(|text| vec![text]),
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => of(&repetition.sub),
        HirKind::Alternation(branches) => {
            let texts: Vec<String> = branches.iter().map(of).collect::<Option<Vec<_>>>()?.concat();
            (texts.len() <= MAX_LITERALS).then_some(texts)
        }
        HirKind::Concat(parts) => concat(parts),
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The best of its parts; neighbouring characters are one text.
fn concat(parts: &[Hir]) -> Option<Vec<String>> {
    let mut best: Option<Vec<String>> = None;
    let mut run = String::new();
    for part in parts {
        if let Some(more) = text(part) {
            run += &more;
            continue;
        }
        let run = Some(std::mem::take(&mut run)).filter(|run| !run.is_empty()).map(|run| vec![run]);
        best = [best, run, of(part)].into_iter().flatten().max_by_key(|texts| shortest(texts));
    }
    let run = Some(run).filter(|run| !run.is_empty()).map(|run| vec![run]);
    [best, run].into_iter().flatten().max_by_key(|texts| shortest(texts))
}

fn shortest(texts: &[String]) -> usize {
    texts.iter().map(|text| text.chars().count()).min().unwrap_or_default()
}

/// What stands for one text: a literal, or the forms of one character as `(?i)` makes them.
fn text(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(folded),
        HirKind::Class(Class::Unicode(class)) => {
            // OK to look at five: no more than four characters fold to one.
            let mut forms = class.iter().flat_map(|range| range.start()..=range.end()).take(5).map(fold_char);
            let first = forms.next()?;
            forms.all(|form| form == first).then(|| first.to_string())
        }
        HirKind::Capture(capture) => text(&capture.sub),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_that_every_match_holds() {
        for (expression, expected) in [
            (".*:assumed-role/aws:.*", Some(vec![":assumed-role/aws:"])),
            ("^python-requests/[12]", Some(vec!["python-requests/"])),
            ("(?i)Kali|parrot", Some(vec!["kali", "parrot"])),
            ("a(bcd)+e", Some(vec!["bcd"])),
            ("abc(def|ghi)?x", Some(vec!["abc"])),
            ("(abc|x)", None),
            ("ab", None),
            ("[a-z]+", None),
            (r"\d{3}-foo", Some(vec!["-foo"])),
            ("", None),
            ("x*", None),
            ("(stopped)*", None),
            ("(stopped){0,2}begun", Some(vec!["begun"])),
        ] {
            let expected = expected.map(|texts| texts.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(required(expression), expected, "{expression}");
        }
    }
}
