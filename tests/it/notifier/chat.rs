//! Slack and Teams: many at once, and threads.

use jiff::SignedDuration;
use serde_json::{Value, json};
use trailhound::ports::Clock as _;

use super::{APP, HOOK, ONCALL, Post, TEAM, alert, alerts, failed, later, told};
use crate::receivers::{Does, PAGERDUTY, SLACK, SLACK_API, TEAMS};

#[tokio::test]
async fn many_alerts_at_once_are_one_message_in_chat_and_each_by_itself_elsewhere() {
    let post = Post::new(&[HOOK, ONCALL, TEAM]);
    let messages = [alerts(6, "high").await, alerts(1, "critical").await].concat();
    let outcome = post.send(&messages).await;
    assert!(failed(&outcome).is_empty(), "{outcome:?}");
    assert_eq!([SLACK, TEAMS, PAGERDUTY].map(|to| post.receivers.count(to)), [1, 1, 7]);
    let hook = &outcome.counts.channels["hook"];
    assert_eq!((hook.told, hook.bursts), (7, 1));
    post.receivers.forget();
    post.send(&messages).await;
    assert_eq!([SLACK, TEAMS, PAGERDUTY].map(|to| post.receivers.count(to)), [0, 0, 0]);
}

#[tokio::test]
async fn details_of_a_burst_stand_in_its_thread() {
    let post = Post::new(&[APP]);
    let messages = [alerts(11, "high").await, alerts(1, "critical").await].concat();
    let outcome = post.send(&messages).await;
    let seen = post.receivers.seen(SLACK_API);
    assert_eq!((seen.len(), outcome.counts.channels["app"].told), (11, 12));
    assert!(seen[0].body["thread_ts"].is_null());
    assert!(seen[1..].iter().all(|seen| seen.body["thread_ts"] == "17.0000"));
    assert_eq!(seen[1].body["reply_broadcast"], true, "the critical one stands first");
    assert!(seen[2..].iter().all(|seen| seen.body["reply_broadcast"].is_null()));
}

#[tokio::test]
async fn as_many_as_a_person_can_read_come_one_by_one_and_the_gravest_first() {
    let post = Post::new(&[HOOK]);
    let messages = [alerts(4, "low").await, alerts(1, "critical").await].concat();
    let start = post.time.now();
    post.send(&messages).await;
    let seen = post.receivers.seen(SLACK);
    assert_eq!(seen.len(), 5);
    assert!(seen[0].text.to_lowercase().contains("critical") && !seen[1].text.to_lowercase().contains("critical"));
    // One a second.
    assert_eq!(post.time.since(start), SignedDuration::from_secs(4));
}

#[tokio::test]
async fn a_burst_that_is_refused_is_told_one_by_one() {
    let post = Post::new(&[HOOK]);
    post.receivers.next(SLACK, [Does::Answers(400, "invalid_blocks")]);
    let outcome = post.send(&alerts(6, "high").await).await;
    assert_eq!((told(&outcome, "hook"), outcome.counts.channels["hook"].bursts), (6, 0));
}

#[tokio::test]
async fn alerts_of_a_kind_stand_in_one_thread() {
    let mut post = Post::new(&[APP]);
    let first = alert("high").await;
    post.send(std::slice::from_ref(&first)).await;
    post.restart();
    post.time.pass(24 * 60);
    post.send(&[later(&first, "high")]).await;
    post.send(&[later(&first, "critical").replace("another-id", "third-id")]).await;
    let threads: Vec<Value> =
        post.receivers.seen(SLACK_API).iter().map(|seen| seen.body["thread_ts"].clone()).collect();
    assert_eq!(threads, [Value::Null, json!("17.0000"), json!("17.0000")]);
    let seen = post.receivers.seen(SLACK_API);
    assert_eq!((&seen[1].body["reply_broadcast"], &seen[2].body["reply_broadcast"]), (&Value::Null, &json!(true)));
}

#[tokio::test]
async fn a_thread_that_is_gone_is_begun_anew() {
    let post = Post::new(&[APP]);
    let first = alert("high").await;
    post.send(std::slice::from_ref(&first)).await;
    post.receivers.forget_threads();
    let outcome = post.send(&[later(&first, "high")]).await;
    assert!(failed(&outcome).is_empty());
    let seen = post.receivers.seen(SLACK_API);
    assert_eq!((seen.len(), &seen[2].body["thread_ts"]), (3, &Value::Null));
    post.send(&[later(&first, "high").replace("another-id", "third-id")]).await;
    assert_eq!(post.receivers.seen(SLACK_API)[3].body["thread_ts"], "17.0000", "the new one");
}
