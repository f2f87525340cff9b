//! Secrets: asked, kept, rotated, missing, never told.

use trailhound::outcome::Miss;

use super::{APP, HOOK, ONCALL, Post, alert, alerts, failed, told};
use crate::receivers::{Does, PARAMETER, SLACK, SLACK_API};

#[tokio::test]
async fn a_secret_is_asked_for_seldom_and_anew_when_it_no_longer_holds() {
    let post = Post::new(&[APP]);
    let alerts = alerts(6, "high").await;
    let mut alerts = alerts.iter().map(std::slice::from_ref);
    let mut next = || alerts.next().unwrap();
    post.send(next()).await;
    post.time.pass(4);
    post.send(next()).await;
    assert_eq!(post.receivers.count(PARAMETER), 1);
    post.time.pass(2);
    post.send(next()).await;
    assert_eq!(post.receivers.count(PARAMETER), 2);

    // Rotated: the one in use is refused, the new one holds.
    post.receivers.next(SLACK_API, [Does::Answers(200, r#"{"ok":false,"error":"token_revoked"}"#)]);
    let outcome = post.send(next()).await;
    assert_eq!(outcome.counts.channels["app"].failed, [(Miss::Denied, 1)].into(), "it is the same");
    assert_eq!(post.receivers.count(PARAMETER), 3);
    post.receivers.set_parameter("/t/token", Some("xoxb-old"));
    post.time.pass(6);
    assert_eq!(failed(&post.send(next()).await), ["m0"]);
    post.receivers.set_parameter("/t/token", Some("xoxb-secret-token"));
    assert!(failed(&post.send(next()).await).is_empty(), "asked for anew, long before its time");
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_fails_its_channel_alone_and_is_named() {
    let post = Post::new(&[HOOK, ONCALL]);
    post.receivers.set_parameter("/t/slack", None);
    let outcome = post.send(&[alert("high").await]).await;
    assert_eq!(outcome.counts.channels["hook"].failed, [(Miss::NoSecret, 1)].into());
    assert!(outcome.failures[0].1.contains("hook: no_secret: there is no ssm:/t/slack"), "{outcome:?}");
    assert_eq!(told(&outcome, "oncall"), 1);
}

#[tokio::test]
async fn a_secret_stays_in_use_while_nobody_can_be_asked() {
    let post = Post::new(&[HOOK]);
    let alerts = alerts(3, "high").await;
    post.send(&alerts[..1]).await;
    post.time.pass(60);
    post.receivers.always(PARAMETER, Some(Does::Answers(400, r#"{"__type":"AccessDeniedException"}"#)));
    let before = post.receivers.count(PARAMETER);
    assert_eq!(told(&post.send(&alerts[1..2]).await, "hook"), 1);
    assert_eq!(told(&post.send(&alerts[2..]).await, "hook"), 1);
    assert_eq!(post.receivers.count(PARAMETER), before + 1, "nor is it asked for with every message");
}

/// A cut must not fall into it: part of it would not be found.
#[tokio::test]
async fn a_secret_is_hidden_before_what_is_said_is_cut() {
    let post = Post::new(&[HOOK]);
    let said = format!("{} no /services/T0EXAMPLE/B0EXAMPLE/secret-of-slack here", "x".repeat(170)).leak();
    post.receivers.always(SLACK, Some(Does::Answers(404, said)));
    let outcome = post.send(&[alert("high").await]).await;
    let why = &outcome.failures[0].1;
    assert!(why.contains("x no /…") && !why.contains("T0EX") && !why.contains("services"), "{why}");
}

#[tokio::test]
async fn a_secret_is_not_asked_for_when_there_is_no_time_to_use_it() {
    let post = Post::new(&[HOOK]);
    let outcome = post.send_within(&[alert("high").await], 1).await;
    assert_eq!(outcome.counts.channels["hook"].failed, [(Miss::OutOfTime, 1)].into());
    assert_eq!(post.receivers.count(PARAMETER), 0);
    assert!(failed(&post.send(&[alert("high").await]).await).is_empty());
}

#[tokio::test]
async fn what_a_receiver_repeats_of_an_address_is_not_told() {
    let post = Post::new(&[HOOK]);
    post.receivers.always(SLACK, Some(Does::Answers(404, "no /services/T0EXAMPLE/B0EXAMPLE/secret-of-slack here")));
    let outcome = post.send(&[alert("high").await]).await;
    // `handle` looks for secrets in all that comes back.
    assert!(outcome.failures[0].1.contains("hook: denied: it answered 404"), "{outcome:?}");
}
