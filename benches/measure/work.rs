//! The work that is measured.

use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;
use trailhound::engine::RuleSet;
use trailhound::local::walk;
use trailhound::pipeline::Screen;
use trailhound::trail::{Item, Limits, Reader};

use super::corpus::Kind;
use super::input::{Files, Rules, compile};

/// As the command line reads files.
const CHUNK_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) records: usize,
    /// Rules that a record was held against.
    pub(super) tried: usize,
    pub(super) matches: usize,
}

/// Inflates, and does nothing with what comes out.
pub(super) fn inflate(files: &[Vec<u8>], buffer: &mut Vec<u8>) -> Counts {
    buffer.resize(CHUNK_BYTES, 0);
    for file in files {
        let mut decoder = MultiGzDecoder::new(file.as_slice());
        while decoder.read(buffer).unwrap() > 0 {
            black_box(&buffer);
        }
    }
    Counts::default()
}

/// Reads one file and hands on its records. One reader reads all files, as in the pipeline.
fn read(reader: &mut Reader, file: &[u8], each: &mut impl FnMut(Item<'_>)) {
    reader.restart();
    file.chunks(CHUNK_BYTES).for_each(|chunk| reader.push(chunk, each).unwrap());
    reader.finish(each).unwrap();
}

/// What the counter of instructions looks for, by its name; so nothing else, closures in it included, may bear it.
#[inline(never)]
fn measured(files: &[Vec<u8>], rules: Option<&RuleSet>, whole: bool) -> Counts {
    match rules {
        Some(rules) if whole => end_to_end(files, rules),
        rules => matching(files, rules),
    }
}

/// Reads every record and holds it against the rules.
pub(super) fn matching<T: AsRef<[u8]>>(files: &[T], rules: Option<&RuleSet>) -> Counts {
    let mut counts = Counts::default();
    let mut reader = Reader::new(Limits::default());
    for file in files {
        // Each file has a matcher of its own, as in the pipeline.
        let mut matcher = rules.map(RuleSet::matcher);
        read(&mut reader, file.as_ref(), &mut |item| {
            let Item::Record(record) = item else { panic!("the corpus holds records only") };
            counts.records += 1;
            if let Some(matcher) = &mut matcher {
                counts.matches += matcher.matches(&record).len();
                counts.tried += matcher.tried();
            }
            black_box(&record);
        });
    }
    counts
}

/// From files to findings, as the pipeline does it.
pub(super) fn end_to_end(files: &[Vec<u8>], rules: &RuleSet) -> Counts {
    let mut counts = Counts::default();
    let mut reader = Reader::new(Limits::default());
    for file in files {
        let mut screen = Screen::new(rules, Arc::from("bench"), Timestamp::UNIX_EPOCH);
        let mut findings = Vec::new();
        read(&mut reader, file, &mut |item| screen.item(item, &mut |told| findings.push(told.finding())));
        let screened = screen.finish();
        findings.extend(screened.sightings);
        counts.records += usize::try_from(screened.counts.records).unwrap();
        counts.matches += black_box(findings).len();
    }
    counts
}

/// Holds every record against every rule, one after the other.
pub(super) fn one_by_one(files: &[Vec<u8>], rules: &RuleSet) -> Counts {
    let mut counts = Counts::default();
    let mut reader = Reader::new(Limits::default());
    for file in files {
        read(&mut reader, file, &mut |item| {
            let Item::Record(record) = item else { panic!("the corpus holds records only") };
            counts.records += 1;
            counts.matches += rules.matches_one_by_one(&record).len();
        });
    }
    counts
}

/// One run, with what came of it in a form that a script reads.
pub(super) fn count(rules: Rules, records: usize, whole: bool) {
    let files = Files::new(Kind::Busy, records, 2000).gzip;
    let set = compile(rules);
    // Once unseen: what a process does once, such as asking what the processor can do, is not a record's.
    black_box(matching(&Files::new(Kind::Data, 20, 20).gzip, set.as_ref()));
    // The same for expressions, which are compiled when they are first asked. One by one, so that no matcher remembers the records.
    if let Some(set) = &set {
        black_box(one_by_one(&files, set));
    }
    let Counts { records, tried, matches } = measured(&files, set.as_ref(), whole);
    println!("records {records}\nrules {}\ntried {tried}\nmatches {matches}", set.map_or(0, |set| set.rules().len()));
    println!("processor {}", processor());
}

/// What code is chosen by. A counter of instructions answers in the processor's place.
#[cfg(target_arch = "x86_64")]
fn processor() -> &'static str {
    if is_x86_feature_detected!("avx512bw") {
        "x86-64 with AVX-512"
    } else if is_x86_feature_detected!("avx2") {
        "x86-64 with AVX2"
    } else {
        "x86-64"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn processor() -> &'static str {
    std::env::consts::ARCH
}

/// Reads the trail files of a folder and does nothing with their records: the floor as a process.
pub(super) fn read_folder(folder: &Path) {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut reader = Reader::new(Limits::default());
    let mut records = 0_usize;
    for entry in walk(folder).map(Result::unwrap).filter(|entry| entry.file_type().is_file()) {
        let mut file = File::open(entry.path()).unwrap();
        let mut each = |item: Item<'_>| records += usize::from(matches!(black_box(item), Item::Record(_)));
        loop {
            match file.read(&mut chunk).unwrap() {
                0 => break,
                read => reader.push(&chunk[..read], &mut each).unwrap(),
            }
        }
        reader.finish(&mut each).unwrap();
        reader.restart();
    }
    println!("{records}");
}
