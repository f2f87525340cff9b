//! The notifier: takes alerts from the topic and tells channels of them.
//!
//! In: messages of SNS, through a queue or straight. Out: requests to Slack, Teams, PagerDuty, webhooks, Security Hub and
//! EventBridge, and the messages that have to come again. For each message: which channels are meant to get it → which have
//! been told already → send → mark. A crash between the last two repeats a message; the other order would lose it. Channels are
//! worked on at the same time, so that one that fails or is slow keeps nothing from the others.

mod answers;
mod batches;
mod courier;
mod incoming;
mod request;
mod secrets;
mod signature;
mod told;
mod waits;

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::alerting::{Items, Key, delivered_key, read_thread, thread_key};
use crate::notify::asff::Product;
use crate::outcome::{ChannelCounts, NoticeCounts, NoticeOutcome};
use crate::outputs::{Channel, ChannelKind};
use crate::ports::{Clock, StateStore, Web, chain};
use crate::telemetry::{self, Event};

use courier::{Courier, Failed, Job};
pub use incoming::IncomingError;
use incoming::{Incoming, Message};
use secrets::Secrets;
pub use secrets::{SecretError, SecretSource};
use told::{Sort, Told};

/// For the last answers to be written down: longer than a memory that doesn't answer is waited for.
const CLOSING: SignedDuration = SignedDuration::from_secs(10);

/// Where a function is, by its ARN.
#[must_use]
pub fn product(function: &str) -> Product {
    let mut parts = function.split(':').skip(1);
    let partition = parts.next().unwrap_or_default().to_owned();
    let region = parts.nth(1).unwrap_or_default().to_owned();
    Product { partition, region, account: parts.next().unwrap_or_default().to_owned() }
}

/// Everything between messages and channels.
#[derive(Debug)]
pub struct Notifier<W, S, C> {
    web: W,
    state: S,
    clock: C,
    channels: Vec<Channel>,
    secrets: Secrets,
    /// When each channel may be sent to again.
    turns: Mutex<HashMap<String, Timestamp>>,
}

impl<W: Web, S: StateStore, C: Clock> Notifier<W, S, C> {
    /// Puts one together.
    #[must_use]
    pub fn new(web: W, state: S, clock: C, channels: Vec<Channel>, secrets: SecretSource) -> Self {
        Self { web, state, clock, channels, secrets: Secrets::new(secrets), turns: Mutex::default() }
    }

    /// Does what one invocation asks. What there is no time for before it `ends` comes again.
    ///
    /// # Errors
    /// When the messages of a batch have no ids to answer with: then all of them come again.
    pub async fn handle(
        &self,
        payload: &str,
        product: &Product,
        ends: Option<Timestamp>,
    ) -> Result<NoticeOutcome, IncomingError> {
        let now = self.clock.now();
        let until = ends.map_or(Timestamp::MAX, |ends| {
            let all = ends.duration_since(now).max(SignedDuration::ZERO);
            ends - CLOSING.min(all / 3)
        });
        let Incoming { is_batch, messages } = incoming::read(payload)?;
        let told: Vec<Told> = messages.iter().map(|message| told::read(message, now)).collect();
        let mut counts = counted(&told);
        let wanted = self.wanted(&told, &messages, &mut counts);
        let memory = self.recall(&wanted, &mut counts).await;
        let work = self.channels.iter().zip(wanted).map(|(channel, jobs)| {
            let courier = Courier { notifier: self, channel, product, until };
            courier.deliver(jobs, &memory)
        });
        let mut reasons: BTreeMap<usize, String> = BTreeMap::new();
        for (channel, delivered) in self.channels.iter().zip(join_all(work).await) {
            for Failed { message, cause, why } in delivered.failed {
                reasons.entry(message).or_insert_with(|| format!("{}: {}: {why}", channel.name, cause.as_str()));
            }
            counts.state_failures += delivered.state_failures;
            counts.channels.insert(channel.name.clone(), delivered.counts);
        }
        counts.messages_failed = reasons.len() as u64;
        // OK because each reason stands under the index of a message.
        let failures = reasons.into_iter().map(|(index, why)| (messages[index].id.clone(), why)).collect();
        let outcome = NoticeOutcome { counts, failures, is_batch };
        telemetry::emit(&Event::Notified { outcome: &outcome });
        Ok(outcome)
    }

    /// The messages that each channel is meant to get.
    fn wanted<'t>(&self, told: &'t [Told], messages: &[Message], counts: &mut NoticeCounts) -> Vec<Vec<Job<'t>>> {
        let mut wanted: Vec<Vec<Job<'t>>> = self.channels.iter().map(|_| Vec::new()).collect();
        for (message, told) in told.iter().enumerate() {
            let facets = told.story.facets();
            let mut is_wanted = false;
            for (channel, jobs) in self.channels.iter().zip(&mut wanted) {
                if channel.when.holds(&facets) {
                    is_wanted = true;
                    jobs.push(Job { messages: vec![message], attempt: messages[message].attempt, told });
                }
            }
            if !is_wanted {
                counts.unrouted += 1;
                let id = messages[message].id.as_ref().map(|id| id.0.as_str());
                telemetry::emit(&Event::Unrouted { message: id, alert: &told.story.id, rule: &told.story.rule.id });
            }
        }
        wanted
    }

    /// What is remembered of these messages. Without the memory, channels may be told twice.
    async fn recall(&self, wanted: &[Vec<Job<'_>>], counts: &mut NoticeCounts) -> Items {
        let mut keys: Vec<Key> = Vec::new();
        for (channel, jobs) in self.channels.iter().zip(wanted) {
            for job in jobs {
                let story = &job.told.story;
                keys.push(delivered_key(&channel.name, &story.id));
                if matches!(channel.kind, ChannelKind::SlackApp { .. }) {
                    keys.push(thread_key(&channel.name, &story.thread));
                }
            }
        }
        keys.sort();
        keys.dedup();
        if keys.is_empty() {
            return Items::new();
        }
        self.state.get(&keys, self.clock.now()).await.unwrap_or_else(|error| {
            counts.state_failures += 1;
            telemetry::emit(&Event::StateFailed { error: &chain(&error) });
            Items::new()
        })
    }
}

/// The thread of a channel that a story belongs into, as far as it is remembered.
fn known_thread(memory: &Items, channel: &str, story_thread: &str) -> Option<String> {
    // One that can't be read is written over.
    read_thread(memory.get(&thread_key(channel, story_thread))?).ok()
}

fn counted(told: &[Told]) -> NoticeCounts {
    let count = |sort| told.iter().filter(|told| told.sort == sort).count() as u64;
    NoticeCounts {
        messages: told.len() as u64,
        alerts: count(Sort::Alert),
        alarms: count(Sort::Alarm),
        others: count(Sort::Other),
        ..NoticeCounts::default()
    }
}

/// What became of the messages of one channel.
#[derive(Debug, Default)]
struct Delivered {
    counts: ChannelCounts,
    failed: Vec<Failed>,
    state_failures: u64,
}
