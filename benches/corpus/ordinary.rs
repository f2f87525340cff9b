//! A healthy company's weeks: actors that keep their identities, addresses and habits.
//!
//! In: `ordinary.txt`, which says who does what and when, and a seed. Out: records in the order of their times, about
//! 50,000 for two weeks. It is written from what companies do, not from what rules look for: acts that look like an
//! attack and are none belong in it.

mod company;

use std::rc::Rc;

use jiff::Timestamp;

use super::Random;
use super::records::{CONSOLE, Call, ENDPOINT, Nature, S3};
use super::templates::{CAPITALS, HEX, NAMES, fill, text, uuid};
use company::{Actor, Company, Failure, Step};

/// A Monday.
const FIRST: &str = "2026-11-02T00:00:00Z";
const DAY: i64 = 24 * 3600 * 1000;
const HOME: &str = "eu-west-1";
/// Services whose events are all in us-east-1.
const GLOBAL: &[&str] = &["iam", "route53", "cloudfront", "organizations", "health", "support", "ce", "trustedadvisor"];

/// Records for ever: when two weeks are over, the same actors have two more.
pub(super) fn records(seed: u64) -> impl Iterator<Item = String> {
    let company = Rc::new(Company::parse());
    let mut random = Random::new(seed);
    (0..).flat_map(move |fortnight| {
        let events = company.fortnight(fortnight, &mut random);
        let (company, mut random) = (Rc::clone(&company), Random::new(random.bits()));
        events.into_iter().map(move |event| company.record(&event, &mut random))
    })
}

/// An act under way.
struct Scene<'a> {
    actor: &'a Actor,
    copy: usize,
    /// The record's; of a global service it is not where the act is.
    region: &'static str,
    /// The Region that the act is about, in names and ARNs.
    place: &'static str,
    /// Milliseconds since [`FIRST`].
    start: i64,
    seed: u64,
}

struct Event {
    at: i64,
    act: usize,
    step: usize,
    copy: usize,
    region: &'static str,
    start: i64,
    seed: u64,
}

impl Company {
    /// What happens in two weeks, in order of time.
    fn fortnight(&self, number: i64, random: &mut Random) -> Vec<Event> {
        let mut events = Vec::new();
        for (index, act) in self.acts.iter().enumerate() {
            let (from, to) = act.hours;
            for time in 0..act.times {
                let day = act.days[time * act.days.len() / act.times];
                let start = (number * 14 + milliseconds(day)) * DAY
                    + from * 3_600_000
                    + milliseconds(random.below(usize::try_from((to - from) * 3_600_000).unwrap()));
                let (copy, seed) = (random.below(self.actors[act.actor].copies), random.bits());
                let mut at = start;
                for &region in &act.regions {
                    for (step, what) in act.steps.iter().enumerate() {
                        let count = what.from + random.below(what.to - what.from + 1);
                        let count = if random.percent(what.often) { count } else { 0 };
                        for _ in 0..count {
                            events.push(Event { at, act: index, step, copy, region, start, seed });
                            at += milliseconds(random.below(2 * act.pace + 1));
                        }
                    }
                }
            }
        }
        events.sort_by_key(|event| event.at);
        events
    }

    fn record(&self, event: &Event, random: &mut Random) -> String {
        let Step { actor, call, more, .. } = &self.acts[event.act].steps[event.step];
        let actor = &self.actors[*actor];
        let Event { copy, start, seed, .. } = *event;
        let region = if GLOBAL.contains(&call.source) { "us-east-1" } else { event.region };
        let scene = Scene { actor, copy, region, place: event.region, start, seed };
        let fails = if *more == "-" { self.failure(call, random) } else { None };
        let more = match fails.unwrap_or(more).split_once('!') {
            Some(("", error)) => failed(error),
            _ if *more == "-" => String::new(),
            _ => format!("{more},"),
        };
        let response = if more.starts_with(r#""errorCode""#) { "-" } else { call.response };
        let at_aws = !actor.address.starts_with(|first: char| first.is_ascii_digit());
        let inside = actor.inside.filter(|_| ["s3", "dynamodb"].contains(&call.source));
        let is_data = call.nature == Nature::Data;
        let is_signin = call.source == "signin";
        let in_console = actor.agent.starts_with("Mozilla") && !["signin", "sso"].contains(&call.source);
        let when = |yes: bool, text: &'static str| if yes { text } else { "" };
        // The same wherever its holder goes.
        let identity = self.identities.iter().find(|(name, _)| *name == actor.identity).unwrap().1;
        let identity = Scene { place: HOME, ..scene }.text(identity, random);
        // Apart, as what is filled in must not be filled in again.
        let request = scene.text(self.shape(call.request), random);
        let before = [
            format!(r#","eventTime":"{}","#, time(event.at, "%Y-%m-%dT%H:%M:%SZ")),
            format!(r#""eventSource":"{}.amazonaws.com","eventName":"{}","#, call.source, call.name),
            format!(r#""awsRegion":"%region%","sourceIPAddress":"{}","#, inside.unwrap_or(actor.address)),
            format!(r#""userAgent":"{}","requestParameters":"#, actor.agent),
        ];
        let behind = [
            r#","responseElements":"#,
            &self.shape(response).replace("%assumed%", assumed(&request)),
            ",",
            &more,
            when(call.source == "s3", S3),
            &format!(r#""requestID":"{}","eventID":"{}","#, uuid(random), uuid(random)),
            &format!(r#""readOnly":{},"managementEvent":{},"#, call.is_read(), !is_data),
            when(is_signin && !more.contains("eventType"), r#""eventType":"AwsConsoleSignIn","#),
            when(!is_signin && !more.contains("eventType"), r#""eventType":"AwsApiCall","#),
            when(inside.is_some(), ENDPOINT),
            when(in_console, CONSOLE),
            &when(!at_aws, TLS).replace("SOURCE", call.source),
            &format!(r#""eventCategory":"{}","#, if is_data { "Data" } else { "Management" }),
            r#""recipientAccountId":"%account%""#,
        ];
        let resources = resources(call, &request, actor.account);
        let [before, behind] = [before.concat(), behind.concat()].map(|part| scene.text(&part, random));
        format!(r#"{{"eventVersion":"1.11","userIdentity":{identity}{before}{request}{behind}{resources}}}"#)
    }

    /// Two in a hundred calls fail for reasons that don't depend on what is done.
    fn failure(&self, call: &Call, random: &mut Random) -> Option<&'static str> {
        let fits =
            |failure: &&Failure| ["*", call.source].contains(&failure.source) && call.name.starts_with(failure.name);
        let mut fitting: Vec<&Failure> = self.failures.iter().filter(fits).collect();
        // A service's own words, if it has any.
        if fitting.iter().any(|failure| failure.source != "*") {
            fitting.retain(|failure| failure.source != "*");
        }
        let fails = !fitting.is_empty() && random.percent(2);
        fails.then(|| fitting[random.below(fitting.len())].error)
    }

    fn shape(&self, name: &'static str) -> &'static str {
        match name {
            "-" => "null",
            inline if inline.starts_with('{') => inline,
            name => {
                // Those of ordinary.txt stand behind those of shapes.txt, and come first.
                let shape = self.shapes.iter().rev().find(|(known, _)| *known == name);
                shape.unwrap_or_else(|| panic!("ordinary.txt: no shape {name}")).1
            }
        }
    }
}

const TLS: &str = r#""tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"SOURCE.%region%.amazonaws.com"},"#;

fn failed(error: &str) -> String {
    let (code, message) = error.split_once(' ').unwrap_or((error, ""));
    let message = if message.is_empty() { String::new() } else { format!(r#""errorMessage":"{message}","#) };
    format!(r#""errorCode":"{code}",{message}"#)
}

impl Scene<'_> {
    /// Fills in what is random (`<word>`), then what is the actor's and the act's (`%word%`).
    fn text(&self, template: &str, random: &mut Random) -> String {
        let ours = fill(template, random).replace("111122223333", self.actor.account).replace(HOME, self.place);
        let parts = ours.split('%').enumerate();
        parts.map(|(index, part)| if index % 2 == 0 { part.to_owned() } else { self.word(part) }).collect()
    }

    fn word(&self, word: &str) -> String {
        let actor = self.actor;
        let person = actor.name.split('/').next().unwrap_or_default();
        let mut own = Random::new(hash(&[person, &self.copy.to_string()]));
        let mut this = Random::new(self.seed);
        let length = actor.hours * 3_600_000;
        // Not on the hour, and never later than the act.
        let created = if length == 0 {
            self.start
        } else {
            self.start - self.start % length - milliseconds(own.below(2_400_000))
        };
        match word {
            "account" => actor.account.to_owned(),
            "production" => "111122223333".to_owned(),
            "development" => "444455556666".to_owned(),
            "tools" => "123456789012".to_owned(),
            "partner" => "777788889999".to_owned(),
            "region" => self.region.to_owned(),
            "who" => self.text(actor.who, &mut own),
            "address" => actor.address.to_owned(),
            "session" => self.text(actor.sessions[self.copy % actor.sessions.len()], &mut own),
            // Of a role or user.
            "id" => text(CAPITALS, 9, &mut Random::new(hash(&[&self.word("who"), actor.account]))),
            // Of credentials.
            "key" => text(
                CAPITALS,
                9,
                &mut Random::new(hash(&[&self.word("who"), &self.word("session"), &created.to_string()])),
            ),
            "created" => time(created, "%Y-%m-%dT%H:%M:%SZ"),
            "date" => time(self.start, "%b %-d, %Y"),
            "day" => time(self.start, "%Y/%m/%d"),
            "team" => NAMES[(own.below(NAMES.len()) + self.copy) % NAMES.len()].to_owned(),
            "own" => text(HEX, 16, &mut own),
            "byte" => (4 + own.below(240)).to_string(),
            // The same in all of an act.
            "this" => text(HEX, 16, &mut this),
            "uuid" => uuid(&mut this),
            "number" => (1 + this.below(400)).to_string(),
            word => panic!("`%{word}%` in ordinary.txt means nothing"),
        }
    }
}

/// The name of the role that a request asks for.
fn assumed(request: &str) -> &str {
    let behind = request.split_once(r#""roleArn":""#).map_or("", |(_, behind)| behind);
    let arn = behind.split('"').next().unwrap_or_default();
    arn.rsplit('/').next().unwrap_or_default()
}

/// What a call touches, as its request names it.
fn resources(call: &Call, request: &str, account: &str) -> String {
    let member = |name: &str| {
        let value = request.split_once(&format!(r#""{name}":""#))?.1;
        value.split_once('"').map(|(value, _)| value)
    };
    let name = match (call.source, call.nature) {
        ("s3", Nature::Data) => member("bucketName").map(|bucket| ("S3::Bucket", format!("arn:aws:s3:::{bucket}"))),
        ("kms", _) => member("keyId").map(|key| ("KMS::Key", key.to_owned())),
        ("sts", _) => member("roleArn").map(|role| ("IAM::Role", role.to_owned())),
        ("secretsmanager", _) => member("secretId").map(|secret| ("SecretsManager::Secret", secret.to_owned())),
        _ => None,
    };
    let object = member("key").filter(|_| call.source == "s3" && call.nature == Nature::Data);
    let object = object.zip(member("bucketName")).map_or_else(String::new, |(key, bucket)| {
        format!(r#"{{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::{bucket}/{key}"}},"#)
    });
    name.map_or_else(String::new, |(kind, arn)| {
        format!(r#","resources":[{object}{{"accountId":"{account}","type":"AWS::{kind}","ARN":"{arn}"}}]"#)
    })
}

/// FNV-1a: `DefaultHasher` may differ from one Rust to the next.
fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn milliseconds(count: usize) -> i64 {
    // OK because what is counted here is less than a month.
    i64::try_from(count).unwrap()
}

fn time(at: i64, format: &str) -> String {
    let first: Timestamp = FIRST.parse().unwrap();
    Timestamp::from_millisecond(first.as_millisecond() + at).unwrap().strftime(format).to_string()
}
