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

/// Lists the trail files of the paths, each folder in the order of its names, and what could not be listed.
///
/// A file named on the command line is taken whatever its name. In a folder only trail files are, and digests are left
/// out: they hold no records.
pub(super) fn list(paths: &[PathBuf]) -> (Vec<LogFile>, Vec<String>) {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        let before = files.len();
        add(path, true, &mut files, &mut errors);
        if files.len() == before && errors.is_empty() {
            errors.push(format!("{}: no trail files in it ({})", path.display(), ENDINGS.join(", ")));
        }
    }
    (files, errors)
}

fn add(path: &Path, named: bool, files: &mut Vec<LogFile>, errors: &mut Vec<String>) {
    let result = path.metadata().and_then(|metadata| {
        if metadata.is_dir() {
            let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
            entries.sort_by_key(fs::DirEntry::file_name);
            entries.iter().for_each(|entry| add(&entry.path(), false, files, errors));
        } else if named || is_trail_file(path) {
            files.push(LogFile { path: path.to_owned(), bytes: metadata.len() });
        }
        Ok(())
    });
    if let Err(error) = result {
        errors.push(format!("{}: {error}", path.display()));
    }
}

fn is_trail_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ENDINGS.iter().any(|ending| name.ends_with(ending)) && !name.contains("_CloudTrail-Digest_")
}
