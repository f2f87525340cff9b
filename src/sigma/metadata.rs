//! What every document says about itself: title, id, level and the like.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::yaml::{Code, Diagnostic, Node, SourceFile, Span, Text, suggest};

use super::shape::Shape;

/// What a rule, a correlation or a filter says about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Metadata {
    /// The file it stands in.
    #[serde(skip)]
    pub file: Arc<SourceFile>,
    /// Where it stands in it.
    pub span: Span,
    /// What a match means; becomes the alert's title.
    pub title: Text,
    /// The UUID that it declares. What has none is named after its title.
    pub id: Text,
    /// What correlations and filters may call it besides its id.
    pub name: Option<Text>,
    /// How far it is proven.
    pub status: Status,
    /// How bad a match is; `medium` when it doesn't say.
    pub level: Level,
    /// Why a match matters.
    pub description: Text,
    /// Further reading.
    pub references: Vec<Text>,
    /// `attack.t1098` and the like.
    pub tags: Vec<Text>,
    /// Benign events that look alike.
    pub falsepositives: Vec<Text>,
    /// When it was last changed: `modified`, or else `date`, as it stands there.
    pub changed: Option<Text>,
}

/// How bad a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of the specification")]
pub enum Level {
    #[default]
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

/// How far a rule is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of the specification")]
pub enum Status {
    Stable,
    Test,
    Experimental,
    Deprecated,
    Unsupported,
}

/// Members that any document may have. The specification allows others, so only what is nearly one of these is a mistake.
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
    "correlation",
    "generate",
    "filter",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "trailhound",
];

impl Level {
    /// Every level with its word, mildest first.
    pub const WORDS: &[(&str, Self)] = &[
        ("informational", Self::Informational),
        ("low", Self::Low),
        ("medium", Self::Medium),
        ("high", Self::High),
        ("critical", Self::Critical),
    ];

    /// What people are told of unless they ask for more: the milder levels are context.
    pub const TOLD: Self = Self::Medium;

    /// A level by the specification's word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, level)| *level)
    }

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

    /// Whether its author has given it up.
    #[must_use]
    pub fn is_retired(self) -> bool {
        matches!(self, Self::Deprecated | Self::Unsupported)
    }
}

impl Metadata {
    pub(super) fn parse(shape: Shape<'_>, node: &Node) -> Result<Self, Diagnostic> {
        known_members(shape, node)?;
        let title = shape.required(node, "title", "one line that says what happened")?;
        let title = Text::from(shape.text(title, "title")?.trim());
        let word = |name: &str| node.get(name).filter(|node| node.text().is_some());
        Ok(Self {
            file: Arc::clone(shape.file),
            span: node.span.clone(),
            id: shape.optional_text(node, "id")?.unwrap_or_else(|| named_after(&title).into()),
            name: shape.optional_text(node, "name")?,
            status: word("status").map_or(Ok(Status::Test), |node| shape.word(node, "status", Status::WORDS))?,
            level: word("level").map_or(Ok(Level::Medium), |node| shape.word(node, "level", Level::WORDS))?,
            description: shape.optional_text(node, "description")?.unwrap_or_default(),
            references: shape.texts(node, "references")?,
            tags: shape.texts(node, "tags")?,
            falsepositives: shape.texts(node, "falsepositives")?,
            changed: ["modified", "date"].iter().find_map(|name| word(name)?.text()).map(Text::from),
            title,
        })
    }

    /// Whether a correlation or a filter means this document by `reference`.
    #[must_use]
    pub fn is_called(&self, reference: &str) -> bool {
        self.id.eq_ignore_ascii_case(reference) || self.name.as_deref() == Some(reference)
    }
}

/// Any member is allowed, but one that is nearly a known one was meant to be it; and another taxonomy names other fields.
fn known_members(shape: Shape<'_>, node: &Node) -> Result<(), Diagnostic> {
    for (key, value) in node.members() {
        if key.text == "taxonomy" && value.text().is_some_and(|taxonomy| taxonomy != "sigma") {
            return Err(shape
                .error(Code::Unsupported, &value.span, "only the taxonomy `sigma` is supported")
                .advise("leave `taxonomy` out, and name fields as CloudTrail does"));
        }
        if !MEMBERS.contains(&key.text.as_str())
            && let Some(advice) = suggest(&key.text, MEMBERS.iter().copied())
        {
            return Err(shape
                .error(Code::UnknownKey, &key.span, format!("`{}` is not known here", key.text))
                .advise(advice));
        }
    }
    Ok(())
}

fn named_after(title: &str) -> String {
    let words: Vec<String> =
        title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    words.join("-")
}
