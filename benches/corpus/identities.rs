//! Who calls.

use super::templates::{CAPITALS, HEX, NAMES, text};
use super::{Random, Zipf};

pub(super) struct Principal {
    /// The JSON of `userIdentity`.
    pub(super) identity: String,
    pub(super) address: String,
    pub(super) agents: [&'static str; 2],
}

impl Principal {
    /// The 26 roles, 9 users, 4 services and the root user of a busy account; each keeps its address and its clients.
    pub(super) fn of_one_account(agents: &[&'static str]) -> Vec<Self> {
        // Its own seed: the same account, whichever records are drawn.
        let mut random = Random::new(7);
        (0..40).map(|number| Self::new(number, NAMES[number % NAMES.len()], agents, &mut random)).collect()
    }

    /// As many as there are in a large organisation.
    pub(super) fn of_many_accounts(agents: &[&'static str]) -> Vec<Self> {
        let mut random = Random::new(8);
        let name = |random: &mut Random| format!("{}-{}", random.pick(NAMES), text(HEX, 5, random));
        (0..4000).map(|number| Self::new(number, &name(&mut random), agents, &mut random)).collect()
    }

    fn new(number: usize, user: &str, agents: &[&'static str], random: &mut Random) -> Self {
        let id = text(CAPITALS, 9, random);
        let often = Zipf::new(agents.len());
        let agents = [agents[often.draw(random)], agents[often.draw(random)]];
        let inside = format!("10.{}.{}.{}", random.below(8), random.below(256), random.below(256));
        let (identity, address) = match number {
            39 => (root(), "203.0.113.10".to_owned()),
            number if number % 9 == 4 => (service(user), format!("{user}.amazonaws.com")),
            number if number % 4 == 2 => (iam_user(user, &id), format!("198.51.100.{}", number % 256)),
            _ => (role(user, &id, random), inside),
        };
        Self { identity, address, agents }
    }
}

fn root() -> String {
    r#"{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":"ASIAEXAMPLEROOTKEY00","sessionContext":{"attributes":{"creationDate":"2026-11-05T09:00:00Z","mfaAuthenticated":"true"}}}"#.to_owned()
}

fn service(name: &str) -> String {
    format!(r#"{{"type":"AWSService","invokedBy":"{name}.amazonaws.com"}}"#)
}

fn iam_user(name: &str, id: &str) -> String {
    format!(
        r#"{{"type":"IAMUser","principalId":"AIDAEXAMPLE{id}","arn":"arn:aws:iam::111122223333:user/{name}","accountId":"111122223333","accessKeyId":"AKIAEXAMPLE{id}","userName":"{name}"}}"#
    )
}

fn role(name: &str, id: &str, random: &mut Random) -> String {
    let session = if random.percent(50) { format!("i-0{}", text(HEX, 16, random)) } else { name.to_owned() };
    format!(
        r#"{{"type":"AssumedRole","principalId":"AROAEXAMPLE{id}:{session}","arn":"arn:aws:sts::111122223333:assumed-role/{name}-role/{session}","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE{id}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE{id}","arn":"arn:aws:iam::111122223333:role/{name}-role","accountId":"111122223333","userName":"{name}-role"}},"attributes":{{"creationDate":"2026-11-05T09:41:12Z","mfaAuthenticated":"false"}}}}}}"#
    )
}
