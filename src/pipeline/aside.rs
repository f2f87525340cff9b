//! Quarantine: what can't be read is put where a person finds it, with the reason beside it.

use std::fmt;

use bytes::Bytes;
use serde_json::json;

use crate::finding::fingerprint;
use crate::outcome::{Cause, Counts, Failure};
use crate::own::OwnEvent;
use crate::ports::{Clock, KeepError, ObjectStore, Publisher, StateStore, chain};
use crate::telemetry::{self, Event};
use crate::trail::BadRecord;
use crate::trigger::{Inline, ObjectRef, Rejected};

use super::Pipeline;
use super::budget::Budget;
use super::read::{Ended, Report};

/// Where things are put aside: below a prefix of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    /// The bucket.
    pub bucket: String,
    /// What the keys begin with: empty, or ending in `/`.
    pub prefix: String,
}

impl Quarantine {
    /// Whether an object lies there: nothing that was put aside is read again, whatever its name.
    pub(super) fn holds(&self, object: &ObjectRef) -> bool {
        self.bucket == object.bucket && object.key.starts_with(&self.prefix) && !self.prefix.is_empty()
    }
}

impl fmt::Display for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// Something that can't be read, or not as a whole.
pub(super) struct Aside<'a> {
    what: What<'a>,
    cause: Cause,
    why: String,
    bad: &'a [BadRecord],
}

enum What<'a> {
    /// An object, which is copied as it is.
    Object(&'a ObjectRef),
    /// What came without an object, and where it came from.
    Text { origin: &'a str, text: String },
}

impl<'a> Aside<'a> {
    /// An object, or those of its records that can't be read.
    pub(super) fn object(ended: Ended<'a>) -> Self {
        let Ended { object, cause, why, bad } = ended;
        Self { what: What::Object(object), cause, why: first_of(why, bad), bad }
    }

    /// Those of some records that can't be read.
    pub(super) fn records(inline: &'a Inline, text: String, bad: &'a [BadRecord]) -> Self {
        let what = What::Text { origin: &inline.origin, text };
        Self { what, cause: Cause::PartlyDone, why: first_of(String::new(), bad), bad }
    }

    fn origin(&self) -> String {
        match &self.what {
            What::Object(object) => object.to_string(),
            What::Text { origin, .. } => (*origin).to_owned(),
        }
    }

    fn own_event(&self, now: jiff::Timestamp) -> OwnEvent {
        match &self.what {
            What::Object(object) => OwnEvent::of_object(object, self.cause, &self.why, now),
            What::Text { text, .. } => OwnEvent::of_payload(&named_after(text), self.cause, &self.why, now),
        }
    }

    /// The same thing has the same name each time. It ends so that nothing takes it for a log file.
    fn name(&self) -> String {
        let name = match &self.what {
            What::Object(ObjectRef { bucket, key, version_id: Some(version) }) => format!("{bucket}/{key}@{version}"),
            What::Object(ObjectRef { bucket, key, version_id: None }) => format!("{bucket}/{key}"),
            What::Text { text, .. } => format!("payload/{}", named_after(text)),
        };
        format!("{}/{name}.raw", self.cause.as_str())
    }

    fn reason(&self, now: jiff::Timestamp) -> Bytes {
        let records = self.bad.iter().map(|bad| {
            json!({"index": bad.index, "from_byte": bad.range.start, "to_byte": bad.range.end, "why": bad.reason})
        });
        let version = match &self.what {
            What::Object(object) => object.version_id.as_deref(),
            What::Text { .. } => None,
        };
        let reason = json!({
            "cause": self.cause,
            "why": self.why,
            "from": self.origin(),
            "version_id": version,
            "bad_records": records.collect::<Vec<_>>(),
            "time": now.to_string(),
            "trailhound": env!("CARGO_PKG_VERSION"),
        });
        format!("{reason:#}\n").into()
    }
}

/// People find in quarantine what an alert is about by the same name.
fn named_after(text: &str) -> String {
    fingerprint("payload", [text])
}

fn first_of(why: String, bad: &[BadRecord]) -> String {
    if why.is_empty() { bad.first().map(ToString::to_string).unwrap_or_default() } else { why }
}

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    /// Puts a payload aside that can't be understood.
    pub(super) async fn put_payload_aside(&self, rejected: &Rejected, budget: &Budget) -> Report {
        telemetry::emit(&Event::PayloadUnknown { error: &rejected.error });
        let mut report = Report::default();
        report.counts.fail(Cause::NotUnderstood);
        let what = What::Text { origin: "the payload", text: rejected.payload.clone() };
        let aside = Aside { what, cause: Cause::NotUnderstood, why: rejected.error.to_string(), bad: &[] };
        self.put_aside(aside, budget, &mut report).await;
        report
    }

    /// Puts something aside, if there is a place for it. What could be read of it is told in any case, so that only what is
    /// wholly lost otherwise has to come again.
    pub(super) async fn put_aside(&self, aside: Aside<'_>, budget: &Budget, report: &mut Report) {
        if let Some(first) = aside.bad.first() {
            let Counts { bad_records: count, .. } = report.counts;
            telemetry::emit(&Event::RecordsBad { from: &aside.origin(), count, first: &first.to_string() });
        }
        let mut own = aside.own_event(self.clock.now());
        match &self.handling.quarantine {
            // The file stays where it is.
            None if aside.cause == Cause::PartlyDone && matches!(aside.what, What::Object(_)) => {}
            None => report.failure = Some(Failure { cause: aside.cause, why: aside.why }),
            Some(place) => match self.keep(place, &aside, budget).await {
                Ok(Some(kept)) => {
                    report.counts.put_aside += 1;
                    own.put_aside = Some(kept);
                }
                Ok(None) => {
                    let why =
                        format!("{}: the invocation's time was nearly over before it was put aside", aside.origin());
                    telemetry::emit(&Event::OutOfTime { why: &why });
                    report.counts.fail(Cause::OutOfTime);
                    report.failure = Some(Failure { cause: Cause::OutOfTime, why });
                    return;
                }
                Err(error) => {
                    let why = chain(&error);
                    telemetry::emit(&Event::QuarantineFailed { from: &aside.origin(), error: &why });
                    report.counts.fail(Cause::NotPutAside);
                    report.failure = Some(Failure { cause: Cause::NotPutAside, why });
                }
            },
        }
        report.own.push(own);
    }

    /// The reason goes first: without the other it is seen to be unfinished. `None` if there is no time for it.
    async fn keep(&self, place: &Quarantine, aside: &Aside<'_>, budget: &Budget) -> Result<Option<String>, KeepError> {
        let is_over = || self.clock.now() >= budget.reading;
        if is_over() {
            return Ok(None);
        }
        let named = |key: String| ObjectRef {
            bucket: place.bucket.clone(),
            key: format!("{}{key}", place.prefix),
            version_id: None,
        };
        let name = aside.name();
        let reason = named(format!("{}.reason.txt", name.trim_end_matches(".raw")));
        self.objects.put(&reason, aside.reason(self.clock.now())).await?;
        if is_over() {
            return Ok(None);
        }
        let raw = named(name);
        match &aside.what {
            What::Object(object) => self.objects.copy(object, &raw).await?,
            What::Text { text, .. } => self.objects.put(&raw, text.clone().into()).await?,
        }
        Ok(Some(raw.to_string()))
    }
}
