//! Receivers of alerts, as strict as the real ones: Slack, Teams, PagerDuty, a webhook, and AWS. They answer by their own rules,
//! or as a test says.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trailhound::alerting::{Item, Items, Key, Listed, Stretch};
use trailhound::local::StateMemory;
use trailhound::ports::{AwsCall, Clock, Page, Receiver, StateError, StateStore, Web, WebAnswer, WebError, WebRequest};

use crate::support::TestClock;

pub(crate) const SLACK: &str = "https://hooks.slack.com/services/T0EXAMPLE/B0EXAMPLE/secret-of-slack";
pub(crate) const SLACK_API: &str = "https://slack.com/api/chat.postMessage";
pub(crate) const TEAMS: &str = "https://prod-01.westeurope.logic.azure.com/workflows/secret-of-teams";
pub(crate) const PAGERDUTY: &str = "https://events.eu.pagerduty.com/v2/enqueue";
pub(crate) const SIEM: &str = "https://siem.example.com/hook";
pub(crate) const HUB: &str = "BatchImportFindings";
pub(crate) const BUS: &str = "PutEvents";
pub(crate) const PARAMETER: &str = "GetParameter";

/// The secrets that receivers know; a test may change them.
pub(crate) fn parameters() -> BTreeMap<String, String> {
    [
        ("/t/slack", SLACK),
        ("/t/token", "xoxb-secret-token"),
        ("/t/teams", TEAMS),
        ("/t/pagerduty", "secret-routing-key"),
        ("/t/siem", "secret-of-siem\n"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// An address, or what AWS is asked.
    pub(crate) to: String,
    pub(crate) headers: HashMap<&'static str, String>,
    pub(crate) text: String,
    pub(crate) body: Value,
    pub(crate) at: Timestamp,
}

/// What a receiver does instead of what it would.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    Answers(u16, &'static str),
    /// With `Retry-After`.
    Overrun(&'static str),
    /// Takes it and says nothing.
    Hangs,
    /// Refuses the connection.
    Refuses,
}

#[derive(Clone)]
pub(crate) struct Receivers(Arc<Inner>);

struct Inner {
    clock: TestTime,
    seen: Mutex<Vec<Seen>>,
    /// By the beginning of what is asked; used up one by one.
    next: Mutex<HashMap<String, VecDeque<Does>>>,
    /// The same, for ever.
    always: Mutex<HashMap<String, Does>>,
    parameters: Mutex<BTreeMap<String, String>>,
    /// Names of messages of Slack.
    messages: Mutex<HashSet<String>>,
}

impl Receivers {
    pub(crate) fn new(clock: TestTime) -> Self {
        Self(Arc::new(Inner {
            clock,
            seen: Mutex::default(),
            next: Mutex::default(),
            always: Mutex::default(),
            parameters: Mutex::new(parameters()),
            messages: Mutex::default(),
        }))
    }

    /// What was asked there, in its order.
    pub(crate) fn seen(&self, to: &str) -> Vec<Seen> {
        self.0.seen.lock().unwrap().iter().filter(|seen| seen.to.starts_with(to)).cloned().collect()
    }

    pub(crate) fn count(&self, to: &str) -> usize {
        self.seen(to).len()
    }

    pub(crate) fn forget(&self) {
        self.0.seen.lock().unwrap().clear();
    }

    /// What it does next, in this order.
    pub(crate) fn next(&self, to: &str, does: impl IntoIterator<Item = Does>) {
        self.0.next.lock().unwrap().entry(to.to_owned()).or_default().extend(does);
    }

    /// What it does from now on; `None`: what it would.
    pub(crate) fn always(&self, to: &str, does: Option<Does>) {
        let mut always = self.0.always.lock().unwrap();
        match does {
            Some(does) => always.insert(to.to_owned(), does),
            None => always.remove(to),
        };
    }

    pub(crate) fn set_parameter(&self, name: &str, value: Option<&str>) {
        let mut parameters = self.0.parameters.lock().unwrap();
        match value {
            Some(value) => parameters.insert(name.to_owned(), value.to_owned()),
            None => parameters.remove(name),
        };
    }

    pub(crate) fn forget_threads(&self) {
        self.0.messages.lock().unwrap().clear();
    }

    fn scripted(&self, to: &str) -> Option<Does> {
        let mut next = self.0.next.lock().unwrap();
        let does = next.iter_mut().find(|(start, does)| to.starts_with(*start) && !does.is_empty());
        if let Some((_, does)) = does {
            return does.pop_front();
        }
        self.0.always.lock().unwrap().iter().find(|(start, _)| to.starts_with(*start)).map(|(_, does)| does.clone())
    }

    fn by_its_rules(&self, seen: &Seen) -> WebAnswer {
        match seen.to.as_str() {
            SLACK => match slack_fault(&seen.body) {
                Some(fault) => answer(400, fault),
                None => answer(200, "ok"),
            },
            SLACK_API => self.slack_api(seen),
            TEAMS | SIEM => answer(202, ""),
            PAGERDUTY => pagerduty(&seen.body),
            HUB => security_hub(&seen.body),
            BUS => event_bus(&seen.body),
            PARAMETER => match self.0.parameters.lock().unwrap().get(seen.body["Name"].as_str().unwrap()) {
                Some(value) => answer(200, &json!({"Parameter": {"Value": value}}).to_string()),
                None => answer(400, r#"{"__type":"ParameterNotFound"}"#),
            },
            _ => answer(404, &format!("nobody listens at {}", seen.to)),
        }
    }

    fn slack_api(&self, seen: &Seen) -> WebAnswer {
        let fault = |error: &str| answer(200, &json!({"ok": false, "error": error}).to_string());
        let mut messages = self.0.messages.lock().unwrap();
        if seen.headers.get("authorization").map(String::as_str) != Some("Bearer xoxb-secret-token") {
            return fault("invalid_auth");
        }
        if seen.body["channel"] != "C0EXAMPLE" {
            return fault("channel_not_found");
        }
        if seen.body["thread_ts"].as_str().is_some_and(|thread| !messages.contains(thread)) {
            return fault("thread_not_found");
        }
        if let Some(error) = slack_fault(&seen.body) {
            return fault(error);
        }
        let name = format!("17.{:04}", messages.len());
        messages.insert(name.clone());
        answer(200, &json!({"ok": true, "channel": "C0EXAMPLE", "ts": name}).to_string())
    }
}

fn answer(status: u16, body: &str) -> WebAnswer {
    WebAnswer { status, body: body.to_owned(), ..WebAnswer::default() }
}

/// <https://docs.slack.dev/reference/block-kit/blocks>
fn slack_fault(message: &Value) -> Option<&'static str> {
    if message["text"].as_str().is_none_or(str::is_empty) {
        return Some("no_text");
    }
    let blocks = message["blocks"].as_array().cloned().unwrap_or_default();
    let length = |text: &Value| text["text"].as_str().map_or(0, |text| text.chars().count());
    let is_wrong = |block: &Value| match block["type"].as_str() {
        Some("header") => length(&block["text"]) > 150 || block["text"]["type"] != "plain_text",
        Some("section") => {
            let fields = block["fields"].as_array().cloned().unwrap_or_default();
            length(&block["text"]) > 3000 || fields.len() > 10 || fields.iter().any(|field| length(field) > 2000)
        }
        Some("context") => block["elements"].as_array().is_none_or(|elements| elements.len() > 10),
        Some("actions" | "divider" | "rich_text" | "markdown") => false,
        _ => true,
    };
    if blocks.len() > 50 || blocks.iter().any(is_wrong) {
        return Some("invalid_blocks");
    }
    (json!(blocks).to_string().len() > 60_000).then_some("msg_blocks_too_long")
}

fn pagerduty(event: &Value) -> WebAnswer {
    if event["routing_key"] != "secret-routing-key" {
        return answer(400, r#"{"status":"invalid event","errors":["'routing_key' is invalid"]}"#);
    }
    let payload = &event["payload"];
    let is_short = |value: &Value, most: usize| {
        value.as_str().is_some_and(|text| !text.is_empty() && text.chars().count() <= most)
    };
    let severities = ["critical", "error", "warning", "info"];
    let is_valid = is_short(&payload["summary"], 1024)
        && payload["source"].is_string()
        && severities.iter().any(|severity| payload["severity"] == *severity)
        && is_short(&event["dedup_key"], 255);
    if is_valid {
        answer(202, r#"{"status":"success"}"#)
    } else {
        answer(400, r#"{"errors":["'payload' is invalid"]}"#)
    }
}

/// A finding whose title is `refuse` is not taken.
fn security_hub(body: &Value) -> WebAnswer {
    let findings = body["Findings"].as_array().unwrap();
    assert!((1..=100).contains(&findings.len()));
    let failed: Vec<Value> = (findings.iter())
        .filter(|finding| finding["AwsAccountId"] != "111122223333" || finding["Title"] == "refuse")
        .map(|finding| json!({"Id": finding["Id"], "ErrorCode": "InvalidInput", "ErrorMessage": "m"}))
        .collect();
    let taken = findings.len() - failed.len();
    answer(200, &json!({"FailedCount": failed.len(), "SuccessCount": taken, "FailedFindings": failed}).to_string())
}

fn event_bus(body: &Value) -> WebAnswer {
    let entries = body["Entries"].as_array().unwrap();
    assert!((1..=10).contains(&entries.len()));
    let size = |entry: &Value| {
        ["Source", "DetailType", "Detail"].map(|name| entry[name].as_str().unwrap().len()).iter().sum::<usize>()
    };
    if entries.iter().map(size).sum::<usize>() > 262_144 {
        return answer(
            400,
            r#"{"__type":"ValidationException","message":"Total size of the entries in the request is over the limit."}"#,
        );
    }
    let answers: Vec<Value> = (0..entries.len()).map(|place| json!({"EventId": place.to_string()})).collect();
    answer(200, &json!({"FailedEntryCount": 0, "Entries": answers}).to_string())
}

impl Web for Receivers {
    async fn send(&self, request: &WebRequest) -> Result<WebAnswer, WebError> {
        let to = match &request.to {
            Receiver::Address(address) => address.expose().to_owned(),
            Receiver::Aws { call: AwsCall::GetParameter, .. } => PARAMETER.to_owned(),
            Receiver::Aws { call, .. } => format!("{call:?}"),
        };
        let headers = request.headers.iter().map(|(name, value)| (*name, value.expose().to_owned())).collect();
        let body = serde_json::from_str(&request.body).unwrap();
        let seen = Seen { to: to.clone(), headers, text: request.body.clone(), body, at: self.0.clock.now() };
        self.0.seen.lock().unwrap().push(seen.clone());
        tokio::task::yield_now().await;
        match self.scripted(&to) {
            None => Ok(self.by_its_rules(&seen)),
            Some(Does::Answers(status, body)) => Ok(answer(status, body)),
            Some(Does::Overrun(wait)) => {
                Ok(WebAnswer { status: 429, retry_after: Some(wait.to_owned()), ..WebAnswer::default() })
            }
            Some(Does::Hangs) => {
                self.0.clock.pause(request.timeout).await;
                Err(WebError::TimedOut(request.timeout))
            }
            Some(Does::Refuses) => Err(WebError::Broken("connection refused".into())),
        }
    }
}

/// A clock that a test and its receivers share.
#[derive(Clone, Default)]
pub(crate) struct TestTime(Arc<TestClock>);

impl TestTime {
    pub(crate) fn pass(&self, minutes: i64) {
        self.0.pass_minutes(minutes);
    }

    pub(crate) fn since(&self, start: Timestamp) -> SignedDuration {
        self.now().duration_since(start)
    }
}

impl Clock for TestTime {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn pause(&self, pause: Duration) {
        self.0.pause(pause).await;
    }
}

/// A memory that processes share, and that fails when told to.
#[derive(Clone, Default)]
pub(crate) struct SharedState(Arc<StateMemory>, Arc<AtomicBool>, Arc<AtomicBool>);

impl SharedState {
    pub(crate) fn fails_reading(&self, fails: bool) {
        self.1.store(fails, Ordering::Relaxed);
    }

    pub(crate) fn fails_writing(&self, fails: bool) {
        self.2.store(fails, Ordering::Relaxed);
    }

    fn check(fails: &AtomicBool) -> Result<(), StateError> {
        if fails.load(Ordering::Relaxed) { Err(StateError::Throttled { doing: "being tested" }) } else { Ok(()) }
    }
}

impl StateStore for SharedState {
    async fn get(&self, keys: &[Key], now: Timestamp) -> Result<Items, StateError> {
        Self::check(&self.1)?;
        self.0.get(keys, now).await
    }

    async fn list(&self, stretches: &[Stretch], now: Timestamp) -> Result<Vec<Listed>, StateError> {
        self.0.list(stretches, now).await
    }

    async fn put(&self, items: &[Item]) -> Result<(), StateError> {
        Self::check(&self.2)?;
        self.0.put(items).await
    }

    async fn swap(&self, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
        self.0.swap(items, now).await
    }

    async fn page(&self, after: Option<&Key>, now: Timestamp) -> Result<Page, StateError> {
        self.0.page(after, now).await
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StateError> {
        self.0.remove(keys).await
    }
}
