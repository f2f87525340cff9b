//! What a first-seen rule makes of a record.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use jiff::SignedDuration;

use crate::sigma::NetworkPrefixes;

use super::context::Context;
use super::field::{Derived, Field};
use super::matching::{MAX_SIGHTED, combinations};

/// A compiled `first_seen` section.
#[derive(Debug)]
pub struct FirstSeenPlan {
    /// What is learned: names of fields, and networks. A rule that learns something else under the same id begins anew.
    pub subject: Arc<str>,
    pub(super) entity: Vec<Field>,
    pub(super) value: Vec<Field>,
    /// A value not seen for this long is new again.
    pub history: SignedDuration,
    /// No alerts about an entity until it has been known this long.
    pub learning: SignedDuration,
    pub(super) network: NetworkPrefixes,
    pub(super) ignores_service_calls: bool,
    /// Addresses in these never count.
    pub(super) ignored: Vec<IpNet>,
}

/// An entity showing a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sighted {
    /// Whose habits are learned.
    pub entity: Vec<String>,
    /// What it showed.
    pub value: Vec<String>,
}

/// What a record shows a first-seen rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// Each entity with each value, up to [`MAX_SIGHTED`].
    pub sighted: Vec<Sighted>,
    /// Each entity that showed an address in a listed network, without a value: it is known from then on. Were it not, the first
    /// address outside of them would be held back as one that is still to be learned.
    pub known: Vec<Sighted>,
    /// What the rule ignores: each address in a listed network, or the call of an AWS service as one.
    pub excluded: usize,
}

impl FirstSeenPlan {
    /// Whether the rule learns what each caller does.
    #[must_use]
    pub fn is_by_principal(&self) -> bool {
        self.entity == [Field::Derived(Derived::Principal)]
    }
}

impl Shown {
    /// Whether the rule can't learn all that it should of the record: a field is absent, or there may be more values than are
    /// looked at.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        match self.sighted.len() {
            0 => self.excluded == 0,
            count => count == MAX_SIGHTED,
        }
    }
}

impl FirstSeenPlan {
    pub(super) fn shown(&self, context: &Context<'_, '_>) -> Shown {
        if self.ignores_service_calls && context.record.is_service_call() {
            return Shown { excluded: 1, ..Shown::default() };
        }
        let mut excluded = 0;
        let values = combinations(self.value.iter().map(|field| {
            let texts = field.texts(context);
            let all = texts.len();
            let counting: Vec<String> = texts.into_iter().filter_map(|text| self.remembered(text)).collect();
            excluded += all - counting.len();
            counting
        }));
        let entities = combinations(self.entity.iter().map(|field| field.texts(context)));
        let known = entities.iter().filter(|_| excluded > 0);
        let known = known.map(|entity| Sighted { entity: entity.clone(), value: Vec::new() }).collect();
        let sighted = entities
            .into_iter()
            .flat_map(|entity| values.iter().map(move |value| Sighted { entity: entity.clone(), value: value.clone() }))
            .take(MAX_SIGHTED)
            .collect();
        Shown { sighted, known, excluded }
    }

    /// A value as it is remembered: an address as its network, anything else as it is. Nothing for what never counts.
    fn remembered(&self, text: String) -> Option<String> {
        let Ok(address) = text.parse::<IpAddr>() else { return Some(text) };
        // As IPv4 where it is that: the networks of rules and of the organisation are, too.
        let address = address.to_canonical();
        let counts = !self.ignored.iter().any(|network| network.contains(&address));
        counts.then(|| network_of(address, self.network))
    }
}

/// `203.0.113.0/24` or `2001:db8::/64`; the address itself if the prefix is all of it.
fn network_of(address: IpAddr, prefixes: NetworkPrefixes) -> String {
    let prefix = if address.is_ipv4() { prefixes.ipv4 } else { prefixes.ipv6 };
    match IpNet::new(address, prefix) {
        Ok(network) if prefix < network.max_prefix_len() => network.trunc().to_string(),
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(ipv4: u8, ipv6: u8, ignored: &[&str]) -> FirstSeenPlan {
        FirstSeenPlan {
            subject: "".into(),
            entity: Vec::new(),
            value: Vec::new(),
            history: SignedDuration::from_hours(1),
            learning: SignedDuration::ZERO,
            network: NetworkPrefixes { ipv4, ipv6 },
            ignores_service_calls: false,
            ignored: ignored.iter().map(|network| network.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn an_address_is_remembered_as_its_network() {
        for (ipv4, ipv6, text, expected) in [
            (32, 64, "203.0.113.7", "203.0.113.7"),
            (32, 64, "::ffff:203.0.113.7", "203.0.113.7"),
            (24, 64, "::ffff:203.0.113.7", "203.0.113.0/24"),
            (24, 64, "203.0.113.7", "203.0.113.0/24"),
            (31, 64, "203.0.113.7", "203.0.113.6/31"),
            (8, 64, "203.0.113.7", "203.0.0.0/8"),
            (24, 64, "2001:DB8:0:0:1:2:3:4", "2001:db8::/64"),
            (24, 16, "2001:db8::1", "2001::/16"),
            (24, 128, "2001:DB8:0::1", "2001:db8::1"),
        ] {
            assert_eq!(plan(ipv4, ipv6, &[]).remembered(text.to_owned()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_remembered_as_it_is() {
        let plan = plan(8, 16, &["0.0.0.0/0", "::/0"]);
        for text in ["sns.amazonaws.com", "AWS Internal", "203.0.113.0/24", "203.0.113.07", "203.0.113", " 203.0.113.7"]
        {
            assert_eq!(plan.remembered(text.to_owned()).as_deref(), Some(text));
        }
    }

    #[test]
    fn an_address_counts_unless_it_lies_in_an_ignored_network() {
        let plan = plan(24, 64, &["203.0.113.7/32", "2001:db8:aaaa::/48"]);
        for (text, counts) in [
            ("203.0.113.7", false),
            ("::ffff:203.0.113.7", false),
            ("203.0.113.8", true),
            ("2001:db8:aaaa:1::9", false),
            ("2001:db8:aaab::9", true),
        ] {
            assert_eq!(plan.remembered(text.to_owned()).is_some(), counts, "{text}");
        }
    }
}
