//! One object: from its key to its findings.

use crate::finding::{Contribution, Finding};
use crate::outcome::Counts;
use crate::ports::{Clock, FetchError, ObjectBody, ObjectStore, Publisher, StateStore, chain};
use crate::telemetry::{self, Event};
use crate::trail::{KeyKind, ReadError, Reader};
use crate::trigger::ObjectRef;

use super::Pipeline;
use super::screen::{Screen, Screened, Told};

/// What became of one object. Findings of the records before a failure stand.
#[derive(Debug, Default)]
pub(super) struct ObjectReport {
    pub(super) findings: Vec<Finding>,
    pub(super) contributions: Vec<Contribution>,
    pub(super) counts: Counts,
    /// Why its deliveries have to come again.
    pub(super) failure: Option<String>,
}

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    pub(super) async fn read(&self, object: &ObjectRef) -> ObjectReport {
        let mut report = ObjectReport { counts: Counts { objects: 1, ..Counts::default() }, ..ObjectReport::default() };
        let counts = &mut report.counts;
        match KeyKind::of(&object.key) {
            KeyKind::Log => {}
            KeyKind::Digest => {
                counts.digests += 1;
                return report;
            }
            KeyKind::Foreign => {
                telemetry::emit(&Event::ObjectForeign { object });
                counts.foreign += 1;
                return report;
            }
        }
        let mut screen = Screen::new(&self.rules, object.to_string().into(), self.clock.now());
        let findings = &mut report.findings;
        let result = self.stream(object, &mut screen, &mut |told| findings.push(told.finding())).await;
        let Screened { sightings, contributions, counts, first_bad } = screen.finish();
        if let Some(first) = &first_bad {
            telemetry::emit(&Event::RecordsBad { object, count: counts.bad_records, first });
        }
        report.counts.add(&counts);
        report.contributions = contributions;
        if matches!(result, Err(Failure::Fetch(FetchError::Denied { .. } | FetchError::Failed { .. }))) {
            // The whole file may show the same values earlier. Were they recorded for these events, the next try, which reads on,
            // would find them known and tell nobody.
            report.counts.findings += sightings.len() as u64;
            report.counts.findings_failed += sightings.len() as u64;
        } else {
            report.findings.extend(sightings);
        }
        match result {
            Ok(()) => report.counts.files += 1,
            Err(Failure::Fetch(FetchError::Gone(_))) => {
                telemetry::emit(&Event::ObjectGone { object });
                report.counts.gone += 1;
            }
            Err(failure) => {
                let error = failure.text(object);
                telemetry::emit(&Event::ObjectFailed { object, error: &error });
                report.counts.objects_failed += 1;
                report.failure = Some(error);
            }
        }
        report
    }

    async fn stream(
        &self,
        object: &ObjectRef,
        screen: &mut Screen<'_>,
        told: &mut impl FnMut(Told<'_, '_>),
    ) -> Result<(), Failure> {
        let mut body = self.objects.get(object).await?;
        let mut reader = self.readers.take();
        let result = feed(&mut body, &mut reader, screen, told).await;
        self.readers.give(reader);
        result
    }
}

/// Feeds chunks to the reader as they arrive, so that memory grows with what is found, not with the file.
async fn feed(
    body: &mut impl ObjectBody,
    reader: &mut Reader,
    screen: &mut Screen<'_>,
    told: &mut impl FnMut(Told<'_, '_>),
) -> Result<(), Failure> {
    while let Some(chunk) = body.chunk().await? {
        reader.push(&chunk, &mut |item| screen.item(item, told))?;
    }
    Ok(reader.finish(&mut |item| screen.item(item, told))?)
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Failure {
    fn text(&self, object: &ObjectRef) -> String {
        match self {
            Self::Fetch(error) => chain(error),
            Self::Read(error) => format!("{object}: {error}"),
        }
    }
}
