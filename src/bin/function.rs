//! The Lambda function: settings → pipeline → runtime.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;
use serde_json::value::RawValue;
use trailhound::config::Settings;
use trailhound::start::{self, ConfiguredPipeline};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda_runtime::tracing::init_default_subscriber();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "start_failed", %error);
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    // The runtime would panic for want of a name.
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err("this is the Lambda function: deploy it, or start it with `cargo lambda watch`; `trailhound invoke` does the same on a terminal".into());
    }
    let settings = Settings::from_variables(std::env::vars()).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Error::from(errors.join("; "))
    })?;
    let pipeline = &start::pipeline(&settings).await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| handle(pipeline, event))).await
}

/// An error makes Lambda deliver a direct event again; an SQS batch answers with the messages to deliver again.
async fn handle(pipeline: &ConfiguredPipeline, event: LambdaEvent<Box<RawValue>>) -> Result<Value, Diagnostic> {
    let outcome = pipeline.handle(event.payload.get()).await;
    let outcome = outcome.map_err(|error| diagnostic("UnknownPayload", error.to_string()))?;
    outcome.response().map_err(|error| diagnostic("DeliveryFailed", error))
}

fn diagnostic(error_type: &str, error_message: String) -> Diagnostic {
    Diagnostic { error_type: error_type.to_owned(), error_message }
}
