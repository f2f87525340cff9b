//! What reading records and holding them against rules costs, on the generated corpus.
//!
//! Without arguments: nanoseconds a record and ratios to reading alone, measured in turns. With `--rules`: one such run, for
//! `benches/instructions.sh`, which counts what happens inside [`measured`].
#![expect(clippy::print_stdout, reason = "it is a program that prints")]
#![expect(clippy::unwrap_used, reason = "it is made of parts that hold, and stops where they don't")]

mod corpus;

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use trailhound::engine::{Organisation, RuleSet};
use trailhound::rule_pack::{self, RuleSource};
use trailhound::sigma::{self, Collection};
use trailhound::trail::{Item, Limits, Reader};
use trailhound::yaml::SourceFile;

const RECORDS_SEED: u64 = 1;
const RULES_SEED: u64 = 2;
/// As an object store hands them on.
const CHUNK_BYTES: usize = 64 << 10;
const ROUNDS: usize = 15;

const USAGE: &str = "usage: matching [--records N] [--per-file N] [--rules none|core|N]";

/// What records are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// Nothing: they are only read.
    None,
    /// The shipped pack.
    Core,
    /// The first so many generated rules.
    Generated(usize),
}

struct Options {
    records: usize,
    /// Each file has a matcher of its own, as in the pipeline.
    per_file: usize,
    rules: Option<Rules>,
}

#[derive(Debug, Default)]
struct Counts {
    records: usize,
    tried: usize,
    matches: usize,
}

fn main() {
    let options = options(std::env::args().skip(1)).unwrap_or_else(|| panic!("{USAGE}"));
    let files = files(&options);
    match options.rules {
        Some(rules) => count(&files, rules),
        None => compare(&files),
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options { records: 4000, per_file: 2000, rules: None };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--records" => options.records = arguments.next()?.parse().ok()?,
            "--per-file" => options.per_file = arguments.next()?.parse().ok()?,
            "--rules" => options.rules = Some(rules(&arguments.next()?)?),
            _ => return None,
        }
    }
    Some(options)
}

fn rules(argument: &str) -> Option<Rules> {
    match argument {
        "none" => Some(Rules::None),
        "core" => Some(Rules::Core),
        number => Some(Rules::Generated(number.parse().ok()?)),
    }
}

/// Trail files as they are stored.
fn files(options: &Options) -> Vec<Vec<u8>> {
    let records: Vec<String> = corpus::records(RECORDS_SEED).take(options.records).collect();
    records.chunks(options.per_file).map(|records| gzip(&format!("{{\"Records\":[{}]}}", records.join(",")))).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn compile(rules: Rules) -> Option<RuleSet> {
    let (set, errors) = match rules {
        Rules::None => return None,
        Rules::Core => {
            let loaded = rule_pack::load(&[RuleSource::Core], &Organisation::default());
            (loaded.rules, loaded.rejected)
        }
        Rules::Generated(number) => {
            let mut all = Collection::default();
            for (index, rule) in corpus::rules(RULES_SEED).take(number).enumerate() {
                all.extend(sigma::parse(&SourceFile::new(format!("{index}.yml"), rule)));
            }
            let (set, mut errors) = RuleSet::compile(&all, &Organisation::default());
            errors.append(&mut all.rejected);
            (set, errors)
        }
    };
    assert!(errors.is_empty(), "{}", errors[0]);
    Some(set)
}

/// Reads every record and holds it against the rules: what is measured, and nothing else. Its name is what the counter of
/// instructions looks for.
#[inline(never)]
fn measured(files: &[Vec<u8>], rules: Option<&RuleSet>) -> Counts {
    let mut counts = Counts::default();
    for file in files {
        let mut matcher = rules.map(RuleSet::matcher);
        let mut reader = Reader::new(Limits::default());
        let mut each = |item: Item<'_>| {
            let Item::Record(record) = item else { panic!("the corpus holds records only") };
            counts.records += 1;
            if let Some(matcher) = &mut matcher {
                counts.matches += matcher.matches(&record).len();
                counts.tried += matcher.tried();
            }
        };
        file.chunks(CHUNK_BYTES).for_each(|chunk| reader.push(chunk, &mut each).unwrap());
        reader.finish(&mut each).unwrap();
    }
    counts
}

/// One run, with what came of it in a form that a script reads.
fn count(files: &[Vec<u8>], rules: Rules) {
    let set = compile(rules);
    let Counts { records, tried, matches } = measured(files, set.as_ref());
    println!("records {records}\nrules {}\ntried {tried}\nmatches {matches}", set.map_or(0, |set| set.rules().len()));
}

/// The best of some rounds in which all sizes take turns, so that a busy moment hits all of them.
fn compare(files: &[Vec<u8>]) {
    let sizes = [Rules::None, Rules::Generated(10), Rules::Generated(100), Rules::Generated(1000)]
        .into_iter()
        .chain([Rules::Generated(10_000), Rules::Core]);
    let sets: Vec<(Rules, Option<RuleSet>)> = sizes.map(|rules| (rules, compile(rules))).collect();
    let mut best: Vec<_> = sets.iter().map(|_| (Duration::MAX, Counts::default())).collect();
    for _ in 0..ROUNDS {
        for ((_, set), best) in sets.iter().zip(&mut best) {
            let start = Instant::now();
            let counts = measured(files, set.as_ref());
            *best = (best.0.min(start.elapsed()), counts);
        }
    }
    println!("| rules | ns a record | of reading alone | candidates a record | matches a record |");
    println!("|---|---|---|---|---|");
    let floor = best[0].0;
    for ((rules, _), (time, counts)) in sets.iter().zip(&best) {
        print_row(*rules, *time, floor, counts);
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn print_row(rules: Rules, time: Duration, floor: Duration, counts: &Counts) {
    let name = match rules {
        Rules::None => "none: reading alone".to_owned(),
        Rules::Core => "the shipped pack".to_owned(),
        Rules::Generated(number) => number.to_string(),
    };
    let a_record = |count: usize| count as f64 / counts.records as f64;
    println!(
        "| {name} | {:.0} | {:.3} | {:.2} | {:.2} |",
        time.as_nanos() as f64 / counts.records as f64,
        time.as_secs_f64() / floor.as_secs_f64(),
        a_record(counts.tried),
        a_record(counts.matches),
    );
}
