//! What the notifier remembers: which channel was told of which alert, and in which thread alerts of a kind stand.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::finding::GroupKey;

use super::item::{Item, Key, Kind, REDELIVERY, UnreadableItem, later};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Delivered {
    /// Each of our documents says whose it is.
    rule: String,
    channel: String,
    alert: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Thread {
    /// Each of our documents says whose it is.
    rule: String,
    channel: String,
    /// As the receiver calls it.
    id: String,
}

/// Where it is remembered that a channel was told of an alert.
#[must_use]
pub fn delivered_key(channel: &str, alert: &str) -> Key {
    Key::single(Kind::Delivered, GroupKey::of_texts([channel, alert]).to_u128())
}

/// That a channel was told of an alert. As long as its message may come again.
#[must_use]
pub fn delivered_item(channel: &str, alert: &str, rule: &str, now: Timestamp) -> Item {
    let document = Delivered { rule: rule.to_owned(), channel: channel.to_owned(), alert: alert.to_owned() };
    Item::new(delivered_key(channel, alert), 0, later(now, REDELIVERY), &document)
}

/// Where it is remembered in which thread of a channel alerts of a kind stand.
#[must_use]
pub fn thread_key(channel: &str, kind: &str) -> Key {
    Key::single(Kind::Thread, GroupKey::of_texts([channel, kind]).to_u128())
}

/// In which thread of a channel alerts of a kind stand. An alert that comes later than this begins a new one.
#[must_use]
pub fn thread_item(channel: &str, kind: &str, rule: &str, thread: &str, now: Timestamp) -> Item {
    let document = Thread { rule: rule.to_owned(), channel: channel.to_owned(), id: thread.to_owned() };
    Item::new(thread_key(channel, kind), 0, later(now, REDELIVERY), &document)
}

/// The thread that was written down.
///
/// # Errors
/// When it can't be understood: then the alert begins a new one.
pub fn read_thread(item: &Item) -> Result<String, UnreadableItem> {
    item.read::<Thread>().map(|document| document.id)
}
