//! The Lambda function: settings → pipeline → runtime.
#![forbid(unsafe_code)]

use std::io::{self, Write as _};
use std::process::ExitCode;

use jiff::Timestamp;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;
use serde_json::value::RawValue;
use trailhound::config::Settings;
use trailhound::outcome;
use trailhound::start::{self, ConfiguredPipeline};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda_runtime::tracing::init_default_subscriber();
    match Box::pin(run()).await {
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
    let pipeline = &Box::pin(start::pipeline(&settings)).await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| handle(pipeline, event))).await
}

/// An error makes Lambda deliver a direct event again; a batch is answered with the messages to deliver again.
async fn handle(pipeline: &ConfiguredPipeline, event: LambdaEvent<Box<RawValue>>) -> Result<Value, Diagnostic> {
    let ends = i64::try_from(event.context.deadline).ok().and_then(|end| Timestamp::from_millisecond(end).ok());
    // The future is large: it reads several files at once.
    let outcome = Box::pin(pipeline.handle_until(event.payload.get(), ends)).await;
    // Past the log's layer, which would wrap it: CloudWatch reads metrics from lines that are nothing else.
    let function = &event.context.env_config.function_name;
    // A log that can't be written is no reason to do the work again.
    let _ = writeln!(io::stdout(), "{}", outcome::emf(&outcome, Some(function), Timestamp::now()));
    outcome
        .response()
        .map_err(|failure| Diagnostic { error_type: failure.cause.error_type(), error_message: failure.why })
}
