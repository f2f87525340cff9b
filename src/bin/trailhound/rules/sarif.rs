//! Diagnostics as SARIF 2.1.0, for code scanning.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};
use trailhound::yaml::{Code, Diagnostic, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What a path may not have in a URI.
const NOT_IN_PATHS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// A whole SARIF document, also of nothing: an upload without results is how code scanning learns that all is mended.
pub(super) fn document(diagnostics: &[Diagnostic]) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "trailhound",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": Code::ALL.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": diagnostics.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: Code) -> Value {
    let mut rule = json!({
        "id": code.as_str(),
        "shortDescription": {"text": code.meaning()},
        "help": {"text": format!("See {}", page(code))},
        "defaultConfiguration": {"level": code.severity().as_str()},
    });
    // An address has to be a whole one.
    if !env!("CARGO_PKG_REPOSITORY").is_empty() {
        rule["helpUri"] = format!("{}/blob/main/{}", env!("CARGO_PKG_REPOSITORY"), page(code)).into();
    }
    rule
}

/// The page about a code.
fn page(code: Code) -> String {
    match code.severity() {
        Severity::Error => "docs/rules.md#when-a-rule-does-not-load".to_owned(),
        Severity::Warning => format!("docs/lints.md#{}", code.as_str()),
    }
}

fn result(diagnostic: &Diagnostic) -> Value {
    let code = diagnostic.code();
    let advice = diagnostic.advice().map(|advice| format!(": {advice}")).unwrap_or_default();
    json!({
        "ruleId": code.as_str(),
        // OK to fall back on the first: every code is in the list.
        "ruleIndex": Code::ALL.iter().position(|known| *known == code).unwrap_or_default(),
        "level": diagnostic.severity().as_str(),
        "message": {"text": format!("{}{advice}", diagnostic.message())},
        "locations": [{"physicalLocation": location(diagnostic)}],
    })
}

/// What can't be read has no lines to point to.
fn location(diagnostic: &Diagnostic) -> Value {
    let file = diagnostic.file();
    let mut location = json!({"artifactLocation": {"uri": uri(&file.name)}});
    if !file.text.is_empty() {
        let ((line, column), (end_line, end_column)) = (diagnostic.start(), diagnostic.end());
        location["region"] =
            json!({"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column});
    }
    location
}

fn uri(path: &str) -> String {
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    let path = path.strip_prefix("./").unwrap_or(path);
    format!("{scheme}{}", utf8_percent_encode(path, NOT_IN_PATHS))
}
