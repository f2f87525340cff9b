//! `trailhound rules`: what is loaded, what is doubtful about it, and why a rule did or did not match.

mod doc;
mod explain;
mod lint;
mod list;
mod new;
mod sarif;
mod test;
mod test_file;

use trailhound::engine::Organisation;
use trailhound::local::SystemClock;
use trailhound::ports::{BoxError, Clock as _};
use trailhound::rule_pack::{self, Loaded};
use trailhound::sigma::Level;
use trailhound::start;

pub(crate) use explain::{Records, named, rule_file};
pub(crate) use test_file::{RuleTest, beside};

use crate::args::{RuleArgs, RulesArgs, RulesCommand};
use crate::{Verdict, note};

pub(crate) fn run(args: &RulesArgs) -> Result<Verdict, BoxError> {
    match &args.command {
        None => list::run(&args.list),
        Some(RulesCommand::Lint(args)) => lint::run(args),
        Some(RulesCommand::Explain(args)) => explain::run(args),
        Some(RulesCommand::Test(args)) => test::run(args),
        Some(RulesCommand::New(args)) => new::run(args),
        Some(RulesCommand::Doc(args)) => doc::run(args),
    }
}

/// Whether rules are missing. With none at all, a quiet day would mean nothing.
pub(crate) fn is_broken(loaded: &Loaded) -> bool {
    !loaded.rejected.is_empty() || loaded.rules.loaded() == 0
}

/// Loads the rules that were asked for and prints what is wrong with the others.
///
/// # Errors
/// When the organisation's file is wrong, or data about addresses can't be used.
pub(crate) fn load(args: &RuleArgs) -> Result<Loaded, BoxError> {
    load_for(args, Level::default())
}

/// The same for people who are told of this level and worse ones.
pub(crate) fn load_for(args: &RuleArgs, level: Level) -> Result<Loaded, BoxError> {
    let organisation = Organisation { least_level: level, ..organisation(args)? };
    let loaded = rule_pack::load(&args.sources(), &organisation, SystemClock.today());
    for error in loaded.rejected.iter().chain(&loaded.stray).chain(&loaded.ageing).chain(&loaded.without_data) {
        note(&format!("{error}\n"));
    }
    Ok(loaded)
}

fn organisation(args: &RuleArgs) -> Result<Organisation, BoxError> {
    let mut organisation =
        args.config.as_deref().map_or_else(|| Ok(Organisation::default()), start::organisation_file)?;
    if let Some(folder) = &args.enrichment {
        organisation.knowledge = organisation.knowledge.enriched(start::enrichment_folder(folder)?);
    }
    Ok(organisation)
}
