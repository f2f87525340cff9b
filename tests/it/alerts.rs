//! Alerts as people and machines receive them. Read a changed snapshot as its receiver would.

use serde_json::{Value, json};
use trailhound::engine::RuleSet;
use trailhound::notify::{MAX_MESSAGE_BYTES, Notification};

use crate::support::{World, compile, record, rule, rules, story, trail_file, with};

const CONFIG: &str = "accounts: {'111122223333': prod}";

async fn alerts(rules: RuleSet, records: &[Value]) -> Vec<Notification> {
    let world = World::new(rules);
    world.notify(&[&world.put("a", &trail_file(records))]).await;
    world.alerts()
}

fn stopped() -> RuleSet {
    let yaml = rule("  sel: {eventName: StopLogging}\n  condition: sel")
        .replace("title: Test", "title: CloudTrail logging stopped")
        + "
description: Nothing that happens now is recorded.
tags: [attack.defense-impairment, attack.t1562.008]
falsepositives: [A trail that is being replaced.]
references: [https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html]
trailhound:
  alert:
    runbook:
      - Ask alice whether she stopped it.
      - 'If not: start it again with `aws cloudtrail start-logging`, then deactivate her access keys.'
";
    let (rules, errors) = compile(&yaml, CONFIG);
    assert!(errors.is_empty());
    rules
}

#[tokio::test]
async fn email_names_who_did_what_where() {
    let alert = &alerts(stopped(), &[record("StopLogging", "5c2e7d1a-0000-4000-8000-000000000001")]).await[0];
    insta::assert_snapshot!(format!("Subject: {}\n\n{}", alert.subject, alert.text));
}

#[tokio::test]
async fn chat_gets_its_own_schema() {
    let alert = &alerts(stopped(), &[record("StopLogging", "5c2e7d1a-0000-4000-8000-000000000001")]).await[0];
    insta::assert_json_snapshot!(serde_json::from_str::<Value>(&alert.chat).unwrap());
}

#[tokio::test]
async fn machines_get_an_ocsf_detection_finding() {
    let alert = &alerts(stopped(), &[record("StopLogging", "5c2e7d1a-0000-4000-8000-000000000001")]).await[0];
    insta::assert_json_snapshot!(serde_json::from_str::<Value>(&alert.ocsf).unwrap());
}

#[tokio::test]
async fn who_and_from_where_in_every_shape_of_identity() {
    let lines: Vec<String> = alerts(stopped(), &every_shape_of_identity())
        .await
        .iter()
        .map(|alert| {
            let rows = alert
                .text
                .lines()
                .filter(|line| ["Who ", "Did ", "What ", "From "].iter().any(|row| line.starts_with(row)));
            [alert.subject.as_str()].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n\n"));
}

fn every_shape_of_identity() -> Vec<Value> {
    let call = |n: usize, changes: &[(&str, Value)]| {
        // Hours apart, so that each is an alert of its own.
        let time = json!(format!("2026-11-05T{:02}:00:00Z", n * 2));
        with(with(record("StopLogging", &format!("e{n}")), &[("/eventTime", time)]), changes)
    };
    let session = json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/deploy/i-0abc", "accountId": "111122223333",
        "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/ci/deploy"}, "attributes": {"mfaAuthenticated": "false"}}});
    let console = json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice", "accountId": "111122223333",
        "sessionContext": {"attributes": {"mfaAuthenticated": "false"}}, "invokedBy": "cloudformation.amazonaws.com"});
    vec![
        call(0, &[("/userIdentity", session)]),
        call(
            1,
            &[
                ("/userIdentity", console),
                ("/sourceIPAddress", json!("cloudformation.amazonaws.com")),
                ("/userAgent", json!("cloudformation.amazonaws.com")),
            ],
        ),
        call(
            2,
            &[(
                "/userIdentity",
                json!({"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"}),
            )],
        ),
        call(
            3,
            &[(
                "/userIdentity",
                json!({"type": "AWSAccount", "accountId": "123456789012", "principalId": "AROAEXAMPLE:x"}),
            )],
        ),
        call(
            4,
            &[
                ("/userIdentity", json!({"accountId": "111122223333", "invokedBy": "AWS Internal"})),
                ("/sourceIPAddress", json!("AWS Internal")),
            ],
        ),
        call(5, &[("/errorCode", json!("AccessDenied")), ("/errorMessage", json!("no"))]),
        call(
            6,
            &[
                ("/userIdentity", json!({})),
                ("/sourceIPAddress", json!(null)),
                ("/requestParameters", json!(null)),
                ("/errorMessage", json!("it broke")),
            ],
        ),
    ]
}

/// A title with fields says what happened in e-mail; chat, whose titles are markup, keeps to the author's.
#[tokio::test]
async fn a_title_may_hold_what_a_log_says_but_not_its_markup() {
    let titled = rule("  sel: {eventName: StopLogging}\n  condition: sel\n")
        + "trailhound: {alert: {title: 'Trail {requestParameters.name} stopped by {errorCode}'}}";
    let name = "*bold* <!channel> www.evil.example ".to_owned() + &"x".repeat(200);
    let record = with(record("StopLogging", "e1"), &[("/requestParameters/name", json!(name))]);
    let alert = &alerts(compile(&titled, "").0, &[record]).await[0];
    assert!(alert.subject.starts_with("[HIGH] Trail *bold* <!channel> www[.]evil.example x"), "{}", alert.subject);
    assert!(story(alert).title.ends_with("\u{2026} stopped by (none)"), "{}", story(alert).title);
    let chat: Value = serde_json::from_str(&alert.chat).unwrap();
    assert!(chat["content"]["title"].as_str().unwrap().ends_with("HIGH: Test"), "{}", alert.chat);
    assert!(chat["content"]["description"].as_str().unwrap().starts_with("`Trail *bold* &lt;!channel&gt;"));
}

#[tokio::test]
async fn a_subject_is_cut_to_what_sns_takes() {
    let long = rules(
        &rule("  sel: {eventName: StopLogging}\n  condition: sel")
            .replace("title: Test", &format!("title: {}", "é very long title ".repeat(12))),
    );
    let alert = &alerts(long, &[record("StopLogging", "e1")]).await[0];
    assert!((95..=99).contains(&alert.subject.len()), "{}", alert.subject);
    assert!(
        alert.subject.starts_with("[HIGH] ? very long title") && alert.subject.ends_with(": alice in 111122223333"),
        "{}",
        alert.subject
    );
}

#[tokio::test]
async fn a_message_fits_sns_and_says_what_was_cut() {
    let big = |size: usize| with(record("StopLogging", "e1"), &[("/requestParameters/blob", json!("\"".repeat(size)))]);
    for (size, cut) in [(1_000, false), (250_000, true)] {
        let alert = &alerts(stopped(), &[big(size)]).await[0];
        assert!(alert.sns_message().len() <= MAX_MESSAGE_BYTES);
        assert_eq!(story(alert).notes.iter().any(|note| note.starts_with("The records were left out")), cut);
        assert_eq!(alert.record.is_empty(), cut);
        let ocsf: Value = serde_json::from_str(&alert.ocsf).unwrap();
        assert_eq!(ocsf["evidences"][0].get("data").is_none(), cut);
    }
    let many: Vec<Value> = (0..500)
        .map(|n| with(record("StopLogging", &format!("e{n}")), &[("/requestParameters/blob", json!("x".repeat(9000)))]))
        .collect();
    let alert = &alerts(stopped(), &many).await[0];
    assert!(alert.sns_message().len() <= MAX_MESSAGE_BYTES);
    assert!(alert.text.contains("500 events until") && alert.text.contains("and 494 more"), "{}", alert.text);
}

/// Nobody can keep their own alert from going out by making it large.
#[tokio::test]
async fn whatever_a_log_holds_the_message_fits() {
    for piece in ["\"", "<", "\u{1}", "\u{1f600}", "é ", "x"] {
        let long = json!(piece.repeat(40_000));
        let resources: Vec<Value> =
            (0..400).map(|n| json!({"ARN": format!("arn:aws:s3:::bucket-{n}/{}", piece.repeat(100))})).collect();
        let mut record = with(record("StopLogging", "e1"), &[("/resources", json!(resources))]);
        for pointer in [
            "/userIdentity/arn",
            "/userIdentity/userName",
            "/awsRegion",
            "/sourceIPAddress",
            "/userAgent",
            "/errorMessage",
            "/eventID",
            "/recipientAccountId",
            "/requestID",
        ] {
            record = with(record, &[(pointer, long.clone())]);
        }
        let alert = &alerts(stopped(), &[record]).await[0];
        let size = alert.sns_message().len();
        assert!(size <= MAX_MESSAGE_BYTES, "{size} bytes of {piece:?}");
        assert!(alert.text.contains("CloudTrail logging stopped"), "{}", alert.text);
        assert!(story(alert).notes.iter().any(|note| note.contains("long texts and lists were cut")));
        let chat: Value = serde_json::from_str(&alert.chat).unwrap();
        assert!(chat["content"]["description"].as_str().unwrap().chars().count() <= 8000);
        assert!(chat["content"]["title"].as_str().unwrap().chars().count() <= 250);
    }
}

#[tokio::test]
async fn what_is_left_out_of_the_finding_is_said() {
    let resources: Vec<Value> = (0..120).map(|n| json!({"ARN": format!("arn:aws:s3:::bucket-{n}")})).collect();
    let call = |n: u32, resources: &[Value]| {
        let time = json!(format!("2026-11-05T10:00:{n:02}Z"));
        with(record("StopLogging", &format!("e{n}")), &[("/eventTime", time), ("/resources", json!(resources))])
    };
    let records: Vec<Value> = (0..30).map(|n| call(n, if n == 0 { &resources } else { &[] })).collect();
    let alert = &alerts(stopped(), &records).await[0];
    let finding: Value = serde_json::from_str(&alert.ocsf).unwrap();
    assert_eq!(
        (finding["evidences"].as_array().unwrap().len(), finding["resources"].as_array().unwrap().len()),
        (20, 100)
    );
    assert_eq!(
        finding["unmapped"]["notes"],
        json!(["10 of 30 evidences were left out", "21 of 121 resources were left out"])
    );
}

#[tokio::test]
async fn attributes_let_subscribers_filter() {
    let alert = &alerts(stopped(), &[record("StopLogging", "e1")]).await[0];
    let attributes: Vec<String> = alert.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        attributes,
        [
            "rule_id=test",
            "level=high",
            "account=111122223333",
            "region=eu-west-1",
            "event_source=cloudtrail.amazonaws.com",
            r#"tags=["attack.defense-impairment","attack.t1562.008"]"#
        ]
    );
    let message: Value = serde_json::from_str(&alert.sns_message()).unwrap();
    assert!(message.as_object().unwrap().values().all(Value::is_string), "SNS ignores what is not text");
    assert_eq!(
        (&message["email"], &message["https"], &message["default"]),
        (&json!(format!("{}{}", alert.text, alert.record)), &json!(alert.chat), &json!(alert.ocsf))
    );
    assert!(alert.record.contains("\"eventName\": \"StopLogging\""), "{}", alert.record);
}
