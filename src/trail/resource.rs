//! Which resources a call was about.
//!
//! Only some services fill `resources` (EC2 and IAM calls carry none), so the request's own names are turned into ARNs.

use std::borrow::Cow;

use super::Record;
use super::identity::partition;
use super::json::Json;
use super::slots::Slot;

/// A resource as a record lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedResource<'a> {
    /// Its ARN.
    pub arn: Cow<'a, str>,
    /// What it is: `AWS::SQS::Queue`.
    pub kind: Option<Cow<'a, str>>,
    /// The account that owns it.
    pub account: Option<Cow<'a, str>>,
}

impl<'a> Record<'a> {
    /// ARNs of the resources, in the record's order; empty where neither `resources` nor the request names one.
    #[must_use]
    pub fn resources(&self) -> Vec<Cow<'a, str>> {
        let arns: Vec<_> = self.listed().filter_map(|resource| self.arn_of(resource)).collect();
        if arns.is_empty() { self.requested().into_iter().collect() } else { arns }
    }

    /// What the record says of the resources that it lists.
    #[must_use]
    pub fn listed_resources(&self) -> Vec<ListedResource<'a>> {
        let said = |resource, name| self.member(resource, name)?.text().filter(|text| !text.is_empty());
        let resource = |resource| {
            let (kind, account) = (said(resource, "type"), said(resource, "accountId"));
            self.arn_of(resource).map(|arn| ListedResource { arn, kind, account })
        };
        self.listed().filter_map(resource).collect()
    }

    /// The account that owns the resource.
    #[must_use]
    pub fn resource_account(&self) -> Option<String> {
        // The entry of an S3 object carries no account; the one of its bucket beside it does.
        let listed = self.listed().find_map(|resource| self.member(resource, "accountId")?.text().map(Cow::into_owned));
        let from_arn = || self.resources().first().and_then(|arn| account_of(arn).map(str::to_owned));
        listed.or_else(from_arn).or_else(|| self.account().map(Cow::into_owned))
    }

    fn arn_of(&self, resource: Json<'a>) -> Option<Cow<'a, str>> {
        let arn = self.member(resource, "ARN").or_else(|| self.member(resource, "arn"))?.text();
        arn.filter(|arn| !arn.is_empty())
    }

    fn listed(&self) -> impl Iterator<Item = Json<'a>> {
        self.get("resources").into_iter().flat_map(|list| list.items().map_while(|item| self.noted(item)))
    }

    fn requested(&self) -> Option<Cow<'a, str>> {
        let parameter = |name: &str| self.text(&format!("requestParameters.{name}"));
        let source = self.said(Slot::EventSource)?;
        match source.split('.').next()? {
            "sqs" => {
                queue_arn(&parameter("queueUrl")?, &self.said(Slot::AwsRegion).unwrap_or_default()).map(Cow::Owned)
            }
            "sns" => parameter("topicArn").or_else(|| parameter("targetArn")),
            "kms" => {
                let answered = self.text("responseElements.keyId").filter(|key| key.starts_with("arn:"));
                answered.or_else(|| self.arn("kms", parameter("keyId")?, "key/"))
            }
            "cloudtrail" => self.arn("cloudtrail", parameter("name").or_else(|| parameter("trailName"))?, "trail/"),
            "s3" => {
                let bucket = parameter("bucketName")?;
                Some(format!("arn:{}:s3:::{bucket}", self.partition()).into())
            }
            "iam" => ["user", "role", "group"].iter().find_map(|kind| {
                let name = parameter(&format!("{kind}Name"))?;
                Some(format!("arn:{}:iam::{}:{kind}/{name}", self.partition(), self.account()?).into())
            }),
            _ => None,
        }
    }

    /// A caller may write an ARN or a bare name; an alias is a name of its own.
    fn arn(&self, service: &str, name: Cow<'a, str>, kind: &str) -> Option<Cow<'a, str>> {
        if name.starts_with("arn:") {
            return Some(name);
        }
        let kind = if name.starts_with("alias/") { "" } else { kind };
        let (partition, region, account) = (self.partition(), self.said(Slot::AwsRegion)?, self.account()?);
        Some(format!("arn:{partition}:{service}:{region}:{account}:{kind}{name}").into())
    }

    fn partition(&self) -> &'static str {
        partition(&self.said(Slot::AwsRegion).unwrap_or_default())
    }
}

/// `https://sqs.us-west-1.amazonaws.com/111122223333/orders` names account and queue.
fn queue_arn(url: &str, region: &str) -> Option<String> {
    let mut path = url.split_once("://").map_or(url, |(_, rest)| rest).rsplit('/');
    let queue = path.find(|segment| !segment.is_empty())?;
    let account =
        path.next().filter(|account| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(format!("arn:{}:sqs:{region}:{account}:{queue}", partition(region)))
}

fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn resources(record: &Value) -> (Vec<String>, Option<String>) {
        let raw = record.to_string();
        let record = Record::parse(0, raw.as_bytes()).unwrap();
        (record.resources().into_iter().map(Cow::into_owned).collect(), record.resource_account())
    }

    #[test]
    fn what_a_list_leaves_out_stays_unknown() {
        let listed = json!({"resources": [
            {"ARN": "arn:aws:s3:::b/k", "type": "AWS::S3::Object"},
            {"type": "AWS::S3::Bucket"},
            {"arn": "arn:aws:s3:::b", "accountId": "123456789012", "type": ""},
        ]});
        let raw = listed.to_string();
        let record = Record::parse(0, raw.as_bytes()).unwrap();
        let resource = |arn: &'static str, kind: Option<&'static str>, account: Option<&'static str>| ListedResource {
            arn: arn.into(),
            kind: kind.map(Cow::Borrowed),
            account: account.map(Cow::Borrowed),
        };
        assert_eq!(
            record.listed_resources(),
            [
                resource("arn:aws:s3:::b/k", Some("AWS::S3::Object"), None),
                resource("arn:aws:s3:::b", None, Some("123456789012")),
            ]
        );
    }

    #[test]
    fn resources_come_from_the_list_or_from_the_request() {
        let record = |source: &str, request: Value| json!({"eventSource": source, "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "requestParameters": request});
        for (record, expected) in [
            (
                json!({"resources": [{"ARN": "arn:aws:s3:::b/k"}, {"ARN": "arn:aws:s3:::b", "accountId": "1"}]}),
                "arn:aws:s3:::b/k",
            ),
            (
                record(
                    "sqs.amazonaws.com",
                    json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"}),
                ),
                "arn:aws:sqs:eu-west-1:123456789012:orders",
            ),
            (
                record("sns.amazonaws.com", json!({"topicArn": "arn:aws:sns:eu-west-1:111122223333:t"})),
                "arn:aws:sns:eu-west-1:111122223333:t",
            ),
            (
                record("kms.amazonaws.com", json!({"keyId": "1234abcd"})),
                "arn:aws:kms:eu-west-1:111122223333:key/1234abcd",
            ),
            (record("kms.amazonaws.com", json!({"keyId": "alias/x"})), "arn:aws:kms:eu-west-1:111122223333:alias/x"),
            (
                record("cloudtrail.amazonaws.com", json!({"name": "org-trail"})),
                "arn:aws:cloudtrail:eu-west-1:111122223333:trail/org-trail",
            ),
            (record("iam.amazonaws.com", json!({"userName": "bob"})), "arn:aws:iam::111122223333:user/bob"),
        ] {
            assert_eq!(resources(&record).0[0], expected);
        }
        assert_eq!(
            resources(&record(
                "sqs.amazonaws.com",
                json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"})
            ))
            .1
            .as_deref(),
            Some("123456789012")
        );
        let object_first = json!({"recipientAccountId": "111122223333", "resources": [{"ARN": "arn:aws:s3:::b/k"}, {"ARN": "arn:aws:s3:::b", "accountId": "123456789012"}]});
        assert_eq!(resources(&object_first).1.as_deref(), Some("123456789012"));
        let url = |url: &str| resources(&record("sqs.amazonaws.com", json!({"queueUrl": url}))).0;
        assert_eq!(
            url("https://sqs.eu-west-1.amazonaws.com/123456789012/orders/"),
            ["arn:aws:sqs:eu-west-1:123456789012:orders"]
        );
        assert!(url("orders").is_empty());
        assert_eq!(resources(&record("ec2.amazonaws.com", json!(null))), (vec![], Some("111122223333".to_owned())));
    }
}
