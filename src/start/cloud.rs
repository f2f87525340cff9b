//! The AWS side of starting.

use aws_config::SdkConfig;

use crate::aws::{S3Objects, SnsTopic, sdk_config};
use crate::ports::{ObjectBody as _, ObjectStore as _, chain};
use crate::trigger::ObjectRef;

use super::{Alerts, Objects, StartError};

/// Region, credentials and endpoint, when something needs them.
pub(super) struct Cloud(Option<SdkConfig>);

impl Cloud {
    pub(super) async fn load(needed: bool) -> Self {
        Self(if needed { Some(sdk_config().await) } else { None })
    }

    pub(super) fn objects(&self) -> Result<Objects, StartError> {
        Ok(Objects::S3(S3Objects::new(self.config("s3")?)))
    }

    pub(super) fn alerts(&self, arn: &str) -> Result<Alerts, StartError> {
        Ok(Alerts::Sns(SnsTopic::new(self.config("sns")?, arn.to_owned())))
    }

    /// Reads a whole object.
    pub(super) async fn text(&self, object: &ObjectRef) -> Result<String, StartError> {
        let unreadable = |why: String| StartError::Unreadable { place: object.to_string(), why };
        let mut body =
            S3Objects::new(self.config("s3")?).get(object).await.map_err(|error| unreadable(chain(&error)))?;
        let mut bytes = Vec::new();
        while let Some(chunk) = body.chunk().await.map_err(|error| unreadable(chain(&error)))? {
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))
    }

    fn config(&self, what: &'static str) -> Result<&SdkConfig, StartError> {
        self.0.as_ref().ok_or(StartError::WithoutAws(what))
    }
}
