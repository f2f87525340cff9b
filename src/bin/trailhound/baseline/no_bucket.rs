//! In place of `bucket`, in a build without AWS.
#![expect(clippy::unused_async, reason = "the same shape as the one with AWS")]

use trailhound::ports::BoxError;
use trailhound::start::StartError;

use super::history::History;
use crate::scan::work::Tools;

pub(super) async fn read(
    _bucket: &str,
    _prefix: &str,
    _tools: Tools<'_>,
    _history: &mut History,
) -> Result<(), BoxError> {
    Err(StartError::WithoutAws("s3://").into())
}
