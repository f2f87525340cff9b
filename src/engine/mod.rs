//! Holds records against rules.
//!
//! In: parsed Sigma rules and what the organisation knows. Out: a [`RuleSet`] whose matching cannot fail: every error is
//! found by [`RuleSet::compile`]. Matches come in rule order, the same on each run.

mod compile;
mod expr;
mod field;
mod knowledge;
mod matcher;
mod organisation;
mod rule_set;

pub use knowledge::{ExpectedPrincipals, Knowledge};
pub use organisation::{Organisation, Override};
pub use rule_set::{FirstSeenPlan, MAX_SIGHTED, Match, RuleInfo, RuleSet, Sighted};
