//! What reading records and holding them against many rules costs, in counts that are the same on every machine. `benches/`
//! measures the rest.

#[path = "../../benches/corpus/mod.rs"]
pub(crate) mod corpus;

use std::collections::HashSet;

use corpus::Kind;
use trailhound::engine::{Match, RuleSet};
use trailhound::trail::{Item, Limits, Reader, Record};

use crate::support::rules;

const RECORDS: usize = 1000;

/// The seeds of `benches/measure`.
fn records(kind: Kind) -> Vec<String> {
    corpus::records(kind, 1).take(RECORDS).collect()
}

fn generated(size: usize) -> RuleSet {
    rules(&corpus::rules(2).take(size).collect::<Vec<_>>().join("---\n"))
}

/// Rules that the records were held against, and those that they matched.
fn tried_and_matched(kind: Kind, size: usize) -> (usize, usize) {
    let rules = generated(size);
    assert_eq!(rules.without_access().count(), 0);
    let mut matcher = rules.matcher();
    let (mut tried, mut met) = (0, 0);
    for raw in &records(kind) {
        let record = Record::parse(0, raw.as_bytes()).unwrap();
        met += matcher.matches(&record).len();
        tried += matcher.tried();
    }
    (tried, met)
}

#[test]
fn a_record_is_held_against_the_rules_that_concern_it() {
    let (tried_of_100, _) = tried_and_matched(Kind::Busy, 100);
    let (tried, matched) = tried_and_matched(Kind::Busy, 1000);
    assert!(tried_of_100 <= RECORDS / 5, "{tried_of_100} of 100 rules");
    // Three orders of magnitude below the 1,000 that there are.
    assert!(tried <= RECORDS * 3 / 4, "{tried} of 1,000 rules");
    assert!(matched >= RECORDS / 10 && matched <= tried, "{matched} of {tried}: the corpus has to meet its rules");
}

#[test]
fn so_it_is_where_nothing_repeats() {
    let (tried, matched) = tried_and_matched(Kind::Wide, 1000);
    assert!(tried <= 2 * RECORDS, "{tried} of 1,000 rules");
    assert!(matched > 0 && matched <= tried, "{matched} of {tried}");
}

#[test]
fn a_record_that_matches_nothing_takes_no_memory() {
    let rules = generated(1000);
    let raw = records(Kind::Busy);
    let records: Vec<Record<'_>> = raw.iter().map(|raw| Record::parse(0, raw.as_bytes()).unwrap()).collect();
    let mut matcher = rules.matcher();
    let quiet: Vec<&Record<'_>> = records.iter().filter(|record| matcher.matches(record).is_empty()).collect();
    assert!(quiet.len() > RECORDS / 2, "{} match nothing", quiet.len());
    // Three rounds take the memory that is kept: what comes again is worked out.
    (0..2).for_each(|_| assert!(quiet.iter().all(|record| matcher.matches(record).is_empty())));
    let counted = allocation_counter::measure(|| {
        assert!(quiet.iter().all(|record| matcher.matches(record).is_empty()));
    });
    assert_eq!(counted.count_total, 0);
}

/// Allocations while a file of the quiet records is read, each of them `times` times, and held against 1,000 rules.
fn allocations(times: usize) -> u64 {
    let (rules, raw) = (generated(1000), records(Kind::Busy));
    let quiet = |raw: &&String| rules.matches(&Record::parse(0, raw.as_bytes()).unwrap()).is_empty();
    let quiet: Vec<&str> = raw.iter().filter(quiet).take(100).map(String::as_str).collect();
    // What comes again is worked out, which takes memory, too.
    for raw in quiet.iter().chain(&quiet) {
        assert!(rules.matches(&Record::parse(0, raw.as_bytes()).unwrap()).is_empty());
    }
    let file = format!("{{\"Records\":[{}]}}", vec![quiet.join(","); times].join(","));
    let counted = allocation_counter::measure(|| {
        let mut matcher = rules.matcher();
        let mut reader = Reader::new(Limits::default());
        let mut each = |item: Item<'_>| {
            let Item::Record(record) = item else { panic!("not a record") };
            assert!(matcher.matches(&record).is_empty());
        };
        reader.push(file.as_bytes(), &mut each).unwrap();
        reader.finish(&mut each).unwrap();
    });
    counted.count_total
}

/// What a file takes is taken once: so it is the same for ten times the records, which are the same ones so that nothing
/// new is remembered about their values.
#[test]
fn a_file_of_ten_times_the_records_takes_no_more_memory() {
    assert_eq!(allocations(10), allocations(1));
}

#[test]
fn the_generated_rules_match_what_trying_each_of_them_finds() {
    let rules = generated(1000);
    let mut matcher = rules.matcher();
    for raw in Kind::ALL.into_iter().flat_map(records).step_by(40) {
        let record = Record::parse(0, raw.as_bytes()).unwrap();
        let ids =
            |matches: Vec<Match<'_, '_>>| matches.iter().map(|matched| matched.info().id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(matcher.matches(&record)), ids(rules.matches_one_by_one(&record)), "{raw}");
    }
}

/// How many of a hundred records hold a text.
fn share(records: &[String], what: &str) -> usize {
    records.iter().filter(|record| record.contains(what)).count() * 100 / records.len()
}

#[test]
fn the_corpora_are_what_they_say() {
    for kind in Kind::ALL {
        let (records, name) = (records(kind), kind.name());
        assert_eq!(records[..10], corpus::records(kind, 1).take(10).collect::<Vec<_>>());
        assert_ne!(records[..10], corpus::records(kind, 3).take(10).collect::<Vec<_>>());
        let mean = records.iter().map(String::len).sum::<usize>() / RECORDS;
        assert!((1200..1800).contains(&mean), "{name}: {mean} bytes a record");
        assert!((1..6).contains(&share(&records, "\"errorCode\"")), "{name}");
        let data = share(&records, r#""eventCategory":"Data""#);
        let expected = match kind {
            Kind::Busy => 35..45,
            Kind::Wide => 3..15,
            Kind::Management => 0..1,
            Kind::Data => 100..101,
            // Those of a Monday morning.
            Kind::Ordinary => 10..25,
        };
        assert!(expected.contains(&data), "{name}: {data} % are data events");
    }
}

#[test]
fn a_busy_account_repeats_itself_and_an_organisation_does_not() {
    let different = |kind| {
        let records = records(kind);
        let identities = records.iter().map(|record| record.split(r#","eventTime""#).next().unwrap().to_owned());
        identities.collect::<HashSet<_>>().len()
    };
    assert!(different(Kind::Busy) <= 40);
    assert!(different(Kind::Wide) > RECORDS / 2);
}

#[test]
fn the_corpora_hold_what_is_odd_in_real_records() {
    let records = records(Kind::Management);
    for what in
        ["\\\"Version\\\"", "\\u00e9", "Zuständig", "請求書", "\\n", "\\\\", "\"resources\":[{", "vpcEndpointId"]
    {
        assert!(records.iter().any(|record| record.contains(what)), "no record holds {what}");
    }
}

#[test]
fn the_rules_name_events_as_public_rules_do() {
    let rules: Vec<String> = corpus::rules(2).take(1000).collect();
    let exact = share(&rules, "eventName: [");
    assert!((91..96).contains(&exact), "{exact} % name events");
}
