//! Files as `serde_json` reads them: number, order, places, text and every member of the records, on real shapes and damaged ones.
//! What has to hold is written down in `fuzz/check`, which the fuzz targets ask as well.

#[path = "../../fuzz/check/mod.rs"]
pub(crate) mod check;

use std::fs;
use std::path::{Path, PathBuf};

use check::{Reading, Seen};
use flate2::Compression;
use serde_json::Value;
use trailhound::trail::Limits;

use crate::costs::corpus;
use crate::support::{events, record};

/// One that cuts names, one that lies across blocks of 64, one that a network gives.
const SIZES: [usize; 3] = [7, 61, 4096];

/// Files below a folder whose names end so.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A file of these records has to be read to its end.
fn reads(bytes: &[u8], sizes: &[usize], records: usize) -> usize {
    let (Reading { items, end }, compared) = check::file(bytes, Limits::default(), sizes);
    assert!(items.iter().all(|item| matches!(item, Seen::Record { .. })), "{items:?}");
    assert_eq!((items.len(), end), (records, Ok(())));
    compared
}

/// The forms that a file of records can have.
fn forms(records: &[String]) -> Vec<Vec<u8>> {
    let wrapped = format!("{{\"Records\":[{}]}}", records.join(","));
    let whole: Value = serde_json::from_str(&wrapped).unwrap();
    let packed = check::gzip(wrapped.as_bytes(), Compression::default());
    let (first, second) = wrapped.split_at(wrapped.len() / 3);
    let members = [first, second].map(|part| check::gzip(part.as_bytes(), Compression::fast()));
    vec![
        packed,
        members.concat(),
        serde_json::to_string_pretty(&whole).unwrap().into_bytes(),
        format!("\u{feff}[{}]\r\n", records.join(" ,\r\n\t")).into_bytes(),
        records.join("\n").into_bytes(),
        format!(
            "{{\"before\":[{{\"eventName\":\"no\"}}],\"\\u0052ecords\" : [{}],\"behind\":{{\"Records\":[1]}}}}",
            records.join(",")
        )
        .into_bytes(),
        wrapped.into_bytes(),
    ]
}

#[test]
fn generated_records_are_read_as_serde_json_reads_them() {
    let mut compared = 0;
    for kind in corpus::Kind::ALL {
        let records: Vec<String> = corpus::records(kind, 1).take(12).collect();
        for form in forms(&records) {
            compared += reads(&form, &SIZES, records.len());
        }
    }
    // Thirty members a record and more.
    assert!(compared > 4 * 12 * 7 * 30, "{compared}");
}

#[test]
fn so_are_the_records_of_the_rules_tests() {
    let rules = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"), ".test.yml");
    let record = |path: &PathBuf| {
        let test: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        test["record"].to_string()
    };
    let records: Vec<String> = rules.iter().map(record).collect();
    assert!(records.len() > 20);
    for form in forms(&records) {
        reads(&form, &SIZES, records.len());
    }
}

#[test]
fn so_are_the_sample_files() {
    let files = files(&events(), ".json.gz");
    let mut items = Vec::new();
    for file in &files {
        let bytes = fs::read(file).unwrap();
        items.extend(check::file(&bytes, Limits::default(), &[7, 4096]).0.items);
    }
    let records = items.iter().filter(|item| matches!(item, Seen::Record { .. })).count();
    // One is damaged on purpose, and so is one record of another.
    assert!(files.len() > 30 && records > 600 && items.len() - records == 1, "{records} of {}", items.len());
}

/// As many different files as wanted, the same in every run.
struct Mutations {
    random: corpus::random::Random,
    originals: Vec<Vec<u8>>,
}

/// What JSON is made of, and what only looks so.
const PARTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\\"",
    "\\u",
    "\\ud83d",
    "\\u0000",
    "null",
    "true",
    "-1.5e9",
    "1e999",
    "01",
    " ",
    "\n",
    "\0",
    "\t",
    "{}",
    "[]",
    "\"\"",
    "\"Records\":[",
    "\"Records\":",
    "\"eventName\":\"a\",",
    "\"a.b\":1,",
    "\u{feff}",
    "ä",
    "oops",
    "//",
    "\"userIdentity\":{",
    "\"userIdentity\":null,",
    "},{",
    "]}",
    "\"\\u0052ecords\":[",
];

impl Mutations {
    fn new(originals: Vec<Vec<u8>>) -> Self {
        Self { random: corpus::random::Random::new(7), originals }
    }

    /// A file with one to three changes.
    fn next(&mut self) -> Vec<u8> {
        let which = self.random.below(self.originals.len());
        let mut bytes = self.originals[which].clone();
        for _ in 0..=self.random.below(3) {
            self.change(&mut bytes);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.random.below(bytes.len() + 1);
        let to = (at + self.random.below(40)).min(bytes.len());
        match self.random.below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let part = bytes[at..to].to_vec();
                let place = self.random.below(bytes.len() + 1);
                bytes.splice(place..place, part);
            }
            3 | 4 => drop(bytes.splice(at..at, self.random.pick(PARTS).bytes())),
            5 => drop(bytes.splice(at..to, self.random.pick(PARTS).bytes())),
            _ => {
                let byte = u8::try_from(self.random.below(256)).unwrap();
                bytes.get_mut(at).into_iter().for_each(|there| *there = byte);
            }
        }
    }
}

/// Small enough that a change often lies where it matters.
fn originals() -> Vec<Vec<u8>> {
    let small = [
        r#"{"eventName":"A","x":"]}\"{"}"#,
        r#"{"userIdentity":{"type":"Root","x":[{}]},"eventType":"B"}"#,
        r#"{"eventName":"\u0043"}"#,
    ];
    let real = record("StopLogging", "1").to_string();
    let small: Vec<String> = small.map(str::to_owned).into();
    let mixed = vec![small[0].clone(), real, small[1].clone()];
    [forms(&small), forms(&mixed)].concat().into_iter().filter(|form| form[0] != 0x1f).collect()
}

#[test]
fn damaged_files_are_read_as_serde_json_reads_them_or_refused() {
    let mut mutations = Mutations::new(originals());
    let (mut records, mut bad, mut refused) = (0, 0, 0);
    for _ in 0..2000 {
        let bytes = mutations.next();
        // Byte by byte a record is looked at as often as it has bytes.
        let sizes: &[usize] = if bytes.len() < 400 { &[1, 7] } else { &[61, 300] };
        let (Reading { items, end }, _) = check::file(&bytes, Limits::default(), sizes);
        bad += items.iter().filter(|item| matches!(item, Seen::Bad(_))).count();
        records += items.len();
        refused += usize::from(end.is_err());
    }
    // That they are damaged, and most of them only in places.
    assert!(records > 3000 && bad > 500 && (500..1500).contains(&refused), "{records} {bad} {refused}");
}

#[test]
fn so_are_damaged_gzip_files_and_those_at_their_limits() {
    let mut mutations = Mutations::new(originals());
    let limits = Limits { max_record_bytes: 40, max_file_bytes: 200 };
    for round in 0..800 {
        let bytes = mutations.next();
        check::file(&bytes, limits, &[1, 7]);
        let mut packed = check::gzip(&bytes, Compression::new(round % 4));
        mutations.change(&mut packed);
        check::file(&packed, if round % 2 == 0 { limits } else { Limits::default() }, &[1, 7]);
    }
}

/// What the fuzz targets found, and what they start with.
#[test]
fn the_seeds_of_the_fuzz_targets_hold() {
    let seeds = |target| files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target), "");
    let (readers, records) = (seeds("reader"), seeds("record"));
    assert!(readers.len() > 10 && records.len() > 5);
    readers.iter().for_each(|seed| check::fuzzed_file(&fs::read(seed).unwrap()));
    records.iter().for_each(|seed| check::fuzzed_record(&fs::read(seed).unwrap()));
}
