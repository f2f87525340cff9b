//! `ordinary.txt`, read: who is there, and who does what and when.

use super::super::lines;
use super::super::records::{Call, Nature};

const TEXT: &str = include_str!("../ordinary.txt");
const DAYS: usize = 14;
/// What is enabled unless someone asks for more.
#[rustfmt::skip]
const REGIONS: &[&str] = &[
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1",
    "us-west-2",
];

/// Who calls: an `actor` line.
pub(super) struct Actor {
    /// What stands before a `/` is the person or machine; its lines share addresses.
    pub(super) name: &'static str,
    pub(super) account: &'static str,
    pub(super) identity: &'static str,
    /// The role, user or service.
    pub(super) who: &'static str,
    /// Names of sessions, one for each copy of the actor.
    pub(super) sessions: Vec<&'static str>,
    pub(super) copies: usize,
    /// How long credentials live; 0: as long as the act.
    pub(super) hours: i64,
    pub(super) address: &'static str,
    /// Through the gateway endpoints of its VPC.
    pub(super) inside: Option<&'static str>,
    pub(super) agent: &'static str,
}

/// What an actor does in one go: a `do` line and the steps below it.
pub(super) struct Act {
    pub(super) actor: usize,
    /// In two weeks.
    pub(super) times: usize,
    pub(super) days: Vec<usize>,
    /// Of the day.
    pub(super) hours: (i64, i64),
    pub(super) regions: Vec<&'static str>,
    /// Milliseconds from one call to the next, on average.
    pub(super) pace: usize,
    pub(super) steps: Vec<Step>,
}

pub(super) struct Step {
    pub(super) actor: usize,
    pub(super) call: Call,
    /// In percent of all times; if at all, then `from` to `to` times.
    pub(super) often: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Further members.
    pub(super) more: &'static str,
}

#[derive(Default)]
pub(super) struct Company {
    pub(super) shapes: Vec<(&'static str, &'static str)>,
    pub(super) identities: Vec<(&'static str, &'static str)>,
    pub(super) actors: Vec<Actor>,
    pub(super) acts: Vec<Act>,
    pub(super) failures: Vec<Failure>,
}

/// How calls fail anywhere: a `fails` line.
pub(super) struct Failure {
    pub(super) source: &'static str,
    /// The beginning of the call's name.
    pub(super) name: &'static str,
    pub(super) error: &'static str,
}

impl Company {
    pub(super) fn parse() -> Self {
        let mut company = Self { shapes: pairs(include_str!("../shapes.txt")).collect(), ..Self::default() };
        for line in lines(TEXT) {
            let (kind, rest) = line.trim_start().split_once(' ').unwrap();
            match kind {
                "shape" => company.shapes.push(rest.split_once(' ').unwrap()),
                "identity" => company.identities.push(rest.split_once(' ').unwrap()),
                "fails" => company.failures.push(Failure::parse(rest)),
                "actor" => company.actors.push(Actor::parse(rest)),
                "do" => {
                    let act = company.act(rest);
                    company.acts.push(act);
                }
                _ => {
                    let step = company.step(line.trim_start());
                    company.acts.last_mut().unwrap().steps.push(step);
                }
            }
        }
        company
    }

    fn actor(&self, name: &str) -> usize {
        let found = self.actors.iter().position(|actor| actor.name == name);
        found.unwrap_or_else(|| panic!("ordinary.txt: no actor {name}"))
    }

    /// `ACTOR TIMES DAYS HOURS REGIONS PACE`
    fn act(&self, line: &'static str) -> Act {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [actor, times, days, hours, regions, pace] = words[..] else { panic!("ordinary.txt: do {line}") };
        let days = match days {
            "daily" => (0..DAYS).collect(),
            "weekdays" => (0..DAYS).filter(|day| day % 7 < 5).collect(),
            days => days.split(',').map(|day| day.parse().unwrap()).collect(),
        };
        let (from, to) = hours.split_once('-').unwrap();
        Act {
            actor: self.actor(actor),
            times: times.parse().unwrap(),
            days,
            hours: (from.parse().unwrap(), to.parse().unwrap()),
            regions: if regions == "all" { REGIONS.to_vec() } else { vec![regions] },
            pace: pace.parse().unwrap(),
            steps: Vec::new(),
        }
    }

    /// `[@ACTOR] [OFTEN%] [FROM-]TO SOURCE NAME NATURE | REQUEST | RESPONSE | MORE`
    fn step(&self, line: &'static str) -> Step {
        let mut parts = line.split(" | ");
        let mut words = parts.next().unwrap().split_whitespace().peekable();
        let actor = words.next_if(|word| word.starts_with('@')).map(|name| self.actor(&name[1..]));
        let often =
            words.next_if(|word| word.ends_with('%')).map_or(100, |often| often[..often.len() - 1].parse().unwrap());
        let count = words.next().unwrap();
        let (from, to) = count.split_once('-').unwrap_or((count, count));
        let [source, name, nature] = words.collect::<Vec<_>>()[..] else { panic!("ordinary.txt: {line}") };
        let [request, response, more] = std::array::from_fn(|_| parts.next().map_or("-", str::trim));
        let call = Call { source, name, nature: Nature::parse(nature), request, response };
        let actor = actor.unwrap_or_else(|| self.acts.last().unwrap().actor);
        Step { actor, call, often, from: from.parse().unwrap(), to: to.parse().unwrap(), more }
    }
}

impl Actor {
    /// `NAME | ACCOUNT | IDENTITY | WHO | SESSION[,SESSION…] [xCOPIES] | HOURS | ADDRESS [INSIDE] | AGENT`
    fn parse(line: &'static str) -> Self {
        let parts: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [name, account, identity, who, sessions, hours, address, agent] = parts[..] else {
            panic!("ordinary.txt: actor {line}")
        };
        let (sessions, copies) = sessions.split_once(" x").unwrap_or((sessions, "0"));
        let sessions: Vec<&str> = sessions.split(',').collect();
        let (address, inside) = address.split_once(' ').map_or((address, None), |(out, inside)| (out, Some(inside)));
        let copies = sessions.len().max(copies.parse().unwrap());
        Self { name, account, identity, who, sessions, copies, hours: hours.parse().unwrap(), address, inside, agent }
    }
}

impl Failure {
    /// `SOURCE PREFIX | CODE MESSAGE`
    fn parse(line: &'static str) -> Self {
        let (call, error) = line.split_once(" | ").unwrap();
        let (source, name) = call.split_once(' ').unwrap();
        Self { source, name: if name == "*" { "" } else { name }, error }
    }
}

fn pairs(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    lines(text).map(|line| line.split_once(' ').unwrap())
}
