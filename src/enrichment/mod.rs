//! What public data says of an address: in whose network it is, and in which country.
//!
//! In: the bytes of AWS's list of its networks and of databases in MaxMind's format. Out: an [`Enrichment`] that is asked by
//! address. Stands alone: it knows nothing of records, of rules, or of where the files come from.

mod aws_ranges;
mod database;
mod ranges;

use std::cmp::Reverse;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use aws_ranges::AwsRanges;
use database::Database;
pub use ranges::Ranges;

/// What AWS calls the list of its networks.
pub const IP_RANGES: &str = "ip-ranges.json";
/// How the names of databases in MaxMind's format end.
pub const DATABASE: &str = ".mmdb";

/// What is known of addresses. By default nothing.
#[derive(Debug, Default)]
pub struct Enrichment {
    aws: Option<(DataFile, AwsRanges)>,
    /// The newest first: it is asked first.
    databases: Vec<(DataFile, Database)>,
    /// What was said by hand, as tests of rules do.
    stated: Vec<(IpNet, Stated)>,
}

/// What is said by hand of a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// The number of its autonomous system.
    pub asn: Option<u32>,
    /// Who runs that.
    pub as_org: Option<String>,
    /// Its country.
    pub country: Option<String>,
}

/// Something that data may say of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The number of its autonomous system.
    Asn,
    /// Who runs that.
    AsOrg,
    /// Its country.
    Country,
    /// Which of AWS's networks it is in.
    AwsNetwork,
}

/// A file that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Its name.
    pub name: String,
    /// When it was made, if it says so.
    pub made: Option<Timestamp>,
    /// What it holds, in words.
    pub holds: String,
}

/// A file that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} {why}")]
pub struct DataError {
    /// Its name.
    pub name: String,
    /// What is wrong with it, and what to try.
    pub why: String,
}

impl Fact {
    /// Why nobody knows it, in words.
    #[must_use]
    pub fn missing(self) -> &'static str {
        match self {
            Self::Asn => "no database with AS numbers is loaded",
            Self::AsOrg => "no database with the organisations of AS numbers is loaded",
            Self::Country => "no database with countries is loaded",
            Self::AwsNetwork => "no ip-ranges.json is loaded",
        }
    }
}

impl Enrichment {
    /// Whether a file is one of those that are read, by its name.
    #[must_use]
    pub fn reads(name: &str) -> bool {
        name == IP_RANGES || name.ends_with(DATABASE)
    }

    /// Takes a file's data in.
    ///
    /// # Errors
    /// When it can't be understood, or says nothing that is asked for. What was taken in before stands.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), DataError> {
        let wrong = |why: String| DataError { name: name.to_owned(), why };
        let file = |made, holds| DataFile { name: name.to_owned(), made, holds };
        if name == IP_RANGES {
            let ranges = AwsRanges::parse(&bytes).map_err(wrong)?;
            self.aws = Some((file(ranges.made, ranges.holds()), ranges));
        } else {
            let database = Database::parse(bytes).map_err(wrong)?;
            self.databases.push((file(database.made(), database.holds()), database));
            self.databases.sort_by_cached_key(|(file, _)| (Reverse(file.made), file.name.clone()));
        }
        Ok(())
    }

    /// Takes in what is said of a network. Databases are asked first.
    pub fn state(&mut self, network: IpNet, stated: Stated) {
        self.stated.push((network, stated));
    }

    /// What was said of the networks of an address.
    fn stated(&self, address: IpAddr) -> impl Iterator<Item = &Stated> {
        self.stated.iter().filter(move |(network, _)| network.contains(&address)).map(|(_, stated)| stated)
    }

    /// Whether nothing is loaded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.aws.is_none() && self.databases.is_empty() && self.stated.is_empty()
    }

    /// What is loaded.
    pub fn files(&self) -> impl Iterator<Item = &DataFile> {
        self.aws.iter().map(|(file, _)| file).chain(self.databases.iter().map(|(file, _)| file))
    }

    /// Whether something that is loaded could say so of an address.
    #[must_use]
    pub fn knows(&self, fact: Fact) -> bool {
        match fact {
            Fact::AwsNetwork => self.aws.is_some(),
            fact => !self.stated.is_empty() || self.databases.iter().any(|(_, database)| database.knows(fact)),
        }
    }

    /// The number of the autonomous system that an address is in.
    #[must_use]
    pub fn asn(&self, address: IpAddr) -> Option<u32> {
        let known = self.databases.iter().find_map(|(_, database)| database.asn(address));
        known.or_else(|| self.stated(address).find_map(|stated| stated.asn))
    }

    /// Who runs it.
    #[must_use]
    pub fn as_org(&self, address: IpAddr) -> Option<&str> {
        let known = self.databases.iter().find_map(|(_, database)| database.as_org(address));
        known.or_else(|| self.stated(address).find_map(|stated| stated.as_org.as_deref()))
    }

    /// The country of an address: two letters, as ISO 3166-1 has them.
    #[must_use]
    pub fn country(&self, address: IpAddr) -> Option<&str> {
        let known = self.databases.iter().find_map(|(_, database)| database.country(address));
        known.or_else(|| self.stated(address).find_map(|stated| stated.country.as_deref()))
    }

    /// Which of AWS's networks an address is in: `aws`, and `aws:SERVICE` and `aws:SERVICE:REGION` of each service.
    #[must_use]
    pub fn aws_networks(&self, address: IpAddr) -> &[String] {
        self.aws.as_ref().map_or(&[], |(_, ranges)| ranges.networks(address))
    }
}

impl fmt::Display for DataFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, made, holds } = self;
        match made {
            Some(made) => write!(f, "{name} of {} ({holds})", made.strftime("%Y-%m-%d")),
            None => write!(f, "{name} of unknown date ({holds})"),
        }
    }
}
