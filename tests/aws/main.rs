//! The deployed stack: template.yaml on a local AWS emulator, which runs the compiled function.
//!
//! S3 put → SQS → Lambda → SNS → SQS, over HTTP, with the rights of the function's own role. `make aws-test` sets the
//! variable that names a Python with scripts/requirements.txt.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod concurrency;
#[path = "../conformance/mod.rs"]
mod conformance;
mod emulator;
mod proxy;
#[path = "../../benches/corpus/random.rs"]
#[allow(dead_code, reason = "made for more than this")]
mod random;
mod stack;
mod state;
#[path = "../it/support.rs"]
#[allow(dead_code, reason = "made for more tests than these")]
mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use stack::Stack;

/// What the template has the function connect to.
const WARMED: &str = r#""event":"warmed""#;
const NOT_WARMED: &str = r#""event":"warm_up_failed""#;

/// One stack for the whole story, because deploying takes seconds: each step looks at what the one before left.
#[tokio::test]
async fn a_trail_file_arrives_and_an_alert_goes_out() {
    let stack = Stack::deploy(&[]).await;
    a_file_alerts_with_who_did_what_where(&stack).await;
    the_same_file_again_is_not_told_again(&stack).await;
    a_poisoned_file_ends_in_the_dlq_while_its_neighbour_alerts(&stack).await;
    what_is_no_log_file_is_neither_told_nor_retried(&stack).await;
    the_role_may_connect_ahead(&stack);
    stack.stop();
}

#[tokio::test]
async fn a_function_that_may_not_connect_ahead_works_and_says_so() {
    let stack = Stack::deploy(&["TRAILHOUND_WARM=s3://somebody-elses-logs,alerts"]).await;
    a_file_alerts_with_who_did_what_where(&stack).await;
    let log = stack.log();
    let told = log.lines().find(|line| line.contains(NOT_WARMED)).unwrap_or_else(|| panic!("not told:\n{log}"));
    assert!(told.contains("s3://somebody-elses-logs"), "{told}");
    assert!(log.contains(WARMED), "the other place was not connected to:\n{log}");
    stack.stop();
}

async fn a_file_alerts_with_who_did_what_where(stack: &Stack) {
    // The prefix has a space and a plus: the key goes through S3's encoding and back.
    let key = "team a+b/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/first.json.gz";
    stack.put(key, &trail_file(&[stop_logging("org-trail", "e-1"), noise("e-2")])).await;
    let alerts = stack.alerts(1).await;
    let (finding, attributes) = &alerts[0];
    assert_eq!(finding["class_uid"], 2004);
    assert_eq!(finding["finding_info"]["title"], "CloudTrail logging stopped");
    let evidence = &finding["evidences"][0];
    assert_eq!(evidence["actor"]["user"]["uid_alt"], "arn:aws:iam::111122223333:user/alice");
    assert_eq!(
        (&evidence["api"]["operation"], &evidence["src_endpoint"]["ip"]),
        (&json!("StopLogging"), &json!("203.0.113.66"))
    );
    assert_eq!(evidence["data"]["eventID"], "e-1");
    assert_eq!(finding["resources"][0]["uid"], "arn:aws:cloudtrail:eu-west-1:111122223333:trail/org-trail");
    assert_eq!(finding["unmapped"]["file"], format!("s3://{}/{key}", stack.bucket()));
    for (name, value) in [
        ("level", "high"),
        ("account", "111122223333"),
        ("region", "eu-west-1"),
        ("event_source", "cloudtrail.amazonaws.com"),
    ] {
        assert_eq!(attributes[name]["Value"], value, "{attributes}");
    }
}

async fn the_same_file_again_is_not_told_again(stack: &Stack) {
    let file = trail_file(&[stop_logging("org-trail", "e-1"), noise("e-2")]);
    stack.put("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/again.json.gz", &file).await;
    // The next alert shows that the file before it was handled: the function works in order.
    stack
        .put("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/other.json.gz", &trail_file(&[delete_trail("e-3")]))
        .await;
    let alerts = stack.alerts(1).await;
    assert_eq!(alerts[0].0["finding_info"]["title"], "CloudTrail trail deleted");
    stack.wait_until_idle().await;
    assert_eq!(stack.alerts_now().await.len(), 0, "the file told twice gave a second alert");
}

async fn a_poisoned_file_ends_in_the_dlq_while_its_neighbour_alerts(stack: &Stack) {
    let good = trail_file(&[with_user(delete_trail("e-4"), "bob")]);
    stack.put("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/poison.json.gz", &good[..good.len() / 2]).await;
    stack.put("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/neighbour.json.gz", &good).await;
    let alerts = stack.alerts(1).await;
    assert_eq!(alerts[0].0["evidences"][0]["data"]["userIdentity"]["userName"], "bob");
    let dead = stack.dead_letter().await;
    assert_eq!(
        dead["Records"][0]["s3"]["object"]["key"],
        "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/poison.json.gz"
    );
}

async fn what_is_no_log_file_is_neither_told_nor_retried(stack: &Stack) {
    stack.put("AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/05/digest.json.gz", b"anything").await;
    stack.wait_until_idle().await;
    assert_eq!(stack.alerts_now().await.len(), 0);
}

/// The rights that the template gives are enough for what it asks for.
fn the_role_may_connect_ahead(stack: &Stack) {
    let log = stack.log();
    let warmed: Vec<&str> = log.lines().filter(|line| line.contains(WARMED)).collect();
    for place in [&format!("s3://{}", stack.bucket()), stack.topic_arn()] {
        assert!(warmed.iter().any(|line| line.contains(place)), "{place} was not connected to: {warmed:?}\n{log}");
    }
    assert!(!log.contains(NOT_WARMED), "{log}");
}

fn stop_logging(trail: &str, id: &str) -> Value {
    call("StopLogging", trail, id)
}

fn delete_trail(id: &str) -> Value {
    call("DeleteTrail", "org-trail", id)
}

fn noise(id: &str) -> Value {
    call("DescribeTrails", "org-trail", id)
}

fn with_user(mut record: Value, name: &str) -> Value {
    record["userIdentity"]["userName"] = json!(name);
    record["userIdentity"]["arn"] = json!(format!("arn:aws:iam::111122223333:user/{name}"));
    record
}

/// A call by a user with a long-lived key, as CloudTrail writes it.
fn call(event_name: &str, trail: &str, id: &str) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser", "principalId": "AIDAEXAMPLEUSERID0001", "arn": "arn:aws:iam::111122223333:user/alice",
            "accountId": "111122223333", "accessKeyId": "AKIAEXAMPLEKEYID0001", "userName": "alice",
        },
        "eventTime": "2026-11-05T10:00:00Z", "eventSource": "cloudtrail.amazonaws.com", "eventName": event_name,
        "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.66", "userAgent": "aws-cli/2.31.4",
        "requestParameters": {"name": format!("arn:aws:cloudtrail:eu-west-1:111122223333:trail/{trail}")}, "responseElements": null,
        "requestID": "0f5b1f0e-7d24-4b4e-9a31-000000000001", "eventID": id, "readOnly": false, "eventType": "AwsApiCall",
        "managementEvent": true, "recipientAccountId": "111122223333", "eventCategory": "Management",
    })
}

fn trail_file(records: &[Value]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json!({"Records": records}).to_string().as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// The last lines of the emulator's log, for whoever reads a failure.
fn tail(path: &Path) -> String {
    let log = fs::read_to_string(path).unwrap_or_default();
    log.lines().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
}
