//! Turns AWS CloudTrail into alerts.
#![forbid(unsafe_code)]

pub mod trail;
pub mod trigger;
