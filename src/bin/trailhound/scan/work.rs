//! Reads files on several threads and hands on what they find, in the order of the files or as it is found.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use jiff::Timestamp;
use trailhound::engine::RuleSet;
use trailhound::finding::{Contribution, Finding, FindingUid};
use trailhound::outcome::Counts;
use trailhound::pipeline::{Screen, Screened};
use trailhound::trail::{Item, Limits, Reader};

use super::files::LogFile;
use super::row::Printer;

/// Of a file as it is stored.
const CHUNK_BYTES: usize = 64 * 1024;

/// Printed findings of a file that are handed on together. A file of any size takes little more memory than these.
const PART_BYTES: usize = 64 * 1024;

/// What is known of so many files is handed on together, if they are no larger than this as they are stored.
const TOGETHER: usize = 32;
const SMALL_BYTES: u64 = 64 * 1024;

/// What comes of a file, piece by piece.
#[derive(Debug)]
pub(crate) enum Part {
    /// Findings in file order; more will come.
    Rows(Rows),
    /// The rest, and what became of the file.
    Last(Box<FileReport>),
}

/// Findings as they are printed: many are found in several files, and which of them are is known to one thread only.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    text: Vec<u8>,
    /// Each finding, and where its row ends.
    ends: Vec<(FindingUid, usize)>,
}

impl Rows {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (FindingUid, &[u8])> {
        let mut from = 0;
        self.ends.iter().map(move |&(uid, end)| (uid, &self.text[std::mem::replace(&mut from, end)..end]))
    }

    fn end(&mut self, uid: FindingUid) {
        self.ends.push((uid, self.text.len()));
    }
}

/// What one file gave besides the rows that were handed on before.
#[derive(Debug, Default)]
pub(crate) struct FileReport {
    pub(crate) rows: Rows,
    /// What first-seen rules have to look up.
    pub(crate) sightings: Vec<Finding>,
    pub(crate) contributions: Vec<Contribution>,
    pub(crate) counts: Counts,
    /// For the person at the terminal.
    pub(crate) problems: Vec<String>,
}

impl FileReport {
    /// What was found in a file, whatever became of it then.
    pub(crate) fn of(name: &str, screened: Screened) -> Self {
        let Screened { sightings, contributions, mut counts, bad } = screened;
        counts.objects = 1;
        let bad = bad.first().map(|first| format!("{name}: {} bad records, the first: {first}", counts.bad_records));
        Self { rows: Rows::default(), sightings, contributions, counts, problems: bad.into_iter().collect() }
    }

    /// Takes down whether the file could be read to its end.
    pub(crate) fn end(&mut self, name: &str, result: Result<(), String>) {
        match result {
            Ok(()) => self.counts.files = 1,
            Err(error) => {
                self.counts.objects_failed = 1;
                self.problems.push(format!("{name}: {error}"));
            }
        }
    }
}

/// In which order parts are handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Of the files. A part waits for the files before its own.
    OfFiles,
    /// As they are found.
    AsDone,
}

/// As many threads as there are cores.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Reads every file. Where the order doesn't matter the largest come first, so that no thread is left alone with one at the end;
/// where it does, whatever is read early has to wait in memory.
pub(crate) fn read(
    files: &[LogFile],
    threads: usize,
    tools: Tools<'_>,
    order: Order,
    mut each: impl FnMut(Part) -> io::Result<()>,
) -> io::Result<()> {
    let mut turns: Vec<usize> = (0..files.len()).collect();
    if order == Order::AsDone {
        turns.sort_by_key(|&index| std::cmp::Reverse(files[index].bytes));
    }
    let next = AtomicUsize::new(0);
    // Workers wait when what they find is not printed as fast.
    let (sender, parts) = mpsc::sync_channel(2 * threads);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(files.len()) {
            let (sender, turns, next) = (sender.clone(), &turns, &next);
            scope.spawn(move || {
                let mut worker = Worker::new(tools);
                let mut outbox = Outbox { sender, parts: Vec::new(), heard: true };
                while let Some(&index) = turns.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let file = &files[index];
                    worker.file(&file.path, &mut |part| outbox.put(index, part));
                    if file.bytes > SMALL_BYTES {
                        outbox.send();
                    }
                    // Nobody listens any more once printing has failed.
                    if !outbox.heard {
                        return;
                    }
                }
                outbox.send();
            });
        }
        drop(sender);
        match order {
            Order::AsDone => parts.into_iter().flatten().try_for_each(|(_, part)| each(part)),
            Order::OfFiles => in_order(parts, each),
        }
    })
}

/// Parts on their way to the printing thread. Waking it up takes as long as reading a small file: those of small files go together.
struct Outbox {
    sender: mpsc::SyncSender<Vec<(usize, Part)>>,
    parts: Vec<(usize, Part)>,
    /// Whether somebody listens.
    heard: bool,
}

impl Outbox {
    /// Returns whether somebody listens.
    fn put(&mut self, index: usize, part: Part) -> bool {
        let full = matches!(part, Part::Rows(_)) || self.parts.len() + 1 == TOGETHER;
        self.parts.push((index, part));
        if full {
            self.send();
        }
        self.heard
    }

    fn send(&mut self) {
        self.heard &= self.parts.is_empty() || self.sender.send(std::mem::take(&mut self.parts)).is_ok();
    }
}

/// Hands on the parts of the file that is due; those of others wait. Takes the receiver, so that a failure ends it: a worker that
/// sends to nobody stops, and is waited for.
fn in_order(parts: mpsc::Receiver<Vec<(usize, Part)>>, mut each: impl FnMut(Part) -> io::Result<()>) -> io::Result<()> {
    let mut early: BTreeMap<usize, Vec<Part>> = BTreeMap::new();
    let mut due = 0;
    for (index, part) in parts.into_iter().flatten() {
        early.entry(index).or_default().push(part);
        while let Some(ready) = early.remove(&due) {
            let ended = matches!(ready.last(), Some(Part::Last(_)));
            ready.into_iter().try_for_each(&mut each)?;
            if !ended {
                break;
            }
            due += 1;
        }
    }
    Ok(())
}

/// What all threads read their files with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tools<'s> {
    pub(crate) rules: &'s RuleSet,
    pub(crate) limits: Limits,
    /// Prints matches; without it they are counted only.
    pub(crate) printer: Option<Printer>,
}

/// What one thread reads its files with.
struct Worker<'s> {
    tools: Tools<'s>,
    reader: Reader,
    chunk: Vec<u8>,
}

impl<'s> Worker<'s> {
    fn new(tools: Tools<'s>) -> Self {
        Self { tools, reader: Reader::new(tools.limits), chunk: vec![0; CHUNK_BYTES] }
    }

    fn file(&mut self, path: &Path, each: &mut impl FnMut(Part) -> bool) {
        let name = path.display().to_string();
        let mut screen = Screen::new(self.tools.rules, name.as_str().into(), Timestamp::now());
        let mut rows = Rows::default();
        let result = self.stream(path, &name, &mut screen, &mut rows, each);
        let mut report = FileReport { rows, ..FileReport::of(&name, screen.finish()) };
        report.end(&name, result.map_err(|error| error.to_string()));
        each(Part::Last(Box::new(report)));
    }

    fn stream(
        &mut self,
        path: &Path,
        name: &str,
        screen: &mut Screen<'_>,
        rows: &mut Rows,
        each: &mut impl FnMut(Part) -> bool,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let Self { tools, reader, chunk } = self;
        reader.restart();
        let mut file = File::open(path)?;
        loop {
            let read = file.read(chunk)?;
            let mut item = |item: Item<'_>| {
                screen.item(item, &mut |told| {
                    if let Some(printer) = tools.printer {
                        // Writing to memory doesn't fail.
                        let _ = printer.told(&mut rows.text, &told, name);
                        rows.end(told.uid);
                    }
                });
            };
            if read == 0 {
                return Ok(reader.finish(&mut item)?);
            }
            reader.push(&chunk[..read], &mut item)?;
            if rows.text.len() >= PART_BYTES && !each(Part::Rows(std::mem::take(rows))) {
                return Ok(());
            }
        }
    }
}
