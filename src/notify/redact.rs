//! Takes secrets out of what a log says.
//!
//! CloudTrail hides most of them itself. What gets through: the session tokens that STS answers with, and whatever people write
//! where no secret belongs, such as environment variables, user agents and error messages. An alert is copied to mailboxes and chat
//! rooms, where a secret must not be. Rules see records as they are.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};
use serde_json::Value;

/// Stands where a secret was.
pub(super) const REDACTED: &str = "[redacted]";

/// Ends of names, without their punctuation and in lower case, of what is a secret.
const SECRET_ENDS: &[&str] = &[
    "apikey",
    "authorization",
    "clientsecret",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "plaintext",
    "presharedkey",
    "privatekey",
    "privatekeymaterial",
    "pwd",
    "samlassertion",
    "secret",
    "secretaccesskey",
    "secretbinary",
    "secretkey",
    "secretstring",
    "signature",
    "token",
];

/// Whole names that are none, though they end so: where a list goes on, that a request is the same, that an object hasn't changed.
const NO_SECRETS: &[&str] = &[
    "changetoken",
    "clientidempotencytoken",
    "clientrequesttoken",
    "clienttoken",
    "continuationtoken",
    "creatorrequesttoken",
    "idempotencytoken",
    "locktoken",
    "nextcontinuationtoken",
    "nextpagetoken",
    "nexttoken",
    "pagetoken",
    "paginationtoken",
    "startingtoken",
    "updatetoken",
];

/// What gives itself away wherever it stands. The first group, if there is one, is kept. Boundaries are those of ASCII words: a
/// secret may follow any other letter, and no automaton of regex knows where words of Unicode end, which costs ten times as much.
const PATTERNS: [&str; 8] = [
    // A name, and what it is set to.
    r#"(?i)((?:password|passwd|secret[_ -]?access[_ -]?key|secret[_ -]?key|client[_ -]?secret|api[_ -]?key|(?:session|security|access|auth)[_ -]?token|x-amz-signature|x-amz-security-token)\\?["']?\s{0,3}[=:]\s{0,3}\\?["']?)[^\s"'&,;\\]{4,}"#,
    r"(?i)(?-u:\b)((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{16,}",
    // The user's part of an address; not beyond a text in JSON. Counting what isn't ASCII would take most of the time to compile all.
    r#"(?i)([a-z][a-z0-9+.-]{1,20}://[^\s/:@"\\]+:)[^\s/@"\\]+@"#,
    // A JSON Web Token.
    r"(?-u:\b)eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    // Session tokens of STS.
    r"(?-u:\b)(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=%]{60,}",
    r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,20}PRIVATE KEY-----)?",
    // Tokens of GitHub, GitLab, Slack and Stripe; Slack's webhooks.
    r"(?-u:\b)(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|sk_live_[A-Za-z0-9]{16,})",
    r"(hooks\.slack\.com/(?:services|workflows)/)[A-Za-z0-9/_-]{8,}",
];

/// OK to pass over what doesn't compile: a test says that all do.
static IN_TEXT: LazyLock<Vec<Regex>> =
    LazyLock::new(|| PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect());

/// All of them in one pass, because most texts hold none.
static ANY: LazyLock<RegexSet> = LazyLock::new(|| RegexSet::new(PATTERNS).unwrap_or_default());

/// Whether a secret gives itself away in a text. Most hold none, and asking allocates nothing.
pub(super) fn is_in(text: &str) -> bool {
    ANY.is_match(text)
}

/// The text without secrets.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if !is_in(text) {
        return Cow::Borrowed(text);
    }
    let mut clean = Cow::Borrowed(text);
    for pattern in ANY.matches(text).into_iter().filter_map(|place| IN_TEXT.get(place)) {
        let mut replace = |found: &regex::Captures<'_>| {
            let kept = found.get(1).map_or("", |group| group.as_str());
            let at = if found[0].ends_with('@') { "@" } else { "" };
            format!("{kept}{REDACTED}{at}")
        };
        if let Cow::Owned(replaced) = pattern.replace_all(&clean, &mut replace) {
            clean = Cow::Owned(replaced);
        }
    }
    clean
}

/// A record, as JSON, without secrets. As it was where there are none, or where it turns out to be no JSON inside.
pub(super) fn record(raw: &str) -> Cow<'_, str> {
    let Ok(mut record) = serde_json::from_str::<Value>(raw) else { return text(raw) };
    if !redact(&mut record) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(record.to_string())
}

/// Takes secrets out, and says whether there were any.
fn redact(value: &mut Value) -> bool {
    match value {
        Value::String(string) => {
            let Cow::Owned(clean) = text(string) else { return false };
            *string = clean;
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |found, item| redact(item) | found),
        Value::Object(members) => {
            // `{"name": "DB_PASSWORD", "value": "…"}`, as environment variables and parameters stand in many requests.
            let named = ["name", "Name", "key", "Key", "parameterKey", "ParameterKey", "parameterName"];
            let names_secret =
                named.iter().any(|name| members.get(*name).and_then(Value::as_str).is_some_and(is_secret));
            members.iter_mut().fold(false, |found, (name, member)| {
                let is_value = name.to_lowercase().ends_with("value");
                (if is_secret(name) || (names_secret && is_value) { hide(member) } else { redact(member) }) | found
            })
        }
        _ => false,
    }
}

/// Hides all texts and numbers of a value. That it was there stays.
fn hide(value: &mut Value) -> bool {
    match value {
        Value::String(text) if text.is_empty() || text.contains("HIDDEN_DUE_TO_SECURITY_REASONS") => false,
        Value::String(_) | Value::Number(_) => {
            *value = Value::String(REDACTED.to_owned());
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |found, item| hide(item) | found),
        Value::Object(members) => members.values_mut().fold(false, |found, member| hide(member) | found),
        _ => false,
    }
}

fn is_secret(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    !NO_SECRETS.contains(&name.as_str()) && SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_pattern_is_one() {
        assert_eq!((IN_TEXT.len(), ANY.len()), (PATTERNS.len(), PATTERNS.len()));
    }

    #[test]
    fn secrets_in_texts_are_hidden_and_the_rest_stays() {
        let token = "A".repeat(80);
        for (said, expected) in [
            ("aws-cli/2.31 password=hunter22 md/x", "aws-cli/2.31 password=[redacted] md/x"),
            (r#"{"apiKey": "abcd1234"}"#, r#"{"apiKey": "[redacted]"}"#),
            ("Authorization: Bearer abcdefghijklmnop.qrs", "Authorization: Bearer [redacted]"),
            ("postgres://app:s3cr3t@db.example/x", "postgres://app:[redacted]@db.example/x"),
            ("?X-Amz-Signature=abcdef0123&x=1", "?X-Amz-Signature=[redacted]&x=1"),
            ("eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2ln end", "[redacted] end"),
            ("token ghp_abcdefghijklmnopqrstuvwx", "token [redacted]"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "[redacted]"),
            ("Schlüsselßghp_abcdefghijklmnopqrstuvwx", "Schlüsselß[redacted]"),
            ("hooks.slack.com/services/T0/B0/abc", "hooks.slack.com/services/[redacted]"),
        ] {
            assert_eq!(text(said), expected, "{said}");
        }
        assert_eq!(text(&format!("IQoJ{token}")), REDACTED);
        let long = format!("https://oauth2:{}@git.example/x", token.repeat(9));
        assert_eq!(text(&long), "https://oauth2:[redacted]@git.example/x");
        for harmless in [
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db/password-AbCdEf",
            "UpdateLoginProfile by AKIAEXAMPLEKEYID0001",
            "The security token included in the request is invalid",
            "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: iam:CreateAccessKey",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/orders",
            "s3://example-trail-logs/AWSLogs/111122223333/CloudTrail/x.json.gz",
            r#"{"url":"https://proxy.example:8080","owner":"alice@example.com"}"#,
        ] {
            assert_eq!(text(harmless), harmless);
        }
    }

    #[test]
    fn a_record_keeps_everything_but_its_secrets() {
        let said = json!({
            "userIdentity": {"accessKeyId": "AKIAEXAMPLEKEYID0001"},
            "requestParameters": {
                "secretId": "db/password", "nextToken": "abc", "password": "", "newPassword": "x1", "tokenCount": 3,
                "environment": [{"name": "DB_PASSWORD", "value": "x2"}, {"name": "STAGE", "value": "prod"}],
                "userAgent": "curl password=x345"
            },
            "responseElements": {"credentials": {"accessKeyId": "ASIAEXAMPLE", "sessionToken": "x4", "expiration": "later"}}
        });
        let raw = said.to_string();
        let clean: Value = serde_json::from_str(&record(&raw)).unwrap();
        let mut expected = said.clone();
        expected["requestParameters"]["newPassword"] = json!(REDACTED);
        expected["requestParameters"]["environment"][0]["value"] = json!(REDACTED);
        expected["requestParameters"]["userAgent"] = json!("curl password=[redacted]");
        expected["responseElements"]["credentials"]["sessionToken"] = json!(REDACTED);
        assert_eq!(clean, expected);
    }

    #[test]
    fn a_record_without_secrets_is_as_it_was() {
        let raw =
            r#"{ "eventName" : "StopLogging", "requestParameters": {"password": "HIDDEN_DUE_TO_SECURITY_REASONS"} }"#;
        assert!(matches!(record(raw), Cow::Borrowed(same) if same == raw));
        assert_eq!(record("{broken password=abcdef"), "{broken password=[redacted]");
    }
}
