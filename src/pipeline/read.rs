//! One object: from its key to its findings.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{MAX_SIGHTED, Matcher, RuleSet};
use crate::finding::{self, Contribution, Finding, FindingUid, Kind};
use crate::outcome::Counts;
use crate::ports::{Clock, FetchError, ObjectBody, ObjectStore, Publisher, StateStore, chain};
use crate::telemetry::{self, Event};
use crate::trail::{BadRecord, Item, KeyKind, ReadError, Reader};
use crate::trigger::ObjectRef;

use super::Pipeline;

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
        let result = self.stream(object, &mut screen).await;
        screen.report_bad_records(object);
        screen.finish_into(&mut report);
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

    async fn stream(&self, object: &ObjectRef, screen: &mut Screen<'_>) -> Result<(), Failure> {
        let mut body = self.objects.get(object).await?;
        let mut reader = self.readers.take();
        let result = feed(&mut body, &mut reader, screen).await;
        self.readers.give(reader);
        result
    }
}

/// Feeds chunks to the reader as they arrive, so that memory grows with what is found, not with the file.
async fn feed(body: &mut impl ObjectBody, reader: &mut Reader, screen: &mut Screen<'_>) -> Result<(), Failure> {
    while let Some(chunk) = body.chunk().await? {
        reader.push(&chunk, &mut |item| screen.item(item))?;
    }
    Ok(reader.finish(&mut |item| screen.item(item))?)
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

/// Holds the records of one file against the rules and keeps what is found.
#[derive(Debug)]
pub struct Screen<'s> {
    rules: &'s RuleSet,
    matcher: Matcher<'s>,
    file: Arc<str>,
    now: Timestamp,
    findings: Vec<Finding>,
    contributions: Vec<Contribution>,
    /// The same event again tells nothing new. A match's uid is its rule's and its event's alone.
    seen: HashSet<FindingUid>,
    /// First-seen rules match almost everything: of each entity and value, only the earliest event of each period is kept,
    /// with the time of the latest. Which one that is depends on the file alone, so a redelivery finds the same.
    sightings: HashMap<(FindingUid, i128), Finding>,
    counts: Counts,
    first_bad: Option<String>,
}

impl<'s> Screen<'s> {
    /// Starts a file. `now` stands in for the time of records that carry none.
    #[must_use]
    pub fn new(rules: &'s RuleSet, file: Arc<str>, now: Timestamp) -> Self {
        Self {
            rules,
            matcher: rules.matcher(),
            file,
            now,
            findings: Vec::new(),
            contributions: Vec::new(),
            seen: HashSet::new(),
            sightings: HashMap::new(),
            counts: Counts::default(),
            first_bad: None,
        }
    }

    /// Takes what the reader hands on.
    pub fn item(&mut self, item: Item<'_>) {
        let record = match item {
            Item::Record(record) => record,
            Item::Bad(bad) => return self.bad(&bad),
        };
        self.counts.records += 1;
        let mut event = None;
        for matched in self.matcher.matches(&record) {
            let event =
                event.get_or_insert_with(|| Arc::new(finding::Event::of(&record, self.rules.knowledge(), self.now)));
            self.contributions.extend(Contribution::of(&matched, event, &self.file));
            if !matched.is_told() {
                self.counts.matches += 1;
                self.counts.parts += 1;
                continue;
            }
            let findings = Finding::of(&matched, event, &self.file);
            // At the limit there may have been more.
            if findings.is_empty() || findings.len() == MAX_SIGHTED {
                self.counts.incomplete += 1;
            }
            findings.into_iter().for_each(|finding| self.keep(finding));
        }
        // It was read up to there, and counts as bad as well.
        if let Some(bad) = record.broken() {
            self.bad(&bad);
        }
    }

    fn bad(&mut self, bad: &BadRecord) {
        self.counts.bad_records += 1;
        self.first_bad.get_or_insert_with(|| bad.to_string());
    }

    fn keep(&mut self, finding: Finding) {
        self.counts.matches += 1;
        let Kind::FirstSeen(first) = &finding.kind else {
            if self.seen.insert(finding.uid) {
                self.findings.push(finding);
            } else {
                self.counts.duplicates += 1;
            }
            return;
        };
        match self.sightings.entry((finding.uid, period(finding.event.time, first.history))) {
            Entry::Vacant(entry) => {
                entry.insert(finding);
            }
            Entry::Occupied(mut entry) => {
                self.counts.collapsed += 1;
                entry.get_mut().collapse(finding);
            }
        }
    }

    fn report_bad_records(&self, object: &ObjectRef) {
        if let Some(first) = &self.first_bad {
            telemetry::emit(&Event::RecordsBad { object, count: self.counts.bad_records, first });
        }
    }

    fn finish_into(self, report: &mut ObjectReport) {
        let Screened { findings, contributions, counts, .. } = self.finish();
        report.findings = findings;
        report.contributions = contributions;
        report.counts.add(&counts);
    }

    /// The findings so far in file order, if there are `many` or more: those that nothing further in the file can change.
    pub fn found(&mut self, many: usize) -> Option<Vec<Finding>> {
        (self.findings.len() >= many).then(|| in_file_order(std::mem::take(&mut self.findings)))
    }

    /// Ends the file.
    #[must_use]
    pub fn finish(self) -> Screened {
        let mut findings = self.findings;
        findings.extend(self.sightings.into_values());
        let findings = in_file_order(findings);
        Screened { findings, contributions: self.contributions, counts: self.counts, first_bad: self.first_bad }
    }
}

fn in_file_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_unstable_by_key(|finding| (finding.origin.record_index, finding.uid));
    findings
}

/// What a file gave.
#[derive(Debug)]
pub struct Screened {
    /// The findings in file order, but for those that were taken before its end.
    pub findings: Vec<Finding>,
    /// What correlations count, in file order.
    pub contributions: Vec<Contribution>,
    /// What was counted.
    pub counts: Counts,
    /// What was wrong with the first bad record.
    pub first_bad: Option<String>,
}

/// Which stretch of a rule's history a time lies in. Inside one no value can be forgotten, so its events can be told by the
/// first and the last of them.
fn period(time: Timestamp, history: SignedDuration) -> i128 {
    time.as_nanosecond().div_euclid(history.as_nanos().max(1))
}
