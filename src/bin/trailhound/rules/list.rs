//! `trailhound rules`: what is loaded, and what is not.

use std::collections::HashSet;
use std::io::{self, Write};

use trailhound::engine::{RuleInfo, Tuning};
use trailhound::ports::BoxError;
use trailhound::rule_pack::{self, RuleSource};
use trailhound::sigma::{Level, Mode};

use super::{is_broken, load};
use crate::args::RuleArgs;
use crate::{Verdict, note};

pub(super) fn run(args: &RuleArgs) -> Result<Verdict, BoxError> {
    let loaded = load(args)?;
    let mut out = io::stdout().lock();
    let correlations = loaded.rules.correlations().iter().map(|correlation| &*correlation.info);
    let parts: HashSet<&str> = loaded.rules.parts().map(|rule| rule.id.as_str()).collect();
    let without_data: HashSet<&str> = loaded.rules.without_data().map(|rule| rule.id.as_str()).collect();
    let waiting: HashSet<&str> = loaded.rules.waiting().map(|rule| rule.id.as_str()).collect();
    // Those about trailhound itself are there whatever is loaded; who asks for rules of their own wants to see these.
    let has_pack = args.sources().iter().any(|source| matches!(source, RuleSource::Pack(_)));
    let is_asked = |rule: &&RuleInfo| has_pack || !rule_pack::is_built_in(rule);
    for rule in loaded.rules.rules().chain(correlations).chain(loaded.own.rules().filter(is_asked)) {
        let part = parts.contains(rule.id.as_str()).then(|| "told only as a part of a correlation".to_owned());
        let waits = waiting.contains(rule.id.as_str()).then(|| "waits for a list".to_owned());
        let without = without_data.contains(rule.id.as_str()).then(|| "without its data".to_owned());
        print(
            &mut out,
            (rule.level, &rule.id, &rule.title),
            part.into_iter().chain(changes(rule)).chain(waits).chain(without),
        )?;
    }
    for rule in loaded.off() {
        print(&mut out, (rule.level, &rule.id, &rule.title), ["off".to_owned()])?;
    }
    note(&loaded.summary());
    Ok(if is_broken(&loaded) { Verdict::Broken } else { Verdict::Clean })
}

fn print(
    out: &mut impl Write,
    (level, id, title): (Level, &str, &str),
    remarks: impl IntoIterator<Item = String>,
) -> io::Result<()> {
    write!(out, "{:<13} {id:<36}  {title}", level.as_str())?;
    for remark in remarks {
        write!(out, "  ({remark})")?;
    }
    writeln!(out)
}

/// What became of a rule besides what its author wrote.
fn changes(rule: &RuleInfo) -> Vec<String> {
    let Tuning { authors_level, limits, exceptions, filters, is_context: _ } = &rule.tuning;
    let count = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        many => Some(format!("{many} {what}s")),
    };
    let changes = [
        (rule.mode == Mode::DryRun).then(|| "dry run".to_owned()),
        authors_level.map(|level| format!("was {}", level.as_str())),
        limits.quiet.as_ref().map(|quiet| format!("quiet {quiet}")),
        limits.max_alerts.map(|most| format!("at most {most}")),
        count(*exceptions, "exception"),
        count(*filters, "filter"),
    ];
    changes.into_iter().flatten().collect()
}
