//! What to look for elsewhere: addresses, names and keys, each with where it stands in the finding.

use std::borrow::Cow;
use std::collections::HashSet;

use super::evidence::Evidence;
use super::object::{User, objects};
use super::resource::Resource;

objects! {
    Observable<'a> {
        name: &'static str,
        type_id: u32,
        r#type: &'static str,
        value: Cow<'a, str>,
    }
}

/// What kind of thing an attribute holds, in OCSF's words.
type Kind = (u32, &'static str);
const IP_ADDRESS: Kind = (2, "IP Address");
const USER_NAME: Kind = (4, "User Name");
const RESOURCE_UID: Kind = (10, "Resource UID");
const USER_AGENT: Kind = (16, "HTTP User-Agent");
const CREDENTIAL: Kind = (19, "User Credential ID");
const USER_UID: Kind = (31, "User Object: uid");
const ACCOUNT_UID: Kind = (35, "Account Object: uid");
const ENDPOINT_UID: Kind = (48, "Network Endpoint Object: uid");
/// OCSF has no word for it.
const ROLE: Kind = (99, "Role ARN");

/// Each once, of everything that is evidence.
pub(super) fn observables<'a>(
    evidences: &[Evidence<'a>],
    resources: &[Resource<'a>],
    account: &'a str,
) -> Vec<Observable<'a>> {
    let mut found = Found::default();
    found.see("cloud.account.uid", ACCOUNT_UID, Some(&account.into()));
    evidences.iter().for_each(|evidence| found.evidence(evidence));
    for resource in resources {
        found.see("resources[].uid", RESOURCE_UID, Some(&resource.uid.into()));
    }
    found.observables
}

#[derive(Default)]
struct Found<'a> {
    observables: Vec<Observable<'a>>,
    seen: HashSet<(u32, Cow<'a, str>)>,
}

impl<'a> Found<'a> {
    fn see(&mut self, name: &'static str, kind: Kind, value: Option<&Cow<'a, str>>) {
        let (type_id, r#type) = kind;
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        if self.seen.insert((type_id, value.clone())) {
            self.observables.push(Observable { name, type_id, r#type, value: value.clone() });
        }
    }

    fn evidence(&mut self, evidence: &Evidence<'a>) {
        if let Some(source) = &evidence.src_endpoint {
            self.see("evidences[].src_endpoint.ip", IP_ADDRESS, source.ip.clone().map(Cow::Owned).as_ref());
            self.see("evidences[].src_endpoint.uid", ENDPOINT_UID, source.uid.as_ref());
        }
        if let Some(request) = &evidence.http_request {
            self.see("evidences[].http_request.user_agent", USER_AGENT, Some(&request.user_agent));
        }
        let actor = evidence.actor.as_ref();
        if let Some(user) = actor.and_then(|actor| actor.user.as_ref()) {
            self.user(["evidences[].actor.user.name", "evidences[].actor.user.uid"], user);
            let account = user.account.as_ref().map(|account| &account.uid);
            self.see("evidences[].actor.user.account.uid", ACCOUNT_UID, account);
        }
        if let Some(session) = actor.and_then(|actor| actor.session.as_ref()) {
            self.see("evidences[].actor.session.credential_uid", CREDENTIAL, session.credential_uid.as_ref());
            self.see("evidences[].actor.session.issuer", ROLE, session.issuer.map(Cow::Borrowed).as_ref());
        }
        if let Some(person) = &evidence.user {
            self.user(["evidences[].user.name", "evidences[].user.uid"], person);
        }
    }

    fn user(&mut self, [name, uid]: [&'static str; 2], user: &User<'a>) {
        self.see(name, USER_NAME, user.name.as_ref());
        self.see(uid, USER_UID, user.uid.as_ref());
    }
}
