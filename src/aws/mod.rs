//! The ports on AWS. Clients are made once, and keep their connections over invocations.

mod cloudtrail;
mod dynamodb;
mod s3;
mod sns;
mod warm;
mod web;

use aws_config::{BehaviorVersion, SdkConfig};

pub use cloudtrail::CloudTrailKeys;
pub use dynamodb::DynamoDbTable;
pub use s3::{S3Body, S3Objects};
pub use sns::SnsTopic;
pub use warm::{WARM_UP_LIMIT, WarmError};
pub use web::HttpsWeb;

/// Reads Region, credentials and a custom endpoint (`AWS_ENDPOINT_URL`) from the environment.
pub async fn sdk_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).load().await
}
