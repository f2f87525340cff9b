//! Databases in MaxMind's format. <https://maxmind.github.io/MaxMind-DB/>
//!
//! The format says nothing of what a record holds, so a database is asked at first: for what MaxMind calls it, as DB-IP does, and
//! for what ipinfo does.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use maxminddb::PathElement::{self, Key};
use maxminddb::{LookupResult, MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;

use super::Fact;

type Path = &'static [PathElement<'static>];

const ASN: &[Path] = &[&[Key("autonomous_system_number")], &[Key("asn")]];
const AS_ORG: &[Path] = &[&[Key("autonomous_system_organization")], &[Key("as_name")]];
const COUNTRY: &[Path] = &[&[Key("country"), Key("iso_code")], &[Key("country_code")], &[Key("country")]];

/// Networks that are looked at to find out what a database holds. Some have nothing of it.
const SAMPLE: usize = 1_000;

/// A database, and where its records have what is asked for.
pub(super) struct Database {
    reader: Reader<Vec<u8>>,
    asn: Option<Path>,
    as_org: Option<Path>,
    country: Option<Path>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number<'d> {
    Plain(u32),
    /// `AS64496`
    Text(#[serde(borrow)] &'d str),
}

impl Database {
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        let damaged = |error: MaxMindDbError| format!("is no database in MaxMind's format: {error}; fetch it again");
        let reader = Reader::from_source(bytes).map_err(damaged)?;
        let mut database = Self { reader, asn: None, as_org: None, country: None };
        database.look().map_err(damaged)?;
        if database.asn.is_none() && database.as_org.is_none() && database.country.is_none() {
            let kind = &database.reader.metadata().database_type;
            return Err(format!("({kind}) has neither AS numbers nor countries; take it out of the folder"));
        }
        Ok(database)
    }

    /// Finds out where records have what is asked for.
    fn look(&mut self) -> Result<(), MaxMindDbError> {
        let Self { reader, asn, as_org, country } = self;
        for record in reader.networks(WithinOptions::default())?.take(SAMPLE) {
            let record = record?;
            find(asn, ASN, |path| number(&record, path).is_some());
            find(as_org, AS_ORG, |path| text(&record, path).is_some());
            find(country, COUNTRY, |path| letters(&record, path).is_some());
            if asn.is_some() && as_org.is_some() && country.is_some() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn made(&self) -> Option<Timestamp> {
        Timestamp::from_second(i64::try_from(self.reader.metadata().build_epoch).ok()?).ok()
    }

    pub(super) fn holds(&self) -> String {
        let words = [(Fact::Asn, "AS numbers"), (Fact::AsOrg, "AS organisations"), (Fact::Country, "countries")];
        let words: Vec<&str> = words.into_iter().filter(|(fact, _)| self.knows(*fact)).map(|(_, word)| word).collect();
        format!("{}: {}", self.reader.metadata().database_type, words.join(", "))
    }

    pub(super) fn knows(&self, fact: Fact) -> bool {
        match fact {
            Fact::Asn => self.asn.is_some(),
            Fact::AsOrg => self.as_org.is_some(),
            Fact::Country => self.country.is_some(),
            Fact::AwsNetwork => false,
        }
    }

    pub(super) fn asn(&self, address: IpAddr) -> Option<u32> {
        number(&self.record(address)?, self.asn?)
    }

    pub(super) fn as_org(&self, address: IpAddr) -> Option<&str> {
        text(&self.record(address)?, self.as_org?)
    }

    pub(super) fn country(&self, address: IpAddr) -> Option<&str> {
        letters(&self.record(address)?, self.country?)
    }

    /// A database of IPv4 alone knows nothing of other addresses, and a damaged place nothing of what lies there.
    fn record(&self, address: IpAddr) -> Option<LookupResult<'_, Vec<u8>>> {
        self.reader.lookup(address).ok()
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.holds())
    }
}

fn find(found: &mut Option<Path>, paths: &[Path], has: impl Fn(Path) -> bool) {
    *found = found.or_else(|| paths.iter().copied().find(|path| has(path)));
}

fn number(record: &LookupResult<'_, Vec<u8>>, path: Path) -> Option<u32> {
    match record.decode_path(path).ok()?? {
        Number::Plain(number) => Some(number),
        Number::Text(text) => text.trim_start_matches("AS").parse().ok(),
    }
    .filter(|number| *number > 0)
}

fn text<'d>(record: &LookupResult<'d, Vec<u8>>, path: Path) -> Option<&'d str> {
    record.decode_path::<&str>(path).ok()?.filter(|text| !text.is_empty())
}

fn letters<'d>(record: &LookupResult<'d, Vec<u8>>, path: Path) -> Option<&'d str> {
    text(record, path).filter(|code| code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_uppercase()))
}
