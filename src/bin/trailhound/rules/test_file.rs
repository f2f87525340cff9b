//! `<rule>.test.yml`: records that a rule has to find, and records that it must not.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use trailhound::enrichment::{Enrichment, IP_RANGES, Stated};
use trailhound::ports::BoxError;

/// Those of the rules that are built in, by the rule's file.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rule_tests.rs"));

/// More records than this in one case are a slip of the pen.
const MAX_RECORDS: usize = 10_000;

/// One record in the shape that AWS delivers, and cases that change it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTest {
    record: Value,
    /// Cases that the rule has to find, by a name that tells the story.
    pub(crate) fires: BTreeMap<String, Value>,
    /// Cases that it must not find.
    pub(crate) near_misses: BTreeMap<String, Value>,
    /// The organisation file for this test.
    #[serde(default)]
    pub(crate) config: Option<Value>,
    /// What is known of addresses, by network.
    #[serde(default)]
    addresses: BTreeMap<String, Address>,
}

/// What a test says of a network: whose it is, or which service of AWS is in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    country: Option<String>,
    asn: Option<u32>,
    as_org: Option<String>,
    service: Option<String>,
    region: Option<String>,
}

/// Where the test of a rule file stands.
pub(crate) fn beside(file: &Path) -> PathBuf {
    file.with_extension("test.yml")
}

impl RuleTest {
    /// Reads the test beside a rule file; `None` when there is none.
    pub(crate) fn of(rule: &Path) -> Result<Option<Self>, BoxError> {
        let file = beside(rule);
        let text = match BUILT_IN.iter().find(|(name, _)| Path::new(name) == file) {
            // A file is nearer to what somebody is working on than what was built in.
            Some((_, text)) => fs::read_to_string(&file).unwrap_or_else(|_| (*text).to_owned()),
            None if !file.exists() => return Ok(None),
            None => fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?,
        };
        let parsed = serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Some(parsed))
    }

    /// The records of a case: the record changed, or for a list one after the other.
    pub(crate) fn records(&self, case: &Value) -> Result<Vec<Value>, BoxError> {
        let Value::Array(steps) = case else { return Ok(vec![self.changed(case)]) };
        let mut time: Timestamp = match self.record.get("eventTime").and_then(Value::as_str) {
            Some(time) => time.parse().map_err(|error| format!("`eventTime` of the record: {error}"))?,
            None => return Err("the record has no `eventTime`, from which the times of a list are counted".into()),
        };
        let mut records: Vec<Value> = Vec::new();
        for step in steps {
            let (patch, repeat, after) = parts(step)?;
            for number in 1..=repeat {
                if !records.is_empty() {
                    time += after;
                }
                let patch = numbered(&patch, number);
                let mut record = self.changed(&patch);
                let has = |name: &str| patch.get(name).is_some();
                if !has("eventID") {
                    record["eventID"] = format!("00000000-0000-4000-8000-{:012}", records.len() + 1).into();
                }
                if !has("eventTime") {
                    record["eventTime"] = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into();
                }
                records.push(record);
                if records.len() > MAX_RECORDS {
                    return Err(format!("more than {MAX_RECORDS} records").into());
                }
            }
        }
        Ok(records)
    }

    /// What is known of addresses.
    pub(crate) fn enrichment(&self) -> Result<Enrichment, BoxError> {
        let mut enrichment = Enrichment::default();
        let mut prefixes = Vec::new();
        for (network, address) in &self.addresses {
            let Address { country, asn, as_org, service, region } = address.clone();
            let parsed = network.parse().or_else(|_| network.parse::<IpAddr>().map(IpNet::from));
            let stated = Stated { asn, as_org, country };
            enrichment.state(parsed.map_err(|_| format!("`addresses`: `{network}` is no network"))?, stated);
            if let Some(service) = service {
                let region = region.unwrap_or_else(|| "GLOBAL".to_owned());
                prefixes.push(json!({"ip_prefix": network, "region": region, "service": service}));
            }
        }
        if !prefixes.is_empty() {
            // The form in which AWS publishes its networks.
            let list = json!({"createDate": "2026-01-01-00-00-00", "prefixes": prefixes, "ipv6_prefixes": []});
            enrichment.add(IP_RANGES, list.to_string().into_bytes())?;
        }
        Ok(enrichment)
    }

    /// The records that show best what the rule finds: the first case that changes nothing, or else the first.
    pub(crate) fn example(&self) -> Result<Vec<Value>, BoxError> {
        let is_plain = |case: &&Value| case.as_object().is_some_and(Map::is_empty);
        let case = self.fires.values().find(is_plain).or_else(|| self.fires.values().next());
        case.map_or_else(|| Ok(Vec::new()), |case| self.records(case))
    }

    fn changed(&self, patch: &Value) -> Value {
        let mut record = self.record.clone();
        merge(&mut record, patch);
        record
    }
}

/// What a step changes, how often it comes, and how long after what was before it.
fn parts(step: &Value) -> Result<(Value, u64, SignedDuration), BoxError> {
    let Value::Object(members) = step else { return Err("each element of a list has to be a map of changes".into()) };
    let mut patch = members.clone();
    let repeat = match patch.remove("repeat") {
        None => 1,
        Some(repeat) => {
            repeat.as_u64().filter(|repeat| *repeat > 0).ok_or("`repeat` has to be a whole number from 1")?
        }
    };
    let after = match patch.remove("after") {
        None => SignedDuration::from_secs(1),
        Some(after) => {
            after.as_str().and_then(duration).ok_or("`after` has to be a duration, such as `90s` or `10m`")?
        }
    };
    Ok((Value::Object(patch), repeat, after))
}

fn duration(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok()?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(seconds).map(SignedDuration::from_secs)
}

/// `{n}` in a text is the number of the repetition.
fn numbered(patch: &Value, number: u64) -> Value {
    match patch {
        Value::String(text) => text.replace("{n}", &number.to_string()).into(),
        Value::Array(items) => items.iter().map(|item| numbered(item, number)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), numbered(value, number))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}
