//! Whether items can be understood: for those that come from outside, before they are remembered.

use super::audit::read_audit;
use super::correlator;
use super::delivered::{Delivered, read_thread};
use super::held::HeldNote;
use super::item::{Item, Kind, UnreadableItem};
use super::kept::Kept;
use super::ledger::Ledger;
use super::limit::Told;
use super::sighting::{KnownEntity, Remembered};
use super::summary::Telling;

/// Reads an item as those will who need it.
///
/// # Errors
/// When its key isn't one of ours, or its document isn't what the key says.
pub fn check(item: &Item) -> Result<(), UnreadableItem> {
    match item.key.kind() {
        Some(Kind::Pair) => item.read::<Remembered>().map(drop),
        Some(Kind::Entity) => item.read::<KnownEntity>().map(drop),
        Some(Kind::Alerts) if item.key.sort.starts_with("H#") => item.read::<HeldNote>().map(drop),
        Some(Kind::Alerts) => item.read::<Ledger>().map(drop),
        Some(Kind::Pattern) => correlator::check(item),
        Some(Kind::Audit) => read_audit(item).map(drop),
        Some(Kind::Delivered) => item.read::<Delivered>().map(drop),
        Some(Kind::Thread) => read_thread(item).map(drop),
        Some(Kind::Kept) if item.key.sort == "-" => item.read::<Telling>().map(drop),
        Some(Kind::Kept) => item.read::<Kept>().map(drop),
        Some(Kind::Rate) => item.read::<Told>().map(drop),
        None => {
            let why = "its key names nothing that trailhound remembers".to_owned();
            Err(UnreadableItem { key: item.key.clone(), why })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use super::*;

    #[test]
    fn a_document_has_to_be_what_its_key_says() {
        let item = |kind: &str, value: &str| Item {
            key: Key { partition: format!("{kind}#00"), sort: "-".into() },
            revision: 0,
            expires: jiff::Timestamp::MAX,
            value: value.into(),
        };
        let entity = r#"{"rule":"r","entity":["a"],"since":"2026-11-05T10:00:00Z"}"#;
        assert!(check(&item("E", entity)).is_ok());
        let pattern = r#"{"rule":"r","group":[]}"#;
        assert!(check(&item("C", pattern)).is_ok());
        let rate = r#"{"rule":"r","since":"2026-11-05T10:00:00Z","alerts":""}"#;
        assert!(check(&item("R", rate)).is_ok());
        assert!(check(&item("Q", r#"{"rule":"r","claim":null,"told":""}"#)).is_ok());
        for (kind, value) in
            [("Q", rate), ("R", pattern), ("S", entity), ("A", entity), ("E", pattern), ("C", entity), ("X", entity)]
        {
            assert!(check(&item(kind, value)).is_err(), "{kind}: {value}");
        }
    }
}
