//! What trailhound adds to a Sigma rule, under the one key `trailhound`.

use jiff::SignedDuration;

use serde::{Deserialize, Serialize};

use crate::yaml::{Code, Diagnostic, Kind, Node, Span, Text};

use super::correlation::RuleRef;
use super::detection::{FieldName, SearchIdentifier};
use super::first_seen::FirstSeen;
use super::shape::Shape;

/// The `trailhound` section of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Extension {
    /// Makes the rule one about new values.
    pub first_seen: Option<FirstSeen>,
    /// How its alerts are told.
    pub alert: AlertOptions,
    /// Whether they are told.
    pub mode: Mode,
    /// Events that the rule shall not match: any of them.
    pub exceptions: Vec<SearchIdentifier>,
    /// Names of filters that are joined to it.
    pub filters: Vec<RuleRef>,
    /// The shipped packs that it belongs to.
    pub packs: Vec<Text>,
}

/// Whether people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Mode {
    /// They are.
    #[default]
    Live,
    /// Findings are counted and held back.
    DryRun,
}

/// `alert`: how a finding becomes an alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct AlertOptions {
    /// In place of the rule's title, with fields in braces.
    pub title: Option<Template>,
    /// Findings that agree in these fields are one alert; `None` for the default.
    pub dedup: Option<Vec<FieldName>>,
    /// For how long, in event time; `None` for the default of an hour.
    pub window: Option<SignedDuration>,
    /// What the receiver does first.
    pub runbook: Vec<Text>,
    /// Commands to paste, with fields in braces.
    pub commands: Vec<Template>,
    /// Reading for the receiver, besides the rule's own.
    pub references: Vec<Text>,
}

/// A text with fields in it: `Trail {requestParameters.name} stopped`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Template(pub Vec<TemplatePart>);

/// A part of such a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub enum TemplatePart {
    /// As it is.
    Text(Text),
    /// The value of a field.
    Field(FieldName),
}

impl Mode {
    /// Both modes with their words.
    pub const WORDS: &[(&str, Self)] = &[("live", Self::Live), ("dry-run", Self::DryRun)];
}

impl Extension {
    /// Reads the section of a detection rule.
    pub(super) fn parse(shape: Shape<'_>, rule: &Node) -> Result<Self, Diagnostic> {
        Self::of(shape, rule, &["first_seen", "alert", "mode", "exceptions", "filters", "packs"])
    }

    /// Reads the section of a correlation, which looks at no event itself.
    pub(super) fn parse_for_correlation(shape: Shape<'_>, rule: &Node) -> Result<Self, Diagnostic> {
        Self::of(shape, rule, &["alert", "mode", "packs"])
    }

    fn of(shape: Shape<'_>, rule: &Node, members: &[&str]) -> Result<Self, Diagnostic> {
        let Some(node) = rule.get("trailhound") else { return Ok(Self::default()) };
        shape.map(node, "trailhound")?;
        shape.only(node, members)?;
        Ok(Self {
            first_seen: node.get("first_seen").map(|node| FirstSeen::parse(shape, node)).transpose()?,
            alert: node.get("alert").map(|node| alert(shape, node)).transpose()?.unwrap_or_default(),
            mode: mode(shape, node)?.unwrap_or_default(),
            exceptions: exceptions(shape, node)?,
            filters: filters(shape, node)?,
            packs: shape.texts(node, "packs")?,
        })
    }
}

/// The member `mode` of a map.
pub(crate) fn mode(shape: Shape<'_>, map: &Node) -> Result<Option<Mode>, Diagnostic> {
    map.get("mode").map(|node| shape.word(node, "mode", Mode::WORDS)).transpose()
}

/// The member `exceptions` of a map.
pub(crate) fn exceptions(shape: Shape<'_>, map: &Node) -> Result<Vec<SearchIdentifier>, Diagnostic> {
    match map.get("exceptions") {
        None => Ok(Vec::new()),
        Some(Node { kind: Kind::List(maps), .. }) => {
            maps.iter().map(|map| SearchIdentifier::parse(shape, map, "an exception")).collect()
        }
        Some(other) => Err(shape.wrong(other, "exceptions", "a list of maps, as in a detection")),
    }
}

fn filters(shape: Shape<'_>, map: &Node) -> Result<Vec<RuleRef>, Diagnostic> {
    let Some(node) = map.get("filters") else { return Ok(Vec::new()) };
    Ok(shape.spanned_texts(node, "filters")?.into_iter().map(|(text, span)| RuleRef { text, span }).collect())
}

fn alert(shape: Shape<'_>, node: &Node) -> Result<AlertOptions, Diagnostic> {
    shape.map(node, "alert")?;
    shape.only(node, &["title", "dedup", "window", "runbook", "commands", "references"])?;
    Ok(AlertOptions {
        title: node.get("title").map(|node| title(shape, node)).transpose()?,
        dedup: node.get("dedup").map(|node| fields(shape, node, "dedup")).transpose()?,
        window: node.get("window").map(|node| shape.duration(node, "window")).transpose()?,
        runbook: shape.texts(node, "runbook")?,
        commands: commands(shape, node)?,
        references: shape.texts(node, "references")?,
    })
}

fn title(shape: Shape<'_>, node: &Node) -> Result<Template, Diagnostic> {
    template(shape, shape.text(node, "title")?, &node.span)
}

fn commands(shape: Shape<'_>, alert: &Node) -> Result<Vec<Template>, Diagnostic> {
    let Some(node) = alert.get("commands") else { return Ok(Vec::new()) };
    let texts = shape.spanned_texts(node, "commands")?;
    texts.iter().map(|(text, span)| template(shape, text, span)).collect()
}

/// `{field}` is a field's value, `{{` and `}}` are braces.
fn template(shape: Shape<'_>, text: &str, place: &Span) -> Result<Template, Diagnostic> {
    let error = |part: std::ops::Range<usize>, what: &str| {
        let span: Span = shape.file.part(place, text, part);
        Err(shape.error(Code::WrongType, &span, what).advise("`{field}` for a field's value, `{{` for a brace"))
    };
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find(['{', '}']) {
        let brace = at + offset;
        literal.push_str(&text[at..brace]);
        let rest = &text[brace..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            literal.push_str(&rest[..1]);
            at = brace + 2;
            continue;
        }
        let end = rest.find('}').filter(|_| rest.starts_with('{'));
        let Some(end) = end else { return error(brace..brace + 1, "this brace has no partner") };
        let name = &rest[1..end];
        let inside = brace + 1..brace + end;
        if name.is_empty() || name.contains(['{', ' ']) {
            return error(inside, "a field's name belongs between the braces");
        }
        parts.extend((!literal.is_empty()).then(|| TemplatePart::Text(std::mem::take(&mut literal).into())));
        let span = shape.file.part(place, text, inside);
        parts.push(TemplatePart::Field(FieldName { text: name.into(), span }));
        at = brace + end + 1;
    }
    literal.push_str(&text[at..]);
    parts.extend((!literal.is_empty()).then(|| TemplatePart::Text(literal.into())));
    Ok(Template(parts))
}

pub(super) fn fields(shape: Shape<'_>, node: &Node, what: &str) -> Result<Vec<FieldName>, Diagnostic> {
    let fields: Vec<FieldName> =
        shape.spanned_texts(node, what)?.into_iter().map(|(text, span)| FieldName { text, span }).collect();
    if fields.is_empty() {
        return Err(shape.error(Code::Missing, &node.span, format!("`{what}` names no field")));
    }
    Ok(fields)
}
