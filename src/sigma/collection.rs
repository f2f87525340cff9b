//! Rules from one file, and what became of each of its documents.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::yaml::{Code, Diagnostic, Kind, Node, SourceFile, Text, suggest};

use super::correlation::CorrelationRule;
use super::filter::Filter;
use super::metadata::Metadata;
use super::rule::{LogSource, Rule};
use super::shape::Shape;

/// What a set of files holds. Every document ends in exactly one of these.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Collection {
    /// Rules for CloudTrail, in file order.
    pub rules: Vec<Rule>,
    /// Rules for what trailhound has to say of its own work.
    pub own: Vec<Rule>,
    /// Rules over the matches of rules.
    pub correlations: Vec<CorrelationRule>,
    /// Exceptions for many rules at once.
    pub filters: Vec<Filter>,
    /// The same for rules in `own`.
    pub own_filters: Vec<Filter>,
    /// Documents that don't load, and why.
    #[serde(skip)]
    pub rejected: Vec<Diagnostic>,
    /// What documents that are not loaded say about themselves, and why they aren't: for who refers to them.
    #[serde(skip)]
    pub aside: Vec<(Metadata, &'static str)>,
    /// Log sources that are nearly CloudTrail's.
    #[serde(skip)]
    pub doubtful: Vec<Diagnostic>,
    /// Rules and filters for other log sources.
    pub other_log_sources: usize,
    /// Rules that their authors have retired: status `deprecated` or `unsupported`.
    #[serde(skip)]
    pub retired: Vec<Diagnostic>,
}

impl Collection {
    /// Adds the documents of another file.
    pub fn extend(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.own.extend(other.own);
        self.correlations.extend(other.correlations);
        self.filters.extend(other.filters);
        self.own_filters.extend(other.own_filters);
        self.rejected.extend(other.rejected);
        self.other_log_sources += other.other_log_sources;
        self.retired.extend(other.retired);
        self.aside.extend(other.aside);
        self.doubtful.extend(other.doubtful);
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
    let mut documents = 0;
    for document in file.documents() {
        match document {
            Ok(Node { kind: Kind::Null, .. }) => continue, // a `---` too many
            Ok(document) => {
                collection.take(Shape::new(file), &document).unwrap_or_else(|error| collection.rejected.push(error));
            }
            Err(error) => collection.rejected.push(error),
        }
        documents += 1;
    }
    if documents == 0 {
        let span = 0..file.text.len().min(1);
        collection.rejected.push(Diagnostic::new(Code::Missing, file, span, "the file holds no rule"));
    }
    collection
}

impl Collection {
    fn take(&mut self, shape: Shape<'_>, document: &Node) -> Result<(), Diagnostic> {
        shape.map(document, "a rule")?;
        if let Some((key, _)) = document.members().iter().find(|(key, _)| key.text == "action") {
            return Err(shape
                .error(Code::Unsupported, &key.span, "rule collections belong to Sigma 1")
                .advise("write each rule out as a document of its own"));
        }
        if document.get("filter").is_some() {
            let filter = Filter::parse(shape, document)?;
            if filter.metadata.status.is_retired() {
                self.retired.push(retired(shape, document, "filter"));
            } else if filter.logsource.is_own() {
                self.own_filters.push(filter);
            } else if filter.logsource.may_be_cloudtrail() {
                self.filters.push(filter);
            } else {
                self.other_log_sources += 1;
            }
            return Ok(());
        }
        if document.get("correlation").is_some() {
            let correlation = CorrelationRule::parse(shape, document)?;
            if correlation.metadata.status.is_retired() {
                self.retired.push(retired(shape, document, "rule"));
                self.aside.push((correlation.metadata, RETIRED));
            } else {
                self.correlations.push(correlation);
            }
            return Ok(());
        }
        let rule = Rule::parse(shape, document)?;
        let ours = rule.logsource.is_cloudtrail() || rule.logsource.is_own();
        if !ours {
            self.other_log_sources += 1;
            self.doubtful.extend(nearly_cloudtrail(shape, document, &rule.logsource));
            self.aside.push((rule.metadata, "for another log source"));
        } else if rule.metadata.status.is_retired() {
            self.retired.push(retired(shape, document, "rule"));
            self.aside.push((rule.metadata, RETIRED));
        } else if rule.logsource.is_own() {
            self.own.push(rule);
        } else {
            self.rules.push(rule);
        }
        Ok(())
    }
}

const RETIRED: &str = "deprecated or unsupported";

/// A rule for AWS whose log source is one slip away from CloudTrail's would vanish among those for other log sources.
fn nearly_cloudtrail(shape: Shape<'_>, document: &Node, logsource: &LogSource) -> Option<Diagnostic> {
    let near = |word: &Option<Text>, known: &'static str| {
        word.as_ref().is_some_and(|word| suggest(&word.replace(['-', '_', ' '], ""), [known]).is_some())
    };
    let aws = near(&logsource.product, "aws") || near(&logsource.product, "amazon");
    let cloudtrail = near(&logsource.service, "cloudtrail") || near(&logsource.category, "cloudtrail");
    (cloudtrail && (aws || logsource.product.is_none())).then(|| {
        let span = document.get("logsource").map_or(&document.span, |node| &node.span);
        Diagnostic::warning(Code::UnlikelyLogSource, shape.file, span.clone(), "this log source is nearly CloudTrail's")
            .advise("`{product: aws, service: cloudtrail}`; as it is, the rule is not loaded")
    })
}

fn retired(shape: Shape<'_>, document: &Node, what: &str) -> Diagnostic {
    let status = document.get("status").unwrap_or(document);
    let message = format!("the {what} is {}, so it is not loaded", status.text().unwrap_or("retired"));
    Diagnostic::warning(Code::Retired, shape.file, status.span.clone(), message)
        .advise("write `status: test` to load it all the same")
}
