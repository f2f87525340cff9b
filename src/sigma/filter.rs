//! Sigma filters: exceptions for many rules at once, without touching the rules.
//!
//! A filter's condition is joined to that of each rule with `and`. So what shall not alert stands behind a `not`:
//! `condition: not selection`.

use jiff::civil::Date;

use serde::{Deserialize, Serialize};

use crate::yaml::{Code, Diagnostic, Kind, Node, Span, Text};

use super::correlation::RuleRef;
use super::detection::Detection;
use super::metadata::Metadata;
use super::rule::LogSource;
use super::shape::Shape;

/// A filter as its author wrote it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Filter {
    /// What it says about itself.
    pub metadata: Metadata,
    /// Which logs the rules read that it is for.
    pub logsource: LogSource,
    /// Which rules it is for.
    pub rules: FilteredRules,
    /// What a rule's event has to be besides.
    pub detection: Detection,
    /// What trailhound adds.
    pub upkeep: Upkeep,
}

/// The `trailhound` section of a filter: who answers for it, and for how long it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Upkeep {
    /// Whom to ask.
    pub owner: Option<Text>,
    /// Why it is there.
    pub reason: Option<Text>,
    /// The last day on which it holds, in UTC, and where that is written.
    pub expires: Option<(Date, Span)>,
}

/// Which rules a filter is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub enum FilteredRules {
    /// Every rule of its log source.
    Any,
    /// Those that ask for it by its name.
    Named,
    /// These.
    These(Vec<RuleRef>),
}

impl Filter {
    /// Reads a filter. Of a filter for another log source the detection is not read.
    pub(super) fn parse(shape: Shape<'_>, node: &Node) -> Result<Self, Diagnostic> {
        let metadata = Metadata::parse(shape, node)?;
        let logsource = LogSource::parse(shape, node)?;
        let upkeep = node.get("trailhound").map_or_else(|| Ok(Upkeep::default()), |node| Upkeep::parse(shape, node))?;
        let filter = shape.required(node, "filter", "`rules`, search identifiers and a `condition`")?;
        shape.map(filter, "filter")?;
        let rules = rules(shape, filter)?;
        if rules == FilteredRules::Named && metadata.name.is_none() {
            return Err(shape
                .error(Code::Missing, &node.span, "`name` is missing")
                .advise("rules ask for a filter with `rules: named` by its name"));
        }
        let detection = if logsource.may_be_cloudtrail() || logsource.is_own() {
            Detection::parse(shape, filter, &["rules"])?
        } else {
            Detection::default()
        };
        Ok(Self { metadata, logsource, rules, detection, upkeep })
    }
}

impl Upkeep {
    fn parse(shape: Shape<'_>, node: &Node) -> Result<Self, Diagnostic> {
        shape.map(node, "trailhound")?;
        shape.only(node, &["owner", "expires", "reason"])?;
        let expires = node.get("expires").map(|node| Ok((shape.date(node, "expires")?, node.span.clone())));
        Ok(Self {
            owner: shape.optional_text(node, "owner")?,
            reason: shape.optional_text(node, "reason")?,
            expires: expires.transpose()?,
        })
    }
}

fn rules(shape: Shape<'_>, filter: &Node) -> Result<FilteredRules, Diagnostic> {
    let node = shape.required(filter, "rules", "ids or names of rules, `any`, or `named`")?;
    let nothing =
        || shape.error(Code::Missing, &node.span, "`rules` names no rule").advise("`rules: any` is for every rule");
    match &node.kind {
        Kind::Text(word) if word == "any" => Ok(FilteredRules::Any),
        Kind::Text(word) if word == "named" => Ok(FilteredRules::Named),
        // Other implementations take an empty list for all rules; who empties a list means none.
        Kind::List(items) if items.is_empty() => Err(nothing()),
        Kind::Null => Err(nothing()),
        _ => Ok(FilteredRules::These(
            shape
                .spanned_texts(node, "rules")?
                .into_iter()
                .map(|(text, span)| RuleRef { text: text.trim().into(), span })
                .collect(),
        )),
    }
}
