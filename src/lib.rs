//! Turns AWS CloudTrail into alerts.
#![forbid(unsafe_code)]

pub mod alerting;
#[cfg(feature = "aws")]
pub mod aws;
pub mod config;
pub mod engine;
pub mod finding;
pub mod local;
pub mod notify;
pub mod pipeline;
pub mod ports;
pub mod rule_pack;
pub mod sigma;
pub mod start;
pub mod telemetry;
pub mod trail;
pub mod trigger;
pub mod yaml;
