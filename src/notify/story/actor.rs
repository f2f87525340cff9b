//! Who did it.

use crate::finding::{Actor, Event};
use crate::trail::Mfa;

use super::plain;

/// The caller in full, for a line of its own.
pub(super) fn described(event: &Event) -> String {
    let actor = &event.details().actor;
    let mut who = named(event);
    if let Some(account) = other_account(event).filter(|_| !is_account(actor)) {
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

/// The caller's account where it is another one than that of the event, with its name.
pub(super) fn other_account(event: &Event) -> Option<String> {
    let account = event.details().actor.account.as_deref().filter(|account| *account != event.identity.account)?;
    Some(match &event.caller_account_name {
        Some(name) => format!("{} ({account})", plain::line(name, 40)),
        None => account.to_owned(),
    })
}

/// Whether nothing but its account is told of a caller.
pub(super) fn is_account(actor: &Actor) -> bool {
    actor.principal_type.as_deref() == Some("AWSAccount")
}

/// The caller and what kind of caller it is.
fn named(event: &Event) -> String {
    let actor = &event.details().actor;
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
            let name = other_account(event).map_or(name, |account| format!("account {account}"));
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

/// A text with names in the place of ARNs: `arn:aws:iam::111122223333:user/alice stopped it` is `alice stopped it`.
pub(super) fn without_arns(text: &str) -> String {
    text.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// The name at the end of an ARN: `user/alice` is `alice`, and `root` is `root`. Any other text is itself.
pub(super) fn short(principal: &str) -> &str {
    let name = principal.splitn(6, ':').nth(5).filter(|_| principal.starts_with("arn:"));
    name.map_or(principal, |name| name.split_once('/').map_or(name, |(_, name)| name))
}
