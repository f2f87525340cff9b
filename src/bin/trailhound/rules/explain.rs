//! `trailhound rules explain`: what each part of a rule made of a record.

mod records;
mod tree;

use std::io;
use std::path::{Path, PathBuf};

use trailhound::engine::{RuleInfo, RuleSet};
use trailhound::notify;
use trailhound::ports::BoxError;
use trailhound::trail::Record;
use trailhound::yaml::suggest;

pub(crate) use self::records::Records;
use super::load;
use crate::args::{ExplainArgs, RuleArgs};
use crate::{Verdict, note};

/// A page of explanations is read, a book isn't.
const MAX_RECORDS: usize = 20;
const MAX_NAME: usize = 100;

pub(super) fn run(args: &ExplainArgs) -> Result<Verdict, BoxError> {
    let (rule, from) = rule_file(&args.rule, &args.rules);
    let is_file = rule.is_empty();
    let loaded = load(&from)?;
    let rules = if is_file { all(&loaded.rules)? } else { vec![named(&loaded.rules, rule)?] };
    let records = Records::read(&args.record, args.event.as_deref(), MAX_RECORDS)?;
    let mut matched = false;
    for raw in &records.chosen {
        // OK to pass over what does not parse: it was a record a moment ago.
        let Ok(record) = Record::parse(raw.index, raw.text.as_bytes()) else { continue };
        for rule in &rules {
            matched |= tree::print(&mut io::stdout().lock(), &loaded.rules, rule, &record)?;
        }
    }
    records.problems.iter().for_each(|problem| note(problem));
    if records.left_out > 0 {
        note(&format!(
            "{} more records are not explained; choose one with `--event` and its eventID",
            records.left_out
        ));
    }
    let broken = !records.problems.is_empty() || (is_file && !loaded.rejected.is_empty());
    Ok(match (broken, matched) {
        (true, _) => Verdict::Broken,
        (false, true) => Verdict::Clean,
        (false, false) => Verdict::Found,
    })
}

/// The rule's name, empty for the rules of a file; and where to load rules from: of a file those alone.
pub(crate) fn rule_file<'r>(rule: &'r str, rules: &RuleArgs) -> (&'r str, RuleArgs) {
    if is_rule_file(rule) {
        ("", RuleArgs { rules: vec![PathBuf::from(rule)], pack: Vec::new(), ..rules.clone() })
    } else {
        (rule, rules.clone())
    }
}

/// A path rather than a title: it ends as rule files do, or is there.
fn is_rule_file(rule: &str) -> bool {
    let path = Path::new(rule);
    let ends = |end: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(end));
    ends("yml") || ends("yaml") || path.is_file()
}

/// The rules of a file.
fn all(set: &RuleSet) -> Result<Vec<&RuleInfo>, BoxError> {
    let rules: Vec<&RuleInfo> = set.rules().collect();
    match (rules.is_empty(), set.correlations().first()) {
        (false, _) => Ok(rules),
        (true, Some(_)) => Err("the file holds correlations only, and those look at many records".into()),
        (true, None) => Err("no rule of the file is loaded".into()),
    }
}

pub(crate) fn named<'s>(set: &'s RuleSet, name: &str) -> Result<&'s RuleInfo, BoxError> {
    if let Some(rule) = set.rules().find(|rule| rule.is_called(name)) {
        return Ok(rule);
    }
    if let Some(correlation) = set.correlations().iter().find(|correlation| correlation.info.is_called(name)) {
        let read: Vec<String> =
            correlation.correlation.rules.iter().map(|rule| format!("`{}`", clean(&rule.text))).collect();
        let name = clean(&correlation.info.title);
        return Err(format!(
            "\"{name}\" is a correlation: it looks at many records; explain the rules that it reads: {}",
            read.join(", ")
        )
        .into());
    }
    let names = set.rules().flat_map(|rule| [Some(&rule.title), rule.name.as_ref(), Some(&rule.id)]).flatten();
    let advice = suggest(name, names.map(String::as_str))
        .unwrap_or_else(|| "`trailhound rules` lists the rules that are loaded".to_owned());
    Err(format!("no rule that is loaded has the id, name or title `{}`; {}", clean(name), clean(&advice)).into())
}

fn clean(text: &str) -> String {
    notify::line(text, MAX_NAME)
}
