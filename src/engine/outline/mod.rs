//! What repeats from record to record, and what rules come to by that alone.
//!
//! Most of what rules ask is about a few members of few values: which call it is, of what kind its caller, how it ended. These are a record's
//! outline. Records of one outline come again and again, so that for each the index is asked once, and of each rule that it finds only what the
//! outline doesn't settle is left to be evaluated.

mod rest;
mod verdicts;

use crate::engine::expr::Item;
use crate::engine::field::{Derived, Field};
use crate::engine::index::{self, Anchor, Place};
use crate::engine::matcher::Kind;
use crate::engine::value_test::Test;
use crate::trail::{Record, Slot, SourceKind};

pub(super) use verdicts::{Sight, Verdicts};

/// Members whose whole value belongs to the outline.
const WHOLE: [(&str, Slot); 10] = [
    ("errorCode", Slot::ErrorCode),
    ("eventCategory", Slot::EventCategory),
    ("eventName", Slot::EventName),
    ("eventSource", Slot::EventSource),
    ("eventType", Slot::EventType),
    ("managementEvent", Slot::ManagementEvent),
    ("readOnly", Slot::ReadOnly),
    ("sessionCredentialFromConsole", Slot::SessionCredentialFromConsole),
    ("userIdentity.invokedBy", Slot::IdentityInvokedBy),
    ("userIdentity.type", Slot::IdentityType),
];

/// Members of which it matters whether they are there.
const STATE: [(&str, Slot); 2] = [("errorMessage", Slot::ErrorMessage), ("vpcEndpointId", Slot::VpcEndpointId)];

/// The member whose beginning tells long-lived keys from others.
const KEY: (&str, Slot) = ("userIdentity.accessKeyId", Slot::IdentityAccessKeyId);
const KEY_PREFIX: usize = 4;

/// Outlines beyond this length aren't worth remembering.
const MAX_BYTES: usize = 512;

/// Writes the outline of a record: equal for records in which everything that is [settled](is_settled) is equal. `false` for a record that has
/// none, because it is built in an unusual way.
fn write(record: &Record<'_>, outline: &mut Vec<u8>) -> bool {
    outline.clear();
    if record.is_irregular() {
        return false;
    }
    for (_, slot) in WHOLE {
        let value = record.slot_text(slot).unwrap_or_default();
        // A length in front, so that no two rows of values are written alike.
        let Ok(length) = u8::try_from(value.len()) else { return false };
        outline.push(length);
        outline.extend_from_slice(value.as_bytes());
    }
    for (_, slot) in STATE {
        let Some(state) = state(record.slot_text(slot)) else { return false };
        outline.push(state);
    }
    outline.push(match record.source_kind() {
        SourceKind::Public => 0,
        SourceKind::Private => 1,
        SourceKind::AwsService => 2,
        SourceKind::Unknown => 3,
    });
    let key = record.slot_text(KEY.1);
    let Some(key_state) = state(key) else { return false };
    outline.push(key_state);
    if let Some(text) = key.and_then(|key| key.strip_prefix('"')) {
        let Some(prefix) = text.as_bytes().get(..KEY_PREFIX) else { return false };
        if !prefix.iter().all(u8::is_ascii_alphanumeric) {
            return false;
        }
        outline.extend_from_slice(prefix);
    }
    outline.len() <= MAX_BYTES
}

/// Not there, null, an empty text, or a text. Nothing for what these members never are: a list may hold nulls.
fn state(value: Option<&str>) -> Option<u8> {
    match value {
        None => Some(0),
        Some("null") => Some(1),
        Some("\"\"") => Some(2),
        Some(text) => text.starts_with('"').then_some(3),
    }
}

/// Whether the outline alone says what the item comes to.
pub(super) fn settles(item: &Item) -> bool {
    if item.tests.is_empty() {
        return true;
    }
    let Some(field) = &item.field else { return false };
    let of_value = |test: &Test| !test.asks_another_field();
    is_settled(field) && item.tests.iter().all(of_value)
        || is_there_settled(field) && item.tests.iter().all(|test| asks_presence(field, test))
}

/// Whether the outline alone says that a key is in its place.
pub(super) fn finds(place: &Place, key: &index::Key) -> bool {
    let Place::Field(field) = place else { return false };
    is_settled(field) || is_access_key(field) && matches!(key, index::Key::Part(Anchor::Start, text) if is_short(text))
}

/// Whether the outline alone says what value the field has.
fn is_settled(field: &Field) -> bool {
    match field {
        Field::Raw(path) => WHOLE.iter().any(|(name, _)| *name == path.as_str()),
        Field::Derived(derived) => {
            matches!(derived, Derived::Outcome | Derived::ServiceCall | Derived::SourceKind | Derived::PrincipalType)
        }
    }
}

/// Whether the outline says that the field is there.
fn is_there_settled(field: &Field) -> bool {
    let Field::Raw(path) = field else { return is_settled(field) };
    is_settled(field) || STATE.iter().chain([&KEY]).any(|(name, _)| *name == path.as_str())
}

fn is_short(prefix: &str) -> bool {
    prefix.len() <= KEY_PREFIX && prefix.is_ascii()
}

fn is_access_key(field: &Field) -> bool {
    matches!(field, Field::Raw(path) if path.as_str() == KEY.0)
}

/// Whether a test asks no more than whether the field is there, or how the key begins.
fn asks_presence(field: &Field, test: &Test) -> bool {
    match test {
        Test::Null => true,
        Test::Text(matcher) => {
            let Kind::StartsWith(prefix) = &matcher.kind else { return false };
            is_access_key(field) && is_short(prefix)
        }
        _ => false,
    }
}
