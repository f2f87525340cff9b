//! Channels of the notifier.

use crate::sigma::Shape;
use crate::yaml::{Code, Diagnostic, Key, Node};

use super::secret::reference;
use super::{SecretRef, When, check_address, mask};

/// More alerts than this for one chat channel, in one batch, become one message.
const BURST: usize = 5;
const MAX_BURST: usize = 50;

/// Somewhere that people or machines are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// What logs, metrics and the memory call it.
    pub name: String,
    /// What it is.
    pub kind: ChannelKind,
    /// Which alerts go there.
    pub when: When,
}

/// What a channel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelKind {
    /// An incoming webhook of Slack.
    SlackWebhook {
        /// Its address.
        webhook: SecretRef,
        /// More alerts than this at once become one message.
        burst: usize,
    },
    /// A Slack app that posts into a channel, with threads.
    SlackApp {
        /// The app's bot token.
        token: SecretRef,
        /// The channel's id.
        channel: String,
        /// More alerts than this at once become one message.
        burst: usize,
    },
    /// A workflow of Microsoft Teams.
    Teams {
        /// Its address.
        webhook: SecretRef,
        /// More alerts than this at once become one message.
        burst: usize,
    },
    /// A service of PagerDuty.
    PagerDuty {
        /// Its integration key.
        routing_key: SecretRef,
        /// Where the PagerDuty account is.
        region: PagerDutyRegion,
    },
    /// A receiver of your own.
    Webhook {
        /// Where it listens.
        url: Address,
        /// What requests are signed with.
        secret: Option<SecretRef>,
        /// What it gets.
        form: Form,
    },
    /// AWS Security Hub of the notifier's account and Region.
    SecurityHub,
    /// An event bus of Amazon EventBridge.
    EventBridge {
        /// Its name or ARN.
        bus: String,
    },
}

/// Where a PagerDuty account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagerDutyRegion {
    /// `pagerduty.com`.
    Us,
    /// `eu.pagerduty.com`.
    Eu,
}

/// The address of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// As the file has it.
    Plain(String),
    /// A secret.
    Secret(SecretRef),
}

/// What a webhook gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The OCSF finding.
    Ocsf,
    /// What people are told, without markup.
    Story,
}

const KINDS: &[&str] = &["slack", "teams", "pagerduty", "webhook", "security_hub", "eventbridge"];

/// Reads the section `channels`. No error of it shows what may be a secret.
pub(crate) fn channels(shape: Shape<'_>, node: &Node) -> Result<Vec<Channel>, Diagnostic> {
    let read =
        |channels: &[(Key, Node)]| channels.iter().map(|(name, channel)| channel_of(shape, name, channel)).collect();
    shape.map(node, "channels").and_then(read).map_err(|error| mask::masked(error, node))
}

fn channel_of(shape: Shape<'_>, name: &Key, node: &Node) -> Result<Channel, Diagnostic> {
    let is_name = (1..=64).contains(&name.text.len())
        && name.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if !is_name {
        let error = shape.error(Code::WrongType, &name.span, "this is no channel's name");
        return Err(error.advise("1 to 64 letters, digits, `_` and `-`"));
    }
    shape.map(node, "a channel")?;
    shape.only(node, &[KINDS, &["when", "burst"]].concat())?;
    let mut kinds = node.members().iter().filter(|(key, _)| KINDS.contains(&key.text.as_str()));
    let (Some((kind, settings)), more) = (kinds.next(), kinds.next()) else {
        let error = shape.error(Code::Missing, &name.span, format!("`{}` doesn't say what it is", name.text));
        return Err(error.advise(format!("one of {}", KINDS.join(", "))));
    };
    if let Some((other, _)) = more {
        let error = shape.error(Code::WrongType, &other.span, "a channel is one thing");
        return Err(error.advise("write a channel of its own for it"));
    }
    shape.map(settings, &kind.text)?;
    let burst = burst(shape, node, &kind.text)?;
    let kind = match kind.text.as_str() {
        "slack" => slack(shape, settings, burst)?,
        "teams" => {
            shape.only(settings, &["webhook"])?;
            ChannelKind::Teams { webhook: secret(shape, settings, "webhook", "the workflow's address")?, burst }
        }
        "pagerduty" => pagerduty(shape, settings)?,
        "webhook" => webhook(shape, settings)?,
        "eventbridge" => eventbridge(shape, settings)?,
        _ => {
            shape.only(settings, &[])?;
            ChannelKind::SecurityHub
        }
    };
    Ok(Channel { name: name.text.clone(), kind, when: When::parse(shape, node.get("when"))? })
}

/// People can't read fifty messages; machines want each.
fn burst(shape: Shape<'_>, channel: &Node, kind: &str) -> Result<usize, Diagnostic> {
    let Some(node) = channel.get("burst") else { return Ok(BURST) };
    if !["slack", "teams"].contains(&kind) {
        let error = shape.error(Code::WrongType, &node.span, format!("{kind} gets every alert by itself"));
        return Err(error.advise("leave `burst` out; it is for slack and teams"));
    }
    let text = shape.text(node, "burst")?;
    text.parse().ok().filter(|number| (1..=MAX_BURST).contains(number)).ok_or_else(|| {
        shape
            .error(Code::WrongType, &node.span, format!("`{text}` is no number of alerts"))
            .advise(format!("a whole number from 1 to {MAX_BURST}"))
    })
}

fn secret(shape: Shape<'_>, settings: &Node, name: &str, advice: &str) -> Result<SecretRef, Diagnostic> {
    reference(shape, shape.required(settings, name, advice)?, &format!("`{name}`"))
}

fn slack(shape: Shape<'_>, settings: &Node, burst: usize) -> Result<ChannelKind, Diagnostic> {
    shape.only(settings, &["webhook", "token", "channel"])?;
    if settings.get("webhook").is_some() {
        if let Some((other, _)) = settings.members().iter().find(|(key, _)| key.text != "webhook") {
            let error = shape.error(Code::WrongType, &other.span, "a webhook of Slack knows its channel");
            return Err(error.advise("`webhook` alone, or `token` and `channel`"));
        }
        return Ok(ChannelKind::SlackWebhook { webhook: secret(shape, settings, "webhook", "")?, burst });
    }
    let token = secret(shape, settings, "token", "`webhook`, or `token` and `channel`")?;
    let node = shape.required(settings, "channel", "the channel's id, which begins with C")?;
    let channel = shape.text(node, "channel")?.trim();
    let is_id = channel.starts_with(['C', 'G', 'D'])
        && channel.len() > 2
        && channel.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !is_id {
        let error = shape.error(Code::WrongType, &node.span, "this is no id of a channel of Slack");
        return Err(error.advise("not its name but its id, as in C0EXAMPLE; the channel's details show it"));
    }
    Ok(ChannelKind::SlackApp { token, channel: channel.to_owned(), burst })
}

fn pagerduty(shape: Shape<'_>, settings: &Node) -> Result<ChannelKind, Diagnostic> {
    const REGIONS: &[(&str, PagerDutyRegion)] = &[("us", PagerDutyRegion::Us), ("eu", PagerDutyRegion::Eu)];
    shape.only(settings, &["routing_key", "region"])?;
    let region = settings.get("region").map(|node| shape.word(node, "region of PagerDuty", REGIONS)).transpose()?;
    Ok(ChannelKind::PagerDuty {
        routing_key: secret(shape, settings, "routing_key", "the integration key of Events API v2")?,
        region: region.unwrap_or(PagerDutyRegion::Us),
    })
}

fn webhook(shape: Shape<'_>, settings: &Node) -> Result<ChannelKind, Diagnostic> {
    const FORMS: &[(&str, Form)] = &[("ocsf", Form::Ocsf), ("story", Form::Story)];
    shape.only(settings, &["url", "secret", "form"])?;
    let node =
        shape.required(settings, "url", "where it listens: `https://…`, or `ssm:NAME` if the address is a secret")?;
    let text = shape.text(node, "url")?.trim();
    let url = if mask::is_reference(text) {
        Address::Secret(reference(shape, node, "`url`")?)
    } else {
        check_address(text).map_err(|error| {
            shape.error(Code::WrongType, &node.span, "nothing is sent there").advise(error.to_string())
        })?;
        Address::Plain(text.to_owned())
    };
    Ok(ChannelKind::Webhook {
        url,
        secret: settings.get("secret").map(|node| reference(shape, node, "`secret`")).transpose()?,
        form: settings.get("form").map_or(Ok(Form::Ocsf), |node| shape.word(node, "form", FORMS))?,
    })
}

fn eventbridge(shape: Shape<'_>, settings: &Node) -> Result<ChannelKind, Diagnostic> {
    shape.only(settings, &["bus"])?;
    let node = shape.required(settings, "bus", "the bus's name or ARN; `default` is there in every account")?;
    let bus = shape.text(node, "bus")?.trim();
    let is_bus = (1..=400).contains(&bus.len())
        && bus.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte))
        && (!bus.contains(':') || (bus.starts_with("arn:") && bus.contains(":event-bus/")));
    if !is_bus {
        let error = shape.error(Code::WrongType, &node.span, format!("`{bus}` is no event bus"));
        return Err(error.advise("a name, or an ARN as in `arn:aws:events:eu-west-1:111122223333:event-bus/alerts`"));
    }
    Ok(ChannelKind::EventBridge { bus: bus.to_owned() })
}
