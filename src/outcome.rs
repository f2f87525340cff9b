//! What an invocation came to, in numbers that add up.

use std::collections::BTreeMap;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use serde::Serialize;
use serde_json::{Value, json};

use crate::alerting::Hold;
use crate::trigger::MessageId;

/// What happened to everything that came in.
///
/// - `objects` = `files` + `digests` + `foreign` + `gone` + `objects_failed`
/// - `matches` + `episodes` = `parts` + `collapsed` + `duplicates` + `findings`
/// - `findings` = `told` + all of `held` + `findings_failed`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// SQS messages, or 1 for a direct invocation.
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
    /// Objects that are not CloudTrail's.
    pub foreign: u64,
    /// Objects deleted before they were read.
    pub gone: u64,
    /// Objects that could not be read, or not to their end.
    pub objects_failed: u64,
    /// Records held against the rules.
    pub records: u64,
    /// Records that could not be read, or not to their end.
    pub bad_records: u64,
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
    /// Findings held back, by reason.
    pub held: BTreeMap<Hold, u64>,
    /// Findings that could not be decided on or told; their deliveries come again.
    pub findings_failed: u64,
    /// Times the memory could not be asked or told.
    pub state_failures: u64,
}

impl Counts {
    /// Adds the counts of another part.
    pub fn add(&mut self, other: &Self) {
        let Self {
            deliveries,
            deliveries_failed,
            ignored,
            objects,
            files,
            digests,
            foreign,
            gone,
            objects_failed,
            records,
            bad_records,
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
            held,
            findings_failed,
            state_failures,
        } = other;
        for (sum, more) in [
            (&mut self.deliveries, deliveries),
            (&mut self.deliveries_failed, deliveries_failed),
            (&mut self.ignored, ignored),
            (&mut self.objects, objects),
            (&mut self.files, files),
            (&mut self.digests, digests),
            (&mut self.foreign, foreign),
            (&mut self.gone, gone),
            (&mut self.objects_failed, objects_failed),
            (&mut self.records, records),
            (&mut self.bad_records, bad_records),
            (&mut self.matches, matches),
            (&mut self.incomplete, incomplete),
            (&mut self.excluded, excluded),
            (&mut self.collapsed, collapsed),
            (&mut self.duplicates, duplicates),
            (&mut self.parts, parts),
            (&mut self.episodes, episodes),
            (&mut self.findings, findings),
            (&mut self.told, told),
            (&mut self.alerts, alerts),
            (&mut self.findings_failed, findings_failed),
            (&mut self.state_failures, state_failures),
        ] {
            *sum += more;
        }
        for (why, count) in held {
            *self.held.entry(*why).or_default() += count;
        }
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
        format!(
            "{} notifications ignored; {} objects = {} files read + {} digests + {} foreign + {} gone + {} failed; {} records, {} bad; \
             {} findings = {} told in {} alerts + {} held back{held} + {} failed",
            self.ignored,
            self.objects,
            self.files,
            self.digests,
            self.foreign,
            self.gone,
            self.objects_failed,
            self.records,
            self.bad_records,
            self.findings,
            self.told,
            self.alerts,
            self.held_back(),
            self.findings_failed,
        )
    }
}

/// The answer to an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What happened.
    pub counts: Counts,
    answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// Messages to deliver again, and why.
    Sqs(Vec<(MessageId, String)>),
    /// Why the whole event has to come again.
    Direct(Option<String>),
}

impl Outcome {
    /// Answers for the deliveries in their order; `failures` names the places of those that failed. A direct invocation has
    /// one delivery without a message id.
    #[must_use]
    pub fn new(message_ids: &[Option<MessageId>], failures: BTreeMap<usize, String>, counts: Counts) -> Self {
        let sqs = message_ids.iter().all(Option::is_some);
        let mut failed = failures.into_iter();
        let answer = if sqs {
            // OK because the indices are places in this list.
            Answer::Sqs(failed.filter_map(|(index, error)| Some((message_ids[index].clone()?, error))).collect())
        } else {
            Answer::Direct(failed.next().map(|(_, error)| error))
        };
        Self { counts, answer }
    }

    /// What failed, and why: a message id, or nothing for a direct invocation.
    #[must_use]
    pub fn failures(&self) -> Vec<(Option<&MessageId>, &str)> {
        match &self.answer {
            Answer::Sqs(failed) => failed.iter().map(|(id, error)| (Some(id), error.as_str())).collect(),
            Answer::Direct(error) => error.iter().map(|error| (None, error.as_str())).collect(),
        }
    }

    /// What Lambda gets: a partial batch response for SQS, the counts for a direct invocation.
    ///
    /// # Errors
    /// The reason why a direct invocation has to come again; Lambda retries on an error only.
    pub fn response(&self) -> Result<Value, String> {
        match &self.answer {
            Answer::Direct(None) => Ok(json!(self.counts)),
            Answer::Direct(Some(error)) => Err(error.clone()),
            Answer::Sqs(failed) => {
                let mut response = SqsBatchResponse::default();
                response.set_failures(failed.iter().map(|(id, _)| id.0.as_str()));
                Ok(json!(response))
            }
        }
    }
}
