//! Digest files: checked one after the other, once what happened in the accounts has been told.

use crate::alerting::{audit_item, audit_key, read_audit};
use crate::integrity::{self, Check};
use crate::outcome::{Cause, Counts, Failure};
use crate::own::OwnEvent;
use crate::ports::{Clock, ObjectStore, PublicKeys, Publisher, StateStore};
use crate::telemetry::{self, Event};
use crate::trigger::ObjectRef;

use super::Pipeline;
use super::integrity::{Advanced, advance};
use super::read::Report;
use super::run::{DeliveryIndex, Run};

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    pub(super) async fn check_digests(&self, run: &mut Run, digests: Vec<(ObjectRef, Vec<DeliveryIndex>)>) {
        let Some(keys) = &self.handling.keys else { return };
        for (digest, deliveries) in digests {
            let is_last = deliveries.iter().all(|&index| run.has_been_tried(index));
            let report = self.check_digest(run, &digest, &**keys, is_last).await;
            // It holds no records: all that comes of it is what trailhound has to say.
            run.collect(vec![(report, deliveries)]);
        }
    }

    /// An hour's digest may name more log files than there is time for. How far one has come is remembered, and its delivery
    /// comes again.
    async fn check_digest(&self, run: &mut Run, digest: &ObjectRef, keys: &dyn PublicKeys, is_last: bool) -> Report {
        let mut check = Check::new(digest.clone(), self.clock.now()).signed_only();
        if let Some(progress) = self.progress(run, digest).await {
            check = check.resumed(progress);
        }
        let until = run.budget.reading;
        let is_over = || self.clock.now() >= until;
        let found = loop {
            if is_over() {
                break None;
            }
            // The future is large: it reads several files at once.
            match Box::pin(advance(&mut check, &self.objects, keys, &is_over)).await {
                Advanced::More => {}
                Advanced::Done(report) => break Some(report),
                Advanced::Stopped => break None,
            }
        };
        let failure = match &found {
            None => Some((Cause::OutOfTime, "the invocation's time was nearly over before it was checked".to_owned())),
            Some(found) => found.unchecked.first().map(|first| (Cause::Unavailable, first.to_string())),
        };
        if let Some(progress) = check.progress().filter(|_| failure.is_some()) {
            self.remember_progress(run, digest, progress).await;
        }
        self.digest_report(digest, found.as_deref(), failure, is_last)
    }

    fn digest_report(
        &self,
        digest: &ObjectRef,
        found: Option<&integrity::Report>,
        failure: Option<(Cause, String)>,
        is_last: bool,
    ) -> Report {
        let mut report = Report { counts: Counts { objects: 1, ..Counts::default() }, ..Report::default() };
        let counts = &mut report.counts;
        if let Some(found) = found {
            counts.proven = found.files.intact;
            counts.damage = found.damage.len() as u64 + found.unnamed;
            let now = self.clock.now();
            report.own.extend(found.damage.iter().map(|damage| OwnEvent::of_damage(damage, now)));
        }
        let Some((cause, why)) = failure else {
            counts.digests += 1;
            return report;
        };
        // What could not be looked at in several tries (a permission that is missing, a bucket that is elsewhere) would end in the
        // dead-letter queue each hour. People are told instead.
        let cause = if is_last && cause == Cause::Unavailable { Cause::NotChecked } else { cause };
        counts.objects_failed += 1;
        counts.fail(cause);
        telemetry::emit(&Event::ObjectEnded { object: digest, cause, why: &why });
        if cause == Cause::NotChecked {
            report.own.push(OwnEvent::of_unchecked(digest, &why, self.clock.now()));
        } else {
            report.failure = Some(Failure { cause, why: format!("{digest}: {why}") });
        }
        report
    }

    async fn progress(&self, run: &mut Run, digest: &ObjectRef) -> Option<integrity::Progress> {
        let key = audit_key(digest);
        let items = self.watched(run).get(std::slice::from_ref(&key), self.clock.now()).await;
        // Without it the check begins anew, which takes longer and finds the same.
        match items {
            Ok(items) => read_audit(items.get(&key)?).inspect_err(|error| run.state_failed(error)).ok(),
            Err(error) => {
                run.state_error(&error);
                None
            }
        }
    }

    async fn remember_progress(&self, run: &mut Run, digest: &ObjectRef, progress: &integrity::Progress) {
        let item = audit_item(digest, progress, self.clock.now());
        if let Err(error) = self.unhurried(run).put(&[item]).await {
            run.state_failed(&error);
        }
    }
}
