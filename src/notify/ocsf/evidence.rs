//! What OCSF calls evidence: who asked which API for what, from where, and the record itself.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::finding::{Actor, Event};
use crate::trail::{Mfa, Outcome};

use super::super::redact;
use super::{Account, Detail, account};

#[derive(Serialize)]
pub(super) struct Evidence<'a> {
    uid: &'a str,
    actor: EvidenceActor<'a>,
    api: Api<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_endpoint: Option<Endpoint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_request: Option<HttpRequest<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct EvidenceActor<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Session<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoked_by: Option<&'a str>,
}

#[derive(Serialize)]
struct User<'a> {
    type_id: u32,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid_alt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Account<'a>>,
}

#[derive(Serialize)]
struct Session<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_mfa: Option<bool>,
}

#[derive(Serialize)]
struct Api<'a> {
    operation: &'a str,
    service: Service<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Request<'a>>,
    response: Response<'a>,
}

#[derive(Serialize)]
struct Service<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Request<'a> {
    uid: &'a str,
}

#[derive(Serialize)]
struct Response<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    message: &'static str,
}

#[derive(Serialize)]
struct Endpoint<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    svc_name: Option<&'a str>,
}

#[derive(Serialize)]
struct HttpRequest<'a> {
    user_agent: &'a str,
}

pub(super) fn evidence(event: &Event, detail: Detail) -> Evidence<'_> {
    let details = event.details();
    let address = details.source_address.map(|address| address.to_string());
    let service = details.source_ip.as_deref().filter(|_| address.is_none());
    Evidence {
        uid: &event.identity.event_id,
        actor: actor(&details.actor),
        api: Api {
            operation: &details.name,
            service: Service { name: &details.source },
            request: details.request_id.as_deref().map(|uid| Request { uid }),
            response: Response {
                error: details.error_code.as_deref(),
                error_message: details.error_message.as_deref(),
                message: match details.outcome {
                    Outcome::Success => "success",
                    Outcome::Denied => "denied",
                    Outcome::Failure => "failure",
                },
            },
        },
        src_endpoint: details.source_ip.as_ref().map(|_| Endpoint { ip: address, svc_name: service }),
        http_request: details.user_agent.as_deref().map(|user_agent| HttpRequest { user_agent }),
        data: if detail == Detail::Full { data(event.record.raw()) } else { None },
    }
}

/// The record as it stands in the file, without secrets; as text where it turns out to be no JSON inside.
fn data(raw: &str) -> Option<Box<RawValue>> {
    let clean = redact::record(raw);
    RawValue::from_string(clean.clone().into_owned()).or_else(|_| to_raw_value(&clean)).ok()
}

fn actor(actor: &Actor) -> EvidenceActor<'_> {
    let has_user = actor.principal.is_some() || actor.principal_id.is_some();
    let is_mfa = match actor.mfa {
        Mfa::True => Some(true),
        Mfa::False => Some(false),
        Mfa::NotApplicable => None,
    };
    let has_session = actor.access_key_id.is_some() || actor.session_issuer.is_some() || is_mfa.is_some();
    let (type_id, user_type) = if actor.service_call { (4, "Service") } else { (1, "User") };
    EvidenceActor {
        user: has_user.then(|| User {
            type_id,
            r#type: user_type,
            uid: actor.principal_id.as_deref(),
            uid_alt: actor.arn.as_deref().or(actor.principal.as_deref()),
            name: actor.user_name.as_deref().or(actor.session_name.as_deref()),
            account: actor.account.as_deref().map(|uid| account(uid, None)),
        }),
        session: has_session.then_some(Session {
            issuer: actor.session_issuer.as_deref(),
            credential_uid: actor.access_key_id.as_deref(),
            is_mfa,
        }),
        invoked_by: actor.invoked_by.as_deref(),
    }
}
