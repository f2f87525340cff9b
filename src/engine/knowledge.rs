//! What an organisation knows, in the form that rules ask it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::sigma::Pattern;
use crate::trail::Record;

use super::matcher::TextMatcher;

/// Accounts, networks and lists of principals.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    accounts: BTreeMap<String, String>,
    trusted_networks: Vec<IpNet>,
    expected_principals: Vec<ExpectedPrincipals>,
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

impl Knowledge {
    /// Takes account names by id, networks that are the organisation's own, and lists of expected principals.
    #[must_use]
    pub fn new(
        accounts: BTreeMap<String, String>,
        trusted_networks: Vec<IpNet>,
        expected_principals: Vec<ExpectedPrincipals>,
    ) -> Self {
        Self { accounts, trusted_networks, expected_principals }
    }

    /// The name of an account of the organisation.
    #[must_use]
    pub fn account_name(&self, id: &str) -> Option<&str> {
        self.accounts.get(id).map(String::as_str)
    }

    pub(super) fn trusted_networks(&self) -> &[IpNet] {
        &self.trusted_networks
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_networks.iter().any(|network| network.contains(&address))
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

    /// `same`, `known` or `foreign`; `None` for services and where the caller's account is not told.
    pub(super) fn account_relation(&self, record: &Record<'_>) -> Option<&'static str> {
        let caller = record.identity().account()?;
        let owner = record.resource_account()?;
        Some(match caller {
            _ if caller == owner => "same",
            _ if self.accounts.contains_key(&*caller) => "known",
            _ => "foreign",
        })
    }
}
