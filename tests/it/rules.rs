//! Every shipped rule against the records beside it.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use trailhound::engine::{Organisation, RuleSet};
use trailhound::sigma::{self, Collection, Metadata, Rule};
use trailhound::trail::Record;
use trailhound::yaml::SourceFile;

use crate::support::TODAY;

/// `<rule>.test.yml`: one record in the shape that AWS delivers, and changes to it as JSON merge patches.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTest {
    record: Value,
    fires: BTreeMap<String, Value>,
    near_misses: BTreeMap<String, Value>,
    #[serde(default)]
    config: Option<Value>,
}

#[test]
fn every_rule_fires_on_its_records_and_on_no_near_miss() {
    let mut wrong = Vec::new();
    for path in rule_files() {
        let test = fs::read_to_string(path.with_extension("test.yml"))
            .unwrap_or_else(|_| panic!("{} has no test", path.display()));
        let test: RuleTest =
            serde_saphyr::from_str(&test).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(!test.fires.is_empty() && !test.near_misses.is_empty(), "{} lacks cases", path.display());
        let rules = compiled(&path, test.config.as_ref());
        for (cases, expected) in [(&test.fires, true), (&test.near_misses, false)] {
            for (name, patch) in cases {
                let mut record = test.record.clone();
                merge(&mut record, patch);
                if finds(&rules, &record) != expected {
                    wrong.push(format!(
                        "{}: \"{name}\" should {}fire",
                        path.display(),
                        if expected { "" } else { "not " }
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_says_what_its_receiver_needs() {
    let mut ids = HashSet::new();
    for path in rule_files() {
        let Rule { metadata, extension, .. } = parsed(&path).rules.remove(0);
        let Metadata { title, id, description, references, falsepositives, tags, .. } = metadata;
        let name = path.display();
        assert!(ids.insert(id.clone()) && id.len() == 36, "{name}: `{id}` is no UUID of its own");
        assert!(title.len() <= 60 && title.is_ascii(), "{name}: the title has to fit a subject");
        assert!(description.len() > 100, "{name}: say why it matters");
        assert!(
            !references.is_empty() && !falsepositives.is_empty() && !tags.is_empty(),
            "{name}: something is missing"
        );
        let steps = extension.alert.runbook;
        assert!((3..=5).contains(&steps.len()) && steps.iter().all(|step| step.len() <= 200), "{name}: runbook");
    }
    assert!(ids.len() >= 12);
}

fn rule_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"), &mut files);
    assert!(!files.is_empty());
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.to_string_lossy().ends_with(".yml") && !path.to_string_lossy().ends_with(".test.yml") {
            files.push(path);
        }
    }
}

fn parsed(path: &Path) -> Collection {
    let mut collection = sigma::parse(&SourceFile::new(path.display().to_string(), fs::read_to_string(path).unwrap()));
    assert!(collection.rejected.is_empty(), "{}", collection.rejected[0]);
    // Rules about trailhound itself are a set of their own.
    let own = std::mem::take(&mut collection.own);
    collection.rules.extend(own);
    assert_eq!(collection.rules.len(), 1, "a file holds one rule");
    collection
}

fn compiled(path: &Path, config: Option<&Value>) -> RuleSet {
    // JSON is YAML.
    let config = config.map(Value::to_string).unwrap_or_default();
    let organisation = Organisation::parse(&SourceFile::new("config", config))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (rules, errors) = RuleSet::compile(&parsed(path), &organisation, TODAY);
    assert!(errors.is_empty(), "{}", errors[0]);
    rules
}

/// Whether the rule matches and, for a first-seen rule, has all that it learns by.
fn finds(rules: &RuleSet, record: &Value) -> bool {
    let raw = record.to_string();
    let record = Record::parse(0, raw.as_bytes()).unwrap();
    rules.matches(&record).iter().any(|matched| matched.sighted().is_none_or(|(_, shown)| !shown.sighted.is_empty()))
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name], value);
        }
    }
}
