//! Checks the digests of a chain, a few at a time.

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use trailhound::integrity::{Check, Digest, DigestName, NoAnswer, Report, Step};
use trailhound::pipeline::{self, Advanced, Unread};
use trailhound::ports::{ObjectStore, PublicKeys};
use trailhound::trigger::ObjectRef;

use super::chains::{self, Digests};
use super::verdict::Inspection;

/// Digests checked at the same time; each reads several log files at once.
const CONCURRENCY: usize = 4;

/// When the time of a command is over.
const NEVER: fn() -> bool = || false;

/// Checks a chain from its oldest digest to its newest.
pub(super) async fn check(
    objects: &impl ObjectStore,
    keys: &dyn PublicKeys,
    bucket: &str,
    (chain, digests): Digests,
    inspection: &mut Inspection,
) {
    inspection.chain(bucket, chain);
    let now = inspection.now;
    let checks = digests.into_values().map(|key| ObjectRef { bucket: bucket.to_owned(), key, version_id: None });
    let mut reports = stream::iter(checks).map(|object| check_one(objects, keys, object, now)).buffered(CONCURRENCY);
    while let Some(report) = reports.next().await {
        inspection.add(report);
    }
}

async fn check_one(objects: &impl ObjectStore, keys: &dyn PublicKeys, object: ObjectRef, now: Timestamp) -> Report {
    let mut check = Check::new(object.clone(), now);
    if check.step() == Step::Open(object.clone()) {
        // It can't have been stopped: a command takes its time.
        let opened = pipeline::open(objects, &object, &NEVER).await.map_err(|unread| match unread {
            Unread::NoAnswer(why) => why,
            Unread::Stopped => NoAnswer::Failed("there was no time".to_owned()),
        });
        if opened.as_ref().is_ok_and(|opened| opened.metadata.is_none()) {
            check = check.quoted(quote(objects, &object).await);
        }
        check.opened(opened);
    }
    loop {
        if let Advanced::Done(report) = pipeline::advance(&mut check, objects, keys, &NEVER).await {
            return *report;
        }
    }
}

/// The signature of a digest as the next one has it. If there is none, or it can't be had, the signature stays unchecked.
async fn quote(objects: &impl ObjectStore, object: &ObjectRef) -> Option<String> {
    let name = DigestName::of(&object.key)?;
    let next = chains::next(objects, &object.bucket, &name, &object.key).await.ok()??;
    let next = ObjectRef { key: next, ..object.clone() };
    let next = Digest::parse(&pipeline::open(objects, &next, &NEVER).await.ok()?.raw).ok()?;
    let names_it = next
        .previous
        .is_some_and(|previous| (previous.bucket, previous.key) == (object.bucket.clone(), object.key.clone()));
    next.previous_signature.filter(|_| names_it)
}
