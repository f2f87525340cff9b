//! `trailhound rules lint` and `trailhound rules explain`, as a user runs them.

mod organised;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{gzip, record, trail_file, with};

const DOUBTFUL: &str = "title: Trail stopped
id: 5b1e6f7c-80d2-4a56-9f0c-2b8fe56d0c4e
name: trail_stopped
description: Nobody sees what happens next.
level: high
logsource: {product: aws, service: cloudtrail}
detection:
  selection:
    eventSource: cloudtrail.amazonaws.com
    eventName: StopLoging
  condition: selection
";

/// Runs in the folder, so that paths are those that the test wrote.
fn run(folder: &TempDir, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

fn command(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailhound"));
    command.arg("rules").args(args).current_dir(folder.path()).env_clear();
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// The rule without its mistake.
fn right() -> String {
    DOUBTFUL.replace("StopLoging", "StopLogging")
}

#[test]
fn lint_shows_each_warning_with_its_line_and_counts_the_rest() {
    let retired = DOUBTFUL.replace("level", "status: deprecated\nlevel");
    let windows = DOUBTFUL.replace("aws, service: cloudtrail", "windows");
    let folder = folder(&[
        ("my-rules/stop.yml", DOUBTFUL.as_bytes()),
        ("my-rules/old.yml", retired.as_bytes()),
        ("my-rules/windows.yml", windows.as_bytes()),
    ]);
    let output = run(&folder, &["lint", "my-rules"]);
    assert_eq!(code(&output), 0);
    insta::assert_snapshot!(stdout(&output) + &stderr(&output), @r"
    warning[retired]: the rule is deprecated, so it is not loaded
     --> my-rules/old.yml:5:9
      |
    5 | status: deprecated
      |         ^^^^^^^^^^ write `status: test` to load it all the same

    warning[unknown-event-name]: `cloudtrail.amazonaws.com` is not known to log `StopLoging`
      --> my-rules/stop.yml:10:16
       |
    10 |     eventName: StopLoging
       |                ^^^^^^^^^^ did you mean `StopLogging`?

    1 rules loaded, 0 rejected, 0 off, 1 retired, 1 for other log sources, 2 warnings
    ");
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lints.md")).unwrap();
    let shown = stdout(&output).trim().split("\n\n").last().unwrap().to_owned();
    assert!(page.contains(&shown), "docs/lints.md shows another output");
}

#[test]
fn lint_exit_codes_tell_doubt_from_error() {
    let broken = DOUBTFUL.replace("eventName:", "eventName|startwith:");
    let folder = folder(&[
        ("doubtful.yml", DOUBTFUL.as_bytes()),
        ("right.yml", right().as_bytes()),
        ("broken.yml", broken.as_bytes()),
    ]);
    for (args, expected) in [
        (&["doubtful.yml"][..], 0),
        (&["doubtful.yml", "--deny-warnings"], 1),
        (&["right.yml", "--deny-warnings"], 0),
        (&["broken.yml"], 2),
        (&["broken.yml", "--deny-warnings", "--format", "json"], 2),
        (&["none.yml", "--format", "sarif"], 2),
        (&["right.yml", "--config", "none.yaml"], 2),
        (&["--deny-warnings"], 0),
    ] {
        let output = run(&folder, &[&["lint"], args].concat());
        assert_eq!(code(&output), expected, "{args:?}: {}{}", stdout(&output), stderr(&output));
    }
}

#[test]
fn changes_to_rules_that_are_not_linted_are_no_warnings() {
    let folder =
        folder(&[("right.yml", right().as_bytes()), ("config.yaml", b"rules: {of-another-pack: {off: true}}\n")]);
    let output = run(&folder, &["lint", "right.yml", "--config", "config.yaml", "--deny-warnings"]);
    assert_eq!((code(&output), stdout(&output)), (0, String::new()));
}

#[test]
fn lint_prints_one_json_document() {
    let broken = DOUBTFUL.replace("eventName:", "eventName|startwith:");
    let folder = folder(&[("a/doubtful.yml", DOUBTFUL.as_bytes()), ("a/broken.yml", broken.as_bytes())]);
    let output = run(&folder, &["lint", "a", "--format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        document,
        json!({
            "diagnostics": [
                {
                    "code": "unknown-modifier", "severity": "error", "message": "`startwith` is not a modifier",
                    "advice": "did you mean `startswith`?", "file": "a/broken.yml",
                    "line": 10, "column": 15, "end_line": 10, "end_column": 24, "rule_id": null,
                },
                {
                    "code": "unknown-event-name", "severity": "warning",
                    "message": "`cloudtrail.amazonaws.com` is not known to log `StopLoging`",
                    "advice": "did you mean `StopLogging`?", "file": "a/doubtful.yml",
                    "line": 10, "column": 16, "end_line": 10, "end_column": 26,
                    "rule_id": "5b1e6f7c-80d2-4a56-9f0c-2b8fe56d0c4e",
                },
            ],
            "summary": {
                "loaded": 1, "filters": 0, "filters_expired": 0, "rejected": 1, "off": 0, "retired": 0,
                "other_log_sources": 0, "warnings": 1,
            },
        })
    );
}

/// What code scanning asks of a SARIF document.
fn assert_sarif(document: &Value) -> &[Value] {
    assert_eq!((document["version"].as_str(), document["runs"].as_array().unwrap().len()), (Some("2.1.0"), 1));
    assert!(document["$schema"].as_str().unwrap().ends_with("sarif-2.1.0.json"));
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(run["tool"]["driver"]["name"], "trailhound");
    for rule in rules {
        let (id, level) = (rule["id"].as_str().unwrap(), rule["defaultConfiguration"]["level"].as_str().unwrap());
        assert!(rule["shortDescription"]["text"].as_str().unwrap().ends_with('.'), "{id}");
        let page = if level == "warning" { format!("docs/lints.md#{id}") } else { "docs/rules.md#".to_owned() };
        assert!(rule["help"]["text"].as_str().unwrap().contains(&page), "{rule}");
        // An address has to be a whole one.
        assert!(rule.get("helpUri").is_none_or(|uri| uri.as_str().unwrap().starts_with("https://")), "{rule}");
    }
    let results = run["results"].as_array().unwrap();
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let location = &result["locations"][0]["physicalLocation"];
        assert!(!location["artifactLocation"]["uri"].as_str().unwrap().contains(' '));
        if let Some(region) = location.get("region") {
            let place = |line: &str, column: &str| (region[line].as_u64().unwrap(), region[column].as_u64().unwrap());
            let (start, end) = (place("startLine", "startColumn"), place("endLine", "endColumn"));
            assert!(start >= (1, 1) && start <= end, "{region}");
        }
    }
    results
}

#[test]
fn lint_prints_sarif_for_code_scanning() {
    let broken = DOUBTFUL.replace("eventName:", "eventName|startwith:");
    let folder = folder(&[("my rules/doubtful.yml", DOUBTFUL.as_bytes()), ("my rules/broken.yml", broken.as_bytes())]);
    let output = run(&folder, &["lint", "./my rules", "gone.yml", "--format", "sarif"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = assert_sarif(&document);
    let place = |result: &Value| {
        let location = &result["locations"][0]["physicalLocation"];
        json!([result["ruleId"], result["level"], location["artifactLocation"]["uri"], location["region"]["startLine"]])
    };
    assert_eq!(
        results.iter().map(place).collect::<Vec<_>>(),
        [
            json!(["unknown-modifier", "error", "my%20rules/broken.yml", 10]),
            json!(["unreadable", "error", "gone.yml", null]),
            json!(["unknown-event-name", "warning", "my%20rules/doubtful.yml", 10]),
        ]
    );
    assert_eq!(
        results[2]["message"]["text"],
        "`cloudtrail.amazonaws.com` is not known to log `StopLoging`: did you mean `StopLogging`?"
    );
}

#[test]
fn sarif_of_nothing_is_whole() {
    let folder = folder(&[]);
    let output = run(&folder, &["lint", "--format", "sarif"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((code(&output), assert_sarif(&document)), (0, &[][..]));
}

#[test]
fn explain_shows_what_held_and_what_was_seen() {
    let rule = "title: Trail stopped by a person
id: stop
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventSource: cloudtrail.amazonaws.com, eventName: [StopLogging, DeleteTrail]}
  filter_ci: {derived.principal|endswith: ':role/ci'}
  filter_denied: {errorCode|exists: true}
  condition: selection and not 1 of filter_*
";
    let denied = with(record("StopLogging", "e2"), &[("/errorCode", json!("AccessDenied"))]);
    let trail = trail_file(&[record("StopLogging", "e1"), denied]);
    let folder = folder(&[("stop.yml", rule.as_bytes()), ("trail.json.gz", &trail)]);
    let output = run(&folder, &["explain", "stop.yml", "trail.json.gz"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    insta::assert_snapshot!(stdout(&output), @r"
    MATCH  Trail stopped by a person (stop)
    record 0: 2026-11-05T10:00:00Z cloudtrail.amazonaws.com StopLogging e1
      ✓ all of
        ✓ selection
          ✓ eventSource: cloudtrail.amazonaws.com  (saw cloudtrail.amazonaws.com)
          ✓ eventName: [StopLogging, DeleteTrail]  (saw StopLogging)
        ✓ not
          ✗ any of
            ✗ filter_ci
              ✗ derived.principal|endswith: :role/ci  (saw arn:aws:iam::111122223333:user/alice)
            ✗ filter_denied
              ✗ errorCode|exists: true  (saw nothing)

    NO MATCH  Trail stopped by a person (stop)
    record 1: 2026-11-05T10:00:00Z cloudtrail.amazonaws.com StopLogging e2
      ✗ all of
        ✓ selection
          ✓ eventSource: cloudtrail.amazonaws.com  (saw cloudtrail.amazonaws.com)
          ✓ eventName: [StopLogging, DeleteTrail]  (saw StopLogging)
        ✗ not
          ✓ any of
            ✗ filter_ci
              ✗ derived.principal|endswith: :role/ci  (saw arn:aws:iam::111122223333:user/alice)
            ✓ filter_denied
              ✓ errorCode|exists: true  (saw AccessDenied)
    ");
    let output = run(&folder, &["explain", "stop", "trail.json.gz", "--rules", "stop.yml", "--event", "e2"]);
    assert!(code(&output) == 1 && stdout(&output).starts_with("NO MATCH  Trail stopped by a person (stop)\n"));
}

#[test]
fn explain_takes_rules_and_records_in_every_form() {
    let line = record("StopLogging", "e1").to_string();
    let lines = format!("{}\n{line}\n", record("GetUser", "e0"));
    let folder = folder(&[
        ("rules/stop.yml", right().as_bytes()),
        ("one.json", line.as_bytes()),
        ("lines.jsonl", lines.as_bytes()),
        ("trail.json.gz", &gzip(lines.as_bytes())),
    ]);
    for rule in ["rules/stop.yml", "5b1e6f7c-80d2-4a56-9f0c-2b8fe56d0c4e", "trail_stopped", "Trail stopped"] {
        let output = run(&folder, &["explain", rule, "one.json", "--rules", "rules"]);
        let expected = "MATCH  Trail stopped (5b1e6f7c-80d2-4a56-9f0c-2b8fe56d0c4e)\n";
        assert!(code(&output) == 0, "{rule}: {}", stderr(&output));
        assert!(stdout(&output).starts_with(expected), "{rule}");
    }
    for records in ["one.json", "lines.jsonl", "trail.json.gz"] {
        let output = run(&folder, &["explain", "rules/stop.yml", records, "--event", "e1"]);
        assert_eq!((code(&output), stdout(&output).matches("MATCH  ").count()), (0, 1), "{records}");
    }
    let mut child = command(&folder, &["explain", "rules/stop.yml", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    assert!(stdout(&child.wait_with_output().unwrap()).starts_with("MATCH  "));
}

#[test]
fn explain_stops_at_a_page_and_says_so() {
    let records: Vec<Value> = (0..30).map(|number| record("GetUser", &format!("e{number}"))).collect();
    let folder = folder(&[("stop.yml", right().as_bytes()), ("trail.json.gz", &trail_file(&records))]);
    let output = run(&folder, &["explain", "stop.yml", "trail.json.gz"]);
    assert_eq!((code(&output), stdout(&output).matches("NO MATCH").count()), (1, 20));
    assert!(stderr(&output).contains("10 more records are not explained; choose one with `--event`"));
    let output = run(&folder, &["explain", "stop.yml", "trail.json.gz", "--event", "e29"]);
    assert!(code(&output) == 1 && stdout(&output).contains("record 29: "));
}

#[test]
fn explain_says_what_stands_between_a_match_and_an_alert() {
    let new = "title: New address
id: new
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: GetUser}, condition: sel}
trailhound: {first_seen: {entity: [derived.principal], value: [sourceIPAddress]}}
";
    let ignored = new.replace("IPAddress]", "IPAddress], ignore: {networks: 203.0.113.0/24}");
    let folder = folder(&[
        ("new.yml", new.as_bytes()),
        ("ignored.yml", ignored.as_bytes()),
        ("a.json", record("GetUser", "e1").to_string().as_bytes()),
    ]);
    let output = run(&folder, &["explain", "new.yml", "a.json"]);
    let note =
        "note: told only if 203.0.113.66 is new for arn:aws:iam::111122223333:user/alice; memory is not asked here";
    assert!(code(&output) == 0 && stdout(&output).contains(note), "{}", stdout(&output));
    let output = run(&folder, &["explain", "ignored.yml", "a.json"]);
    let note = "note: it never counts, by `ignore` of `first_seen`";
    assert!(code(&output) == 0 && stdout(&output).contains(note), "{}", stdout(&output));
}

#[test]
fn explain_names_what_it_cannot_explain() {
    let correlation = format!(
        "{}---
title: Stopped again and again
id: 3f0a4c3e-6c52-4c27-9b1c-0b9f2d4a7e11
correlation: {{type: event_count, rules: [trail_stopped], timespan: 10m, condition: {{gte: 3}}}}
",
        right()
    );
    let folder = folder(&[
        ("rules.yml", correlation.as_bytes()),
        ("a.json", record("StopLogging", "e1").to_string().as_bytes()),
        ("none.json", b"{\"Records\":[]}"),
        ("cut.json.gz", &gzip(b"{\"Records\":[")[..15]),
    ]);
    for (rule, records, expected) in [
        (
            "Stopped again and again",
            "a.json",
            "is a correlation: it looks at many records; explain the rules that it reads: `trail_stopped`",
        ),
        (
            "Trail stoped",
            "a.json",
            "no rule that is loaded has the id, name or title `Trail stoped`; did you mean `Trail stopped`?",
        ),
        ("trail_stopped", "none.json", "none.json: there is no record in it"),
        ("trail_stopped", "gone.json", "gone.json: No such file"),
        ("trail_stopped", "cut.json.gz", "cut.json.gz: the file ends in the middle"),
        ("gone.yml", "a.json", "no rules from gone.yml"),
    ] {
        let output = run(&folder, &["explain", rule, records, "--rules", "rules.yml"]);
        assert!(code(&output) == 2 && stderr(&output).contains(expected), "{rule} {records}: {}", stderr(&output));
    }
    let output = run(&folder, &["explain", "trail_stopped", "a.json", "--rules", "rules.yml", "--event", "e9"]);
    assert!(code(&output) == 2 && stderr(&output).contains("none of its 1 records has the eventID `e9`"));
    let output = run(&folder, &["explain", "rules.yml", "a.json"]);
    assert!(code(&output) == 0 && stdout(&output).contains("note: not told by itself: a correlation reads it"));
}

#[test]
fn what_is_explained_cannot_write_to_the_terminal() {
    let hostile = with(
        record("\u{1b}[2Jgone\nMATCH\u{202e}", "e1"),
        &[("/eventSource", json!("x".repeat(5000))), ("/eventTime", json!("\u{1b}[31m"))],
    );
    let folder = folder(&[("stop.yml", right().as_bytes()), ("a.json", hostile.to_string().as_bytes())]);
    let output = run(&folder, &["explain", "stop.yml", "a.json"]);
    assert!(!stdout(&output).contains(['\u{1b}', '\u{202e}']) && stdout(&output).lines().all(|line| line.len() < 400));
    assert!(stdout(&output).contains("(saw [2Jgone MATCH)"), "{}", stdout(&output));
}
