//! What trailhound adds to a Sigma rule, under the one key `trailhound`.

use jiff::SignedDuration;

use crate::yaml::{Code, Diagnostic, Node};

use super::detection::FieldName;
use super::shape::Shape;

/// The `trailhound` section of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extension {
    /// Makes the rule one about new values.
    pub first_seen: Option<FirstSeen>,
    /// How its alerts are told.
    pub alert: AlertOptions,
}

/// `first_seen`: a match counts when its entity shows this value for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstSeen {
    /// Fields that name whose habits are learned.
    pub entity: Vec<FieldName>,
    /// One to three fields whose combination is new or known.
    pub value: Vec<FieldName>,
    /// A value not seen for this long is new again. Default 90 days.
    pub history: SignedDuration,
    /// No alerts about an entity until it has been known this long. Default 7 days.
    pub learning: SignedDuration,
}

/// `alert`: how a finding becomes an alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertOptions {
    /// Findings that agree in these fields are one alert; `None` for the default.
    pub dedup: Option<Vec<FieldName>>,
    /// For how long, in event time; `None` for the default of an hour.
    pub window: Option<SignedDuration>,
    /// What the receiver does first.
    pub next_steps: Vec<String>,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Extension {
    pub(super) fn parse(shape: Shape<'_>, rule: &Node) -> Result<Self, Diagnostic> {
        let Some(node) = rule.get("trailhound") else { return Ok(Self::default()) };
        shape.map(node, "trailhound")?;
        shape.only(node, &["first_seen", "alert"])?;
        Ok(Self {
            first_seen: node.get("first_seen").map(|node| first_seen(shape, node)).transpose()?,
            alert: node.get("alert").map(|node| alert(shape, node)).transpose()?.unwrap_or_default(),
        })
    }
}

fn first_seen(shape: Shape<'_>, node: &Node) -> Result<FirstSeen, Diagnostic> {
    shape.map(node, "first_seen")?;
    shape.only(node, &["entity", "value", "history", "learning"])?;
    let duration = |name: &str, default| node.get(name).map_or(Ok(default), |node| shape.duration(node, name));
    let value_node =
        shape.required(node, "value", "the field whose new values count, as in `value: [sourceIPAddress]`")?;
    let rule = FirstSeen {
        entity: fields(
            shape,
            shape.required(node, "entity", "whose habits are learned, as in `entity: [derived.principal]`")?,
            "entity",
        )?,
        value: fields(shape, value_node, "value")?,
        history: duration("history", DAY * 90)?,
        learning: duration("learning", DAY * 7)?,
    };
    if rule.value.len() > 3 {
        return Err(shape.error(Code::WrongType, &value_node.span, "`value` takes one to three fields"));
    }
    Ok(rule)
}

fn alert(shape: Shape<'_>, node: &Node) -> Result<AlertOptions, Diagnostic> {
    shape.map(node, "alert")?;
    shape.only(node, &["dedup", "window", "next_steps"])?;
    Ok(AlertOptions {
        dedup: node.get("dedup").map(|node| fields(shape, node, "dedup")).transpose()?,
        window: node.get("window").map(|node| shape.duration(node, "window")).transpose()?,
        next_steps: shape.texts(node, "next_steps")?,
    })
}

fn fields(shape: Shape<'_>, node: &Node, what: &str) -> Result<Vec<FieldName>, Diagnostic> {
    let fields: Vec<FieldName> =
        shape.spanned_texts(node, what)?.into_iter().map(|(text, span)| FieldName { text, span }).collect();
    if fields.is_empty() {
        return Err(shape.error(Code::Missing, &node.span, format!("`{what}` names no field")));
    }
    Ok(fields)
}
