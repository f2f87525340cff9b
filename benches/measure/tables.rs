//! What is measured inside this process. Every figure is compared with reading alone, the floor, in the same turns.

use trailhound::engine::RuleSet;
use trailhound::rule_pack::Pack;

use super::corpus::Kind;
use super::input::{Files, Rules, compile, compile_texts, grouped, texts};
use super::options::Options;
use super::picture::{self, Point};
use super::race::{self, Entry};
use super::work::{self, Counts};

/// Rules that the cost is shown for.
const SIZES: [Rules; 7] = [
    Rules::Generated(10),
    Rules::Generated(57),
    Rules::Generated(100),
    Rules::Generated(1000),
    Rules::Generated(10_000),
    Rules::Pack(Pack::Core),
    Rules::Pack(Pack::All),
];

/// Inflating, scanning, and both: the floor.
pub(super) fn reading(options: &Options) {
    println!(
        "\n| records | a record, JSON bytes | gzip ratio | inflate, ns | scan, ns | floor: both, ns | MB/s | end to end, 1,000 rules, ns | over the floor |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let tiny = [(Kind::Busy, 10, "busy, 10 a file")];
    let kinds = Kind::ALL.map(|kind| (kind, options.per_file, kind.name()));
    for (kind, per_file, name) in kinds.into_iter().chain(tiny) {
        reading_of(&Files::new(kind, options.records, per_file), name, options.rounds);
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn reading_of(files: &Files, name: &str, rounds: usize) {
    let rules = compile(Rules::Generated(1000)).unwrap();
    let mut buffer = Vec::new();
    let mut entries = [
        Entry::new("floor", || work::matching(&files.gzip, None)),
        Entry::new("inflate", || work::inflate(&files.gzip, &mut buffer)),
        Entry::new("scan", || work::matching(&files.json, None)),
        Entry::new("end to end", || work::end_to_end(&files.gzip, &rules)),
    ];
    race::run(rounds, &mut entries);
    let [floor, inflate, scan, whole] = &entries;
    let (records, bytes) = (files.records, files.json_bytes() as f64);
    println!(
        "| {name} | {:.0} | {:.1} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.3} |",
        bytes / records as f64,
        bytes / files.gzip_bytes() as f64,
        inflate.ns_each(records),
        scan.ns_each(records),
        floor.ns_each(records),
        bytes / floor.time.as_secs_f64() / 1e6,
        whole.ns_each(records),
        whole.ratio(floor),
    );
}

/// For more and more rules: matching alone, from file to finding, and trying each rule for comparison.
pub(super) fn matching(options: &Options) {
    let files = &Files::new(options.kind, options.records, options.per_file);
    let sets = SIZES.map(|rules| (rules, compile(rules).unwrap()));
    let mut floor = [Entry::new("none: the floor", || work::matching(&files.gzip, None))];
    let mut rows: Vec<[Entry<'_>; 3]> = sets.iter().map(|(rules, set)| row(*rules, set, &files.gzip)).collect();
    for _ in 0..options.rounds {
        race::turn(&mut floor);
        rows.iter_mut().for_each(|row| race::turn(row));
    }
    let [floor] = &floor;
    println!(
        "\n| rules | reading and matching, ns | over the floor | end to end, ns | over the floor | each rule tried, ns | candidates | matches |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    println!("| {} | {:.0} | 1.000 | | | | | |", floor.name, floor.ns_each(files.records));
    rows.iter().for_each(|row| print_row(row, floor, files.records));
    if let Some(path) = &options.svg {
        let none = Point { rules: 0, whole: 1.0, tried: Some(1.0) };
        let points = sets.iter().zip(&rows).filter_map(|((rules, _), [_, whole, tried])| {
            let Rules::Generated(number) = rules else { return None };
            let tried = (tried.counts.records > 0).then(|| tried.ratio(floor));
            Some(Point { rules: *number, whole: whole.ratio(floor), tried })
        });
        std::fs::write(path, picture::draw(&[none].into_iter().chain(points).collect::<Vec<_>>())).unwrap();
    }
}

fn row<'a>(rules: Rules, set: &'a RuleSet, files: &'a [Vec<u8>]) -> [Entry<'a>; 3] {
    // Trying each of 10,000 rules would take minutes.
    let some = if rules == Rules::Generated(10_000) { &files[..0] } else { files };
    [
        Entry::new(rules.name(), || work::matching(files, Some(set))),
        Entry::new(rules.name(), || work::end_to_end(files, set)),
        Entry::new(rules.name(), || work::one_by_one(some, set)),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn print_row([matched, whole, tried]: &[Entry<'_>; 3], floor: &Entry<'_>, records: usize) {
    let a_record = |count: usize| count as f64 / records as f64;
    println!(
        "| {} | {:.0} | {:.3} | {:.0} | {:.3} | {} | {:.2} | {:.2} |",
        matched.name,
        matched.ns_each(records),
        matched.ratio(floor),
        whole.ns_each(records),
        whole.ratio(floor),
        if tried.counts.records == 0 { String::new() } else { format!("{:.0}", tried.ns_each(records)) },
        a_record(matched.counts.tried),
        a_record(matched.counts.matches),
    );
}

/// Rules that look into `requestParameters` and can't be found by anything cheaper.
pub(super) fn contains(options: &Options) {
    let files = Files::new(options.kind, options.records, options.per_file);
    let sets = [0, 20, 200].map(|contains| Rules::Contains(1000, contains)).map(|rules| (rules, compile(rules)));
    let files = &files;
    let floor = [Entry::new("none: the floor", || work::matching(&files.gzip, None))];
    let matching =
        sets.iter().map(|(rules, set)| Entry::new(rules.name(), move || work::matching(&files.gzip, set.as_ref())));
    let mut entries: Vec<Entry<'_>> = floor.into_iter().chain(matching).collect();
    race::run(options.rounds, &mut entries);
    println!("\n| rules + rules that look into requestParameters | reading and matching, ns | over the floor |");
    println!("|---|---|---|");
    for entry in &entries {
        println!("| {} | {:.0} | {:.3} |", entry.name, entry.ns_each(files.records), entry.ratio(&entries[0]));
    }
}

/// From the text of rules to a set that is ready.
pub(super) fn compiling(options: &Options) {
    let sizes = [57, 1000, 10_000].map(|number| (number, texts(Rules::Generated(number))));
    let mut entries: Vec<Entry<'_>> = sizes
        .iter()
        .map(|(number, texts)| {
            Entry::new(grouped(*number), || {
                drop(compile_texts(texts));
                Counts::default()
            })
        })
        .collect();
    race::run(options.rounds.min(5), &mut entries);
    println!("\n| rules | compiled in, ms | a rule, µs |");
    println!("|---|---|---|");
    for (entry, (number, _)) in entries.iter().zip(&sizes) {
        println!("| {} | {:.1} | {:.1} |", entry.name, entry.ns_each(1) / 1e6, entry.ns_each(*number) / 1e3);
    }
}
