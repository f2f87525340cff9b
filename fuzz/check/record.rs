//! Holds what a record says by path against what `serde_json` says.

use std::ops::ControlFlow;

use trailhound::trail::{FieldPath, FieldValue, Record};

use super::tree::Tree;

/// Members of one record that are compared.
const PATHS: usize = 200;
/// Those that a record has whether or not they are in it, and some that nobody would ask for.
const ALWAYS: [&str; 10] = [
    "eventName",
    "userIdentity",
    "userIdentity.type",
    "userIdentity.sessionContext.sessionIssuer.arn",
    "requestParameters",
    "requestParameters.0",
    "resources.ARN",
    "eventName.",
    ".",
    "absent.member",
];

/// Asks the record for everything, and compares the answers where `serde_json` takes the record. Returns how many members were
/// compared.
pub(super) fn agrees(record: &Record<'_>, paths: &[FieldPath]) -> usize {
    ask(record);
    let Some(tree) = Tree::new(record.raw()) else {
        paths.iter().for_each(|path| drop(values(record, path)));
        return 0;
    };
    let names = tree.paths(PATHS);
    let known = names.iter().map(String::as_str).chain(ALWAYS).map(FieldPath::new);
    let mut compared = 0;
    for path in known.chain(paths.iter().cloned()) {
        let (found, expected) = (values(record, &path), tree.at(path.as_str()));
        if tree.is_deep() {
            return compared;
        }
        assert_eq!(found, expected, "`{}` in {}", path.as_str(), record.raw());
        let text = record.text(path.as_str());
        assert_eq!(text.as_deref(), tree.root.text(path.as_str()), "`{}` in {}", path.as_str(), record.raw());
        compared += 1;
    }
    let (mut seen, mut expected) = (Vec::new(), Vec::new());
    let _ = record.visit_all(&mut collect(&mut seen));
    tree.root.all(&mut expected);
    assert_eq!(seen, expected, "{}", record.raw());
    assert_eq!(record.broken(), None, "{}", record.raw());
    compared
}

/// Whether the path leads anywhere, and the values there.
fn values(record: &Record<'_>, path: &FieldPath) -> (bool, Vec<String>) {
    let mut texts = Vec::new();
    let _ = record.visit(path, &mut collect(&mut texts));
    (record.has(path), texts)
}

fn collect(texts: &mut Vec<String>) -> impl FnMut(FieldValue<'_>) -> ControlFlow<()> {
    |value| {
        texts.push(value.text(&mut String::new()).unwrap_or("null").to_owned());
        ControlFlow::Continue(())
    }
}

/// Whatever the bytes, no question panics.
fn ask(record: &Record<'_>) {
    let identity = record.identity();
    drop((identity.principal(), identity.principal_type(), identity.account(), identity.session_name()));
    drop((record.account(), record.time(), record.event_identity(), record.resources(), record.resource_account()));
    drop((record.outcome(), record.mfa(), record.source_kind(), record.is_service_call(), record.grants()));
    let _ = record.visit_all(&mut collect(&mut Vec::new()));
}
