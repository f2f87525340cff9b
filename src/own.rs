//! What trailhound has to say of its own work, as records that rules match.
//!
//! So everything that holds for CloudTrail's events holds for these: a level, a runbook, deduplication, and an organisation's
//! overrides. Rules for them have the log source `product: trailhound`, and no rule sees the events of both. The built-in ones
//! are in `rules/trailhound/`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::finding::{OWN_SOURCE, fingerprint};
use crate::integrity::Damage;
use crate::outcome::{Cause, SelfAlert};
use crate::trail::ObjectKey;
use crate::trigger::ObjectRef;

/// Something that happened to trailhound, or that it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEvent {
    /// What was being done: the record's `eventName`.
    pub name: &'static str,
    /// What became of it: the record's `errorCode`. A cause, or a kind of damage.
    pub code: &'static str,
    /// When people are told.
    pub alert: SelfAlert,
    /// The same in words: `errorMessage`.
    pub why: String,
    /// When.
    pub time: Timestamp,
    /// The object that it is about.
    pub object: Option<ObjectRef>,
    /// What it is about, if that is no object: the id of a message, the origin of records.
    pub subject: Option<String>,
    /// How often it was tried.
    pub attempt: u32,
    /// Where what can't be read was put.
    pub put_aside: Option<String>,
    /// The digest file that shows it, and whose it is.
    pub shown_by: Option<ShownBy>,
    /// Whether account, Region and trail are those that the names say. Anybody who can write to the bucket can make up others: each
    /// would be an alert of its own.
    pub place_is_known: bool,
}

/// A digest file that shows damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownBy {
    /// The digest.
    pub digest: ObjectRef,
    /// The trail that it belongs to.
    pub trail: String,
}

impl OwnEvent {
    /// An object that could not be read.
    #[must_use]
    pub fn of_object(object: &ObjectRef, cause: Cause, why: &str, time: Timestamp) -> Self {
        Self { object: Some(object.clone()), ..Self::new("ReadLogFile", cause, why, time) }
    }

    /// A log file that was deleted within a day of its delivery, before it was read.
    #[must_use]
    pub fn of_vanished(object: &ObjectRef, time: Timestamp) -> Self {
        let why = format!("{object} was deleted before it was read");
        Self { alert: SelfAlert::AtOnce, ..Self::of_object(object, Cause::Gone, &why, time) }
    }

    /// A payload, or a record that came without a file, that could not be read.
    #[must_use]
    pub fn of_payload(subject: &str, cause: Cause, why: &str, time: Timestamp) -> Self {
        Self { subject: Some(subject.to_owned()), ..Self::new("ReadPayload", cause, why, time) }
    }

    /// A delivery that fails again and again.
    #[must_use]
    pub fn of_delivery(message_id: &str, attempt: u32, cause: Cause, why: &str, time: Timestamp) -> Self {
        Self { subject: Some(message_id.to_owned()), attempt, ..Self::new("HandleDelivery", cause, why, time) }
    }

    /// A digest that could not be checked, or not as a whole.
    #[must_use]
    pub fn of_unchecked(digest: &ObjectRef, why: &str, time: Timestamp) -> Self {
        Self {
            object: Some(digest.clone()),
            place_is_known: false,
            ..Self::new("CheckDigest", Cause::NotChecked, why, time)
        }
    }

    /// Something that isn't as CloudTrail left it.
    #[must_use]
    pub fn of_damage(damage: &Damage, now: Timestamp) -> Self {
        let Damage { what, object, digest, trail, .. } = damage;
        Self {
            name: "ValidateDigest",
            code: what.name(),
            alert: SelfAlert::AtOnce,
            why: damage.to_string(),
            time: now,
            object: Some(object.clone()),
            subject: None,
            attempt: 1,
            put_aside: None,
            shown_by: Some(ShownBy { digest: digest.clone(), trail: trail.clone() }),
            place_is_known: !what.is_of_the_digest(),
        }
    }

    fn new(name: &'static str, cause: Cause, why: &str, time: Timestamp) -> Self {
        let fate = cause.fate();
        Self {
            name,
            code: cause.as_str(),
            alert: fate.alert,
            why: why.to_owned(),
            time,
            object: None,
            subject: None,
            attempt: 1,
            put_aside: None,
            shown_by: None,
            place_is_known: true,
        }
    }

    /// As a record. The same thing has the same `eventID` each time that it happens, so it is told once.
    #[must_use]
    pub fn record(&self) -> String {
        let object = self.object.as_ref();
        let key = object.filter(|_| self.place_is_known).map(|object| ObjectKey::parse(&object.key));
        let url = object.map(ToString::to_string);
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": {"type": "Trailhound", "invokedBy": OWN_SOURCE},
            "eventTime": self.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "eventSource": OWN_SOURCE,
            "eventName": self.name,
            "awsRegion": key.and_then(|key| key.region),
            "errorCode": self.code,
            "errorMessage": self.why,
            "requestParameters": {
                "bucketName": object.map(|object| &object.bucket),
                "key": object.map(|object| &object.key),
                "versionId": object.and_then(|object| object.version_id.as_ref()),
                "subject": self.subject,
            },
            "additionalEventData": {
                "attempt": self.attempt,
                "quarantine": self.put_aside,
                "digest": self.shown_by.as_ref().map(|shown_by| shown_by.digest.to_string()),
                "trail": self.shown_by.as_ref().filter(|_| self.place_is_known).map(|shown_by| &shown_by.trail),
            },
            "resources": url.iter().map(|url| json!({"ARN": url})).collect::<Vec<_>>(),
            "eventID": self.id(),
            "eventType": "TrailhoundEvent",
            "recipientAccountId": key.and_then(|key| key.account),
            "eventCategory": "Trailhound",
        });
        without_nulls(&mut record);
        record.to_string()
    }

    fn id(&self) -> String {
        let version = self.object.as_ref().and_then(|object| object.version_id.as_deref());
        let object = self.object.as_ref().map(ToString::to_string);
        let parts = [Some(self.code), object.as_deref(), version, self.subject.as_deref()];
        fingerprint(self.name, parts.map(Option::unwrap_or_default))
    }
}

fn without_nulls(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(without_nulls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_has_the_same_id_whenever_it_happens() {
        let object = |key: &str| ObjectRef { bucket: "b".into(), key: key.into(), version_id: None };
        let event = |key: &str, cause, time| {
            let time = Timestamp::from_second(time).unwrap();
            let record = OwnEvent::of_object(&object(key), cause, "denied", time).record();
            serde_json::from_str::<Value>(&record).unwrap()["eventID"].as_str().unwrap().to_owned()
        };
        assert_eq!(event("k", Cause::Denied, 1), event("k", Cause::Denied, 2));
        assert_ne!(event("k", Cause::Denied, 1), event("j", Cause::Denied, 1));
        assert_ne!(event("k", Cause::Denied, 1), event("k", Cause::Damaged, 1));
    }

    #[test]
    fn what_is_not_known_is_not_there() {
        let event = OwnEvent::of_delivery("m", 3, Cause::StateFailed, "away", Timestamp::UNIX_EPOCH);
        let record: Value = serde_json::from_str(&event.record()).unwrap();
        assert_eq!(record["requestParameters"], json!({"subject": "m"}));
        assert_eq!((&record["awsRegion"], &record["additionalEventData"]), (&Value::Null, &json!({"attempt": 3})));
    }
}
