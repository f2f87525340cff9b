//! Commands to paste: the rule's own, what else the caller did, and how to stop it.
//!
//! Whoever pastes them into a shell trusts us, and part of what stands in them comes from a log. Only texts that mean nothing to
//! any shell are put in; in the place of others stands what belongs there, in angle brackets.

use jiff::{SignedDuration, Timestamp};

use crate::alerting::Alert;
use crate::finding::{Event, OWN_SOURCE};
use crate::sigma::Level;
use crate::trail::{DOMAINS, Outcome};

use super::{Command, plain, redact};

const MAX_COMMANDS: usize = 10;
const MAX_LINE: usize = 1000;
/// How much before and after is looked at.
const AROUND: SignedDuration = SignedDuration::from_hours(1);

pub(super) fn of(alert: &Alert, now: Timestamp) -> Vec<Command> {
    let record = alert.finding.event.record.record();
    let own = alert.finding.rule.commands.iter().map(|command| command.fill(&record, argument));
    // Each has a purpose of its own: what has names in place of an order keeps one command for each.
    let advised = |number: usize| match alert.finding.rule.commands.len() {
        1 => "As the rule advises".to_owned(),
        all => format!("As the rule advises ({number} of {all})"),
    };
    let own = (1..).zip(own).map(|(number, line)| command(&advised(number), &line));
    let (what_else, stop, read) =
        if alert.finding.is_own() { (None, None, None) } else { (what_else(alert), stop(alert, now), read(alert)) };
    own.chain(what_else).chain(stop).chain(read).take(MAX_COMMANDS).collect()
}

fn command(purpose: &str, line: &str) -> Command {
    Command { purpose: purpose.to_owned(), line: plain::line(line, MAX_LINE) }
}

/// What to write for a field. A name without a value, with several, or with one that a shell would understand is left to the reader.
fn argument(field: &str, values: &[String]) -> String {
    match values {
        [value] if is_safe(value) => value.clone(),
        _ => format!("<{}>", field.rsplit('.').next().unwrap_or(field)),
    }
}

/// Whether a text means nothing but itself to shells, is no option, and no link that leads elsewhere.
fn is_safe(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/@+=,".contains(&byte);
    let is_link = text.contains("://") || text.to_ascii_lowercase().contains("www.");
    (1..=512).contains(&text.len())
        && text.bytes().all(is_plain)
        && !text.starts_with('-')
        && !redact::is_in(text)
        && (!is_link || is_queue(text) || text.starts_with("s3://"))
}

/// The one kind of address that commands of AWS take: `https://sqs.eu-west-1.amazonaws.com/111122223333/orders`.
fn is_queue(url: &str) -> bool {
    let host = url.strip_prefix("https://sqs.").and_then(|rest| rest.split('/').next());
    let region = host.and_then(|host| DOMAINS.iter().find_map(|domain| host.strip_suffix(domain)?.strip_suffix('.')));
    region.is_some_and(|region| region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        && url.matches("://").count() == 1
        && !url.to_ascii_lowercase().contains("www.")
}

/// What else this caller did in the hours around it, from CloudTrail's event history.
fn what_else(alert: &Alert) -> Option<Command> {
    let event = &alert.finding.event;
    let actor = &event.details().actor;
    let (key, value) = match (&actor.access_key_id, &actor.user_name, &actor.session_name) {
        (Some(key), ..) => ("AccessKeyId", key.as_str()),
        (None, _, Some(session)) => ("Username", session.as_str()),
        (None, Some(user), None) => ("Username", user.as_str()),
        (None, None, None) if actor.principal_type.as_deref() == Some("Root") => ("Username", "root"),
        _ => return None,
    };
    let region = region(event)?;
    // To the command, a comma begins the next attribute.
    if !is_safe(value) || value.contains(',') {
        return None;
    }
    let (from, to) = (stamp(shifted(event.time, -AROUND)), stamp(shifted(alert.last_time(), AROUND)));
    Some(command(
        "What else this caller did (in this Region)",
        &format!(
            "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey={key},AttributeValue={value} --start-time {from} --end-time {to}"
        ),
    ))
}

/// How to keep the caller from going on; nothing where nothing was done, or where it takes more than a command.
fn stop(alert: &Alert, now: Timestamp) -> Option<Command> {
    let event = &alert.finding.event;
    let actor = &event.details().actor;
    let is_grave = alert.finding.rule.level >= Level::High
        && alert.findings().any(|finding| finding.event.details().outcome == Outcome::Success);
    let is_ours = actor.account.as_deref() == Some(&event.identity.account);
    if !is_grave || !is_ours || actor.service_call {
        return None;
    }
    match actor.principal_type.as_deref()? {
        "IAMUser" => {
            let key = actor.access_key_id.as_deref().filter(|key| key.starts_with("AKIA") && is_safe(key))?;
            let user = actor.user_name.as_deref().filter(|user| is_safe(user))?;
            Some(command(
                "If it has no business here: stop its access key",
                &format!("aws iam update-access-key --user-name {user} --access-key-id {key} --status Inactive"),
            ))
        }
        "AssumedRole" => {
            let role = actor.session_issuer.as_deref()?.rsplit('/').next().filter(|role| is_safe(role))?;
            // Roles of the Identity Center and of services can't be changed by hand.
            if role.starts_with("AWSReservedSSO_") || role.starts_with("AWSServiceRoleFor") {
                return None;
            }
            let policy = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"DateLessThan":{{"aws:TokenIssueTime":"{}"}}}}}}]}}"#,
                stamp(now)
            );
            Some(command(
                "If it has no business here: revoke the role's sessions (all who use the role have to assume it anew)",
                &format!(
                    "aws iam put-role-policy --role-name {role} --policy-name {OWN_SOURCE}-revoke --policy-document '{policy}'"
                ),
            ))
        }
        _ => None,
    }
}

/// The record itself, whatever kind of event it is.
fn read(alert: &Alert) -> Option<Command> {
    let origin = &alert.finding.origin;
    let file = &origin.file;
    let is_gzip = file.starts_with("s3://") && file.ends_with(".gz");
    let index = origin.record_index;
    let shown = |file: &str| command("The record", &format!("aws s3 cp {file} - | gunzip | jq '.Records[{index}]'"));
    if !is_gzip {
        None
    } else if is_safe(file) {
        Some(shown(file))
    } else {
        // Single spaces in quotes mean nothing to a shell either; several would be made one on the way.
        let is_safe_in_quotes = is_safe(&file.replace(' ', "_")) && !file.contains("  ");
        is_safe_in_quotes.then(|| shown(&format!("'{file}'")))
    }
}

fn region(event: &Event) -> Option<&str> {
    Some(event.details().region.as_str()).filter(|region| is_safe(region))
}

fn shifted(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(time)
}

fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_writes_nothing_that_a_shell_understands() {
        let one = |value: &str| argument("requestParameters.keyId", &[value.to_owned()]);
        assert_eq!(
            one("arn:aws:kms:eu-west-1:111122223333:key/1234-ab"),
            "arn:aws:kms:eu-west-1:111122223333:key/1234-ab"
        );
        let queue = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders";
        assert_eq!(one(queue), queue);
        let elsewhere = "https://sqs.eu-west-1.amazonaws.com.evil.example/x";
        for link in ["https://evil.example/x", elsewhere, "https://sqs.evil@x.amazonaws.com/", "www.evil.example"] {
            assert_eq!(one(link), "<keyId>", "{link}");
        }
        for hostile in [
            "$(curl evil)",
            "a;b",
            "a b",
            "--profile",
            "`x`",
            "a|b",
            "a>b",
            "é",
            "a\nb",
            "",
            "a'b",
            "a\\b",
            "%PATH%",
            "!x",
            "~x",
            "a*",
            "exports/password=hunter22",
        ] {
            assert_eq!(one(hostile), "<keyId>", "{hostile}");
        }
        assert_eq!(argument("derived.resource", &["a".to_owned(), "b".to_owned()]), "<resource>");
    }
}
