//! Which files are read.

use std::path::{Path, PathBuf};

use trailhound::local::walk;
use walkdir::DirEntry;

const ENDINGS: &[&str] = &[".json.gz", ".json", ".jsonl", ".jsonl.gz"];

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// What the paths hold.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) files: Vec<LogFile>,
    /// Paths that could not be listed.
    pub(crate) errors: Vec<String>,
    /// Files of folders that are no trail files, digests among them.
    pub(crate) skipped: usize,
}

/// Lists the trail files of the paths, each folder in the order of its names.
///
/// A file named on the command line is taken whatever its name. In a folder only trail files are, and digests are left
/// out: they hold no records.
pub(crate) fn list(paths: &[PathBuf]) -> Listing {
    let mut listing = Listing::default();
    for path in paths {
        let before = (listing.files.len(), listing.errors.len());
        for entry in walk(path) {
            match entry.map_err(|error| error.to_string()).and_then(log_file) {
                Ok(Some(file)) => listing.files.push(file),
                Ok(None) => listing.skipped += 1,
                Err(error) => listing.errors.push(error),
            }
        }
        if (listing.files.len(), listing.errors.len()) == before {
            listing.errors.push(format!("{}: no trail files in it ({})", path.display(), ENDINGS.join(", ")));
        }
    }
    listing
}

fn log_file(entry: DirEntry) -> Result<Option<LogFile>, String> {
    let wanted = entry.depth() == 0 || (entry.file_type().is_file() && is_trail_file(entry.path()));
    if !wanted {
        return Ok(None);
    }
    let bytes = entry.metadata().map_err(|error| error.to_string())?.len();
    Ok(Some(LogFile { path: entry.into_path(), bytes }))
}

fn is_trail_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let lower = name.to_lowercase();
    ENDINGS.iter().any(|ending| lower.ends_with(ending)) && !name.contains("_CloudTrail-Digest_")
}
