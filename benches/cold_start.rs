//! What the function takes from exec to its first poll, and what its first events take: milliseconds and memory.
//!
//!     cold_start FUNCTION [RUNS]     # as `make bench-cold-start` calls it
//!
//! The compiled function runs beside a server that plays Lambda, and S3 and SNS where a set-up asks for them. The server
//! speaks plain HTTP on a loopback port of its own, so TLS and networks are not in the figures.
#![expect(clippy::print_stdout, reason = "it is a program that prints")]
#![expect(clippy::unwrap_used, reason = "it is made of parts that hold, and stops where they don't")]

#[expect(dead_code, reason = "other measurements use the rest")]
mod corpus;
#[path = "cold_start/environment.rs"]
mod environment;
#[path = "cold_start/lambda.rs"]
mod lambda;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use lambda::{Lambda, Run};
use tempfile::TempDir;

const RECORDS_SEED: u64 = 1;
const RULES_SEED: u64 = 2;
const RECORDS: usize = 2000;
const RUNS: usize = 11;
const USAGE: &str = "usage: cold_start FUNCTION [RUNS]";

/// The second shows what a warm process takes.
const SAMPLES: [&str; 2] = [
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/05/111122223333_CloudTrail_us-east-1_20261105T0655Z_fV4MJ99Ezvpff6eP.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/05/111122223333_CloudTrail_us-east-1_20261105T0655Z_lHYeNXhLOtHPvNla.json.gz",
];
/// A generated file as large as a busy account's. Generated rules make of it alerts by the hundred, so it shows
/// what memory they take; what reading takes, the shipped pack shows.
const LARGE: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/05/111122223333_CloudTrail_us-east-1_20261105T1200Z_generated0000000.json.gz";

/// Where the function finds things.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Objects in a folder, alerts on its output.
    Here,
    /// Objects in S3, alerts to SNS.
    Aws,
    /// The same, connected to while it starts.
    AwsWarm,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Here => "folder, output",
            Self::Aws => "S3, SNS",
            Self::AwsWarm => "S3, SNS, connected ahead",
        }
    }

    fn variables(self, objects: &Path) -> Vec<(&'static str, String)> {
        let topic = "sns:arn:aws:sns:eu-west-1:111122223333:alerts".to_owned();
        match self {
            Self::Here => vec![
                ("TRAILHOUND_OBJECTS", format!("dir:{}", objects.display())),
                ("TRAILHOUND_ALERTS", "stdout".to_owned()),
            ],
            Self::Aws => vec![("TRAILHOUND_ALERTS", topic)],
            Self::AwsWarm => {
                vec![("TRAILHOUND_ALERTS", topic), ("TRAILHOUND_WARM", format!("s3://{},alerts", lambda::BUCKET))]
            }
        }
    }
}

fn main() {
    // Cargo's own comes along.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(function) = arguments.first().map(PathBuf::from) else {
        // Plain `cargo bench` calls everything.
        println!("{USAGE}");
        return;
    };
    let runs = arguments.get(1).map_or(RUNS, |runs| runs.parse().expect(USAGE));
    let work = TempDir::new().unwrap();
    let objects = objects(work.path());
    print_size(&function);
    println!(
        "To the first poll; two small events, one after the other; one of {RECORDS} records. CPU is of all threads.\n"
    );
    println!(
        "| rules | set-up | start: ms | CPU ms | peak MB | first: ms | CPU ms | second: ms | CPU ms | MB | large: CPU ms | peak MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let generated = |count| write_rules(work.path(), count).display().to_string();
    let sets = [
        ("one rule", generated(1)),
        ("the pack `core`", "core".to_owned()),
        ("all packs", "all".to_owned()),
        ("1,000", generated(1000)),
        ("10,000", generated(10_000)),
    ];
    for (name, rules) in sets {
        for place in [Place::Here, Place::Aws, Place::AwsWarm] {
            let mut variables = place.variables(&objects);
            variables.push(("TRAILHOUND_RULES", rules.clone()));
            let runs: Vec<Run> = (0..runs).map(|_| run(&function, &objects, &variables)).collect();
            print_row(name, place.name(), &runs);
        }
    }
}

fn run(function: &Path, objects: &Path, variables: &[(&str, String)]) -> Run {
    Lambda::start(function, objects, variables).events(&[SAMPLES[0], SAMPLES[1], LARGE])
}

/// A bucket in a folder: the two samples and the generated file.
fn objects(work: &Path) -> PathBuf {
    let objects = work.join("objects");
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/objects");
    for key in SAMPLES {
        write(&objects, key, &fs::read(samples.join(lambda::BUCKET).join(key)).unwrap());
    }
    let records: Vec<String> = corpus::records(corpus::Kind::Busy, RECORDS_SEED).take(RECORDS).collect();
    write(&objects, LARGE, &gzip(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes()));
    objects
}

fn write(objects: &Path, key: &str, bytes: &[u8]) {
    let path = objects.join(lambda::BUCKET).join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One rule a file, as collections have them.
fn write_rules(work: &Path, count: usize) -> PathBuf {
    let folder = work.join(format!("rules-{count}"));
    fs::create_dir(&folder).unwrap();
    for (number, rule) in corpus::rules(RULES_SEED).take(count).enumerate() {
        fs::write(folder.join(format!("{number:05}.yml")), rule).unwrap();
    }
    folder
}

/// A zip file holds the same deflate stream, and some hundred bytes around it.
fn print_size(function: &Path) {
    let bytes = fs::read(function).expect("the first argument names the compiled function");
    println!("Function: {:.2} MB, zipped {:.2} MB.\n", megabytes(bytes.len()), megabytes(gzip(&bytes).len()));
}

fn print_row(rules: &str, place: &str, runs: &[Run]) {
    let milliseconds = |of: &dyn Fn(&Run) -> Duration| median(runs.iter().map(of)).as_secs_f64() * 1000.0;
    let memory = |of: fn(&Run) -> usize| megabytes(median(runs.iter().map(of)) << 10);
    let took = |event: usize| milliseconds(&|run| run.events[event].took);
    let processor = |event: usize| {
        milliseconds(&|run| {
            let before = event.checked_sub(1).map_or(run.started, |before| run.events[before].usage);
            run.events[event].usage.processor.checked_sub(before.processor).unwrap()
        })
    };
    println!(
        "| {rules} | {place} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} |",
        milliseconds(&|run| run.to_first_poll),
        milliseconds(&|run| run.started.processor),
        memory(|run| run.started.peak_kib),
        took(0),
        processor(0),
        took(1),
        processor(1),
        memory(|run| run.events[1].usage.resident_kib),
        processor(2),
        memory(|run| run.events[2].usage.peak_kib),
    );
}

fn median<T: Ord + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values[values.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
