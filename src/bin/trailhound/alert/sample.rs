//! The records that a rule's own test fires on.

use std::path::Path;

use serde_json::Value;
use trailhound::engine::RuleInfo;
use trailhound::ports::BoxError;

use crate::rules::{RuleTest, beside};

/// Records that the rule fires on.
pub(super) fn records(rule: &RuleInfo) -> Result<Vec<String>, BoxError> {
    let file = Path::new(&*rule.file);
    let Some(test) = RuleTest::of(file)? else {
        let test = beside(file);
        let message = format!(
            "there is no {} to take a record from; give one: trailhound alert preview RULE RECORD",
            test.display()
        );
        return Err(message.into());
    };
    let records = test.example().map_err(|error| format!("{}: {error}", beside(file).display()))?;
    Ok(records.iter().map(Value::to_string).collect())
}
