//! Networks, asked by address.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use ipnet::IpNet;

/// Labels of networks that may lie in each other. Asking is a binary search, however many networks there are.
#[derive(Debug, Clone)]
pub struct Ranges<L> {
    v4: Family,
    v6: Family,
    labels: Vec<L>,
}

/// Addresses of one family, cut where any network begins or ends.
#[derive(Debug, Clone, Default)]
struct Family {
    /// Where each piece begins; it ends where the next one begins.
    starts: Vec<u128>,
    /// The place of its label, or [`NONE`].
    labels: Vec<u32>,
}

/// Of a piece that no network covers.
const NONE: u32 = u32::MAX;

/// A network from its first to its last address, and what it was given.
#[derive(Clone, Copy)]
struct Span<T> {
    first: u128,
    last: u128,
    given: T,
}

impl<L> Default for Ranges<L> {
    fn default() -> Self {
        Self { v4: Family::default(), v6: Family::default(), labels: Vec::new() }
    }
}

impl<L> Ranges<L> {
    /// `label` makes a label of what the networks around an address were given, the smallest network last.
    pub fn new<T: Copy + Eq + Hash>(networks: impl IntoIterator<Item = (IpNet, T)>, label: impl Fn(&[T]) -> L) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (network, given) in networks {
            let spans = if matches!(network, IpNet::V4(_)) { &mut v4 } else { &mut v6 };
            spans.push(Span { first: number(network.network()), last: number(network.broadcast()), given });
        }
        let mut labels = Labels { known: HashMap::new(), made: Vec::new(), label };
        let (v4, v6) = (Family::new(v4, &mut labels), Family::new(v6, &mut labels));
        Self { v4, v6, labels: labels.made }
    }

    /// The label of an address that a network covers.
    #[must_use]
    pub fn get(&self, address: IpAddr) -> Option<&L> {
        let family = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        self.labels.get(family.label(number(address))? as usize)
    }

    /// Whether it covers no address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => v6.into(),
    }
}

/// The labels made so far, by what they were made of.
struct Labels<T, L, F> {
    known: HashMap<Vec<T>, u32>,
    made: Vec<L>,
    label: F,
}

impl<T: Copy + Eq + Hash, L, F: Fn(&[T]) -> L> Labels<T, L, F> {
    fn of(&mut self, around: &[Span<T>]) -> u32 {
        if around.is_empty() {
            return NONE;
        }
        let given: Vec<T> = around.iter().map(|span| span.given).collect();
        let Self { known, made, label } = self;
        *known.entry(given).or_insert_with_key(|given| {
            made.push(label(given));
            // OK to fall back: a list of four thousand million networks fits nowhere.
            u32::try_from(made.len() - 1).unwrap_or(NONE)
        })
    }
}

impl Family {
    /// Goes through the networks by their first address, with those that are open around it on a stack: of two networks one
    /// lies in the other, or they have nothing in common.
    fn new<T: Copy + Eq + Hash, L>(mut spans: Vec<Span<T>>, labels: &mut Labels<T, L, impl Fn(&[T]) -> L>) -> Self {
        let mut family = Self::default();
        let mut open: Vec<Span<T>> = Vec::new();
        spans.sort_by(|a, b| (a.first, b.last).cmp(&(b.first, a.last)));
        for span in spans {
            family.close(&mut open, Some(span.first), labels);
            open.push(span);
            family.cut(span.first, labels.of(&open));
        }
        family.close(&mut open, None, labels);
        family.starts.shrink_to_fit();
        family.labels.shrink_to_fit();
        family
    }

    /// Leaves the networks that end before an address, or all of them.
    fn close<T: Copy + Eq + Hash, L>(
        &mut self,
        open: &mut Vec<Span<T>>,
        before: Option<u128>,
        labels: &mut Labels<T, L, impl Fn(&[T]) -> L>,
    ) {
        while let Some(ended) = open.pop_if(|span| before.is_none_or(|before| span.last < before)) {
            if let Some(next) = ended.last.checked_add(1) {
                self.cut(next, labels.of(open));
            }
        }
    }

    /// From here on another label holds.
    fn cut(&mut self, start: u128, label: u32) {
        if self.starts.last() == Some(&start) {
            self.starts.pop();
            self.labels.pop();
        }
        if self.labels.last() != Some(&label) {
            self.starts.push(start);
            self.labels.push(label);
        }
    }

    fn label(&self, address: u128) -> Option<u32> {
        let behind = self.starts.partition_point(|start| *start <= address);
        let label = self.labels.get(behind.checked_sub(1)?)?;
        (*label != NONE).then_some(*label)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges(networks: &[(&str, u8)]) -> Ranges<Vec<u8>> {
        Ranges::new(networks.iter().map(|(network, given)| (network.parse().unwrap(), *given)), <[u8]>::to_vec)
    }

    #[test]
    fn an_address_has_what_all_networks_around_it_were_given_the_smallest_last() {
        let ranges = ranges(&[
            ("192.0.2.64/26", 2),
            ("192.0.2.0/24", 1),
            ("192.0.2.64/32", 3),
            ("198.51.100.0/24", 4),
            ("2001:db8::/32", 5),
            ("2001:db8:1::/48", 6),
            ("255.255.255.255/32", 7),
            ("ffff::/16", 8),
        ]);
        for (address, expected) in [
            ("192.0.1.255", None),
            ("192.0.2.0", Some(&[1][..])),
            ("192.0.2.63", Some(&[1])),
            ("192.0.2.64", Some(&[1, 2, 3])),
            ("192.0.2.65", Some(&[1, 2])),
            ("192.0.2.127", Some(&[1, 2])),
            ("192.0.2.128", Some(&[1])),
            ("192.0.3.0", None),
            ("198.51.100.255", Some(&[4])),
            ("2001:db8::1", Some(&[5])),
            ("2001:db8:1::1", Some(&[5, 6])),
            ("2001:db8:2::", Some(&[5])),
            ("255.255.255.255", Some(&[7])),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(&[8])),
            ("::192.0.2.64", None),
        ] {
            assert_eq!(ranges.get(address.parse().unwrap()).map(Vec::as_slice), expected, "{address}");
        }
        assert!(Ranges::<u8>::default().is_empty() && !ranges.is_empty());
    }

    proptest! {
        /// The same as asking every network, the largest first.
        #[test]
        fn it_answers_as_asking_each_network_would(
            networks in prop::collection::vec((any::<u8>(), any::<u8>(), 8..=32_u8), 0..40),
            addresses in prop::collection::vec(any::<[u8; 2]>(), 40),
        ) {
            // Few and close to each other, so that they meet.
            let network = |(a, b, length): (u8, u8, u8)| {
                IpNet::new(IpAddr::from([10, a % 4, b % 4, a / 8]), length).unwrap().trunc()
            };
            let mut networks: Vec<IpNet> = networks.into_iter().map(network).collect();
            networks.sort_by_key(|network| (network.prefix_len(), *network));
            networks.dedup();
            let ranges = Ranges::new(networks.iter().map(|network| (*network, *network)), <[IpNet]>::to_vec);
            for [a, b] in addresses {
                let address = IpAddr::from([10, a % 4, b % 4, b]);
                let around: Vec<IpNet> = networks.iter().filter(|net| net.contains(&address)).copied().collect();
                prop_assert_eq!(ranges.get(address).cloned().unwrap_or_default(), around);
            }
        }
    }
}
