//! Fields as rules name them: raw ones by path, and derived ones in the namespace `derived.`.

use std::ops::ControlFlow;

use crate::trail::{FieldPath, FieldValue, Record};
use crate::yaml::suggest;

use super::Knowledge;

/// A field whose name has been resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    Raw(FieldPath),
    Derived(Derived),
}

macro_rules! derived {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// What trailhound works out from a record; `docs/rules.md` says how.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Derived { $($variant),+ }

        const NAMES: &[(&str, Derived)] = &[$(($name, Derived::$variant)),+];
    };
}

derived! {
    Principal = "derived.principal",
    PrincipalType = "derived.principal_type",
    PrincipalAccount = "derived.principal_account",
    Outcome = "derived.outcome",
    ServiceCall = "derived.service_call",
    SourceKind = "derived.source_kind",
    TrustedNetwork = "derived.trusted_network",
    Mfa = "derived.mfa",
    Resource = "derived.resource",
    ResourceAccount = "derived.resource_account",
    AccountRelation = "derived.account_relation",
    ExpectedPrincipal = "derived.expected_principal",
}

impl Field {
    /// Resolves a name.
    ///
    /// # Errors
    /// Advice, when the name is in the namespace `derived.` and unknown there.
    pub(super) fn new(name: &str) -> Result<Self, String> {
        if !name.starts_with("derived.") {
            return Ok(Self::Raw(FieldPath::new(name)));
        }
        let known = || NAMES.iter().map(|(name, _)| *name);
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, derived)) => Ok(Self::Derived(*derived)),
            None => {
                Err(suggest(name, known())
                    .unwrap_or_else(|| format!("known: {}", known().collect::<Vec<_>>().join(", "))))
            }
        }
    }

    /// Hands each value of the field to `visit` until it breaks. An absent field has none.
    pub(super) fn visit<B>(
        &self,
        record: &Record<'_>,
        knowledge: &Knowledge,
        visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        match self {
            Self::Raw(path) => record.visit(path, visit),
            Self::Derived(derived) => derived
                .values(record, knowledge)
                .into_iter()
                .try_for_each(|value| visit(FieldValue::Text(value.into()))),
        }
    }

    /// Whether the field is there, be it null.
    pub(super) fn exists(&self, record: &Record<'_>, knowledge: &Knowledge) -> bool {
        match self {
            Self::Raw(path) => record.has(path),
            Self::Derived(derived) => !derived.values(record, knowledge).is_empty(),
        }
    }

    /// The field's values as text, nulls and empty texts left out.
    pub(super) fn texts(&self, record: &Record<'_>, knowledge: &Knowledge) -> Vec<String> {
        let mut texts = Vec::new();
        let _: ControlFlow<()> = self.visit(record, knowledge, &mut |value| {
            texts.extend(value.text().filter(|text| !text.is_empty()).map(str::to_owned));
            ControlFlow::Continue(())
        });
        texts
    }
}

impl Derived {
    fn values(self, record: &Record<'_>, knowledge: &Knowledge) -> Vec<String> {
        let identity = record.identity();
        let one = |text: Option<&str>| text.map(str::to_owned).into_iter().collect();
        match self {
            Self::Principal => one(identity.principal().as_deref()),
            Self::PrincipalType => one(identity.principal_type()),
            Self::PrincipalAccount => one(identity.account()),
            Self::Outcome => one(Some(record.outcome().as_str())),
            Self::ServiceCall => one(Some(word(record.is_service_call()))),
            Self::SourceKind => one(Some(record.source_kind().as_str())),
            Self::TrustedNetwork => one(record.source_address().map(|address| word(knowledge.trusts(address)))),
            Self::Mfa => one(Some(record.mfa().as_str())),
            Self::Resource => record.resources(),
            Self::ResourceAccount => one(record.resource_account().as_deref()),
            Self::AccountRelation => one(knowledge.account_relation(record)),
            Self::ExpectedPrincipal => one(knowledge.expects(record).map(word)),
        }
    }
}

fn word(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
