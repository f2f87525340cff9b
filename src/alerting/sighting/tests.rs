use super::super::item::{Item, Items};
use super::*;
use crate::engine::{Organisation, RuleSet};
use crate::{sigma, yaml::SourceFile};

fn rule() -> Arc<RuleInfo> {
    let yaml =
        "title: r\nlogsource: {product: aws, service: cloudtrail}\ndetection: {s: {eventName: x}, condition: s}\n";
    let (rules, _) = RuleSet::compile(
        &sigma::parse(&SourceFile::new("r.yml", yaml)),
        &Organisation::default(),
        jiff::civil::date(2026, 11, 5),
    );
    Arc::new(rules.rules().next().unwrap().clone())
}

fn at(time: &str) -> Timestamp {
    format!("2026-11-{time}Z").parse().unwrap()
}

/// Alice at an address, with a history of 60 hours: a grain of two.
fn sighting(event: &str, time: &str) -> FirstSighting {
    let sighted = Sighted { entity: vec!["alice".into()], value: vec!["203.0.113.7".into()] };
    FirstSighting {
        pair: FindingUid::of_sighting("r", &sighted),
        entity: EntityKey::new("r", "", &sighted),
        rule: rule(),
        sighted,
        event: Some(event.to_owned()),
        time: at(time),
        until: at(time),
        history: SignedDuration::from_hours(60),
    }
}

fn see(known: Option<Remembered>, event: &str, time: &str) -> (Remembered, bool) {
    let sighting = sighting(event, time);
    let (remembered, seen) = Remembered::see(known, &sighting, sighting.time);
    (remembered, seen.is_new)
}

#[test]
fn a_value_is_new_once_and_again_when_the_same_event_is_retried() {
    let (known, is_new) = see(None, "a", "05T10:00:00");
    assert!(is_new);
    let (known, is_new) = see(Some(known), "b", "05T13:00:00");
    assert!(!is_new);
    let (known, is_new) = see(Some(known), "a", "05T10:00:00");
    assert!(is_new, "a retry decides as the first try did");
    assert_eq!(known.last, at("05T13:00:00"));
}

#[test]
fn a_late_event_is_not_new_but_one_after_the_history_is() {
    let (known, _) = see(None, "a", "05T10:00:00");
    assert!(!see(Some(known.clone()), "late", "01T10:00:00").1);
    assert!(!see(Some(known.clone()), "b", "08T00:00:00").1);
    assert!(see(Some(known), "c", "08T00:00:01").1);
}

#[test]
fn seeing_it_again_is_written_down_once_in_a_while() {
    let (known, _) = see(None, "a", "05T10:00:00");
    let (again, _) = see(Some(known.clone()), "b", "05T12:00:00");
    assert_eq!(again, known);
    let (again, _) = see(Some(known.clone()), "c", "05T12:00:01");
    assert_eq!(again.last, at("05T12:00:01"));
}

#[test]
fn what_was_taken_as_known_is_never_news() {
    let known = sighting("a", "05T10:00:00").as_known();
    let (known, _) = Remembered::see(None, &known, known.time);
    assert!(!see(Some(known), "a", "05T10:00:00").1);
}

/// The store's answer to the pair's first round.
fn asked(sighting: FirstSighting, known: &mut KnownPairs, there: &Remembered) -> Seen {
    let mut sightings = Sightings::new(vec![sighting]);
    sightings.recall(known, at("05T10:00:00"));
    if !sightings.is_answered() {
        let key = sightings.pairs().first().unwrap().clone();
        let item = Item::new(key.clone(), 1, Timestamp::MAX, there);
        sightings.begin(&Items::from([(key, item)]));
        sightings.memorise(known);
    }
    sightings.answers().unwrap().seen[0]
}

#[test]
fn the_process_knows_what_the_store_answered_and_whose_the_value_is() {
    let (there, _) = see(None, "owner", "05T10:00:00");
    let mut known = KnownPairs::default();
    assert!(!asked(sighting("another", "05T11:00:00"), &mut known, &there).is_new);
    let mut sightings = Sightings::new(vec![sighting("third", "05T12:00:00"), sighting("owner", "05T10:00:00")]);
    sightings.recall(&mut known, at("05T10:00:00"));
    let answers: Vec<bool> = sightings.answers().unwrap().seen.iter().map(|seen| seen.is_new).collect();
    assert_eq!(answers, [false, true], "without asking; a retry decides as the first try did");
    // Once in a while the store has to be told that the value is still in use, however often it was seen meanwhile.
    let mut sightings = Sightings::new(vec![sighting("fourth", "05T12:00:01")]);
    sightings.recall(&mut known, at("05T10:00:00"));
    assert!(!sightings.is_answered());
}
