//! Finds policy documents in what a call asked or was answered, and makes a statement of a permission's parts.

use serde_json::{Map, Value, json};

use super::embedded;
use super::json::Json;
use super::statement::{Grant, member, texts};

/// What was found on the way through a request or an answer.
#[derive(Default)]
pub(super) struct Found {
    /// What each `Allow` statement grants, in the documents' order.
    pub(super) grants: Vec<Grant>,
    /// Whether a document or a statement of one can't be read.
    pub(super) unreadable: bool,
    documents: usize,
}

/// The policy documents in a request or an answer; `None` when there is none.
pub(super) fn find(value: Json<'_>) -> Option<Found> {
    let mut found = Found::default();
    match value.tree() {
        Some(tree) => found.find(&tree, "", embedded::MAX_DEPTH),
        // Nested deeper or longer than anything that CloudTrail writes, or no JSON.
        None => found.find_in_text(value.0, "", 0),
    }
    (found.documents > 0).then_some(found)
}

impl Found {
    /// Adds every policy document in `value`, which stands under `name`.
    fn find(&mut self, value: &Value, name: &str, depth: u8) {
        match value {
            Value::Object(members) => match statements(members) {
                Some(statements) => {
                    self.documents += 1;
                    statements.iter().for_each(|statement| self.add(statement));
                }
                None => members.iter().for_each(|(name, value)| self.find(value, name, depth)),
            },
            Value::Array(items) => items.iter().for_each(|item| self.find(item, name, depth)),
            Value::String(text) => self.find_in_text(text, name, depth),
            _ => {}
        }
    }

    fn find_in_text(&mut self, text: &str, name: &str, depth: u8) {
        let inner = depth.checked_sub(1).and_then(|depth| Some((depth, embedded::document(text)?)));
        if let Some((depth, inner)) = inner {
            self.find(&inner, name, depth);
        // An empty text takes a policy away, and a name or an ARN stands for one that is elsewhere.
        } else if embedded::looks_like_one(text) && is_called_policy(name, text) {
            self.documents += 1;
            self.unreadable = true;
        }
    }

    fn add(&mut self, statement: &Value) {
        match statement.as_object() {
            Some(statement) => self.grants.extend(Grant::new(statement)),
            None => self.unreadable = true,
        }
    }
}

/// The statement that a call adds by its parts, as the service makes it of them.
pub(super) fn permission(request: &Map<String, Value>) -> Option<Found> {
    let statement = of_accounts(request).or_else(|| of_principal(request))?;
    let mut found = Found::default();
    found.add(&statement);
    Some(found)
}

/// SQS and SNS: accounts and actions, named in either service's way.
fn of_accounts(request: &Map<String, Value>) -> Option<Value> {
    let either = |names: [&str; 2]| names.iter().find_map(|name| member(request, name));
    let accounts = either(["AWSAccountIds", "AWSAccountId"])?;
    let actions = either(["Actions", "ActionName"])?;
    Some(json!({"Effect": "Allow", "Principal": {"AWS": accounts}, "Action": actions}))
}

/// Lambda and EventBridge: one principal, one action, and what narrows it as parameters of their own.
fn of_principal(request: &Map<String, Value>) -> Option<Value> {
    let principal = member(request, "principal")?.as_str()?;
    let action = member(request, "action")?;
    let is_aws =
        principal == "*" || principal.starts_with("arn:") || principal.bytes().all(|byte| byte.is_ascii_digit());
    let kind = if is_aws { "AWS" } else { "Service" };
    Some(json!({
        "Effect": "Allow", "Principal": {kind: principal}, "Action": action, "Condition": conditions(request)
    }))
}

fn conditions(request: &Map<String, Value>) -> Value {
    let mut condition = json!({});
    for (parameter, operator, key) in [
        ("sourceArn", "ArnLike", "aws:SourceArn"),
        ("sourceAccount", "StringEquals", "aws:SourceAccount"),
        ("principalOrgID", "StringEquals", "aws:PrincipalOrgID"),
        ("organizationId", "StringEquals", "aws:PrincipalOrgID"),
    ] {
        if let Some(value) = member(request, parameter) {
            condition[operator][key] = value.clone();
        }
    }
    let written = member(request, "condition").and_then(Value::as_object);
    let part = |name: &str| texts(member(written?, name)?).into_iter().next();
    if let (Some(operator), Some(key), Some(value)) = (part("type"), part("key"), part("value")) {
        condition[operator][key] = value.into();
    }
    condition
}

/// The statements of a policy document. Other things are called so, too (a web ACL's rules): a statement has an effect.
fn statements(members: &Map<String, Value>) -> Option<&[Value]> {
    let statements = match member(members, "Statement")? {
        Value::Array(statements) => statements.as_slice(),
        statement => std::slice::from_ref(statement),
    };
    let has_effect = |statement: &Value| statement.as_object().is_some_and(|it| member(it, "Effect").is_some());
    statements.iter().any(has_effect).then_some(statements)
}

/// Tells a policy document that can't be read from any other such text.
fn is_called_policy(name: &str, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    name.to_ascii_lowercase().contains("polic")
        || ["\"statement\"", "%22statement%22"].iter().any(|it| text.contains(it))
}
