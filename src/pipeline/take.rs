//! What an invocation asks for, done in waves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;

use crate::outcome::{Cause, Failure};
use crate::ports::{Clock, ObjectStore, Publisher, StateStore, chain};
use crate::trail::{KeyKind, ObjectKey};
use crate::trigger::{Inline, ObjectRef, Prefix, Rejected};

use super::Pipeline;
use super::read::{Report, Shared};
use super::run::{DeliveryIndex, Run};

/// Objects that are read before anybody is told what they gave. Fewer, if much is found in them.
const WAVE: usize = 100;

/// Objects to read, and the deliveries that ask for each.
pub(super) type Objects = BTreeMap<ObjectRef, Vec<DeliveryIndex>>;

/// What the deliveries of an invocation ask for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) objects: Objects,
    pub(super) records: Vec<(Inline, DeliveryIndex)>,
    pub(super) prefixes: Vec<(Prefix, DeliveryIndex)>,
    /// Payloads that can't be understood.
    pub(super) rejected: Vec<(Rejected, DeliveryIndex)>,
}

/// What was read for some deliveries.
pub(super) type Read = (Report, Vec<DeliveryIndex>);

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    pub(super) async fn do_all(&self, run: &mut Run, wanted: Wanted) {
        let Wanted { objects, records, prefixes, rejected } = wanted;
        // Whoever sends single events wants to know within seconds.
        self.hold_records(run, records).await;
        // They cost little, and time may run out for what follows.
        for (rejected, index) in rejected {
            let report = self.put_payload_aside(&rejected, &run.budget).await;
            run.collect(vec![(report, vec![index])]);
        }
        let (digests, objects): (Vec<_>, Vec<_>) = objects
            .into_iter()
            .partition(|(object, deliveries)| !run.is_history(deliveries) && self.is_checked(object));
        let (objects, deliveries): (Vec<_>, Vec<_>) = objects.into_iter().unzip();
        let (mut left, mut deliveries) = (&objects[..], deliveries.into_iter());
        while !left.is_empty() {
            let reports = self.read_wave(run, left).await;
            left = &left[reports.len()..];
            self.collect_and_tell(run, reports.into_iter().zip(deliveries.by_ref()).collect()).await;
        }
        for (prefix, index) in prefixes {
            self.go_through(run, prefix, index).await;
        }
        self.check_digests(run, digests).await;
    }

    /// Records that came without a file, told a few at a time if much is found in them.
    async fn hold_records(&self, run: &mut Run, records: Vec<(Inline, DeliveryIndex)>) {
        let mut read = Vec::new();
        let mut found_bytes = 0;
        for (inline, index) in records {
            let mut from = 0;
            while from < inline.records.len() {
                let mut report = self.hold_inline(&inline, &mut from, &run.budget).await;
                if run.is_stream(index) {
                    // Somebody is told. A record that never gets better would stop its shard.
                    report.failure.take_if(|failure| failure.cause == Cause::PartlyDone);
                }
                found_bytes += report.found_bytes;
                read.push((report, vec![index]));
                if found_bytes > self.handling.max_found_bytes / 2 {
                    self.collect_and_tell(run, std::mem::take(&mut read)).await;
                    found_bytes = 0;
                }
            }
        }
        self.collect_and_tell(run, read).await;
    }

    async fn collect_and_tell(&self, run: &mut Run, read: Vec<Read>) {
        let collected = run.collect(read);
        self.follow_up(run, collected).await;
    }

    /// Whether it is a digest file that is to be checked. Those of history are only counted: `trailhound verify` is for them.
    fn is_checked(&self, object: &ObjectRef) -> bool {
        let key = ObjectKey::parse(&object.key);
        key.kind == KeyKind::Digest && self.handling.keys.is_some() && self.handling.scope.takes_object(&key)
    }

    /// Reads what lies below a prefix, page by page, as long as there is time.
    async fn go_through(&self, run: &mut Run, mut prefix: Prefix, index: DeliveryIndex) {
        loop {
            if self.clock.now() >= run.budget.starting {
                return run.goes_on(prefix, index);
            }
            let page = match self.objects.list(&prefix.bucket, &prefix.prefix, prefix.after.as_deref()).await {
                Ok(page) => page,
                Err(error) => {
                    let why = format!("{}; {} goes on behind what was read", chain(&error), prefix.payload());
                    return run.breaks_off(index, Failure { cause: Cause::Unavailable, why });
                }
            };
            if page.is_empty() {
                return;
            }
            let mut left = &page[..];
            while let [first, ..] = left {
                if self.clock.now() >= run.budget.starting {
                    return run.goes_on(prefix, index);
                }
                let mut reports = self.read_wave(run, left).await;
                let read = reports.len();
                // What there was no time for is left to the next invocation, with all that stands behind it.
                let done = reports.iter().position(Report::is_out_of_time).unwrap_or(read);
                if done == 0 && run.counts.objects == 0 {
                    // There was all the time that there is: it would be the same the next time.
                    prefix.after = Some(first.key.clone());
                    let why = format!(
                        "an invocation has not enough time for {first}; {} goes on behind it",
                        prefix.payload()
                    );
                    return run.breaks_off(index, Failure { cause: Cause::OutOfTime, why });
                }
                reports.truncate(done);
                let untold = run.untold();
                self.collect_and_tell(run, reports.into_iter().map(|report| (report, vec![index])).collect()).await;
                // What was put aside is done with once people know.
                self.tell_own(run).await;
                if run.untold() > untold {
                    // Going on behind what could not be told would lose it.
                    return run.goes_on(prefix, index);
                }
                prefix.after = done.checked_sub(1).map(|last| left[last].key.clone()).or(prefix.after);
                if done < read {
                    return run.goes_on(prefix, index);
                }
                left = &left[read..];
            }
        }
    }

    /// Reads the first of these objects, in their order, at least one.
    async fn read_wave(&self, run: &Run, objects: &[ObjectRef]) -> Vec<Report> {
        let found_bytes = AtomicUsize::new(0);
        let max = self.handling.max_found_bytes.saturating_mul(2);
        let mut objects = objects.iter().take(WAVE).enumerate();
        let mut reading = FuturesOrdered::new();
        let mut reports: Vec<Report> = Vec::new();
        loop {
            while reading.len() < self.concurrency.max(1) && found_bytes.load(Ordering::Relaxed) <= max / 2 {
                let Some((place, object)) = objects.next() else { break };
                // The first one may fill it, so that there is always one that is read.
                let shared = Shared { found_bytes: &found_bytes, max: if place == 0 { usize::MAX } else { max } };
                reading.push_back(self.read(object, &run.budget, shared));
            }
            match reading.next().await {
                Some(report) if !report.is_put_off => reports.push(report),
                _ => return reports,
            }
        }
    }
}
