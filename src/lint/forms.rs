//! Lints of values that their field never has.

use crate::sigma::DetectionItem;
use crate::yaml::{Code, Diagnostic, Span, suggest};

use super::events::fits;
use super::subject::{Subject, patterns};

/// What the values of a field look like.
#[derive(Clone, Copy)]
enum Form {
    /// One of these; case doesn't count.
    Words(&'static [&'static str]),
    /// The number of an account.
    Account,
    /// The name of a Region.
    Region,
    /// `AS64496`
    AsNumber,
    /// `NL`
    Country,
    /// One word.
    Name,
}

const BOOLEAN: Form = Form::Words(&["true", "false"]);
const IDENTITY: Form = Form::Words(&[
    "Root",
    "IAMUser",
    "AssumedRole",
    "Role",
    "FederatedUser",
    "SAMLUser",
    "WebIdentityUser",
    "AWSAccount",
    "AWSService",
    "Directory",
    "IdentityCenterUser",
    "Unknown",
]);

/// Fields whose values are known. Sources: the record contents and the user identity of the CloudTrail user guide; for
/// derived fields `docs/rules.md`.
const FORMS: &[(&str, Form)] = &[
    ("additionalEventData.MFAUsed", Form::Words(&["Yes", "No"])),
    ("awsRegion", Form::Region),
    ("derived.account_relation", Form::Words(&["same", "known", "partner", "foreign"])),
    ("derived.expected_principal", BOOLEAN),
    ("derived.mfa", Form::Words(&["true", "false", "not-applicable"])),
    ("derived.outcome", Form::Words(&["success", "denied", "failure"])),
    ("derived.policy.admin", BOOLEAN),
    ("derived.policy.everyone", BOOLEAN),
    ("derived.policy.open", BOOLEAN),
    ("derived.policy.outside", BOOLEAN),
    ("derived.policy.public", BOOLEAN),
    ("derived.policy.unreadable", BOOLEAN),
    ("derived.policy.wildcard_action", BOOLEAN),
    ("derived.policy.wildcard_resource", BOOLEAN),
    ("derived.principal_type", IDENTITY),
    ("derived.service_call", BOOLEAN),
    ("derived.source_asn", Form::AsNumber),
    ("derived.source_country", Form::Country),
    ("derived.source_kind", Form::Words(&["public", "private", "aws-service", "unknown"])),
    ("derived.trusted_network", BOOLEAN),
    ("eventCategory", Form::Words(&["Management", "Data", "NetworkActivity", "Insight", "Aggregated"])),
    ("eventName", Form::Name),
    (
        "eventType",
        Form::Words(&[
            "AwsApiCall",
            "AwsServiceEvent",
            "AwsConsoleAction",
            "AwsConsoleSignIn",
            "AwsVpceEvent",
            "AwsVpceEvents",
            "AwsCloudTrailInsight",
            "AwsAggregatedEvent",
        ]),
    ),
    ("managementEvent", BOOLEAN),
    ("readOnly", BOOLEAN),
    ("recipientAccountId", Form::Account),
    ("responseElements.ConsoleLogin", Form::Words(&["Success", "Failure"])),
    ("userIdentity.sessionContext.attributes.mfaAuthenticated", BOOLEAN),
    ("userIdentity.type", IDENTITY),
];

/// Values that no record has in this field.
pub(super) fn impossible_values(subject: &Subject<'_>, item: &DetectionItem) -> Vec<Diagnostic> {
    let field = item.field.as_ref().map(|field| field.text.as_str());
    let Some((field, form)) = FORMS.iter().find(|(name, _)| Some(*name) == field) else { return Vec::new() };
    let warning = |(value, span): (String, &Span)| {
        let advice = form.impossible(&value)?;
        let message = format!("`{field}` is never `{value}`");
        Some(subject.warn(Code::ImpossibleValue, span, message).advise(advice))
    };
    patterns(item).into_iter().filter_map(warning).collect()
}

impl Form {
    /// What to write, when no value of this form fits the pattern.
    fn impossible(self, pattern: &str) -> Option<String> {
        let open = pattern.contains(['*', '?']);
        match self {
            Self::Words(words) if words.iter().any(|word| fits(pattern, word)) => None,
            Self::Words(words) => Some(
                suggest(pattern, words.iter().copied()).unwrap_or_else(|| format!("it is one of {}", words.join(", "))),
            ),
            Self::Account if open || is_account(pattern) => None,
            Self::Account => Some("an account is a number of 12 digits".to_owned()),
            Self::Region | Self::AsNumber | Self::Country if open => None,
            Self::Region => other_region(pattern),
            Self::AsNumber => other_asn(pattern),
            Self::Country if pattern.len() == 2 && pattern.bytes().all(|c| c.is_ascii_alphabetic()) => None,
            Self::Country => Some("a country is written as two letters, such as `NL`".to_owned()),
            Self::Name if pattern.contains(char::is_whitespace) => Some("names of events are one word".to_owned()),
            Self::Name => None,
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Only what is certainly none: a zone, and what has marks that no Region has.
fn other_region(text: &str) -> Option<String> {
    if text.contains([' ', '_']) {
        let region = text.to_lowercase().replace([' ', '_'], "-");
        return Some(format!("Regions are written as `eu-west-1`; did you mean `{region}`?"));
    }
    let region = text.strip_suffix(|c: char| c.is_ascii_lowercase())?;
    let is_zone = region.ends_with(|c: char| c.is_ascii_digit()) && region.matches('-').count() >= 2;
    is_zone.then(|| format!("`{text}` is a zone; the Region is `{region}`"))
}

fn other_asn(text: &str) -> Option<String> {
    let number = text.strip_prefix(['A', 'a']).and_then(|text| text.strip_prefix(['S', 's']));
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    let advice = || match text.trim_start_matches(|c: char| !c.is_ascii_digit()) {
        digits if is_number(digits) => format!("did you mean `AS{digits}`?"),
        _ => "AS numbers are written as `AS64496`".to_owned(),
    };
    (!number.is_some_and(is_number)).then(advice)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn derived_fields_have_the_words_that_their_page_lists() {
        let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md")).unwrap();
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `derived.")).filter_map(|row| {
            let (name, rest) = row.split_once("` | ")?;
            let (words, _) = rest.split_once(" | ")?;
            let words: Vec<&str> = words.split('`').skip(1).step_by(2).collect();
            (!words.is_empty()).then(|| (format!("derived.{name}"), words))
        });
        let mut checked = 0;
        for (name, words) in rows {
            let form = FORMS.iter().find(|(known, _)| *known == name).map(|(_, form)| *form);
            let Some(Form::Words(known)) = form else { panic!("{name} is not listed") };
            assert_eq!(known, words, "{name}");
            checked += 1;
        }
        assert!(checked >= 7);
    }

    #[test]
    fn only_what_is_certain_is_impossible() {
        let impossible = |form: Form, value: &str| form.impossible(value).is_some();
        assert!(impossible(BOOLEAN, "yes") && !impossible(BOOLEAN, "TRUE") && !impossible(BOOLEAN, "t*"));
        assert!(impossible(IDENTITY, "IAM User") && !impossible(IDENTITY, "*User"));
        assert!(impossible(Form::Region, "us-east-1a") && impossible(Form::Region, "us_east_1"));
        for region in ["us-east-1", "us-gov-west-1", "eusc-de-east-1", "global", "ap-*", "aws-global"] {
            assert!(!impossible(Form::Region, region), "{region}");
        }
        for asn in ["64496", "ASN64496", "AS 64496", "Example"] {
            assert!(impossible(Form::AsNumber, asn), "{asn}");
        }
        assert!(!impossible(Form::AsNumber, "as64496") && !impossible(Form::AsNumber, "AS644*"));
        assert!(impossible(Form::Country, "Netherlands") && !impossible(Form::Country, "nl"));
        assert!(impossible(Form::Account, "11112222333") && !impossible(Form::Account, "1111*"));
    }
}
