//! What a digest says of the one before it, and what is found there.

use jiff::SignedDuration;

use crate::trigger::ObjectRef;

use super::super::damage::{Period, PreviousAltered, What};
use super::super::digest::{Digest, Previous};
use super::super::hash::Hash;
use super::super::later;
use super::super::name::DigestName;
use super::added::Added;
use super::files::UNKNOWN_HASH;
use super::{Check, Listing, NoAnswer, Opened, Stage};

/// How far back a digest that starts a chain looks for one that came before it.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(31 * 24);

/// The digest before: what is asked of it.
#[derive(Debug)]
pub(super) enum Before {
    /// It is named.
    Named(Previous),
    /// None is named; is there one all the same? Where the listing stands, and the newest so far.
    Searched(Listing, Option<(DigestName, ObjectRef)>),
    /// One was found that isn't named.
    Found(ObjectRef),
}

impl Before {
    pub(super) fn of(digest: &Digest, name: &DigestName) -> Option<Self> {
        match &digest.previous {
            Some(previous) => Some(Self::Named(previous.clone())),
            // Back-fill digests come as they are needed, so nothing follows from when the last one was.
            None if name.chain.is_backfill => None,
            None => {
                let prefix = name.chain.digests();
                let from = later(digest.start, -LOOK_BACK);
                let listing = Listing { bucket: digest.bucket.clone(), prefix, after: name.chain.digests_of(from) };
                Some(Self::Searched(listing, None))
            }
        }
    }
}

impl Previous {
    pub(super) fn object(&self) -> ObjectRef {
        ObjectRef { bucket: self.bucket.clone(), key: self.key.clone(), version_id: None }
    }

    /// How what is there differs from what the next digest says. A store that keeps no metadata can't tell of signatures.
    fn difference(&self, signature: Option<&str>, opened: &Opened) -> Option<PreviousAltered> {
        if self.hash.is_some_and(|hash| hash != Hash::of(&opened.raw)) {
            return Some(PreviousAltered::Content);
        }
        let stored = opened.metadata.as_ref()?.signature.as_deref();
        let same = match (stored, signature) {
            (Some(stored), Some(quoted)) => stored.eq_ignore_ascii_case(quoted),
            (None, Some(_)) => false,
            (_, None) => true,
        };
        (!same).then_some(PreviousAltered::Signature)
    }
}

impl Check {
    /// The digest that this one names.
    pub(super) fn previous(&mut self, opened: Result<Opened, NoAnswer>) {
        self.stage = Stage::Files(None);
        let Some(digest) = &self.digest else { return };
        let Some(previous) = &digest.previous else { return };
        let object = previous.object();
        let altered = |how| What::PreviousAltered { how };
        let what = match &opened {
            Ok(opened) => previous.difference(digest.previous_signature.as_deref(), opened).map(altered),
            Err(NoAnswer::Gone) => Some(What::PreviousMissing),
            Err(NoAnswer::Damaged(why)) => Some(altered(PreviousAltered::Unreadable(why.clone()))),
            Err(NoAnswer::Failed(_)) => None,
        };
        if let Some(what) = what {
            return self.damage(what, object);
        }
        match opened.map(|opened| Digest::parse(&opened.raw).map_err(|error| error.to_string())) {
            Ok(Ok(before)) => {
                let is_unknown = previous.hash.is_none();
                let is_backfill = self.name.as_ref().is_some_and(|name| name.chain.is_backfill);
                if let Some(gap) = gap(&before, digest).filter(|_| !is_backfill) {
                    self.damage(gap, self.object.clone());
                }
                self.look_for_added(&before);
                if is_unknown {
                    self.unchecked("the contents", object, UNKNOWN_HASH.to_owned());
                }
            }
            Ok(Err(why)) => self.unchecked("what came before", object, why),
            Err(error) => self.unchecked("the contents", object, error.why()),
        }
    }

    /// A digest that ought to have been named.
    pub(super) fn older(&mut self, object: &ObjectRef, opened: Result<Opened, NoAnswer>) {
        self.stage = Stage::Files(None);
        match opened.map(|opened| Digest::parse(&opened.raw)) {
            Ok(Ok(before)) => self.look_for_added(&before),
            Err(NoAnswer::Failed(why)) => self.unchecked("the contents", object.clone(), why),
            // Its own check says so.
            Ok(Err(_)) | Err(NoAnswer::Gone | NoAnswer::Damaged(_)) => {}
        }
    }

    fn look_for_added(&mut self, before: &Digest) {
        let (Some(digest), Some(name)) = (&self.digest, &self.name) else { return };
        if name.chain.is_backfill {
            return;
        }
        let period = Period { start: before.start, end: before.end };
        let digests = [(before.key.as_str(), &before.files[..]), (digest.key.as_str(), &digest.files[..])];
        let added = Added::new(&self.object.bucket, &name.chain, period, self.now, digests);
        self.stage = Stage::Files(Some(Box::new(added)));
    }

    pub(super) fn searched(
        &mut self,
        mut listing: Listing,
        newest: Option<(DigestName, ObjectRef)>,
        page: Result<Vec<ObjectRef>, NoAnswer>,
    ) {
        self.stage = Stage::Files(None);
        let Some(name) = &self.name else { return };
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                return self.unchecked("whether there is an older one", self.object.clone(), error.why());
            }
        };
        let newest = newest_before(name, &page, newest);
        if let Some(last) = page.last().filter(|last| last.key < self.object.key) {
            listing.after.clone_from(&last.key);
            self.stage = Stage::Before(Before::Searched(listing, newest));
        } else if let (Some((last, object)), Some(digest)) = (newest, &self.digest) {
            let unproven = Period { start: last.end, end: digest.start };
            self.damage(What::Restarted { unproven }, self.object.clone());
            self.stage = Stage::Before(Before::Found(object));
        }
    }
}

/// What lies between two digests of a chain.
fn gap(before: &Digest, digest: &Digest) -> Option<What> {
    (before.end < digest.start).then_some(What::Gap(Period { start: before.end, end: digest.start }))
}

/// The newest of this chain's digests that ended before this one.
fn newest_before(
    name: &DigestName,
    page: &[ObjectRef],
    so_far: Option<(DigestName, ObjectRef)>,
) -> Option<(DigestName, ObjectRef)> {
    let of_chain = page.iter().filter_map(|object| Some((DigestName::of(&object.key)?, object.clone())));
    let earlier = of_chain.filter(|(other, _)| other.chain == name.chain && other.end < name.end);
    earlier.chain(so_far).max_by_key(|(name, _)| name.end)
}
