//! `trailhound alert`: alerts as their receivers see them.

mod preview;
mod sample;

use trailhound::ports::BoxError;

use crate::Verdict;
use crate::args::AlertCommand;

pub(crate) async fn run(command: &AlertCommand) -> Result<Verdict, BoxError> {
    match command {
        AlertCommand::Preview(args) => preview::run(args).await,
    }
}
