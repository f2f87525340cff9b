//! One channel and its messages, in one invocation.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::alerting::{Item, Items, delivered_item, delivered_key, thread_item};
use crate::notify::asff::Product;
use crate::notify::{Story, line};
use crate::outcome::Miss;
use crate::outputs::{Channel, ChannelKind, Secret};
use crate::ports::{Clock, StateStore, Web, WebError, WebRequest, chain};
use crate::telemetry::{self, Event};

use super::answers::{Speaker, Verdict, slack_message, verdict};
use super::request::{Content, Keys, Style, burst_of, pace_of, request, secrets_of, speaker};
use super::secrets::SecretError;
use super::told::Told;
use super::waits::{MAX_TRIES, OUT_OF_TIME, SHORTEST, backoff, left};
use super::{Delivered, Notifier, known_thread};

/// Of what a receiver says, in logs.
const MAX_WHY: usize = 250;
/// A channel is left alone for so long at most, whatever it asks for, and then it is asked again.
const LONGEST_HOLD: Duration = Duration::from_mins(5);
/// Alerts of a burst whose details stand in its thread.
const DETAILS: usize = 10;
/// A message that was tried more often than this waits for the others.
const OFTEN: u32 = 3;

/// A message for a channel.
#[derive(Debug, Clone)]
pub(super) struct Job<'t> {
    /// Which of the invocation's messages; more than one if one came twice.
    pub(super) messages: Vec<usize>,
    /// How often it was tried, this time included.
    pub(super) attempt: u32,
    pub(super) told: &'t Told,
}

impl Job<'_> {
    /// A message that came twice is known the second time.
    pub(super) fn count_told(&self, done: &mut Delivered) {
        done.counts.told += 1;
        done.counts.known += self.messages.len() as u64 - 1;
    }
}

/// A message that a channel was not told.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) message: usize,
    pub(super) cause: Miss,
    pub(super) why: String,
}

/// Why a request came to nothing.
#[derive(Debug, Clone)]
pub(super) struct Missed {
    pub(super) cause: Miss,
    pub(super) why: String,
}

impl Missed {
    fn out_of_time() -> Self {
        Self { cause: Miss::OutOfTime, why: OUT_OF_TIME.to_owned() }
    }
}

/// Tells one channel.
pub(super) struct Courier<'n, W, S, C> {
    pub(super) notifier: &'n Notifier<W, S, C>,
    pub(super) channel: &'n Channel,
    pub(super) product: &'n Product,
    /// No request begins after this.
    pub(super) until: Timestamp,
}

impl<W: Web, S: StateStore, C: Clock> Courier<'_, W, S, C> {
    /// Tells the channel what it has not been told yet, the gravest first.
    pub(super) async fn deliver(self, jobs: Vec<Job<'_>>, memory: &Items) -> Delivered {
        let mut done = Delivered::default();
        done.counts.wanted = jobs.len() as u64;
        let mut open = self.unknown(jobs, memory, &mut done);
        // What has failed often waits for the others: it may be what is wrong.
        let order = |job: &Job<'_>| (job.attempt > OFTEN, Reverse(job.told.story.level), job.told.story.first);
        open.sort_by_key(order);
        match &self.channel.kind {
            _ if open.is_empty() => {}
            ChannelKind::SecurityHub | ChannelKind::EventBridge { .. } => self.in_batches(&open, &mut done).await,
            kind if burst_of(kind).is_some_and(|burst| open.len() > burst) => {
                self.as_burst(&open, memory, &mut done).await;
            }
            _ => self.one_by_one(&open, memory, &mut done).await,
        }
        for Failed { message: _, cause, why } in &done.failed {
            if *cause != Miss::NotTried {
                telemetry::emit(&Event::NotifyFailed { channel: &self.channel.name, cause: *cause, error: why });
            }
        }
        done
    }

    /// Those that the channel has not been told. What stands in the batch twice is told once.
    fn unknown<'t>(&self, jobs: Vec<Job<'t>>, memory: &Items, done: &mut Delivered) -> Vec<Job<'t>> {
        let mut places: HashMap<&'t str, usize> = HashMap::new();
        let mut open: Vec<Job<'t>> = Vec::new();
        for job in jobs {
            let id = job.told.story.id.as_str();
            if memory.contains_key(&delivered_key(&self.channel.name, id)) {
                done.counts.known += job.messages.len() as u64;
                continue;
            }
            let place = *places.entry(id).or_insert(open.len());
            match open.get_mut(place) {
                Some(first) => {
                    first.messages.extend(job.messages);
                    first.attempt = first.attempt.max(job.attempt);
                }
                None => open.push(job),
            }
        }
        open
    }

    async fn one_by_one(&self, jobs: &[Job<'_>], memory: &Items, done: &mut Delivered) {
        let mut threads: HashMap<&str, String> = HashMap::new();
        let mut was_unavailable = false;
        for (place, job) in jobs.iter().enumerate() {
            let story = &job.told.story;
            let thread = match self.channel.kind {
                ChannelKind::SlackApp { .. } => threads
                    .get(story.thread.as_str())
                    .cloned()
                    .or_else(|| known_thread(memory, &self.channel.name, &story.thread)),
                _ => None,
            };
            match self.send(Content::One(job.told), thread.clone(), &mut done.counts.requests).await {
                Ok(sent) => {
                    was_unavailable = false;
                    job.count_told(done);
                    let begins = sent.message.filter(|_| !sent.in_thread);
                    let thread = begins.as_deref().map(|message| {
                        thread_item(&self.channel.name, &story.thread, &story.rule.id, message, self.now())
                    });
                    if let Some(message) = &begins {
                        threads.insert(&story.thread, message.clone());
                    }
                    self.mark([story], thread, done).await;
                }
                Err(missed) => {
                    // It may be the one message that the receiver stumbles over.
                    let is_first = missed.cause == Miss::Unavailable && !was_unavailable;
                    was_unavailable = missed.cause == Miss::Unavailable;
                    done.fail(job, &missed);
                    if missed.cause.ends_channel() && !is_first {
                        return done.give_up(&jobs[place + 1..]);
                    }
                }
            }
        }
    }

    /// One message for all, and where there are threads, details of the first in its own.
    async fn as_burst(&self, jobs: &[Job<'_>], memory: &Items, done: &mut Delivered) {
        let stories: Vec<&Story> = jobs.iter().map(|job| &job.told.story).collect();
        match self.send(Content::Burst(&stories), None, &mut done.counts.requests).await {
            Ok(sent) => {
                jobs.iter().for_each(|job| job.count_told(done));
                done.counts.bursts += 1;
                self.mark(stories, None, done).await;
                let Some(thread) = sent.message else { return };
                for job in jobs.iter().take(DETAILS) {
                    // The channel knows of them already, so one that can't be told here is no failure.
                    let detail =
                        self.send(Content::One(job.told), Some(thread.clone()), &mut done.counts.requests).await;
                    if let Err(missed) = detail {
                        telemetry::emit(&Event::NotifyFailed {
                            channel: &self.channel.name,
                            cause: missed.cause,
                            error: &missed.why,
                        });
                        return;
                    }
                }
            }
            // What is wrong with one must not keep the others.
            Err(Missed { cause: Miss::Refused, why }) => {
                telemetry::emit(&Event::NotifyReduced { channel: &self.channel.name, error: &why });
                self.one_by_one(jobs, memory, done).await;
            }
            Err(missed) => {
                let (first, rest) = jobs.split_at(1);
                first.iter().for_each(|job| done.fail(job, &missed));
                done.give_up(rest);
            }
        }
    }

    /// Writes down what was told. A failure may repeat it, and fails nothing.
    pub(super) async fn mark<'s>(
        &self,
        stories: impl IntoIterator<Item = &'s Story>,
        thread: Option<Item>,
        done: &mut Delivered,
    ) {
        let now = self.now();
        let told = stories.into_iter().map(|story| delivered_item(&self.channel.name, &story.id, &story.rule.id, now));
        let mut items: Vec<Item> = told.chain(thread).collect();
        items.sort_by(|one, other| one.key.cmp(&other.key));
        items.dedup_by(|one, other| one.key == other.key);
        if let Err(error) = self.notifier.state.put(&items).await {
            done.state_failures += 1;
            telemetry::emit(&Event::StateFailed { error: &chain(&error) });
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.notifier.clock.now()
    }

    /// Sends one message, as often as it takes and there is time for.
    async fn send(&self, content: Content<'_>, thread: Option<String>, requests: &mut u64) -> Result<Sent, Missed> {
        let kind = &self.channel.kind;
        let mut style = Style { is_reduced: false, thread };
        let mut keys = self.keys().await?;
        let (mut tries, mut is_renewed) = (0, false);
        loop {
            self.wait_for_turn().await?;
            let Some(request) = request(kind, content, &style, &keys, self.now()) else {
                // OK because bursts are for channels that have a form for them.
                return Err(Missed { cause: Miss::Refused, why: "there is no form for it".to_owned() });
            };
            tries += 1;
            *requests += 1;
            let why = match self.ask(request, speaker(kind)).await? {
                Verdict::Taken(body) => {
                    let message = if speaker(kind) == Speaker::SlackApi { slack_message(&body) } else { None };
                    return Ok(Sent { message, in_thread: style.thread.is_some() });
                }
                Verdict::NoThread if style.thread.is_some() => {
                    style.thread = None;
                    continue;
                }
                Verdict::NoThread => return Err(missed(Miss::Refused, "the thread is gone", &keys)),
                Verdict::Refused(why) => {
                    if style.is_reduced || burst_of(kind).is_none() || matches!(content, Content::Burst(_)) {
                        return Err(missed(Miss::Refused, &why, &keys));
                    }
                    let error = &missed(Miss::Refused, &why, &keys).why;
                    telemetry::emit(&Event::NotifyReduced { channel: &self.channel.name, error });
                    style.is_reduced = true;
                    continue;
                }
                Verdict::Denied(why) => {
                    let newer = if is_renewed { None } else { self.renewed(&keys).await };
                    keys = newer.ok_or_else(|| missed(Miss::Denied, &why, &keys))?;
                    is_renewed = true;
                    continue;
                }
                Verdict::Overrun { wait } => {
                    self.leave_alone(wait.min(LONGEST_HOLD));
                    Again::overrun(wait)
                }
                Verdict::Unavailable { wait, why } => Again { cause: Miss::Unavailable, wait, why },
            };
            self.wait_to_try_again(why, tries, &keys).await?;
        }
    }

    /// Makes one request, in the time that is left.
    pub(super) async fn ask(&self, mut request: WebRequest, speaker: Speaker) -> Result<Verdict, Missed> {
        let left = left(self.now(), self.until).ok_or_else(Missed::out_of_time)?;
        request.timeout = request.timeout.min(left);
        match self.notifier.web.send(&request).await {
            Ok(answer) => Ok(verdict(speaker, &answer, self.now())),
            Err(error @ (WebError::Address(_) | WebError::Credentials(_))) => Ok(Verdict::Denied(chain(&error))),
            Err(error) => Ok(Verdict::Unavailable { wait: None, why: chain(&error) }),
        }
    }

    pub(super) async fn wait_to_try_again(&self, again: Again, tries: u32, keys: &[Secret]) -> Result<(), Missed> {
        let Again { cause, wait, why } = again;
        let wait = wait.unwrap_or_else(|| backoff(tries));
        let is_in_time = SignedDuration::try_from(wait)
            .ok()
            .and_then(|wait| self.now().checked_add(wait).ok()?.checked_add(SHORTEST).ok())
            .is_some_and(|then| then <= self.until);
        if tries >= MAX_TRIES || !is_in_time {
            return Err(missed(cause, &format!("{why}; tried {tries} times"), keys));
        }
        self.notifier.clock.pause(wait).await;
        Ok(())
    }

    /// The channel's secrets.
    async fn keys(&self) -> Result<Keys, Missed> {
        let Notifier { web, clock, secrets, .. } = self.notifier;
        let mut keys = Keys::new();
        for name in secrets_of(&self.channel.kind) {
            let key = secrets.get(web, clock, name, self.until).await;
            keys.push(key.map_err(|error| match error {
                SecretError::OutOfTime { .. } => Missed::out_of_time(),
                error => Missed { cause: Miss::NoSecret, why: error.to_string() },
            })?);
        }
        Ok(keys)
    }

    /// The channel's secrets as they are now, if they are others.
    async fn renewed(&self, old: &Keys) -> Option<Keys> {
        let Notifier { web, clock, secrets, .. } = self.notifier;
        let mut keys = Keys::new();
        for name in secrets_of(&self.channel.kind) {
            keys.push(secrets.renew(web, clock, name, self.until).await.ok()?);
        }
        let is_other = keys.iter().zip(old).any(|(new, old)| new.expose() != old.expose());
        is_other.then_some(keys)
    }

    /// Has the channel's next turn come no sooner than after this.
    fn leave_alone(&self, wait: Duration) {
        let until = self.now() + SignedDuration::try_from(wait).unwrap_or_default();
        let mut turns = self.notifier.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(self.channel.name.clone()).and_modify(|turn| *turn = until.max(*turn)).or_insert(until);
    }

    /// Keeps to what the receiver takes for long.
    async fn wait_for_turn(&self) -> Result<(), Missed> {
        let pace = SignedDuration::try_from(pace_of(&self.channel.kind)).unwrap_or_default();
        let wait = {
            let mut turns = self.notifier.turns.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.now();
            let turn = turns.get(&self.channel.name).map_or(now, |turn| now.max(*turn));
            turns.insert(self.channel.name.clone(), turn + pace);
            turn.duration_since(now)
        };
        if self.now() + wait + SHORTEST > self.until {
            return Err(Missed::out_of_time());
        }
        if wait > SignedDuration::ZERO {
            self.notifier.clock.pause(Duration::try_from(wait).unwrap_or_default()).await;
        }
        Ok(())
    }
}

impl Delivered {
    pub(super) fn fail(&mut self, job: &Job<'_>, missed: &Missed) {
        for message in &job.messages {
            self.counts.fail(missed.cause);
            self.failed.push(Failed { message: *message, cause: missed.cause, why: missed.why.clone() });
        }
    }

    /// A channel that failed is left alone until the messages come again.
    pub(super) fn give_up<'j, 't: 'j>(&mut self, jobs: impl IntoIterator<Item = &'j Job<'t>>) {
        let missed = Missed { cause: Miss::NotTried, why: "the channel failed before".to_owned() };
        jobs.into_iter().for_each(|job| self.fail(job, &missed));
    }
}

/// A message that is out.
struct Sent {
    /// What Slack's API calls it.
    message: Option<String>,
    in_thread: bool,
}

/// Why and when a request is made again.
pub(super) struct Again {
    pub(super) cause: Miss,
    pub(super) wait: Option<Duration>,
    pub(super) why: String,
}

impl Again {
    pub(super) fn overrun(wait: Duration) -> Self {
        Self { cause: Miss::Overrun, wait: Some(wait), why: "too many requests".to_owned() }
    }
}

/// What a receiver says may repeat the address or the key that it was sent. It is cut when it doesn't any more: part of a key would
/// not be found.
pub(super) fn missed(cause: Miss, why: &str, keys: &[Secret]) -> Missed {
    let why = keys.iter().fold(why.to_owned(), |why, key| key.hide_in(&why));
    Missed { cause, why: line(&why, MAX_WHY) }
}
