//! Files in memory, and rules.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use trailhound::engine::{Organisation, RuleSet};
use trailhound::rule_pack::{self, Pack, RuleSource};
use trailhound::sigma::{self, Collection};
use trailhound::yaml::SourceFile;

use super::corpus::{self, Kind};

pub(super) const RECORDS_SEED: u64 = 1;
const RULES_SEED: u64 = 2;

/// What records are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// Nothing: they are only read.
    None,
    /// Shipped rules.
    Pack(Pack),
    /// The first so many generated rules.
    Generated(usize),
    /// So many generated rules, those left out that match all the time.
    Quiet(usize),
    /// So many generated rules, and so many that look for something anywhere in `requestParameters` and nowhere else.
    Contains(usize, usize),
}

impl Rules {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match (text, text.split_once('+')) {
            ("none", _) => Some(Self::None),
            (name, _) if Pack::named(name).is_some() => Pack::named(name).map(Self::Pack),
            (text, _) if text.starts_with("quiet-") => Some(Self::Quiet(text["quiet-".len()..].parse().ok()?)),
            (_, Some((rules, contains))) => Some(Self::Contains(rules.parse().ok()?, contains.parse().ok()?)),
            (number, None) => Some(Self::Generated(number.parse().ok()?)),
        }
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Pack(Pack::All) => "all packs".to_owned(),
            Self::Pack(pack) => format!("the pack `{}`", pack.name()),
            Self::Generated(number) => grouped(number),
            Self::Quiet(number) => format!("{}, no noisy ones", grouped(number)),
            Self::Contains(rules, contains) => format!("{} + {}", grouped(rules), grouped(contains)),
        }
    }
}

/// A number with commas between its thousands.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let groups = digits.as_bytes()[head..].chunks(3).map(|group| std::str::from_utf8(group).unwrap());
    let groups: Vec<&str> = Some(&digits[..head]).filter(|head| !head.is_empty()).into_iter().chain(groups).collect();
    groups.join(",")
}

/// The text of generated rules. The shipped pack is compiled in, and has none.
pub(super) fn texts(rules: Rules) -> Vec<String> {
    let generated = (0..).zip(corpus::rules(RULES_SEED));
    let noisy = |number: u32| corpus::rules::NOISY.iter().any(|(noisy, ..)| *noisy == number);
    let text = |(_, text)| text;
    match rules {
        Rules::None | Rules::Pack(_) => Vec::new(),
        Rules::Generated(rules) => generated.take(rules).map(text).collect(),
        Rules::Quiet(rules) => generated.filter(|(number, _)| !noisy(*number)).take(rules).map(text).collect(),
        Rules::Contains(rules, contains) => {
            generated.take(rules).map(text).chain((0..contains).map(contains_rule)).collect()
        }
    }
}

/// A rule that can be found by a literal in `requestParameters` only, and matches nothing.
fn contains_rule(number: usize) -> String {
    format!(
        "title: Looks into parameters {number}\nid: contains-{number:05}\nlevel: medium\nlogsource:\n  product: aws\n  \
         service: cloudtrail\ndetection:\n  selection:\n    requestParameters|contains: 'leaked-{number:03}/secret'\n  \
         condition: selection\n"
    )
}

/// # Panics
/// When a rule does not load.
pub(super) fn compile(rules: Rules) -> Option<RuleSet> {
    match rules {
        Rules::None => None,
        Rules::Pack(pack) => {
            let loaded =
                rule_pack::load(&[RuleSource::Pack(pack)], &Organisation::default(), jiff::civil::date(2026, 11, 5));
            assert!(loaded.rejected.is_empty(), "{}", loaded.rejected[0]);
            Some(loaded.rules)
        }
        rules => Some(compile_texts(&texts(rules))),
    }
}

pub(super) fn compile_texts(texts: &[String]) -> RuleSet {
    let mut all = Collection::default();
    for (index, rule) in texts.iter().enumerate() {
        all.extend(sigma::parse(&SourceFile::new(format!("{index}.yml"), rule.as_str())));
    }
    let (set, mut errors) = RuleSet::compile(&all, &Organisation::default(), jiff::civil::date(2026, 11, 5));
    errors.append(&mut all.rejected);
    assert!(errors.is_empty(), "{}", errors[0]);
    set
}

/// Trail files in memory.
pub(super) struct Files {
    pub(super) json: Vec<String>,
    /// The same as they are stored.
    pub(super) gzip: Vec<Vec<u8>>,
    pub(super) records: usize,
}

impl Files {
    pub(super) fn new(kind: Kind, records: usize, per_file: usize) -> Self {
        let all: Vec<String> = corpus::records(kind, RECORDS_SEED).take(records).collect();
        let json: Vec<String> =
            all.chunks(per_file).map(|records| format!("{{\"Records\":[{}]}}", records.join(","))).collect();
        let gzip = json.iter().map(|file| gzip(file)).collect();
        Self { json, gzip, records }
    }

    pub(super) fn json_bytes(&self) -> usize {
        self.json.iter().map(String::len).sum()
    }

    pub(super) fn gzip_bytes(&self) -> usize {
        self.gzip.iter().map(Vec::len).sum()
    }
}

pub(super) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
