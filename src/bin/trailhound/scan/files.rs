//! Which files a scan reads.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const ENDINGS: &[&str] = &[".json.gz", ".json", ".jsonl", ".jsonl.gz"];

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogFile {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

/// What the paths hold.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: Vec<LogFile>,
    /// Paths that could not be listed.
    pub(super) errors: Vec<String>,
    /// Files of folders that are no trail files, digests among them, and links to folders.
    pub(super) skipped: usize,
}

/// Lists the trail files of the paths, each folder in the order of its names.
///
/// A file named on the command line is taken whatever its name. In a folder only trail files are, and digests are left
/// out: they hold no records. Links to folders are not followed: they may lead back.
pub(super) fn list(paths: &[PathBuf]) -> Listing {
    let mut listing = Listing::default();
    for path in paths {
        let before = (listing.files.len(), listing.errors.len());
        listing.add(path, true);
        if (listing.files.len(), listing.errors.len()) == before {
            listing.errors.push(format!("{}: no trail files in it ({})", path.display(), ENDINGS.join(", ")));
        }
    }
    listing
}

impl Listing {
    fn add(&mut self, path: &Path, named: bool) {
        if let Err(error) = self.try_add(path, named) {
            self.errors.push(format!("{}: {error}", path.display()));
        }
    }

    fn try_add(&mut self, path: &Path, named: bool) -> io::Result<()> {
        let metadata = path.metadata()?;
        if metadata.is_dir() && (named || !path.is_symlink()) {
            let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
            entries.sort_by_key(fs::DirEntry::file_name);
            entries.iter().for_each(|entry| self.add(&entry.path(), false));
        } else if named || (metadata.is_file() && is_trail_file(path)) {
            self.files.push(LogFile { path: path.to_owned(), bytes: metadata.len() });
        } else {
            self.skipped += 1;
        }
        Ok(())
    }
}

fn is_trail_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let lower = name.to_lowercase();
    ENDINGS.iter().any(|ending| lower.ends_with(ending)) && !name.contains("_CloudTrail-Digest_")
}
