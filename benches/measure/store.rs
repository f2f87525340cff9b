//! Corpora and rules in folders, for whole processes.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};

use super::corpus::{self, Kind};
use super::input::RECORDS_SEED;

/// Where a trail puts its files.
const PREFIX: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) files: usize,
    pub(super) per_file: usize,
}

impl Size {
    pub(super) fn records(self) -> usize {
        self.files * self.per_file
    }
}

/// A corpus that is written once and found again.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// The trail files, in the order of their names.
    pub(super) files: Vec<PathBuf>,
    pub(super) json_bytes: u64,
}

/// Below the target directory: `cargo clean` removes it.
pub(super) fn place() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("measure");
    fs::create_dir_all(&place).unwrap();
    place
}

/// Finds a corpus, or writes it.
pub(super) fn folder(kind: Kind, size: Size) -> Folder {
    let Size { files, per_file } = size;
    let path = place().join(format!("{}-{files}x{per_file}-{:016x}", kind.name(), version(kind)));
    // Written last.
    let done = path.with_extension("bytes");
    if !done.exists() {
        eprintln!("writing {}", path.display());
        let _ = fs::remove_dir_all(&path);
        let bytes = write(kind, size, &path);
        fs::write(&done, bytes.to_string()).unwrap();
    }
    let json_bytes = fs::read_to_string(&done).unwrap().parse().unwrap();
    let mut files: Vec<PathBuf> = fs::read_dir(path.join(PREFIX)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    Folder { path, files, json_bytes }
}

/// Differs when the generator makes other records.
fn version(kind: Kind) -> u64 {
    let mut hasher = DefaultHasher::new();
    corpus::records(kind, RECORDS_SEED).take(1000).for_each(|record| record.hash(&mut hasher));
    hasher.finish()
}

/// Writes a corpus as trail files, never more than a record of it in memory. Returns the bytes that they inflate to.
pub(super) fn write(kind: Kind, size: Size, folder: &Path) -> u64 {
    let folder = folder.join(PREFIX);
    fs::create_dir_all(&folder).unwrap();
    let mut records = corpus::records(kind, RECORDS_SEED);
    let names = (0..size.files).map(|number| {
        format!("111122223333_CloudTrail_eu-west-1_20261105T{:02}{:02}Z_EXAMPLE{number:09}.json.gz", 10, number % 60)
    });
    names.map(|name| write_file(&folder.join(name), records.by_ref().take(size.per_file))).sum()
}

fn write_file(path: &Path, records: impl Iterator<Item = String>) -> u64 {
    let mut file = GzEncoder::new(BufWriter::new(File::create(path).unwrap()), Compression::default());
    let mut bytes = 0;
    let mut put = |text: &str| {
        bytes += text.len() as u64;
        file.write_all(text.as_bytes()).unwrap();
    };
    put("{\"Records\":[");
    for (number, record) in records.enumerate() {
        if number > 0 {
            put(",");
        }
        put(&record);
    }
    put("]}");
    file.finish().unwrap().flush().unwrap();
    bytes
}

/// The records of a corpus, one a line.
pub(super) fn as_lines(kind: Kind, size: Size) -> String {
    corpus::records(kind, RECORDS_SEED).take(size.records()).map(|record| record + "\n").collect()
}

/// Writes rules, a file each, into a folder below [`place`] that holds nothing else.
pub(super) fn rules_folder(name: &str, rules: &[String]) -> PathBuf {
    let folder = place().join(name);
    let _ = fs::remove_dir_all(&folder);
    write_rules(rules, &folder);
    folder
}

/// Writes rules, a file each.
///
/// # Panics
/// When the folder holds anything.
pub(super) fn write_rules(rules: &[String], folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    assert!(
        fs::read_dir(folder).unwrap().next().is_none(),
        "{} has to be empty: name another folder",
        folder.display()
    );
    for (number, rule) in rules.iter().enumerate() {
        fs::write(folder.join(format!("{number:05}.yml")), rule).unwrap();
    }
}
