//! `trailhound rules`: what is loaded, and what is not.

use std::collections::HashSet;
use std::io::{self, Write as _};

use trailhound::engine::RuleInfo;
use trailhound::ports::BoxError;
use trailhound::rule_pack::{self, RuleSource};
use trailhound::sigma::Mode;

use super::{is_broken, load};
use crate::args::RuleArgs;
use crate::{Verdict, note};

pub(super) fn run(args: &RuleArgs) -> Result<Verdict, BoxError> {
    let loaded = load(args)?;
    let mut out = io::stdout().lock();
    let correlations = loaded.rules.correlations().iter().map(|correlation| &*correlation.info);
    let parts: HashSet<&str> = loaded.rules.parts().map(|rule| rule.id.as_str()).collect();
    let without_data: HashSet<&str> = loaded.rules.without_data().map(|rule| rule.id.as_str()).collect();
    // Those about trailhound itself are there whatever is loaded; who asks for rules of their own wants to see these.
    let is_asked = |rule: &&RuleInfo| args.sources().contains(&RuleSource::Core) || !rule_pack::is_built_in(rule);
    for rule in loaded.rules.rules().chain(correlations).chain(loaded.own.rules().filter(is_asked)) {
        let part = if parts.contains(rule.id.as_str()) { "  (told only as a part of a correlation)" } else { "" };
        let dry_run = if rule.mode == Mode::DryRun { "  (dry run)" } else { "" };
        let without = if without_data.contains(rule.id.as_str()) { "  (without its data)" } else { "" };
        writeln!(out, "{:<13} {:<36}  {}{part}{dry_run}{without}", rule.level.as_str(), rule.id, rule.title)?;
    }
    note(&loaded.summary());
    Ok(if is_broken(&loaded) { Verdict::Broken } else { Verdict::Clean })
}
