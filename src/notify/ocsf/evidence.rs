//! What OCSF calls evidence: who asked which API for what, from where, and the record itself.

use std::borrow::Cow;

use serde_json::value::{RawValue, to_raw_value};

use crate::finding::{Details, Event, Finding};
use crate::trail::{Record, Slot};

use super::super::fit::Detail;
use super::super::redact;
use super::actor::{Actor, actor, person};
use super::object::{Absent, Account, Text, User, objects};

impl Absent for Box<RawValue> {}

objects! {
    Evidence<'a> {
        uid: &'a str,
        name: Text<'a>,
        actor: Option<Actor<'a>>,
        user: Option<User<'a>>,
        api: Option<Api<'a>>,
        src_endpoint: Option<Source<'a>>,
        dst_endpoint: Option<Destination<'a>>,
        http_request: Option<HttpRequest<'a>>,
        tls: Option<Tls<'a>>,
        data: Option<Box<RawValue>>,
    }

    Api<'a> {
        operation: Cow<'a, str>,
        service: Option<Service<'a>>,
        version: Text<'a>,
        request: Option<Request<'a>>,
        response: Option<Response<'a>>,
    }

    Service<'a> {
        name: Cow<'a, str>,
    }

    Request<'a> {
        uid: &'a str,
        flags: Vec<&'static str>,
    }

    Response<'a> {
        error: Text<'a>,
        error_message: Text<'a>,
        message: Option<&'static str>,
    }

    Source<'a> {
        ip: Option<String>,
        svc_name: Option<&'a str>,
        uid: Text<'a>,
        owner: Option<User<'a>>,
        autonomous_system: Option<AutonomousSystem<'a>>,
        location: Option<Location<'a>>,
    }

    AutonomousSystem<'a> {
        number: Option<u32>,
        name: Option<&'a str>,
    }

    Location<'a> {
        country: &'a str,
    }

    Destination<'a> {
        hostname: Cow<'a, str>,
    }

    HttpRequest<'a> {
        user_agent: Cow<'a, str>,
    }

    Tls<'a> {
        version: Cow<'a, str>,
        cipher: Text<'a>,
    }
}

/// `None` when nothing is known but that there was an event.
pub(super) fn evidence(finding: &Finding, detail: Detail) -> Option<Evidence<'_>> {
    let event = &finding.event;
    let (details, record) = (event.details(), event.record.record());
    // What trailhound did is nobody's call.
    let is_call = !finding.is_own();
    let evidence = Evidence {
        uid: &event.identity.event_id,
        name: record.said(Slot::EventType),
        actor: if is_call { actor(details, &record) } else { None },
        user: person(details, &record),
        api: api(details, &record),
        src_endpoint: source(event, &record),
        dst_endpoint: record.text("tlsDetails.clientProvidedHostHeader").map(|hostname| Destination { hostname }),
        http_request: details.user_agent.as_deref().map(|agent| HttpRequest { user_agent: redact::text(agent) }),
        tls: record
            .text("tlsDetails.tlsVersion")
            .map(|version| Tls { version, cipher: record.text("tlsDetails.cipherSuite") }),
        data: if detail == Detail::Full { data(event.record.raw()) } else { None },
    };
    let shows_something = evidence.actor.is_some()
        || evidence.user.is_some()
        || evidence.api.is_some()
        || evidence.src_endpoint.is_some()
        || evidence.dst_endpoint.is_some()
        || evidence.data.is_some();
    shows_something.then_some(evidence)
}

/// The record as it stands in the file, without secrets; as text where it turns out to be no JSON inside.
fn data(raw: &str) -> Option<Box<RawValue>> {
    let clean = redact::record(raw);
    RawValue::from_string(clean.clone().into_owned()).or_else(|_| to_raw_value(&clean)).ok()
}

fn api<'a>(details: &'a Details, record: &Record<'a>) -> Option<Api<'a>> {
    let insight = |name: &str| record.text(&format!("insightDetails.{name}"));
    if let Some(operation) = insight("eventName") {
        // Not one call, but a rate of calls, or of errors.
        let service = insight("eventSource").map(|name| Service { name });
        let response =
            insight("errorCode").map(|error| Response { error: Some(error), error_message: None, message: None });
        return Some(Api { operation, service, version: None, request: None, response });
    }
    // What is no call goes by the name of its kind. Of a call that was cut short only the name is left.
    let is_call = record.raw().is_empty() || record.said(Slot::EventName).is_some();
    let called = (is_call && !details.name.is_empty()).then_some(details.name.as_str());
    let flag = |slot, name| record.is_true(slot).then_some(name);
    Some(Api {
        operation: called?.into(),
        service: (!details.source.is_empty()).then(|| Service { name: details.source.as_str().into() }),
        version: record.said(Slot::ApiVersion),
        request: details.request_id.as_deref().map(|uid| Request {
            uid,
            flags: [
                flag(Slot::ReadOnly, "readOnly"),
                flag(Slot::SessionCredentialFromConsole, "sessionCredentialFromConsole"),
            ]
            .into_iter()
            .flatten()
            .collect(),
        }),
        response: Some(Response {
            error: details.error_code.as_deref().map(Cow::Borrowed),
            error_message: details.error_message.as_deref().map(redact::text),
            message: Some(details.outcome.as_str()),
        }),
    })
}

fn source<'a>(event: &'a Event, record: &Record<'a>) -> Option<Source<'a>> {
    let (details, known) = (event.details(), event.known_source.as_deref());
    let ip = details.source_address.map(|address| address.to_string());
    let svc_name = details.source_ip.as_deref().filter(|_| ip.is_none());
    let uid = record.said(Slot::VpcEndpointId);
    let owner = uid.as_ref().and_then(|_| record.said(Slot::VpcEndpointAccountId));
    (ip.is_some() || svc_name.is_some() || uid.is_some()).then(|| Source {
        ip,
        svc_name,
        uid,
        owner: owner.and_then(Account::of).map(User::of_account),
        autonomous_system: known
            .map(|known| AutonomousSystem { number: known.asn, name: known.as_org.as_deref() })
            .filter(|system| system.number.is_some()),
        location: known.and_then(|known| known.country.as_deref()).map(|country| Location { country }),
    })
}
