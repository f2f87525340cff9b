//! Security Hub and EventBridge, which answer for each alert of a request.

use serde_json::{Value, json};
use trailhound::outcome::Miss;

use super::{EVENTS, Post, SECURITY_HUB, alert, alerts, failed, told};
use crate::receivers::{BUS, Does, HUB};

#[tokio::test]
async fn security_hub_takes_a_hundred_at_a_time_and_names_what_it_does_not_take() {
    let post = Post::new(&[SECURITY_HUB]);
    let mut messages = alerts(120, "high").await;
    let mut odd: Value = serde_json::from_str(&messages[7]).unwrap();
    odd["unmapped"]["story"]["title"] = json!("refuse");
    odd["unmapped"]["story"]["rule"]["title"] = json!("refuse");
    messages[7] = odd.to_string();
    post.receivers.next(HUB, [Does::Answers(429, r#"{"Code":"TooManyRequestsException"}"#)]);
    let outcome = post.send(&messages).await;
    assert_eq!(failed(&outcome), ["m7"]);
    assert_eq!(outcome.counts.channels["hub"].failed, [(Miss::Refused, 1)].into());
    let sizes: Vec<usize> =
        post.receivers.seen(HUB).iter().map(|seen| seen.body["Findings"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [100, 100, 20]);
}

#[tokio::test]
async fn of_events_only_those_that_failed_are_put_again() {
    let post = Post::new(&[EVENTS]);
    let messages = alerts(3, "high").await;
    post.receivers.next(
        BUS,
        [Does::Answers(
            200,
            r#"{"FailedEntryCount":2,"Entries":[{"EventId":"1"},{"ErrorCode":"ThrottlingException"},{"ErrorCode":"MalformedDetail","ErrorMessage":"m"}]}"#,
        )],
    );
    let outcome = post.send(&messages).await;
    assert_eq!(failed(&outcome), ["m2"]);
    assert!(outcome.failures[0].1.starts_with("bus: refused: MalformedDetail: m"), "{outcome:?}");
    let seen = post.receivers.seen(BUS);
    assert_eq!((seen.len(), seen[1].body["Entries"].as_array().unwrap().len()), (2, 1));
    assert_eq!(seen[1].body["Entries"][0]["Detail"].as_str(), Some(messages[1].as_str()));
}

#[tokio::test]
async fn an_event_that_is_too_large_goes_without_its_evidence() {
    let post = Post::new(&[EVENTS]);
    let mut large: Value = serde_json::from_str(&alert("high").await).unwrap();
    large["evidences"][0]["data"]["requestParameters"]["name"] = json!("x".repeat(300_000));
    let messages: Vec<String> = std::iter::once(large.to_string()).chain(alerts(14, "high").await).collect();
    let outcome = post.send(&messages).await;
    assert!(failed(&outcome).is_empty(), "{outcome:?}");
    let seen = post.receivers.seen(BUS);
    let entries: Vec<&Value> = seen.iter().flat_map(|seen| seen.body["Entries"].as_array().unwrap()).collect();
    assert_eq!(entries.len(), 15);
    let detail: Value = serde_json::from_str(entries[0]["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["evidences"], json!([]));
    assert!(detail["unmapped"]["notes"].to_string().contains("too large for EventBridge"), "{detail}");
}

#[tokio::test]
async fn an_answer_that_does_not_say_what_became_of_each_is_no_success() {
    for (channel, to) in [(EVENTS, BUS), (SECURITY_HUB, HUB)] {
        let post = Post::new(&[channel]);
        post.receivers
            .next(to, ["<html>", "{}", r#"{"Entries":[{}],"FailedFindings":[]}"#].map(|body| Does::Answers(200, body)));
        let outcome = post.send(&alerts(2, "high").await).await;
        assert!(failed(&outcome).is_empty(), "{outcome:?}");
        assert_eq!(post.receivers.count(to), 4);
    }
}

/// Anybody may publish to the topic, in any form.
#[tokio::test]
async fn a_large_document_of_anybody_harms_nothing() {
    let post = Post::new(&[EVENTS]);
    for unmapped in [json!("text"), json!(["list"]), json!(1)] {
        let document = json!({"evidences": ["x".repeat(300_000)], "unmapped": unmapped}).to_string();
        assert!(failed(&post.send(&[document]).await).is_empty());
    }
}

#[tokio::test]
async fn a_service_of_aws_that_denies_is_not_asked_again() {
    let post = Post::new(&[EVENTS, SECURITY_HUB]);
    post.receivers
        .always(BUS, Some(Does::Answers(400, r#"{"__type":"ResourceNotFoundException","message":"no such bus"}"#)));
    let outcome = post.send(&alerts(25, "high").await).await;
    let bus = &outcome.counts.channels["bus"];
    assert_eq!((bus.failed[&Miss::Denied], bus.failed[&Miss::NotTried], bus.requests), (10, 15, 1));
    assert_eq!(told(&outcome, "hub"), 25);
}
