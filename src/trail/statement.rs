//! One statement of a policy document: to whom it grants what, on what, and whether a condition narrows it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>. Member names compare without case.

use serde_json::{Map, Value};

use super::narrowing::narrows;

/// What one `Allow` statement grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// To whom, in the statement's order; empty in a policy of a user, group or role: it grants to that one.
    pub principals: Vec<Principal>,
    /// Actions as written; `*` for a `NotAction`, which allows all others.
    pub actions: Vec<String>,
    /// Resources as written; `*` for a `NotResource`. Trust policies have none.
    pub resources: Vec<String>,
    /// Whether a condition narrows who may act, or from where.
    pub narrowed: bool,
    /// Whether it leaves no action out, or by `NotAction` others than all of IAM.
    any_action: bool,
}

/// Somebody whom a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// As written; `*` for a `NotPrincipal`.
    pub text: String,
    /// Who that is.
    pub kind: PrincipalKind,
}

/// Who a principal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// `*` of any kind, an ARN whose account is a wildcard, or all but those that `NotPrincipal` names.
    Everyone,
    /// An account (twelve digits), or a user, role or session of it.
    Account(String),
    /// An AWS service.
    Service,
    /// An identity provider.
    Federated,
    /// A unique or canonical id, whose account it doesn't tell.
    Other,
}

impl Grant {
    /// Reads a statement; `None` unless it allows something.
    pub(super) fn new(statement: &Map<String, Value>) -> Option<Self> {
        if !member(statement, "Effect")?.as_str()?.trim().eq_ignore_ascii_case("allow") {
            return None;
        }
        Some(Self {
            principals: principals(statement),
            actions: texts_or_all(statement, "Action", "NotAction"),
            resources: texts_or_all(statement, "Resource", "NotResource"),
            narrowed: member(statement, "Condition").is_some_and(narrows),
            any_action: allows_any_action(statement),
        })
    }

    /// Whether it grants to everyone, be it narrowed.
    #[must_use]
    pub fn to_everyone(&self) -> bool {
        self.principals.iter().any(|principal| principal.kind == PrincipalKind::Everyone)
    }

    /// Whether it lets somebody in from outside `owner`, the account that owns the resource: everyone, another account, or
    /// whomever an OIDC provider vouches for. A SAML provider speaks for its own users only.
    #[must_use]
    pub fn to_outside(&self, owner: Option<&str>) -> bool {
        self.principals.iter().any(|principal| match &principal.kind {
            PrincipalKind::Everyone => true,
            PrincipalKind::Account(account) => Some(account.as_str()) != owner,
            PrincipalKind::Federated => !principal.text.contains(":saml-provider/"),
            PrincipalKind::Service | PrincipalKind::Other => false,
        })
    }

    /// Whether an action is `*` or all of a service (`s3:*`).
    #[must_use]
    pub fn wildcard_action(&self) -> bool {
        self.actions.iter().any(|action| is_all(action.rsplit(':').next().unwrap_or_default()))
    }

    /// Whether a resource is `*`, or an ARN that names none (`arn:aws:s3:::*`).
    #[must_use]
    pub fn wildcard_resource(&self) -> bool {
        self.resources.iter().any(|resource| is_all(resource.splitn(6, ':').last().unwrap_or_default()))
    }

    /// Whether it allows everything on everything. All but some actions is everything, too, unless all of IAM is left out.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.any_action && self.resources.iter().any(|resource| is_any_resource(resource))
    }
}

impl Principal {
    fn everyone() -> Self {
        Self { text: "*".to_owned(), kind: PrincipalKind::Everyone }
    }

    /// `kind` is the member that names it: `AWS`, `Service`, `Federated`, `CanonicalUser`.
    fn new(kind: &str, text: String) -> Self {
        let kind = match kind.to_ascii_lowercase().as_str() {
            _ if is_all(&text) => PrincipalKind::Everyone,
            "aws" => aws_principal(&text),
            "service" => PrincipalKind::Service,
            "federated" => PrincipalKind::Federated,
            _ => PrincipalKind::Other,
        };
        Self { text, kind }
    }
}

/// An account's number or an ARN; a wildcard is IAM's to refuse, and everyone to us.
fn aws_principal(text: &str) -> PrincipalKind {
    let account = if text.starts_with("arn:") { text.split(':').nth(4).unwrap_or(text) } else { text };
    if account.contains(['*', '?']) {
        PrincipalKind::Everyone
    } else if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        PrincipalKind::Account(account.to_owned())
    } else {
        PrincipalKind::Other
    }
}

fn principals(statement: &Map<String, Value>) -> Vec<Principal> {
    if member(statement, "NotPrincipal").is_some() {
        return vec![Principal::everyone()];
    }
    match member(statement, "Principal") {
        Some(Value::Object(kinds)) => kinds
            .iter()
            .flat_map(|(kind, named)| texts(named).into_iter().map(|text| Principal::new(kind, text)))
            .collect(),
        Some(named) => texts(named).into_iter().map(|text| Principal::new("AWS", text)).collect(),
        None => Vec::new(),
    }
}

/// The texts of `name`; one that is written as all but some stands for all.
fn texts_or_all(statement: &Map<String, Value>, name: &str, all_but: &str) -> Vec<String> {
    match member(statement, all_but) {
        Some(_) => vec!["*".to_owned()],
        None => member(statement, name).map(texts).unwrap_or_default(),
    }
}

fn allows_any_action(statement: &Map<String, Value>) -> bool {
    match member(statement, "NotAction") {
        Some(left_out) => !texts(left_out).iter().any(|action| action.eq_ignore_ascii_case("iam:*") || is_all(action)),
        // `*:*` is as good as `*`.
        None => texts_or_all(statement, "Action", "NotAction").iter().any(|action| action.split(':').all(is_all)),
    }
}

/// `*`, or an ARN of nothing but wildcards (`arn:aws:*`).
fn is_any_resource(resource: &str) -> bool {
    let after_partition = resource.strip_prefix("arn:").map(|rest| rest.split_once(':').map_or(rest, |(_, rest)| rest));
    let rest = after_partition.unwrap_or(resource);
    rest.contains('*') && rest.split(':').all(|part| part.is_empty() || is_all(part))
}

fn is_all(pattern: &str) -> bool {
    pattern.contains('*') && pattern.chars().all(|character| matches!(character, '*' | '?'))
}

/// A member by its name, in any case.
pub(super) fn member<'v>(members: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    members.get(name).or_else(|| members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// A text or a list of texts; unquoted account numbers and booleans are texts, too.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn grant(statement: &Value) -> Option<Grant> {
        Grant::new(statement.as_object().unwrap())
    }

    fn allow(mut statement: Value) -> Grant {
        statement["Effect"] = json!("Allow");
        grant(&statement).unwrap()
    }

    #[test]
    fn only_allow_grants() {
        assert!(grant(&json!({"Effect": "Allow"})).is_some() && grant(&json!({"effect": "allow"})).is_some());
        for statement in [json!({"Effect": "Deny", "Principal": "*"}), json!({}), json!({"Effect": ["Allow"]})] {
            assert_eq!(grant(&statement), None, "{statement}");
        }
    }

    #[test]
    fn principals_take_many_forms() {
        use PrincipalKind::{Everyone, Federated, Other, Service};
        let account = |id: &str| PrincipalKind::Account(id.to_owned());
        for (principal, expected) in [
            (json!("*"), vec![Everyone]),
            (json!("111122223333"), vec![account("111122223333")]),
            (json!({"AWS": "*"}), vec![Everyone]),
            (json!({"aws": ["*", "111122223333"]}), vec![Everyone, account("111122223333")]),
            (json!({"*": "*"}), vec![Everyone]),
            (json!({"Federated": "*"}), vec![Everyone]),
            (json!({"Service": "*"}), vec![Everyone]),
            (json!({"AWS": "arn:aws:iam::*:root"}), vec![Everyone]),
            (json!({"AWS": "arn:aws:iam::????????????:role/x"}), vec![Everyone]),
            (json!({"AWS": "arn:aws:*"}), vec![Everyone]),
            (json!({"AWS": 123_456_789_012_u64}), vec![account("123456789012")]),
            (json!({"AWS": "arn:aws:iam::111122223333:root"}), vec![account("111122223333")]),
            (json!({"AWS": "arn:aws-us-gov:iam::111122223333:user/a*"}), vec![account("111122223333")]),
            (json!({"AWS": "arn:aws-cn:sts::123456789012:assumed-role/r/s"}), vec![account("123456789012")]),
            (json!({"AWS": "AROAEXAMPLEID"}), vec![Other]),
            (json!({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}), vec![Other]),
            (json!({"CanonicalUser": "79a59df900b949e5"}), vec![Other]),
            (json!({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}), vec![Service, Service]),
            (json!({"Federated": "cognito-identity.amazonaws.com"}), vec![Federated]),
            (json!({"AWS": []}), vec![]),
            (json!({"AWS": {"x": 1}}), vec![]),
            (Value::Null, vec![]),
        ] {
            let kinds: Vec<_> = allow(json!({"Principal": principal})).principals.into_iter().map(|p| p.kind).collect();
            assert_eq!(kinds, expected, "{principal}");
        }
        assert!(allow(json!({"NotPrincipal": {"AWS": "111122223333"}})).to_everyone());
    }

    #[test]
    fn the_owner_and_its_identity_provider_are_not_outside() {
        for (principal, outside) in [
            (json!("*"), true),
            (json!({"AWS": "arn:aws:iam::111122223333:root"}), false),
            (json!({"AWS": ["111122223333", "444455556666"]}), true),
            (json!({"Service": "ec2.amazonaws.com"}), false),
            (json!({"Federated": "arn:aws:iam::111122223333:saml-provider/idp"}), false),
            (json!({"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}), true),
        ] {
            let grant = allow(json!({"Principal": principal}));
            assert_eq!(grant.to_outside(Some("111122223333")), outside, "{principal}");
        }
        assert!(allow(json!({"Principal": {"AWS": "111122223333"}})).to_outside(None));
    }

    #[test]
    fn wildcards_in_actions() {
        for (statement, wildcard, admin) in [
            (json!({"Action": "*"}), true, true),
            (json!({"action": ["s3:GetObject", "*:*"]}), true, true),
            (json!({"Action": "s3:*"}), true, false),
            (json!({"Action": "aws-portal:*"}), true, false),
            (json!({"Action": ["s3:Get*", "iam:*User"]}), false, false),
            (json!({"NotAction": "s3:DeleteBucket"}), true, true),
            (json!({"NotAction": ["iam:*", "organizations:*"]}), true, false),
            (json!({"NotAction": "*"}), true, false),
            (json!({"Action": []}), false, false),
            (json!({}), false, false),
        ] {
            let mut on_all = statement.clone();
            on_all["Resource"] = json!("*");
            let grant = allow(on_all);
            assert_eq!((grant.wildcard_action(), grant.is_admin()), (wildcard, admin), "{statement}");
            assert!(!allow(statement).is_admin());
        }
    }

    #[test]
    fn wildcards_in_resources() {
        for (statement, wildcard, admin) in [
            (json!({"Resource": "*"}), true, true),
            (json!({"Resource": ["arn:aws:s3:::a", "**"]}), true, true),
            (json!({"Resource": "arn:aws:*"}), true, true),
            (json!({"Resource": "arn:*:*:*:*:*"}), true, true),
            (json!({"Resource": "arn:aws:s3:::*"}), true, false),
            (json!({"Resource": "arn:aws:sns:eu-west-1:111122223333:*"}), true, false),
            (json!({"Resource": "arn:aws:s3:::bucket/*"}), false, false),
            (json!({"Resource": ""}), false, false),
            (json!({"NotResource": "arn:aws:s3:::bucket"}), true, true),
            (json!({}), false, false),
        ] {
            let mut all_actions = statement.clone();
            all_actions["Action"] = json!("*");
            let grant = allow(all_actions);
            assert_eq!((grant.wildcard_resource(), grant.is_admin()), (wildcard, admin), "{statement}");
        }
    }
}
