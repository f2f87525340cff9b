//! How far the check of a digest file has come: what an invocation has no time for, the next one does.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::finding::GroupKey;
use crate::integrity::Progress;
use crate::trigger::ObjectRef;

use super::item::{Item, Key, Kind, REDELIVERY, UnreadableItem, later};

#[derive(Debug, Serialize, Deserialize)]
struct Audit {
    /// Each of our documents says whose it is.
    rule: String,
    digest: String,
    progress: Progress,
}

/// Where it is remembered.
#[must_use]
pub fn audit_key(digest: &ObjectRef) -> Key {
    let version = digest.version_id.as_deref().unwrap_or_default();
    Key::single(Kind::Audit, GroupKey::of_texts([digest.bucket.as_str(), digest.key.as_str(), version]).to_u128())
}

/// What is written down of it.
#[must_use]
pub fn audit_item(digest: &ObjectRef, progress: &Progress, now: Timestamp) -> Item {
    let audit = Audit { rule: "integrity".to_owned(), digest: digest.to_string(), progress: progress.clone() };
    Item::new(audit_key(digest), 0, later(now, REDELIVERY), &audit)
}

/// What was written down.
///
/// # Errors
/// When it can't be understood: then the check begins anew.
pub fn read_audit(item: &Item) -> Result<Progress, UnreadableItem> {
    item.read::<Audit>().map(|audit| audit.progress)
}
