//! What a channel is sent: a story in the receiver's form, as a request.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::notify::{Story, pagerduty, slack, teams};
use crate::outputs::{Address, ChannelKind, Form, PagerDutyRegion, Secret, SecretRef};
use crate::ports::{Receiver, WebRequest};
use crate::sigma::Level;

use super::answers::Speaker;
use super::signature::signature;
use super::told::Told;

/// For one answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";

/// What a request says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'t> {
    /// One message.
    One(&'t Told),
    /// Many, in one.
    Burst(&'t [&'t Story]),
}

/// How it says that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// In the plainest form that the receiver knows.
    pub(super) is_reduced: bool,
    /// In a thread of Slack.
    pub(super) thread: Option<String>,
}

/// The secrets of a channel, in the order of [`secrets_of`].
pub(super) type Keys = Vec<Secret>;

/// Where the secrets of a channel are kept.
pub(super) fn secrets_of(kind: &ChannelKind) -> Vec<&SecretRef> {
    match kind {
        ChannelKind::SlackWebhook { webhook, .. } | ChannelKind::Teams { webhook, .. } => vec![webhook],
        ChannelKind::SlackApp { token, .. } => vec![token],
        ChannelKind::PagerDuty { routing_key, .. } => vec![routing_key],
        ChannelKind::Webhook { url, secret, .. } => {
            let url = match url {
                Address::Plain(_) => None,
                Address::Secret(url) => Some(url),
            };
            url.into_iter().chain(secret).collect()
        }
        ChannelKind::SecurityHub | ChannelKind::EventBridge { .. } => Vec::new(),
    }
}

pub(super) fn speaker(kind: &ChannelKind) -> Speaker {
    match kind {
        ChannelKind::SlackApp { .. } => Speaker::SlackApi,
        ChannelKind::PagerDuty { .. } => Speaker::PagerDuty,
        ChannelKind::SecurityHub | ChannelKind::EventBridge { .. } => Speaker::Aws,
        ChannelKind::SlackWebhook { .. } | ChannelKind::Teams { .. } | ChannelKind::Webhook { .. } => Speaker::Http,
    }
}

/// More alerts than this at once become one message.
pub(super) fn burst_of(kind: &ChannelKind) -> Option<usize> {
    match kind {
        ChannelKind::SlackWebhook { burst, .. }
        | ChannelKind::SlackApp { burst, .. }
        | ChannelKind::Teams { burst, .. } => Some(*burst),
        _ => None,
    }
}

/// Between two requests: what Slack, Teams and PagerDuty take for long.
pub(super) fn pace_of(kind: &ChannelKind) -> Duration {
    match kind {
        ChannelKind::SlackWebhook { .. } | ChannelKind::SlackApp { .. } | ChannelKind::Teams { .. } => {
            Duration::from_secs(1)
        }
        ChannelKind::PagerDuty { .. } => Duration::from_millis(500),
        _ => Duration::ZERO,
    }
}

/// The request for a channel that is told by requests of its own; `None` for those of AWS, which take many alerts in one.
pub(super) fn request(
    kind: &ChannelKind,
    content: Content<'_>,
    style: &Style,
    keys: &Keys,
    now: Timestamp,
) -> Option<WebRequest> {
    // OK because a channel has as many keys as `secrets_of` names, and each of these kinds has one.
    let key = || keys.first().cloned().unwrap_or_else(|| Secret::new(""));
    let request = |address: Secret, headers, body| WebRequest {
        to: Receiver::Address(address),
        headers,
        body,
        timeout: PATIENCE,
    };
    Some(match kind {
        ChannelKind::SlackWebhook { .. } => request(key(), Vec::new(), in_slack(content, style)),
        ChannelKind::Teams { .. } => request(key(), Vec::new(), in_teams(content, style)),
        ChannelKind::SlackApp { channel, .. } => {
            let token = Secret::new(&format!("Bearer {}", key().expose()));
            let body = posted(&in_slack(content, style), channel, content, style);
            request(Secret::new(POST_MESSAGE), vec![("authorization", token)], body)
        }
        ChannelKind::PagerDuty { region, .. } => {
            let Content::One(told) = content else { return None };
            let host = match region {
                PagerDutyRegion::Us => "events.pagerduty.com",
                PagerDutyRegion::Eu => "events.eu.pagerduty.com",
            };
            let address = Secret::new(&format!("https://{host}/v2/enqueue"));
            request(address, Vec::new(), pagerduty::event(&told.story, key().expose()))
        }
        ChannelKind::Webhook { url, secret, form } => {
            let Content::One(told) = content else { return None };
            let address = match url {
                Address::Plain(url) => Secret::new(url),
                Address::Secret(_) => key(),
            };
            let body = document(told, *form);
            let mut headers = vec![("x-trailhound-id", Secret::new(&told.story.id))];
            // The last of the channel's keys.
            if let (Some(_), Some(secret)) = (secret, keys.last()) {
                headers.push(("x-trailhound-signature", Secret::new(&signature(secret, &body, now))));
            }
            request(address, headers, body)
        }
        ChannelKind::SecurityHub | ChannelKind::EventBridge { .. } => return None,
    })
}

fn in_slack(content: Content<'_>, style: &Style) -> String {
    match content {
        Content::Burst(stories) => slack::burst(stories),
        Content::One(told) if style.is_reduced => slack::reduced(&told.story),
        Content::One(told) => slack::message(&told.story),
    }
}

fn in_teams(content: Content<'_>, style: &Style) -> String {
    match content {
        Content::Burst(stories) => teams::burst(stories),
        Content::One(told) if style.is_reduced => teams::reduced(&told.story),
        Content::One(told) => teams::message(&told.story),
    }
}

/// A message of Slack's API: the same, and where it goes.
fn posted(message: &str, channel: &str, content: Content<'_>, style: &Style) -> String {
    // OK because the message was made as a JSON object.
    let mut message: Value = serde_json::from_str(message).unwrap_or_default();
    message["channel"] = channel.into();
    // Text of logs must not unfold into pictures of where it leads.
    message["unfurl_links"] = false.into();
    message["unfurl_media"] = false.into();
    if let Some(thread) = &style.thread {
        message["thread_ts"] = thread.as_str().into();
        let is_critical = matches!(content, Content::One(told) if told.story.level == Level::Critical);
        if is_critical {
            message["reply_broadcast"] = true.into();
        }
    }
    message.to_string()
}

/// What a machine gets: what came, if it is JSON, or the story.
pub(super) fn document(told: &Told, form: Form) -> String {
    match (&told.document, form) {
        (Some(document), Form::Ocsf) => document.clone(),
        // OK because a story holds nothing but texts, numbers and lists of them.
        _ => serde_json::to_string(&told.story).unwrap_or_default(),
    }
}
