//! Alerts to an Amazon SNS topic.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::config::timeout::TimeoutConfig;
use aws_sdk_sns::config::{Builder, Region};
use aws_sdk_sns::error::{BuildError, SdkError};
use aws_sdk_sns::operation::publish_batch::PublishBatchError;
use aws_sdk_sns::types::{BatchResultErrorEntry, MessageAttributeValue, PublishBatchRequestEntry};
use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use crate::notify::{Attribute, MAX_MESSAGE_BYTES, Notification};
use crate::ports::{PublishError, Publisher, chain};

use super::warm::{WarmError, bounded};

/// For one alert, its retries included, and for what SNS refuses of a batch. A function has a minute.
const PATIENCE: Duration = Duration::from_secs(12);

/// Alerts of one request.
const MAX_ENTRIES: usize = 10;

/// An SNS topic.
#[derive(Debug, Clone)]
pub struct SnsTopic {
    client: Client,
    arn: String,
}

impl SnsTopic {
    /// Makes the client.
    #[must_use]
    pub fn new(config: &SdkConfig, arn: String) -> Self {
        // A topic that doesn't answer must not take the time in which the memory can be asked and told. It is patient: what was
        // published and not answered in time is published again.
        let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).operation_attempt_timeout(PATIENCE / 2);
        let config = Builder::from(config).timeout_config(timeouts.build()).build();
        Self { client: Client::from_conf(config), arn }
    }

    /// The topic's ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Opens a connection to the topic's service, and leaves it for the next request.
    ///
    /// # Errors
    /// When the topic can't be reached or asked. Asking needs `sns:GetTopicAttributes`.
    pub async fn warm(&self) -> Result<(), WarmError> {
        bounded("sns:GetTopicAttributes", self.client.get_topic_attributes().topic_arn(&self.arn).send()).await
    }
}

fn error_of(arn: &str, source: impl std::error::Error + Send + Sync + 'static) -> PublishError {
    PublishError { to: arn.to_owned(), source: Box::new(source) }
}

fn region(arn: &str) -> Option<&str> {
    arn.split(':').nth(3)
}

impl SnsTopic {
    fn topic<'t>(&'t self, notification: &'t Notification) -> &'t str {
        notification.topic.as_deref().unwrap_or(&self.arn)
    }

    /// A topic is reached in its own Region.
    fn elsewhere(&self, arn: &str) -> Option<Builder> {
        let theirs = region(arn).filter(|theirs| Some(*theirs) != region(&self.arn))?;
        Some(Builder::new().region(Region::new(theirs.to_owned())))
    }

    /// Publishes one of a batch by itself.
    async fn publish_by(&self, end: Instant, notification: &Notification) -> Result<(), PublishError> {
        let late = |late| Err(error_of(self.topic(notification), late));
        timeout_at(end, self.publish(notification)).await.unwrap_or_else(late)
    }

    /// Several alerts in one request. SNS answers for each; what it refused is published alone, in the time that is left.
    async fn publish_batch(
        &self,
        end: Instant,
        arn: &str,
        notifications: &[&Notification],
    ) -> Result<Vec<Result<(), PublishError>>, SdkError<PublishBatchError>> {
        let entries = (0..).zip(notifications).map(|(id, notification): (usize, _)| entry(id, notification));
        let entries = entries.collect::<Result<Vec<_>, BuildError>>().map_err(SdkError::construction_failure)?;
        let request = self.client.publish_batch().topic_arn(arn).set_publish_batch_request_entries(Some(entries));
        let mut request = request.customize();
        if let Some(config) = self.elsewhere(arn) {
            request = request.config_override(config);
        }
        let answer = request.send().await?;
        let refused: HashSet<&str> = answer.failed().iter().map(BatchResultErrorEntry::id).collect();
        let again = notifications.iter().enumerate().map(async |(id, notification)| {
            if refused.contains(id.to_string().as_str()) { self.publish_by(end, notification).await } else { Ok(()) }
        });
        Ok(join_all(again).await)
    }

    async fn publish_some(&self, arn: &str, notifications: &[&Notification]) -> Vec<Result<(), PublishError>> {
        if let [alone] = notifications {
            return vec![self.publish(alone).await];
        }
        let end = Instant::now() + PATIENCE;
        let error = match self.publish_batch(end, arn, notifications).await {
            Ok(answers) => return answers,
            Err(error) => error,
        };
        // What is wrong with one must not keep the others.
        if error.as_service_error().is_some_and(is_about_one) {
            return join_all(notifications.iter().map(|notification| self.publish_by(end, notification))).await;
        }
        let why = chain(&error);
        notifications.iter().map(|_| Err(PublishError { to: arn.to_owned(), source: why.clone().into() })).collect()
    }
}

fn is_about_one(error: &PublishBatchError) -> bool {
    use PublishBatchError as E;
    matches!(
        error,
        E::ValidationException(_)
            | E::InvalidParameterException(_)
            | E::InvalidParameterValueException(_)
            | E::BatchRequestTooLongException(_)
    )
}

fn entry(id: usize, notification: &Notification) -> Result<PublishBatchRequestEntry, BuildError> {
    PublishBatchRequestEntry::builder()
        .id(id.to_string())
        .subject(&notification.subject)
        .message_structure("json")
        .message(notification.sns_message())
        .set_message_attributes(Some(attributes(notification)?))
        .build()
}

fn attributes(notification: &Notification) -> Result<HashMap<String, MessageAttributeValue>, BuildError> {
    let value = |value: &Attribute| match value {
        Attribute::Text(text) => MessageAttributeValue::builder().data_type("String").string_value(text).build(),
        Attribute::List(_) => {
            MessageAttributeValue::builder().data_type("String.Array").string_value(value.to_string()).build()
        }
    };
    notification.attributes.iter().map(|(name, of)| Ok(((*name).to_owned(), value(of)?))).collect()
}

/// Which of the alerts go into a request together, by their places: those for one topic, as long as there is room.
fn batches<'t>(alerts: impl Iterator<Item = (&'t str, usize)>) -> Vec<(&'t str, Vec<usize>)> {
    let mut batches: Vec<(&str, usize, Vec<usize>)> = Vec::new();
    for (place, (arn, bytes)) in alerts.enumerate() {
        let has_room = |(topic, sum, places): &&mut (&str, usize, Vec<usize>)| {
            *topic == arn && places.len() < MAX_ENTRIES && *sum + bytes <= MAX_MESSAGE_BYTES
        };
        match batches.iter_mut().find(has_room) {
            Some((_, sum, places)) => {
                *sum += bytes;
                places.push(place);
            }
            None => batches.push((arn, bytes, vec![place])),
        }
    }
    batches.into_iter().map(|(arn, _, places)| (arn, places)).collect()
}

impl Publisher for SnsTopic {
    async fn publish(&self, notification: &Notification) -> Result<(), PublishError> {
        let arn = self.topic(notification);
        let request = self
            .client
            .publish()
            .topic_arn(arn)
            .subject(&notification.subject)
            .message_structure("json")
            .message(notification.sns_message())
            .set_message_attributes(Some(attributes(notification).map_err(|error| error_of(arn, error))?));
        let mut request = request.customize();
        if let Some(config) = self.elsewhere(arn) {
            request = request.config_override(config);
        }
        request.send().await.map(drop).map_err(|error| error_of(arn, error))
    }

    /// SNS takes money for each 64 KB of a request, and an alert has a third of that.
    async fn publish_all(&self, notifications: &[Notification]) -> Vec<Result<(), PublishError>> {
        let sizes = notifications.iter().map(|notification| (self.topic(notification), notification.sns_bytes()));
        // At the same time: one after the other, topics that don't answer would take the whole invocation.
        let sending = batches(sizes).into_iter().map(async |(arn, places)| {
            let batch: Vec<&Notification> = places.iter().map(|place| &notifications[*place]).collect();
            let answers = self.publish_some(arn, &batch).await;
            places.into_iter().zip(answers).collect::<Vec<_>>()
        });
        let mut answers: Vec<_> = join_all(sending).await.into_iter().flatten().collect();
        answers.sort_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_for_one_topic_go_together_as_long_as_there_is_room() {
        let together = |alerts: &[(&'static str, usize)]| batches(alerts.iter().copied());
        assert_eq!(together(&[]), []);
        assert_eq!(together(&[("a", 1), ("b", 1), ("a", 1)]), [("a", vec![0, 2]), ("b", vec![1])]);
        assert_eq!(together(&[("a", 200_000), ("a", 62_144)]), [("a", vec![0, 1])]);
        assert_eq!(together(&[("a", 200_000), ("a", 62_145), ("a", 1)]), [("a", vec![0, 2]), ("a", vec![1])]);
        let many = together(&[("a", 1); 21]);
        assert_eq!(many.iter().map(|(_, places)| places.len()).collect::<Vec<_>>(), [10, 10, 1]);
    }
}
