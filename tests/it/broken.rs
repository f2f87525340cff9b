//! Broken files: each comes to one counted outcome that says what is wrong, what stands before the damage is read and told, and
//! nothing panics.

mod forms;
mod shapes;

use std::collections::BTreeSet;

use shapes::{Shape, bombs, deep, huge, larger_than, small};
use trailhound::engine::RuleSet;
use trailhound::outcome::Counts;
use trailhound::pipeline::Screen;
use trailhound::ports::Clock as _;
use trailhound::trail::{Item, Limits, ReadError, Reader, Readers, Record};

use crate::pipeline::assert_adds_up;
use crate::reading::check::{self, Reading, Seen};
use crate::support::{TestClock, World, rule, rules};

/// They look at a name that every record has, at what a record holds further in, and at all that a call asks for.
fn three_rules() -> RuleSet {
    let stopped =
        rule("  sel: {eventName: StopLogging}\n  condition: sel").replace("title: Test", "title: Trail stopped");
    let deep = rule("  sel: {requestParameters.name: needle}\n  condition: sel").replace("id: test", "id: deep");
    let whole = rule("  sel: {derived.policy.public: true}\n  condition: sel").replace("id: test", "id: whole");
    rules(&format!("{stopped}\n---\n{deep}\n---\n{whole}"))
}

/// What reading a shape comes to, in chunks of any size.
fn read(shape: &Shape, limits: Limits, sizes: &[usize]) -> Reading {
    let read = || check::file(&shape.bytes, limits, sizes).0;
    std::panic::catch_unwind(read).unwrap_or_else(|_| panic!("that was `{}`", shape.name))
}

fn bad(reading: &Reading) -> impl Iterator<Item = String> {
    reading.items.iter().filter_map(|item| match item {
        Seen::Bad(bad) => Some(bad.to_string()),
        Seen::Record { .. } => None,
    })
}

fn records(reading: &Reading) -> impl Iterator<Item = &str> {
    reading.items.iter().filter_map(|item| match item {
        Seen::Record { raw, .. } => Some(raw.as_str()),
        Seen::Bad(_) => None,
    })
}

/// A text with its numbers left out.
fn kind(text: &str) -> String {
    let mut kind = String::new();
    for character in text.replace("UTF-8", "UTF-eight").chars() {
        match character {
            '0'..='9' if kind.ends_with('N') => {}
            '0'..='9' => kind.push('N'),
            _ => kind.push(character),
        }
    }
    kind.replace("UTF-eight", "UTF-8")
}

/// Hands the files to the pipeline in batches; each has to come to what reading it came to. Returns why files failed.
async fn outcomes(limits: Limits, shapes: &[Shape], readings: &[Reading]) -> BTreeSet<String> {
    let mut world = World::new(three_rules());
    world.pipeline.readers = Readers::new(limits);
    let mut failures = BTreeSet::new();
    for (batch, readings) in shapes.chunks(100).zip(readings.chunks(100)) {
        let keys: Vec<String> = batch.iter().map(|shape| world.put(&shape.user, &shape.bytes)).collect();
        let outcome = world.notify(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_adds_up(&outcome.counts);
        assert_eq!(counted(&outcome.counts), expected(readings, &world.pipeline.rules));
        let subjects = world.subjects().join("\n");
        for shape in batch.iter().filter(|shape| shape.told) {
            assert!(subjects.contains(&shape.user), "`{}` is not told", shape.name);
        }
        let why = |(key, reading): (&String, &Reading)| Some((key.clone(), reading.end.as_ref().err()?.to_string()));
        let expected: Vec<(String, String)> = keys.iter().zip(readings).filter_map(why).collect();
        let told = expected.iter().map(|(key, why)| format!("s3://trail-logs/{key}: {why}"));
        assert_eq!(
            outcome.failures.iter().map(|(_, failure)| failure.why.as_str()).collect::<Vec<_>>(),
            told.collect::<Vec<_>>()
        );
        failures.extend(expected.into_iter().map(|(_, why)| kind(&why)));
    }
    failures
}

fn counted(counts: &Counts) -> [u64; 4] {
    [counts.files, counts.objects_failed, counts.records, counts.bad_records]
}

fn expected(readings: &[Reading], rules: &RuleSet) -> [u64; 4] {
    let sum = |count: &dyn Fn(&Reading) -> usize| readings.iter().map(count).sum::<usize>() as u64;
    let bad_inside = |reading: &Reading| records(reading).filter(|raw| is_broken_inside(raw, rules)).count();
    [
        sum(&|reading| usize::from(reading.end.is_ok())),
        sum(&|reading| usize::from(reading.end.is_err())),
        sum(&|reading| records(reading).count()),
        sum(&|reading| bad(reading).count() + bad_inside(reading)),
    ]
}

/// Whether the rules come across something that is no JSON.
fn is_broken_inside(raw: &str, rules: &RuleSet) -> bool {
    let record = Record::parse(0, raw.as_bytes()).unwrap();
    let _ = rules.matches(&record);
    record.broken().is_some()
}

/// What people have.
const LIMITS: Limits = Limits { max_file_bytes: 1 << 30, max_record_bytes: 4 << 20 };

#[tokio::test]
async fn a_thousand_broken_files_come_to_a_clear_outcome_each() {
    let shapes = small();
    assert!(shapes.len() > 1000 && Limits::default() == LIMITS, "{}", shapes.len());
    let readings: Vec<Reading> = shapes.iter().map(|shape| read(shape, LIMITS, &[1, 7])).collect();
    insta::assert_snapshot!(listed(outcomes(LIMITS, &shapes, &readings).await), @r#"
    the file ends in the middle of its data
    the file is JSON without CloudTrail records (expected `{"Records": [...]}`, an array, or one record a line)
    the file is empty
    the file is neither gzip nor JSON that begins with `{` or `[`
    the file's JSON is broken at its byte N (inflated)
    the gzip data is damaged: its checksum is wrong
    the gzip data is damaged: its codes are wrong
    the gzip data is damaged: its header is wrong
    the gzip data is damaged: its length is wrong
    the gzip data is damaged: other bytes follow its end
    "#);
    insta::assert_snapshot!(listed(reasons(&readings)), @r"
    record N (bytes N to N of the file, inflated) can't be read: it is no CloudTrail record
    record N (bytes N to N of the file, inflated) can't be read: it is not UTF-8 at its byte N
    record N (bytes N to N of the file, inflated) can't be read: it is not a JSON object
    record N (bytes N to N of the file, inflated) can't be read: its JSON is broken at its byte N
    ");
}

#[tokio::test]
async fn large_and_deep_files_and_bombs_do_so_too() {
    let low = Limits { max_record_bytes: 60_000, max_file_bytes: 150_000 };
    let sets = [(larger_than(low.max_record_bytes), low), (deep(), LIMITS), (bombs(200_000), low)];
    let (mut failed, mut bad) = (BTreeSet::new(), BTreeSet::new());
    for (shapes, limits) in sets {
        let readings: Vec<Reading> = shapes.iter().map(|shape| read(shape, limits, &[4096])).collect();
        failed.extend(outcomes(limits, &shapes, &readings).await);
        bad.extend(reasons(&readings));
        for shape in &shapes {
            let (memory, ..) = bounded(shape, limits);
            assert!(memory < 1_000_000, "{memory} bytes for {}", shape.name);
        }
    }
    insta::assert_snapshot!(listed(failed), @r"
    the file ends in the middle of its data
    the file inflates to more than N bytes (raise TRAILHOUND_MAX_FILE_BYTES if it is genuine)
    the file is neither gzip nor JSON that begins with `{` or `[`
    the file's JSON is broken at its byte N (inflated)
    what begins at byte N of the file (inflated) has neither an end nor an array of records within N bytes (raise TRAILHOUND_MAX_RECORD_BYTES if it is genuine)
    ");
    insta::assert_snapshot!(listed(bad), @r"
    record N (bytes N to N of the file, inflated) can't be read: it is larger than N bytes, the limit for one record (raise TRAILHOUND_MAX_RECORD_BYTES if it is genuine)
    record N (bytes N to N of the file, inflated) can't be read: it is no CloudTrail record
    record N (bytes N to N of the file, inflated) can't be read: it is not a JSON object
    record N (bytes N to N of the file, inflated) can't be read: its JSON is broken at its byte N
    ");
}

/// With the limits that people have.
#[test]
fn a_string_of_5_mb_costs_itself_and_less_than_10_mb_of_memory() {
    let mut seen = Vec::new();
    for shape in huge() {
        let (memory, counts, end) = bounded(&shape, LIMITS);
        assert!(memory < 10_000_000, "{memory} bytes for {}", shape.name);
        let end = end.map_or_else(|error| error.to_string(), |()| "read to its end".to_owned());
        seen.push(format!("{} records, {} bad: {end}", counts.records, counts.bad_records));
    }
    insta::assert_snapshot!(seen.join("\n"), @r"
    2 records, 1 bad: read to its end
    1 records, 0 bad: what begins at byte 127 of the file (inflated) has neither an end nor an array of records within 4194304 bytes (raise TRAILHOUND_MAX_RECORD_BYTES if it is genuine)
    0 records, 0 bad: what begins at byte 0 of the file (inflated) has neither an end nor an array of records within 4194304 bytes (raise TRAILHOUND_MAX_RECORD_BYTES if it is genuine)
    2 records, 0 bad: read to its end
    ");
}

/// The most memory that reading a file takes at a time, its records held against rules; what was counted, and how it ended.
fn bounded(shape: &Shape, limits: Limits) -> (u64, Counts, Result<(), ReadError>) {
    let rules = three_rules();
    let mut result = None;
    let measured = allocation_counter::measure(|| {
        let mut screen = Screen::new(&rules, "a file".into(), TestClock::default().now());
        let mut reader = Reader::new(limits);
        let mut findings = Vec::new();
        let mut each = |item: Item<'_>| screen.item(item, &mut |told| findings.push(told.finding()));
        let pushed = shape.bytes.chunks(100_000).try_for_each(|chunk| reader.push(chunk, &mut each));
        let end = pushed.and_then(|()| reader.finish(&mut each));
        result = Some((screen.finish().counts, end));
    });
    let (counts, end) = result.unwrap();
    (measured.bytes_max, counts, end)
}

fn reasons(readings: &[Reading]) -> BTreeSet<String> {
    readings.iter().flat_map(bad).map(|text| kind(&text)).collect()
}

fn listed(texts: BTreeSet<String>) -> String {
    texts.into_iter().collect::<Vec<_>>().join("\n")
}
