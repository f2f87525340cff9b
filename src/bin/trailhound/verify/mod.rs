//! `trailhound verify`: holds log files against CloudTrail's digest files, and prints a verdict to file.

mod chains;
mod json;
mod text;
mod verdict;
mod work;

use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;
use trailhound::config::KeysFrom;
use trailhound::config::ObjectsFrom;
use trailhound::integrity::Selection;
use trailhound::ports::BoxError;
use trailhound::start;

use crate::Verdict;
use crate::args::{HistoryIn, VerdictFormat, VerifyArgs};

use verdict::Inspection;

pub(crate) async fn run(args: &VerifyArgs) -> Result<Verdict, BoxError> {
    if args.from.zip(args.to).is_some_and(|(from, to)| from >= to) {
        return Err("--from has to be earlier than --to".into());
    }
    let (objects, places) = places(&args.place)?;
    let (objects, keys) = start::verification(&objects, &keys(args)).await?;
    let now = Timestamp::now();
    let mut inspection = Inspection::new(args, now);
    for (bucket, prefix) in &places {
        match chains::find(&objects, bucket, prefix, &selection(args)).await {
            Ok(chains) => {
                for chain in chains {
                    work::check(&objects, &*keys, bucket, chain, &mut inspection).await;
                }
            }
            Err(error) => inspection.unlisted(&error),
        }
    }
    inspection.finish();
    let mut out = io::stdout().lock();
    match args.format {
        VerdictFormat::Text => text::print(&inspection, &mut out)?,
        VerdictFormat::Json => json::print(&inspection, &mut out)?,
    }
    out.flush()?;
    Ok(inspection.verdict())
}

fn selection(args: &VerifyArgs) -> Selection {
    let VerifyArgs { from, to, account, region, trail, .. } = args;
    Selection { from: *from, to: *to, account: account.clone(), region: region.clone(), trail: trail.clone() }
}

/// The store, and the buckets and prefixes to look below.
fn places(place: &HistoryIn) -> Result<(ObjectsFrom, Vec<(String, String)>), BoxError> {
    match place {
        HistoryIn::S3 { bucket, prefix } => Ok((ObjectsFrom::S3, vec![(bucket.clone(), prefix.clone())])),
        HistoryIn::Path(path) => {
            let buckets = folders(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let places = buckets.into_iter().map(|bucket| (bucket, String::new())).collect();
            Ok((ObjectsFrom::Folder(path.clone()), places))
        }
    }
}

fn folders(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// A folder is checked without a network.
fn keys(args: &VerifyArgs) -> KeysFrom {
    match (&args.public_keys, &args.place) {
        (Some(path), _) => KeysFrom::File(path.clone()),
        (None, HistoryIn::S3 { .. }) => KeysFrom::CloudTrail,
        (None, HistoryIn::Path(_)) => KeysFrom::Nowhere,
    }
}
