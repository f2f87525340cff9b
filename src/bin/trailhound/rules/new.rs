//! `trailhound rules new`: a rule to begin with, and its test.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Map, Value, json};
use trailhound::ports::BoxError;

use super::Records;
use super::test_file::beside;
use crate::args::NewArgs;
use crate::{Verdict, note};

pub(super) fn run(args: &NewArgs) -> Result<Verdict, BoxError> {
    let path = &args.file;
    if !path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml") {
        return Err(format!("{}: a rule's file ends in .yml", path.display()).into());
    }
    let record = match &args.record {
        Some(file) => serde_json::from_str(&chosen(file, args.event.as_deref())?)?,
        None => sample(),
    };
    let title = args.title.clone().unwrap_or_else(|| titled(path));
    write_new(path, &rule(&title, &record)?)?;
    let test = beside(path);
    write_new(&test, &test_of(&record)?)?;
    note(&format!("{}\n{}", path.display(), test.display()));
    note(&format!(
        "Next: describe what it is about, then `trailhound rules test {}` and `trailhound rules lint {0}`.",
        path.display()
    ));
    Ok(Verdict::Clean)
}

fn chosen(file: &Path, event: Option<&str>) -> Result<String, BoxError> {
    let mut records = Records::read(file, event, 1)?;
    if records.left_out > 0 {
        note(&format!("the first of {} records; choose another with `--event` and its eventID", records.left_out + 1));
    }
    records.chosen.pop().map(|raw| raw.text).ok_or_else(|| "there is no record".into())
}

/// Nothing that is there is written over.
fn write_new(path: &Path, text: &str) -> Result<(), BoxError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => format!("{} is there already; choose another name", path.display()),
        _ => format!("{}: {error}", path.display()),
    };
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
    let mut file = fs::File::options().write(true).create_new(true).open(path).map_err(failed)?;
    Ok(file.write_all(text.as_bytes()).map_err(failed)?)
}

fn titled(path: &Path) -> String {
    let words = path.file_stem().unwrap_or_default().to_string_lossy().replace(['_', '-'], " ");
    let mut chars = words.chars();
    chars.next().map_or_else(|| words.clone(), |first| first.to_uppercase().chain(chars).collect())
}

fn rule(title: &str, record: &Value) -> Result<String, BoxError> {
    let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
    let today = Timestamp::now().strftime("%Y-%m-%d");
    let (title, source, name) = (quoted(title), quoted(text("eventSource")), quoted(text("eventName")));
    Ok(format!(
        "title: {title}
id: {}
status: experimental
description: >-
  What happened, why an attacker does it, and what it leads to.
author: you
date: {today}
tags:
  - attack.persistence
logsource:
  product: aws
  service: cloudtrail
detection:
  selection:
    eventSource: {source}
    eventName: {name}
    derived.outcome: success
  condition: selection
falsepositives:
  - Who does this and means no harm.
level: medium
trailhound:
  alert:
    dedup: [derived.principal, recipientAccountId, awsRegion]
    runbook:
      - Whom to ask, and what.
      - Which events to look for, by which field, in which hours.
      - How to undo it.
",
        uuid()?
    ))
}

/// In YAML and in JSON alike, where it has to be.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._-".contains(c);
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain) && text.trim() == text;
    if is_word { text.to_owned() } else { Value::from(text).to_string() }
}

fn test_of(record: &Value) -> Result<String, BoxError> {
    let failed = json!({"errorCode": "AccessDenied", "errorMessage": "User is not authorized to perform this", "responseElements": null});
    let another_region = json!({"awsRegion": "eu-north-1"});
    let another = json!({"eventName": "AnotherCall"});
    let elsewhere = json!({"eventSource": "example.amazonaws.com"});
    let record = serde_json::to_string_pretty(record)?.replace('\n', "\n  ");
    // JSON is YAML: a record can be pasted as it is.
    Ok(format!(
        "# The record that the cases below change: maps are merged into it, null removes. docs/rules.md tells more.
record:
  {record}
fires:
  as delivered: {{}}
  in another Region: {another_region}
near_misses:
  denied: {failed}
  the same name at another service: {elsewhere}
  another call: {another}
"
    ))
}

/// A random one, of version 4.
fn uuid() -> Result<String, BoxError> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "there is no randomness to be had for an id")?;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

/// For whoever has no record at hand.
fn sample() -> Value {
    let mut record = Map::new();
    let mut set = |name: &str, value: Value| record.insert(name.to_owned(), value);
    set("eventVersion", "1.11".into());
    set(
        "userIdentity",
        json!({
            "type": "IAMUser", "principalId": "AIDAEXAMPLEUSERID0001", "arn": "arn:aws:iam::111122223333:user/alice",
            "accountId": "111122223333", "accessKeyId": "AKIAEXAMPLEKEYID0003", "userName": "alice",
        }),
    );
    set("eventTime", "2026-11-20T09:31:12Z".into());
    set("eventSource", "iam.amazonaws.com".into());
    set("eventName", "CreateAccessKey".into());
    set("awsRegion", "us-east-1".into());
    set("sourceIPAddress", "198.51.100.7".into());
    set("userAgent", "aws-cli/2.31.4".into());
    set("requestParameters", json!({"userName": "backup"}));
    set("responseElements", json!({"accessKey": {"userName": "backup", "status": "Active"}}));
    set("requestID", "3d9b8c10-86f5-4a3c-9d64-0a8bb2c3f7e1".into());
    set("eventID", "b8a3f9d2-64c1-4c8e-9d4e-6c2f7a10e502".into());
    set("readOnly", false.into());
    set("eventType", "AwsApiCall".into());
    set("managementEvent", true.into());
    set("recipientAccountId", "111122223333".into());
    set("eventCategory", "Management".into());
    record.into()
}
