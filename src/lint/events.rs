//! Which event names CloudTrail writes, by event source.
//!
//! In: what a rule compares `eventSource` and `eventName` with; case does not count, and `*` and `?` are wildcards. Out: a
//! [`Verdict`], with the likely name where one is at hand. Services without a public model take any name.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::yaml::suggest;

const DOMAIN: &str = ".amazonaws.com";
/// A name that more sources log than this says little about which was meant.
const FEW: usize = 3;

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(&[include_str!("data/events.txt"), include_str!("data/events_extra.txt")]));

/// What is known of an event source or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// CloudTrail writes it, or nothing says that it doesn't.
    Known,
    /// No service is known to log under this event source.
    UnknownSource {
        /// What may have been meant.
        advice: Option<String>,
    },
    /// The source is known; this event name is not written for it.
    UnknownName {
        /// What may have been meant.
        advice: Option<String>,
    },
}

/// Whether CloudTrail writes this event name for this source. Names with wildcards: whether any known name fits.
///
/// ```
/// use trailhound::lint::events::{Verdict, check};
///
/// assert_eq!(check("iam.amazonaws.com", "CreateUser"), Verdict::Known);
/// let advice = Some("did you mean `CreateFunction20150331`?".to_owned());
/// assert_eq!(check("lambda.amazonaws.com", "CreateFunction"), Verdict::UnknownName { advice });
/// ```
#[must_use]
pub fn check(source: &str, name: &str) -> Verdict {
    let found = TABLE.sources(source);
    if found.is_empty() {
        return Verdict::UnknownSource { advice: TABLE.source_advice(source) };
    }
    if found.iter().any(|events| events.log(name)) {
        return Verdict::Known;
    }
    let advice = found.iter().find_map(|events| events.own_advice(name));
    let advice = advice.or_else(|| TABLE.owner_advice(name));
    Verdict::UnknownName { advice: advice.or_else(|| nearest(name, found.iter().flat_map(|events| &events.names))) }
}

/// Whether some service logs under this event source, which may have wildcards: [`Verdict::Known`] or
/// [`Verdict::UnknownSource`].
#[must_use]
pub fn check_source(source: &str) -> Verdict {
    if TABLE.sources(source).is_empty() {
        return Verdict::UnknownSource { advice: TABLE.source_advice(source) };
    }
    Verdict::Known
}

/// Whether any source logs this event name, for rules that name no source: [`Verdict::Known`] or [`Verdict::UnknownName`],
/// which has advice only where the name is a slip of the pen away from a known one. Others may well be of a service whose
/// names nobody lists.
#[must_use]
pub fn check_name(name: &str) -> Verdict {
    if TABLE.0.values().any(|events| events.lists(name)) {
        return Verdict::Known;
    }
    let advice = TABLE.0.values().find_map(|events| events.own_advice(name));
    let slip = || TABLE.0.values().flat_map(|events| &events.names).find(|known| is_slip(name, known));
    Verdict::UnknownName { advice: advice.or_else(|| slip().map(|known| format!("did you mean `{known}`?"))) }
}

/// Events by source, without its domain. A source that is never written has no names, only the one it is mistaken for.
struct Table(BTreeMap<&'static str, Events>);

/// What one source logs.
#[derive(Default)]
struct Events {
    /// Event names as CloudTrail writes them.
    names: Vec<&'static str>,
    /// Takes any name.
    open: bool,
    /// Names that are never written, with those that are, parted by `|`.
    mistaken: Vec<(&'static str, &'static str)>,
    /// The source that is meant, when this one is never written.
    meant: Option<&'static str>,
}

impl Table {
    /// Reads lines as the head of `events_extra.txt` describes them.
    fn parse(files: &[&'static str]) -> Self {
        let mut table = Self(BTreeMap::new());
        let lines = files.iter().flat_map(|file| file.lines());
        for line in lines.filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let sources = words.next().unwrap_or_default();
            if let Some(wrong) = sources.strip_prefix('@') {
                table.0.entry(wrong).or_default().meant = words.next();
            } else {
                sources.split(',').filter(|source| !source.is_empty()).for_each(|source| {
                    words.clone().for_each(|word| table.0.entry(source).or_default().add(word));
                });
            }
        }
        table
    }

    /// What is known of every source that fits.
    fn sources(&self, source: &str) -> Vec<&Events> {
        let written = self.0.iter().filter(|(_, events)| events.meant.is_none());
        written.filter(|(known, _)| fits(source, &format!("{known}{DOMAIN}"))).map(|(_, events)| events).collect()
    }

    fn source_advice(&self, source: &str) -> Option<String> {
        let source = source.to_ascii_lowercase();
        let short = source.strip_suffix(DOMAIN).unwrap_or(&source);
        match self.0.get(short) {
            Some(Events { meant: Some(meant), .. }) => return Some(format!("CloudTrail writes `{meant}{DOMAIN}`")),
            Some(_) => return Some(format!("CloudTrail writes `{short}{DOMAIN}`")),
            None => {}
        }
        // The service is right and the domain is not: `sts.amazonaws.co`.
        let label = short.split('.').next().unwrap_or(short);
        if self.0.get(label).is_some_and(|events| events.meant.is_none()) {
            return Some(format!("CloudTrail writes `{label}{DOMAIN}`"));
        }
        let written = self.0.iter().filter(|(_, events)| events.meant.is_none()).map(|(known, _)| *known);
        // Without the domain: it is no part of what may be misspelt, but would make distant names look near.
        suggest(short, written).map(|advice| advice.replace("`?", &format!("{DOMAIN}`?")))
    }

    /// The sources that log a name which the rule looks for elsewhere.
    fn owner_advice(&self, name: &str) -> Option<String> {
        let owners = self.0.iter().filter(|(_, events)| !events.open && events.log(name));
        let owners: Vec<_> = owners.map(|(source, _)| format!("`{source}{DOMAIN}`")).collect();
        (1..=FEW).contains(&owners.len()).then(|| format!("it is logged by {}", owners.join(" or ")))
    }
}

impl Events {
    fn add(&mut self, word: &'static str) {
        match word.split_once('>') {
            Some(mistaken) => self.mistaken.push(mistaken),
            None if word == "*" => self.open = true,
            None => self.names.push(word),
        }
    }

    fn log(&self, name: &str) -> bool {
        self.open || self.lists(name)
    }

    fn lists(&self, name: &str) -> bool {
        self.names.iter().any(|known| same(name, known))
    }

    /// What this source writes for the call that the name stands for: another word, or the word with a version.
    fn own_advice(&self, name: &str) -> Option<String> {
        let mistaken = self.mistaken.iter().find(|(wrong, _)| wrong.eq_ignore_ascii_case(name));
        if let Some((_, written)) = mistaken {
            return Some(format!("CloudTrail writes `{}`", written.replace('|', "` or `")));
        }
        let versions = self.names.iter().filter(|known| without_version(known).is_some_and(|stem| fits(name, stem)));
        // The newest, where there are several.
        versions.max().map(|known| format!("did you mean `{known}`?"))
    }
}

/// Whether what a rule looks for is a known name, in this or another version: names such as `CreateFunction20150331` carry
/// the API's, and logs outlive it.
fn same(name: &str, known: &str) -> bool {
    if fits(name, known) {
        return true;
    }
    let Some(stem) = without_version(known) else { return false };
    fits(name, &format!("{known}v2")) || without_version(name).is_some_and(|asked| asked.eq_ignore_ascii_case(stem))
}

/// `CreateFunction` of `CreateFunction20150331`, `UpdateFunctionCode20150331v2` and `CreateFunction2020_05_31`.
fn without_version(name: &str) -> Option<&str> {
    let dated = match name.rsplit_once('v') {
        Some((dated, "1" | "2" | "3")) => dated,
        _ => name,
    };
    let stem = dated.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let version = &dated[stem.len()..];
    (version.starts_with("20") && matches!(version.len(), 8 | 10)).then_some(stem)
}

/// The known name that was probably meant. Wildcards at the ends are left out of the comparison.
fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k &'static str>) -> Option<String> {
    let name = name.trim_matches('*');
    suggest(name, known.copied().filter(|known| close(name, known)))
}

/// Whether one letter is too many, missing, wrong or in its neighbour's place. A plural is another call, not a slip.
fn is_slip(name: &str, known: &str) -> bool {
    let (name, known) = (name.trim_matches('*').to_ascii_lowercase(), known.to_ascii_lowercase());
    let plural = name.strip_suffix('s') == Some(&known) || known.strip_suffix('s') == Some(&name);
    name.len().abs_diff(known.len()) <= 1 && !plural && strsim::damerau_levenshtein(&name, &known) == 1
}

/// Whether the lengths differ so little that [`suggest`] could choose the word: it looks at every letter.
fn close(word: &str, known: &str) -> bool {
    word.len().abs_diff(known.len()) <= 1 + known.len() / 4
}

/// Whether the text fits a pattern of letters, `*` (any text) and `?` (one character), without regard to case.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    // Where the last star stood, and how much of the text it takes so far.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match (pattern.get(p), star) {
            (Some(b'*'), _) => {
                star = Some((p, t));
                p += 1;
            }
            (Some(letter), _) if *letter == b'?' || letter.eq_ignore_ascii_case(&text[t]) => (p, t) = (p + 1, t + 1),
            (_, Some((at, taken))) => {
                star = Some((at, taken + 1));
                (p, t) = (at + 1, taken + 1);
            }
            (_, None) => return false,
        }
    }
    pattern[p..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(verdict: &Verdict) -> &str {
        match verdict {
            Verdict::Known => "known",
            Verdict::UnknownSource { advice } | Verdict::UnknownName { advice } => advice.as_deref().unwrap_or("none"),
        }
    }

    fn asked(pairs: &[(&str, &str)]) -> Vec<String> {
        let verdicts = pairs.iter().map(|(source, name)| check(&format!("{source}{DOMAIN}"), name));
        verdicts.map(|verdict| advice(&verdict).to_owned()).collect()
    }

    #[test]
    fn names_that_detections_rest_on_are_known() {
        let wrong: Vec<_> = include_str!("data/tests_known.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .flat_map(|line| {
                let (source, names) = line.split_once(' ').unwrap();
                names.split(' ').map(move |name| (source, name))
            })
            .filter(|(source, name)| check(&format!("{source}{DOMAIN}"), name) != Verdict::Known)
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn case_does_not_count_and_wildcards_ask_whether_any_name_fits() {
        let pairs =
            [("IAM", "createuser"), ("iam", "Create*"), ("iam", "*User"), ("iam", "Creat?User"), ("i?m", "CreateUser")];
        assert_eq!(asked(&pairs), ["known"; 5]);
        assert_eq!(asked(&[("iam", "Creatz*"), ("iam", "CreateUse?r")]), ["none", "did you mean `CreateUser`?"]);
    }

    #[test]
    fn the_version_in_a_name_counts_only_when_it_is_missing() {
        let pairs = [
            ("lambda", "UpdateFunctionCode20150331v2"),
            ("lambda", "UpdateFunctionCode*"),
            ("lambda", "*20150331v2"),
            ("cloudfront", "UpdateDistribution2016_01_28"),
            ("lambda", "updatefunctioncode"),
            ("lambda", "PutFunctionConcurrency"),
            ("cloudfront", "UpdateDistribution"),
        ];
        let wanted = [
            "known",
            "known",
            "known",
            "known",
            "did you mean `UpdateFunctionCode20150331v2`?",
            "did you mean `PutFunctionConcurrency20171031`?",
            "known",
        ];
        assert_eq!(asked(&pairs), wanted);
    }

    #[test]
    fn a_name_of_another_source_comes_with_that_source() {
        let transfer = asked(&[("route53", "TransferDomainToAnotherAwsAccount"), ("iam", "ConsoleLogin")]);
        assert_eq!(
            transfer,
            ["it is logged by `route53domains.amazonaws.com`", "it is logged by `signin.amazonaws.com`"]
        );
    }

    #[test]
    fn words_of_iam_policies_come_with_the_name_of_the_event() {
        let pairs =
            [("s3", "PutEncryptionConfiguration"), ("s3", "PutPublicAccessBlock"), ("lambda", "InvokeFunction")];
        let wanted = [
            "CloudTrail writes `PutBucketEncryption`",
            "CloudTrail writes `PutBucketPublicAccessBlock` or `PutAccountPublicAccessBlock`",
            "CloudTrail writes `Invoke`",
        ];
        assert_eq!(asked(&pairs), wanted);
    }

    #[test]
    fn sources_come_with_the_one_that_cloudtrail_writes() {
        let sources = [
            "iam",
            "cloudwatch.amazonaws.com",
            "iamm.amazonaws.com",
            "secretmanager.amazonaws.com",
            "sts.amazonaws.co",
            "zzzzzz",
        ];
        let wanted = [
            "CloudTrail writes `iam.amazonaws.com`",
            "CloudTrail writes `monitoring.amazonaws.com`",
            "did you mean `iam.amazonaws.com`?",
            "did you mean `secretsmanager.amazonaws.com`?",
            "CloudTrail writes `sts.amazonaws.com`",
            "none",
        ];
        assert_eq!(sources.map(|source| advice(&check(source, "X")).to_owned()), wanted);
        assert_eq!(check_source("*.amazonaws.com"), Verdict::Known);
        assert!(matches!(check_source("signin.aws.com"), Verdict::UnknownSource { .. }));
    }

    #[test]
    fn services_without_a_public_model_take_any_name() {
        assert_eq!(
            asked(&[("cloudshell", "CreateSession"), ("sso", "StartSSO"), ("cognito-idp", "Login_GET")]),
            ["known"; 3]
        );
        let unlisted = ["Zzzzzzzzzz", "AddMemberToGroup", "GetFileUploadUrls", "StartSSO", "REST.GET.OBJECT"];
        assert!(unlisted.iter().all(|name| check_name(name) == Verdict::UnknownName { advice: None }));
    }

    #[test]
    fn a_name_alone_is_looked_for_everywhere() {
        assert_eq!(check_name("StopLogging"), Verdict::Known);
        assert_eq!(advice(&check_name("StopLoging")), "did you mean `StopLogging`?");
        assert_eq!(check_name("ListAccountRoles"), Verdict::Known);
        assert_eq!(advice(&check_name("UpdateFunctionCode")), "did you mean `UpdateFunctionCode20150331v2`?");
    }
}
