//! The words of the schemas are those that the parser knows, no more and no less. The parser is asked by giving it a word
//! that it can't know: it answers with those that it does.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trailhound::engine::{Organisation, RuleSet};
use trailhound::sigma::{self, Modifiers};
use trailhound::yaml::SourceFile;

use super::{config_error, correlation, detection, extension, filter, rejected, schema, validator};
use crate::support::TODAY;

/// Too far from every word for "did you mean".
const UNKNOWN: &str = "qqqqqqqqqqqqqqqqqqqqqqqqqqqq";
/// Long forms of `i`, `m` and `s` that the parser takes besides the specification's names.
const LONG_FLAGS: &[&str] = &["ignorecase", "multiline", "dotall"];

type Words = BTreeSet<String>;

/// The words behind `known:` or `one of` in an error.
fn told(error: &str) -> Words {
    let list = ["(known: ", "(one of "].iter().find_map(|lead| error.split_once(lead));
    let (_, list) = list.unwrap_or_else(|| panic!("no words in: {error}"));
    list.trim_end_matches(')').split(", ").map(str::to_owned).collect()
}

fn told_about_rule(yaml: &str) -> Words {
    told(&rejected(yaml)[0].summary())
}

fn told_about_config(yaml: &str) -> Words {
    told(&config_error(yaml).unwrap().summary())
}

fn members(file: &Value, pointer: &str) -> Words {
    let members = file.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"))["properties"].as_object().unwrap();
    members.keys().cloned().collect()
}

/// The texts of an `enum`.
fn words(file: &Value, pointer: &str) -> Words {
    let words = file.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"))["enum"].as_array().unwrap();
    words.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The words of the first `(a|b|c)` behind `lead` in a pattern.
fn alternatives(pattern: &Value, lead: &str) -> Words {
    let (_, rest) = pattern.as_str().unwrap().split_once(lead).unwrap();
    rest.split(')').next().unwrap().split('|').map(str::to_owned).collect()
}

#[test]
fn members_are_those_that_the_parser_knows() {
    let (rule, config) = (schema("rule.schema.json"), schema("config.schema.json"));
    let unknown = format!("{UNKNOWN}: 1");
    for (pointer, yaml) in [
        ("/$defs/extension", extension(&unknown)),
        ("/$defs/first_seen", extension(&format!("first_seen: {{{unknown}}}"))),
        ("/$defs/network", extension(&format!("first_seen: {{entity: a, value: b, network: {{{unknown}}}}}"))),
        ("/$defs/ignore", extension(&format!("first_seen: {{entity: a, value: b, ignore: {{{unknown}}}}}"))),
        ("/$defs/alert", extension(&format!("alert: {{{unknown}}}"))),
        ("/$defs/upkeep", filter("rules: any, s: {a: b}, condition: not s") + &format!("\ntrailhound: {{{unknown}}}")),
        ("/$defs/correlation", correlation(&unknown)),
        (
            "/$defs/extension_of_correlation",
            correlation("type: temporal, rules: [a], timespan: 1m") + &format!("\ntrailhound: {{{unknown}}}"),
        ),
        (
            "/$defs/condition_on_percentile",
            correlation(&format!(
                "type: value_percentile, rules: [a], timespan: 1m, condition: {{field: b, percentile: 5, {unknown}}}"
            )),
        ),
    ] {
        assert_eq!(members(&rule, pointer), told_about_rule(&yaml), "{pointer}");
    }
    for (pointer, yaml) in [
        ("", unknown.clone()),
        ("/properties/rules/additionalProperties", format!("rules: {{id: {{{unknown}}}}}")),
        ("/$defs/quiet", format!("rules: {{id: {{quiet: {{{unknown}}}}}}}")),
        ("/$defs/max_alerts", format!("rules: {{id: {{max_alerts: {{{unknown}}}}}}}")),
        ("/properties/expected_principals/items", format!("expected_principals: [{{{unknown}}}]")),
        ("/properties/channels/additionalProperties", format!("channels: {{a: {{{unknown}}}}}")),
        ("/properties/topics/items", format!("topics: [{{{unknown}}}]")),
        ("/$defs/when", format!("channels: {{a: {{security_hub: {{}}, when: {{{unknown}}}}}}}")),
    ] {
        assert_eq!(members(&config, pointer), told_about_config(&yaml), "{pointer}");
    }
    for kind in ["slack", "teams", "pagerduty", "webhook", "eventbridge"] {
        let pointer = format!("/properties/channels/additionalProperties/properties/{kind}");
        let yaml = format!("channels: {{a: {{{kind}: {{{unknown}}}}}}}");
        assert_eq!(members(&config, &pointer), told_about_config(&yaml), "{pointer}");
    }
}

#[test]
fn members_of_a_document_are_known_to_the_parser() {
    for member in members(&schema("rule.schema.json"), "").iter().filter(|member| *member != "action") {
        let error = rejected(&(detection("sel: {a: b}") + &format!("\n{member}q: 1")))[0].summary();
        assert!(error.contains(&format!("did you mean `{member}`?")), "{member}: {error}");
    }
}

#[test]
fn words_are_those_that_the_parser_knows() {
    let (file, config) = (schema("rule.schema.json"), schema("config.schema.json"));
    let member = |name: &str| detection("sel: {a: b}") + &format!("\n{name}: {UNKNOWN}");
    for (pointer, yaml) in [
        ("/$defs/level", member("level")),
        ("/properties/status", member("status")),
        ("/$defs/mode", extension(&format!("mode: {UNKNOWN}"))),
        ("/$defs/correlation/properties/type", correlation(&format!("type: {UNKNOWN}"))),
        ("/$defs/switch", correlation(&format!("type: temporal, rules: [a], timespan: 1m, generate: {UNKNOWN}"))),
    ] {
        assert_eq!(words(&file, pointer), told_about_rule(&yaml), "{pointer}");
    }
    for change in ["off", "level"] {
        let pointer = format!("/properties/rules/additionalProperties/properties/{change}");
        let yaml = format!("rules: {{id: {{{change}: {UNKNOWN}}}}}");
        assert_eq!(words(&config, &pointer), told_about_config(&yaml), "{change}");
    }
    let channel = |members: &str| format!("channels: {{a: {{{members}}}}}");
    for (pointer, yaml) in [
        ("pagerduty/properties/region", channel(&format!("pagerduty: {{routing_key: ssm:a, region: {UNKNOWN}}}"))),
        ("webhook/properties/form", channel(&format!("webhook: {{url: https://a.example, form: {UNKNOWN}}}"))),
    ] {
        let pointer = format!("/properties/channels/additionalProperties/properties/{pointer}");
        assert_eq!(words(&config, &pointer), told_about_config(&yaml), "{pointer}");
    }
    let yaml = channel(&format!("security_hub: {{}}, when: {{level: {UNKNOWN}}}"));
    assert_eq!(words(&config, "/$defs/level"), told_about_config(&yaml));
    let yaml = format!("rules: {{id: {{quiet: {{days: {UNKNOWN}}}}}}}");
    assert_eq!(words(&config, "/$defs/day"), told_about_config(&yaml));
}

#[test]
fn modifiers_are_those_that_the_parser_knows() {
    let file = schema("rule.schema.json");
    let known = alternatives(&file["$defs"]["field_with_modifiers"]["allOf"][0]["pattern"], r"(\|(");
    let names = Modifiers::names().chain(LONG_FLAGS.iter().copied()).map(str::to_owned).collect();
    assert_eq!(known, names);
    for flag in LONG_FLAGS {
        assert!(rejected(&detection(&format!("sel: {{a|re|{flag}: b}}"))).is_empty(), "{flag}");
    }
}

#[test]
fn derived_fields_are_those_that_the_engine_knows() {
    let collection = sigma::parse(&SourceFile::new("t.yml", detection(&format!("sel: {{derived.{UNKNOWN}: x}}"))));
    let (_, errors) = RuleSet::compile(&collection, &Organisation::default(), TODAY);
    let known = told(&errors[0].summary());
    let file = schema("rule.schema.json");
    let defs = &file["$defs"];
    assert_eq!(words(&file, "/$defs/field/anyOf/0"), known);
    let short = alternatives(&defs["field_with_modifiers"]["allOf"][1]["pattern"], r"derived\.(");
    assert_eq!(short.iter().map(|name| format!("derived.{name}")).collect::<Words>(), known);
    let described = members(&file, "/$defs/search_identifier");
    assert_eq!(described.into_iter().filter(|name| name.starts_with("derived.")).collect::<Words>(), known);
}

/// Every modifier with and without a field, every two of them and some three, with values of every kind.
#[test]
fn keys_are_marked_where_the_parser_rejects_them() {
    let validator = validator("rule.schema.json");
    let names: Vec<&str> = Modifiers::names().collect();
    let ones = names.iter().flat_map(|name| [format!("|{name}"), format!("field|{name}")]);
    let twos = names.iter().flat_map(|first| names.iter().map(move |second| format!("field|{first}|{second}")));
    let threes =
        names.iter().flat_map(|name| ["|re|i", "a|wide|contains", "a|hour|gt"].map(|two| format!("{two}|{name}")));
    let keys: Vec<String> = ones.chain(twos).chain(threes).collect();
    let values = [json!("x"), json!("true"), json!([5, 7]), json!(null), json!([])];
    let mut wrong = Vec::new();
    for key in &keys {
        for value in &values {
            let document = json!({
                "title": "Test",
                "logsource": {"product": "aws", "service": "cloudtrail"},
                "detection": {"sel": {key: value}, "condition": "sel"},
            });
            let taken = rejected(&document.to_string()).is_empty(); // JSON is YAML
            if taken != validator.is_valid(&document) {
                wrong.push(format!("{key}: {value}: the parser {} it", if taken { "takes" } else { "rejects" }));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ, such as {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
}
