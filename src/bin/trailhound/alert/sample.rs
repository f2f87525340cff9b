//! The record that a rule's own test fires on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use trailhound::engine::RuleInfo;
use trailhound::ports::BoxError;

/// Of the rules that are built in, by the rule's file.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rule_tests.rs"));

/// The part of `<rule>.test.yml` that is of use here.
#[derive(Deserialize)]
struct RuleTest {
    record: Value,
    fires: BTreeMap<String, Value>,
}

/// A record that the rule fires on.
pub(super) fn record(rule: &RuleInfo) -> Result<String, BoxError> {
    let file = Path::new(&rule.file).with_extension("test.yml");
    let built_in = BUILT_IN.iter().find(|(name, _)| Path::new(name) == file).map(|(_, text)| (*text).to_owned());
    let text = match built_in {
        Some(text) => text,
        None => fs::read_to_string(&file).map_err(|_| {
            format!(
                "there is no {} to take a record from; give one: trailhound alert preview RULE RECORD",
                file.display()
            )
        })?,
    };
    let RuleTest { mut record, fires } =
        serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    // Best as it was delivered, without changes.
    let is_plain = |patch: &&Value| patch.as_object().is_some_and(serde_json::Map::is_empty);
    if let Some(patch) = fires.values().find(is_plain).or_else(|| fires.values().next()) {
        merge(&mut record, patch);
    }
    Ok(record.to_string())
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
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}
