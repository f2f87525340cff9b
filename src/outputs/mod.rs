//! Where alerts go, as the organisation file says: further topics, and the channels that the notifier sends to.
//!
//! ```yaml
//! channels:
//!   security:
//!     slack: {webhook: ssm:/trailhound/slack-webhook}
//!   oncall:
//!     pagerduty: {routing_key: 'secretsmanager:trailhound/pagerduty#routing_key', region: eu}
//!     when: {level: [critical, high]}
//! topics:
//!   - arn: arn:aws:sns:eu-west-1:111122223333:critical
//!     when: {level: [critical]}
//!     instead: true
//! ```
//!
//! In: parts of the file. Out: [`Channel`]s and [`Topic`]s. No secret stands in them, only where each is kept.

mod address;
mod channel;
mod mask;
mod secret;
mod topic;
mod when;

pub use address::{AddressError, check_address};
pub use channel::{Address, Channel, ChannelKind, Form, PagerDutyRegion};
pub use secret::{Secret, SecretRef};
pub use topic::{Topic, destinations};
pub use when::{Facets, NamedRule, Place, When};

pub(crate) use channel::channels;
pub(crate) use mask::{masked, masked_words};
pub(crate) use topic::topics;

/// Everything that alerts go to, besides the topic of the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs {
    /// What the notifier sends to, in the order of the file.
    pub channels: Vec<Channel>,
    /// Further topics of the detecting function.
    pub topics: Vec<Topic>,
}

impl Outputs {
    /// The rules that routing asks for.
    pub fn rules(&self) -> impl Iterator<Item = &NamedRule> {
        let channels = self.channels.iter().map(|channel| &channel.when);
        channels.chain(self.topics.iter().map(|topic| &topic.when)).flat_map(When::rules)
    }
}

#[cfg(test)]
mod tests;
