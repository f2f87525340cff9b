//! The check of one digest, without doing anything itself: [`Check::step`] says what is needed next.
//!
//! In this order: the digest and its signature; the digest before it; the log files that it lists; log files that no digest lists.
//! Damage to the digest itself ends the check, because then what it says proves nothing. What couldn't be looked at is noted, and
//! the rest goes on.

mod added;
mod files;
mod own;
mod previous;

use jiff::Timestamp;

use crate::trigger::ObjectRef;

use super::damage::{Damage, What};
use super::digest::Digest;
use super::hash::Hash;
use super::name::DigestName;
use super::report::{FileCounts, Proof, Report, Unchecked};
use super::signature::{KeyWanted, SignatureMetadata};

use added::{Added, Want};
pub use files::Progress;
use files::{Files, MAX_NAMED};
use own::Signed;
use previous::Before;

/// Checks one digest.
///
/// [`Self::step`] says what is needed; the answer goes to the method that the step names. It is the same step until it is answered.
/// A check that isn't done can be dropped: its [`Self::progress`] lets another one go on behind the log files that are done.
#[derive(Debug)]
pub struct Check {
    object: ObjectRef,
    name: Option<DigestName>,
    now: Timestamp,
    quoted: Option<String>,
    earlier: Option<Progress>,
    is_signed_only: bool,
    stage: Stage,
    digest: Option<Digest>,
    files: Files,
    report: Report,
}

#[derive(Debug)]
enum Stage {
    Open,
    Key(Signed, KeyWanted),
    Before(Before),
    Files(Option<Box<Added>>),
    Added(Box<Added>),
    Done,
}

/// What is needed next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A digest file, inflated, with its metadata; for [`Check::opened`].
    Open(ObjectRef),
    /// A public key, for [`Check::key`].
    Key(KeyWanted),
    /// The hashes of these log files in their order, for [`Check::hashed`]; [`super::Hasher`] makes them.
    Hash(Vec<ObjectRef>),
    /// A page of a listing, in the order of keys, for [`Check::listed`].
    List(Listing),
    /// That's all.
    Done(Box<Report>),
}

/// A page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The bucket.
    pub bucket: String,
    /// What keys begin with.
    pub prefix: String,
    /// They come after this one.
    pub after: String,
}

/// A digest file as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its bytes after inflating.
    pub raw: Vec<u8>,
    /// What is kept beside it; `None` where the store keeps no metadata.
    pub metadata: Option<SignatureMetadata>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// The object isn't there.
    Gone,
    /// It was read, but can't be inflated, for this reason.
    Damaged(String),
    /// It couldn't be asked for: denied, throttled, cut off. That says nothing about it.
    Failed(String),
}

impl Check {
    /// Starts the check of the digest at this place. `now` tells which digests of other trails may still come.
    #[must_use]
    pub fn new(object: ObjectRef, now: Timestamp) -> Self {
        let name = DigestName::of(&object.key);
        let report = Report {
            digest: object.clone(),
            name: name.clone(),
            period: None,
            proof: Proof::Nothing,
            is_start: false,
            files: FileCounts::default(),
            damage: Vec::new(),
            unnamed: 0,
            unchecked: Vec::new(),
            pending: 0,
        };
        let (quoted, earlier, digest) = (None, None, None);
        let (is_signed_only, stage, files) = (false, Stage::Open, Files::default());
        Self { object, name, now, quoted, earlier, is_signed_only, stage, digest, files, report }
    }

    /// Ends at a signature that can't be verified. Anybody who can write to the bucket may have written such a digest, and what it
    /// says is neither damage nor proof.
    #[must_use]
    pub fn signed_only(mut self) -> Self {
        self.is_signed_only = true;
        self
    }

    /// Gives the digest's signature as the next digest quotes it, for stores that keep no metadata.
    #[must_use]
    pub fn quoted(mut self, signature: Option<String>) -> Self {
        self.quoted = signature;
        self
    }

    /// Goes on behind the log files that an earlier check has done.
    #[must_use]
    pub fn resumed(mut self, progress: Progress) -> Self {
        self.earlier = Some(progress);
        self
    }

    /// How far the check has come, for [`Self::resumed`]. `None` before anything is done that needn't be done again.
    #[must_use]
    pub fn progress(&self) -> Option<&Progress> {
        self.files.progress().or(self.earlier.as_ref())
    }

    /// Says what is needed next.
    pub fn step(&mut self) -> Step {
        loop {
            match &mut self.stage {
                Stage::Open if self.name.is_none() => {
                    self.end(What::DigestUnreadable { why: "its key isn't like that of any digest file".to_owned() });
                }
                Stage::Open => return Step::Open(self.object.clone()),
                Stage::Key(_, wanted) => return Step::Key(wanted.clone()),
                Stage::Before(Before::Named(previous)) => return Step::Open(previous.object()),
                Stage::Before(Before::Searched(listing, _)) => return Step::List(listing.clone()),
                Stage::Before(Before::Found(object)) => return Step::Open(object.clone()),
                Stage::Files(added) => {
                    let listed = self.digest.as_ref().map_or(&[][..], |digest| &digest.files);
                    let wanted = self.files.wanted(listed);
                    if !wanted.is_empty() {
                        return Step::Hash(wanted);
                    }
                    self.stage = added.take().map_or(Stage::Done, Stage::Added);
                    if matches!(self.stage, Stage::Done) {
                        self.finish(None);
                    }
                }
                Stage::Added(added) => match added.wanted() {
                    Want::List(listing) => return Step::List(listing),
                    Want::Open(object) => return Step::Open(object),
                    Want::Nothing => self.finish_added(),
                },
                Stage::Done => return Step::Done(Box::new(self.report.clone())),
            }
        }
    }

    /// Takes a digest.
    pub fn opened(&mut self, opened: Result<Opened, NoAnswer>) {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Open => self.own(opened),
            Stage::Before(Before::Named(_)) => self.previous(opened),
            Stage::Before(Before::Found(object)) => self.older(&object, opened),
            Stage::Added(added) => self.other(added, opened),
            stage => self.stage = stage,
        }
    }

    /// From the digest itself to the one before it.
    fn go_back(&mut self) {
        if self.is_signed_only && self.report.proof == Proof::Nothing {
            return self.stage = Stage::Done;
        }
        let before = self.digest.as_ref().zip(self.name.as_ref()).and_then(|(digest, name)| Before::of(digest, name));
        self.stage = before.map_or(Stage::Files(None), Stage::Before);
    }

    /// A digest that may list what this chain doesn't.
    fn other(&mut self, mut added: Box<Added>, opened: Result<Opened, NoAnswer>) {
        if let (Err(NoAnswer::Failed(why)), Want::Open(object)) = (&opened, added.wanted()) {
            self.unchecked("the contents", object, why.clone());
            return self.finish(None);
        }
        let digest = opened.ok().and_then(|opened| Digest::parse(&opened.raw).ok());
        added.opened(digest.as_ref().map(|digest| &digest.files[..]));
        self.stage = Stage::Added(added);
    }

    /// Takes the hashes of log files, in the order in which they were asked for.
    pub fn hashed(&mut self, hashes: Vec<Result<Hash, NoAnswer>>) {
        let listed = self.digest.as_ref().map_or(&[][..], |digest| &digest.files);
        self.files.take(listed, hashes);
    }

    /// Takes a page of the listing that was asked for; an empty one is its end.
    pub fn listed(&mut self, page: Result<Vec<ObjectRef>, NoAnswer>) {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Before(Before::Searched(listing, newest)) => self.searched(listing, newest, page),
            Stage::Added(mut added) => {
                match page.map_err(|error| error.why()).and_then(|page| Ok(added.listed(&page)?)) {
                    Ok(()) => self.stage = Stage::Added(added),
                    Err(why) => {
                        self.unchecked("which log files were added in the hour before", self.object.clone(), why);
                        self.finish(None);
                    }
                }
            }
            stage => self.stage = stage,
        }
    }

    fn finish_added(&mut self) {
        if let Stage::Added(added) = std::mem::replace(&mut self.stage, Stage::Done) {
            self.finish(Some(*added));
        }
    }

    /// Writes down what became of the log files.
    fn finish(&mut self, added: Option<Added>) {
        self.stage = Stage::Done;
        let Some(digest) = self.digest.take() else { return };
        let mut report = self.report.clone();
        self.files.report(&digest.files, &mut report, |what, object| self.damaged(what, object));
        let added = added.map(Added::finish).unwrap_or_default();
        report.pending = added.pending;
        report.unnamed += added.added.len().saturating_sub(MAX_NAMED) as u64;
        for (key, delivered) in added.added.into_iter().take(MAX_NAMED) {
            let object = ObjectRef { bucket: self.object.bucket.clone(), key, version_id: None };
            report.damage.push(self.damaged(What::FileAdded { delivered }, object));
        }
        self.report = report;
    }

    /// Ends the check: what the digest says proves nothing.
    fn end(&mut self, what: What) {
        self.stage = Stage::Done;
        self.damage(what, self.object.clone());
    }

    fn damage(&mut self, what: What, object: ObjectRef) {
        let damage = self.damaged(what, object);
        self.report.damage.push(damage);
    }

    fn damaged(&self, what: What, object: ObjectRef) -> Damage {
        let chain = self.name.as_ref().map(|name| &name.chain);
        let text = |text: fn(&super::Chain) -> &String| chain.map(text).cloned().unwrap_or_default();
        Damage {
            what,
            object,
            digest: self.object.clone(),
            account: text(|chain| &chain.account),
            region: text(|chain| &chain.region),
            trail: text(|chain| &chain.trail),
            period: self.report.period,
        }
    }

    fn unchecked(&mut self, what: &'static str, object: ObjectRef, why: String) {
        self.report.unchecked.push(Unchecked { what, object, why });
    }
}

impl NoAnswer {
    fn why(self) -> String {
        match self {
            Self::Gone => "it is no longer there".to_owned(),
            Self::Damaged(why) | Self::Failed(why) => why,
        }
    }
}
