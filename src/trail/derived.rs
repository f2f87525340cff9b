//! What a record says between the lines: how the call ended, where it came from, whether MFA stood behind it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Record;
use super::slots::Slot;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Neither `errorCode` nor `errorMessage`.
    Success,
    /// Refused for want of permission.
    Denied,
    /// Any other error. A dry run counts here: nothing was changed.
    Failure,
}

/// What kind of address a call came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// An address of the internet.
    Public,
    /// An address of a private network: the caller went through a VPC endpoint.
    Private,
    /// A service's name, or `AWS Internal`.
    AwsService,
    /// Nothing of these.
    Unknown,
}

/// Whether the caller had proved a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mfa {
    /// It had.
    True,
    /// A session or a console login of a user or of root without it.
    False,
    /// Can't be told: federated and chained sessions always say no, long-lived keys say nothing.
    NotApplicable,
}

macro_rules! words {
    ($type:ty { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// The word that rules use.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

words!(Outcome { Success = "success", Denied = "denied", Failure = "failure" });
words!(SourceKind { Public = "public", Private = "private", AwsService = "aws-service", Unknown = "unknown" });
words!(Mfa { True = "true", False = "false", NotApplicable = "not-applicable" });

impl Record<'_> {
    /// How the call ended. A failed console login has an `errorMessage` and no `errorCode`.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (self.said(Slot::ErrorCode), self.said(Slot::ErrorMessage)) {
            (None, None) => Outcome::Success,
            (Some(code), _) if is_denial(&code) => Outcome::Denied,
            _ => Outcome::Failure,
        }
    }

    /// Whether an AWS service made the call, for itself or on somebody's behalf.
    ///
    /// Somebody who can make a service act can cause such calls: leave them out of rules on addresses and MFA only.
    #[must_use]
    pub fn is_service_call(&self) -> bool {
        let identity = self.identity();
        // Console calls of old carry the console's name here, and a person's address.
        let invoked =
            identity.invoked_by().is_some_and(|by| !matches!(&*by, "signin.amazonaws.com" | "console.amazonaws.com"));
        invoked
            || identity.principal_type().as_deref() == Some("AWSService")
            || self.said(Slot::EventType).is_some_and(|kind| kind.eq_ignore_ascii_case("AwsServiceEvent"))
            || self.source_kind() == SourceKind::AwsService
    }

    /// What kind of address the call came from.
    #[must_use]
    pub fn source_kind(&self) -> SourceKind {
        let Some(source) = self.said(Slot::SourceIpAddress) else { return SourceKind::Unknown };
        match address(&source) {
            Some(address) if is_private(address) => SourceKind::Private,
            Some(_) => SourceKind::Public,
            None if is_service_name(&source) => SourceKind::AwsService,
            None => SourceKind::Unknown,
        }
    }

    /// The address that the call came from, if it is one.
    #[must_use]
    pub fn source_address(&self) -> Option<IpAddr> {
        address(&self.said(Slot::SourceIpAddress)?)
    }

    /// Whether a second factor stood behind the call.
    #[must_use]
    pub fn mfa(&self) -> Mfa {
        let identity = self.identity();
        let own_credentials = matches!(identity.principal_type().as_deref(), Some("Root" | "IAMUser"));
        // A federated login always says `No`: its identity provider asked for the factor, or didn't.
        let federated = self.text("additionalEventData.SamlProviderArn").is_some();
        let said = self.text("additionalEventData.MFAUsed").or_else(|| identity.session_mfa());
        match said {
            Some(said) if ["true", "yes"].iter().any(|yes| said.eq_ignore_ascii_case(yes)) => Mfa::True,
            Some(_) if own_credentials && !federated => Mfa::False,
            _ => Mfa::NotApplicable,
        }
    }
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// Services name a refusal differently, and EC2 prefixes its codes.
fn is_denial(code: &str) -> bool {
    let code = code.strip_prefix("Client.").unwrap_or(code);
    [
        "AccessDenied",
        "UnauthorizedOperation",
        "AuthorizationError",
        "UnauthorizedAccess",
        "Forbidden",
        "VpceAccessDenied",
    ]
    .iter()
    .any(|denial| code.eq_ignore_ascii_case(denial))
        || code.starts_with("AccessDenied")
        || code.ends_with(".AccessDeniedException")
}

fn is_service_name(source: &str) -> bool {
    source.ends_with(".amazonaws.com") || source.ends_with(".amazonaws.com.cn") || source.starts_with("AWS Internal")
}

/// Documentation networks count as public: they stand for public addresses in every example.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let carrier_grade_nat = first == 100 && (64..128).contains(&second);
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || carrier_grade_nat
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of<T>(record: &Value, read: impl Fn(&Record<'_>) -> T) -> T {
        let raw = record.to_string();
        read(&Record::parse(0, raw.as_bytes()).unwrap())
    }

    #[test]
    fn outcomes() {
        for (record, expected) in [
            (json!({}), Outcome::Success),
            (json!({"errorCode": null, "errorMessage": ""}), Outcome::Success),
            (json!({"errorMessage": "Failed authentication"}), Outcome::Failure),
            (json!({"errorCode": "AccessDenied"}), Outcome::Denied),
            (json!({"errorCode": "AccessDeniedException"}), Outcome::Denied),
            (json!({"errorCode": "Client.UnauthorizedOperation"}), Outcome::Denied),
            (json!({"errorCode": "KMS.AccessDeniedException"}), Outcome::Denied),
            (json!({"errorCode": "Client.DryRunOperation"}), Outcome::Failure),
            (json!({"errorCode": "NoSuchBucket"}), Outcome::Failure),
        ] {
            assert_eq!(of(&record, |record| record.outcome()), expected, "{record}");
        }
    }

    #[test]
    fn sources() {
        for (source, expected) in [
            ("203.0.113.7", SourceKind::Public),
            ("2001:db8::1", SourceKind::Public),
            ("10.1.2.3", SourceKind::Private),
            ("100.64.0.1", SourceKind::Private),
            ("::ffff:192.168.0.1", SourceKind::Private),
            ("fd00::1", SourceKind::Private),
            ("autoscaling.amazonaws.com", SourceKind::AwsService),
            ("AWS Internal/3", SourceKind::AwsService),
            ("somewhere", SourceKind::Unknown),
            ("", SourceKind::Unknown),
        ] {
            assert_eq!(of(&json!({"sourceIPAddress": source}), |record| record.source_kind()), expected, "{source}");
        }
    }

    #[test]
    fn service_calls() {
        for (record, expected) in [
            (json!({"userIdentity": {"type": "IAMUser"}, "sourceIPAddress": "203.0.113.7"}), false),
            (
                json!({"userIdentity": {"type": "IAMUser", "invokedBy": "signin.amazonaws.com"}, "sourceIPAddress": "203.0.113.7"}),
                false,
            ),
            (json!({"userIdentity": {"type": "AssumedRole", "invokedBy": "cloudformation.amazonaws.com"}}), true),
            (json!({"userIdentity": {"type": "AWSService"}}), true),
            (json!({"userIdentity": {"accountId": "111122223333"}, "eventType": "AwsServiceEvent"}), true),
            (json!({"userIdentity": {"type": "IAMUser"}, "sourceIPAddress": "AWS Internal"}), true),
        ] {
            assert_eq!(of(&record, |record| record.is_service_call()), expected, "{record}");
        }
    }

    #[test]
    fn mfa() {
        let session = |kind: &str, mfa: &str| json!({"userIdentity": {"type": kind, "sessionContext": {"attributes": {"mfaAuthenticated": mfa}}}});
        let login = |kind: &str, used: &str| json!({"eventName": "ConsoleLogin", "userIdentity": {"type": kind}, "additionalEventData": {"MFAUsed": used}});
        for (record, expected) in [
            (session("IAMUser", "true"), Mfa::True),
            (session("IAMUser", "false"), Mfa::False),
            (session("Root", "false"), Mfa::False),
            (session("AssumedRole", "true"), Mfa::True),
            (session("AssumedRole", "false"), Mfa::NotApplicable),
            (json!({"userIdentity": {"type": "IAMUser", "accessKeyId": "AKIAEXAMPLE"}}), Mfa::NotApplicable),
            (login("IAMUser", "No"), Mfa::False),
            (login("Root", "YES"), Mfa::True),
            (login("AssumedRole", "No"), Mfa::NotApplicable),
        ] {
            assert_eq!(of(&record, |record| record.mfa()), expected, "{record}");
        }
        let mut saml = login("IAMUser", "No");
        saml["additionalEventData"]["SamlProviderArn"] = json!("arn:aws:iam::111122223333:saml-provider/idp");
        assert_eq!(of(&saml, |record| record.mfa()), Mfa::NotApplicable);
    }
}
