//! `trailhound rules`: what is loaded, and what is not.

use std::io::{self, Write as _};

use trailhound::engine::Organisation;
use trailhound::ports::BoxError;
use trailhound::rule_pack::{self, Loaded};
use trailhound::start;

use crate::args::RuleArgs;
use crate::{Verdict, note};

pub(crate) fn run(args: &RuleArgs) -> Result<Verdict, BoxError> {
    let loaded = load(args)?;
    let mut out = io::stdout().lock();
    for rule in loaded.rules.rules() {
        writeln!(out, "{:<13} {:<36}  {}", rule.level.as_str(), rule.id, rule.title)?;
    }
    note(&loaded.summary());
    Ok(if is_broken(&loaded) { Verdict::Broken } else { Verdict::Clean })
}

/// Whether rules are missing. With none at all, a quiet day would mean nothing.
pub(crate) fn is_broken(loaded: &Loaded) -> bool {
    !loaded.rejected.is_empty() || loaded.rules.rules().len() == 0
}

/// Loads the rules that were asked for and prints what is wrong with the others.
///
/// # Errors
/// When the organisation's file is wrong.
pub(crate) fn load(args: &RuleArgs) -> Result<Loaded, BoxError> {
    let organisation = args.config.as_deref().map_or_else(|| Ok(Organisation::default()), start::organisation_file)?;
    let loaded = rule_pack::load(&args.sources(), &organisation);
    for error in loaded.rejected.iter().chain(&loaded.stray) {
        note(&format!("{error}\n"));
    }
    Ok(loaded)
}
