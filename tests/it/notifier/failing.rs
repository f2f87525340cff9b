//! Receivers that refuse, hang, break and overrun.

use jiff::SignedDuration;
use serde_json::{Value, json};
use trailhound::outcome::Miss;
use trailhound::ports::Clock as _;

use super::{APP, HOOK, ONCALL, Post, TEAM, WEBHOOK, alert, alerts, failed, told};
use crate::receivers::{Does, PAGERDUTY, SIEM, SLACK, SLACK_API, TEAMS};
use crate::support::sqs;

#[tokio::test]
async fn a_receiver_is_left_alone_for_as_long_as_it_asks() {
    for (does, seconds) in [
        (Does::Overrun("7"), 7),
        (Does::Overrun("Thu, 05 Nov 2026 10:06:20 GMT"), 20),
        (Does::Answers(200, r#"{"ok":false,"error":"ratelimited","retry_after":4}"#), 4),
    ] {
        let (channel, to) = if matches!(does, Does::Overrun(_)) { (HOOK, SLACK) } else { (APP, SLACK_API) };
        let post = Post::new(&[channel]);
        let start = post.time.now();
        post.receivers.next(to, [does]);
        let outcome = post.send(&[alert("high").await]).await;
        assert!(failed(&outcome).is_empty());
        let seen = post.receivers.seen(to);
        assert_eq!((seen.len(), seen[1].at.duration_since(start).as_secs()), (2, seconds));
    }
}

#[tokio::test]
async fn who_asks_for_more_time_than_there_is_gets_the_message_when_it_comes_again() {
    let post = Post::new(&[HOOK, ONCALL]);
    post.receivers.next(SLACK, [Does::Overrun("120")]);
    let start = post.time.now();
    let outcome = post.send_within(&[alert("high").await], 60).await;
    assert_eq!(outcome.counts.channels["hook"].failed, [(Miss::Overrun, 1)].into());
    assert_eq!((failed(&outcome).len(), told(&outcome, "oncall")), (1, 1));
    assert!(post.time.since(start) < SignedDuration::from_secs(2), "it doesn't wait for nothing");
}

#[tokio::test]
async fn a_receiver_that_hangs_takes_no_more_than_the_time_there_is() {
    let post = Post::new(&[TEAM, ONCALL]);
    post.receivers.always(TEAMS, Some(Does::Hangs));
    let start = post.time.now();
    let outcome = post.send_within(&alerts(3, "high").await, 30).await;
    assert_eq!(failed(&outcome), ["m0", "m1", "m2"]);
    assert_eq!((told(&outcome, "oncall"), told(&outcome, "team")), (3, 0));
    assert!(post.time.since(start) <= SignedDuration::from_secs(26), "{:?}", post.time.since(start));
}

#[tokio::test]
async fn connections_that_break_are_tried_again() {
    let post = Post::new(&[HOOK, WEBHOOK]);
    post.receivers.next(SLACK, [Does::Refuses, Does::Answers(503, "")]);
    post.receivers.next(SIEM, [Does::Hangs]);
    let outcome = post.send(&[alert("high").await]).await;
    assert!(failed(&outcome).is_empty(), "{outcome:?}");
    assert_eq!((post.receivers.count(SLACK), post.receivers.count(SIEM)), (3, 2));
    // Each request has a signature of its own time.
    let seen = post.receivers.seen(SIEM);
    assert_ne!(seen[0].headers["x-trailhound-signature"], seen[1].headers["x-trailhound-signature"]);
}

#[tokio::test]
async fn a_form_that_is_refused_is_made_plainer() {
    let post = Post::new(&[HOOK]);
    post.receivers.next(SLACK, [Does::Answers(400, "invalid_blocks")]);
    let outcome = post.send(&[alert("high").await]).await;
    assert!(failed(&outcome).is_empty());
    let seen = post.receivers.seen(SLACK);
    assert!(seen[0].body["blocks"].is_array() && seen[1].body["blocks"].is_null() && seen[1].body["text"].is_string());
}

#[tokio::test]
async fn a_message_that_is_refused_in_any_form_fails_alone() {
    let post = Post::new(&[HOOK, WEBHOOK]);
    post.receivers.next(SLACK, [Does::Answers(400, "invalid_blocks"), Does::Answers(400, "no_text")]);
    post.receivers.next(SIEM, [Does::Answers(422, "what?")]);
    let outcome = post.send(&alerts(2, "high").await).await;
    assert_eq!(failed(&outcome), ["m0"]);
    assert_eq!(outcome.counts.channels["hook"].failed, [(Miss::Refused, 1)].into());
    assert_eq!((told(&outcome, "hook"), told(&outcome, "siem"), post.receivers.count(SIEM)), (1, 1, 2));
}

/// Its five tries leave time for the others.
#[tokio::test]
async fn a_message_that_a_receiver_stumbles_over_does_not_take_the_others_along() {
    let post = Post::new(&[WEBHOOK]);
    post.receivers.next(SIEM, [500; 5].map(|status| Does::Answers(status, "")));
    let outcome = post.send(&alerts(3, "high").await).await;
    assert_eq!(outcome.counts.channels["siem"].failed, [(Miss::Unavailable, 1)].into());
    assert_eq!(told(&outcome, "siem"), 2);
}

#[tokio::test]
async fn what_has_failed_often_waits_for_the_others() {
    let post = Post::new(&[WEBHOOK]);
    let mut messages = alerts(1, "critical").await;
    messages.extend(alerts(2, "low").await);
    let mut payload: Value = serde_json::from_str(&sqs(&messages)).unwrap();
    payload["Records"][0]["attributes"] = json!({"ApproximateReceiveCount": "4"});
    post.handle(&payload.to_string(), None).await;
    let seen = post.receivers.seen(SIEM);
    let levels: Vec<&str> = seen.iter().map(|seen| seen.body["severity"].as_str().unwrap()).collect();
    assert_eq!(levels, ["Low", "Low", "Critical"]);
}

/// The next invocation doesn't ask either.
#[tokio::test]
async fn a_receiver_is_left_alone_beyond_the_invocation() {
    let post = Post::new(&[HOOK]);
    post.receivers.next(SLACK, [Does::Overrun("120")]);
    let alert = alert("high").await;
    post.send_within(std::slice::from_ref(&alert), 60).await;
    let outcome = post.send_within(std::slice::from_ref(&alert), 60).await;
    assert_eq!(outcome.counts.channels["hook"].failed, [(Miss::OutOfTime, 1)].into());
    assert_eq!(post.receivers.count(SLACK), 1);
    post.time.pass(2);
    assert_eq!(told(&post.send_within(&[alert], 60).await, "hook"), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let post = Post::new(&[WEBHOOK]);
    post.receivers.next(SIEM, [Does::Answers(302, "")]);
    let outcome = post.send(&[alert("high").await]).await;
    assert!(outcome.failures[0].1.contains("redirects are not followed"), "{outcome:?}");
    assert_eq!(post.receivers.count(SIEM), 1);
}

#[tokio::test]
async fn a_wrong_key_of_pagerduty_is_denied_and_not_hammered() {
    let post = Post::new(&[ONCALL]);
    post.receivers.set_parameter("/t/pagerduty", Some("wrong"));
    let outcome = post.send(&alerts(3, "high").await).await;
    assert_eq!(outcome.counts.channels["oncall"].failed, [(Miss::Denied, 1), (Miss::NotTried, 2)].into());
    assert_eq!(post.receivers.count(PAGERDUTY), 1);
}

#[tokio::test]
async fn what_there_is_no_time_for_comes_again() {
    let post = Post::new(&[ONCALL]);
    // Half a second each: fifty take 25 s.
    let outcome = post.send_within(&alerts(50, "high").await, 15).await;
    let oncall = &outcome.counts.channels["oncall"];
    assert!((15..=21).contains(&oncall.told), "{}", outcome.counts.summary());
    assert_eq!(oncall.failed[&Miss::OutOfTime], 1);
    assert_eq!(oncall.not_told(), 50 - oncall.told);
}
