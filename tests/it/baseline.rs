//! `trailhound baseline`, as a user runs it, and what `trailhound invoke` makes of the memory that it filled.

#[cfg(feature = "aws")]
mod s3; // a history in a bucket
mod transfer; // memories as text, and what is forgotten

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{record, rule, s3_event, trail_file, with};

const FOLDER: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05";
const HOME: &str = "198.51.100.1";
const OFFICE: &str = "198.51.100.2";
const THIEF: &str = "203.0.113.9";

/// A folder of rules, `objects` as a bucket holds them, and memories.
struct Place(TempDir);

impl Place {
    /// With a rule that learns for two days.
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        place.write("rules/address.yml", &learning("address", "GetUser", "2d"));
        fs::create_dir_all(place.0.path().join("objects/trail-logs")).unwrap();
        place
    }

    fn write(&self, name: &str, text: &str) {
        self.write_bytes(name, text.as_bytes());
    }

    fn write_bytes(&self, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// Puts a trail file into the bucket.
    fn put(&self, name: &str, records: &[Value]) {
        self.write_bytes(&format!("objects/trail-logs/{FOLDER}/{name}.json.gz"), &trail_file(records));
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailhound"));
        command.args(args).current_dir(self.0.path()).env_clear();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// Over the memory in `memory.redb`.
    fn baseline(&self, args: &[&str]) -> Ran {
        self.run(&[&["baseline", "--state", "file:memory.redb", "--rules", "rules"], args].concat())
    }

    /// What the memory in `memory.redb` holds, by what is remembered.
    fn dump(&self) -> Vec<Value> {
        let ran = self.baseline(&["--dump", "-"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How many alerts the function sends out about a file of the bucket.
    fn alerts(&self, name: &str) -> usize {
        self.write("event.json", &s3_event(&format!("{FOLDER}/{name}.json.gz")));
        let place = ["--objects", "dir:objects", "--rules", "rules", "--state", "file:memory.redb"];
        let ran = self.run(&[&["invoke", "event.json"], &place[..]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.matches("Subject: ").count()
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn learning(id: &str, call: &str, learning: &str) -> String {
    let first_seen = format!(
        "\ntrailhound: {{first_seen: {{entity: derived.principal, value: sourceIPAddress, history: 30d, learning: {learning}}}}}\n"
    );
    let rule = rule(&format!("  sel: {{eventName: {call}}}\n  condition: sel"));
    rule.replace("title: Test\nid: test", &format!("title: New {id}\nid: {id}")) + &first_seen
}

fn call(id: &str, time: &str, address: &str) -> Value {
    with(
        record("GetUser", id),
        &[("/eventTime", json!(format!("2026-11-{time}Z"))), ("/sourceIPAddress", json!(address))],
    )
}

/// Five days of two addresses.
fn history() -> [Value; 3] {
    [call("1", "01T10:00:00", HOME), call("2", "02T10:00:00", OFFICE), call("3", "05T09:00:00", HOME)]
}

#[test]
fn what_was_learned_does_not_alert_and_what_is_new_does() {
    let place = Place::new();
    place.put("old", &history());
    place.put("known", &[call("4", "05T10:00:00", OFFICE)]);
    place.put("new", &[call("5", "05T11:00:00", THIEF)]);
    let ran = place.baseline(&["objects"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // All three files; the thief is in them, too.
    assert_eq!(
        ran.out,
        "New address\n    1 entities, 3 pairs of entity and value, from 2026-11-01T10:00:00Z to 2026-11-05T11:00:00Z (4 days)\n"
    );
    assert!(
        ran.err.ends_with(
            "3 files = 3 read + 0 gone + 0 failed; 0 other files skipped, 0 paths could not be listed; 5 records, 0 bad; \
             3 pairs of entity and value, 3 of them new to the memory\n"
        ),
        "{}",
        ran.err
    );
    for learned in ["old", "known", "new"] {
        assert_eq!(place.alerts(learned), 0, "{learned}");
    }
    place.put("later", &[call("6", "05T12:00:00", "203.0.113.10"), call("7", "05T12:01:00", HOME)]);
    assert_eq!(place.alerts("later"), 1);
}

#[test]
fn without_a_baseline_the_same_file_is_held_back_while_learning() {
    let place = Place::new();
    place.put("new", &[call("5", "05T11:00:00", THIEF)]);
    assert_eq!(place.alerts("new"), 0);
    place.put("later", &[call("6", "05T12:00:00", "203.0.113.10")]);
    assert_eq!(place.alerts("later"), 0);
}

/// The function was there first, and knows all that the history shows but for how old it is.
#[test]
fn an_entity_gets_as_old_as_its_history() {
    let place = Place::new();
    place.put("first", &[call("1", "05T09:00:00", HOME)]);
    assert_eq!(place.alerts("first"), 0);
    place.put("old", &[call("2", "01T10:00:00", HOME)]);
    assert_eq!(place.baseline(&["objects"]).code, 0);
    place.put("new", &[call("3", "05T11:00:00", THIEF)]);
    assert_eq!(place.alerts("new"), 1);
}

#[test]
fn of_many_files_the_first_and_the_last_time_are_kept() {
    let place = Place::new();
    // In no order of time, and with more than the rule's 30 days between two of them.
    for (name, month, day) in [("a", 11, "05"), ("b", 8, "01"), ("c", 10, "07")] {
        let time = format!("2026-{month:02}-{day}T10:00:00Z");
        place.put(name, &[with(call(name, "01T00:00:00", HOME), &[("/eventTime", json!(time))])]);
    }
    assert_eq!(place.baseline(&["objects"]).code, 0);
    let values: Vec<Value> = place.dump().into_iter().map(|mut line| line["value"].take()).collect();
    let alice = json!(["arn:aws:iam::111122223333:user/alice"]);
    let since = "2026-08-01T10:00:00Z";
    let pair = json!({"rule": "address", "entity": alice, "value": [HOME], "last": "2026-11-05T10:00:00Z", "entity_since": since});
    assert!(values.len() == 2 && values.contains(&pair), "{values:#?}");
    assert!(values.contains(&json!({"rule": "address", "entity": alice, "since": since})), "{values:#?}");
}

#[test]
fn a_history_that_is_too_short_is_said_to_be() {
    let place = Place::new();
    place.write("rules/patient.yml", &learning("patient", "GetUser", "7d"));
    place.write("rules/unseen.yml", &learning("unseen", "DeleteUser", "7d"));
    let bob = with(
        call("4", "05T08:00:00", HOME),
        &[
            ("/userIdentity/arn", json!("arn:aws:iam::111122223333:user/bob")),
            ("/userIdentity/userName", json!("bob")),
            ("/userIdentity/principalId", json!("AIDAEXAMPLEUSERID0002")),
        ],
    );
    place.put("old", &history());
    place.put("bob", &[bob]);
    let ran = place.baseline(&["objects"]);
    let says = |title: &str| {
        let (_, rest) = ran.out.split_once(&format!("New {title}\n")).unwrap();
        rest.split("New ").next().unwrap().to_owned()
    };
    assert!(
        says("address").contains("2 entities, 3 pairs")
            && says("address").contains("1 of the entities were known for less than 2 days"),
        "{}",
        ran.out
    );
    assert!(
        says("patient").contains("hint: this rule holds back an entity's new values for its first 7 days"),
        "{}",
        ran.out
    );
    assert_eq!(says("unseen"), "    nothing in this history\n");
    assert_eq!(ran.code, 0);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_learned() {
    let place = Place::new();
    place.put("old", &history());
    place.write("objects/trail-logs/broken.json", "{\"Records\":[");
    place.write("objects/trail-logs/bad.json", &json!({"Records": [call("9", "05T09:30:00", THIEF), 7]}).to_string());
    let ran = place.baseline(&["objects", "missing"]);
    assert_eq!(ran.code, 2);
    for part in ["broken.json: ", "bad.json: 1 bad records, the first: ", "missing: No such file"] {
        assert!(ran.err.contains(part), "{part} is not in {}", ran.err);
    }
    assert!(ran.err.contains("3 files = 2 read + 0 gone + 1 failed; 0 other files skipped, 1 paths"), "{}", ran.err);
    assert!(ran.out.contains("3 pairs of entity and value"), "{}", ran.out);
    assert_eq!(place.dump().len(), 4);
}

#[test]
fn a_rule_that_does_not_load_is_not_passed_over() {
    let place = Place::new();
    place.write("rules/broken.yml", &learning("broken", "x", "soon"));
    place.put("old", &history());
    let ran = place.baseline(&["objects"]);
    assert!(ran.code == 2 && ran.out.contains("2 pairs"), "{}{}", ran.out, ran.err);
}

#[test]
fn what_is_given_together_is_done_in_order() {
    let place = Place::new();
    place.put("old", &history());
    assert_eq!(place.baseline(&["objects", "--dump", "a.jsonl"]).code, 0);
    place.put("more", &[call("9", "05T09:30:00", THIEF)]);
    let ran = place.baseline(&["objects", "--dump", "-", "--load", "a.jsonl", "--forget", "all"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let places: Vec<usize> = ["forgotten for all", "loaded: ", "1 of them new to the memory", "dumped: "]
        .map(|part| ran.err.find(part).unwrap_or_else(|| panic!("{part} is not in {}", ran.err)))
        .into();
    assert!(places.is_sorted(), "{}", ran.err);
    assert!(ran.err.contains("New address\n    1 entities, 3 pairs"), "what was learned doesn't mix with the dump");
    assert_eq!(ran.out.lines().count(), 4);
}

#[test]
fn a_memory_that_ends_with_the_command_is_good_for_a_dump() {
    let place = Place::new();
    place.put("old", &history());
    let ran = place.run(&["baseline", "--state", "memory", "--rules", "rules", "--dump", "a.jsonl", "objects"]);
    assert!(ran.code == 0 && ran.out.contains("2 pairs"), "{}", ran.err);
    assert_eq!(place.baseline(&["--load", "a.jsonl"]).code, 0);
    place.put("new", &[call("5", "05T11:00:00", THIEF)]);
    assert_eq!((place.alerts("old"), place.alerts("new")), (0, 1));
}

#[test]
fn mistakes_are_named_before_anything_is_done() {
    let place = Place::new();
    place.put("old", &history());
    place.write("match.yml", &rule("  sel: {eventName: x}\n  condition: sel"));
    for (args, expected) in [
        (vec!["objects"], "--state <PLACE>"),
        (vec!["--state", "redis:x", "objects"], "`file:PATH`"),
        (vec!["--state", "file:new.redb"], "there is nothing to do: give paths to learn from, or --load"),
        (vec!["--state", "memory", "objects"], "nothing would remain: give file:PATH or dynamodb:TABLE"),
        (vec!["--state", "memory", "--dump", "-"], "nothing would remain"),
        (vec!["--state", "file:new.redb", "--dump", "-"], "there is no new.redb"),
        (vec!["--state", "file:new.redb", "--forget", "all"], "there is no new.redb"),
        (vec!["--state", "file:new.redb", "--load", "none.jsonl"], "none.jsonl: No such file"),
        (vec!["--state", "file:new.redb", "s3:///prefix"], "it takes s3://BUCKET/PREFIX"),
        (vec!["--state", "file:new.redb", "--rules", "match.yml", "objects"], "no first-seen rule is loaded"),
        (vec!["--state", "file:match.yml", "--dump", "-"], "it has to be one that trailhound made"),
        #[cfg(not(feature = "aws"))]
        (vec!["--state", "file:new.redb", "s3://trail-logs"], "this build has no AWS in it, so `s3://` can't be used"),
    ] {
        let ran = place.run(&[&["baseline"], &args[..]].concat());
        assert!(ran.code == 2 && ran.err.contains(expected), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
    }
}

#[test]
fn the_help_shows_how() {
    let help = Place::new().run(&["baseline", "--help"]).out;
    for part in
        ["trailhound baseline --state dynamodb:trailhound s3://", "--forget <RULE_ID>", "Exit code: 0 everything"]
    {
        assert!(help.contains(part), "{part} is not in {help}");
    }
}
