//! The JSON Schemas in `schema/`, held against the parser: an editor must not mark what loads.

mod samples;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::{Registry, Validator};
use serde_json::Value;
use trailhound::engine::Organisation;
use trailhound::sigma;
use trailhound::yaml::{Diagnostic, SourceFile};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn schema(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path("schema").join(name)).unwrap()).unwrap()
}

fn validator(name: &str) -> Validator {
    let registry = Registry::new().add("file:///schema/rule.schema.json", schema("rule.schema.json")).unwrap();
    let registry = registry.prepare().unwrap();
    jsonschema::options()
        .with_registry(&registry)
        .with_base_uri(format!("file:///schema/{name}"))
        .build(&schema(name))
        .unwrap()
}

/// As editors read them: by YAML 1.2, where `y` is a text.
fn documents(yaml: &str) -> Vec<Value> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_multiple_with_options(yaml, options).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

/// What the schema has against any document of a file.
fn marks(validator: &Validator, yaml: &str) -> Vec<String> {
    let mark = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    documents(yaml).iter().flat_map(|document| validator.iter_errors(document).map(mark).collect::<Vec<_>>()).collect()
}

/// What the parser has against it.
fn rejected(yaml: &str) -> Vec<Diagnostic> {
    sigma::parse(&SourceFile::new("t.yml", yaml)).rejected
}

fn config_error(yaml: &str) -> Option<Diagnostic> {
    Organisation::parse(&SourceFile::new("trailhound.yaml", yaml)).err()
}

/// A rule with these lines at its end, such as a detection.
fn rule(rest: &str) -> String {
    format!("title: Test\nlogsource: {{product: aws, service: cloudtrail}}\n{rest}")
}

fn detection(identifiers: &str) -> String {
    rule(&format!("detection: {{{identifiers}, condition: all of them}}"))
}

fn extension(members: &str) -> String {
    detection("sel: {eventName: x}") + &format!("\ntrailhound: {{{members}}}")
}

fn correlation(members: &str) -> String {
    format!("title: Test\ncorrelation: {{{members}}}")
}

fn filter(members: &str) -> String {
    rule(&format!("filter: {{{members}}}"))
}

#[test]
fn schemas_are_valid_and_describe_every_member() {
    for name in ["rule.schema.json", "config.schema.json"] {
        let schema = schema(name);
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        validator(name);
        let mut bare = Vec::new();
        undescribed(&schema, name, &mut bare);
        assert!(bare.is_empty(), "without a description: {bare:#?}");
    }
}

/// Editors read schemas by draft 7, in which nothing beside a `$ref` constrains.
#[test]
fn nothing_is_asked_beside_a_reference() {
    let mut schemas = vec![schema("rule.schema.json"), schema("config.schema.json")];
    while let Some(schema) = schemas.pop() {
        match schema {
            Value::Array(items) => schemas.extend(items),
            Value::Object(members) => {
                let beside = |name: &&String| !["$ref", "description", "deprecationMessage"].contains(&name.as_str());
                let more: Vec<&String> = members.keys().filter(beside).collect();
                assert!(!members.contains_key("$ref") || more.is_empty(), "{} has {more:?}", members["$ref"]);
                schemas.extend(members.into_iter().map(|(_, member)| member));
            }
            _ => {}
        }
    }
}

/// Members under `properties` that say nothing to the reader, unless they only narrow what is described elsewhere.
fn undescribed(schema: &Value, at: &str, bare: &mut Vec<String>) {
    let Value::Object(members) = schema else { return };
    for (name, value) in members {
        let inner = format!("{at}/{name}");
        match name.as_str() {
            "if" | "then" | "else" | "not" | "of_other_logs" | "allOf" => {}
            "properties" => {
                for (member, schema) in value.as_object().unwrap() {
                    let empty = schema.as_object().is_some_and(serde_json::Map::is_empty);
                    if !empty && schema["description"].as_str().is_none_or(|text| !text.ends_with('.')) {
                        bare.push(format!("{inner}/{member}"));
                    }
                    undescribed(schema, &format!("{inner}/{member}"), bare);
                }
            }
            _ => undescribed(value, &inner, bare),
        }
    }
}

#[test]
fn every_shipped_rule_is_valid() {
    let validator = validator("rule.schema.json");
    let mut files = Vec::new();
    collect(&path("rules"), &mut files);
    assert!(files.len() >= 12);
    for file in files {
        let marks = marks(&validator, &fs::read_to_string(&file).unwrap());
        assert!(marks.is_empty(), "{}: {marks:#?}", file.display());
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy();
        if path.is_dir() {
            collect(&path, files);
        } else if name.ends_with(".yml") && !name.ends_with(".test.yml") {
            files.push(path);
        }
    }
}

#[test]
fn the_samples_of_the_documentation_are_valid() {
    let (rules, config) = (validator("rule.schema.json"), validator("config.schema.json"));
    let (mut whole, mut sections, mut configurations) = (0, 0, 0);
    for sample in blocks("docs/rules.md").iter().chain(&blocks("docs/configuration.md")) {
        let Ok(documents) = serde_saphyr::from_multiple::<Value>(sample) else { continue };
        let has = |names: &[&str]| documents.iter().any(|document| names.iter().any(|name| !document[*name].is_null()));
        let (validator, text) = if has(&["title"]) {
            whole += 1;
            (&rules, sample.clone())
        } else if has(&["trailhound"]) {
            sections += 1;
            (&rules, detection("sel: {eventName: x}") + "\n" + sample)
        } else if has(&[
            "accounts",
            "partners",
            "networks",
            "trusted_networks",
            "expected_principals",
            "placeholders",
            "rules",
            "channels",
            "topics",
        ]) {
            configurations += 1;
            (&config, sample.clone())
        } else {
            continue;
        };
        let marks = marks(validator, &text);
        assert!(marks.is_empty(), "{marks:#?}\n{sample}");
    }
    assert!(whole > 0 && sections > 0 && configurations > 0, "{whole} {sections} {configurations}");
    let marks = marks(&config, &fs::read_to_string(path("events/trailhound.yaml")).unwrap());
    assert!(marks.is_empty(), "{marks:#?}");
}

fn blocks(page: &str) -> Vec<String> {
    let page = fs::read_to_string(path(page)).unwrap();
    page.split("\n```yaml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned()).collect()
}

#[test]
fn what_is_odd_but_loads_is_not_marked() {
    let validator = validator("rule.schema.json");
    for yaml in samples::odd() {
        let rejected = rejected(&yaml);
        assert!(rejected.is_empty(), "{}\n{yaml}", rejected[0]);
        let marks = marks(&validator, &yaml);
        assert!(marks.is_empty(), "{marks:#?}\n{yaml}");
    }
}

#[test]
fn what_has_the_wrong_form_is_marked() {
    let validator = validator("rule.schema.json");
    for yaml in samples::wrong() {
        assert_eq!(rejected(&yaml).len(), 1, "the parser takes this:\n{yaml}");
        assert!(!marks(&validator, &yaml).is_empty(), "the schema takes this:\n{yaml}");
    }
}

#[test]
fn the_organisation_file_is_marked_where_the_parser_rejects_it() {
    let validator = validator("config.schema.json");
    for yaml in samples::ODD_CONFIGS {
        assert_eq!(config_error(yaml), None, "{yaml}");
        let marks = marks(&validator, yaml);
        assert!(marks.is_empty(), "{marks:#?}\n{yaml}");
    }
    for yaml in samples::WRONG_CONFIGS {
        assert!(config_error(yaml).is_some(), "the parser takes this:\n{yaml}");
        assert!(!marks(&validator, yaml).is_empty(), "the schema takes this:\n{yaml}");
    }
}
