//! Alerts to an Amazon SNS topic.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::config::timeout::TimeoutConfig;
use aws_sdk_sns::config::{Builder, Region};
use aws_sdk_sns::types::MessageAttributeValue;

use crate::notify::Notification;
use crate::ports::{PublishError, Publisher};

use super::warm::{WarmError, bounded};

/// For one alert, its retries included. A function has a minute.
const PATIENCE: Duration = Duration::from_secs(12);

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

impl Publisher for SnsTopic {
    async fn publish(&self, notification: &Notification) -> Result<(), PublishError> {
        let arn = notification.topic.as_deref().unwrap_or(&self.arn);
        let mut request = self
            .client
            .publish()
            .topic_arn(arn)
            .subject(&notification.subject)
            .message_structure("json")
            .message(notification.sns_message());
        for (name, value) in &notification.attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value);
            request = request.message_attributes(*name, value.build().map_err(|error| error_of(arn, error))?);
        }
        let mut request = request.customize();
        // A topic is reached in its own Region.
        if let Some(region) = region(arn).filter(|theirs| Some(*theirs) != region(&self.arn)) {
            let region = Region::new(region.to_owned());
            request = request.config_override(Builder::new().region(region));
        }
        request.send().await.map(drop).map_err(|error| error_of(arn, error))
    }
}
