//! Holds log files against CloudTrail's digest files: what was altered, deleted or added since they were delivered.
//!
//! In: a digest file, its signature, CloudTrail's public keys, the hashes of the log files that it lists, and what is listed where
//! they stand. Out: a [`Report`]. [`Check`] says what it needs next, and whoever drives it fetches that; nothing here reads
//! anything itself. What can't be had is neither damage nor proof.
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html>

mod check;
mod damage;
mod der;
mod digest;
mod hash;
mod name;
mod report;
mod selection;
mod signature;

use jiff::{SignedDuration, Timestamp};

pub use check::{Check, Listing, NoAnswer, Opened, Progress, Step};
pub use damage::{Damage, Period, PreviousAltered, What};
pub use digest::{Digest, DigestError, LogFile, Previous};
pub use hash::{Hash, Hasher};
pub use name::{Chain, DigestName};
pub use report::{FileCounts, Proof, Report, Unchecked};
pub use selection::{Seek, Selection};
pub use signature::{ALGORITHM, KeyError, KeyWanted, PublicKey, SignatureMetadata};

/// Times come from files that anybody may have written: those beyond all time are its end.
fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    let end = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    time.checked_add(by).unwrap_or(end)
}
