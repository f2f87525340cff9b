//! `%name%` in a value stands for each text of a list of the organisation.

use std::collections::BTreeMap;

use crate::yaml::suggest;

/// Texts that one value may stand for.
const MAX_TEXTS: usize = 10_000;

/// Why a value can't be filled, and what to try.
pub(super) struct Problem {
    pub(super) why: String,
    pub(super) advice: String,
}

/// Fills each placeholder with each text of its list, in every way; `\%` is a percent sign. `escape` makes a list's text fit
/// what stands around it.
pub(super) fn expand(
    text: &str,
    lists: &BTreeMap<String, Vec<String>>,
    escape: impl Fn(&str) -> String,
) -> Result<Vec<String>, Problem> {
    let mut filled = vec![String::new()];
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        if let Some(before) = rest[..at].strip_suffix('\\') {
            filled.iter_mut().for_each(|text| text.extend([before, "%"]));
            rest = &rest[at + 1..];
            continue;
        }
        let Some((name, after)) = rest[at + 1..].split_once('%').filter(|(name, _)| is_name(name)) else {
            filled.iter_mut().for_each(|text| text.push_str(&rest[..=at]));
            rest = &rest[at + 1..];
            continue;
        };
        let list = lists.get(name).ok_or_else(|| unknown(name, lists))?;
        let before = &rest[..at];
        filled = filled
            .iter()
            .flat_map(|text| list.iter().map(|item| [text, before, escape(item).as_str()].concat()).collect::<Vec<_>>())
            .take(MAX_TEXTS + 1)
            .collect();
        if filled.len() > MAX_TEXTS {
            return Err(Problem {
                why: format!("this value stands for more than {MAX_TEXTS} texts"),
                advice: "use one placeholder in a value, and wildcards in a long list".to_owned(),
            });
        }
        rest = after;
    }
    filled.iter_mut().for_each(|text| text.push_str(rest));
    Ok(filled)
}

pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn unknown(name: &str, lists: &BTreeMap<String, Vec<String>>) -> Problem {
    let advice = suggest(name, lists.keys().map(String::as_str))
        .unwrap_or_else(|| format!("give the list in the configuration: `placeholders: {{{name}: [...]}}`"));
    Problem { why: format!("there is no list for the placeholder `{name}`"), advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<Vec<String>, String> {
        let lists = [("a", vec!["1", "2"]), ("b", vec!["x.y"]), ("none", vec![])];
        let lists = lists
            .into_iter()
            .map(|(name, list)| (name.to_owned(), list.into_iter().map(str::to_owned).collect()))
            .collect();
        expand(text, &lists, str::to_uppercase).map_err(|problem| problem.why)
    }

    #[test]
    fn placeholders_stand_for_each_text_of_their_list() {
        for (text, expected) in [
            ("plain", vec!["plain"]),
            ("%a%", vec!["1", "2"]),
            ("r/%a%-%b%.", vec!["r/1-X.Y.", "r/2-X.Y."]),
            (r"100\%a%", vec!["100%a%"]),
            ("5% or 6 % of %b%", vec!["5% or 6 % of X.Y"]),
            ("%none%", vec![]),
        ] {
            assert_eq!(expanded(text).unwrap(), expected, "{text}");
        }
        assert_eq!(expanded("%c%").unwrap_err(), "there is no list for the placeholder `c`");
    }
}
