//! `trailhound baseline`: fills the memory of first-seen rules from history, and carries memories from place to place.
//!
//! In this order: forget, load, learn, dump. A step that can't be done ends the command, because the next ones build on it; a
//! line or a log file that can't be understood only leaves itself out.

#[cfg(feature = "aws")]
mod bucket;
#[cfg(not(feature = "aws"))]
#[path = "no_bucket.rs"]
mod bucket;
mod forget;
mod history;
mod learn;
mod tally;
mod transfer;

use std::path::Path;

use jiff::Timestamp;
use trailhound::config::StateIn;
use trailhound::ports::{BoxError, StateError, chain};
use trailhound::start;

use crate::Verdict;
use crate::args::BaselineArgs;

/// Items written, or sightings remembered, together.
const BATCH: usize = 1_000;

pub(crate) async fn run(args: &BaselineArgs) -> Result<Verdict, BoxError> {
    check(args)?;
    let state = start::memory(&args.state).await?;
    let now = Timestamp::now();
    let mut is_whole = true;
    if !args.forget.is_empty() {
        forget::forget(&state, &args.forget, now).await?;
    }
    if let Some(from) = &args.load {
        is_whole &= transfer::load(&state, from, now).await?;
    }
    if !args.history.is_empty() {
        is_whole &= learn::learn(&state, args, now).await?;
    }
    if let Some(to) = &args.dump {
        is_whole &= transfer::dump(&state, to, now).await?;
    }
    Ok(if is_whole { Verdict::Clean } else { Verdict::Broken })
}

/// Finds what can't have been meant, before anything is changed.
fn check(args: &BaselineArgs) -> Result<(), BoxError> {
    let fills = args.load.is_some() || !args.history.is_empty();
    if !fills && args.dump.is_none() && args.forget.is_empty() {
        return Err("there is nothing to do: give paths to learn from, or --load, --dump or --forget".into());
    }
    match &args.state {
        StateIn::Memory if !fills || args.dump.is_none() => {
            Err("--state memory ends with this command, so nothing would remain: give file:PATH or dynamodb:TABLE, \
                 or have what is learned written to a file with --dump"
                .into())
        }
        // Opening it would make one, and the name is most likely wrong.
        StateIn::File(path) if !fills && !path.exists() => {
            let path = path.display();
            Err(format!("there is no {path} to dump or forget from: is the path right? Learning or loading makes one")
                .into())
        }
        _ => Ok(()),
    }
}

/// With its causes: why a store failed is what helps.
fn failed(error: StateError) -> BoxError {
    match error {
        StateError::Throttled { .. } => format!("{error}; run it again later, which does no harm").into(),
        error => chain(&error).into(),
    }
}

/// Standard input or output.
fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}
