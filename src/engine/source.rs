//! What is known of the address that a call came from.

use std::net::IpAddr;

use crate::enrichment::Fact;
use crate::sigma::{Comparison, DetectionItem, Pattern, Token};
use crate::trail::{Record, SourceKind};
use crate::yaml::suggest;

use super::Knowledge;
use super::field::Derived;

/// What is known of the address that a call came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownSource {
    /// The number of its autonomous system: 64496 for AS64496.
    pub asn: Option<u32>,
    /// Who runs that.
    pub as_org: Option<String>,
    /// Two letters, as ISO 3166-1 has them.
    pub country: Option<String>,
    /// Names of the organisation's networks that it is in, and of AWS's.
    pub networks: Vec<String>,
}

/// Begins the names of AWS's networks, and of no network of the organisation.
pub(super) const AWS: &str = "aws";

impl Knowledge {
    /// What is known of the address that a call came from; `None` if nothing is.
    #[must_use]
    pub fn source(&self, record: &Record<'_>) -> Option<KnownSource> {
        if self.enrichment.is_empty() && self.networks().names.is_empty() {
            return None;
        }
        let public = public_address(record);
        let known = KnownSource {
            asn: public.and_then(|address| self.enrichment.asn(address)),
            as_org: public.and_then(|address| self.enrichment.as_org(address)).map(str::to_owned),
            country: public.and_then(|address| self.enrichment.country(address)).map(str::to_owned),
            networks: self.source_networks(record),
        };
        (known != KnownSource::default()).then_some(known)
    }

    pub(super) fn source_asn(&self, record: &Record<'_>) -> Option<String> {
        self.enrichment.asn(public_address(record)?).map(|number| format!("AS{number}"))
    }

    pub(super) fn source_as_org(&self, record: &Record<'_>) -> Option<&str> {
        self.enrichment.as_org(public_address(record)?)
    }

    pub(super) fn source_country(&self, record: &Record<'_>) -> Option<&str> {
        self.enrichment.country(public_address(record)?)
    }

    /// The organisation may have a name for a private network, too; nobody else knows anything of those.
    pub(super) fn source_networks(&self, record: &Record<'_>) -> Vec<String> {
        let Some(address) = record.source_address() else { return Vec::new() };
        let own = self.networks().around(address).iter().map(ToString::to_string);
        let aws = public_address(record).map_or(&[][..], |address| self.enrichment.aws_networks(address));
        own.chain(aws.iter().cloned()).collect()
    }

    /// What is missing so that a field is never there: what to say, and what to try.
    pub(super) fn lacks(&self, field: Derived) -> Option<Lack> {
        let fact = match field {
            Derived::SourceAsn => Fact::Asn,
            Derived::SourceAsOrg => Fact::AsOrg,
            Derived::SourceCountry => Fact::Country,
            Derived::SourceNetwork if self.networks().names.is_empty() => Fact::AwsNetwork,
            _ => return None,
        };
        (!self.enrichment.knows(fact)).then(|| Lack::of(fact))
    }

    /// The same of the names of networks that a detection asks for.
    pub(super) fn lacks_networks(&self, item: &DetectionItem) -> Option<Lack> {
        let plain =
            item.modifiers.comparison == Comparison::Equals && !item.modifiers.expand && !item.modifiers.fieldref;
        let names = item.values.iter().filter(|_| plain).filter_map(|value| value.text.as_deref());
        names.filter_map(literal).find_map(|name| self.lacks_network(&name))
    }

    fn lacks_network(&self, name: &str) -> Option<Lack> {
        if is_aws(name) {
            return (!self.enrichment.knows(Fact::AwsNetwork)).then(|| Lack::of(Fact::AwsNetwork));
        }
        let names = || self.networks().names.iter().map(|name| &**name);
        let is_known = names().any(|known| known.eq_ignore_ascii_case(name));
        (!is_known).then(|| Lack {
            what: format!("no network of the organisation is called `{name}`"),
            advice: suggest(name, names())
                .unwrap_or_else(|| format!("name it in the configuration: `networks: {{{name}: [...]}}`")),
        })
    }
}

/// What a rule asks for and is not there.
pub(super) struct Lack {
    pub(super) what: String,
    pub(super) advice: String,
}

impl Lack {
    fn of(fact: Fact) -> Self {
        Self {
            what: fact.missing().to_owned(),
            advice: "put it where TRAILHOUND_ENRICHMENT or `--enrichment` points".to_owned(),
        }
    }
}

/// `aws` and what begins with `aws:`, in any case, because values are compared so.
pub(super) fn is_aws(name: &str) -> bool {
    let head = name.split(':').next().unwrap_or(name);
    head.eq_ignore_ascii_case(AWS)
}

/// A value without wildcards.
fn literal(value: &str) -> Option<String> {
    match Pattern::new(value).tokens() {
        [Token::Literal(text)] => Some(text.clone()),
        _ => None,
    }
}

fn public_address(record: &Record<'_>) -> Option<IpAddr> {
    record.source_address().filter(|_| record.source_kind() == SourceKind::Public)
}
