//! A correlation with what it says about itself.

use serde::{Deserialize, Serialize};

use crate::sigma::extension::Extension;
use crate::sigma::metadata::Metadata;
use crate::sigma::shape::Shape;
use crate::yaml::{Diagnostic, Node};

use super::{Correlation, parse};

/// A correlation rule as its author wrote it. Whether its rules exist is found when all are compiled.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct CorrelationRule {
    /// What it says about itself.
    pub metadata: Metadata,
    /// What it asks for.
    pub correlation: Correlation,
    /// What trailhound adds.
    pub extension: Extension,
}

impl CorrelationRule {
    pub(in crate::sigma) fn parse(shape: Shape<'_>, node: &Node) -> Result<Self, Diagnostic> {
        Ok(Self {
            metadata: Metadata::parse(shape, node)?,
            correlation: parse(shape, node)?,
            extension: Extension::parse_for_correlation(shape, node)?,
        })
    }
}
