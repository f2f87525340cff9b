//! Who did it.

use crate::finding::{Actor, Event};
use crate::trail::Mfa;

use super::plain;

/// The caller in full, for a line of its own.
pub(super) fn described(event: &Event) -> String {
    let actor = &event.details().actor;
    let mut who = named(actor);
    let is_account = actor.principal_type.as_deref() == Some("AWSAccount");
    if let Some(account) = actor.account.as_deref().filter(|account| *account != event.identity.account && !is_account)
    {
        who += &format!(" of account {account}");
    }
    match actor.mfa {
        Mfa::True => who += ", with MFA",
        Mfa::False => who += ", without MFA",
        Mfa::NotApplicable => {}
    }
    match &actor.invoked_by {
        Some(service) if actor.principal.as_deref() != Some(service) => format!("{who}, through {service}"),
        _ => who,
    }
}

/// The caller and what kind of caller it is.
pub(super) fn named(actor: &Actor) -> String {
    let name = short_name(actor);
    match actor.principal_type.as_deref() {
        Some("Root") => "root user".to_owned(),
        Some("IAMUser") => format!("{name} (IAM user)"),
        Some("AssumedRole") => match &actor.session_name {
            Some(session) => format!("{name} (role), session {}", plain::line(session, 80)),
            None => format!("{name} (role)"),
        },
        Some("AWSService") => format!("{name} (AWS service)"),
        Some("AWSAccount") => {
            format!("{name}, {}", actor.principal_id.as_deref().unwrap_or("known by its account only"))
        }
        Some(other) => format!("{name} ({other})"),
        None => name,
    }
}

/// `role/team/app` is `team/app`, `user/alice` is `alice`; a caller of another account is known by its id only.
pub(super) fn short_name(actor: &Actor) -> String {
    let Some(principal) = &actor.principal else { return "an unknown caller".to_owned() };
    if let (Some("AWSAccount"), Some(account)) = (actor.principal_type.as_deref(), &actor.account) {
        return format!("account {account}");
    }
    short(principal).to_owned()
}

/// The name at the end of an ARN: `user/alice` is `alice`, and `root` is `root`. Any other text is itself.
pub(super) fn short(principal: &str) -> &str {
    let name = principal.splitn(6, ':').nth(5).filter(|_| principal.starts_with("arn:"));
    name.map_or(principal, |name| name.split_once('/').map_or(name, |(_, name)| name))
}
