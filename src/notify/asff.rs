//! A finding in the AWS Security Finding Format, for Security Hub.
//!
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html>. A finding that breaks a limit is
//! refused, so the limits are kept here. Imported again with the same id, it is updated.

use serde_json::{Map, Value, json};

use crate::trail::partition;

use super::plain;
use super::story::Story;

const MAX_TITLE: usize = 256;
const MAX_DESCRIPTION: usize = 1024;
const MAX_REMEDIATION: usize = 512;
const MAX_FIELD: usize = 1024;
const MAX_RESOURCES: usize = 32;
const MAX_TYPES: usize = 50;

/// The product of Security Hub that findings belong to: that of the account which sends them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// 12 digits. Security Hub takes findings of this account only; where it happened stands among the resources.
    pub account: String,
    /// The Region.
    pub region: String,
}

impl Product {
    /// The product of the account in which an alert's event happened.
    #[must_use]
    pub fn of_event(story: &Story) -> Self {
        let Story { account, region, .. } = story;
        Self { partition: partition(region).to_owned(), account: name(&account.id), region: name(region) }
    }
}

/// What a log calls an account or a Region, as it can stand in an ARN.
fn name(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// An alert as a finding.
#[must_use]
pub fn finding(story: &Story, product: &Product) -> Value {
    let Product { partition, account, region } = product;
    let label = story.level.as_str().to_uppercase();
    let types = types(&story.rule.tags);
    let mut finding = json!({
        "SchemaVersion": "2018-10-08",
        "Id": story.finding,
        "ProductArn": format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default"),
        "ProductName": "trailhound",
        "CompanyName": "trailhound",
        "GeneratorId": plain::cut(&story.rule.id, 512),
        "AwsAccountId": account,
        "Region": region,
        "CreatedAt": story.first.to_string(),
        "UpdatedAt": story.last.to_string(),
        "FirstObservedAt": story.first.to_string(),
        "LastObservedAt": story.last.to_string(),
        "Title": some(&story.title, MAX_TITLE),
        "Description": some(&story.sentence, MAX_DESCRIPTION),
        "Types": types,
        "Severity": {"Label": label, "Original": story.level.as_str()},
        "FindingProviderFields": {"Severity": {"Label": label, "Original": story.level.as_str()}, "Types": types},
        "Resources": resources(story, product),
        "ProductFields": fields(story),
        "RecordState": "ACTIVE",
    });
    if !story.steps.is_empty() {
        let text = plain::cut(&story.steps.join(" "), MAX_REMEDIATION);
        finding["Remediation"] = json!({"Recommendation": {"Text": text}});
    }
    if let Some(url) = &story.console {
        finding["SourceUrl"] = json!(url);
    }
    finding
}

/// Security Hub refuses an empty text.
fn some(text: &str, max: usize) -> String {
    if text.is_empty() { "-".to_owned() } else { plain::cut(text, max) }
}

fn types(tags: &[impl AsRef<str>]) -> Vec<&'static str> {
    let names: Vec<&str> = types_of(tags).take(MAX_TYPES).collect();
    if names.is_empty() { vec!["Unusual Behaviors/User"] } else { names }
}

/// In the taxonomy of Security Hub's findings, by the tactics of ATT&CK that tags name.
pub(super) fn types_of(tags: &[impl AsRef<str>]) -> impl Iterator<Item = &'static str> {
    const TACTICS: &[(&str, &str)] = &[
        ("initial-access", "TTPs/Initial Access"),
        ("execution", "TTPs/Execution"),
        ("persistence", "TTPs/Persistence"),
        ("privilege-escalation", "TTPs/Privilege Escalation"),
        ("defense-evasion", "TTPs/Defense Evasion"),
        ("stealth", "TTPs/Defense Evasion"),
        ("defense-impairment", "TTPs/Defense Evasion"),
        ("credential-access", "TTPs/Credential Access"),
        ("discovery", "TTPs/Discovery"),
        ("lateral-movement", "TTPs/Lateral Movement"),
        ("command-and-control", "TTPs/Command and Control"),
        ("collection", "TTPs/Collection"),
        ("exfiltration", "Effects/Data Exfiltration"),
        ("impact", "Effects/Data Destruction"),
    ];
    let tactics = tags.iter().filter_map(|tag| tag.as_ref().strip_prefix("attack."));
    tactics.filter_map(|tactic| TACTICS.iter().find(|(known, _)| *known == tactic)).map(|(_, name)| *name)
}

/// What it was done to, and first where: the account of the event, or those that a summary is of.
fn resources(story: &Story, product: &Product) -> Vec<Value> {
    let of = |kind: &str, id: &str| {
        let mut resource = json!({"Type": kind, "Id": id, "Partition": product.partition});
        if !story.region.is_empty() {
            resource["Region"] = json!(story.region);
        }
        resource
    };
    let mut accounts: Vec<&str> = story.places().map(|account| account.id.as_str()).collect();
    if accounts.is_empty() {
        accounts.push(&product.account);
    }
    let accounts = accounts.into_iter().map(|account| of("AwsAccount", &format!("AWS::::Account:{}", name(account))));
    let others = story.resources.iter().filter(|arn| !arn.is_empty()).map(|arn| of("Other", &plain::cut(arn, 512)));
    accounts.chain(others).take(MAX_RESOURCES).collect()
}

fn fields(story: &Story) -> Map<String, Value> {
    let own = [
        ("rule", story.rule.title.as_str()),
        ("account", &story.account.id),
        ("account_name", &story.account.name),
        ("event_id", &story.event.id),
        ("event_name", &story.event.name),
        ("event_source", &story.event.source),
        ("file", &story.event.origin),
    ];
    let facts = story.facts.iter().map(|fact| (fact.name.as_str(), fact.value.as_str()));
    // Security Hub takes 50.
    let all = own.into_iter().chain(facts).filter(|(_, value)| !value.is_empty()).take(50);
    all.map(|(name, value)| (format!("trailhound/{}", plain::cut(name, 100)), plain::cut(value, MAX_FIELD).into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tactic_is_called_as_security_hub_calls_it() {
        let of = |tags: &[&str]| types(tags);
        assert_eq!(of(&["attack.persistence", "attack.t1098", "cve.2026-1"]), ["TTPs/Persistence"]);
        assert_eq!(
            of(&["attack.impact", "attack.exfiltration"]),
            ["Effects/Data Destruction", "Effects/Data Exfiltration"]
        );
        assert_eq!(of(&["attack.t1098"]), ["Unusual Behaviors/User"]);
    }

    #[test]
    fn no_text_is_empty() {
        assert_eq!((some("", 5), some("abcdefgh", 5)), ("-".to_owned(), "abcd…".to_owned()));
    }
}
