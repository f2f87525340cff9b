//! `first_seen`: what a rule about new values learns, and what it passes over.

use std::ops::RangeInclusive;

use jiff::SignedDuration;

use serde::{Deserialize, Serialize};

use crate::yaml::{Code, Diagnostic, Kind, Node, Span, Text};

use super::detection::FieldName;
use super::extension::fields;
use super::shape::Shape;

/// A match counts when its entity shows this value for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct FirstSeen {
    /// Fields that name whose habits are learned.
    pub entity: Vec<FieldName>,
    /// One to three fields whose combination is new or known.
    pub value: Vec<FieldName>,
    /// A value not seen for this long is new again. Default 90 days.
    pub history: SignedDuration,
    /// No alerts about an entity until it has been known this long. Default 7 days.
    pub learning: SignedDuration,
    /// The networks that stand for the addresses in them.
    pub network: NetworkPrefixes,
    /// What never counts.
    pub ignore: Ignore,
}

/// `network`: a value that is an address is remembered as its network of this prefix length, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkPrefixes {
    /// 8 to 32. Default 32, the address itself.
    pub ipv4: u8,
    /// 16 to 128. Default 64: a host changes its address within its /64 day by day.
    pub ipv6: u8,
}

/// `ignore`: matches that are neither learned nor told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Ignore {
    /// Calls that AWS services make. Default false.
    pub service_calls: bool,
    /// Values that are addresses in one of these.
    pub networks: Vec<NetworkName>,
}

/// A network, `%name%` for a list of them, or `trusted` for the organisation's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct NetworkName {
    /// As it is written.
    pub text: Text,
    /// Where.
    pub span: Span,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
const IPV4_PREFIXES: RangeInclusive<u8> = 8..=32;
const IPV6_PREFIXES: RangeInclusive<u8> = 16..=128;

impl Default for NetworkPrefixes {
    fn default() -> Self {
        Self { ipv4: 32, ipv6: 64 }
    }
}

impl NetworkName {
    /// The word for the organisation's `trusted_networks`.
    pub const TRUSTED: &str = "trusted";
}

impl FirstSeen {
    pub(super) fn parse(shape: Shape<'_>, node: &Node) -> Result<Self, Diagnostic> {
        shape.map(node, "first_seen")?;
        shape.only(node, &["entity", "value", "history", "learning", "network", "ignore"])?;
        let entity = shape.required(node, "entity", "whose habits are learned, as in `entity: [derived.principal]`")?;
        let value =
            shape.required(node, "value", "the field whose new values count, as in `value: [sourceIPAddress]`")?;
        let duration = |name: &str, default| node.get(name).map_or(Ok(default), |node| shape.duration(node, name));
        Ok(Self {
            entity: fields(shape, entity, "entity")?,
            value: value_fields(shape, value)?,
            history: duration("history", DAY * 90)?,
            learning: duration("learning", DAY * 7)?,
            network: node.get("network").map(|node| prefixes(shape, node)).transpose()?.unwrap_or_default(),
            ignore: node.get("ignore").map(|node| ignore(shape, node)).transpose()?.unwrap_or_default(),
        })
    }
}

fn value_fields(shape: Shape<'_>, node: &Node) -> Result<Vec<FieldName>, Diagnostic> {
    let value = fields(shape, node, "value")?;
    if value.len() > 3 {
        return Err(shape.error(Code::WrongType, &node.span, "`value` takes one to three fields"));
    }
    Ok(value)
}

fn prefixes(shape: Shape<'_>, node: &Node) -> Result<NetworkPrefixes, Diagnostic> {
    shape.map(node, "network").map_err(|error| error.advise("as in `network: {ipv4: 24}`"))?;
    shape.only(node, &["ipv4", "ipv6"])?;
    let default = NetworkPrefixes::default();
    let prefix =
        |name: &str, allowed, default| node.get(name).map_or(Ok(default), |node| prefix(shape, node, name, &allowed));
    Ok(NetworkPrefixes {
        ipv4: prefix("ipv4", IPV4_PREFIXES, default.ipv4)?,
        ipv6: prefix("ipv6", IPV6_PREFIXES, default.ipv6)?,
    })
}

fn prefix(shape: Shape<'_>, node: &Node, name: &str, allowed: &RangeInclusive<u8>) -> Result<u8, Diagnostic> {
    let text = shape.text(node, name)?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|length| digits && allowed.contains(length)).ok_or_else(|| {
        let (least, most) = (allowed.start(), allowed.end());
        shape
            .error(Code::WrongType, &node.span, format!("`{text}` is no prefix length for `{name}`"))
            .advise(format!("{least} to {most} bits; with {most} each address stands for itself"))
    })
}

fn ignore(shape: Shape<'_>, node: &Node) -> Result<Ignore, Diagnostic> {
    shape.map(node, "ignore").map_err(|error| error.advise("as in `ignore: {networks: [trusted]}`"))?;
    shape.only(node, &["service_calls", "networks"])?;
    let service_calls = node.get("service_calls").filter(|node| node.kind != Kind::Null);
    let switch = |node| shape.word(node, "value of service_calls", &[("true", true), ("false", false)]);
    let networks = node.get("networks").map(|node| shape.spanned_texts(node, "networks")).transpose()?;
    Ok(Ignore {
        service_calls: service_calls.map(switch).transpose()?.unwrap_or_default(),
        networks: networks.unwrap_or_default().into_iter().map(|(text, span)| NetworkName { text, span }).collect(),
    })
}
