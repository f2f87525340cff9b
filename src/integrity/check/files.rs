//! The log files that a digest lists: which are done, and what was found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::trigger::ObjectRef;

use super::super::damage::What;
use super::super::digest::LogFile;
use super::super::hash::Hash;
use super::super::report::{FileCounts, Report, Unchecked};
use super::NoAnswer;

/// Log files that are asked for together.
const AT_ONCE: usize = 16;
/// Damaged log files that are named; further ones are counted. Their number is what an intruder chooses.
pub(super) const MAX_NAMED: usize = 500;
/// Once so many log files couldn't be read, the others are not tried: most likely it is a permission that is missing.
const MAX_FAILED: usize = 50;

pub(super) const UNKNOWN_HASH: &str =
    "the digest file gives its hash in an algorithm that this version of trailhound doesn't know";

/// How far a check has come. Small (some kilobytes), and of one digest: for any other it counts as nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Of which digest: what it held.
    digest: Option<Hash>,
    /// Log files of its list that are done, from the first on.
    done: usize,
    /// Those of them that aren't intact, by their place in the list.
    found: BTreeMap<usize, State>,
    /// Further damaged ones.
    unnamed: u64,
}

/// What a log file is that isn't intact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Missing,
    Altered(Hash),
    Damaged(String),
    Unchecked(String),
}

/// Where the check of a list stands.
#[derive(Debug, Default)]
pub(super) struct Files {
    progress: Progress,
    /// Those that couldn't be read the last time.
    again: Vec<usize>,
    /// Those that are asked for.
    asked: Vec<usize>,
    /// How many couldn't be read this time.
    failed: usize,
}

impl Files {
    /// Goes on where an earlier check of the same digest was stopped. What couldn't be read then is tried again.
    pub(super) fn new(digest: Hash, earlier: Option<Progress>) -> Self {
        let same = earlier.filter(|earlier| earlier.digest == Some(digest));
        let progress = same.unwrap_or(Progress { digest: Some(digest), ..Progress::default() });
        let unchecked = progress.found.iter().filter(|(_, state)| matches!(state, State::Unchecked(_)));
        let again = unchecked.map(|(index, _)| *index).collect();
        Self { progress, again, ..Self::default() }
    }

    /// `None` before the digest was read.
    pub(super) fn progress(&self) -> Option<&Progress> {
        self.progress.digest.is_some().then_some(&self.progress)
    }

    /// What has to be hashed next; nothing when all is done that can be.
    pub(super) fn wanted(&mut self, files: &[LogFile]) -> Vec<ObjectRef> {
        if self.asked.is_empty() && self.failed < MAX_FAILED {
            let end = files.len().min(self.progress.done + AT_ONCE);
            self.asked = match self.again.len() {
                0 => (self.progress.done..end).collect(),
                many => self.again.split_off(many.saturating_sub(AT_ONCE)),
            };
        }
        self.asked.iter().filter_map(|index| files.get(*index)).map(object).collect()
    }

    /// Takes the answers, in the order in which they were asked for.
    pub(super) fn take(&mut self, files: &[LogFile], answers: Vec<Result<Hash, NoAnswer>>) {
        for (index, answer) in std::mem::take(&mut self.asked).into_iter().zip(answers) {
            self.progress.found.remove(&index);
            let listed = files.get(index).and_then(|file| file.hash);
            if let Some(state) = state(listed, answer) {
                self.note(index, state);
            }
            self.progress.done = self.progress.done.max(index + 1);
        }
    }

    fn note(&mut self, index: usize, state: State) {
        if matches!(state, State::Unchecked(_)) {
            self.failed += 1;
        } else if self.progress.found.len() >= MAX_NAMED {
            self.progress.unnamed += 1;
            return;
        }
        self.progress.found.insert(index, state);
    }

    /// Writes down what was found. Damage is handed to `damage`.
    pub(super) fn report(
        &self,
        files: &[LogFile],
        report: &mut Report,
        damage: impl Fn(What, ObjectRef) -> super::Damage,
    ) {
        let Progress { done, found, unnamed, .. } = &self.progress;
        for (file, state) in found.iter().filter_map(|(index, state)| Some((files.get(*index)?, state))) {
            let altered = |found| file.hash.map(|listed| What::FileAltered { listed, found });
            let what = match state {
                State::Unchecked(why) => {
                    report.unchecked.push(Unchecked { what: "the contents", object: object(file), why: why.clone() });
                    continue;
                }
                State::Missing => Some(What::FileMissing),
                State::Altered(hash) => altered(Ok(*hash)),
                State::Damaged(why) => altered(Err(why.clone())),
            };
            report.damage.extend(what.map(|what| damage(what, object(file))));
        }
        let unchecked = found.values().filter(|state| matches!(state, State::Unchecked(_))).count();
        let untried = files.len().saturating_sub(*done);
        let damaged = (found.len() - unchecked) as u64 + unnamed;
        report.unnamed = *unnamed;
        report.files = FileCounts {
            listed: files.len() as u64,
            intact: (files.len() - untried - unchecked) as u64 - damaged,
            damaged,
            unchecked: (unchecked + untried) as u64,
        };
    }
}

/// What there is to say of a log file; nothing when it is intact.
fn state(listed: Option<Hash>, answer: Result<Hash, NoAnswer>) -> Option<State> {
    match (listed, answer) {
        (Some(listed), Ok(hash)) => (listed != hash).then_some(State::Altered(hash)),
        (_, Err(NoAnswer::Gone)) => Some(State::Missing),
        (_, Err(NoAnswer::Failed(why))) => Some(State::Unchecked(why)),
        (Some(_), Err(NoAnswer::Damaged(why))) => Some(State::Damaged(why)),
        (None, _) => Some(State::Unchecked(UNKNOWN_HASH.to_owned())),
    }
}

fn object(file: &LogFile) -> ObjectRef {
    ObjectRef { bucket: file.bucket.clone(), key: file.key.clone(), version_id: None }
}
