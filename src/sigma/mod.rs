//! Reads Sigma rules.
//!
//! In: YAML files. Out: [`Rule`]s with names and positions, as their authors wrote them; nothing is compiled here.
//! Language: <https://sigmahq.io/sigma-specification/>, what is supported: `docs/sigma-support.md`.

pub mod attack;
mod collection;
mod condition;
mod correlation;
mod detection;
mod extension;
mod filter;
mod first_seen;
mod metadata;
mod modifier;
mod rule;
mod shape;
mod stored;
mod use_of_modifiers;
mod value;

pub use collection::{Collection, parse};
pub use condition::Condition;
pub use correlation::{
    Alias, Alternative, Bounds, Correlation, CorrelationCondition, CorrelationRule, CorrelationType, Operator, RuleRef,
};
pub use detection::{Detection, DetectionItem, FieldName, SearchIdentifier, Value};
pub use extension::{AlertOptions, Extension, Mode, Template, TemplatePart};
pub use filter::{Filter, FilteredRules, Upkeep};
pub use first_seen::{FirstSeen, Ignore, NetworkName, NetworkPrefixes};
pub use metadata::{Level, Metadata, Status};
pub use modifier::{Comparison, Modifiers, NumberOperator, RegexFlags, TimePart, Transform};
pub use rule::{LogSource, Rule};
pub use value::{Pattern, Token};

pub(crate) use extension::{exceptions, mode};
pub(crate) use shape::Shape;
pub(crate) use use_of_modifiers::number;
