//! Reads files on several threads and hands their reports on in the order of the files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use jiff::Timestamp;
use trailhound::engine::RuleSet;
use trailhound::finding::{Contribution, Finding};
use trailhound::outcome::Counts;
use trailhound::pipeline::{Screen, Screened};
use trailhound::trail::{Limits, Reader};

use super::files::LogFile;

const CHUNK_BYTES: usize = 256 * 1024;

/// What one file gave.
#[derive(Debug, Default)]
pub(super) struct FileReport {
    pub(super) findings: Vec<Finding>,
    pub(super) contributions: Vec<Contribution>,
    pub(super) counts: Counts,
    /// For the person at the terminal.
    pub(super) problems: Vec<String>,
}

/// Reads every file, the largest first so that no thread is left alone with one at the end.
pub(super) fn read(
    files: &[LogFile],
    threads: usize,
    rules: &RuleSet,
    mut each: impl FnMut(FileReport) -> io::Result<()>,
) -> io::Result<()> {
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(files[index].bytes));
    let next = AtomicUsize::new(0);
    let (sender, reports) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(files.len()) {
            let (sender, order, next) = (sender.clone(), &order, &next);
            scope.spawn(move || {
                while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // Nobody listens any more once printing has failed.
                    if sender.send((index, file(&files[index].path, rules))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (index, report) in reports {
            early.insert(index, report);
            while let Some(report) = early.remove(&due) {
                due += 1;
                each(report)?;
            }
        }
        Ok(())
    })
}

fn file(path: &Path, rules: &RuleSet) -> FileReport {
    let mut screen = Screen::new(rules, path.display().to_string().into(), Timestamp::now());
    let result = stream(path, &mut screen);
    let Screened { findings, contributions, mut counts, first_bad } = screen.finish();
    counts.objects = 1;
    let mut problems = Vec::new();
    if let Some(first) = first_bad {
        problems.push(format!("{}: {} bad records, the first: {first}", path.display(), counts.bad_records));
    }
    match result {
        Ok(()) => counts.files = 1,
        Err(error) => {
            counts.objects_failed = 1;
            problems.push(format!("{}: {error}", path.display()));
        }
    }
    FileReport { findings, contributions, counts, problems }
}

fn stream(path: &Path, screen: &mut Screen<'_>) -> Result<(), Box<dyn std::error::Error>> {
    let mut file = File::open(path)?;
    let mut reader = Reader::new(Limits::default());
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(reader.finish(&mut |item| screen.item(item))?),
            read => reader.push(&chunk[..read], &mut |item| screen.item(item))?,
        }
    }
}
