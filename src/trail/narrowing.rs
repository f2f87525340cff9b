//! Whether a policy statement's conditions narrow who may act, or from where.
//!
//! A condition narrows when it holds a key that the caller can't choose against a value that isn't open to all. S3 tells a
//! public policy from others so: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>.
//! Conditions on how a call is made (TLS, MFA, time) don't narrow, nor do these:
//! - negated operators, `Null`, `…IfExists` and `ForAllValues:`, which hold for a request that lacks the key;
//! - `aws:username` and `aws:PrincipalTag/…`: anybody may give the name or the tag to a user of their own;
//! - `aws:VpcSourceIp`: private networks overlap; `aws:Referer`, `aws:UserAgent`: the caller writes them;
//! - `kms:ViaService`, `lambda:FunctionUrlAuthType`: they say through what, not who.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::statement::texts;

/// The operators that can narrow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equals,
    Like,
    Network,
    Bool,
}

/// What a condition key holds.
#[derive(Clone, Copy)]
enum Key {
    /// An account, an organization, a VPC: something with an id or a path of ids.
    Id,
    Arn,
    Network,
    /// Who an OIDC provider says the caller is.
    Subject,
    /// For whom that provider's token was made.
    Audience,
    Flag,
}

/// Whether any condition of a statement's `Condition` element narrows it: all of them must hold for a request.
pub(super) fn narrows(condition: &Value) -> bool {
    members(condition).any(|(operator, tests)| {
        Operator::of(operator).is_some_and(|operator| members(tests).any(|(key, values)| test(operator, key, values)))
    })
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// One value that matches is enough for a request, so each of them has to narrow.
fn test(operator: Operator, key: &str, values: &Value) -> bool {
    let Some(key) = Key::of(key) else { return false };
    let values = texts(values);
    !values.is_empty() && values.iter().all(|value| key.is_pinned(operator, value.trim()))
}

impl Operator {
    fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        match name.strip_prefix("foranyvalue:").unwrap_or(&name) {
            "stringequals" | "stringequalsignorecase" => Some(Self::Equals),
            // `ArnEquals` knows wildcards as `ArnLike` does.
            "stringlike" | "arnlike" | "arnequals" => Some(Self::Like),
            "ipaddress" => Some(Self::Network),
            "bool" => Some(Self::Bool),
            _ => None,
        }
    }
}

/// The keys that can narrow, in lower case; see [`Key::of`] for those of identity providers.
const KEYS: &[(&str, Key)] = &[
    ("aws:ec2instancesourcevpc", Key::Id),
    ("aws:federatedprovider", Key::Arn),
    ("aws:principalaccount", Key::Id),
    ("aws:principalarn", Key::Arn),
    ("aws:principalorgid", Key::Id),
    ("aws:principalorgpaths", Key::Id),
    ("aws:principalservicename", Key::Id),
    ("aws:principalservicenameslist", Key::Id),
    ("aws:sourceaccount", Key::Id),
    ("aws:sourcearn", Key::Arn),
    ("aws:sourceip", Key::Network),
    ("aws:sourceorgid", Key::Id),
    ("aws:sourceorgpaths", Key::Id),
    ("aws:sourceowner", Key::Id),
    ("aws:sourcevpc", Key::Id),
    ("aws:sourcevpce", Key::Id),
    ("aws:userid", Key::Id),
    ("aws:vpceaccount", Key::Id),
    ("aws:vpceorgid", Key::Id),
    ("aws:vpceorgpaths", Key::Id),
    ("ec2:sourceinstancearn", Key::Arn),
    ("elasticfilesystem:accessedviamounttarget", Key::Flag),
    ("kms:calleraccount", Key::Id),
    ("lambda:sourcefunctionarn", Key::Arn),
    ("s3:dataaccesspointaccount", Key::Id),
    ("s3:dataaccesspointarn", Key::Arn),
    ("sts:externalid", Key::Id),
];

impl Key {
    fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if let Some((_, key)) = KEYS.iter().find(|(known, _)| *known == name) {
            return Some(*key);
        }
        match name.strip_prefix("saml:") {
            // Every account's sign-in page is the audience of every SAML provider.
            Some(claim) => (claim != "aud").then_some(Self::Id),
            None => Self::of_provider(&name),
        }
    }

    /// `token.actions.githubusercontent.com:sub`: the claim's name follows the provider's.
    fn of_provider(name: &str) -> Option<Self> {
        let (provider, claim) = name.rsplit_once(':')?;
        if !provider.contains('.') {
            return None;
        }
        match claim {
            "sub" | "job_workflow_ref" => Some(Self::Subject),
            "aud" | "oaud" | "app_id" => Some(Self::Audience),
            "repository" | "repository_id" | "repository_owner" | "repository_owner_id" => Some(Self::Id),
            _ => None,
        }
    }

    fn is_pinned(self, operator: Operator, value: &str) -> bool {
        match (self, operator) {
            _ if value.is_empty() => false,
            // Tokens that any account may use are made for STS, whoever asked for them.
            (Self::Audience, Operator::Equals | Operator::Like) => !value.starts_with("sts.") && !has_wildcard(value),
            (Self::Id | Self::Arn | Self::Subject, Operator::Equals) => true,
            (Self::Id, Operator::Like) => !has_wildcard(value) || pinned_segments(value) >= 1,
            // The first segment says what kind of subject follows: `repo:*` is any repository there is.
            (Self::Subject, Operator::Like) => !has_wildcard(value) || pinned_segments(value) >= 2,
            (Self::Arn, Operator::Like) => is_pinned_arn(value),
            (Self::Network, Operator::Network) => is_narrow_network(value),
            (Self::Flag, Operator::Bool) => value.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }
}

fn has_wildcard(value: &str) -> bool {
    value.contains(['*', '?'])
}

/// How many whole segments stand before the first wildcard: `o-1/r-1/*` has two, `repo:team*` one, `o-*` none.
fn pinned_segments(value: &str) -> usize {
    let prefix = value.split(['*', '?']).next().unwrap_or_default();
    prefix.matches([':', '/']).count()
}

/// An ARN stands for somebody's resources when it names the account, or a bucket, as a bucket's ARN has no account.
fn is_pinned_arn(value: &str) -> bool {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    match parts[..] {
        [_, _, service, _, "", resource] => {
            let name = resource.split('/').next().unwrap_or_default();
            !has_wildcard(service) && !name.is_empty() && !has_wildcard(name)
        }
        [_, _, _, _, account, _] => !has_wildcard(account),
        _ => !has_wildcard(value),
    }
}

/// A network wider than this takes in half of the internet: S3 calls a policy with it public, too.
fn is_narrow_network(value: &str) -> bool {
    match value.parse::<IpNet>().or_else(|_| value.parse::<IpAddr>().map(IpNet::from)) {
        Ok(IpNet::V4(network)) => network.prefix_len() >= 8,
        Ok(IpNet::V6(network)) => network.prefix_len() >= 32,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(operator: &str, key: &str, value: &str) -> bool {
        narrows(&json!({operator: {key: value}}))
    }

    #[test]
    fn these_narrow() {
        for (operator, key, value) in [
            ("StringEquals", "aws:SourceAccount", "111122223333"),
            ("StringEquals", "AWS:SourceOwner", "111122223333"),
            ("stringequals", "aws:principalorgid", "o-a1b2c3d4e5"),
            ("StringEqualsIgnoreCase", "aws:SourceVpce", "vpce-0a1b"),
            ("StringEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}"),
            ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/*"),
            ("StringLike", "aws:userid", "AROAEXAMPLEID:*"),
            ("StringLike", "aws:SourceVpc", "vpc-0a1b"),
            ("StringEquals", "sts:ExternalId", "*"),
            ("StringEquals", "kms:CallerAccount", "111122223333"),
            ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:111122223333:*"),
            ("ArnEquals", "aws:SourceArn", "arn:aws:cloudfront::111122223333:distribution/EXAMPLE"),
            ("StringLike", "aws:SourceArn", "arn:aws:s3:::bucket/*"),
            ("StringLike", "aws:PrincipalArn", "arn:aws-cn:iam::111122223333:role/*"),
            ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::${aws:ResourceAccount}:role/x"),
            ("IpAddress", "aws:SourceIp", "203.0.113.0/24"),
            ("IpAddress", "aws:SourceIp", "2001:db8::1"),
            ("Bool", "elasticfilesystem:AccessedViaMountTarget", "true"),
            ("StringLike", "token.actions.githubusercontent.com:sub", "repo:team/app:*"),
            ("StringLike", "token.actions.githubusercontent.com:sub", "repo:team/*"),
            ("StringEquals", "oidc.eks.eu-west-1.amazonaws.com/id/0A1B:sub", "system:serviceaccount:apps:web"),
            ("StringEquals", "cognito-identity.amazonaws.com:aud", "eu-west-1:12345678-aaaa"),
            ("StringEquals", "saml:sub", "alice"),
        ] {
            assert!(one(operator, key, value), "{operator} {key} {value}");
        }
    }

    #[test]
    fn these_do_not() {
        for (operator, key, value) in [
            ("StringNotEquals", "aws:SourceAccount", "111122223333"),
            ("StringEqualsIfExists", "aws:SourceAccount", "111122223333"),
            ("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/"),
            ("Null", "aws:SourceVpce", "false"),
            ("Bool", "aws:SecureTransport", "true"),
            ("Bool", "elasticfilesystem:AccessedViaMountTarget", "false"),
            ("Bool", "aws:SourceAccount", "true"),
            ("StringEquals", "aws:SourceAccount", ""),
            ("StringLike", "aws:SourceAccount", "*"),
            ("StringLike", "aws:SourceAccount", "1111*"),
            ("StringLike", "aws:PrincipalOrgID", "o-*"),
            ("StringLike", "aws:userid", "*:session"),
            ("StringLike", "sts:ExternalId", "team-?"),
            ("ArnLike", "aws:SourceArn", "*"),
            ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:*"),
            ("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"),
            ("ArnLike", "aws:SourceArn", "arn:aws:s3:::logs-*"),
            ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::*:role/deploy"),
            ("StringLike", "aws:PrincipalArn", "arn:aws:iam::????????????:root"),
            ("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
            ("IpAddress", "aws:SourceIp", "128.0.0.0/1"),
            ("IpAddress", "aws:SourceIp", "::/0"),
            ("IpAddress", "aws:SourceIp", "everywhere"),
            ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"),
            ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/8"),
            ("StringEquals", "aws:username", "alice"),
            ("StringEquals", "aws:PrincipalTag/team", "x"),
            ("StringEquals", "aws:Referer", "secret"),
            ("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com"),
            ("StringEquals", "lambda:FunctionUrlAuthType", "AWS_IAM"),
            ("StringEquals", "s3:x-amz-acl", "bucket-owner-full-control"),
            ("StringEquals", "token.actions.githubusercontent.com:aud", "sts.amazonaws.com"),
            ("StringLike", "token.actions.githubusercontent.com:sub", "repo:*"),
            ("StringLike", "token.actions.githubusercontent.com:sub", "repo:team*"),
            ("StringLike", "accounts.google.com:aud", "*"),
            ("StringEquals", "saml:aud", "https://signin.aws.amazon.com/saml"),
        ] {
            assert!(!one(operator, key, value), "{operator} {key} {value}");
        }
    }

    #[test]
    fn every_value_must_narrow_and_one_key_is_enough() {
        for (condition, expected) in [
            (json!({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]}}), true),
            (json!({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"]}}), false),
            (json!({"StringEquals": {"aws:SourceAccount": 111_122_223_333_u64}}), true),
            (json!({"StringEquals": {"aws:SourceAccount": []}}), false),
            (json!({"Bool": {"aws:SecureTransport": true}, "StringEquals": {"aws:SourceVpc": "vpc-1"}}), true),
            (json!({"StringEquals": {"aws:Referer": "x", "aws:SourceVpc": ["vpc-1"]}}), true),
            (json!({"Bool": {"elasticfilesystem:AccessedViaMountTarget": true}}), true),
            (json!({}), false),
            (json!({"StringEquals": "aws:SourceVpc"}), false),
            (json!({"StringEquals": {"aws:SourceVpc": {"x": "y"}}}), false),
            (json!([{"StringEquals": {"aws:SourceVpc": "vpc-1"}}]), false),
            (Value::Null, false),
        ] {
            assert_eq!(narrows(&condition), expected, "{condition}");
        }
    }
}
