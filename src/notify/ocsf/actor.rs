//! Who made a call, from CloudTrail's `userIdentity`.
//!
//! The attributes are those in which Amazon Security Lake keeps the same identity of the same record, so that a finding can be joined
//! with the events there; where OCSF 1.8 has given one of them up, its successor.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::finding::Details;
use crate::trail::{Mfa, Record, Slot};

use super::object::{Account, Text, User, objects};

objects! {
    Actor<'a> {
        user: Option<User<'a>>,
        session: Option<Session<'a>>,
        idp: Option<Idp<'a>>,
        app_name: Option<&'a str>,
        app_uid: Text<'a>,
    }

    Session<'a> {
        uid: Option<&'a str>,
        uid_alt: Text<'a>,
        issuer: Option<&'a str>,
        created_time: Option<i64>,
        credential_uid: Text<'a>,
        is_mfa: Option<bool>,
    }

    Idp<'a> {
        name: Text<'a>,
        uid: Text<'a>,
        protocol_name: Option<&'static str>,
    }
}

/// `None` when the record names nobody.
pub(super) fn actor<'a>(details: &'a Details, record: &Record<'a>) -> Option<Actor<'a>> {
    let actor = Actor {
        user: user(details, record),
        session: session(details, record),
        idp: idp(details, record),
        app_name: details.actor.invoked_by.as_deref(),
        // The function that got the credentials, or the account of a product that was given leave to act.
        app_uid: ["userIdentity.inScopeOf.sourceArn", "userIdentity.invokedByDelegate.accountId"]
            .iter()
            .find_map(|path| record.text(path)),
    };
    // An identity provider alone is nobody.
    let is_somebody =
        actor.user.is_some() || actor.session.is_some() || actor.app_name.is_some() || actor.app_uid.is_some();
    is_somebody.then_some(actor)
}

/// Who stands behind the identity: whom Identity Center knows, or the one that a chain of roles began with.
pub(super) fn person<'a>(details: &Details, record: &Record<'a>) -> Option<User<'a>> {
    // Without a principal of its own the identity is the person.
    let uid = on_behalf_of(record).filter(|_| details.actor.principal_id.is_some());
    let name = record.text("userIdentity.sessionContext.sourceIdentity");
    (uid.is_some() || name.is_some()).then_some(User {
        type_id: Some(1),
        r#type: Some("User".into()),
        name,
        uid,
        uid_alt: None,
        account: None,
    })
}

fn user<'a>(details: &'a Details, record: &Record<'a>) -> Option<User<'a>> {
    let actor = &details.actor;
    let kind = actor.principal_type.as_deref();
    let service = actor.principal.as_deref().filter(|_| kind == Some("AWSService"));
    let name = service.or(actor.user_name.as_deref()).or(actor.session_name.as_deref());
    let name = name.map(Cow::Borrowed).or_else(|| record.text("additionalEventData.UserName"));
    // A failed login carries no ARN, but all that one is made of.
    let made = actor.principal.as_deref().filter(|principal| principal.starts_with("arn:"));
    let mut uid = actor.arn.as_deref().or(made).map(Cow::Borrowed);
    let mut uid_alt = actor.principal_id.as_deref().map(Cow::Borrowed).or_else(|| on_behalf_of(record));
    let account = actor.account.as_deref().and_then(Account::of);
    if uid.is_none() && name.is_none() && account.is_none() {
        uid = uid_alt.take();
    }
    let (type_id, r#type) = user_type(kind);
    (uid.is_some() || name.is_some() || account.is_some()).then_some(User {
        type_id: Some(type_id),
        r#type: Some(r#type),
        name,
        uid,
        uid_alt,
        account,
    })
}

/// OCSF has users, administrators and services; what is neither for sure goes by CloudTrail's own word.
fn user_type(kind: Option<&str>) -> (u32, Cow<'_, str>) {
    match kind {
        Some("Root") => (2, "Admin".into()),
        Some("AWSService") => (4, "Service".into()),
        Some("IAMUser" | "FederatedUser" | "SAMLUser" | "WebIdentityUser" | "IdentityCenterUser" | "Directory") => {
            (1, "User".into())
        }
        None | Some("Unknown") => (0, "Unknown".into()),
        Some(other) => (99, other.into()),
    }
}

fn session<'a>(details: &'a Details, record: &Record<'a>) -> Option<Session<'a>> {
    let actor = &details.actor;
    let created = record.text("userIdentity.sessionContext.attributes.creationDate");
    let session = Session {
        uid: actor.session_name.as_deref(),
        uid_alt: record.text("userIdentity.sessionContext.signInSessionArn"),
        issuer: actor.session_issuer.as_deref(),
        created_time: created.and_then(|time| time.parse::<Timestamp>().ok()).map(Timestamp::as_millisecond),
        credential_uid: actor
            .access_key_id
            .as_deref()
            .map(Cow::Borrowed)
            // Of a bearer token.
            .or_else(|| record.said(Slot::IdentityCredentialId)),
        is_mfa: match actor.mfa {
            Mfa::True => Some(true),
            Mfa::False => Some(false),
            Mfa::NotApplicable => None,
        },
    };
    let says_something = session.uid.is_some()
        || session.uid_alt.is_some()
        || session.issuer.is_some()
        || session.created_time.is_some()
        || session.credential_uid.is_some()
        || session.is_mfa.is_some();
    says_something.then_some(session)
}

fn idp<'a>(details: &Details, record: &Record<'a>) -> Option<Idp<'a>> {
    let federated = record.text("userIdentity.sessionContext.webIdFederationData.federatedProvider");
    let protocol_name = match details.actor.principal_type.as_deref() {
        Some("SAMLUser") => Some("SAML"),
        Some("WebIdentityUser") => Some("OIDC"),
        _ => federated.as_ref().map(|_| "OIDC"),
    };
    let provider = record.said(Slot::IdentityProvider).or(federated);
    let (uid, name) = match provider {
        Some(arn) if arn.starts_with("arn:") => (Some(arn), None),
        other => (record.text("userIdentity.onBehalfOf.identityStoreArn"), other),
    };
    (uid.is_some() || name.is_some()).then_some(Idp { name, uid, protocol_name })
}

fn on_behalf_of<'a>(record: &Record<'a>) -> Text<'a> {
    record.text("userIdentity.onBehalfOf.userId")
}
