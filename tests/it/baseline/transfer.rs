//! Memories as text, and what is forgotten.

use super::*;

#[test]
fn a_dump_that_is_loaded_is_the_same_memory() {
    let place = Place::new();
    place.put("old", &history());
    assert_eq!(place.baseline(&["objects", "--dump", "a.jsonl"]).code, 0);
    let dump = place.read("a.jsonl");
    assert_eq!(dump.lines().count(), 3);

    let other = ["baseline", "--state", "file:other.redb"];
    let ran = place.run(&[&other[..], &["--load", "a.jsonl", "--dump", "b.jsonl"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("loaded: 1 entities, 2 first sightings; 0 lines were known already"), "{}", ran.err);
    assert!(ran.err.contains("dumped: 1 entities, 2 first sightings\n"), "{}", ran.err);
    assert_eq!(place.read("b.jsonl"), dump);

    let ran = place.run_with(&[&other[..], &["--load", "-", "--dump", "-"]].concat(), &dump);
    assert!(ran.err.contains("loaded: nothing; 3 lines were known already"), "{}", ran.err);
    assert_eq!(ran.out, dump);
}

#[test]
fn what_the_memory_knows_stays_as_it_is() {
    let place = Place::new();
    place.put("old", &history());
    assert_eq!(place.baseline(&["objects", "--dump", "a.jsonl"]).code, 0);
    place.write("changed.jsonl", &place.read("a.jsonl").replace("2026-11-01T10:00:00Z", "2020-01-01T00:00:00Z"));
    assert_ne!(place.read("changed.jsonl"), place.read("a.jsonl"));
    assert_eq!(place.baseline(&["--load", "changed.jsonl", "--dump", "b.jsonl"]).code, 0);
    assert_eq!(place.read("b.jsonl"), place.read("a.jsonl"));
}

#[test]
fn lines_that_cannot_be_understood_are_named_and_the_others_loaded() {
    let place = Place::new();
    let line = |partition: &str, expires: &str, value: &str| {
        format!(r#"{{"key":{{"partition":"{partition}","sort":"-"}},"expires":"{expires}","value":{value}}}"#)
    };
    let entity = r#"{"rule":"address","entity":["a"],"since":"2026-11-05T10:00:00Z"}"#;
    let later = "2999-01-01T00:00:00Z";
    let huge = format!(r#"{{"rule":"address","entity":["{}"],"since":"2026-11-05T10:00:00Z"}}"#, "a".repeat(400_000));
    let lines = [
        line("E#1", later, entity),
        "no \u{1b}[2J JSON".to_owned(),
        String::new(),
        line("E#2", "tomorrow", entity),
        line("E#3", later, r#"{"rule":"address"}"#),
        line("X#4", later, entity),
        line("E#5", later, &huge),
        line("E#6", "2020-01-01T00:00:00Z", entity),
        line("E#1", later, entity),
        line("E#7", later, entity),
    ];
    place.write("memory.jsonl", &lines.join("\n"));
    let ran = place.baseline(&["--load", "memory.jsonl"]);
    assert_eq!(ran.code, 2);
    for number in [2, 4, 5, 6, 7] {
        assert!(ran.err.contains(&format!("memory.jsonl:{number}: ")), "{number} is not in {}", ran.err);
    }
    assert!(!ran.err.contains('\u{1b}'));
    assert!(
        ran.err.contains("loaded: 2 entities; 1 lines were known already, 1 past their time, 5 can't be understood"),
        "{}",
        ran.err
    );
    let partitions: Vec<Value> = place.dump().iter().map(|line| line["key"]["partition"].clone()).collect();
    assert_eq!(partitions, ["E#7", "E#1"]);
}

#[test]
fn a_file_that_is_no_dump_does_not_fill_the_screen() {
    let place = Place::new();
    place.write("memory.jsonl", &"{}\n".repeat(1000));
    let ran = place.baseline(&["--load", "memory.jsonl"]);
    assert!(ran.code == 2 && ran.err.contains("1000 can't be understood"), "{}", ran.err);
    assert!(ran.err.lines().count() < 30, "{}", ran.err);
}

#[test]
fn one_rule_is_forgotten_or_all_are() {
    let place = Place::new();
    place.write("rules/other.yml", &learning("other", "GetUser", "2d"));
    place.put("old", &history());
    assert_eq!(place.baseline(&["objects"]).code, 0);
    assert_eq!(place.dump().len(), 6);

    let ran = place.baseline(&["--forget", "ADDRESS", "--forget", "nobody"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("forgotten for ADDRESS: 1 entities, 2 first sightings\n"), "{}", ran.err);
    assert!(ran.err.contains("forgotten for nobody: nothing\n    is it the rule's id?"), "{}", ran.err);
    assert!(place.dump().iter().all(|line| line["value"]["rule"] == "other"));
    assert_eq!(place.dump().len(), 3);

    let ran = place.baseline(&["--forget", "all"]);
    assert!(ran.err.contains("forgotten for all: 1 entities, 2 first sightings\n"), "{}", ran.err);
    assert!(place.dump().is_empty());
}

#[test]
fn what_nobody_has_been_told_of_is_not_forgotten_with_its_rule() {
    let place = Place::new();
    let kept = r#"{"rule":"address","title":"t","level":"high","limit":"quiet","findings":[]}"#;
    let key = format!(r#"{{"partition":"Q#{:032x}","sort":"000001#a"}}"#, 0);
    place.write("memory.jsonl", &format!(r#"{{"key":{key},"expires":"2999-01-01T00:00:00Z","value":{kept}}}"#));
    let ran = place.baseline(&["--load", "memory.jsonl", "--forget", "nobody"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = place.baseline(&["--forget", "address"]);
    assert!(ran.err.contains("1 alerts were put by and stay: the next summary tells them"), "{}", ran.err);
    assert_eq!(place.dump().len(), 1);
    assert_eq!(place.baseline(&["--forget", "all"]).code, 0);
    assert!(place.dump().is_empty());
}

/// More than a page, so that pages go on after what was removed.
#[test]
fn a_large_memory_is_dumped_loaded_and_forgotten_whole() {
    let place = Place::new();
    let address = |n: usize| format!("10.{}.{}.{}", n / 65536, n / 256 % 256, n % 256);
    let calls: Vec<Value> = (0..2_500).map(|n| call(&n.to_string(), "05T10:00:00", &address(n))).collect();
    place.put("many", &calls);
    assert_eq!(place.baseline(&["objects", "--dump", "a.jsonl"]).code, 0);
    assert_eq!(place.read("a.jsonl").lines().count(), 2_501);
    let ran = place.baseline(&["--forget", "all", "--load", "a.jsonl", "--dump", "b.jsonl"]);
    assert!(
        ran.err.contains("forgotten for all: 1 entities, 2500 first sightings\nloaded: 1 entities, 2500 first"),
        "{}",
        ran.err
    );
    assert_eq!(place.read("b.jsonl"), place.read("a.jsonl"));
}
