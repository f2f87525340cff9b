//! What the values of settings mean: each a text, and an error in words when it can't be meant.

use std::collections::BTreeSet;

use crate::local::Stdout;
use crate::pipeline::Quarantine;
use crate::rule_pack::{Pack, RuleSource};
use crate::sigma::Level;
use crate::trail::EventKind;
use crate::trigger::s3_url;
use crate::yaml::suggest;

use super::{AlertsTo, ConfigFrom, KeysFrom, ObjectsFrom, StateIn, Warm};

fn listed(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|part| !part.is_empty())
}

pub(super) fn rules(value: &str) -> Vec<RuleSource> {
    listed(value)
        .map(|place| Pack::named(place).map_or_else(|| RuleSource::Path(place.into()), RuleSource::Pack))
        .collect()
}

/// Reads a level by its word.
///
/// # Errors
/// When there is no such level.
pub fn level(value: &str) -> Result<Level, String> {
    Level::named(value).ok_or_else(|| {
        let words: Vec<&str> = Level::WORDS.iter().map(|(word, _)| *word).collect();
        format!("`{value}` is no level; there are: {}", words.join(", "))
    })
}

/// Reads `s3` or `dir:PATH`.
///
/// # Errors
/// What is wrong, in words.
pub fn objects(value: &str) -> Result<ObjectsFrom, String> {
    match value.split_once(':') {
        None if value == "s3" => Ok(ObjectsFrom::S3),
        Some(("dir", path)) if !path.is_empty() => Ok(ObjectsFrom::Folder(path.into())),
        _ => Err(format!("`{value}` is no place for log files; it takes `s3` or `dir:PATH`")),
    }
}

/// Reads `memory`, `file:PATH` or `dynamodb:TABLE`.
///
/// # Errors
/// What is wrong, in words.
pub fn state(value: &str) -> Result<StateIn, String> {
    match value.split_once(':') {
        None if value == "memory" => Ok(StateIn::Memory),
        Some(("file", path)) if !path.is_empty() => Ok(StateIn::File(path.into())),
        Some(("dynamodb", table)) if is_table(table) => Ok(StateIn::DynamoDb(table.to_owned())),
        Some(("dynamodb", table)) => {
            Err(format!("`{table}` is no table's name: 3 to 255 letters, digits, `_`, `-` and `.`, without a Region"))
        }
        _ => Err(format!("`{value}` is no place for the memory; it takes `memory`, `file:PATH` or `dynamodb:TABLE`")),
    }
}

fn is_table(name: &str) -> bool {
    (3..=255).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// Reads `sns:ARN`, `stdout` or `stdout:json`.
///
/// # Errors
/// What is wrong, in words.
pub fn alerts(value: &str) -> Result<AlertsTo, String> {
    match value.split_once(':') {
        None if value == "stdout" => Ok(AlertsTo::Stdout(Stdout::Text)),
        Some(("stdout", "json")) => Ok(AlertsTo::Stdout(Stdout::Json)),
        Some(("sns", arn)) if arn.starts_with("arn:") && arn.split(':').count() == 6 => {
            Ok(AlertsTo::Sns(arn.to_owned()))
        }
        Some(("sns", arn)) => {
            Err(format!("`{arn}` is no topic ARN; one looks like arn:aws:sns:eu-west-1:111122223333:alerts"))
        }
        _ => Err(format!("`{value}` is no place for alerts; it takes `sns:ARN`, `stdout` or `stdout:json`")),
    }
}

/// Reads `cloudtrail`, `file:PATH` or `none`.
///
/// # Errors
/// What is wrong, in words.
pub fn keys(value: &str) -> Result<KeysFrom, String> {
    match value.split_once(':') {
        None if value == "cloudtrail" => Ok(KeysFrom::CloudTrail),
        None if value == "none" => Ok(KeysFrom::Nowhere),
        Some(("file", path)) if !path.is_empty() => Ok(KeysFrom::File(path.into())),
        _ => Err(format!("`{value}` is no place for public keys; it takes `cloudtrail`, `file:PATH` or `none`")),
    }
}

pub(super) fn accounts(value: &str) -> Result<BTreeSet<String>, String> {
    let account = |id: &str| {
        let is_id = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        if is_id { Ok(id.to_owned()) } else { Err(format!("`{id}` is no account id, which has 12 digits")) }
    };
    listed(value).map(account).collect()
}

pub(super) fn regions(value: &str) -> Result<BTreeSet<String>, String> {
    let region = |name: &str| {
        let is_name = name.split('-').count() >= 3 && name.ends_with(|c: char| c.is_ascii_digit());
        if is_name { Ok(name.to_owned()) } else { Err(format!("`{name}` is no Region; one looks like eu-west-1")) }
    };
    listed(value).map(region).collect()
}

pub(super) fn kinds(value: &str) -> Result<BTreeSet<EventKind>, String> {
    let kind = |word: &str| {
        let known = EventKind::WORDS.iter().find(|(known, _)| *known == word);
        known.map(|(_, kind)| *kind).ok_or_else(|| {
            let words: Vec<&str> = EventKind::WORDS.iter().map(|(word, _)| *word).collect();
            let advice =
                suggest(word, words.iter().copied()).unwrap_or_else(|| format!("there are: {}", words.join(", ")));
            format!("`{word}` is no kind of event; {advice}")
        })
    };
    listed(value).map(kind).collect()
}

/// Reads `s3://BUCKET/PREFIX`.
///
/// # Errors
/// What is wrong, in words.
pub fn quarantine(value: &str) -> Result<Quarantine, String> {
    let (bucket, prefix) = folder(value)
        .ok_or_else(|| format!("`{value}` is no place to put things aside; it takes `s3://BUCKET/PREFIX`"))?;
    Ok(Quarantine { bucket, prefix })
}

/// A bucket, and a prefix that is empty or ends with a slash.
pub(super) fn folder(url: &str) -> Option<(String, String)> {
    let (bucket, prefix) = s3_url(url)?;
    let prefix = if prefix.is_empty() || prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
    Some((bucket.to_owned(), prefix))
}

pub(super) fn warm(value: &str) -> Result<Vec<Warm>, String> {
    let place = |place: &str| match place.strip_prefix("s3://") {
        None if place == "alerts" => Ok(Warm::Alerts),
        None if place == "state" => Ok(Warm::State),
        Some(bucket) if !bucket.is_empty() && !bucket.contains('/') => Ok(Warm::Bucket(bucket.to_owned())),
        _ => Err(format!("`{place}` is nothing to connect to; it takes `s3://BUCKET`, `alerts` and `state`")),
    };
    listed(value).map(place).collect()
}

/// Reads a path or `s3://BUCKET/KEY`.
///
/// # Errors
/// What is wrong, in words.
pub fn config(value: &str) -> Result<ConfigFrom, String> {
    if !value.starts_with("s3://") {
        return Ok(ConfigFrom::Path(value.into()));
    }
    match s3_url(value) {
        Some((bucket, key)) if !key.is_empty() => Ok(ConfigFrom::S3 { bucket: bucket.to_owned(), key: key.to_owned() }),
        _ => Err(format!("`{value}` names no object; it takes `s3://BUCKET/KEY`")),
    }
}
