//! `trailhound rules`: what is loaded, and what is not.

use std::io::{self, Write as _};

use trailhound::ports::BoxError;

use super::{is_broken, load};
use crate::args::RuleArgs;
use crate::{Verdict, note};

pub(super) fn run(args: &RuleArgs) -> Result<Verdict, BoxError> {
    let loaded = load(args)?;
    let mut out = io::stdout().lock();
    for rule in loaded.rules.rules() {
        writeln!(out, "{:<13} {:<36}  {}", rule.level.as_str(), rule.id, rule.title)?;
    }
    note(&loaded.summary());
    Ok(if is_broken(&loaded) { Verdict::Broken } else { Verdict::Clean })
}
