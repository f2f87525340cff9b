//! What can be wrong with digests and log files: a closed set, each with a sentence for people.

use std::fmt;

use jiff::Timestamp;

use crate::trigger::ObjectRef;

use super::hash::Hash;
use super::signature::ALGORITHM;

/// Something that isn't as CloudTrail left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What it is.
    pub what: What,
    /// What it is about.
    pub object: ObjectRef,
    /// The digest that was checked.
    pub digest: ObjectRef,
    /// Whose log files that lists; empty where its key doesn't say.
    pub account: String,
    /// Where they came from.
    pub region: String,
    /// Which trail's it is.
    pub trail: String,
    /// The time that it covers, as far as it could be read.
    pub period: Option<Period>,
}

/// From a time to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// The time belongs to it.
    pub start: Timestamp,
    /// The time is behind it.
    pub end: Timestamp,
}

/// The kinds of damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The digest itself isn't there.
    DigestMissing,
    /// It is no digest: damaged gzip, no JSON, a member missing, a key like no digest's.
    DigestUnreadable {
        /// In what way.
        why: String,
    },
    /// It says that it was written to another place.
    DigestMoved {
        /// Which.
        says: ObjectRef,
    },
    /// Metadata that every digest has.
    SignatureMissing {
        /// Its name, without `x-amz-meta-`.
        metadata: &'static str,
    },
    /// It is signed in a way that CloudTrail doesn't sign.
    AlgorithmUnknown {
        /// As its metadata says.
        algorithm: String,
    },
    /// CloudTrail has no such public key in that Region at that time.
    KeyUnknown {
        /// As the digest says.
        fingerprint: String,
    },
    /// What is signed is something else, or was signed by somebody else.
    SignatureInvalid,
    /// The digest before it isn't there.
    PreviousMissing,
    /// The digest before it isn't the one that this one was made after.
    PreviousAltered {
        /// In what way.
        how: PreviousAltered,
    },
    /// It begins later than the one before it ended.
    Gap(Period),
    /// It starts a chain, but there was one already.
    Restarted {
        /// From where the last one ended to where this one starts.
        unproven: Period,
    },
    /// A log file isn't there.
    FileMissing,
    /// A log file doesn't hold what was delivered.
    FileAltered {
        /// What the digest says.
        listed: Hash,
        /// What it holds, or why that can't be said.
        found: Result<Hash, String>,
    },
    /// A log file that no digest lists.
    FileAdded {
        /// When it was delivered, as its name says.
        delivered: Timestamp,
    },
}

/// How a digest differs from what the next one says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreviousAltered {
    /// It holds something else.
    Content,
    /// It holds the same, and is signed otherwise.
    Signature,
    /// It can't be inflated.
    Unreadable(String),
}

impl What {
    /// A name for machines. Names are only ever added.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::DigestMissing => "digest-missing",
            Self::DigestUnreadable { .. } => "digest-unreadable",
            Self::DigestMoved { .. } => "digest-moved",
            Self::SignatureMissing { .. } => "signature-missing",
            Self::AlgorithmUnknown { .. } => "signature-algorithm-unknown",
            Self::KeyUnknown { .. } => "public-key-unknown",
            Self::SignatureInvalid => "signature-invalid",
            Self::PreviousMissing => "previous-digest-missing",
            Self::PreviousAltered { .. } => "previous-digest-altered",
            Self::Gap(_) => "gap",
            Self::Restarted { .. } => "chain-restarted",
            Self::FileMissing => "log-file-missing",
            Self::FileAltered { .. } => "log-file-altered",
            Self::FileAdded { .. } => "log-file-added",
        }
    }

    /// Whether it is about the digest itself, so that nothing that the digest or its name says is known to be true.
    #[must_use]
    pub fn is_of_the_digest(&self) -> bool {
        match self {
            Self::DigestMissing
            | Self::DigestUnreadable { .. }
            | Self::DigestMoved { .. }
            | Self::SignatureMissing { .. }
            | Self::AlgorithmUnknown { .. }
            | Self::KeyUnknown { .. }
            | Self::SignatureInvalid => true,
            Self::PreviousMissing
            | Self::PreviousAltered { .. }
            | Self::Gap(_)
            | Self::Restarted { .. }
            | Self::FileMissing
            | Self::FileAltered { .. }
            | Self::FileAdded { .. } => false,
        }
    }

    /// In three words or so.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::DigestMissing => "digest file missing",
            Self::DigestUnreadable { .. } => "digest file unreadable",
            Self::DigestMoved { .. } => "digest file moved",
            Self::SignatureMissing { .. } => "signature missing",
            Self::AlgorithmUnknown { .. } => "signature algorithm unknown",
            Self::KeyUnknown { .. } => "public key unknown",
            Self::SignatureInvalid => "signature invalid",
            Self::PreviousMissing => "previous digest file missing",
            Self::PreviousAltered { .. } => "previous digest file altered",
            Self::Gap(_) => "gap between digest files",
            Self::Restarted { .. } => "chain of digest files started anew",
            Self::FileMissing => "log file missing",
            Self::FileAltered { .. } => "log file altered",
            Self::FileAdded { .. } => "log file added",
        }
    }
}

/// One sentence for people. Keys and contents stand in it as they are: they have to be cleaned where it is shown.
impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, object, digest, .. } = self;
        match what {
            What::DigestMissing => write!(f, "The digest file {object} was there and no longer is."),
            What::DigestUnreadable { why } => {
                write!(f, "The digest file {object} isn't one that CloudTrail wrote: {why}.")
            }
            What::DigestMoved { says } => {
                write!(f, "The digest file {object} was written to {says}, and copied or moved to where it is now.")
            }
            What::SignatureMissing { metadata } => write!(
                f,
                "The digest file {object} has no metadata `x-amz-meta-{metadata}`: it was overwritten, or copied without its metadata."
            ),
            What::AlgorithmUnknown { algorithm } => write!(
                f,
                "The digest file {object} says that it is signed with `{algorithm}`; CloudTrail signs with {ALGORITHM}."
            ),
            What::KeyUnknown { fingerprint } => write!(
                f,
                "The digest file {object} says that it is signed with the key `{fingerprint}`, which CloudTrail didn't have in {} at that time.",
                self.region
            ),
            What::SignatureInvalid => write!(
                f,
                "The signature of the digest file {object} isn't CloudTrail's for what it holds: one of the two was changed."
            ),
            What::PreviousMissing => write!(
                f,
                "The digest file {object} is missing: the next one, {digest}, names it. The log files that it lists are unproven."
            ),
            What::PreviousAltered { how } => write!(
                f,
                "The digest file {object} {how} when the next one, {digest}, was made after it: it was altered or replaced."
            ),
            What::Gap(Period { start, end }) => write!(
                f,
                "No digest file covers {start} to {end}, before {object}: nothing proves the log files of that time."
            ),
            What::Restarted { unproven } => restarted(f, object, *unproven),
            What::FileMissing => write!(f, "The log file {object} was delivered, as {digest} says, and is missing."),
            What::FileAltered { listed, found } => file_altered(f, object, *listed, found),
            What::FileAdded { delivered } => write!(
                f,
                "The log file {object}, of {delivered} by its name, is in no digest file of its account and Region: it was put there by \
                 somebody other than CloudTrail, or by a trail that validates no log files; or a back-fill digest file has yet to list it."
            ),
        }
    }
}

fn restarted(f: &mut fmt::Formatter<'_>, object: &ObjectRef, Period { start, end }: Period) -> fmt::Result {
    if start < end {
        return write!(
            f,
            "Digest files start anew with {object}; the last one before ended at {start}: logging or validation was off, or digest files are \
             gone. Nothing proves the log files from {start} to {end}."
        );
    }
    write!(
        f,
        "Digest files start anew with {object}, although the last one before ended at {start}, when this one begins: logging or \
         validation was stopped and started, or the chain was cut."
    )
}

fn file_altered(
    f: &mut fmt::Formatter<'_>,
    object: &ObjectRef,
    listed: Hash,
    found: &Result<Hash, String>,
) -> fmt::Result {
    write!(f, "The log file {object} was altered: ")?;
    match found {
        Ok(found) => write!(f, "its SHA-256 was {listed} when it was delivered, and is {found}."),
        Err(why) => write!(f, "it isn't what was delivered; {why}."),
    }
}

impl fmt::Display for PreviousAltered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content => f.write_str("held something else"),
            Self::Signature => f.write_str("had another signature"),
            Self::Unreadable(why) => write!(f, "could be read, and now can't ({why}),"),
        }
    }
}
