//! What holding a record against many rules costs, in counts that are the same on every machine. `benches/` measures the rest.

#[path = "../../benches/corpus/mod.rs"]
mod corpus;

use trailhound::engine::RuleSet;
use trailhound::trail::Record;

use crate::support::rules;

const RECORDS: usize = 1000;

/// The seeds of `benches/matching.rs`.
fn corpus(size: usize) -> (RuleSet, Vec<String>) {
    let yaml: Vec<String> = corpus::rules(2).take(size).collect();
    (rules(&yaml.join("---\n")), corpus::records(1).take(RECORDS).collect())
}

/// Rules that the records were held against, and those that they matched.
fn tried_and_matched(size: usize) -> (usize, usize) {
    let (rules, records) = corpus(size);
    assert_eq!(rules.without_access().count(), 0);
    let mut matcher = rules.matcher();
    let (mut tried, mut met) = (0, 0);
    for raw in &records {
        let record = Record::parse(0, raw.as_bytes()).unwrap();
        met += matcher.matches(&record).len();
        tried += matcher.tried();
    }
    (tried, met)
}

#[test]
fn a_record_is_held_against_the_rules_that_concern_it() {
    let (tried_of_100, _) = tried_and_matched(100);
    let (tried, matched) = tried_and_matched(1000);
    assert!(tried_of_100 <= RECORDS / 10, "{tried_of_100} of 100 rules");
    // Three orders of magnitude below the 1,000 that there are.
    assert!(tried <= 12 * RECORDS / 10, "{tried} of 1,000 rules");
    assert!(matched >= RECORDS / 10 && matched <= tried, "{matched} of {tried}: the corpus has to meet its rules");
}

#[test]
fn the_generated_rules_match_what_trying_each_of_them_finds() {
    let (rules, records) = corpus(1000);
    let mut matcher = rules.matcher();
    for raw in records.iter().step_by(10) {
        let record = Record::parse(0, raw.as_bytes()).unwrap();
        let ids = |matches: Vec<trailhound::engine::Match<'_, '_>>| {
            matches.iter().map(|matched| matched.info().id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(matcher.matches(&record)), ids(rules.matches_one_by_one(&record)), "{raw}");
    }
}

#[test]
fn the_corpus_is_what_it_says() {
    let records: Vec<String> = corpus::records(1).take(RECORDS).collect();
    assert_eq!(records, corpus::records(1).take(RECORDS).collect::<Vec<_>>());
    assert_ne!(records[..10], corpus::records(3).take(10).collect::<Vec<_>>());
    let mean = records.iter().map(String::len).sum::<usize>() / RECORDS;
    assert!((1100..1500).contains(&mean), "{mean} bytes a record");
    let share = |what: &str| records.iter().filter(|record| record.contains(what)).count() * 100 / RECORDS;
    assert!((35..45).contains(&share(r#""eventCategory":"Data""#)));
    assert!((1..6).contains(&share("\"errorCode\"")));
    let rules: Vec<String> = corpus::rules(2).take(RECORDS).collect();
    let exact = rules.iter().filter(|rule| rule.contains("eventName: [")).count() * 100 / RECORDS;
    assert!((91..96).contains(&exact), "{exact} % name events");
}
