//! One object, or records that came without one: from its key to its findings.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;

use crate::finding::{Contribution, Finding};
use crate::outcome::{Answer, Cause, Counts, Failure};
use crate::own::OwnEvent;
use crate::ports::{Clock, FetchError, ObjectBody, ObjectStore, Publisher, StateStore, chain};
use crate::telemetry::{self, Event};
use crate::trail::{BadRecord, Item, KeyKind, ObjectKey, ReadError, Reader, Record};
use crate::trigger::{Inline, ObjectRef};

use super::Pipeline;
use super::aside::Aside;
use super::budget::Budget;
use super::screen::{Screen, Screened, Told};

/// What became of one object, or of what came instead of one. Findings of the records before a failure stand.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
    pub(super) contributions: Vec<Contribution>,
    pub(super) counts: Counts,
    /// The memory that its findings take, about.
    pub(super) found_bytes: usize,
    /// The files of its wave have filled their memory before it was read: it is read in the next.
    pub(super) is_put_off: bool,
    /// What trailhound has to say about it.
    pub(super) own: Vec<OwnEvent>,
    /// Why its deliveries have to come again.
    pub(super) failure: Option<Failure>,
}

/// The memory that findings of files take which are read at the same time.
pub(super) struct Shared<'w> {
    pub(super) found_bytes: &'w AtomicUsize,
    /// What all of them may take. Whoever finds it full is put off.
    pub(super) max: usize,
}

/// How the reading of an object ended.
pub(super) struct Ended<'a> {
    pub(super) object: &'a ObjectRef,
    pub(super) cause: Cause,
    pub(super) why: String,
    /// Its records that can't be read.
    pub(super) bad: &'a [BadRecord],
}

impl Report {
    pub(super) fn is_out_of_time(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.cause == Cause::OutOfTime)
    }

    /// Takes what the rules made of the records, and gives what was bad.
    pub(super) fn screened(&mut self, screen: Screen<'_>) -> (Vec<Finding>, Vec<BadRecord>) {
        self.found_bytes = screen.found_bytes();
        let Screened { sightings, contributions, counts, bad } = screen.finish();
        self.counts.add(&counts);
        self.contributions = contributions;
        (sightings, bad)
    }
}

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    pub(super) async fn read(&self, object: &ObjectRef, budget: &Budget, shared: Shared<'_>) -> Report {
        let mut report = Report { counts: Counts { objects: 1, ..Counts::default() }, ..Report::default() };
        let key = ObjectKey::parse(&object.key);
        let ended = match key.kind {
            KeyKind::Foreign => Cause::NotOurs,
            _ if self.handling.quarantine.as_ref().is_some_and(|place| place.holds(object)) => Cause::NotOurs,
            _ if !self.handling.scope.takes_object(&key) => Cause::NotWanted,
            KeyKind::Digest => {
                report.counts.digests += 1;
                return report;
            }
            KeyKind::Log | KeyKind::Unknown => return self.read_log(object, key.kind, budget, shared, report).await,
        };
        self.end(Ended { object, cause: ended, why: String::new(), bad: &[] }, budget, &mut report).await;
        report
    }

    async fn read_log(
        &self,
        object: &ObjectRef,
        kind: KeyKind,
        budget: &Budget,
        shared: Shared<'_>,
        mut report: Report,
    ) -> Report {
        let mut screen = self.screen(&object.to_string()).holding(self.handling.max_found_bytes);
        let findings = &mut report.findings;
        let result = self.stream(object, budget, &shared, &mut screen, &mut |told| findings.push(told.finding())).await;
        if matches!(result, Err(Stopped::PutOff)) {
            return Report { is_put_off: true, ..Report::default() };
        }
        let (sightings, bad) = report.screened(screen);
        let mut cause = result.as_ref().map_or_else(Stopped::cause, |()| Cause::Done);
        let Counts { records, records_unwanted, bad_records, .. } = report.counts;
        let has_records = records + records_unwanted + bad_records > 0;
        if kind == KeyKind::Unknown && matches!(result, Err(Stopped::Read(_))) && !has_records {
            // It was worth a look.
            cause = Cause::NotOurs;
        }
        if matches!(cause, Cause::Denied | Cause::Unavailable | Cause::OutOfTime) {
            // The whole file may show the same values earlier. Were they recorded for these events, the next try, which reads on,
            // would find them known and tell nobody.
            report.counts.findings += sightings.len() as u64;
            report.counts.findings_failed += sightings.len() as u64;
        } else {
            report.findings.extend(sightings);
        }
        let why = result.map_or_else(|stopped| stopped.text(object), |()| String::new());
        self.end(Ended { object, cause, why, bad: &bad }, budget, &mut report).await;
        report
    }

    /// Records that came without a file, from one on; fewer than all of them, if much is found. Takes `from` to the first that it
    /// hasn't read.
    pub(super) async fn hold_inline(&self, inline: &Inline, from: &mut usize, budget: &Budget) -> Report {
        let mut report = Report::default();
        let mut screen = self.screen(&inline.origin);
        let mut unreadable = Vec::new();
        for (index, record) in (0..).zip(&inline.records).skip(*from) {
            *from += 1;
            let before = screen.bad_records();
            let item = match Record::parse(index, record.as_bytes()) {
                Ok(parsed) if parsed.looks_like_a_record() => Item::Record(parsed),
                Ok(_) => Item::Bad(BadRecord::no_record(index, record.len())),
                Err(bad) => Item::Bad(bad),
            };
            screen.item(item, &mut |told| report.findings.push(told.finding()));
            if screen.bad_records() > before {
                unreadable.push(record.as_str());
            }
            if screen.found_bytes() > self.handling.max_found_bytes / 2 {
                break;
            }
        }
        let (sightings, bad) = report.screened(screen);
        report.findings.extend(sightings);
        if !bad.is_empty() {
            let aside = Aside::records(inline, unreadable.join("\n"), &bad);
            self.put_aside(aside, budget, &mut report).await;
        }
        report
    }

    fn screen(&self, origin: &str) -> Screen<'_> {
        Screen::new(&self.rules, origin.into(), self.clock.now()).within(&self.handling.scope)
    }

    /// Counts what became of an object, says so, and puts it aside if that is what follows.
    async fn end(&self, ended: Ended<'_>, budget: &Budget, report: &mut Report) {
        let Ended { object, cause, ref why, bad } = ended;
        let counts = &mut report.counts;
        *match cause {
            Cause::Done => &mut counts.files,
            Cause::NotOurs => &mut counts.foreign,
            Cause::NotWanted => &mut counts.unwanted,
            Cause::Gone => &mut counts.gone,
            _ => &mut counts.objects_failed,
        } += 1;
        telemetry::emit(&Event::ObjectEnded { object, cause, why });
        let answer = cause.fate().delivery;
        if answer == Answer::Returned {
            counts.fail(cause);
            report.own.push(OwnEvent::of_object(object, cause, why, self.clock.now()));
            report.failure = Some(Failure { cause, why: ended.why });
        } else if cause == Cause::Gone && self.is_fresh(object) {
            report.own.push(OwnEvent::of_vanished(object, self.clock.now()));
        } else if answer == Answer::PutAside {
            counts.fail(cause);
            self.put_aside(Aside::object(ended), budget, report).await;
        } else if cause == Cause::Done && !bad.is_empty() {
            self.put_aside(Aside::object(Ended { cause: Cause::PartlyDone, ..ended }), budget, report).await;
        }
    }

    /// Whether a log file was delivered less than a day ago: no rule of a bucket's lifecycle deletes it sooner.
    fn is_fresh(&self, object: &ObjectRef) -> bool {
        let delivered = ObjectKey::parse(&object.key).delivered;
        delivered.is_some_and(|time| self.clock.now().duration_since(time) < SignedDuration::from_hours(24))
    }

    async fn stream(
        &self,
        object: &ObjectRef,
        budget: &Budget,
        shared: &Shared<'_>,
        screen: &mut Screen<'_>,
        told: &mut impl FnMut(Told<'_, '_>),
    ) -> Result<(), Stopped> {
        if self.clock.now() >= budget.starting {
            return Err(Stopped::OutOfTime("it was opened"));
        }
        let mut body = self.objects.get(object).await?;
        let mut reader = self.readers.take();
        let result = self.feed(&mut body, budget, shared, &mut reader, screen, told).await;
        self.readers.give(reader);
        result
    }

    /// Feeds chunks to the reader as they arrive, so that memory grows with what is found, not with the file.
    async fn feed(
        &self,
        body: &mut impl ObjectBody,
        budget: &Budget,
        shared: &Shared<'_>,
        reader: &mut Reader,
        screen: &mut Screen<'_>,
        told: &mut impl FnMut(Told<'_, '_>),
    ) -> Result<(), Stopped> {
        loop {
            if self.clock.now() >= budget.reading {
                return Err(Stopped::OutOfTime("it was read to its end"));
            }
            let Some(chunk) = body.chunk().await? else { break };
            let before = screen.found_bytes();
            let pushed = reader.push(&chunk, &mut |item| screen.item(item, told));
            // It may have become less, too.
            let found_bytes = screen.found_bytes().wrapping_sub(before);
            self.has_room(screen)?;
            if shared.found_bytes.fetch_add(found_bytes, Ordering::Relaxed).wrapping_add(found_bytes) > shared.max {
                shared.found_bytes.fetch_sub(screen.found_bytes(), Ordering::Relaxed);
                return Err(Stopped::PutOff);
            }
            pushed?;
        }
        let finished = reader.finish(&mut |item| screen.item(item, told));
        self.has_room(screen)?;
        Ok(finished?)
    }

    fn has_room(&self, screen: &Screen<'_>) -> Result<(), Stopped> {
        let limit = self.handling.max_found_bytes;
        if screen.is_full() { Err(Stopped::FoundTooMuch { limit }) } else { Ok(()) }
    }
}

/// Why an object was not read to its end.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(
        "what rules find in it takes more than {limit} bytes, a fifth of the function's memory (give it more, or see which rule matches \
         nearly everything)"
    )]
    FoundTooMuch { limit: usize },
    #[error("the files that are read with it have filled the memory")]
    PutOff,
    #[error("the invocation's time was nearly over before {0}")]
    OutOfTime(&'static str),
}

impl Stopped {
    fn cause(&self) -> Cause {
        match self {
            Self::Fetch(FetchError::Gone(_)) => Cause::Gone,
            Self::Fetch(FetchError::Denied { .. }) => Cause::Denied,
            Self::Fetch(FetchError::Failed { .. }) => Cause::Unavailable,
            Self::Read(ReadError::TooLarge { .. }) | Self::FoundTooMuch { .. } => Cause::TooLarge,
            Self::Read(_) => Cause::Damaged,
            Self::OutOfTime(_) | Self::PutOff => Cause::OutOfTime,
        }
    }

    fn text(&self, object: &ObjectRef) -> String {
        match self {
            Self::Fetch(error) => chain(error),
            Self::Read(_) | Self::FoundTooMuch { .. } | Self::OutOfTime(_) | Self::PutOff => {
                format!("{object}: {self}")
            }
        }
    }
}
