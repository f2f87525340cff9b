//! The notifier: what channels are told, whatever their receivers do.

mod chat;
mod failing;
mod machines;
mod secrets;

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use trailhound::engine::Organisation;
use trailhound::notifier::{Notifier, SecretSource, product};
use trailhound::outcome::{Miss, NoticeOutcome};
use trailhound::ports::Clock as _;
use trailhound::yaml::SourceFile;

use crate::receivers::{BUS, Does, HUB, PAGERDUTY, Receivers, SIEM, SLACK, SLACK_API, SharedState, TEAMS, TestTime};
use crate::support::{World, record, rule, rules, sqs, trail_file, with};

pub(crate) const HOOK: &str = "hook: {slack: {webhook: ssm:/t/slack}}";
const APP: &str = "app: {slack: {token: ssm:/t/token, channel: C0EXAMPLE}}";
const ONCALL: &str = "oncall: {pagerduty: {routing_key: ssm:/t/pagerduty, region: eu}}";
pub(crate) const TEAM: &str = "team: {teams: {webhook: ssm:/t/teams}}";
const WEBHOOK: &str = "siem: {webhook: {url: https://siem.example.com/hook, secret: ssm:/t/siem}}";
const SECURITY_HUB: &str = "hub: {security_hub: {}}";
const EVENTS: &str = "bus: {eventbridge: {bus: alerts}}";

/// Processes of a notifier, their receivers, memory and time.
pub(crate) struct Post {
    notifier: Notifier<Receivers, SharedState, TestTime>,
    channels: String,
    pub(crate) receivers: Receivers,
    state: SharedState,
    time: TestTime,
}

impl Post {
    pub(crate) fn new(channels: &[&str]) -> Self {
        let (time, state) = (TestTime::default(), SharedState::default());
        let receivers = Receivers::new(time.clone());
        let channels = format!("channels:\n  {}\n", channels.join("\n  "));
        let notifier = process(&channels, &receivers, &state, &time);
        Self { notifier, channels, receivers, state, time }
    }

    /// Another process goes on.
    fn restart(&mut self) {
        self.notifier = process(&self.channels, &self.receivers, &self.state, &self.time);
    }

    pub(crate) async fn handle(&self, payload: &str, ends: Option<Timestamp>) -> NoticeOutcome {
        let product = product("arn:aws:lambda:eu-west-1:111122223333:function:trailhound-notifier");
        let outcome = self.notifier.handle(payload, &product, ends).await.unwrap();
        let counts = &outcome.counts;
        assert_eq!(counts.messages, counts.alerts + counts.alarms + counts.others);
        for channel in counts.channels.values() {
            assert_eq!(channel.wanted, channel.told + channel.known + channel.not_told(), "{}", counts.summary());
        }
        for secret in ["secret-of", "secret-token", "secret-routing-key"] {
            assert!(!format!("{outcome:?}").contains(secret), "{outcome:?}");
        }
        outcome
    }

    /// Sends messages through the queue; their ids are `m0`, `m1`…
    async fn send(&self, messages: &[String]) -> NoticeOutcome {
        self.handle(&sqs(messages), None).await
    }

    async fn send_within(&self, messages: &[String], seconds: i64) -> NoticeOutcome {
        self.handle(&sqs(messages), Some(self.time.now() + SignedDuration::from_secs(seconds))).await
    }
}

fn process(
    channels: &str,
    receivers: &Receivers,
    state: &SharedState,
    time: &TestTime,
) -> Notifier<Receivers, SharedState, TestTime> {
    let organisation = Organisation::parse(&SourceFile::new("trailhound.yaml", channels)).unwrap();
    Notifier::new(receivers.clone(), state.clone(), time.clone(), organisation.outputs.channels, SecretSource::Aws)
}

fn failed(outcome: &NoticeOutcome) -> Vec<&str> {
    outcome.failures.iter().map(|(id, _)| id.as_ref().unwrap().0.as_str()).collect()
}

fn told(outcome: &NoticeOutcome, channel: &str) -> u64 {
    outcome.counts.channels[channel].told
}

/// So many alerts of different callers, as the topic hands them on.
async fn alerts(count: usize, level: &str) -> Vec<String> {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let world = World::new(rules(&rule("  sel: {eventName: StopLogging}\n  condition: sel\n").replace("high", level)));
    let records: Vec<Value> = (0..count)
        .map(|_| {
            let call = CALLS.fetch_add(1, Ordering::Relaxed);
            let arn = json!(format!("arn:aws:iam::111122223333:user/user-{call}"));
            with(record("StopLogging", &format!("e-{call}")), &[("/userIdentity/arn", arn)])
        })
        .collect();
    let key = world.put("trail", &trail_file(&records));
    world.notify(&[&key]).await;
    let alerts = world.alerts();
    assert_eq!(alerts.len(), count);
    alerts.into_iter().map(|alert| alert.ocsf).collect()
}

async fn alert(level: &str) -> String {
    alerts(1, level).await.remove(0)
}

/// The same kind of alert, told anew.
fn later(alert: &str, level: &str) -> String {
    let mut alert: Value = serde_json::from_str(alert).unwrap();
    alert["unmapped"]["story"]["id"] = json!("another-id");
    alert["unmapped"]["story"]["level"] = json!(level);
    alert.to_string()
}

#[tokio::test]
async fn every_kind_of_channel_is_told() {
    let post = Post::new(&[HOOK, APP, ONCALL, TEAM, WEBHOOK, SECURITY_HUB, EVENTS]);
    let alert = alert("high").await;
    let outcome = post.send(std::slice::from_ref(&alert)).await;
    assert_eq!(failed(&outcome), [""; 0], "{outcome:?}");
    assert_eq!(outcome.response().unwrap(), json!({"batchItemFailures": []}));
    for channel in ["hook", "app", "oncall", "team", "siem", "hub", "bus"] {
        assert_eq!(told(&outcome, channel), 1, "{channel}");
    }
    let one = |to: &str| {
        let mut seen = post.receivers.seen(to);
        assert_eq!(seen.len(), 1, "{to}");
        seen.remove(0)
    };
    assert!(one(SLACK).text.contains("blocks") && one(TEAMS).text.contains("AdaptiveCard"));
    let app = one(SLACK_API);
    assert_eq!((&app.body["channel"], &app.body["thread_ts"]), (&json!("C0EXAMPLE"), &Value::Null));
    assert_eq!(one(PAGERDUTY).body["event_action"], "trigger");
    let siem = one(SIEM);
    assert_eq!(siem.text, alert, "as it came");
    let story = &siem.body["unmapped"]["story"];
    assert_eq!(siem.headers["x-trailhound-id"], story["id"].as_str().unwrap());
    assert_eq!(siem.headers["x-trailhound-signature"], signed(b"secret-of-siem", siem.at, &alert));
    let hub = one(HUB);
    assert_eq!(hub.body["Findings"][0]["Id"], story["finding"]);
    assert!(hub.text.contains("arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default"));
    let entry = &one(BUS).body["Entries"][0];
    assert_eq!((&entry["Source"], &entry["EventBusName"]), (&json!("trailhound"), &json!("alerts")));
    assert_eq!(entry["Detail"].as_str(), Some(alert.as_str()));
}

/// HMAC by its definition, as no library that the notifier has computes it: <https://www.rfc-editor.org/rfc/rfc2104>.
fn signed(key: &[u8], at: Timestamp, body: &str) -> String {
    let pad =
        |byte: u8| -> Vec<u8> { (0..64).map(|place| key.get(place).copied().unwrap_or_default() ^ byte).collect() };
    let time = at.as_second();
    let inner = Sha256::digest([&pad(0x36), format!("{time}.{body}").as_bytes()].concat());
    let outer = Sha256::digest([&pad(0x5c)[..], &inner].concat());
    let hex = outer.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("t={time},v1={hex}")
}

#[tokio::test]
async fn a_receiver_that_fails_keeps_nothing_from_others_and_nobody_is_told_twice() {
    let mut post = Post::new(&[HOOK, TEAM, ONCALL]);
    let alerts = alerts(3, "high").await;
    post.receivers.always(TEAMS, Some(Does::Answers(500, "oops")));
    let outcome = post.send(&alerts).await;
    assert_eq!(failed(&outcome), ["m0", "m1", "m2"]);
    assert!(
        outcome.failures[0].1.starts_with("team: unavailable: it answered 500: oops; tried 5 times"),
        "{outcome:?}"
    );
    assert_eq!((told(&outcome, "hook"), told(&outcome, "oncall")), (3, 3));
    // The last message was not tried: the channel had failed twice.
    assert_eq!(post.receivers.count(TEAMS), 10);
    assert_eq!(outcome.counts.channels["team"].failed, [(Miss::Unavailable, 2), (Miss::NotTried, 1)].into());

    post.receivers.always(TEAMS, None);
    post.receivers.forget();
    post.restart();
    let outcome = post.send(&alerts).await;
    assert_eq!(failed(&outcome), [""; 0]);
    assert_eq!([SLACK, PAGERDUTY, TEAMS].map(|to| post.receivers.count(to)), [0, 0, 3]);
    assert_eq!((outcome.counts.channels["hook"].known, told(&outcome, "team")), (3, 3));
}

#[tokio::test]
async fn a_message_that_comes_twice_in_a_batch_is_told_once() {
    let post = Post::new(&[HOOK, SECURITY_HUB]);
    let alert = alert("high").await;
    let outcome = post.send(&[alert.clone(), alert]).await;
    assert_eq!((post.receivers.count(SLACK), failed(&outcome).len()), (1, 0));
    let hook = &outcome.counts.channels["hook"];
    assert_eq!((hook.wanted, hook.told, hook.known), (2, 1, 1));
    assert_eq!(post.receivers.seen(HUB)[0].body["Findings"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_dies_between_telling_and_marking_tells_again() {
    let mut post = Post::new(&[HOOK]);
    let alert = [alert("high").await];
    post.state.fails_writing(true);
    let outcome = post.send(&alert).await;
    assert_eq!((told(&outcome, "hook"), outcome.counts.state_failures, failed(&outcome).len()), (1, 1, 0));
    post.restart();
    post.state.fails_writing(false);
    assert_eq!(told(&post.send(&alert).await, "hook"), 1, "at least once, not exactly");
    post.restart();
    assert_eq!(told(&post.send(&alert).await, "hook"), 0);
}

#[tokio::test]
async fn without_the_memory_channels_are_told() {
    let post = Post::new(&[HOOK, APP]);
    post.state.fails_reading(true);
    let outcome = post.send(&[alert("high").await]).await;
    assert_eq!((told(&outcome, "hook"), told(&outcome, "app"), outcome.counts.state_failures), (1, 1, 1));
    assert!(failed(&outcome).is_empty());
}

#[tokio::test]
async fn alarms_and_words_of_others_are_told_too() {
    let post =
        Post::new(&[HOOK, "pages: {pagerduty: {routing_key: ssm:/t/pagerduty, region: eu}, when: {level: high}}"]);
    let alarm = |state: &str| {
        json!({"AlarmName": "trailhound-Silence", "NewStateValue": state, "NewStateReason": "no log file came", "StateChangeTime": "2026-11-05T10:00:00.000+0000",
            "AlarmArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:trailhound-Silence", "AWSAccountId": "111122223333"})
        .to_string()
    };
    let outcome =
        post.send(&[alarm("ALARM"), alarm("OK"), "maintenance at noon".to_owned(), "{\"a\":".to_owned()]).await;
    assert!(failed(&outcome).is_empty(), "{outcome:?}");
    let counts = &outcome.counts;
    assert_eq!((counts.alerts, counts.alarms, counts.others, counts.unrouted), (0, 2, 2, 0));
    assert_eq!((told(&outcome, "hook"), told(&outcome, "pages")), (4, 1));
    let texts: String = post.receivers.seen(SLACK).iter().map(|seen| seen.text.clone()).collect();
    for text in
        ["trailhound-Silence is in alarm", "no log file came", "trailhound-Silence is over", "maintenance at noon"]
    {
        assert!(texts.contains(text), "{text}: {texts}");
    }
}

#[tokio::test]
async fn an_alert_goes_where_it_is_meant_to_and_one_that_goes_nowhere_is_counted() {
    let post = Post::new(&[
        "grave: {slack: {webhook: ssm:/t/slack}, when: {level: [critical, high]}}",
        "theirs: {teams: {webhook: ssm:/t/teams}, when: {account: '444455556666'}}",
    ]);
    let outcome = post.send(&[alert("high").await, alert("low").await]).await;
    assert!(failed(&outcome).is_empty());
    assert_eq!((told(&outcome, "grave"), outcome.counts.channels["theirs"].wanted, outcome.counts.unrouted), (1, 0, 1));
}

#[tokio::test]
async fn straight_from_the_topic_a_failure_is_an_error() {
    let post = Post::new(&[HOOK]);
    let alert = alert("high").await;
    let envelope = json!({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:t", "MessageId": "s-1", "Message": alert});
    let event = json!({"Records": [{"EventSource": "aws:sns", "Sns": envelope}]}).to_string();
    post.receivers.next(SLACK, [Does::Answers(410, "channel_is_archived")]);
    let error = post.handle(&event, None).await.response().unwrap_err();
    assert!(error.starts_with("hook: denied: it answered 410: channel_is_archived"), "{error}");
    assert_eq!(post.handle(&event, None).await.response().unwrap()["channels"]["hook"]["told"], 1);
    // The same alert through the queue, in its envelope.
    let outcome = post.send(&[envelope.to_string()]).await;
    assert_eq!(outcome.counts.channels["hook"].known, 1);
}
