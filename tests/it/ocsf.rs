//! The machine form of an alert. `make ocsf` holds all that is written here against the schema of OCSF.

mod corpus;
mod shapes;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use corpus::Named;
use serde_json::{Value, json};
use trailhound::notify::Story;
use trailhound::notify::asff::{self, Product};

async fn everything() -> Vec<Named> {
    let (shapes, rules, summaries) =
        (corpus::of_shapes().await, corpus::of_rules().await, corpus::of_summaries().await);
    [shapes, rules, summaries, corpus::of_itself(), corpus::of_samples().await].concat()
}

#[tokio::test]
async fn findings_of_every_kind_are_there_to_be_checked_and_explained() {
    let found = everything().await;
    let count = |start: &str| found.iter().filter(|(name, _)| name.starts_with(start)).count();
    assert!(shapes::all().len() >= 50 && count("own: ") >= 5 && count("events/") >= 60, "{}", found.len());
    corpus::write("ocsf", &found);
    let product = Product { partition: "aws".into(), account: "111122223333".into(), region: "eu-west-1".into() };
    let as_asff = |(name, finding): &Named| {
        let story: Story = serde_json::from_value(finding["unmapped"]["story"].clone()).unwrap();
        (name.clone(), asff::finding(&story, &product))
    };
    corpus::write("asff", &found.iter().map(as_asff).collect::<Vec<_>>());
    let mut attributes = BTreeSet::new();
    for (_, finding) in &found {
        collect(finding, "", &mut attributes);
    }
    assert_eq!(documented(), attributes, "docs/alerts.md and the findings differ");
}

/// The places of all that a finding says. A record is whatever CloudTrail wrote, and a group has the names of a rule.
fn collect(value: &Value, at: &str, places: &mut BTreeSet<String>) {
    match value {
        _ if ["evidences[].data", "unmapped.correlation.group", "unmapped.story"].contains(&at) => {
            places.insert(at.to_owned());
        }
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            collect(member, format!("{at}.{name}").trim_start_matches('.'), places);
        }),
        Value::Array(items) => items.iter().for_each(|item| collect(item, &format!("{at}[]"), places)),
        _ => {
            places.insert(at.to_owned());
        }
    }
}

/// The attributes in the page's tables. `.name` stands beside the last one that is written out.
fn documented() -> BTreeSet<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/alerts.md")).unwrap();
    let section = page.split("\n## The OCSF finding").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut attributes = BTreeSet::new();
    for row in section.lines().filter_map(|line| line.strip_prefix("| `")) {
        let cell = row.split(" | ").next().unwrap();
        let mut beside = "";
        for name in cell.split('`').step_by(2).filter(|name| !name.trim().is_empty()) {
            let attribute = if name.starts_with('.') { format!("{beside}{name}") } else { name.to_owned() };
            if !name.starts_with('.') {
                beside = name.rsplit_once('.').map_or("", |(parent, _)| parent);
            }
            assert!(attributes.insert(attribute.clone()), "`{attribute}` stands there twice");
        }
    }
    attributes
}

/// What a finding of a shape says at some places.
async fn said<const N: usize>(shape: &str, places: [&str; N]) -> [Value; N] {
    let record = shapes::all().into_iter().find(|(name, _)| *name == shape).unwrap().1;
    let finding = corpus::of_record(&record).await;
    places.map(|place| finding.pointer(&format!("/evidences/0/{place}")).cloned().unwrap_or_default())
}

#[tokio::test]
async fn a_caller_is_named_as_the_identity_has_it() {
    let user = ["actor/user/type", "actor/user/name", "actor/user/uid", "actor/user/uid_alt"];
    for (shape, expected) in [
        ("a user with a key", json!(["User", "alice", "arn:aws:iam::111122223333:user/alice", "AIDAEXAMPLE"])),
        ("root", json!(["Admin", null, "arn:aws:iam::111122223333:root", "111122223333"])),
        (
            "a session of an instance",
            json!([
                "AssumedRole",
                "i-0abc",
                "arn:aws:sts::111122223333:assumed-role/deploy/i-0abc",
                "AROAEXAMPLE:i-0abc"
            ]),
        ),
        ("a user of SAML", json!(["User", "alice@example.com", null, "sZ1=:alice@example.com"])),
        ("a user of Identity Center", json!(["User", null, null, "u-0001"])),
        ("a user failed to sign in", json!(["User", "alice", "arn:aws:iam::111122223333:user/alice", "AIDAEXAMPLE"])),
        ("somebody signed in to the portal", json!(["Unknown", "dora", null, "111122223333"])),
        ("a service", json!(["Service", "delivery.logs.amazonaws.com", null, null])),
        ("another account's copy", json!(["AWSAccount", null, null, "AROAFOREIGN:bob"])),
        // Of those of which one has to be there it is the only one.
        ("an identity without a type", json!(["Unknown", null, "P-1", null])),
        ("no identity", json!([null, null, null, null])),
    ] {
        assert_eq!(json!(said(shape, user).await), expected, "{shape}");
    }
}

#[tokio::test]
async fn a_session_tells_where_it_came_from() {
    let places = ["actor/session", "actor/idp", "user", "actor/app_name", "actor/app_uid"];
    let session = json!({"uid": "i-0abc", "issuer": "arn:aws:iam::111122223333:role/ci/deploy", "created_time": 1_793_869_950_000_i64,
        "credential_uid": "ASIAEXAMPLEKEYID0001"});
    let provider = json!({"uid": "arn:aws:iam::111122223333:oidc-provider/token.example.com", "protocol_name": "OIDC"});
    let store = json!({"uid": "arn:aws:identitystore::111122223333:identitystore/d-1"});
    let function = json!("arn:aws:lambda:eu-west-1:111122223333:function:f");
    for (shape, expected) in [
        ("a session of an instance", json!([session, null, null, null, null])),
        ("a session of OIDC", json!([session, provider, null, null, null])),
        ("a session of a function", json!([session, null, null, null, function])),
        (
            "a chained session",
            json!([session, null, {"type_id": 1, "type": "User", "name": "alice@example.com"}, null, null]),
        ),
        (
            "a user in the console",
            json!([{"created_time": 1_793_840_788_000_i64, "credential_uid": "AKIAEXAMPLEKEYID0001", "is_mfa": true}, null, null, null, null]),
        ),
        ("a user of Identity Center", json!([{"credential_uid": "cred-1"}, store, null, null, null])),
        (
            "a user through a service",
            json!([{"credential_uid": "AKIAEXAMPLEKEYID0001"}, null, null, "cloudformation.amazonaws.com", null]),
        ),
        (
            "a user through a product",
            json!([{"credential_uid": "AKIAEXAMPLEKEYID0001"}, null, null, null, "444455556666"]),
        ),
        ("a provider alone", json!([null, null, null, null, null])),
    ] {
        assert_eq!(json!(said(shape, places).await), expected, "{shape}");
    }
    let [behind, principal] = said("a session of Identity Center", ["user/uid", "actor/user/uid_alt"]).await;
    assert_eq!((behind, principal), (json!("u-0001"), json!("AROAEXAMPLE:alice@example.com")));
}

#[tokio::test]
async fn only_a_call_is_a_call() {
    let places = ["api/operation", "api/service/name", "api/response", "src_endpoint", "name"];
    for (shape, expected) in [
        (
            "a refused call",
            json!(["StopLogging", "cloudtrail.amazonaws.com",
            {"error": "AccessDenied", "error_message": "User: x is not authorized", "message": "denied"}, {"ip": "203.0.113.66", "autonomous_system": {"number": 64496, "name": "Example Hosting"}, "location": {"country": "NL"}}, "AwsApiCall"]),
        ),
        // The insight's own name says nothing of what was called.
        (
            "an insight",
            json!(["CompleteLifecycleAction", "autoscaling.amazonaws.com", {"error": "AccessDenied"}, null, "AwsCloudTrailInsight"]),
        ),
        ("aggregated events", json!([null, null, null, null, "AwsAggregatedEvent"])),
        (
            "a call through a VPC endpoint",
            json!(["StopLogging", "cloudtrail.amazonaws.com", {"message": "success"}, {"ip": "10.30.4.12", "uid": "vpce-0123456789abcdef0",
            "owner": {"account": {"uid": "444455556666", "type_id": 10, "type": "AWS Account"}}}, "AwsApiCall"]),
        ),
        (
            "a service event",
            json!(["RotateKey", "kms.amazonaws.com", {"message": "success"}, {"svc_name": "AWS Internal"}, "AwsServiceEvent"]),
        ),
        ("a record with a name alone", json!(["X", null, {"message": "success"}, null, null])),
    ] {
        assert_eq!(json!(said(shape, places).await), expected, "{shape}");
    }
}

#[tokio::test]
async fn a_resource_is_what_cloudtrail_says_and_its_arn() {
    let shape = shapes::all().into_iter().find(|(name, _)| *name == "a data event").unwrap().1;
    let owner = json!({"account": {"uid": "444455556666", "type_id": 10, "type": "AWS Account"}});
    assert_eq!(
        corpus::of_record(&shape).await["resources"],
        json!([
            {"uid": "arn:aws:s3:::bucket/a/b.txt", "name": "bucket/a/b.txt", "type": "AWS::S3::Object", "cloud_partition": "aws",
                "role_id": 3, "role": "Affected"},
            {"uid": "arn:aws:s3:::bucket", "name": "bucket", "type": "AWS::S3::Bucket", "cloud_partition": "aws", "owner": owner,
                "role_id": 3, "role": "Affected"},
        ])
    );
    for (shape, role, partition) in
        [("a refused call", "Target", "aws"), ("China", "Affected", "aws-cn"), ("GovCloud", "Affected", "aws-us-gov")]
    {
        let shape = shapes::all().into_iter().find(|(name, _)| *name == shape).unwrap().1;
        let finding = corpus::of_record(&shape).await;
        let resource = &finding["resources"][0];
        assert_eq!((&resource["role"], &resource["cloud_partition"]), (&json!(role), &json!(partition)));
        assert_eq!(finding["cloud"]["cloud_partition"], partition);
    }
}

/// It would be a lie in whoever joins findings with events.
#[test]
fn what_trailhound_says_of_itself_was_in_no_log() {
    let found = corpus::of_itself();
    for (name, finding) in &found {
        let metadata = &finding["metadata"];
        assert_eq!((&metadata["log_name"], &metadata["log_provider"]), (&json!("trailhound"), &json!("trailhound")));
        for absent in ["original_time", "original_event_uid", "log_source", "log_format", "log_version", "type"] {
            assert!(metadata.get(absent).is_none(), "{name}: {absent}");
        }
        assert_eq!(finding["finding_info"]["data_sources"], json!(["trailhound"]), "{name}");
        assert!(finding["evidences"][0].get("actor").is_none(), "{name}");
        assert_eq!(finding["evidences"][0]["api"]["service"]["name"], "trailhound", "{name}");
    }
    assert!(found.iter().any(|(_, finding)| finding["cloud"].get("account").is_none()), "one belongs to no account");
}

/// SNS takes 256 KB for everything, and most of this is said again and again.
#[tokio::test]
async fn a_finding_is_small() {
    let shape = shapes::all().into_iter().find(|(name, _)| *name == "a session of an instance").unwrap().1;
    let mut finding = corpus::of_record(&shape).await;
    // What people are told is as long as the rule's author made it.
    finding.as_object_mut().unwrap().remove("unmapped");
    let record = finding["evidences"][0].as_object_mut().unwrap().remove("data").unwrap().to_string().len();
    let size = finding.to_string().len();
    assert!(size < 4_500 && record < 1_500, "{size} bytes besides the {record} of the record");
}
