//! A Sigma rule as its author wrote it.

use std::sync::Arc;

use crate::yaml::{Code, Diagnostic, Node, SourceFile, Span, suggest};

use super::detection::Detection;
use super::extension::Extension;
use super::shape::Shape;

/// A rule whose form is right. Whether its fields, expressions and networks make sense is found when it is compiled.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The file it stands in.
    pub file: Arc<SourceFile>,
    /// Where the rule stands in it.
    pub span: Span,
    /// What a match means; becomes the alert's title.
    pub title: String,
    /// The UUID that it declares. Findings of a rule without one are named after its title.
    pub id: String,
    /// How far it is proven.
    pub status: Status,
    /// How bad a match is; `medium` when the rule doesn't say.
    pub level: Level,
    /// Why a match matters.
    pub description: String,
    /// Further reading.
    pub references: Vec<String>,
    /// `attack.t1098` and the like.
    pub tags: Vec<String>,
    /// Benign events that look alike.
    pub falsepositives: Vec<String>,
    /// Which logs it reads.
    pub logsource: LogSource,
    /// What it looks for.
    pub detection: Detection,
    /// What trailhound adds.
    pub extension: Extension,
}

/// How bad a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words of the specification")]
pub enum Level {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

const MEMBERS: &[&str] = &[
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "logsource",
    "detection",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "trailhound",
];

/// How far a rule is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the specification")]
pub enum Status {
    Stable,
    Test,
    Experimental,
    Deprecated,
    Unsupported,
}

/// Which logs a rule reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the specification")]
pub struct LogSource {
    pub category: Option<String>,
    pub product: Option<String>,
    pub service: Option<String>,
}

impl Level {
    /// Every level with its word, mildest first.
    pub const WORDS: &[(&str, Self)] = &[
        ("informational", Self::Informational),
        ("low", Self::Low),
        ("medium", Self::Medium),
        ("high", Self::High),
        ("critical", Self::Critical),
    ];

    /// The specification's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize].0
    }
}

impl Status {
    const WORDS: &[(&str, Self)] = &[
        ("stable", Self::Stable),
        ("test", Self::Test),
        ("experimental", Self::Experimental),
        ("deprecated", Self::Deprecated),
        ("unsupported", Self::Unsupported),
    ];
}

impl LogSource {
    /// Whether CloudTrail records are what it asks for: what it names has to fit, what it leaves open fits.
    #[must_use]
    pub fn is_cloudtrail(&self) -> bool {
        let fits =
            |asked: &Option<String>, ours: &str| asked.as_ref().is_none_or(|asked| asked.eq_ignore_ascii_case(ours));
        self.category.is_none()
            && self.product.is_some()
            && fits(&self.product, "aws")
            && fits(&self.service, "cloudtrail")
    }
}

impl Rule {
    /// Reads a rule. Of a rule for another log source the detection is not read: its modifiers are not ours to judge.
    pub(super) fn parse(shape: Shape<'_>, node: &Node) -> Result<Self, Diagnostic> {
        known_members(shape, node)?;
        let title =
            shape.text(shape.required(node, "title", "one line that says what happened")?, "title")?.trim().to_owned();
        let logsource = logsource(shape, shape.required(node, "logsource", "`{product: aws, service: cloudtrail}`")?)?;
        let detection = shape.required(node, "detection", "search identifiers and a `condition`")?;
        let (detection, extension) = if logsource.is_cloudtrail() {
            (Detection::parse(shape, detection)?, Extension::parse(shape, node)?)
        } else {
            (Detection::default(), Extension::default())
        };
        let word = |name: &str| node.get(name).filter(|node| node.text().is_some());
        Ok(Self {
            file: Arc::clone(shape.file),
            span: node.span.clone(),
            id: shape.optional_text(node, "id")?.unwrap_or_else(|| named_after(&title)),
            status: word("status").map_or(Ok(Status::Test), |node| shape.word(node, "status", Status::WORDS))?,
            level: word("level").map_or(Ok(Level::Medium), |node| shape.word(node, "level", Level::WORDS))?,
            description: shape.optional_text(node, "description")?.unwrap_or_default(),
            references: shape.texts(node, "references")?,
            tags: shape.texts(node, "tags")?,
            falsepositives: shape.texts(node, "falsepositives")?,
            title,
            logsource,
            detection,
            extension,
        })
    }
}

/// Any member is allowed, but one that is nearly a known one was meant to be it; and another taxonomy names other fields.
fn known_members(shape: Shape<'_>, node: &Node) -> Result<(), Diagnostic> {
    for (key, value) in node.members() {
        if key.text == "taxonomy" && value.text().is_some_and(|taxonomy| taxonomy != "sigma") {
            return Err(shape.error(Code::Unsupported, &value.span, "only the taxonomy `sigma` is supported"));
        }
        if let (false, Some(advice)) =
            (MEMBERS.contains(&key.text.as_str()), suggest(&key.text, MEMBERS.iter().copied()))
        {
            return Err(shape
                .error(Code::UnknownKey, &key.span, format!("`{}` is not known here", key.text))
                .advise(advice));
        }
    }
    Ok(())
}

fn logsource(shape: Shape<'_>, node: &Node) -> Result<LogSource, Diagnostic> {
    shape.map(node, "logsource")?;
    Ok(LogSource {
        category: shape.optional_text(node, "category")?,
        product: shape.optional_text(node, "product")?,
        service: shape.optional_text(node, "service")?,
    })
}

fn named_after(title: &str) -> String {
    let words: Vec<String> =
        title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    words.join("-")
}
