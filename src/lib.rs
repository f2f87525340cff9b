//! Turns AWS CloudTrail into alerts people act on.
//!
//! A payload says that a trail file is there ([`trigger`]); the file is read as a stream of records ([`trail`]); each is held
//! against Sigma and first-seen rules ([`sigma`], [`engine`]); matches become findings ([`finding`]), findings become
//! alerts or are held back ([`alerting`]), and alerts are rendered for e-mail, chat and machines ([`notify`]). All of that is
//! pure. [`pipeline`] puts it in order around the [`ports`], which [`local`] and `aws` implement.
//!
//! ```
//! use trailhound::engine::{Organisation, RuleSet};
//! use trailhound::trail::{Item, Limits, Reader};
//! use trailhound::{sigma, yaml::SourceFile};
//!
//! let file = SourceFile::new("stop.yml", "
//! title: Trail stopped
//! logsource: {product: aws, service: cloudtrail}
//! detection:
//!   stop: {eventSource: cloudtrail.amazonaws.com, eventName: StopLogging}
//!   condition: stop
//! ");
//! let today = jiff::civil::date(2026, 11, 5); // filters expire
//! let (rules, errors) = RuleSet::compile(&sigma::parse(&file), &Organisation::default(), today);
//! assert!(errors.is_empty());
//!
//! let mut found = Vec::new();
//! let mut reader = Reader::new(Limits::default());
//! let trail = br#"{"Records":[{"eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging"}]}"#;
//! let mut each = |item: Item<'_>| if let Item::Record(record) = item {
//!     found.extend(rules.matches(&record).iter().map(|matched| matched.info().title.clone()));
//! };
//! reader.push(trail, &mut each)?;
//! reader.finish(&mut each)?;
//! assert_eq!(found, ["Trail stopped"]);
//! # Ok::<(), trailhound::trail::ReadError>(())
//! ```
#![forbid(unsafe_code)]

pub mod alerting;
#[cfg(feature = "aws")]
pub mod aws;
pub mod config;
pub mod engine;
pub mod enrichment;
pub mod finding;
pub mod integrity;
pub mod lint;
pub mod local;
pub mod notifier;
pub mod notify;
pub mod outcome;
pub mod outputs;
pub mod own;
pub mod pipeline;
pub mod ports;
pub mod rule_pack;
pub mod sigma;
pub mod start;
pub mod telemetry;
pub mod trail;
pub mod trigger;
pub mod yaml;
