//! Which data events rules need, and how a trail is told to log them.
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use trailhound::rule_pack::Pack;

use super::entry::Entry;

/// An event source, the resource type that an advanced event selector names, and the calls that are data events there.
const DATA_EVENTS: &[(&str, &str, &[&str])] = &[
    (
        "s3.amazonaws.com",
        "AWS::S3::Object",
        &[
            "GetObject",
            "PutObject",
            "CopyObject",
            "DeleteObject",
            "DeleteObjects",
            "HeadObject",
            "ListObjects",
            "PutObjectAcl",
            "PutObjectRetention",
            "PutObjectLegalHold",
            "RestoreObject",
            "UploadPart",
            "CreateMultipartUpload",
            "CompleteMultipartUpload",
        ],
    ),
    ("lambda.amazonaws.com", "AWS::Lambda::Function", &["Invoke"]),
    (
        "sqs.amazonaws.com",
        "AWS::SQS::Queue",
        &["SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"],
    ),
    ("sns.amazonaws.com", "AWS::SNS::Topic", &["Publish", "PublishBatch"]),
    (
        "dynamodb.amazonaws.com",
        "AWS::DynamoDB::Table",
        &[
            "GetItem",
            "PutItem",
            "Scan",
            "Query",
            "DeleteItem",
            "UpdateItem",
            "BatchGetItem",
            "BatchWriteItem",
            "ExecuteStatement",
        ],
    ),
    (
        "cognito-identity.amazonaws.com",
        "AWS::Cognito::IdentityPool",
        &["GetId", "GetCredentialsForIdentity", "GetOpenIdToken"],
    ),
    (
        "ebs.amazonaws.com",
        "AWS::EC2::Snapshot",
        &["GetSnapshotBlock", "ListSnapshotBlocks", "ListChangedBlocks", "PutSnapshotBlock"],
    ),
    ("bedrock.amazonaws.com", "AWS::Bedrock::AgentAlias", &["InvokeAgent"]),
    ("bedrock.amazonaws.com", "AWS::Bedrock::KnowledgeBase", &["Retrieve", "RetrieveAndGenerate"]),
    ("sns.amazonaws.com", "AWS::SNS::PlatformEndpoint", &[]),
];

/// The resource types whose data events a rule of the data pack looks at.
pub(super) fn of(entry: &Entry<'_>) -> Vec<String> {
    if !entry.is_in(Pack::DataEvents) {
        return Vec::new();
    }
    let source = entry.source();
    let names = |source: &str, name: &str| {
        source.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.starts_with(name))
    };
    let types: BTreeSet<&str> = DATA_EVENTS
        .iter()
        .filter(|(from, _, calls)| source.contains(from) && calls.iter().any(|call| names(&source, call)))
        .map(|(_, resource, _)| *resource)
        .collect();
    types.into_iter().map(|resource| format!("`{resource}`")).collect()
}

/// How many rules need each resource type.
pub(super) fn needed(entries: &[Entry<'_>]) -> BTreeMap<String, usize> {
    let mut needed = BTreeMap::new();
    for resource in entries.iter().flat_map(of) {
        *needed.entry(resource).or_default() += 1;
    }
    needed
}

/// Advanced event selectors for management events and these.
pub(super) fn advanced<'t>(types: impl Iterator<Item = &'t String>) -> impl Iterator<Item = Value> {
    let selector = |name: String, fields: Vec<Value>| json!({"Name": name, "FieldSelectors": fields});
    let equals = |field: &str, value: &str| json!({"Field": field, "Equals": [value]});
    let management = selector("management events".to_owned(), vec![equals("eventCategory", "Management")]);
    let data = types.map(move |resource| {
        let resource = resource.trim_matches('`');
        selector(
            format!("data events of {resource}"),
            vec![equals("eventCategory", "Data"), equals("resources.type", resource)],
        )
    });
    std::iter::once(management).chain(data)
}
