//! Records of a busy account.

use std::fmt::Write as _;

use super::{Random, Zipf, lines};

/// What people and programs name things.
const NAMES: &[&str] = &[
    "orders",
    "payments",
    "catalogue",
    "search",
    "billing",
    "invoices",
    "warehouse",
    "shipping",
    "accounts",
    "sessions",
    "reports",
    "metrics",
    "ingest",
    "export",
    "frontend",
    "gateway",
    "scheduler",
    "worker",
    "etl",
    "lake",
    "training",
    "features",
    "audit",
    "backup",
    "mailer",
    "images",
    "thumbnails",
    "events",
    "replica",
    "staging",
];
const ERRORS: &[&str] = &[
    "AccessDenied",
    "Client.UnauthorizedOperation",
    "NoSuchKey",
    "ThrottlingException",
    "ResourceNotFoundException",
    "ValidationException",
];
const HEX: &[u8] = b"0123456789abcdef";
const CAPITALS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Records as CloudTrail writes them, about 1.3 kB each.
///
/// 121 calls and 25 user agents in proportion to 1/n, and 40 principals: 26 roles, 9 users, 4 services, and root. Each
/// principal keeps its addresses and clients. Two in five calls are data events. 3 % fail.
pub(crate) fn records(seed: u64) -> impl Iterator<Item = String> {
    let corpus = Corpus::new();
    let mut random = Random::new(seed);
    (0..).map(move |_| corpus.record(&mut random))
}

struct Corpus {
    calls: Vec<Call>,
    call: Zipf,
    shapes: Vec<(&'static str, &'static str)>,
    principals: Vec<Principal>,
    principal: Zipf,
}

struct Call {
    source: &'static str,
    name: &'static str,
    /// `r`: reads, `w`: writes, `D`: a data event.
    kind: &'static str,
    request: &'static str,
    response: &'static str,
}

struct Principal {
    /// The JSON of `userIdentity`.
    identity: String,
    address: String,
    agents: [&'static str; 2],
}

impl Corpus {
    fn new() -> Self {
        let calls: Vec<Call> = lines(include_str!("calls.txt")).map(Call::parse).collect();
        let shapes = lines(include_str!("shapes.txt")).map(|line| line.split_once(' ').unwrap()).collect();
        // Its own seed: the same account, whichever records are drawn.
        let mut random = Random::new(7);
        let agents: Vec<&str> = lines(include_str!("agents.txt")).collect();
        let principals: Vec<Principal> = (0..40).map(|number| Principal::new(number, &agents, &mut random)).collect();
        Self { call: Zipf::new(calls.len()), principal: Zipf::new(principals.len()), calls, shapes, principals }
    }

    fn record(&self, random: &mut Random) -> String {
        let call = &self.calls[self.call.draw(random)];
        let principal = &self.principals[self.principal.draw(random)];
        let (minute, second) = (random.below(15), random.below(60));
        let (read_only, category) = match call.kind {
            "D" => (call.name.starts_with("Get"), "Data"),
            kind => (kind == "r", "Management"),
        };
        let failed = random.percent(3);
        let error = if failed {
            format!(r#""errorCode":"{}","errorMessage":"The request was refused","#, random.pick(ERRORS))
        } else {
            String::new()
        };
        let resources = if call.source == "s3" && category == "Data" { fill(RESOURCES, random) } else { String::new() };
        let response = if failed { "-" } else { call.response };
        format!(
            r#"{{"eventVersion":"1.11","userIdentity":{},"eventTime":"2026-11-05T10:{minute:02}:{second:02}Z","eventSource":"{}.amazonaws.com","eventName":"{}","awsRegion":"eu-west-1","sourceIPAddress":"{}","userAgent":"{}",{error}"requestParameters":{},"responseElements":{},{}"requestID":"{}","eventID":"{}","readOnly":{read_only},{resources}"eventType":"AwsApiCall","managementEvent":{},"recipientAccountId":"111122223333","eventCategory":"{category}","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{}.eu-west-1.amazonaws.com"}}}}"#,
            principal.identity,
            call.source,
            call.name,
            principal.address,
            random.pick(&principal.agents),
            self.shape(call.request, random),
            self.shape(response, random),
            if call.source == "s3" { fill(S3, random) } else { String::new() },
            uuid(random),
            uuid(random),
            category == "Management",
            call.source,
        )
    }

    fn shape(&self, name: &str, random: &mut Random) -> String {
        let shape = self.shapes.iter().find(|(known, _)| *known == name);
        shape.map_or_else(|| "null".to_owned(), |(_, template)| fill(template, random))
    }
}

const RESOURCES: &str = r#""resources":[{"accountId":"111122223333","type":"AWS::S3::Object","ARN":"arn:aws:s3:::<bucket>/<key>"},{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::<bucket>"}],"#;
const S3: &str = r#""additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"<token>","bytesTransferredOut":<number>},"#;

/// Replaces each `<word>` of a template.
fn fill(template: &str, random: &mut Random) -> String {
    let mut filled = String::with_capacity(2 * template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('<') {
        let (word, after) = behind.split_once('>').unwrap();
        filled.push_str(before);
        filled.push_str(&value(word, random));
        rest = after;
    }
    filled + rest
}

fn value(word: &str, random: &mut Random) -> String {
    let name = random.pick(NAMES);
    match word {
        "bucket" => format!("{name}-eu-west-1-111122223333"),
        "key" => format!("{name}/2026/11/05/{}.parquet", uuid(random)),
        "role" => format!("arn:aws:iam::111122223333:role/{name}-role"),
        // As many keys as there are teams.
        "kms" => format!("arn:aws:kms:eu-west-1:111122223333:key/{}", uuid(&mut Random::new(name.len() as u64))),
        "name" => name.to_owned(),
        "number" => random.below(1000).to_string(),
        "byte" => random.below(256).to_string(),
        "hex" => text(HEX, 16, random),
        "id" => text(CAPITALS, 9, random),
        "token" => text(LETTERS, 64, random),
        "uuid" => uuid(random),
        word => panic!("`<{word}>` in shapes.txt means nothing"),
    }
}

impl Call {
    fn parse(line: &'static str) -> Self {
        let words: Vec<&str> = line.split(' ').collect();
        let [source, name, kind, request, response] = words[..] else { panic!("calls.txt: {line}") };
        Self { source, name, kind, request, response }
    }
}

impl Principal {
    fn new(number: usize, agents: &[&'static str], random: &mut Random) -> Self {
        let (user, id) = (NAMES[number % NAMES.len()], text(CAPITALS, 9, random));
        let often = Zipf::new(agents.len());
        let agents = [agents[often.draw(random)], agents[often.draw(random)]];
        let inside = format!("10.{}.{}.{}", random.below(8), random.below(256), random.below(256));
        let (identity, address) = match number {
            39 => (root(), "203.0.113.10".to_owned()),
            number if number % 9 == 4 => (service(user), format!("{user}.amazonaws.com")),
            number if number % 4 == 2 => (iam_user(user, &id), format!("198.51.100.{number}")),
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

fn text(alphabet: &[u8], length: usize, random: &mut Random) -> String {
    (0..length).map(|_| char::from(random.pick(alphabet))).collect()
}

fn uuid(random: &mut Random) -> String {
    let mut text = String::with_capacity(36);
    let (high, low) = (random.bits(), random.bits());
    // OK because writing into a String can't fail.
    let _ = write!(
        text,
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    );
    text
}
