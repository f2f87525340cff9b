//! The notifier's Lambda function: settings → channels → runtime.
#![forbid(unsafe_code)]

use std::io::{self, Write as _};
use std::process::ExitCode;

use jiff::Timestamp;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;
use serde_json::value::RawValue;
use trailhound::config::NotifierSettings;
use trailhound::notifier;
use trailhound::outcome;
use trailhound::start::{self, ConfiguredNotifier};

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
        return Err("this is the notifier's Lambda function: deploy it, or start it with `cargo lambda watch`; `trailhound notify` does the same on a terminal".into());
    }
    let settings = NotifierSettings::from_variables(std::env::vars()).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Error::from(errors.join("; "))
    })?;
    let notifier = &start::notifier(&settings).await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| handle(notifier, event))).await
}

/// An error makes Lambda deliver a direct event again; a batch is answered with the messages to deliver again.
async fn handle(notifier: &ConfiguredNotifier, event: LambdaEvent<Box<RawValue>>) -> Result<Value, Diagnostic> {
    let ends = i64::try_from(event.context.deadline).ok().and_then(|end| Timestamp::from_millisecond(end).ok());
    let product = notifier::product(&event.context.invoked_function_arn);
    let outcome = Box::pin(notifier.handle(event.payload.get(), &product, ends))
        .await
        .map_err(|error| Diagnostic { error_type: "NotUnderstood".to_owned(), error_message: error.to_string() })?;
    // Past the log's layer, which would wrap them: CloudWatch reads metrics from lines that are nothing else.
    for line in outcome::notice_emf(&outcome, &event.context.env_config.function_name, Timestamp::now()) {
        // A log that can't be written is no reason to do the work again.
        let _ = writeln!(io::stdout(), "{line}");
    }
    outcome.response().map_err(|why| Diagnostic { error_type: "NotTold".to_owned(), error_message: why })
}
