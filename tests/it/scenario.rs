//! A delivery that asks everything of the memory, for tests that disturb it.

use serde_json::{Value, json};

use crate::support::{record, with};

/// A match, a first-seen rule, a correlation, and a correlation that reads it.
pub(crate) const RULES: &str = "title: Stopped
id: stopped
name: stopped
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: StopLogging}, condition: sel}
---
title: New address
id: address
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: GetUser}, condition: sel}
trailhound: {first_seen: {entity: [derived.principal], value: [sourceIPAddress], history: 30d, learning: 1d}}
---
title: Failed
id: failed
name: failed
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: ConsoleLogin}, condition: sel}
---
title: Many failed
id: many
name: many
correlation: {type: event_count, rules: [failed], group-by: [sourceIPAddress], timespan: 5m, condition: {gte: 3}, generate: true}
---
title: Failed, then stopped
id: chain
correlation: {type: temporal, rules: [many, stopped], group-by: [userIdentity.userName], timespan: 1h, generate: true}
";

fn at(name: &str, id: &str, time: &str) -> Value {
    with(record(name, id), &[("/eventTime", json!(format!("2026-11-05T{time}Z")))])
}

fn from(address: &str, record: Value) -> Value {
    with(record, &[("/sourceIPAddress", json!(address))])
}

fn by(user: &str, record: Value) -> Value {
    let arn = format!("arn:aws:iam::111122223333:user/{user}");
    with(record, &[("/userIdentity/userName", json!(user)), ("/userIdentity/arn", json!(arn))])
}

/// What was there before: alice is known, one login has failed, and carol's alert was told.
pub(crate) fn history() -> Vec<Vec<Value>> {
    let known = with(record("GetUser", "h1"), &[("/eventTime", json!("2026-11-01T10:00:00Z"))]);
    vec![vec![
        from("198.51.100.1", known),
        at("ConsoleLogin", "h2", "09:58:00"),
        by("carol", at("StopLogging", "h3", "09:50:00")),
    ]]
}

/// What the process is at when it dies: alerts of every kind, one that is held back, and files that share an event.
pub(crate) fn delivery() -> Vec<Vec<Value>> {
    vec![
        vec![
            at("StopLogging", "1", "10:00:00"),
            at("ConsoleLogin", "2", "10:00:30"),
            by("carol", at("StopLogging", "3", "10:01:00")),
        ],
        vec![at("ConsoleLogin", "4", "10:01:00"), from("203.0.113.9", at("GetUser", "5", "10:02:00"))],
        vec![by("bob", at("StopLogging", "6", "10:03:00")), at("StopLogging", "1", "10:00:00")],
    ]
}
