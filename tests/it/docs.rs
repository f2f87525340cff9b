//! Documentation that has to agree with the code.

use std::fs;
use std::path::Path;
use std::process::Command;

use trailhound::config::SETTINGS;
use trailhound::yaml::{Code, Severity};

fn page(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_table_of_settings_is_complete_and_true() {
    let page = page("docs/configuration.md");
    for setting in SETTINGS {
        let row = format!(
            "| `{}` | {} | {} | {} | {} |",
            setting.name, setting.default, setting.unit, setting.range, setting.meaning
        );
        assert!(page.contains(&row), "docs/configuration.md lacks this row:\n{row}");
    }
}

#[test]
fn every_code_is_explained_and_no_other() {
    let rules = page("docs/rules.md");
    let errors = rules.split("## When a rule does not load").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut explained: Vec<&str> = names(errors, "\n| `");
    explained.sort_unstable();
    assert_eq!(explained, codes(Severity::Error), "docs/rules.md and the errors differ");

    let lints = page("docs/lints.md");
    let mut explained = names(&lints, "\n### `");
    explained.sort_unstable();
    assert_eq!(explained, codes(Severity::Warning), "docs/lints.md and the lints differ");
}

fn names<'p>(page: &'p str, before: &str) -> Vec<&'p str> {
    page.split(before).skip(1).map(|rest| rest.split('`').next().unwrap()).collect()
}

fn codes(severity: Severity) -> Vec<&'static str> {
    let mut codes: Vec<_> =
        Code::ALL.iter().filter(|code| code.severity() == severity).map(|code| code.as_str()).collect();
    codes.sort_unstable();
    codes
}

#[test]
fn the_counts_of_the_samples_are_those_that_are_printed() {
    for (events, file) in [
        (&["events/s3-put.json", "events/sqs-s3-batch.json"][..], "docs/deploy.md"),
        (&["events/sqs-s3-batch.json"], "docs/alerts.md"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_trailhound"))
            .args(["invoke", "--config", "events/trailhound.yaml"])
            .args(events)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stderr).unwrap();
        let summary = printed.lines().last().unwrap();
        assert!(page(file).contains(summary), "{file} lacks this line:\n{summary}");
    }
}
