//! Who made a call: CloudTrail's `userIdentity`, reduced to one stable principal.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>

use std::borrow::Cow;

use super::Record;
use super::slots::Slot;

/// A view of a record's `userIdentity`.
#[derive(Debug, Clone, Copy)]
pub struct UserIdentity<'r> {
    record: &'r Record<'r>,
}

impl<'r> UserIdentity<'r> {
    pub(super) fn new(record: &'r Record<'_>) -> Self {
        Self { record }
    }

    /// CloudTrail's identity type. Service events carry none; what invoked them tells that they are a service's.
    #[must_use]
    pub fn principal_type(self) -> Option<Cow<'r, str>> {
        self.said(Slot::IdentityType)
            .or_else(|| self.said(Slot::IdentityInvokedBy).map(|_| Cow::Borrowed("AWSService")))
    }

    /// What to group a caller's events by: the role for any of its sessions, the user for any of its keys.
    #[must_use]
    pub fn principal(self) -> Option<Cow<'r, str>> {
        let known = match &*self.principal_type().unwrap_or_default() {
            "AssumedRole" => {
                self.text("userIdentity.sessionContext.sessionIssuer.arn").or_else(|| self.role_of_session())
            }
            "AWSService" => self.said(Slot::IdentityInvokedBy),
            "AWSAccount" => self.foreign(),
            "IAMUser" => self.said(Slot::IdentityArn).or_else(|| self.user_by_name()),
            "Root" => self.said(Slot::IdentityArn).or_else(|| self.iam_arn("root")),
            "IdentityCenterUser" => self.text("userIdentity.onBehalfOf.userId"),
            _ => None,
        };
        known.or_else(|| {
            [
                Slot::IdentityArn,
                Slot::IdentityUserName,
                Slot::IdentityPrincipalId,
                Slot::IdentityAccountId,
                Slot::IdentityInvokedBy,
            ]
            .iter()
            .find_map(|slot| self.said(*slot))
        })
    }

    /// The account that the caller belongs to; services have none.
    #[must_use]
    pub fn account(self) -> Option<Cow<'r, str>> {
        if self.principal_type().as_deref() == Some("AWSService") {
            return None;
        }
        self.said(Slot::IdentityAccountId)
    }

    /// The service that made the call on somebody's behalf.
    #[must_use]
    pub fn invoked_by(self) -> Option<Cow<'r, str>> {
        self.said(Slot::IdentityInvokedBy)
    }

    /// The session's name within its role: often a person, an instance or a function.
    #[must_use]
    pub fn session_name(self) -> Option<String> {
        if self.principal_type()? != "AssumedRole" {
            return None;
        }
        self.said(Slot::IdentityArn)?.splitn(3, '/').nth(2).filter(|name| !name.is_empty()).map(str::to_owned)
    }

    /// What a temporary session says of MFA; long-lived keys say nothing.
    pub(super) fn session_mfa(self) -> Option<Cow<'r, str>> {
        self.text("userIdentity.sessionContext.attributes.mfaAuthenticated")
    }

    fn said(self, slot: Slot) -> Option<Cow<'r, str>> {
        self.record.said(slot)
    }

    fn text(self, path: &str) -> Option<Cow<'r, str>> {
        self.record.text(path)
    }

    /// `arn:aws:sts::111122223333:assumed-role/Name/session` belongs to `role/Name`; the session's ARN drops the role's path.
    fn role_of_session(self) -> Option<Cow<'r, str>> {
        let arn = self.said(Slot::IdentityArn)?;
        let (partition_and_service, rest) = arn.split_once(":sts::")?;
        let (account, path) = rest.split_once(":assumed-role/")?;
        let role = path.split('/').next()?;
        Some(format!("{partition_and_service}:iam::{account}:role/{role}").into())
    }

    /// Another account's caller is known by its unique id only; for a session, without the session's name.
    fn foreign(self) -> Option<Cow<'r, str>> {
        let account = self.said(Slot::IdentityAccountId)?;
        let principal = self.said(Slot::IdentityPrincipalId).unwrap_or_default();
        let id = principal.split(':').next().filter(|id| !id.is_empty() && *id != account);
        Some(id.map(|id| format!("{account}:{id}").into()).unwrap_or(account))
    }

    /// A failed console login carries no ARN.
    fn user_by_name(self) -> Option<Cow<'r, str>> {
        let name = self.said(Slot::IdentityUserName).filter(|name| *name != "HIDDEN_DUE_TO_SECURITY_REASONS")?;
        self.iam_arn(&format!("user/{name}"))
    }

    fn iam_arn(self, path: &str) -> Option<Cow<'r, str>> {
        let region = self.said(Slot::AwsRegion).unwrap_or_default();
        Some(format!("arn:{}:iam::{}:{path}", partition(&region), self.said(Slot::IdentityAccountId)?).into())
    }
}

/// What the names of endpoints end with.
pub(crate) const DOMAINS: [&str; 3] = ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"];

/// The AWS partition that a Region lies in.
pub(crate) fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn principal(identity: &Value) -> Option<String> {
        let raw = json!({"awsRegion": "eu-west-1", "userIdentity": identity}).to_string();
        let record = Record::parse(0, raw.as_bytes()).unwrap();
        record.identity().principal().map(Cow::into_owned)
    }

    #[test]
    fn each_identity_type_has_a_stable_principal() {
        for (identity, expected) in [
            (
                json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/app/i-0abc",
                "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/team/app"}}}),
                "arn:aws:iam::111122223333:role/team/app",
            ),
            (
                json!({"type": "AssumedRole", "arn": "arn:aws-cn:sts::111122223333:assumed-role/app/i-0abc"}),
                "arn:aws-cn:iam::111122223333:role/app",
            ),
            (
                json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice"}),
                "arn:aws:iam::111122223333:user/alice",
            ),
            (
                json!({"type": "IAMUser", "accountId": "111122223333", "userName": "alice", "accessKeyId": ""}),
                "arn:aws:iam::111122223333:user/alice",
            ),
            (
                json!({"type": "IAMUser", "accountId": "111122223333", "principalId": "AIDA", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
                "HIDDEN_DUE_TO_SECURITY_REASONS",
            ),
            (json!({"type": "Root", "accountId": "111122223333"}), "arn:aws:iam::111122223333:root"),
            (json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}), "ec2.amazonaws.com"),
            (json!({"accountId": "111122223333", "invokedBy": "AWS Internal"}), "AWS Internal"),
            (
                json!({"type": "AWSAccount", "accountId": "123456789012", "principalId": "AROAEXAMPLE:session"}),
                "123456789012:AROAEXAMPLE",
            ),
            (
                json!({"type": "AWSAccount", "accountId": "ANONYMOUS_PRINCIPAL", "principalId": ""}),
                "ANONYMOUS_PRINCIPAL",
            ),
            (json!({"type": "SAMLUser", "principalId": "x:alice", "userName": "alice"}), "alice"),
            (
                json!({"type": "IdentityCenterUser", "accountId": "111122223333", "onBehalfOf": {"userId": "u-1"}}),
                "u-1",
            ),
        ] {
            assert_eq!(principal(&identity).as_deref(), Some(expected), "{identity}");
        }
        assert_eq!(principal(&json!({})), None);
        assert_eq!(principal(&Value::Null), None);
    }
}
