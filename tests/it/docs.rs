//! Documentation that has to agree with the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use trailhound::config::SETTINGS;
use trailhound::outcome::{Answer, Cause, LAG, METRICS, Metric, Miss, NOTICE_METRICS, SelfAlert};
use trailhound::yaml::{Code, Severity};

use crate::language::correlations;
use crate::support::{World, events, matches, record, rules};

pub(crate) fn page(path: &str) -> String {
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
fn the_table_of_metrics_is_complete_and_true() {
    let page = page("docs/operations.md");
    for metric in METRICS {
        let Metric { name, unit, meaning, sent, .. } = metric;
        let row = format!("| `{name}` | {} | {} | {meaning} |", unit.as_str(), sent.as_str());
        assert!(page.contains(&row), "docs/operations.md lacks this row:\n{row}");
    }
    assert!(page.contains(&format!("| `{}` | {} |", LAG.0, LAG.1.as_str())));
    let rows = page.lines().filter(|line| line.contains(" | Count | ") || line.contains(" | Milliseconds | "));
    assert_eq!(rows.count(), METRICS.len() + 1, "a metric that there isn't");
}

#[test]
fn the_tables_of_the_notifier_are_complete_and_true() {
    let operations = page("docs/operations.md");
    for metric in NOTICE_METRICS {
        let of = if metric.dimension().is_none() { "the function" } else { "each channel" };
        let row = format!("| `{}` | {of} | {} | {} |", metric.name, metric.sent.as_str(), metric.meaning);
        assert!(operations.contains(&row), "docs/operations.md lacks this row:\n{row}");
    }
    let rows =
        operations.lines().filter(|line| line.contains(" | the function | ") || line.contains(" | each channel | "));
    assert_eq!(rows.count(), NOTICE_METRICS.len(), "a metric that there isn't");
    let channels = page("docs/channels.md");
    let table = channels.split("| cause | meaning | do |").nth(1).unwrap().split("\n\n").next().unwrap();
    let causes: Vec<&str> = names(table, "\n| `");
    assert_eq!(causes, Miss::ALL.iter().map(|cause| cause.as_str()).collect::<Vec<_>>());
}

#[test]
fn the_table_of_causes_is_complete_and_true() {
    let page = page("docs/delivery.md");
    for cause in Cause::ALL {
        let start = format!("| `{}` |", cause.as_str());
        let row = page.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row {start}"));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let fate = cause.fate();
        let queue = match fate.delivery {
            Answer::Acknowledged => "acknowledged",
            Answer::PutAside => "acknowledged once put aside",
            Answer::Returned => "returned",
        };
        let line = fate.line.map_or_else(|| "–".to_owned(), |line| format!("`{line}`"));
        let alert = match fate.alert {
            SelfAlert::Never => "no",
            SelfAlert::AtOnce => "at once",
            SelfAlert::WhenRepeated => "third",
        };
        assert_eq!(cells[3..7], [queue, &format!("`{}`", fate.metric), &line, alert], "{row}");
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
            .args(["invoke", "--pack", "all", "--config", "events/trailhound.yaml"])
            .args(events)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stderr).unwrap();
        let summary = printed.lines().last().unwrap();
        assert!(page(file).contains(summary), "{file} lacks this line:\n{summary}");
    }
}

/// Which part of docs/sigma-support.md lists features with their tests.
fn features() -> String {
    page("docs/sigma-support.md").split("\n## What the specification leaves open").next().unwrap().to_owned()
}

/// The sources that a module's tests may stand in.
fn has_test(path: &str) -> bool {
    let (module, test) = path.rsplit_once("::").unwrap();
    let module = module.replace("::", "/");
    let files = [
        format!("tests/it/{module}.rs"),
        format!("src/{module}.rs"),
        format!("src/{module}/mod.rs"),
        format!("src/{module}/tests.rs"),
    ];
    let start = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = |file: &String| fs::read_to_string(start.join(file)).unwrap_or_default();
    files.iter().any(|file| source(file).contains(&format!("fn {test}(")))
}

#[test]
fn every_feature_of_sigma_names_a_test_that_exists() {
    let page = page("docs/sigma-support.md");
    let code: Vec<&str> = page.split('`').skip(1).step_by(2).collect();
    let named = code
        .iter()
        .filter(|text| text.contains("::") && text.bytes().all(|c| c.is_ascii_alphanumeric() || b":_".contains(&c)));
    let mut tests: Vec<&str> = named.copied().collect();
    tests.sort_unstable();
    tests.dedup();
    assert!(tests.len() > 50, "{tests:?}");
    let missing: Vec<&&str> = tests.iter().filter(|test| !has_test(test)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    for row in features().lines().filter(|line| line.starts_with("| ") && !line.ends_with("| test |")) {
        assert!(row.ends_with("` |") && row.contains("::"), "this row names no test:\n{row}");
    }
}

#[test]
fn every_modifier_has_a_row() {
    let features = features();
    for name in trailhound::sigma::Modifiers::names() {
        assert_eq!(features.matches(&format!("\n| `{name}` |")).count(), 1, "`{name}` in docs/sigma-support.md");
    }
}

/// A fenced block of a page.
struct Block {
    language: String,
    text: String,
    /// The last line of text before it.
    before: String,
    /// The line behind it.
    after: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut before) = (Vec::new(), "");
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        match line.strip_prefix("```") {
            Some(language) => {
                let text: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
                let after = lines.clone().next().unwrap_or_default().to_owned();
                blocks.push(Block {
                    language: language.to_owned(),
                    text: text.join("\n"),
                    before: before.to_owned(),
                    after,
                });
            }
            None if line.is_empty() => {}
            None => before = line,
        }
    }
    blocks
}

/// Whether a detection matches a record, or a correlation over the rules `a`, `b` and `c` some of them.
fn example_matches(example: &str, json: &str) -> bool {
    let value: Value = serde_json::from_str(json).unwrap();
    let Some(events) = value.as_array() else {
        return matches(example.strip_prefix("detection:\n").unwrap(), &value);
    };
    let numbered = events.iter().enumerate().map(|(number, event)| {
        let mut whole = record("", &number.to_string());
        whole.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        whole
    });
    let told = correlations::told(
        &format!("{}title: Sum\nid: sum\n{example}\n", correlations::RULES),
        &numbered.collect::<Vec<_>>(),
    );
    told.iter().any(|told| told.starts_with("sum: "))
}

#[test]
fn the_examples_of_open_questions_hold() {
    let page = page("docs/sigma-support.md");
    let open = page.split("\n## What the specification leaves open").nth(1).unwrap();
    let mut example = String::new();
    let mut held = 0;
    for Block { language, text, after: verdict, .. } in blocks(open) {
        match (language.as_str(), verdict.as_str()) {
            ("yaml", _) => example = text,
            ("json", "**matches**" | "**does not match**") => {
                let expected = verdict == "**matches**";
                assert_eq!(example_matches(&example, &text), expected, "{example}\n{text}\n{verdict}");
                held += 1;
            }
            other => panic!("{other:?}: an example is a detection, then records, each with what becomes of it\n{text}"),
        }
    }
    assert!(held > 50, "{held}");
}

/// The rule file that a block of a page is, by the path that the line before it names.
fn rule_file(block: &Block) -> Option<&str> {
    let path = block.before.split('`').find(|text| text.starts_with("my-rules/"))?;
    (!block.language.is_empty()).then_some(path)
}

/// The rule that the tutorial has its reader save there.
pub(crate) fn tutorial_rule(path: &str) -> String {
    let tutorial = blocks(&page("docs/rules.md"));
    tutorial.into_iter().find(|block| rule_file(block) == Some(path)).unwrap().text
}

/// Saves what the tutorial has its reader save, and runs what it runs.
#[test]
fn the_tutorial_shows_what_is_printed() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("my-rules")).unwrap();
    std::os::unix::fs::symlink(events(), folder.path().join("events")).unwrap();
    let mut runs = 0;
    for block in blocks(&page("docs/rules.md")) {
        if let Some(path) = rule_file(&block) {
            fs::write(folder.path().join(path), format!("{}\n", block.text)).unwrap();
        }
        let Some(command) = block.text.strip_prefix("$ trailhound ") else { continue };
        let (command, printed) = command.split_once('\n').unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_trailhound"))
            .args(command.split(' '))
            .current_dir(folder.path())
            .output()
            .unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        let both = format!("{out}{err}");
        assert!([out.trim_end(), both.trim_end()].contains(&printed.trim_end()), "{command} prints\n{both}");
        runs += 1;
    }
    assert_eq!(runs, 4);
}

#[tokio::test]
async fn a_correlation_looks_as_the_page_shows_it() {
    let world = World::new(rules(&tutorial_rule("my-rules/key_then_policy.yml")));
    let name = "111122223333_CloudTrail_us-east-1_20261105T0655Z_fV4MJ99Ezvpff6eP";
    let sample = events().join(format!(
        "objects/example-trail-logs/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/05/{name}.json.gz"
    ));
    world.notify(&[&world.put(name, &fs::read(sample).unwrap())]).await;
    let alert = world.alerts().remove(0);

    let page = page("docs/alerts.md");
    // The file stands elsewhere here, and it is another day.
    let is_same = |line: &&str| !line.contains("aws s3 cp ") && !line.contains("expires: ");
    let without = |text: &str| text.lines().filter(is_same).collect::<Vec<_>>().join("\n");
    let (mail, _) = alert.text.split_once("\nFile ").unwrap();
    assert!(without(&page).contains(&without(mail)), "docs/alerts.md lacks this mail:\n{mail}");
    let ocsf: Value = serde_json::from_str(&alert.ocsf).unwrap();
    let shown = blocks(&page).into_iter().find(|block| block.text.contains("rule_uid")).unwrap().text;
    let expected = &ocsf["finding_info"]["related_events"];
    assert_eq!(
        &serde_json::from_str::<Value>(&shown).unwrap(),
        expected,
        "{}",
        serde_json::to_string_pretty(expected).unwrap()
    );
}

/// The topic's policy names those who may publish: an alarm that it leaves out would be silent.
#[test]
fn every_alarm_may_publish() {
    let template = page("template.yaml");
    let alarms: BTreeSet<&str> = (template.lines())
        .zip(template.lines().skip(1))
        .filter(|(_, next)| next.trim() == "Type: AWS::CloudWatch::Alarm")
        .map(|(name, _)| name.trim().trim_end_matches(':'))
        .collect();
    let publish: BTreeSet<&str> = (template.lines())
        .filter_map(|line| line.trim().strip_prefix("- !GetAtt ")?.strip_suffix("Alarm.Arn"))
        .collect();
    let operations = page("docs/operations.md");
    assert!(alarms.len() > 5);
    for alarm in alarms {
        assert!(publish.contains(alarm.trim_end_matches("Alarm")), "{alarm} may not publish");
        assert!(operations.contains(&format!("| `{alarm}` |")), "docs/operations.md doesn't tell of {alarm}");
    }
}
