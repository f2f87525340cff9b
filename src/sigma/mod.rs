//! Reads Sigma rules.
//!
//! In: YAML files. Out: [`Rule`]s with names and positions, as their authors wrote them; nothing is compiled here.
//! Language: <https://sigmahq.io/sigma-specification/>, what is supported: `docs/rules.md`.

mod collection;
mod condition;
mod correlation;
mod detection;
mod extension;
mod modifier;
mod rule;
mod shape;
mod value;

pub use collection::{Collection, parse};
pub use condition::Condition;
pub use correlation::{
    Alias, Alternative, Bounds, Correlation, CorrelationCondition, CorrelationType, Operator, RuleRef,
};
pub use detection::{Detection, DetectionItem, FieldName, SearchIdentifier, Value};
pub use extension::{AlertOptions, Extension, FirstSeen};
pub use modifier::{Comparison, Modifiers};
pub use rule::{Level, LogSource, Rule, Status};
pub use value::{Pattern, Token};

pub(crate) use shape::Shape;
