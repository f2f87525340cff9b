//! Looks for log files that no digest lists.
//!
//! When a digest comes, the time of the one *before* it is looked at: what came late then stands in the new one. Log files don't
//! tell which trail wrote them, and several trails may write below the same prefix: a log file that this chain doesn't list is
//! looked for in the digests of the other trails, back-fill digests among them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::trigger::ObjectRef;

use super::super::damage::Period;
use super::super::digest::LogFile;
use super::super::later;
use super::super::name::{Chain, DigestName};
use super::Listing;

/// No digest is looked through for longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(48);
/// How long after a log file was delivered the digest that lists it has ended at the latest, of any trail: one each hour, and what
/// is late stands in the next.
const LISTED_WITHIN: SignedDuration = SignedDuration::from_hours(2);
/// How long after that a back-fill digest is looked for.
const BACKFILLED_WITHIN: SignedDuration = SignedDuration::from_hours(48);
/// How long the digest of a trail that goes on may take after the one before it.
const OVERDUE: SignedDuration = SignedDuration::from_mins(75);
/// How long after the time in its name a log file may be written, and so stand in a digest that begins later.
const WRITTEN_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// More unlisted log files aren't kept in mind: their number is what an intruder chooses.
const MAX_UNLISTED: usize = 20_000;
/// More digests of other trails aren't read.
const MAX_OTHERS: usize = 200;

/// What is needed next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Want {
    List(Listing),
    Open(ObjectRef),
    Nothing,
}

/// The search for them.
#[derive(Debug)]
pub(super) struct Added {
    bucket: String,
    chain: Chain,
    period: Period,
    now: Timestamp,
    /// Listed by this chain's own digests. Let go once the log files are listed.
    own: HashSet<String>,
    /// Those digests.
    read: Vec<String>,
    /// Log files that are in no digest that was read, and when they were delivered.
    unlisted: BTreeMap<String, Timestamp>,
    stage: Stage,
    others: BTreeSet<(Timestamp, String)>,
    /// When the newest digest of each other trail ended.
    newest: BTreeMap<Chain, Timestamp>,
}

#[derive(Debug)]
enum Stage {
    /// The days that are left, the listed one in front; and the last key.
    Logs(Vec<Timestamp>, Option<String>),
    Digests(Vec<Timestamp>, Option<String>),
    Others,
}

/// What is left of the log files that this chain doesn't list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unlisted {
    /// They are in no digest at all.
    pub(super) added: Vec<(String, Timestamp)>,
    /// They may be in a digest that isn't there yet.
    pub(super) pending: u64,
}

impl Added {
    /// Looks at the time of one digest. `digests` are those of the chain that were read already: that one and the next.
    pub(super) fn new(
        bucket: &str,
        chain: &Chain,
        period: Period,
        now: Timestamp,
        digests: [(&str, &[LogFile]); 2],
    ) -> Self {
        // Whatever a digest says: they cover an hour.
        let period = Period { start: period.start.max(later(period.end, -LONGEST)), ..period };
        let files = digests.iter().flat_map(|(_, files)| *files).map(|file| file.key.clone());
        Self {
            bucket: bucket.to_owned(),
            chain: chain.clone(),
            period,
            now,
            own: files.collect(),
            read: digests.iter().map(|(key, _)| (*key).to_owned()).collect(),
            unlisted: BTreeMap::new(),
            stage: Stage::Logs(days_of(period.start, period.end), None),
            others: BTreeSet::new(),
            newest: BTreeMap::new(),
        }
    }

    pub(super) fn wanted(&mut self) -> Want {
        loop {
            // What all are in is no question.
            let is_open = !self.unlisted.is_empty();
            match &self.stage {
                Stage::Logs(days, after) => {
                    if let Some(day) = days.first() {
                        let start = self.chain.log_at((*day).max(self.period.start));
                        return self.list(self.chain.logs_of(*day), after.clone().unwrap_or(start));
                    }
                    self.own = HashSet::new();
                    let until = later(self.period.end, BACKFILLED_WITHIN);
                    self.stage = Stage::Digests(days_of(self.period.start, until.min(self.now)), None);
                }
                Stage::Digests(days, after) => {
                    if let Some(day) = days.first().filter(|_| is_open) {
                        let prefix = self.chain.digests_of(*day);
                        let after = after.clone().unwrap_or_else(|| prefix.clone());
                        return self.list(prefix, after);
                    }
                    self.stage = Stage::Others;
                }
                Stage::Others => {
                    let next = self.others.first().filter(|_| is_open);
                    return next.map_or(Want::Nothing, |(_, key)| Want::Open(self.object(key)));
                }
            }
        }
    }

    fn list(&self, prefix: String, after: String) -> Want {
        Want::List(Listing { bucket: self.bucket.clone(), prefix, after })
    }

    fn object(&self, key: &str) -> ObjectRef {
        ObjectRef { bucket: self.bucket.clone(), key: key.to_owned(), version_id: None }
    }

    /// Takes a page of what was asked for.
    ///
    /// # Errors
    /// When there is more than can be looked at; it says what.
    pub(super) fn listed(&mut self, page: &[ObjectRef]) -> Result<(), &'static str> {
        let last = page.last().map(|object| object.key.clone());
        let is_done = match &self.stage {
            Stage::Logs(..) => page.iter().fold(page.is_empty(), |done, object| self.log(&object.key) || done),
            Stage::Digests(..) => {
                page.iter().for_each(|object| self.digest(&object.key));
                page.is_empty()
            }
            Stage::Others => return Ok(()),
        };
        if let Stage::Logs(days, after) | Stage::Digests(days, after) = &mut self.stage {
            *after = last.filter(|_| !is_done);
            if is_done && !days.is_empty() {
                days.remove(0);
            }
        }
        if self.unlisted.len() > MAX_UNLISTED {
            return Err("there are too many log files that the digest files of this trail don't list");
        }
        if self.others.len() > MAX_OTHERS {
            return Err("there are too many digest files of other trails");
        }
        Ok(())
    }

    /// Looks at a log file; gives whether it lies behind the time that is looked at.
    fn log(&mut self, key: &str) -> bool {
        let Some(time) = self.chain.log_time(key) else { return false };
        if time >= self.period.start && time < self.period.end && !self.own.contains(key) {
            self.unlisted.insert(key.to_owned(), time);
        }
        time >= self.period.end
    }

    fn digest(&mut self, key: &str) {
        let Some(DigestName { chain, end }) = DigestName::of(key) else { return };
        let latest = later(self.period.end, if chain.is_backfill { BACKFILLED_WITHIN } else { LISTED_WITHIN });
        if end >= self.period.start && end <= latest && !self.read.iter().any(|read| read == key) {
            self.others.insert((end, key.to_owned()));
        }
        if !chain.is_backfill && chain != self.chain {
            let newest = self.newest.entry(chain).or_insert(end);
            *newest = end.max(*newest);
        }
    }

    /// Takes what another digest lists, `None` when it can't be read. Whether that one is genuine is asked when it comes itself.
    pub(super) fn opened(&mut self, files: Option<&[LogFile]>) {
        self.others.pop_first();
        for file in files.unwrap_or_default() {
            self.unlisted.remove(&file.key);
        }
    }

    /// What is in no digest. One of a trail that goes on, and whose digest for that time isn't here yet, is left to the check of
    /// that trail's digests.
    pub(super) fn finish(self) -> Unlisted {
        let mut unlisted = Unlisted::default();
        for (key, time) in self.unlisted {
            let may_follow = |end: &Timestamp| *end < later(time, WRITTEN_WITHIN) && later(*end, OVERDUE) > self.now;
            if self.newest.values().any(may_follow) {
                unlisted.pending += 1;
            } else {
                unlisted.added.push((key, time));
            }
        }
        unlisted
    }
}

/// The days that a stretch of time touches, each by its first moment.
fn days_of(from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    const DAY: i64 = 24 * 60 * 60;
    let first = from.as_second().div_euclid(DAY);
    let last = to.as_second().div_euclid(DAY);
    (first..=last).filter_map(|day| Timestamp::from_second(day * DAY).ok()).collect()
}
