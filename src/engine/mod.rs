//! Holds records against rules.
//!
//! In: parsed Sigma rules and what the organisation knows. Out: a [`RuleSet`] whose matching cannot fail: every error is
//! found by [`RuleSet::compile`]. Matches come in rule order, the same on each run.

mod called;
mod compile;
mod context;
mod correlation;
mod encode;
mod explain;
mod expr;
mod expression;
mod field;
mod filters;
mod first_seen;
mod fold;
mod index;
mod knowledge;
mod limits;
mod matcher;
mod matching;
mod organisation;
mod outline;
mod reach;
mod rule_set;
mod source;
mod title;
mod value_test;

pub(crate) use compile::is_placeholder;
pub use correlation::{CompiledCorrelation, CorrelationIndex, Observed, Part};
pub use explain::{Asked, Explanation, Step};
pub use first_seen::{FirstSeenPlan, Shown, Sighted};
pub use knowledge::{Account, ExpectedPrincipals, Knowledge, Networks};
pub use limits::{Limits, MaxAlerts, Quiet};
pub use matching::{MAX_SIGHTED, Match, Matcher};
pub use organisation::{Organisation, Override};
pub use rule_set::{RuleInfo, RuleSet, Tuning};
pub use source::KnownSource;
pub use title::Command;
