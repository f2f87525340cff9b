//! Decides which findings people are told.
//!
//! In: findings, and what is remembered of earlier ones. Out: [`Decision`]s: an alert, or why none. Pure: what has to be read
//! and written is data ([`Item`]), and the pipeline asks the store. Holding back is data too, so that it can be counted and
//! reported.

mod acquaintance;
mod audit;
mod check;
pub mod correlation;
mod correlator;
mod decision;
mod delivered;
mod held;
mod item;
mod kept;
mod ledger;
mod limit;
mod published;
mod sighting;
mod summary;
mod uids;

pub use acquaintance::{Acquaintance, since_keys};
pub use audit::{audit_item, audit_key, read_audit};
pub use check::check;
pub use correlator::{Correlated, Correlation, Correlator, LATE, Step};
pub use decision::{Alert, Decision, Hold, Repetition, decide, decide_without_memory, in_order, judge};
pub use delivered::{delivered_item, delivered_key, read_thread, thread_item, thread_key};
pub use held::{HeldBack, held_under, hold};
pub use item::{Item, Items, Key, Kind, LISTED_AT_ONCE, Listed, MAX_ITEM_BYTES, Stretch, UnreadableItem};
pub use kept::{Due, all_kept, due_by, is_put_by};
pub use ledger::{CLAIM, Closing, Ledgers, Teller, key_of};
pub use limit::{Limit, Limiter};
pub use published::Published;
pub use sighting::{EntityKey, FirstSighting, KnownPairs, Recalled, Round, Seen, Sightings};
pub use summary::Tellings;
