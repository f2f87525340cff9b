//! Folders that people point at: rules, and trail files.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

/// A place that could not be listed.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}", path = path.display())]
pub struct Unlisted {
    /// Where.
    pub path: PathBuf,
    /// What is wrong.
    pub why: String,
}

/// The files of a folder and of those below it, in the order of their names; a file stands for itself, at depth 0.
///
/// Links are followed: a file behind one counts like any other. What can't be listed, be it a link that leads back, keeps
/// nothing else out.
pub fn walk(path: &Path) -> impl Iterator<Item = Result<DirEntry, Unlisted>> {
    let entries = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter();
    entries.filter(|entry| entry.as_ref().map_or(true, |entry| !entry.file_type().is_dir())).map(|entry| {
        entry.map_err(|error| {
            let why = match error.loop_ancestor() {
                Some(ancestor) => format!("this link leads back to {}", ancestor.display()),
                None => error.io_error().map_or_else(|| error.to_string(), ToString::to_string),
            };
            Unlisted { path: error.path().unwrap_or(path).to_owned(), why }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_back_is_named_and_the_files_are_listed_once() {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("a.yml"), "").unwrap();
        for link in ["back", "again"] {
            std::os::unix::fs::symlink(".", folder.path().join(link)).unwrap();
        }
        let (files, errors): (Vec<_>, Vec<_>) = walk(folder.path()).partition(Result::is_ok);
        assert_eq!((files.len(), errors.len()), (1, 2));
        assert!(errors[0].as_ref().unwrap_err().to_string().contains("again: this link leads back to"));
    }
}
