//! What receivers answer, and what follows from it.
//!
//! Slack: <https://docs.slack.dev/reference/methods/chat.postMessage>; PagerDuty:
//! <https://developer.pagerduty.com/docs/events-api-v2-overview>; errors of AWS: <https://docs.aws.amazon.com/general/latest/gr/>.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::notify::line;
use crate::ports::WebAnswer;

use super::waits::retry_after;

/// Of what a receiver says. It is cut further once no secret is in it.
const MAX_SAID: usize = 4000;
/// When a receiver is overrun and doesn't say how long to wait.
const OVERRUN: Duration = Duration::from_secs(1);

/// What a receiver made of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has it, and says this.
    Taken(String),
    /// Too many requests: again, after so long.
    Overrun { wait: Duration },
    /// It could not take it now.
    Unavailable { wait: Option<Duration>, why: String },
    /// It doesn't take this form.
    Refused(String),
    /// It takes nothing from us: a secret that is wrong or no longer holds, a channel that is gone.
    Denied(String),
    /// The thread is gone.
    NoThread,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    /// Plain HTTP.
    Http,
    /// Slack's API, whose answers are all 200.
    SlackApi,
    /// PagerDuty, whose wrong keys are wrong requests.
    PagerDuty,
    /// AWS, whose errors have names.
    Aws,
}

pub(super) fn verdict(speaker: Speaker, answer: &WebAnswer, now: Timestamp) -> Verdict {
    let wait = answer.retry_after.as_deref().and_then(|value| retry_after(value, now));
    let overrun = || Verdict::Overrun { wait: wait.unwrap_or(OVERRUN) };
    let said = || said(answer);
    match (answer.status, speaker) {
        (200, Speaker::SlackApi) => slack(answer, wait),
        (400..=499, Speaker::Aws) if is_named(answer, &["Throttl", "TooManyRequests", "LimitExceeded"]) => overrun(),
        (400..=499, Speaker::Aws) if is_named(answer, DENIED_BY_AWS) => Verdict::Denied(said()),
        (400, Speaker::PagerDuty)
            if answer.body.contains("routing_key") || answer.body.contains("Invalid routing key") =>
        {
            Verdict::Denied(said())
        }
        (200..=299, _) => Verdict::Taken(answer.body.clone()),
        (300..=399, _) => {
            Verdict::Denied(format!("{}; redirects are not followed, so give the address that it leads to", said()))
        }
        (429, _) => overrun(),
        (408 | 425 | 500..=599, _) => Verdict::Unavailable { wait, why: said() },
        (401 | 403 | 404 | 405 | 410, _) => Verdict::Denied(said()),
        // 400, 413, 415, 422 and whatever else finds fault with the request.
        _ => Verdict::Refused(said()),
    }
}

const DENIED_BY_AWS: &[&str] = &[
    "AccessDenied",
    "InvalidAccess",
    "UnrecognizedClient",
    "ExpiredToken",
    "InvalidSignature",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingAuthentication",
    "NotFound",
];

/// The name of an AWS error, without the namespace and the link around it.
pub(super) fn aws_error(answer: &WebAnswer) -> Option<String> {
    let body: Option<Value> = serde_json::from_str(&answer.body).ok();
    let of_body =
        || ["__type", "Code", "code"].iter().find_map(|name| Some(body.as_ref()?[*name].as_str()?.to_owned()));
    let name = answer.error_type.clone().or_else(of_body)?;
    let name = name.split(':').next().unwrap_or_default();
    Some(name.rsplit('#').next().unwrap_or_default().to_owned())
}

fn is_named(answer: &WebAnswer, names: &[&str]) -> bool {
    aws_error(answer).is_some_and(|error| names.iter().any(|name| error.contains(name)))
}

/// What Slack calls errors of the message, of itself, and of the thread.
const MESSAGE_ERRORS: &[&str] = &[
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_attachments",
    "invalid_arguments",
    "msg_too_long",
    "msg_blocks_too_long",
    "no_text",
    "block_mismatch",
    "markdown_text_conflict",
    "metadata_too_large",
];
const PASSING_ERRORS: &[&str] = &["internal_error", "fatal_error", "service_unavailable", "request_timeout"];
const THREAD_ERRORS: &[&str] = &["thread_not_found", "message_not_found", "cannot_reply_to_message"];

/// What Slack's API calls a message that it has taken: answers to it go into its thread.
pub(super) fn slack_message(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    body["ts"].as_str().map(str::to_owned)
}

fn slack(answer: &WebAnswer, wait: Option<Duration>) -> Verdict {
    let Ok(body) = serde_json::from_str::<Value>(&answer.body) else {
        return Verdict::Unavailable { wait, why: "Slack's answer is no JSON".to_owned() };
    };
    if body["ok"] == true {
        return Verdict::Taken(answer.body.clone());
    }
    let error = line(body["error"].as_str().unwrap_or("no error is named"), MAX_SAID);
    let is = |names: &[&str]| names.contains(&error.as_str());
    if error == "ratelimited" || error == "rate_limited" {
        let of_body = body["retry_after"].as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        return Verdict::Overrun { wait: wait.or(of_body).unwrap_or(OVERRUN) };
    }
    if is(THREAD_ERRORS) {
        return Verdict::NoThread;
    }
    let why = format!("Slack says {error}");
    if is(MESSAGE_ERRORS) {
        Verdict::Refused(why)
    } else if is(PASSING_ERRORS) {
        Verdict::Unavailable { wait, why }
    } else {
        Verdict::Denied(why)
    }
}

/// For logs: the status, and one clean line of what was said.
fn said(answer: &WebAnswer) -> String {
    let name = aws_error(answer).filter(|name| !name.is_empty()).map(|name| format!(" {name}")).unwrap_or_default();
    let body = line(&answer.body, MAX_SAID);
    let body = if body.is_empty() { String::new() } else { format!(": {body}") };
    format!("it answered {}{name}{body}", answer.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> WebAnswer {
        WebAnswer { status, body: body.to_owned(), ..WebAnswer::default() }
    }

    fn of(speaker: Speaker, status: u16, body: &str) -> Verdict {
        verdict(speaker, &answer(status, body), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_status_says_what_to_do() {
        use Verdict::{Denied, Overrun, Refused, Taken, Unavailable};
        for status in [200, 201, 202, 204] {
            assert_eq!(of(Speaker::Http, status, "ok"), Taken("ok".into()));
        }
        assert_eq!(of(Speaker::Http, 429, ""), Overrun { wait: OVERRUN });
        let later = WebAnswer { status: 429, retry_after: Some("7".into()), ..WebAnswer::default() };
        let wait = Duration::from_secs(7);
        assert_eq!(verdict(Speaker::Http, &later, Timestamp::UNIX_EPOCH), Overrun { wait });
        assert!(
            matches!(of(Speaker::Http, 503, "busy\nnow"), Unavailable { wait: None, why } if why == "it answered 503: busy now")
        );
        for status in [400, 413, 415, 422] {
            assert!(matches!(of(Speaker::Http, status, "invalid_blocks"), Refused(_)), "{status}");
        }
        for status in [301, 302, 307, 401, 403, 404, 410] {
            assert!(matches!(of(Speaker::Http, status, ""), Denied(_)), "{status}");
        }
    }

    #[test]
    fn slack_says_it_in_the_body() {
        let says = |body: &str| of(Speaker::SlackApi, 200, body);
        let Verdict::Taken(body) = says(r#"{"ok":true,"ts":"1.2"}"#) else { panic!() };
        assert_eq!(slack_message(&body).as_deref(), Some("1.2"));
        assert_eq!(slack_message("ok"), None);
        assert_eq!(
            says(r#"{"ok":false,"error":"ratelimited","retry_after":3}"#),
            Verdict::Overrun { wait: Duration::from_secs(3) }
        );
        assert_eq!(
            says(r#"{"ok":false,"error":"invalid_blocks"}"#),
            Verdict::Refused("Slack says invalid_blocks".into())
        );
        assert_eq!(says(r#"{"ok":false,"error":"thread_not_found"}"#), Verdict::NoThread);
        assert!(matches!(says(r#"{"ok":false,"error":"internal_error"}"#), Verdict::Unavailable { .. }));
        for error in ["invalid_auth", "token_revoked", "channel_not_found", "not_in_channel", "something_new"] {
            assert_eq!(
                says(&format!(r#"{{"ok":false,"error":"{error}"}}"#)),
                Verdict::Denied(format!("Slack says {error}"))
            );
        }
        assert!(matches!(says("<html>"), Verdict::Unavailable { .. }));
        assert!(matches!(of(Speaker::SlackApi, 429, ""), Verdict::Overrun { .. }));
    }

    #[test]
    fn aws_names_its_errors() {
        let says = |body: &str| of(Speaker::Aws, 400, body);
        assert!(matches!(says(r#"{"__type":"com.amazonaws.x#ThrottlingException"}"#), Verdict::Overrun { .. }));
        for name in ["AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException"] {
            assert!(matches!(says(&format!(r#"{{"__type":"{name}"}}"#)), Verdict::Denied(_)), "{name}");
        }
        assert!(matches!(says(r#"{"__type":"ValidationException","message":"m"}"#), Verdict::Refused(why)
            if why == r#"it answered 400 ValidationException: {"__type":"ValidationException","message":"m"}"#));
        let named = WebAnswer {
            status: 401,
            error_type: Some("InvalidAccessException:http://x/".into()),
            ..WebAnswer::default()
        };
        assert_eq!(aws_error(&named).as_deref(), Some("InvalidAccessException"));
        assert!(matches!(verdict(Speaker::Aws, &named, Timestamp::UNIX_EPOCH), Verdict::Denied(_)));
    }

    #[test]
    fn a_wrong_key_of_pagerduty_is_no_wrong_message() {
        let body = r#"{"status":"invalid event","errors":["'routing_key' is invalid"]}"#;
        assert!(matches!(of(Speaker::PagerDuty, 400, body), Verdict::Denied(_)));
        assert!(matches!(of(Speaker::PagerDuty, 400, r#"{"errors":["'severity' is invalid"]}"#), Verdict::Refused(_)));
        assert_eq!(of(Speaker::PagerDuty, 202, "{}"), Verdict::Taken("{}".into()));
    }
}
