//! What the check of one digest came to.

use crate::trigger::ObjectRef;

use super::damage::{Damage, Period};
use super::name::DigestName;

/// Everything that one digest proves, and what it doesn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The digest.
    pub digest: ObjectRef,
    /// What its key says; `None` when it isn't a digest's.
    pub name: Option<DigestName>,
    /// The time that it covers; `None` when it couldn't be read.
    pub period: Option<Period>,
    /// What proves the digest itself.
    pub proof: Proof,
    /// Whether it starts a chain: nothing came before it, or nothing that it knows of.
    pub is_start: bool,
    /// The log files that it lists.
    pub files: FileCounts,
    /// What isn't as it was. The digest's own first, then what was before it, then log files in the order of the list.
    pub damage: Vec<Damage>,
    /// Damaged log files beyond those that `damage` names.
    pub unnamed: u64,
    /// What couldn't be looked at. That is neither damage nor proof.
    pub unchecked: Vec<Unchecked>,
    /// Log files that are in no digest, but that the next one of another trail may still name.
    pub pending: u64,
}

/// What proves a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Its signature.
    Signature,
    /// Its signature, as the next digest quotes it. The store doesn't keep metadata.
    QuotedSignature,
    /// Nothing: the signature couldn't be checked, or it is damaged.
    Nothing,
}

/// Every listed log file is in one of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileCounts {
    /// All of them.
    pub listed: u64,
    /// They hold what was delivered.
    pub intact: u64,
    /// They don't, or are missing.
    pub damaged: u64,
    /// They couldn't be read, or weren't tried because too many couldn't, or the digest that lists them is damaged.
    pub unchecked: u64,
}

/// Something that couldn't be looked at: denied, throttled, not understood. Trying later may help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchecked {
    /// What, in words, to be read before "of" the object.
    pub what: &'static str,
    /// Of which object.
    pub object: ObjectRef,
    /// Why.
    pub why: String,
}

impl std::fmt::Display for Unchecked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, object, why } = self;
        write!(f, "{what} of {object}: {why}")
    }
}
