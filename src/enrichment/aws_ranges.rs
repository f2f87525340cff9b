//! AWS's list of its networks. <https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html>
//!
//! A network stands in it once for each service that uses it. `AMAZON` covers everything. `EC2` is machines of customers, but
//! networks of other services stand there as `EC2` too: only what no other service claims is a customer's.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Ranges;

/// The list, ready to be asked.
#[derive(Debug)]
pub(super) struct AwsRanges {
    pub(super) made: Option<Timestamp>,
    networks: usize,
    ranges: Ranges<Vec<String>>,
}

#[derive(Deserialize)]
struct Document<'d> {
    #[serde(borrow, default, rename = "createDate")]
    created: Cow<'d, str>,
    #[serde(borrow)]
    prefixes: Vec<Prefix<'d>>,
    #[serde(borrow, default)]
    ipv6_prefixes: Vec<Prefix<'d>>,
}

#[derive(Deserialize)]
struct Prefix<'d> {
    #[serde(borrow, rename = "ip_prefix", alias = "ipv6_prefix")]
    network: Cow<'d, str>,
    #[serde(borrow)]
    region: Cow<'d, str>,
    #[serde(borrow)]
    service: Cow<'d, str>,
}

impl AwsRanges {
    /// Reads the list, whole or not at all: half of it would tell a customer's machine for AWS's.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let wrong = |why: String| format!("is not the list that AWS publishes: {why}; fetch it again");
        let Document { created, prefixes, ipv6_prefixes } =
            serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if prefixes.is_empty() {
            return Err(wrong("there is no network in it".to_owned()));
        }
        let read = |Prefix { network, region, service }| match network.parse::<IpNet>() {
            Ok(network) => Ok((network, Use { service, region })),
            Err(_) => Err(wrong(format!("`{network}` is no network"))),
        };
        let networks: Vec<(IpNet, Use<'_>)> =
            prefixes.into_iter().chain(ipv6_prefixes).map(read).collect::<Result<_, _>>()?;
        let made = DateTime::strptime("%Y-%m-%d-%H-%M-%S", &*created).and_then(|time| time.to_zoned(TimeZone::UTC));
        Ok(Self {
            made: made.ok().map(|time| time.timestamp()),
            networks: networks.len(),
            ranges: Ranges::new(networks.iter().map(|(network, by)| (*network, by)), names),
        })
    }

    pub(super) fn holds(&self) -> String {
        format!("{} networks of AWS", self.networks)
    }

    pub(super) fn networks(&self, address: IpAddr) -> &[String] {
        self.ranges.get(address).map_or(&[], Vec::as_slice)
    }
}

/// Who uses a network, and where.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Use<'d> {
    service: Cow<'d, str>,
    region: Cow<'d, str>,
}

/// Of an address that lies in networks with these uses, the smallest last.
fn names(uses: &[&Use<'_>]) -> Vec<String> {
    // The smallest network of a service says where.
    let mut services: BTreeMap<&str, &str> = uses.iter().map(|by| (&*by.service, &*by.region)).collect();
    for covering in ["AMAZON", "EC2"] {
        if services.len() > 1 {
            services.remove(covering);
        }
    }
    let each =
        services.iter().flat_map(|(service, region)| [format!("aws:{service}"), format!("aws:{service}:{region}")]);
    std::iter::once("aws".to_owned()).chain(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(prefixes: &[(&str, &str, &str)]) -> String {
        let prefixes = prefixes.iter().map(|(network, service, region)| {
            format!(r#"{{"ip_prefix":"{network}","region":"{region}","service":"{service}","network_border_group":"{region}"}}"#)
        });
        let prefixes: Vec<String> = prefixes.collect();
        format!(
            r#"{{"syncToken":"1762336800","createDate":"2026-11-05-10-00-00","prefixes":[{}],"ipv6_prefixes":[{{
                "ipv6_prefix":"2001:db8:ec2::/48","region":"eu-west-1","service":"EC2","network_border_group":"eu-west-1"}}]}}"#,
            prefixes.join(",")
        )
        .replace("2001:db8:ec2", "2001:db8:ec")
    }

    #[test]
    fn only_what_no_other_service_claims_is_a_customers_machine() {
        let list = AwsRanges::parse(
            list(&[
                ("192.0.2.0/24", "AMAZON", "GLOBAL"),
                ("192.0.2.0/25", "EC2", "eu-west-1"),
                ("192.0.2.0/26", "S3", "eu-west-1"),
                ("192.0.2.0/26", "EC2", "eu-west-1"),
                ("192.0.2.0/26", "AMAZON", "eu-west-1"),
                ("192.0.2.64/28", "CODEBUILD", "eu-west-1"),
                ("192.0.2.80/28", "EC2", "eu-west-2"),
                ("192.0.2.192/26", "CLOUDFRONT", "GLOBAL"),
            ])
            .as_bytes(),
        )
        .unwrap();
        for (address, expected) in [
            ("192.0.2.1", &["aws", "aws:S3", "aws:S3:eu-west-1"][..]),
            ("192.0.2.65", &["aws", "aws:CODEBUILD", "aws:CODEBUILD:eu-west-1"]),
            ("192.0.2.81", &["aws", "aws:EC2", "aws:EC2:eu-west-2"]),
            ("192.0.2.100", &["aws", "aws:EC2", "aws:EC2:eu-west-1"]),
            ("192.0.2.130", &["aws", "aws:AMAZON", "aws:AMAZON:GLOBAL"]),
            ("192.0.2.200", &["aws", "aws:CLOUDFRONT", "aws:CLOUDFRONT:GLOBAL"]),
            ("2001:db8:ec::1", &["aws", "aws:EC2", "aws:EC2:eu-west-1"]),
            ("198.51.100.1", &[]),
        ] {
            assert_eq!(list.networks(address.parse().unwrap()), expected, "{address}");
        }
        assert_eq!(list.made, Some("2026-11-05T10:00:00Z".parse().unwrap()));
        assert_eq!(list.holds(), "9 networks of AWS");
    }

    #[test]
    fn a_list_that_is_not_understood_whole_is_refused() {
        for (text, why) in [
            ("<html>".to_owned(), "expected value at line 1"),
            (r#"{"syncToken":"1","prefixes":[]}"#.to_owned(), "there is no network in it"),
            (list(&[("192.0.2.0", "EC2", "eu-west-1")]), "`192.0.2.0` is no network"),
            (list(&[("192.0.2.0/24", "EC2", "eu-west-1")])[..150].to_owned(), "EOF"),
        ] {
            let error = AwsRanges::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(why) && error.contains("fetch it again"), "{error}");
        }
        let undated = list(&[("192.0.2.0/24", "EC2", "eu-west-1")]).replace("2026-11-05-10-00-00", "yesterday");
        assert_eq!(AwsRanges::parse(undated.as_bytes()).unwrap().made, None);
    }
}
