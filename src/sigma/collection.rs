//! Rules from one file, and what became of each of its documents.

use std::sync::Arc;

use crate::yaml::{Code, Diagnostic, Kind, Node, SourceFile};

use super::rule::{Rule, Status};
use super::shape::Shape;

/// What a set of files holds. Every document ends in exactly one of the four.
#[derive(Debug, Default)]
pub struct Collection {
    /// Rules for CloudTrail, in file order.
    pub rules: Vec<Rule>,
    /// Documents that don't load, and why.
    pub rejected: Vec<Diagnostic>,
    /// Rules for other log sources.
    pub other_log_sources: usize,
    /// Rules that their authors have retired: status `deprecated` or `unsupported`.
    pub retired: usize,
}

impl Collection {
    /// Adds the documents of another file.
    pub fn extend(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.rejected.extend(other.rejected);
        self.other_log_sources += other.other_log_sources;
        self.retired += other.retired;
    }
}

/// Reads every document of a file. A broken one does not keep the others out.
///
/// ```
/// use trailhound::{sigma, yaml::SourceFile};
///
/// let file = SourceFile::new("stop.yml", "
/// title: Trail stopped
/// logsource: {product: aws, service: cloudtrail}
/// detection: {stop: {eventName|startwith: StopLogging}, condition: stop}
/// ");
/// let error = &sigma::parse(&file).rejected[0];
/// assert!(error.to_string().contains("did you mean `startswith`?"));
/// ```
#[must_use]
pub fn parse(file: &Arc<SourceFile>) -> Collection {
    let mut collection = Collection::default();
    for document in file.documents() {
        match document.and_then(|document| rule(file, &document)) {
            Ok(None) => {}
            Ok(Some(rule)) if !rule.logsource.is_cloudtrail() => collection.other_log_sources += 1,
            Ok(Some(rule)) if matches!(rule.status, Status::Deprecated | Status::Unsupported) => {
                collection.retired += 1;
            }
            Ok(Some(rule)) => collection.rules.push(rule),
            Err(error) => collection.rejected.push(error),
        }
    }
    if collection.is_empty() {
        let span = 0..file.text.len().min(1);
        collection.rejected.push(Diagnostic::new(Code::Missing, file, span, "the file holds no rule"));
    }
    collection
}

impl Collection {
    fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.rejected.is_empty() && self.other_log_sources == 0 && self.retired == 0
    }
}

/// `None` for a document that holds nothing.
fn rule(file: &Arc<SourceFile>, document: &Node) -> Result<Option<Rule>, Diagnostic> {
    let shape = Shape::new(file);
    if document.kind == Kind::Null {
        return Ok(None); // a `---` too many
    }
    shape.map(document, "a rule")?;
    for (key, what) in
        [("correlation", "correlations"), ("filter", "filters"), ("action", "rule collections of Sigma 1")]
    {
        if let Some((key, _)) = document.members().iter().find(|(name, _)| name.text == key) {
            return Err(shape
                .error(Code::Unsupported, &key.span, format!("{what} are not supported yet"))
                .advise("leave this document out"));
        }
    }
    Rule::parse(shape, document).map(Some)
}
