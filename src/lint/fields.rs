//! Lints of the names of fields.

use crate::sigma::FieldName;
use crate::yaml::{Code, Diagnostic, Span, suggest};

use super::subject::Subject;

/// What a record has at its top: of trails, Insights and aggregated events.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
const TOP: &[&str] = &[
    "accountId",
    "addendum",
    "additionalEventData",
    "annotation",
    "apiVersion",
    "awsRegion",
    "edgeDeviceDetails",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventContext",
    "eventID",
    "eventId",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "insightDetails",
    "managementEvent",
    "readOnly",
    "recipientAccountId",
    "requestID",
    "requestParameters",
    "resources",
    "responseElements",
    "serviceEventDetails",
    "sessionCredentialFromConsole",
    "sharedEventID",
    "sourceIPAddress",
    "summary",
    "timeWindow",
    "tlsDetails",
    "userAgent",
    "userIdentity",
    "vpcEndpointAccountId",
    "vpcEndpointId",
];

/// Names that stand below the top, by the whole path. Only their case is checked: AWS adds others every month.
const BELOW: &[&str] = &[
    "additionalEventData.LoginTo",
    "additionalEventData.MFAIdentifier",
    "additionalEventData.MFAUsed",
    "additionalEventData.MobileVersion",
    "resources.ARN",
    "resources.accountId",
    "resources.type",
    "responseElements.ConsoleLogin",
    "tlsDetails.cipherSuite",
    "tlsDetails.clientProvidedHostHeader",
    "tlsDetails.keyExchange",
    "tlsDetails.tlsVersion",
    "userIdentity.accessKeyId",
    "userIdentity.accountId",
    "userIdentity.arn",
    "userIdentity.credentialId",
    "userIdentity.identityProvider",
    "userIdentity.inScopeOf",
    "userIdentity.invokedBy",
    "userIdentity.invokedByDelegate",
    "userIdentity.onBehalfOf",
    "userIdentity.principalId",
    "userIdentity.sessionContext",
    "userIdentity.sessionContext.assumedRoot",
    "userIdentity.sessionContext.attributes",
    "userIdentity.sessionContext.attributes.creationDate",
    "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "userIdentity.sessionContext.ec2RoleDelivery",
    "userIdentity.sessionContext.sessionIssuer",
    "userIdentity.sessionContext.sessionIssuer.accountId",
    "userIdentity.sessionContext.sessionIssuer.arn",
    "userIdentity.sessionContext.sessionIssuer.principalId",
    "userIdentity.sessionContext.sessionIssuer.type",
    "userIdentity.sessionContext.sessionIssuer.userName",
    "userIdentity.sessionContext.sourceIdentity",
    "userIdentity.sessionContext.webIdFederationData",
    "userIdentity.type",
    "userIdentity.userName",
];

/// What other schemas call a field, and what stands below the top of a record.
const OTHERWISE: &[(&str, &str)] = &[
    ("accessKeyId", "userIdentity.accessKeyId"),
    ("aws.region", "awsRegion"),
    ("cloud.account.id", "recipientAccountId"),
    ("cloud.region", "awsRegion"),
    ("event.action", "eventName"),
    ("event.name", "eventName"),
    ("event.provider", "eventSource"),
    ("event.source", "eventSource"),
    ("event_name", "eventName"),
    ("event_source", "eventSource"),
    ("source.address", "sourceIPAddress"),
    ("source.ip", "sourceIPAddress"),
    ("source_ip", "sourceIPAddress"),
    ("src_ip", "sourceIPAddress"),
    ("userName", "userIdentity.userName"),
    ("user.name", "userIdentity.userName"),
    ("user_agent", "userAgent"),
    ("user_agent.original", "userAgent"),
];

/// Fields that no record has: such a selection never matches, and behind `not` always.
pub(super) fn unlikely_fields(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let named = subject.fields.iter().map(|field| (field.text.as_str(), &field.span));
    let items = subject.items();
    let held = items.iter().filter_map(|item| item.field.as_ref()).map(place);
    let referred = items.iter().filter(|item| item.modifiers.fieldref).flat_map(|item| &item.values);
    let referred = referred.filter_map(|value| Some((value.text.as_deref()?.trim(), &value.span)));
    named.chain(held).chain(referred).filter_map(|(name, span)| unlikely(subject, name, span)).collect()
}

fn place(field: &FieldName) -> (&str, &Span) {
    (&field.text, &field.span)
}

fn unlikely(subject: &Subject<'_>, name: &str, span: &Span) -> Option<Diagnostic> {
    if name.starts_with("derived.") {
        return None; // compiling knows them all
    }
    let top = name.split('.').next().unwrap_or(name);
    let (message, advice) = if TOP.contains(&top) {
        let right = BELOW.iter().find_map(|known| respelt(name, known))?;
        (format!("records write `{name}` otherwise, and case counts in names"), Some(right))
    } else {
        (format!("no record has a field `{top}` at its top"), meant(name, top))
    };
    let advice = advice.map_or_else(
        || "fields go by CloudTrail's names, with the whole path: `userIdentity.arn`".to_owned(),
        |advice| format!("did you mean `{advice}`?"),
    );
    Some(subject.warn(Code::UnlikelyField, span, message).advise(advice))
}

/// The name with the beginning that is known, where the two differ in case alone.
fn respelt(name: &str, known: &str) -> Option<String> {
    let (head, rest) = name.split_at_checked(known.len())?;
    let whole = rest.is_empty() || rest.starts_with('.');
    (whole && head != known && head.eq_ignore_ascii_case(known)).then(|| format!("{known}{rest}"))
}

/// What may have been meant: another schema's name, another case, a member of a record's part, or a misspelling.
fn meant(name: &str, top: &str) -> Option<String> {
    let otherwise = OTHERWISE.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, ours)| *ours);
    let rest = &name[top.len()..];
    let other_case = TOP.iter().find(|known| known.eq_ignore_ascii_case(top)).map(|known| format!("{known}{rest}"));
    let below = || {
        let mut owners = BELOW.iter().filter(|known| known.rsplit('.').next() == Some(top));
        let owner = owners.next().filter(|_| owners.next().is_none())?;
        Some(format!("{owner}{rest}"))
    };
    let near = || {
        let advice = suggest(top, TOP.iter().copied())?;
        let known = advice.split('`').nth(1)?;
        Some(format!("{known}{rest}"))
    };
    otherwise.map(str::to_owned).or(other_case).or_else(below).or_else(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_found_by_case_by_schema_and_by_likeness() {
        for (name, expected) in [
            ("EventName", Some("eventName")),
            ("useridentity.arn", Some("userIdentity.arn")),
            ("event.name", Some("eventName")),
            ("userName", Some("userIdentity.userName")),
            (
                "sessionContext.attributes.mfaAuthenticated",
                Some("userIdentity.sessionContext.attributes.mfaAuthenticated"),
            ),
            ("requestParameter.name", Some("requestParameters.name")),
            ("Image", None),
        ] {
            let top = name.split('.').next().unwrap();
            assert_eq!(meant(name, top).as_deref(), expected, "{name}");
        }
        assert_eq!(respelt("userIdentity.username", "userIdentity.userName").as_deref(), Some("userIdentity.userName"));
        assert_eq!(respelt("userIdentity.userName", "userIdentity.userName"), None);
    }
}
