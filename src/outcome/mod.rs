//! What an invocation came to, in numbers that add up.

mod cause;
mod metrics;
mod notice_metrics;
mod notices;

use std::collections::BTreeMap;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use serde::Serialize;
use serde_json::{Value, json};

use crate::alerting::Hold;
use crate::trigger::{MessageId, Prefix};

pub use cause::{Answer, Cause, Fate, REPEATED, SelfAlert};
pub use metrics::{LAG, METRICS, Metric, Sent, Unit, emf, table};
pub use notice_metrics::{NOTICE_METRICS, NoticeMetric, notice_emf};
pub use notices::{ChannelCounts, Miss, NoticeCounts, NoticeOutcome};

/// What happened to everything that came in.
///
/// - `objects` = `files` + `digests` + `foreign` + `unwanted` + `gone` + `objects_failed`
/// - `matches` + `episodes` = `parts` + `collapsed` + `duplicates` + `findings`
/// - `findings` = `told` + all of `held` + `findings_failed`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// SQS messages, Kinesis records, or 1 for a direct invocation.
    pub deliveries: u64,
    /// Deliveries to come again.
    pub deliveries_failed: u64,
    /// Notifications that asked for nothing.
    pub ignored: u64,
    /// Objects that were named, each once.
    pub objects: u64,
    /// Log files read to their end.
    pub files: u64,
    /// Digest files, which hold no records.
    pub digests: u64,
    /// Log files that hold what a digest says.
    pub proven: u64,
    /// What digests show to be damaged: log files, the digests themselves, their chain.
    pub damage: u64,
    /// Objects that are not CloudTrail's.
    pub foreign: u64,
    /// Objects that the settings leave to others.
    pub unwanted: u64,
    /// Objects deleted before they were read.
    pub gone: u64,
    /// Objects that could not be read, or not to their end.
    pub objects_failed: u64,
    /// Records held against the rules.
    pub records: u64,
    /// Records that could not be read, or not to their end.
    pub bad_records: u64,
    /// Records that the settings leave to others; not in `records`.
    pub records_unwanted: u64,
    /// Objects and payloads put into quarantine.
    pub put_aside: u64,
    /// Rule met record; for a first-seen rule, once for each entity and value.
    pub matches: u64,
    /// First-seen matches without a field that the rule learns by, records with more values than are looked at, and matches
    /// without what a correlation groups or counts by.
    pub incomplete: u64,
    /// First-seen matches that never count, by the rule's `ignore`; not in `matches`. The call of an AWS service is one, as is each
    /// address in a listed network.
    pub excluded: u64,
    /// First-seen matches of an entity and value that the same file shows again in the same period.
    pub collapsed: u64,
    /// Matches of an event that this file or another of this invocation brought already.
    pub duplicates: u64,
    /// Matches that are not told by themselves, only as parts of correlations.
    pub parts: u64,
    /// Findings of correlations.
    pub episodes: u64,
    /// What was decided on.
    pub findings: u64,
    /// Findings that people were told, in `alerts`.
    pub told: u64,
    /// Alerts published.
    pub alerts: u64,
    /// Alerts published about what limits had held back; not in `alerts`, nor what they tell of in `told`.
    pub summaries: u64,
    /// Findings held back, by reason.
    pub held: BTreeMap<Hold, u64>,
    /// Findings that could not be decided on or told; their deliveries come again.
    pub findings_failed: u64,
    /// Calls of the memory.
    pub state_calls: u64,
    /// Times the memory could not be asked or told.
    pub state_failures: u64,
    /// Payloads, objects and findings that failed, by cause.
    pub failed: BTreeMap<Cause, u64>,
}

impl Counts {
    /// Adds the counts of another part.
    pub fn add(&mut self, other: &Self) {
        let mut other = other.clone();
        for (sum, more) in self.numbers().zip(other.numbers()) {
            *sum += *more;
        }
        for (why, count) in other.held {
            *self.held.entry(why).or_default() += count;
        }
        for (cause, count) in other.failed {
            *self.failed.entry(cause).or_default() += count;
        }
    }

    /// All that is one number.
    fn numbers(&mut self) -> impl Iterator<Item = &mut u64> {
        // Taken apart by name, so that none that is added to the type is left out.
        macro_rules! numbers {
            ($($name:ident),+) => {{
                let Self { $($name,)+ held: _, failed: _ } = self;
                [$($name),+]
            }};
        }
        let numbers = numbers!(
            deliveries,
            deliveries_failed,
            ignored,
            objects,
            files,
            digests,
            proven,
            damage,
            foreign,
            unwanted,
            gone,
            objects_failed,
            records,
            bad_records,
            records_unwanted,
            put_aside,
            matches,
            incomplete,
            excluded,
            collapsed,
            duplicates,
            parts,
            episodes,
            findings,
            told,
            alerts,
            summaries,
            findings_failed,
            state_calls,
            state_failures
        );
        numbers.into_iter()
    }

    /// Counts something that failed.
    pub fn fail(&mut self, cause: Cause) {
        *self.failed.entry(cause).or_default() += 1;
    }

    /// Findings held back, whatever the reason.
    #[must_use]
    pub fn held_back(&self) -> u64 {
        self.held.values().sum()
    }

    /// One line for people; what stands behind `=` adds up to what stands before it.
    #[must_use]
    pub fn summary(&self) -> String {
        let held: Vec<String> = self.held.iter().map(|(why, count)| format!("{count} {}", why.as_str())).collect();
        let held = if held.is_empty() { String::new() } else { format!(" ({})", held.join(", ")) };
        let summaries = if self.summaries == 0 { String::new() } else { format!("; {} summaries", self.summaries) };
        format!(
            "{} notifications ignored; {} objects = {} files read + {} digests + {} foreign + {} unwanted + {} gone + {} failed; \
             {} records, {} bad; {} put aside; \
             {} findings = {} told in {} alerts + {} held back{held} + {} failed{summaries}",
            self.ignored,
            self.objects,
            self.files,
            self.digests,
            self.foreign,
            self.unwanted,
            self.gone,
            self.objects_failed,
            self.records,
            self.bad_records,
            self.put_aside,
            self.findings,
            self.told,
            self.alerts,
            self.held_back(),
            self.findings_failed,
        )
    }
}

/// Why a delivery has to come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of reason.
    pub cause: Cause,
    /// In words.
    pub why: String,
}

/// What a process has by way of rules, and of data that they ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuleCounts {
    /// Those that are loaded.
    pub loaded: u64,
    /// Those that don't load.
    pub rejected: u64,
    /// Those of the loaded that ask for data that isn't there.
    pub without_data: u64,
    /// Places and files of data about addresses that can't be used.
    pub data_failed: u64,
    /// Filters that have expired.
    pub expired_filters: u64,
}

/// The answer to an invocation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// What happened.
    pub counts: Counts,
    /// From event time to publishing, in milliseconds, of each finding that was told. Not of history that is read anew.
    pub lags: Vec<u64>,
    /// What failed, and why: a message id, or nothing for a direct invocation.
    pub failures: Vec<(Option<MessageId>, Failure)>,
    /// Whether it was a batch, whose messages are answered one by one.
    pub is_batch: bool,
    /// The rules that records were held against.
    pub rules: RuleCounts,
    /// Whether somebody asks for what lies below a prefix, and goes on by the answer.
    pub is_listing: bool,
    /// What there was no time to list: invoking the function with it goes on there.
    pub next: Option<Prefix>,
}

impl Outcome {
    /// What Lambda gets: a partial batch response for SQS and Kinesis, the counts for a direct invocation.
    ///
    /// # Errors
    /// The reason why a direct invocation has to come again; Lambda retries on an error only. A listing goes on behind an object that
    /// fails: its answer has the reason, and counts how many did.
    pub fn response(&self) -> Result<Value, Failure> {
        if self.is_batch {
            let mut response = SqsBatchResponse::default();
            response.set_failures(self.failures.iter().filter_map(|(id, _)| id.as_ref()).map(|id| id.0.as_str()));
            return Ok(json!(response));
        }
        let failure = self.failures.first().map(|(_, failure)| failure);
        if let Some(failure) = failure.filter(|_| !self.is_listing) {
            return Err(failure.clone());
        }
        let mut answer = json!(self.counts);
        if let Some(failure) = failure {
            answer["first_failure"] = json!({"cause": failure.cause, "why": failure.why});
        }
        if let Some(next) = &self.next {
            answer["next"] = next.payload();
        }
        Ok(answer)
    }
}
