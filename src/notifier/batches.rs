//! Channels of AWS, which take many alerts in one request and answer for each.
//!
//! Security Hub: <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html>; EventBridge:
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::notify::{Story, asff, line};
use crate::outcome::Miss;
use crate::outputs::{ChannelKind, Form};
use crate::ports::{AwsCall, Clock, Receiver, StateStore, Web, WebRequest};

use super::Delivered;
use super::answers::{Speaker, Verdict};
use super::courier::{Again, Courier, Job, Missed, missed};
use super::request::{PATIENCE, document};
use super::secrets::region_of;

/// Findings of one request of Security Hub.
const MAX_FINDINGS: usize = 100;
/// Entries of one request of `EventBridge`, and what they may have together, in bytes.
const MAX_ENTRIES: usize = 10;
const MAX_ENTRIES_BYTES: usize = 262_144;
/// What `EventBridge` counts of an entry besides its texts, with room to spare.
const ENTRY_BYTES: usize = 100;
const SOURCE: &str = "trailhound";
const DETAIL_TYPE: &str = "Trailhound Alert";

/// An alert as AWS takes it.
struct Entry<'j, 't> {
    job: &'j Job<'t>,
    value: Value,
    bytes: usize,
}

/// What became of one entry of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Taken,
    /// It may be taken later.
    Again(String),
    Refused(String),
}

impl<W: Web, S: StateStore, C: Clock> Courier<'_, W, S, C> {
    /// Tells a channel of AWS.
    pub(super) async fn in_batches(&self, jobs: &[Job<'_>], done: &mut Delivered) {
        let mut open: Vec<Entry<'_, '_>> = jobs.iter().map(|job| self.entry(job)).collect();
        while !open.is_empty() {
            let rest = open.split_off(fitting(&open, self.most()));
            let batch = std::mem::replace(&mut open, rest);
            if self.send_batch(batch, done).await.is_err() {
                return done.give_up(open.iter().map(|entry| entry.job));
            }
        }
    }

    fn most(&self) -> (usize, usize) {
        match self.channel.kind {
            ChannelKind::EventBridge { .. } => (MAX_ENTRIES, MAX_ENTRIES_BYTES),
            _ => (MAX_FINDINGS, usize::MAX),
        }
    }

    fn entry<'j, 't>(&self, job: &'j Job<'t>) -> Entry<'j, 't> {
        let value = match &self.channel.kind {
            ChannelKind::EventBridge { bus } => event(job, bus),
            _ => asff::finding(&job.told.story, self.product),
        };
        let bytes = value.to_string().len();
        Entry { job, value, bytes }
    }

    /// Sends entries until each is taken or refused. An error ends the channel; all of these are counted then.
    async fn send_batch(&self, mut open: Vec<Entry<'_, '_>>, done: &mut Delivered) -> Result<(), Missed> {
        let mut tries = 0;
        while !open.is_empty() {
            tries += 1;
            done.counts.requests += 1;
            let fates = match self.ask_for(&open).await {
                Ok(fates) => fates,
                // What is wrong with one must not keep the others.
                Err(missed) if missed.cause == Miss::Refused && open.len() > 1 => {
                    let mut entries = open.into_iter();
                    while let Some(entry) = entries.next() {
                        if let Err(missed) = Box::pin(self.send_batch(vec![entry], done)).await {
                            done.give_up(entries.map(|entry| entry.job));
                            return Err(missed);
                        }
                    }
                    return Ok(());
                }
                Err(missed) => {
                    open.iter().for_each(|entry| done.fail(entry.job, &missed));
                    return if missed.cause.ends_channel() { Err(missed) } else { Ok(()) };
                }
            };
            let mut taken: Vec<&Story> = Vec::new();
            let mut again = None;
            let mut left = Vec::new();
            for (entry, fate) in open.into_iter().zip(fates) {
                match fate {
                    Fate::Taken => {
                        entry.job.count_told(done);
                        taken.push(&entry.job.told.story);
                    }
                    Fate::Refused(why) => done.fail(entry.job, &Missed { cause: Miss::Refused, why }),
                    Fate::Again(why) => {
                        again.get_or_insert(why);
                        left.push(entry);
                    }
                }
            }
            if !taken.is_empty() {
                self.mark(taken, None, done).await;
            }
            open = left;
            if let Some(why) = again {
                let waited =
                    self.wait_to_try_again(Again { cause: Miss::Unavailable, wait: None, why }, tries, &[]).await;
                if let Err(missed) = waited {
                    open.iter().for_each(|entry| done.fail(entry.job, &missed));
                    return Err(missed);
                }
            }
        }
        Ok(())
    }

    /// One request, as often as it takes to get an answer for each entry.
    async fn ask_for(&self, entries: &[Entry<'_, '_>]) -> Result<Vec<Fate>, Missed> {
        let mut tries = 0;
        loop {
            tries += 1;
            let again = match self.ask(self.batch(entries), Speaker::Aws).await? {
                Verdict::Taken(body) => match self.fates(entries, &serde_json::from_str(&body).unwrap_or_default()) {
                    Some(fates) => return Ok(fates),
                    None => Again {
                        cause: Miss::Unavailable,
                        wait: None,
                        why: "its answer doesn't say what became of each".to_owned(),
                    },
                },
                Verdict::Refused(why) => return Err(missed(Miss::Refused, &why, &[])),
                Verdict::Denied(why) => return Err(missed(Miss::Denied, &why, &[])),
                Verdict::Overrun { wait } => Again::overrun(wait),
                Verdict::Unavailable { wait, why } => Again { cause: Miss::Unavailable, wait, why },
                Verdict::NoThread => return Err(Missed { cause: Miss::Refused, why: "it has no threads".to_owned() }),
            };
            self.wait_to_try_again(again, tries, &[]).await?;
        }
    }

    fn batch(&self, entries: &[Entry<'_, '_>]) -> WebRequest {
        let values: Vec<&Value> = entries.iter().map(|entry| &entry.value).collect();
        let (call, region, body) = match &self.channel.kind {
            ChannelKind::EventBridge { bus } => (AwsCall::PutEvents, region_of(bus), json!({"Entries": values})),
            _ => (AwsCall::BatchImportFindings, None, json!({"Findings": values})),
        };
        let to = Receiver::Aws { call, region: region.map(str::to_owned) };
        WebRequest { to, headers: Vec::new(), body: body.to_string(), timeout: PATIENCE }
    }

    /// `None` where it isn't said.
    fn fates(&self, entries: &[Entry<'_, '_>], body: &Value) -> Option<Vec<Fate>> {
        match self.channel.kind {
            ChannelKind::EventBridge { .. } => of_events(entries.len(), body),
            _ => of_findings(entries, body),
        }
    }
}

/// How many of the entries, from the first on, go into one request: at least one.
fn fitting(entries: &[Entry<'_, '_>], (most, most_bytes): (usize, usize)) -> usize {
    let sums = entries.iter().scan(0, |sum: &mut usize, entry| {
        *sum = sum.saturating_add(entry.bytes + ENTRY_BYTES);
        Some(*sum)
    });
    sums.take(most).take_while(|sum| *sum <= most_bytes).count().max(1)
}

/// An entry of `PutEvents`. Evidence goes first when it is too large, then everything but what people are told.
fn event(job: &Job<'_>, bus: &str) -> Value {
    let detail = detail(job, MAX_ENTRIES_BYTES - ENTRY_BYTES - bus.len() - SOURCE.len() - DETAIL_TYPE.len());
    json!({"Source": SOURCE, "DetailType": DETAIL_TYPE, "EventBusName": bus, "Detail": detail})
}

fn detail(job: &Job<'_>, most: usize) -> String {
    // As a text inside of JSON, each quotation mark takes one more.
    let fits = |text: &str| json!(text).to_string().len() <= most;
    let whole = document(job.told, Form::Ocsf);
    if fits(&whole) {
        return whole;
    }
    let mut finding: Value = serde_json::from_str(&whole).unwrap_or_default();
    if finding["evidences"].is_array() {
        finding["evidences"] = json!([]);
        let note = json!("The evidence was left out: with it the event is too large for EventBridge.");
        // Anybody may have written it.
        if !finding["unmapped"].is_object() {
            finding["unmapped"] = json!({});
        }
        match finding["unmapped"]["notes"].as_array_mut() {
            Some(notes) => notes.push(note),
            None => finding["unmapped"]["notes"] = json!([note]),
        }
    }
    let lighter = finding.to_string();
    if fits(&lighter) { lighter } else { document(job.told, Form::Story) }
}

/// Security Hub names those that it doesn't take.
fn of_findings(entries: &[Entry<'_, '_>], body: &Value) -> Option<Vec<Fate>> {
    body["FailedCount"].as_u64()?;
    let failed: HashMap<&str, &Value> = body["FailedFindings"]
        .as_array()
        .map(|failed| failed.iter().filter_map(|failed| Some((failed["Id"].as_str()?, failed))).collect())
        .unwrap_or_default();
    let fate = |entry: &Entry<'_, '_>| match failed.get(entry.job.told.story.finding.as_str()) {
        None => Fate::Taken,
        Some(failed) => of_code(&failed["ErrorCode"], &failed["ErrorMessage"]),
    };
    Some(entries.iter().map(fate).collect())
}

/// `EventBridge` answers in the order of the entries.
fn of_events(count: usize, body: &Value) -> Option<Vec<Fate>> {
    let fate = |answer: &Value| {
        if answer["ErrorCode"].is_null() { Fate::Taken } else { of_code(&answer["ErrorCode"], &answer["ErrorMessage"]) }
    };
    let answers = body["Entries"].as_array().filter(|answers| answers.len() == count)?;
    Some(answers.iter().map(fate).collect())
}

fn of_code(code: &Value, message: &Value) -> Fate {
    let code = code.as_str().unwrap_or_default();
    let why = line(&format!("{code}: {}", message.as_str().unwrap_or_default()), 200);
    let passes = ["Throttl", "Internal", "ServiceUnavailable", "LimitExceeded"];
    if passes.iter().any(|name| code.contains(name)) { Fate::Again(why) } else { Fate::Refused(why) }
}
