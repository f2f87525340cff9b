//! Which accounts, Regions and kinds of events are taken, and which are left to others.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{ObjectKey, Record, Slot};

/// The kinds of events that CloudTrail writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// Calls that change or read what is set up; sign-ins; what services do by themselves.
    Management,
    /// Calls that use what is set up: S3 objects, SQS messages.
    Data,
    /// Calls through VPC endpoints.
    NetworkActivity,
    /// Unusual rates of calls or of errors.
    Insight,
    /// Data events, counted over five minutes.
    Aggregated,
}

/// What is taken. What isn't is acknowledged and counted, and no rule sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// These accounts; all, if there are none.
    pub accounts: BTreeSet<String>,
    /// These Regions; all, if there are none.
    pub regions: BTreeSet<String>,
    /// These kinds of events; all, if there are none.
    pub kinds: BTreeSet<EventKind>,
}

impl EventKind {
    /// Every kind with its word.
    pub const WORDS: &[(&str, Self)] = &[
        ("management", Self::Management),
        ("data", Self::Data),
        ("network-activity", Self::NetworkActivity),
        ("insight", Self::Insight),
        ("aggregated", Self::Aggregated),
    ];

    /// What a record says of itself. Before version 1.07 it doesn't say, so that what is known to be nothing else counts as a
    /// management event.
    #[must_use]
    pub fn of(record: &Record<'_>) -> Self {
        let says = |slot, words: &[&str]| {
            record.said(slot).is_some_and(|said| words.iter().any(|word| said.eq_ignore_ascii_case(word)))
        };
        let is =
            |category: &str, types: &[&str]| says(Slot::EventCategory, &[category]) || says(Slot::EventType, types);
        if is("Insight", &["AwsCloudTrailInsight"]) {
            Self::Insight
        } else if is("NetworkActivity", &["AwsVpceEvent", "AwsVpceEvents"]) {
            Self::NetworkActivity
        } else if is("Aggregated", &["AwsAggregatedEvent"]) {
            Self::Aggregated
        } else if is("Data", &[]) || record.is_false(Slot::ManagementEvent) {
            Self::Data
        } else {
            Self::Management
        }
    }
}

impl Scope {
    /// Whether anything is left to others.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an object may hold something that is taken.
    #[must_use]
    pub fn takes_object(&self, key: &ObjectKey<'_>) -> bool {
        takes(&self.accounts, key.account.map(Cow::Borrowed))
            && takes(&self.regions, key.region.map(Cow::Borrowed))
            && key.events.is_none_or(|kind| self.takes_kind(kind))
    }

    /// Whether a record is taken. One that doesn't say where it belongs is.
    #[must_use]
    pub fn takes(&self, record: &Record<'_>) -> bool {
        takes(&self.accounts, record.account())
            && takes(&self.regions, record.region())
            && (self.kinds.is_empty() || self.takes_kind(EventKind::of(record)))
    }

    fn takes_kind(&self, kind: EventKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

fn takes(wanted: &BTreeSet<String>, said: Option<Cow<'_, str>>) -> bool {
    wanted.is_empty() || said.is_none_or(|said| wanted.contains(&*said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(record: &str) -> EventKind {
        EventKind::of(&Record::parse(0, record.as_bytes()).unwrap())
    }

    #[test]
    fn records_of_every_version_have_a_kind() {
        for (record, expected) in [
            (r#"{"eventVersion":"1.01","eventName":"RunInstances"}"#, EventKind::Management),
            (r#"{"eventVersion":"1.06","managementEvent":false}"#, EventKind::Data),
            (r#"{"eventVersion":"1.06","managementEvent":true}"#, EventKind::Management),
            (r#"{"eventVersion":"1.08","eventCategory":"Data","managementEvent":false}"#, EventKind::Data),
            (r#"{"eventVersion":"1.07","eventType":"AwsCloudTrailInsight"}"#, EventKind::Insight),
            (
                r#"{"eventVersion":"1.09","eventType":"AwsVpceEvent","eventCategory":"NetworkActivity"}"#,
                EventKind::NetworkActivity,
            ),
            (r#"{"eventVersion":"1.09","eventType":"AwsVpceEvents"}"#, EventKind::NetworkActivity),
            (
                r#"{"eventVersion":"1.0","eventCategory":"Aggregated","eventType":"AwsAggregatedEvent"}"#,
                EventKind::Aggregated,
            ),
            (r#"{"eventVersion":"1.08","eventCategory":"management"}"#, EventKind::Management),
        ] {
            assert_eq!(kind(record), expected, "{record}");
        }
    }

    #[test]
    fn what_is_not_named_is_left_to_others() {
        let set = |text: &str| BTreeSet::from([text.to_owned()]);
        let scope = Scope {
            accounts: set("111122223333"),
            regions: set("eu-west-1"),
            kinds: BTreeSet::from([EventKind::Data]),
        };
        let key = |account: &str, region: &str, folder: &str| {
            scope.takes_object(&ObjectKey::parse(&format!("AWSLogs/{account}/{folder}/{region}/2026/11/05/f.json.gz")))
        };
        assert!(key("111122223333", "eu-west-1", "CloudTrail"));
        assert!(!key("444455556666", "eu-west-1", "CloudTrail"));
        assert!(!key("111122223333", "us-east-1", "CloudTrail"));
        assert!(!key("111122223333", "eu-west-1", "CloudTrail-Insight"));
        assert!(scope.takes_object(&ObjectKey::parse("copies/f.json.gz")), "who knows what it holds");
        let takes = |record: &str| scope.takes(&Record::parse(0, record.as_bytes()).unwrap());
        assert!(takes(r#"{"recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventCategory":"Data"}"#));
        assert!(takes(r#"{"eventCategory":"Data"}"#));
        assert!(!takes(
            r#"{"recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventCategory":"Management"}"#
        ));
        assert!(!takes(r#"{"recipientAccountId":"444455556666","awsRegion":"eu-west-1","eventCategory":"Data"}"#));
        assert!(!takes(r#"{"accountId":"111122223333","awsRegion":"us-east-1","eventCategory":"Data"}"#));
    }
}
