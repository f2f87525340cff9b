//! What the policy documents of a record grant.
//!
//! A policy document is any object under `requestParameters`, in text or not, whose `Statement` holds a statement: S3's
//! `bucketPolicy` object, IAM's and KMS's strings, the attributes of queues and topics, whatever the member's name. Calls
//! that add one permission (Lambda, EventBridge, SQS, SNS) carry its parts instead, and count as the statement the service
//! makes of them. `responseElements` is read only when a `Create…` call's request has no readable document: it repeats the
//! request's, and the answers of other calls tell of policies that stood before, or are gone.
//!
//! Documents that only limit, or are only looked at, grant nothing: those of organizations, VPC endpoints, simulations.
//! Whether the call succeeded is not asked here.

use std::collections::BTreeSet;

use super::Record;
use super::documents::{self, Found};
use super::slots::Slot;
use super::statement::{Grant, PrincipalKind};

/// What the policy documents of a record grant, statement by statement; `Deny` statements are left out.
///
/// All texts come from the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// What each `Allow` statement grants, in the documents' order.
    pub statements: Vec<Grant>,
    /// Whether a document, or a statement of one, can't be read, as one that CloudTrail cut: it may grant more.
    pub unreadable: bool,
    /// The account that owns the resource.
    owner: Option<String>,
}

impl Grants {
    /// Whether a statement grants to everyone, be it narrowed by a condition.
    #[must_use]
    pub fn to_everyone(&self) -> bool {
        self.statements.iter().any(Grant::to_everyone)
    }

    /// Whether a statement grants to everyone, and no condition narrows it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.statements.iter().any(|grant| grant.to_everyone() && !grant.narrowed)
    }

    /// Whether a statement grants to somebody outside the owner's account: everyone, another account, an OIDC
    /// provider's users.
    #[must_use]
    pub fn to_outside(&self) -> bool {
        self.statements.iter().any(|grant| grant.to_outside(self.owner.as_deref()))
    }

    /// Whether a statement grants to somebody outside the owner's account, and no condition narrows it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.statements.iter().any(|grant| grant.to_outside(self.owner.as_deref()) && !grant.narrowed)
    }

    /// Accounts that are granted something, the owner's among them; sorted.
    #[must_use]
    pub fn accounts(&self) -> Vec<&str> {
        self.distinct(|kind, _| if let PrincipalKind::Account(id) = kind { Some(id) } else { None })
    }

    /// Accounts besides the owner's that are granted something; sorted.
    #[must_use]
    pub fn foreign_accounts(&self) -> Vec<&str> {
        self.accounts().into_iter().filter(|account| Some(*account) != self.owner.as_deref()).collect()
    }

    /// Services that are granted something; sorted.
    #[must_use]
    pub fn services(&self) -> Vec<&str> {
        self.distinct(|kind, text| (*kind == PrincipalKind::Service).then_some(text))
    }

    /// Identity providers that are granted something; sorted.
    #[must_use]
    pub fn federated(&self) -> Vec<&str> {
        self.distinct(|kind, text| (*kind == PrincipalKind::Federated).then_some(text))
    }

    /// All principals as written; sorted.
    #[must_use]
    pub fn principals(&self) -> Vec<&str> {
        self.distinct(|_, text| Some(text))
    }

    /// All actions as written, `*` for a `NotAction`; sorted.
    #[must_use]
    pub fn actions(&self) -> Vec<&str> {
        sorted(self.statements.iter().flat_map(|grant| &grant.actions).map(String::as_str))
    }

    /// Whether a statement allows `*` or all actions of a service.
    #[must_use]
    pub fn wildcard_action(&self) -> bool {
        self.statements.iter().any(Grant::wildcard_action)
    }

    /// Whether a statement holds for every resource.
    #[must_use]
    pub fn wildcard_resource(&self) -> bool {
        self.statements.iter().any(Grant::wildcard_resource)
    }

    /// Whether one statement allows everything on everything.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.statements.iter().any(Grant::is_admin)
    }

    fn distinct<'g>(&'g self, pick: impl Fn(&'g PrincipalKind, &'g str) -> Option<&'g str>) -> Vec<&'g str> {
        let principals = self.statements.iter().flat_map(|grant| &grant.principals);
        sorted(principals.filter_map(|principal| pick(&principal.kind, &principal.text)))
    }
}

impl Record<'_> {
    /// What the record's policy documents grant; `None` when it carries none. Grants of nothing are `Some`: a document
    /// that only denies.
    #[must_use]
    pub fn grants(&self) -> Option<Grants> {
        if self.only_limits() {
            return None;
        }
        let found = |part: &str| documents::find(self.get(part)?);
        let asked = self.permission().or_else(|| found("requestParameters"));
        let is_settled = asked.as_ref().is_some_and(|asked| !asked.unreadable);
        let creates = self.said(Slot::EventName).is_some_and(|name| name.starts_with("Create"));
        let answered = if creates && !is_settled { found("responseElements") } else { None };
        let Found { grants: statements, unreadable, .. } = answered.filter(|it| !it.unreadable).or(asked)?;
        Some(Grants { statements, unreadable, owner: self.resource_account() })
    }

    /// Whether the documents of this call only set limits to what others grant, or are only judged.
    fn only_limits(&self) -> bool {
        let name = self.said(Slot::EventName).unwrap_or_default();
        let name = &*name;
        let source = self.said(Slot::EventSource).unwrap_or_default();
        match source.split('.').next() {
            // Service and resource control policies; `PutResourcePolicy` does grant.
            Some("organizations") => matches!(name, "CreatePolicy" | "UpdatePolicy"),
            Some("ec2") => matches!(name, "CreateVpcEndpoint" | "ModifyVpcEndpoint"),
            Some("iam") => name.starts_with("Simulate") || name.starts_with("GetContextKeys"),
            Some("access-analyzer") => true,
            _ => false,
        }
    }

    /// The permission that a call adds by its parts.
    fn permission(&self) -> Option<Found> {
        let name = self.said(Slot::EventName)?;
        // Lambda's names go on with a date: `AddPermission20150331v2`.
        let adds =
            ["AddPermission", "AddLayerVersionPermission", "PutPermission"].iter().any(|it| name.starts_with(it));
        let request = self.get("requestParameters").filter(|_| adds)?.tree()?;
        documents::permission(request.as_object()?)
    }
}

fn sorted<'g>(texts: impl Iterator<Item = &'g str>) -> Vec<&'g str> {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const PUBLIC: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}}"#;

    fn grants(source: &str, name: &str, request: &Value, response: &Value) -> Option<Grants> {
        let raw = json!({
            "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": "eu-west-1",
            "recipientAccountId": "111122223333", "requestParameters": request, "responseElements": response,
        })
        .to_string();
        Record::parse(0, raw.as_bytes()).unwrap().grants()
    }

    fn asked(source: &str, name: &str, request: &Value) -> Option<Grants> {
        grants(source, name, request, &Value::Null)
    }

    #[test]
    fn documents_are_found_in_every_shape() {
        let object: Value = serde_json::from_str(PUBLIC).unwrap();
        for (source, name, request) in [
            ("s3", "PutBucketPolicy", json!({"bucketName": "b", "policy": "", "bucketPolicy": object})),
            ("sqs", "SetQueueAttributes", json!({"attributes": {"Policy": PUBLIC, "VisibilityTimeout": "30"}})),
            ("sns", "SetTopicAttributes", json!({"attributeName": "Policy", "attributeValue": PUBLIC})),
            ("kms", "PutKeyPolicy", json!({"keyId": "k", "policyName": "default", "policy": PUBLIC})),
            ("ecr", "SetRepositoryPolicy", json!({"repositoryName": "r", "policyText": PUBLIC, "force": false})),
            ("es", "UpdateElasticsearchDomainConfig", json!({"domainName": "d", "accessPolicies": PUBLIC})),
            ("glacier", "SetVaultAccessPolicy", json!({"vaultName": "v", "policy": {"policy": PUBLIC}})),
            ("organizations", "PutResourcePolicy", json!({"content": PUBLIC})),
            ("apigateway", "UpdateRestApi", json!({"patchOperations": [{"path": "/policy", "value": PUBLIC}]})),
            ("some", "Call", json!({"template": json!({"Resources": {"P": {"Properties": object}}}).to_string()})),
        ] {
            let grants = asked(source, name, &request).unwrap();
            assert!(grants.is_public() && grants.to_everyone() && grants.is_open() && !grants.unreadable, "{name}");
            assert!(grants.wildcard_action() && grants.wildcard_resource() && !grants.is_admin(), "{name}");
            assert_eq!((grants.actions(), grants.principals()), (vec!["sqs:*"], vec!["*"]), "{name}");
        }
    }

    #[test]
    fn records_without_a_policy_have_no_grants() {
        for (source, name, request) in [
            ("ec2", "DescribeInstances", Value::Null),
            ("sqs", "SetQueueAttributes", json!({"attributes": {"Policy": "", "RedrivePolicy": "{\"a\":1}"}})),
            ("iam", "AttachRolePolicy", json!({"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"})),
            ("wafv2", "CreateWebACL", json!({"rules": [{"statement": {"geoMatchStatement": {}}}]})),
            ("athena", "StartQueryExecution", json!({"queryString": "{statement", "Statement": "select 1"})),
            ("organizations", "CreatePolicy", json!({"content": PUBLIC})),
            ("ec2", "ModifyVpcEndpoint", json!({"ModifyVpcEndpointRequest": {"PolicyDocument": PUBLIC}})),
            ("iam", "SimulateCustomPolicy", json!({"policyInputList": [PUBLIC]})),
            ("lambda", "RemovePermission20150331v2", json!({"principal": "*", "action": "x"})),
        ] {
            assert_eq!(asked(source, name, &request), None, "{name}");
        }
    }

    #[test]
    fn an_answer_counts_for_what_was_created_without_a_readable_request() {
        let trust = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22444455556666%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
        let answer = json!({"role": {"roleName": "r", "assumeRolePolicyDocument": trust}});
        let created = |request| grants("iam", "CreateRole", &request, &answer).unwrap();
        assert_eq!(created(json!({"omitted": true})).foreign_accounts(), ["444455556666"]);
        assert_eq!(created(json!({"assumeRolePolicyDocument": "{cut"})).actions(), ["sts:AssumeRole"]);
        assert_eq!(created(json!({"assumeRolePolicyDocument": PUBLIC})).actions(), ["sqs:*"]);
        assert_eq!(grants("iam", "UpdateRoleDescription", &json!({"roleName": "r"}), &answer), None);
        assert_eq!(grants("ecr", "DeleteRepositoryPolicy", &json!({}), &json!({"policyText": PUBLIC})), None);
    }

    #[test]
    fn a_cut_document_is_unreadable_rather_than_empty() {
        for (request, unreadable) in [
            (json!({"policyDocument": "{\"Version\":\"2012-10-17\",\"Stat"}), true),
            (json!({"attributeValue": "{\"Statement\":[{\"Effect\":\"Allow\","}), true),
            (json!({"policy": "%7B%22Version"}), true),
            (json!({"policy": {"Statement": [{"Effect": "Deny"}, "x"]}}), true),
            (json!({"policy": {"Statement": [{"Effect": "Deny", "Principal": "*"}]}}), false),
        ] {
            let grants = asked("sns", "SetTopicAttributes", &request).unwrap();
            assert_eq!((grants.unreadable, grants.statements.len()), (unreadable, 0), "{request}");
        }
        assert_eq!(asked("ssm", "PutParameter", &json!({"value": "{\"cut", "name": "{{x}}"})), None);
    }

    #[test]
    fn everyone_and_foreign_accounts_may_be_narrowed() {
        let allow = |principal: Value, condition: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "a:B", "Condition": condition});
        let own_queue = json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}});
        let owner = allow(json!({"AWS": "arn:aws:iam::111122223333:root"}), Value::Null);
        let foreign = |condition| allow(json!({"AWS": "arn:aws:iam::444455556666:root"}), condition);
        let everyone = |condition| allow(json!("*"), condition);
        let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"});
        let secure = json!({"Bool": {"aws:SecureTransport": "true"}});
        // Everyone, public, outside, open.
        for (statements, expected) in [
            (vec![owner.clone(), deny.clone()], [false, false, false, false]),
            (vec![owner.clone(), everyone(own_queue.clone())], [true, false, true, false]),
            (vec![everyone(own_queue.clone()), everyone(secure)], [true, true, true, true]),
            (vec![everyone(own_queue), foreign(json!({}))], [true, false, true, true]),
            (vec![foreign(json!({"StringEquals": {"sts:ExternalId": "id"}}))], [false, false, true, false]),
            (vec![json!({"Effect": "Allow", "Action": "*", "Resource": "*"})], [false; 4]),
            (vec![json!({"Effect": "Allow", "NotPrincipal": {"AWS": "444455556666"}}), deny], [true; 4]),
        ] {
            let request = json!({"policy": json!({"Statement": statements}).to_string()});
            let grants = asked("kms", "PutKeyPolicy", &request).unwrap();
            let judged = [grants.to_everyone(), grants.is_public(), grants.to_outside(), grants.is_open()];
            assert_eq!(judged, expected, "{request}");
        }
    }

    #[test]
    fn who_is_granted_what_is_sorted_and_distinct() {
        let principal = json!({"AWS": ["444455556666", "111122223333", "arn:aws:iam::444455556666:user/a"],
            "Service": "ec2.amazonaws.com", "Federated": "arn:aws:iam::111122223333:saml-provider/idp"});
        let statement =
            json!({"Effect": "Allow", "Principal": principal, "Action": ["sts:TagSession", "sts:AssumeRole"]});
        let request = json!({"policyDocument": json!({"Statement": [statement, statement]}).to_string()});
        let grants = asked("iam", "UpdateAssumeRolePolicy", &request).unwrap();
        assert_eq!(grants.accounts(), ["111122223333", "444455556666"]);
        assert_eq!(grants.foreign_accounts(), ["444455556666"]);
        assert_eq!(grants.services(), ["ec2.amazonaws.com"]);
        assert_eq!(grants.federated(), ["arn:aws:iam::111122223333:saml-provider/idp"]);
        assert_eq!(grants.actions(), ["sts:AssumeRole", "sts:TagSession"]);
        assert_eq!(grants.principals().len(), 5);
    }

    #[test]
    fn identity_policies_grant_to_nobody_in_particular() {
        let policy = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let grants = asked("iam", "PutUserPolicy", &json!({"policyDocument": policy})).unwrap();
        assert!(grants.is_admin() && !grants.to_outside() && grants.principals().is_empty());
    }

    #[test]
    fn permissions_by_parts() {
        let lambda = |more: Value| {
            let mut request = json!({"functionName": "f", "statementId": "s", "action": "lambda:InvokeFunction"});
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            ("lambda", "AddPermission20150331v2", request)
        };
        let bus = |condition: Value| json!({"principal": "*", "action": "events:PutEvents", "statementId": "s", "condition": condition});
        // Everyone, open.
        for ((source, name, request), expected) in [
            (lambda(json!({"principal": "*"})), [true, true]),
            (lambda(json!({"principal": "*", "principalOrgID": "o-a1b2c3d4e5"})), [true, false]),
            (lambda(json!({"principal": "*", "sourceArn": "arn:aws:s3:::*"})), [true, true]),
            (lambda(json!({"principal": "444455556666"})), [false, true]),
            (lambda(json!({"principal": "arn:aws:iam::111122223333:root"})), [false, false]),
            (lambda(json!({"principal": "s3.amazonaws.com", "sourceAccount": "111122223333"})), [false, false]),
            (("events", "PutPermission", bus(Value::Null)), [true, true]),
            (
                (
                    "events",
                    "PutPermission",
                    bus(json!({"type": "StringEquals", "key": "aws:PrincipalOrgID", "value": "o-1"})),
                ),
                [true, false],
            ),
            (
                ("sqs", "AddPermission", json!({"AWSAccountIds": ["444455556666"], "actions": ["SendMessage"]})),
                [false, true],
            ),
            (
                ("sns", "AddPermission", json!({"aWSAccountId": ["111122223333"], "actionName": ["Publish"]})),
                [false, false],
            ),
        ] {
            let grants = asked(source, name, &request).unwrap();
            assert_eq!([grants.to_everyone(), grants.is_open()], expected, "{request}");
            assert!(!grants.actions().is_empty() && !grants.wildcard_action());
        }
    }

    #[test]
    fn odd_documents_never_panic() {
        let request = json!({"policy": PUBLIC, "attributes": {"Policy": PUBLIC}, "principal": "*", "action": ["a"],
            "condition": {"type": "StringLike", "key": "aws:SourceArn", "value": "arn:aws:s3:::*"}});
        let record = |name: &str| json!({"eventName": name, "requestParameters": request}).to_string();
        let records = [record("PutPermission"), record("PutKeyPolicy")];
        let (mut state, mut read) = (1_u32, 0);
        for round in 0..5_000 {
            let mut bytes = records[round % 2].clone().into_bytes();
            for _ in 0..3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 12) as usize % bytes.len();
                bytes[at] = br#"{}[]":,*%1x"#[(state >> 4) as usize % 11];
            }
            let grants = Record::parse(0, &bytes).ok().and_then(|record| record.grants());
            read += usize::from(grants.is_some_and(|grants| grants.is_open() || !grants.is_admin()));
        }
        assert!(read > 500, "{read} of 5000 could be read");
    }
}
