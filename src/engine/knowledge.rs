//! What an organisation knows, in the form that rules ask it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::enrichment::{Enrichment, Ranges};
use crate::sigma::Pattern;
use crate::trail::Record;

use super::matcher::TextMatcher;

/// Accounts, networks and lists of principals, and what public data says of addresses.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    accounts: BTreeMap<String, Account>,
    networks: Networks,
    expected_principals: Vec<ExpectedPrincipals>,
    pub(super) enrichment: Arc<Enrichment>,
}

/// An account that somebody has a name for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name, for people.
    pub name: String,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Whether it is a known partner's, and not one of the organisation's own.
    pub is_partner: bool,
}

/// Networks that somebody has a name for, and those that are trusted.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    pub(super) names: Vec<Arc<str>>,
    named: Ranges<Vec<Arc<str>>>,
    trusted: Vec<IpNet>,
}

/// Who is expected to use a resource.
#[derive(Debug, Clone)]
pub struct ExpectedPrincipals {
    resource: TextMatcher,
    principals: Vec<TextMatcher>,
}

impl ExpectedPrincipals {
    /// Takes ARN patterns with `*` and `?`; upper and lower case differ.
    pub fn new<'p>(resource: &str, principals: impl IntoIterator<Item = &'p str>) -> Self {
        let matcher = |pattern: &str| TextMatcher::new(&Pattern::new(pattern), true);
        Self { resource: matcher(resource), principals: principals.into_iter().map(matcher).collect() }
    }
}

impl Networks {
    /// Takes networks by their names, and those that are the organisation's own.
    #[must_use]
    pub fn new(by_name: &BTreeMap<String, Vec<IpNet>>, trusted: Vec<IpNet>) -> Self {
        let names: Vec<Arc<str>> = by_name.keys().map(|name| name.as_str().into()).collect();
        let each = names.iter().zip(by_name.values());
        let each = each.flat_map(|(name, list)| list.iter().map(move |network| (*network, name)));
        let in_order =
            |around: &[&Arc<str>]| around.iter().copied().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        Self { named: Ranges::new(each, in_order), names, trusted }
    }

    /// The names of those that an address is in.
    pub(super) fn around(&self, address: IpAddr) -> &[Arc<str>] {
        self.named.get(address).map_or(&[], Vec::as_slice)
    }
}

impl Knowledge {
    /// Takes accounts by id, networks, and lists of expected principals.
    #[must_use]
    pub fn new(
        accounts: BTreeMap<String, Account>,
        networks: Networks,
        expected_principals: Vec<ExpectedPrincipals>,
    ) -> Self {
        Self { accounts, networks, expected_principals, enrichment: Arc::default() }
    }

    /// Adds what public data says of addresses.
    #[must_use]
    pub fn enriched(self, enrichment: Enrichment) -> Self {
        Self { enrichment: Arc::new(enrichment), ..self }
    }

    /// An account of the organisation or of a partner.
    #[must_use]
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// The name of an account of the organisation or of a partner.
    #[must_use]
    pub fn account_name(&self, id: &str) -> Option<&str> {
        self.account(id).map(|account| account.name.as_str())
    }

    pub(super) fn networks(&self) -> &Networks {
        &self.networks
    }

    pub(super) fn trusted_networks(&self) -> &[IpNet] {
        &self.networks.trusted
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.networks.trusted.iter().any(|network| network.contains(&address))
    }

    /// Whether it is said of any resource who is expected there.
    pub(super) fn expects_anybody(&self) -> bool {
        !self.expected_principals.is_empty()
    }

    /// Whether the caller is expected on the resources of the call; `None` when none of them is listed.
    pub(super) fn expects(&self, record: &Record<'_>) -> Option<bool> {
        let resources = if self.expected_principals.is_empty() { Vec::new() } else { record.resources() };
        let verdicts: Vec<bool> = resources.iter().filter_map(|resource| self.expects_on(record, resource)).collect();
        (!verdicts.is_empty()).then(|| verdicts.iter().all(|expected| *expected))
    }

    fn expects_on(&self, record: &Record<'_>, resource: &str) -> Option<bool> {
        let mut lists = self.expected_principals.iter().filter(|list| list.resource.matches(resource)).peekable();
        lists.peek()?;
        // A list may name the role, or one session of it.
        let principal = record.identity().principal();
        let arn = record.text("userIdentity.arn");
        let names: Vec<&str> = principal.as_deref().into_iter().chain(arn.as_deref()).collect();
        Some(lists.any(|list| list.principals.iter().any(|pattern| names.iter().any(|name| pattern.matches(name)))))
    }

    /// `same`, `known`, `partner` or `foreign`; `None` for services and where the caller's account is not told.
    pub(super) fn account_relation(&self, record: &Record<'_>) -> Option<&'static str> {
        let caller = record.identity().account()?;
        let owner = record.resource_account()?;
        Some(match self.account(&caller) {
            _ if caller == owner => "same",
            Some(Account { is_partner: false, .. }) => "known",
            Some(Account { is_partner: true, .. }) => "partner",
            None => "foreign",
        })
    }
}
