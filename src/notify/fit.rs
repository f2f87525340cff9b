//! Keeps a notification within what SNS takes, and says what was left out.

use super::Notification;

/// Message and attributes of one SNS publish, in bytes.
/// <https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html>
pub const MAX_MESSAGE_BYTES: usize = 262_144;

/// How much of the events goes into the machine-readable form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Every event of the alert, with its record.
    Full,
    /// Every event, without records.
    WithoutRecords,
    /// The first event, without its record.
    FirstOnly,
}

impl Detail {
    /// What was left out, for the receiver.
    pub(super) fn note(self) -> Option<&'static str> {
        match self {
            Self::Full => None,
            Self::WithoutRecords => Some("the records were left out: with them the message is too large for SNS"),
            Self::FirstOnly => Some("all but the first event was left out: with them the message is too large for SNS"),
        }
    }
}

/// Renders with as much detail as fits.
pub(super) fn fit(render: impl Fn(Detail) -> Notification) -> Notification {
    let fits = |notification: &Notification| size(notification) <= MAX_MESSAGE_BYTES;
    [Detail::Full, Detail::WithoutRecords]
        .into_iter()
        .map(&render)
        .find(fits)
        .unwrap_or_else(|| render(Detail::FirstOnly))
}

fn size(notification: &Notification) -> usize {
    const STRING_TYPE: usize = "String".len();
    let attributes: usize =
        notification.attributes.iter().map(|(name, value)| name.len() + value.len() + STRING_TYPE).sum();
    notification.sns_message().len() + attributes
}
