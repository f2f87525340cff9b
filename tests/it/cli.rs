//! The command line, as a user runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{gzip, record, rule, trail_file};

fn trailhound(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trailhound"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A folder with a rule and a trail file that it matches.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    write(&folder, "rules/stop.yml", rule("  sel: {eventName: StopLogging}\n  condition: sel").as_bytes());
    write(&folder, "logs/a.json.gz", &trail_file(&[record("GetUser", "1"), record("StopLogging", "2")]));
    folder
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

#[test]
fn scan_prints_each_finding_once_as_a_json_object_a_line() {
    let folder = folder();
    // The same event again: in another file, and in another format.
    write(&folder, "logs/b.jsonl", format!("{}\n", record("StopLogging", "2")).as_bytes());
    write(&folder, "logs/c.json", record("StopLogging", "3").to_string().as_bytes());
    write(&folder, "logs/notes.txt", b"not a trail file");
    let output = trailhound(&[
        "scan",
        "--rules",
        &path(&folder, "rules"),
        "--format",
        "jsonl",
        "--threads",
        "3",
        &path(&folder, "logs"),
    ]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let rows: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row["event_id"].as_str().unwrap()).collect::<Vec<_>>(), ["2", "3"]);
    for member in [
        "finding_uid",
        "rule_id",
        "rule_title",
        "level",
        "tags",
        "event_time",
        "event_id",
        "event_source",
        "event_name",
        "account",
        "region",
        "principal",
        "source_ip",
        "file",
        "record_index",
    ] {
        assert!(rows[0].get(member).is_some(), "{member}");
    }
    assert_eq!(
        (rows[0]["record_index"].as_u64(), rows[0]["principal"].as_str()),
        (Some(1), Some("arn:aws:iam::111122223333:user/alice"))
    );
    assert!(
        stderr(&output).contains(
            "3 files = 3 read + 0 failed; 1 other files skipped, 0 paths could not be listed; 4 records, 0 bad; 3 matches + 0 correlations = 2 findings + 0 parts of correlations + 0 known or learning + 1 repeated"
        ),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_event_in_two_files_says_no_less_than_in_one() {
    let folder = TempDir::new().unwrap();
    let first_seen =
        "trailhound: {first_seen: {entity: recipientAccountId, value: sourceIPAddress, history: 30d, learning: 0d}}";
    let rule = rule("  sel: {eventName: GetUser}\n  condition: sel\n") + first_seen;
    write(&folder, "rules/new.yml", rule.as_bytes());
    let at = |id: &str, time: &str| {
        let mut record = record("GetUser", id);
        record["eventTime"] = time.into();
        format!("{record}\n")
    };
    let (first, later) = (at("1", "2026-11-03T01:00:00Z"), at("2", "2026-12-02T01:00:00Z"));
    // Both tell of the first; the second knows that the address was seen on the last of the 30 days, too.
    write(&folder, "logs/a.jsonl", first.as_bytes());
    write(&folder, "logs/b.jsonl", (first + &later).as_bytes());
    write(&folder, "logs/c.jsonl", at("3", "2026-12-04T01:00:00Z").as_bytes());
    let output = trailhound(&["scan", "--format", "jsonl", "--rules", &path(&folder, "rules"), &path(&folder, "logs")]);
    let rows: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row["event_id"].as_str().unwrap()).collect::<Vec<_>>(), ["1"]);
}

#[test]
fn what_a_file_may_cost_is_a_setting_here_too() {
    let folder = folder();
    write(&folder, "logs/large.json", format!("{{\"Records\":[]{}}}", " ".repeat(1_000_000)).as_bytes());
    let scan = |name: &str, value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailhound"));
        command.args(["scan", "--rules", &path(&folder, "rules"), &path(&folder, "logs")]).env_clear().env(name, value);
        let output = command.output().unwrap();
        (code(&output), stderr(&output))
    };
    let (status, text) = scan("TRAILHOUND_MAX_FILE_BYTES", "1000000");
    assert!(status == 2 && text.contains("inflates to more than 1000000 bytes"), "{text}");
    assert_eq!(scan("TRAILHOUND_MAX_FILE_BYTES", "2000000").0, 1);
    let (status, text) = scan("TRAILHOUND_MAX_RECORD_BYTES", "many");
    assert!(status == 2 && text.contains("`many` is no whole number from 300000 to 100000000"), "{text}");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let run = |threads: &str| {
        stdout(&trailhound(&[
            "scan",
            "--threads",
            threads,
            "--format",
            "jsonl",
            "--config",
            "events/trailhound.yaml",
            "events/objects",
        ]))
    };
    let one = run("1");
    assert!(one.lines().count() > 20);
    assert_eq!(one, run("8"));
}

#[test]
fn exit_codes_tell_nothing_found_from_not_looked() {
    let folder = folder();
    let rules = path(&folder, "rules");
    write(&folder, "quiet/a.json.gz", &trail_file(&[record("GetUser", "1")]));
    let scan = |target: &str| {
        let output = trailhound(&["scan", "--rules", &rules, &path(&folder, target)]);
        (code(&output), stderr(&output))
    };
    assert_eq!(scan("quiet").0, 0);
    assert_eq!(scan("logs").0, 1);
    let (status, error) = scan("missing");
    assert!(status == 2 && error.contains("missing: No such file"), "{error}");
    write(&folder, "empty/readme.txt", b"");
    let (status, error) = scan("empty");
    assert!(status == 2 && error.contains("no trail files in it"), "{error}");
    write(&folder, "logs/cut.json.gz", &gzip(b"{\"Records\":[")[..15]);
    let (status, error) = scan("logs");
    assert!(status == 2 && error.contains("cut.json.gz: the file ends in the middle"), "{error}");
}

/// Each of these would read as a quiet day.
#[test]
fn what_was_not_looked_at_is_not_called_clean() {
    let folder = folder();
    let windows = rule("  sel: {EventID: 1}\n  condition: sel").replace("aws, service: cloudtrail", "windows");
    write(&folder, "windows.yml", windows.as_bytes());
    write(&folder, "files.json", format!("[{{\"Records\":[{}]}}]", record("StopLogging", "1")).as_bytes());
    let scan = |rules: &str, logs: &str| {
        let output = trailhound(&["scan", "--rules", &path(&folder, rules), &path(&folder, logs)]);
        (code(&output), stderr(&output))
    };
    let (status, error) = scan("windows.yml", "logs");
    assert!(
        status == 2 && error.contains("0 rules loaded, 0 rejected, 0 off, 0 retired, 1 for other log sources"),
        "{error}"
    );
    let (status, error) = scan("rules", "files.json");
    assert!(status == 2 && error.contains("it is no CloudTrail record"), "{error}");
}

#[test]
fn a_change_to_a_rule_that_is_not_there_is_shown_and_breaks_nothing() {
    let folder = folder();
    write(&folder, "config.yaml", b"rules: {other: {off: true}}\n");
    let config = path(&folder, "config.yaml");
    let output = trailhound(&["scan", "--rules", &path(&folder, "rules"), "--config", &config, &path(&folder, "logs")]);
    assert!(code(&output) == 1 && stderr(&output).contains("no rule has the id `other`"), "{}", stderr(&output));
}

#[test]
fn a_first_sighting_says_what_is_new() {
    let folder = TempDir::new().unwrap();
    let first_seen = "trailhound: {first_seen: {entity: derived.principal, value: sourceIPAddress, learning: 0d}}";
    write(&folder, "rule.yml", (rule("  sel: {eventName: GetUser}\n  condition: sel\n") + first_seen).as_bytes());
    write(&folder, "a.json", record("GetUser", "1").to_string().as_bytes());
    let scan = |format: &str| {
        stdout(&trailhound(&[
            "scan",
            "--format",
            format,
            "--rules",
            &path(&folder, "rule.yml"),
            &path(&folder, "a.json"),
        ]))
    };
    assert!(
        scan("text").contains("first seen: 203.0.113.66 for arn:aws:iam::111122223333:user/alice"),
        "{}",
        scan("text")
    );
    let row: Value = serde_json::from_str(&scan("jsonl")).unwrap();
    assert_eq!(row["first_seen"]["value"][0], "203.0.113.66");
}

#[test]
fn a_rule_that_does_not_load_is_shown_and_the_others_run() {
    let folder = folder();
    write(
        &folder,
        "rules/broken.yml",
        rule("  sel: {eventName|startwith: Stop}\n  condition: sel").replace("id: test", "id: b").as_bytes(),
    );
    let output = trailhound(&["scan", "--rules", &path(&folder, "rules"), &path(&folder, "logs")]);
    assert_eq!(code(&output), 2);
    assert!(
        stdout(&output).contains("Test") && stderr(&output).contains("did you mean `startswith`?"),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("1 rules loaded, 1 rejected"), "{}", stderr(&output));
}

#[test]
fn a_log_cannot_write_to_the_terminal() {
    let folder = folder();
    write(
        &folder,
        "rules/any.yml",
        rule("  sel: {awsRegion: eu-west-1}\n  condition: sel").replace("id: test", "id: any").as_bytes(),
    );
    write(&folder, "logs/a.json", record("\u{1b}[2Jgone\nnothing found\u{202e}", "9").to_string().as_bytes());
    let output = trailhound(&["scan", "--rules", &path(&folder, "rules/any.yml"), &path(&folder, "logs/a.json")]);
    assert!(stdout(&output).contains("[2Jgone nothing found success by"), "{}", stdout(&output));
    assert!(!stdout(&output).contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn packs_add_to_folders() {
    let folder = folder();
    let output = trailhound(&["rules", "--rules", &path(&folder, "rules"), "--pack", "core"]);
    assert!(code(&output) == 0 && stdout(&output).lines().count() > 12);
    let output = trailhound(&["rules", "--pack", "cores"]);
    assert!(
        code(&output) == 2 && stderr(&output).contains("there is no such pack; there are: core"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn every_sample_can_be_invoked() {
    let names = fs::read_dir("events").unwrap().map(|entry| entry.unwrap().path().display().to_string());
    let mut names: Vec<String> = names.filter(|name| name.strip_suffix(".json").is_some()).collect();
    names.sort_unstable();
    let arguments =
        ["invoke", "--config", "events/trailhound.yaml"].into_iter().chain(names.iter().map(String::as_str));
    let output = trailhound(&arguments.collect::<Vec<_>>());
    let told = stderr(&output);
    for name in &names {
        assert!(told.contains(&format!("{name} -> ")), "{name}: {told}");
    }
    // The one that is unknown, and two batches with a message that fails.
    assert_eq!((code(&output), told.matches("delivery_failed").count()), (1, 3), "{told}");
}

#[test]
fn a_payload_that_is_not_known_fails_and_says_so() {
    let output = trailhound(&["invoke", "--summary", "events/unknown.json"]);
    let told = stderr(&output);
    assert!(
        code(&output) == 1 && told.contains("events/unknown.json -> error: unknown payload: saw an object"),
        "{told}"
    );
    assert!(
        stdout(&output).contains("Subject: [MEDIUM] trailhound cannot read what it was sent"),
        "{}",
        stdout(&output)
    );
    let row = told.lines().find(|line| line.starts_with("FailedNotUnderstood")).unwrap();
    assert!(row.contains(" 1  payloads of no known shape"), "{row}");
}

#[test]
fn mistakes_in_arguments_and_configuration_are_named() {
    let folder = folder();
    write(&folder, "config.yaml", b"trusted_network: [10.0.0.0/8]\n");
    write(&folder, "empty/.keep", b"");
    for (args, expected) in [
        (vec!["rules", "--config", &path(&folder, "config.yaml")], "did you mean `trusted_networks`?"),
        (vec!["rules", "--config", &path(&folder, "none.yaml")], "none.yaml can't be read: No such file"),
        (vec!["rules", "--rules", &path(&folder, "empty")], "there is no .yml file in it"),
        (vec!["invoke", "events/s3-put.json", "--objects", "gs://x"], "it takes `s3` or `dir:PATH`"),
        (vec!["invoke", "events/s3-put.json", "--objects", "dir:/none"], "the folder of log files /none can't be used"),
        (vec!["invoke", "events/none.json"], "events/none.json: No such file"),
    ] {
        let output = trailhound(&args);
        assert!(code(&output) == 2 && stderr(&output).contains(expected), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn invoke_remembers_from_one_run_to_the_next_in_a_file() {
    let folder = TempDir::new().unwrap();
    let state = format!("file:{}", Path::new(&path(&folder, "state.redb")).display());
    let run =
        || trailhound(&["invoke", "events/sqs-s3-put.json", "--config", "events/trailhound.yaml", "--state", &state]);
    let first = run();
    assert!(
        code(&first) == 0
            && stdout(&first).contains("Subject: [HIGH] Trail org-trail stopped: alice in prod us-east-1")
    );
    let second = run();
    assert_eq!((code(&second), stdout(&second)), (0, String::new()), "everything was told before");
}
