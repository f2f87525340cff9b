//! Documentation that has to agree with the code.

use std::fs;
use std::path::Path;
use std::process::Command;

use trailhound::config::SETTINGS;

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
fn every_error_code_is_explained() {
    let page = page("docs/rules.md");
    let source = page_codes();
    assert!(source.len() > 10);
    for code in source {
        assert!(page.contains(&format!("| `{code}` |")), "docs/rules.md doesn't explain `{code}`");
    }
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

/// The codes as the source lists them: `Variant = "code",`.
fn page_codes() -> Vec<String> {
    let source = page("src/yaml/diagnostic.rs");
    let list = source.split("codes! {").nth(1).unwrap().split("\n}").next().unwrap();
    list.lines().filter_map(|line| Some(line.split_once("= \"")?.1.split('"').next()?.to_owned())).collect()
}
