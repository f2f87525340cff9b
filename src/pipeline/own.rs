//! What trailhound has to say of its own work, held against its own rules and told like everything else.

use crate::finding::OWN_SOURCE;
use crate::outcome::{Failure, SelfAlert};
use crate::own::OwnEvent;
use crate::ports::{Clock, ObjectStore, Publisher, StateStore};
use crate::trail::{Item, Record};

use super::Pipeline;
use super::read::Report;
use super::run::{DeliveryIndex, Run};
use super::screen::Screen;

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    /// Tells people what went wrong, last of all: what happened in their accounts is more urgent. What can't be told fails its
    /// deliveries, so nothing that was put aside is acknowledged in silence.
    pub(super) async fn tell_of_itself(&self, run: &mut Run) {
        let repeated = run.repeated_failures(self.clock.now());
        run.own.extend(repeated);
        self.tell_own(run).await;
    }

    /// Tells people what went wrong so far.
    pub(super) async fn tell_own(&self, run: &mut Run) {
        let events = std::mem::take(&mut run.own);
        let read = events.into_iter().map(|(event, deliveries)| (self.held_against_own_rules(&event), deliveries));
        let collected = run.collect(read.collect());
        self.follow_up(run, collected).await;
    }

    fn held_against_own_rules(&self, event: &OwnEvent) -> Report {
        let mut report = Report::default();
        let record = event.record();
        let mut screen = Screen::new(&self.handling.own_rules, OWN_SOURCE.into(), event.time);
        // OK to pass over what is none: this is a record because `OwnEvent` writes one.
        if let Ok(record) = Record::parse(0, record.as_bytes()) {
            screen.item(Item::Record(record), &mut |told| report.findings.push(told.finding()));
        }
        let (sightings, _) = report.screened(screen);
        report.findings.extend(sightings);
        // It is no record that came in.
        report.counts.records = 0;
        report
    }
}

impl Run {
    /// Deliveries that failed as often as is worth an alert.
    fn repeated_failures(&self, now: jiff::Timestamp) -> Vec<(OwnEvent, Vec<DeliveryIndex>)> {
        let repeated = self.failed().filter(|(_, index, failure)| {
            self.has_been_tried(*index) && failure.cause.fate().alert == SelfAlert::WhenRepeated
        });
        repeated
            .map(|(received, index, Failure { cause, why })| {
                let id = received.message_id.as_ref().map_or("", |id| id.0.as_str());
                (OwnEvent::of_delivery(id, received.attempt.unwrap_or(1), *cause, why, now), vec![index])
            })
            .collect()
    }
}
