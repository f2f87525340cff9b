//! What an invocation of the notifier came to, in numbers that add up.

use std::collections::BTreeMap;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use serde::Serialize;
use serde_json::{Value, json};

use crate::trigger::MessageId;

/// Why a channel was not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Miss {
    /// The receiver doesn't take the message, in its plainest form either.
    Refused,
    /// The receiver takes nothing from us, with the secret asked for anew either.
    Denied,
    /// A secret can't be had.
    NoSecret,
    /// The receiver wants to be left alone for longer than there is time.
    Overrun,
    /// The receiver can't be reached, doesn't answer, or says that it is broken.
    Unavailable,
    /// It was not tried, because the channel failed another message of this invocation.
    NotTried,
    /// The invocation's time was nearly over.
    OutOfTime,
}

impl Miss {
    /// Every cause.
    pub const ALL: &[Self] = &[
        Self::Refused,
        Self::Denied,
        Self::NoSecret,
        Self::Overrun,
        Self::Unavailable,
        Self::NotTried,
        Self::OutOfTime,
    ];

    /// A word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::NoSecret => "no_secret",
            Self::Overrun => "overrun",
            Self::Unavailable => "unavailable",
            Self::NotTried => "not_tried",
            Self::OutOfTime => "out_of_time",
        }
    }

    /// Whether it is about the channel, so that it isn't asked again in this invocation. Else it is about the message.
    #[must_use]
    pub fn ends_channel(self) -> bool {
        self != Self::Refused
    }
}

/// What happened to the messages of an invocation.
///
/// - `messages` = `alerts` + `alarms` + `others`
/// - of each channel: `wanted` = `told` + `known` + all of `failed`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NoticeCounts {
    /// Messages that came.
    pub messages: u64,
    /// Of these, alerts of trailhound.
    pub alerts: u64,
    /// Alarms of `CloudWatch`.
    pub alarms: u64,
    /// Anything else that somebody published to the topic.
    pub others: u64,
    /// Messages that no channel is meant to get.
    pub unrouted: u64,
    /// Messages that come again, because a channel was not told.
    pub messages_failed: u64,
    /// Times the memory could not be asked or told.
    pub state_failures: u64,
    /// By the channel's name.
    pub channels: BTreeMap<String, ChannelCounts>,
}

/// What happened to the messages that a channel is meant to get.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChannelCounts {
    /// How many they are.
    pub wanted: u64,
    /// Those that it was told.
    pub told: u64,
    /// Those that it had been told before.
    pub known: u64,
    /// Those that it was not told, by cause.
    pub failed: BTreeMap<Miss, u64>,
    /// Messages that speak for many.
    pub bursts: u64,
    /// Requests that were made for it, those for secrets left out.
    pub requests: u64,
}

impl ChannelCounts {
    /// Those that it was not told, whatever the cause.
    #[must_use]
    pub fn not_told(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Counts a message that it was not told.
    pub fn fail(&mut self, cause: Miss) {
        *self.failed.entry(cause).or_default() += 1;
    }
}

impl NoticeCounts {
    /// One line for people; what stands behind `=` adds up to what stands before it.
    #[must_use]
    pub fn summary(&self) -> String {
        let channels: Vec<String> = self
            .channels
            .iter()
            .map(|(name, channel)| {
                let failed: Vec<String> =
                    channel.failed.iter().map(|(cause, count)| format!("{count} {}", cause.as_str())).collect();
                let failed = if failed.is_empty() { String::new() } else { format!(" ({})", failed.join(", ")) };
                let ChannelCounts { wanted, told, known, .. } = channel;
                format!("; {name}: {wanted} = {told} told + {known} known + {} failed{failed}", channel.not_told())
            })
            .collect();
        format!(
            "{} messages = {} alerts + {} alarms + {} others; {} for no channel; {} come again{}",
            self.messages,
            self.alerts,
            self.alarms,
            self.others,
            self.unrouted,
            self.messages_failed,
            channels.concat()
        )
    }
}

/// The answer to an invocation of the notifier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoticeOutcome {
    /// What happened.
    pub counts: NoticeCounts,
    /// The messages that come again, each with the first reason: its id, or nothing for a direct invocation.
    pub failures: Vec<(Option<MessageId>, String)>,
    /// Whether it was a batch, whose messages are answered one by one.
    pub is_batch: bool,
}

impl NoticeOutcome {
    /// What Lambda gets: a partial batch response for SQS, the counts for a direct invocation.
    ///
    /// # Errors
    /// Why a direct invocation has to come again; Lambda retries on an error only.
    pub fn response(&self) -> Result<Value, String> {
        if self.is_batch {
            let mut response = SqsBatchResponse::default();
            response.set_failures(self.failures.iter().filter_map(|(id, _)| id.as_ref()).map(|id| id.0.as_str()));
            return Ok(json!(response));
        }
        match self.failures.first() {
            Some((_, why)) => Err(why.clone()),
            None => Ok(json!(self.counts)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_causes_is_complete() {
        let words: std::collections::BTreeSet<&str> = Miss::ALL.iter().map(|cause| cause.as_str()).collect();
        assert_eq!((words.len(), Miss::ALL.len()), (Miss::ALL.len(), Miss::OutOfTime as usize + 1));
    }

    #[test]
    fn the_summary_adds_up() {
        let mut security = ChannelCounts { wanted: 4, told: 1, known: 1, ..ChannelCounts::default() };
        security.fail(Miss::Denied);
        security.fail(Miss::NotTried);
        let counts = NoticeCounts {
            messages: 5,
            alerts: 3,
            alarms: 1,
            others: 1,
            unrouted: 1,
            messages_failed: 2,
            channels: BTreeMap::from([("security".to_owned(), security)]),
            ..NoticeCounts::default()
        };
        assert_eq!(
            counts.summary(),
            "5 messages = 3 alerts + 1 alarms + 1 others; 1 for no channel; 2 come again; \
             security: 4 = 1 told + 1 known + 2 failed (1 denied, 1 not_tried)"
        );
    }

    #[test]
    fn a_direct_invocation_fails_as_a_whole() {
        let mut outcome = NoticeOutcome::default();
        assert_eq!(outcome.response().unwrap()["messages"], 0);
        outcome.failures = vec![(None, "security: denied".to_owned())];
        assert_eq!(outcome.response(), Err("security: denied".to_owned()));
        outcome.failures = vec![(Some(MessageId("m".into())), "security: denied".to_owned())];
        outcome.is_batch = true;
        assert_eq!(outcome.response().unwrap(), json!({"batchItemFailures": [{"itemIdentifier": "m"}]}));
    }
}
