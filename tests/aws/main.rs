//! The deployed stack: template.yaml on a local AWS emulator, which runs the compiled function.
//!
//! S3 put → SQS → Lambda → SNS → SQS, over HTTP, with the rights of the function's own role. `make aws-test` sets the
//! variable that names a Python with scripts/requirements.txt.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod concurrency;
#[path = "../conformance/mod.rs"]
mod conformance;
mod emulator;
mod notifier;
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
use futures_util::future::join_all;
use serde_json::{Value, json};
use stack::Stack;

/// What the template has the function connect to.
const WARMED: &str = r#""event":"warmed""#;
const NOT_WARMED: &str = r#""event":"warm_up_failed""#;
/// Written once by each process of the function.
const STARTED: &str = r#""event":"rules_loaded""#;
const STATE_FAILED: &str = r#""event":"state_failed""#;

const RULES: &str = concat!(
    "TRAILHOUND_RULES=core,",
    env!("CARGO_MANIFEST_DIR"),
    "/rules/any/new_source_ip.yml,",
    env!("CARGO_MANIFEST_DIR"),
    "/tests/aws/rules"
);
const ADDRESS: &str = "203.0.113.66";
const TRAIL_STOPPED: &str = "CloudTrail logging stopped";
const TRAIL_DELETED: &str = "CloudTrail trail deleted";
const CANNOT_READ: &str = "trailhound cannot read what it was sent";
const TAMPERED: &str = "CloudTrail log files were tampered with";
const QUARANTINE: &str = "trailhound-quarantine/";
const NEW_ADDRESS: &str = "Principal used a new source IP address";

/// One stack for the whole story, because deploying takes seconds: each step looks at what the one before left.
#[tokio::test]
async fn a_trail_file_arrives_and_an_alert_goes_out() {
    let mut stack = Stack::deploy(&[RULES], &["EnrichmentUri=s3://example-config/addresses"]).await;
    what_is_known_of_addresses_lies_in_another_bucket(&stack).await;
    a_file_alerts_with_who_did_what_where(&stack).await;
    the_same_file_again_is_not_told_again(&stack).await;
    nor_by_another_process(&mut stack).await;
    of_many_processes_one_tells(&mut stack).await;
    an_address_is_new_to_whom_other_processes_have_known_for_a_week(&mut stack).await;
    events_that_came_to_two_processes_add_up(&mut stack).await;
    a_poisoned_file_is_put_aside_while_its_neighbour_alerts(&stack).await;
    a_message_that_nobody_knows_is_put_aside(&stack).await;
    an_event_by_event_bridge_is_told_at_once_and_its_file_adds_nothing(&stack).await;
    a_forged_digest_is_a_critical_alert(&stack).await;
    what_is_counted_is_sent_as_metrics(&stack);
    what_is_no_log_file_is_neither_told_nor_retried(&stack).await;
    the_role_allows_all_that_it_has_to(&stack);
    stack.stop();
}

/// A function that lacks a place does what it can without, and says so.
#[tokio::test]
async fn a_function_that_lacks_a_place_works_and_says_so() {
    let mut stack = Stack::deploy(&[RULES, "TRAILHOUND_WARM=s3://somebody-elses-logs,alerts"], &[]).await;
    a_file_alerts_with_who_did_what_where(&stack).await;
    // What it has said is in the log once it is done.
    stack.wait_until_idle().await;
    let told = line(&stack.log(), NOT_WARMED);
    assert!(told.contains("s3://somebody-elses-logs"), "{told}");
    let told = line(&stack.log(), WARMED);
    assert!(told.contains(stack.topic_arn()), "{told}");

    let dead = without_its_table_single_events_alert_and_the_rest_waits(&mut stack).await;
    what_waited_is_told_once_the_table_is_there(&mut stack, &dead).await;
    stack.stop();
}

async fn what_is_known_of_addresses_lies_in_another_bucket(stack: &Stack) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/enrichment/data");
    let file = |name: &str| fs::read(data.join(name)).unwrap();
    let objects = [("addresses/asn.mmdb", file("asn.mmdb")), ("addresses/ip-ranges.json", file("ip-ranges.json"))];
    stack.put_elsewhere("example-config", &objects).await;
}

async fn a_file_alerts_with_who_did_what_where(stack: &Stack) {
    // The prefix has a space and a plus: the key goes through S3's encoding and back.
    let key = "team a+b/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/first.json.gz";
    stack.put(key, &trail_file(&[stop_logging("org-trail", "e-1"), noise("e-2")])).await;
    let alerts = stack.alerts(1).await;
    let (finding, attributes) = &alerts[0];
    assert_eq!(finding["class_uid"], 2004);
    assert_eq!(title(finding), TRAIL_STOPPED);
    let evidence = &finding["evidences"][0];
    assert_eq!(evidence["actor"]["user"]["uid"], "arn:aws:iam::111122223333:user/alice");
    assert_eq!(
        (&evidence["api"]["operation"], &evidence["src_endpoint"]["ip"]),
        (&json!("StopLogging"), &json!(ADDRESS))
    );
    assert_eq!(evidence["data"]["eventID"], "e-1");
    assert_eq!(finding["resources"][0]["uid"], "arn:aws:cloudtrail:eu-west-1:111122223333:trail/org-trail");
    assert_eq!(finding["metadata"]["log_source"], format!("s3://{}/{key}", stack.bucket()));
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
    stack.put(&key("again"), &trail_file(&[stop_logging("org-trail", "e-1"), noise("e-2")])).await;
    nothing_is_told_but_the_next_file(stack, "bob").await;
}

async fn nor_by_another_process(stack: &mut Stack) {
    let starts = count(&stack.log(), STARTED);
    stack.replace_function(&json!({}));
    stack.put(&key("replaced"), &trail_file(&[stop_logging("org-trail", "e-1"), noise("e-2")])).await;
    nothing_is_told_but_the_next_file(stack, "carol").await;
    assert!(count(&stack.log(), STARTED) > starts, "no new process has started");
}

/// Shows, by a file that alerts, that what was put before it has been handled.
async fn nothing_is_told_but_the_next_file(stack: &Stack, user: &str) {
    stack.put(&key(user), &trail_file(&[by(user, delete_trail(user))])).await;
    let alerts = stack.alerts(1).await;
    assert_eq!((title(&alerts[0].0), caller(&alerts[0].0)), (TRAIL_DELETED, user));
    // Its message came to the queue after the others.
    stack.wait_until_idle().await;
    assert_eq!(titles(&stack.alerts_now().await), [""; 0], "told twice");
}

async fn of_many_processes_one_tells(stack: &mut Stack) {
    stack.replace_function(&json!({}));
    let starts = count(&stack.log(), STARTED);
    let file = trail_file(&[by("dave", stop_logging("org-trail", "e-5"))]);
    // More than one batch holds, at once: while a process starts for the first, others have to for the rest.
    let keys: Vec<String> = (0..30).map(|copy| key(&format!("copy-{copy}"))).collect();
    join_all(keys.iter().map(|key| stack.put(key, &file))).await;
    let alerts = stack.alerts(1).await;
    assert_eq!((title(&alerts[0].0), caller(&alerts[0].0)), (TRAIL_STOPPED, "dave"));
    stack.wait_until_idle().await;
    assert_eq!(titles(&stack.alerts_now().await), [""; 0], "told twice");
    assert_eq!(stack.dead_letters_now().await, 0, "a file that waited for another process to tell was given up");
    assert!(count(&stack.log(), STARTED) >= starts + 2, "one process had it all");
}

async fn an_address_is_new_to_whom_other_processes_have_known_for_a_week(stack: &mut Stack) {
    stack.put(&key("week-before"), &trail_file(&[a_week_before(by("erin", noise("e-6")))])).await;
    nothing_is_told_but_the_next_file(stack, "frank").await;
    stack.replace_function(&json!({}));
    stack.put(&key("now"), &trail_file(&[by("erin", noise("e-7"))])).await;
    let alerts = stack.alerts(1).await;
    assert_eq!((title(&alerts[0].0), caller(&alerts[0].0)), (NEW_ADDRESS, "erin"));
    assert_eq!(alerts[0].0["evidences"][0]["src_endpoint"]["ip"], ADDRESS);
}

async fn events_that_came_to_two_processes_add_up(stack: &mut Stack) {
    stack.put(&key("first-part"), &trail_file(&[by("grace", stop_logging("org-trail", "e-8"))])).await;
    assert_eq!(titles(&stack.alerts(1).await), [TRAIL_STOPPED]);
    stack.wait_until_idle().await;
    stack.replace_function(&json!({}));
    stack.put(&key("second-part"), &trail_file(&[at("2026-11-05T10:20:00Z", by("grace", delete_trail("e-9")))])).await;
    let told = titles(&stack.alerts(2).await);
    assert_eq!(told, [TRAIL_DELETED, "Trail stopped, then deleted"]);
}

/// The message that was given up.
async fn without_its_table_single_events_alert_and_the_rest_waits(stack: &mut Stack) -> Value {
    stack.put(&key("week-before"), &trail_file(&[a_week_before(by("erin", noise("e-6")))])).await;
    nothing_is_told_but_the_next_file(stack, "frank").await;
    stack.replace_function(&json!({"TRAILHOUND_STATE": "dynamodb:not-there"}));

    stack.put(&key("now"), &trail_file(&[by("erin", stop_logging("org-trail", "e-7"))])).await;
    let alerts = stack.alerts(1).await;
    let finding = &alerts[0].0;
    assert_eq!(title(finding), TRAIL_STOPPED);
    assert!(finding["unmapped"]["story"]["notes"].to_string().contains("may have been told before"), "{finding}");
    let dead = stack.dead_letter().await;
    assert_eq!(dead["Records"][0]["s3"]["object"]["key"], key("now"));
    let told = line(&stack.log(), STATE_FAILED);
    assert!(told.contains("the function's role needs dynamodb:BatchGetItem on the table"), "{told}");
    assert_eq!(titles(&stack.alerts_now().await), [""; 0], "told again when the message came again");
    dead
}

async fn what_waited_is_told_once_the_table_is_there(stack: &mut Stack, dead: &Value) {
    stack.replace_function(&json!({"TRAILHOUND_STATE": format!("dynamodb:{}", stack.table())}));
    stack.send(dead).await;
    let told = titles(&stack.alerts(2).await);
    assert_eq!(told, [TRAIL_STOPPED, NEW_ADDRESS]);
}

async fn a_poisoned_file_is_put_aside_while_its_neighbour_alerts(stack: &Stack) {
    let good = trail_file(&[by("heidi", delete_trail("e-4"))]);
    // S3 copies what lies under a name that has to be encoded.
    let poison = format!("team a+b/{}", key("poison"));
    stack.put(&poison, &good[..good.len() / 2]).await;
    stack.put(&key("neighbour"), &good).await;
    assert_eq!(titles(&stack.alerts(2).await), [TRAIL_DELETED, CANNOT_READ]);
    let aside = stack.objects(QUARANTINE).await;
    let start = format!("{QUARANTINE}damaged/{}/{poison}@", stack.bucket());
    assert!(aside.len() == 2 && aside.iter().all(|key| key.starts_with(&start)), "{aside:?}");
    let raw = aside.iter().find(|key| key.strip_suffix(".raw").is_some()).unwrap();
    assert_eq!(stack.get(raw).await, &good[..good.len() / 2]);
    assert_eq!(stack.dead_letters_now().await, 0);
}

async fn a_message_that_nobody_knows_is_put_aside(stack: &Stack) {
    stack.send(&json!({"orderId": 1})).await;
    let alerts = stack.alerts(1).await;
    assert_eq!(title(&alerts[0].0), CANNOT_READ);
    assert_eq!(stack.objects(&format!("{QUARANTINE}not_understood/payload/")).await.len(), 2);
    assert_eq!(stack.dead_letters_now().await, 0);
}

async fn an_event_by_event_bridge_is_told_at_once_and_its_file_adds_nothing(stack: &Stack) {
    let record = by("ivan", stop_logging("org-trail", "e-10"));
    stack.send(&json!({"id": "1", "source": "aws.cloudtrail", "detail-type": "AWS API Call via CloudTrail", "detail": record})).await;
    let alerts = stack.alerts(1).await;
    assert_eq!((title(&alerts[0].0), caller(&alerts[0].0)), (TRAIL_STOPPED, "ivan"));
    stack.put(&key("ivan"), &trail_file(&[record])).await;
    nothing_is_told_but_the_next_file(stack, "judy").await;
}

/// Lines of the log that are nothing but metrics, as CloudWatch wants them.
fn what_is_counted_is_sent_as_metrics(stack: &Stack) {
    let log = stack.log();
    let documents: Vec<Value> = log
        .lines()
        .filter(|line| line.starts_with('{') && line.contains("CloudWatchMetrics"))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let sum = |name: &str| documents.iter().filter_map(|document| document[name].as_u64()).sum::<u64>();
    assert!(sum("Files") > 30 && sum("FailedDamaged") == 1 && sum("FailedNotUnderstood") == 1, "{documents:?}");
    assert!(documents.iter().all(|document| document["FunctionName"].is_string()), "{documents:?}");
}

async fn what_is_no_log_file_is_neither_told_nor_retried(stack: &Stack) {
    stack.put("AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/11/05/flow.json.gz", b"anything").await;
    stack.put("copies/no-records.json.gz", b"{\"orderId\": 1}").await;
    stack.wait_until_idle().await;
    assert_eq!(stack.alerts_now().await.len(), 0);
}

async fn a_forged_digest_is_a_critical_alert(stack: &Stack) {
    let name = "111122223333_CloudTrail-Digest_eu-west-1_org-trail_eu-west-1_20261105T070131Z";
    let key = format!("AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/05/{name}.json.gz");
    stack.put(&key, &gzip(b"{\"logFiles\": []}")).await;
    let alerts = stack.alerts(1).await;
    assert_eq!((title(&alerts[0].0), &alerts[0].0["severity"]), (TAMPERED, &json!("Critical")));
}

/// The rights that the template gives are enough for what it asks for.
fn the_role_allows_all_that_it_has_to(stack: &Stack) {
    let log = stack.log();
    let warmed: Vec<&str> = log.lines().filter(|line| line.contains(WARMED)).collect();
    for place in [&format!("s3://{}", stack.bucket()), stack.topic_arn(), stack.table()] {
        assert!(warmed.iter().any(|line| line.contains(place)), "{place} was not connected to: {warmed:?}\n{log}");
    }
    assert_eq!((count(&log, NOT_WARMED), count(&log, STATE_FAILED)), (0, 0), "{log}");
    let loaded = line(&log, r#""event":"enrichment_loaded""#);
    assert!(loaded.contains("ip-ranges.json of 2026-11-04") && loaded.contains("asn.mmdb of 2026-11-04"), "{loaded}");
    // S3's test message starts the first process before the test has made the bucket.
    let (_, since) = log.split_once(&loaded).unwrap();
    assert_eq!(count(since, r#""event":"enrichment_failed""#), 0, "{log}");
}

/// Of the rule.
fn title(finding: &Value) -> &str {
    finding["finding_info"]["analytic"]["name"].as_str().unwrap()
}

/// Sorted.
fn titles(alerts: &[(Value, Value)]) -> Vec<String> {
    let mut titles: Vec<String> = alerts.iter().map(|(finding, _)| title(finding).to_owned()).collect();
    titles.sort_unstable();
    titles
}

fn caller(finding: &Value) -> &str {
    finding["evidences"][0]["data"]["userIdentity"]["userName"].as_str().unwrap()
}

fn count(log: &str, event: &str) -> usize {
    log.lines().filter(|line| line.contains(event)).count()
}

/// The first line of an event.
fn line(log: &str, event: &str) -> String {
    log.lines().find(|line| line.contains(event)).unwrap_or_else(|| panic!("no {event}:\n{log}")).to_owned()
}

fn key(name: &str) -> String {
    format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/{name}.json.gz")
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

fn by(name: &str, mut record: Value) -> Value {
    record["userIdentity"]["userName"] = json!(name);
    record["userIdentity"]["arn"] = json!(format!("arn:aws:iam::111122223333:user/{name}"));
    record
}

fn at(time: &str, mut record: Value) -> Value {
    record["eventTime"] = json!(time);
    record
}

/// A day more than the rule wants to have known a caller, and from elsewhere.
fn a_week_before(mut record: Value) -> Value {
    record["sourceIPAddress"] = json!("198.51.100.7");
    at("2026-10-28T10:00:00Z", record)
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
        "awsRegion": "eu-west-1", "sourceIPAddress": ADDRESS, "userAgent": "aws-cli/2.31.4",
        "requestParameters": {"name": format!("arn:aws:cloudtrail:eu-west-1:111122223333:trail/{trail}")}, "responseElements": null,
        "requestID": "0f5b1f0e-7d24-4b4e-9a31-000000000001", "eventID": id, "readOnly": false, "eventType": "AwsApiCall",
        "managementEvent": true, "recipientAccountId": "111122223333", "eventCategory": "Management",
    })
}

fn trail_file(records: &[Value]) -> Vec<u8> {
    gzip(json!({"Records": records}).to_string().as_bytes())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The last lines of the emulator's log, for whoever reads a failure.
fn tail(path: &Path) -> String {
    let log = fs::read_to_string(path).unwrap_or_default();
    log.lines().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
}
