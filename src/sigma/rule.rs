//! A Sigma rule as its author wrote it.

use serde::{Deserialize, Serialize};

use crate::yaml::{Diagnostic, Node, Text};

use super::detection::Detection;
use super::extension::Extension;
use super::metadata::Metadata;
use super::shape::Shape;

/// A rule whose form is right. Whether its fields, expressions and networks make sense is found when it is compiled.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Rule {
    /// What it says about itself.
    pub metadata: Metadata,
    /// Which logs it reads.
    pub logsource: LogSource,
    /// What it looks for.
    pub detection: Detection,
    /// What trailhound adds.
    pub extension: Extension,
}

/// Which logs a rule reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
#[expect(missing_docs, reason = "the words of the specification")]
pub struct LogSource {
    pub category: Option<Text>,
    pub product: Option<Text>,
    pub service: Option<Text>,
}

impl LogSource {
    pub(super) fn parse(shape: Shape<'_>, document: &Node) -> Result<Self, Diagnostic> {
        let node = shape.required(document, "logsource", "`{product: aws, service: cloudtrail}`")?;
        shape.map(node, "logsource")?;
        Ok(Self {
            category: shape.optional_text(node, "category")?,
            product: shape.optional_text(node, "product")?,
            service: shape.optional_text(node, "service")?,
        })
    }

    /// Whether CloudTrail records are what it asks for: what it names has to fit, what it leaves open fits.
    #[must_use]
    pub fn is_cloudtrail(&self) -> bool {
        self.category.is_none() && self.product.is_some() && self.may_be_cloudtrail()
    }

    /// Whether it asks for what trailhound has to say of its own work.
    #[must_use]
    pub fn is_own(&self) -> bool {
        let own = |product: &str| product.eq_ignore_ascii_case("trailhound");
        self.category.is_none() && self.service.is_none() && self.product.as_deref().is_some_and(own)
    }

    /// Whether it rules CloudTrail out. What names nothing doesn't.
    #[must_use]
    pub fn may_be_cloudtrail(&self) -> bool {
        let fits =
            |asked: &Option<Text>, ours: &str| asked.as_ref().is_none_or(|asked| asked.eq_ignore_ascii_case(ours));
        self.category.is_none() && fits(&self.product, "aws") && fits(&self.service, "cloudtrail")
    }
}

impl Rule {
    /// Reads a rule. Of a rule for another log source the detection is not read: its modifiers are not ours to judge.
    pub(super) fn parse(shape: Shape<'_>, node: &Node) -> Result<Self, Diagnostic> {
        let metadata = Metadata::parse(shape, node)?;
        let logsource = LogSource::parse(shape, node)?;
        let detection = shape.required(node, "detection", "search identifiers and a `condition`")?;
        let (detection, extension) = if logsource.is_cloudtrail() || logsource.is_own() {
            (Detection::parse(shape, detection, &[])?, Extension::parse(shape, node)?)
        } else {
            (Detection::default(), Extension::default())
        };
        Ok(Self { metadata, logsource, detection, extension })
    }
}
