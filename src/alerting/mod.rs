//! Decides which findings people are told.
//!
//! In: findings, and what is remembered of earlier ones. Out: [`Decision`]s: an alert, or why none. Pure: the store is
//! asked in between, by the pipeline. Holding back is data, so that it can be counted and reported.

pub mod correlation;
mod correlator;
mod decision;
mod sighting;

pub use correlator::{Correlated, Correlation, Correlator};
pub use decision::{Alert, Decision, Hold, Repetition, decide, decide_without_memory};
pub use sighting::{
    EntityKey, FirstSighting, Mark, Memory, PastAlert, PastAlerts, Remembered, Seen, Sightings, in_order, marks,
    sightings,
};
