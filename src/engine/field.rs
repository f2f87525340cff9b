//! Fields as rules name them: raw ones by path, and derived ones in the namespace `derived.`.

use std::ops::ControlFlow;

use crate::trail::{Distance, FieldPath, FieldValue, Found, Grants};
use crate::yaml::suggest;

use super::Knowledge;
use super::context::Context;

/// A field whose name has been resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Field {
    Raw(FieldPath),
    Derived(Derived),
}

/// The values of a derived field. Words of a closed set cost no memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Values {
    None,
    Word(&'static str),
    Texts(Vec<String>),
}

macro_rules! derived {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// What trailhound works out from a record; `docs/rules.md` says how.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) enum Derived { $($variant),+ }

        const NAMES: &[(&str, Derived)] = &[$(($name, Derived::$variant)),+];

        impl Derived {
            pub(super) const COUNT: usize = [$($name),+].len();
        }
    };
}

derived! {
    Principal = "derived.principal",
    PrincipalType = "derived.principal_type",
    PrincipalAccount = "derived.principal_account",
    Outcome = "derived.outcome",
    ServiceCall = "derived.service_call",
    SourceKind = "derived.source_kind",
    SourceNetwork = "derived.source_network",
    SourceAsn = "derived.source_asn",
    SourceAsOrg = "derived.source_as_org",
    SourceCountry = "derived.source_country",
    TrustedNetwork = "derived.trusted_network",
    Mfa = "derived.mfa",
    Resource = "derived.resource",
    ResourceAccount = "derived.resource_account",
    AccountRelation = "derived.account_relation",
    ExpectedPrincipal = "derived.expected_principal",
    PolicyEveryone = "derived.policy.everyone",
    PolicyPublic = "derived.policy.public",
    PolicyOutside = "derived.policy.outside",
    PolicyOpen = "derived.policy.open",
    PolicyAccounts = "derived.policy.accounts",
    PolicyForeignAccounts = "derived.policy.foreign_accounts",
    PolicyPrincipals = "derived.policy.principals",
    PolicyServices = "derived.policy.services",
    PolicyFederated = "derived.policy.federated",
    PolicyActions = "derived.policy.actions",
    PolicyWildcardAction = "derived.policy.wildcard_action",
    PolicyWildcardResource = "derived.policy.wildcard_resource",
    PolicyAdmin = "derived.policy.admin",
    PolicyUnreadable = "derived.policy.unreadable",
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

    /// What looking it up takes, as a rank: members with a place of their own are at hand, others have to be searched for.
    pub(super) fn cost(&self) -> u16 {
        match self {
            Self::Raw(path) => match path.distance() {
                Distance::AtHand => 1,
                Distance::Whole => 30,
                // Its place is remembered.
                Distance::Below => 4,
            },
            Self::Derived(Derived::Outcome | Derived::PrincipalType | Derived::SourceKind | Derived::ServiceCall) => 2,
            Self::Derived(Derived::Principal | Derived::PrincipalAccount | Derived::TrustedNetwork) => 6,
            Self::Derived(
                Derived::SourceNetwork
                | Derived::SourceAsn
                | Derived::SourceAsOrg
                | Derived::SourceCountry
                | Derived::Mfa,
            ) => 10,
            Self::Derived(
                Derived::Resource | Derived::ResourceAccount | Derived::AccountRelation | Derived::ExpectedPrincipal,
            ) => 25,
            Self::Derived(_) => 40,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Raw(path) => path.as_str(),
            // OK because the names stand in the order of the variants.
            Self::Derived(derived) => NAMES[*derived as usize].0,
        }
    }

    /// Hands each value of the field to `visit` until it breaks. An absent field has none.
    pub(super) fn visit<B>(
        &self,
        context: &Context<'_, '_>,
        visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        match self {
            Self::Raw(path) => match path.number().map_or(Found::Many, |number| context.find(number, path)) {
                Found::Absent => ControlFlow::Continue(()),
                Found::At(from, to) => context.record.visit_at(from, to, visit),
                Found::Many => context.record.visit(path, visit),
            },
            Self::Derived(derived) => match context.derived(*derived) {
                Values::None => ControlFlow::Continue(()),
                Values::Word(word) => visit(FieldValue::Text(word)),
                Values::Texts(texts) => texts.iter().try_for_each(|text| visit(FieldValue::Text(text))),
            },
        }
    }

    /// Whether the field is there, be it null.
    pub(super) fn exists(&self, context: &Context<'_, '_>) -> bool {
        match self {
            Self::Raw(path) => match path.number().map_or(Found::Many, |number| context.find(number, path)) {
                Found::Absent => false,
                Found::At(..) => true,
                Found::Many => context.record.has(path),
            },
            Self::Derived(derived) => *context.derived(*derived) != Values::None,
        }
    }

    /// The field's values as text, nulls and empty texts left out.
    pub(super) fn texts(&self, context: &Context<'_, '_>) -> Vec<String> {
        let mut texts = Vec::new();
        let mut buffer = String::new();
        let _: ControlFlow<()> = self.visit(context, &mut |value| {
            texts.extend(value.text(&mut buffer).filter(|text| !text.is_empty()).map(str::to_owned));
            ControlFlow::Continue(())
        });
        texts
    }
}

impl Derived {
    pub(super) fn values(self, context: &Context<'_, '_>) -> Values {
        let (record, knowledge) = (context.record, context.knowledge);
        let identity = record.identity();
        match self {
            Self::Principal => text(identity.principal().as_deref()),
            Self::PrincipalType => text(identity.principal_type().as_deref()),
            Self::PrincipalAccount => text(identity.account().as_deref()),
            Self::Outcome => Values::Word(record.outcome().as_str()),
            Self::ServiceCall => yes_no(Some(record.is_service_call())),
            Self::SourceKind => Values::Word(record.source_kind().as_str()),
            Self::SourceNetwork => texts(knowledge.source_networks(record)),
            Self::SourceAsn => text(knowledge.source_asn(record).as_deref()),
            Self::SourceAsOrg => text(knowledge.source_as_org(record)),
            Self::SourceCountry => text(knowledge.source_country(record)),
            Self::TrustedNetwork => yes_no(record.source_address().map(|address| knowledge.trusts(address))),
            Self::Mfa => Values::Word(record.mfa().as_str()),
            Self::Resource => texts(record.resources()),
            Self::ResourceAccount => text(record.resource_account().as_deref()),
            Self::AccountRelation => knowledge.account_relation(record).map_or(Values::None, Values::Word),
            Self::ExpectedPrincipal => yes_no(knowledge.expects(record)),
            policy => context.grants().map_or(Values::None, |grants| policy.of_policy(grants, knowledge)),
        }
    }

    /// What a record's policy documents say; other fields have nothing to do with them.
    fn of_policy(self, grants: &Grants, knowledge: &Knowledge) -> Values {
        let list = texts::<&str>;
        match self {
            Self::PolicyEveryone => yes_no(Some(grants.to_everyone())),
            Self::PolicyPublic => yes_no(Some(grants.is_public())),
            Self::PolicyOutside => yes_no(Some(grants.to_outside())),
            Self::PolicyOpen => yes_no(Some(grants.is_open())),
            Self::PolicyAccounts => list(grants.accounts()),
            Self::PolicyForeignAccounts => {
                let foreign = |account: &&str| knowledge.account_name(account).is_none();
                list(grants.foreign_accounts().into_iter().filter(foreign).collect())
            }
            Self::PolicyPrincipals => list(grants.principals()),
            Self::PolicyServices => list(grants.services()),
            Self::PolicyFederated => list(grants.federated()),
            Self::PolicyActions => list(grants.actions()),
            Self::PolicyWildcardAction => yes_no(Some(grants.wildcard_action())),
            Self::PolicyWildcardResource => yes_no(Some(grants.wildcard_resource())),
            Self::PolicyAdmin => yes_no(Some(grants.is_admin())),
            Self::PolicyUnreadable => yes_no(Some(grants.unreadable)),
            _ => Values::None,
        }
    }
}

fn text(text: Option<&str>) -> Values {
    text.map_or(Values::None, |text| Values::Texts(vec![text.to_owned()]))
}

fn texts<T: Into<String>>(texts: Vec<T>) -> Values {
    if texts.is_empty() { Values::None } else { Values::Texts(texts.into_iter().map(Into::into).collect()) }
}

fn yes_no(answer: Option<bool>) -> Values {
    match answer {
        None => Values::None,
        Some(true) => Values::Word("true"),
        Some(false) => Values::Word("false"),
    }
}
