//! Requests that are made for their connection alone, before the first event needs it.
//!
//! Where a function has a small share of a processor, TLS is most of what a first request takes. These requests are signed, change
//! nothing and ask about the place that is used later; what is wrong with it is so known at the start.

use std::error::Error;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;

use crate::ports::BoxError;

/// What a warm-up may take: for its whole start Lambda gives a function ten seconds.
pub const WARM_UP_LIMIT: Duration = Duration::from_secs(3);

/// A place that could not be connected to ahead of need.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WarmError {
    /// No permission, or no valid credentials.
    #[error("asking was denied (the function needs {permission} on it)")]
    Denied {
        /// The action that its role has to allow.
        permission: &'static str,
        /// What was said.
        source: BoxError,
    },
    /// Nothing has that name, or nothing that these credentials may know of.
    #[error("there is no such place (is the name right, and does the function run in its account and Region?)")]
    Missing,
    /// The place is there, and answers in another Region only.
    #[error("it is in another Region; the function has to run in the same")]
    Elsewhere,
    /// No answer in time.
    #[error("there was no answer within {} s (is there a way from the function's network to it?)", WARM_UP_LIMIT.as_secs())]
    Silent,
    /// Anything else: not resolved, refused, broken.
    #[error("there was no connection, or no answer that can be understood")]
    Failed(#[source] BoxError),
}

/// Waits for the answer to a request that needs `permission`.
pub(super) async fn bounded<T, E: Error + Send + Sync + 'static>(
    permission: &'static str,
    answer: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<(), WarmError> {
    // Outside of the SDK: a timeout of its own would give the request a connection pool of its own.
    match tokio::time::timeout(WARM_UP_LIMIT, answer).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(told(permission, error)),
        Err(_) => Err(WarmError::Silent),
    }
}

/// By status, because the answer to a HEAD request has no body that could hold a code.
fn told<E: Error + Send + Sync + 'static>(permission: &'static str, error: SdkError<E, HttpResponse>) -> WarmError {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let source: BoxError = error.into_source().unwrap_or_else(Into::into);
    match status {
        Some(403) => WarmError::Denied { permission, source },
        Some(404) => WarmError::Missing,
        Some(301) => WarmError::Elsewhere,
        _ => WarmError::Failed(source),
    }
}
