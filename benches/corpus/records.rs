//! Records as CloudTrail writes them.

use super::identities::Principal;
use super::templates::{fill, uuid};
use super::{CALLS, Random, Zipf, known, lines, ordinary};

/// Whose records, and of which calls. About 1.3 kB each; 3 % of the calls fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A busy account: 121 calls and 25 user agents in proportion to 1/n, 40 principals that keep their addresses and clients.
    /// Two in five calls are data events.
    Busy,
    /// A large organisation in which nothing repeats soon: half of the calls are a busy account's, each as likely, half any
    /// that CloudTrail knows; 4,000 principals, each as likely, from a new address each time.
    Wide,
    /// The management events of a busy account.
    Management,
    /// Its data events: S3, `DynamoDB`, Lambda, SQS, SNS.
    Data,
    /// Ordinary weeks of a healthy company in which rules should be quiet: see `ordinary`. 50,000 records are two weeks.
    Ordinary,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Busy, Self::Wide, Self::Management, Self::Data, Self::Ordinary];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Wide => "wide",
            Self::Management => "management",
            Self::Data => "data",
            Self::Ordinary => "ordinary",
        }
    }
}

/// Records of a kind. The first n are the same however many are taken.
pub(crate) fn records(kind: Kind, seed: u64) -> Box<dyn Iterator<Item = String>> {
    if kind == Kind::Ordinary {
        return Box::new(ordinary::records(seed));
    }
    let corpus = Corpus::new(kind);
    let mut random = Random::new(seed);
    Box::new((0..).map(move |_| corpus.record(&mut random)))
}

struct Corpus {
    kind: Kind,
    calls: Vec<Call>,
    call: Zipf,
    /// Every call that is known; for [`Kind::Wide`].
    any: Vec<Call>,
    shapes: Vec<(&'static str, &'static str)>,
    principals: Vec<Principal>,
    principal: Zipf,
}

#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) source: &'static str,
    pub(super) name: &'static str,
    pub(super) nature: Nature,
    /// Names in shapes.txt.
    pub(super) request: &'static str,
    pub(super) response: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Read,
    Write,
    Data,
}

impl Corpus {
    fn new(kind: Kind) -> Self {
        let shapes: Vec<_> = lines(include_str!("shapes.txt")).map(|line| line.split_once(' ').unwrap()).collect();
        let agents: Vec<&str> = lines(include_str!("agents.txt")).collect();
        let mut calls: Vec<Call> = lines(CALLS).map(Call::parse).collect();
        match kind {
            Kind::Busy | Kind::Wide | Kind::Ordinary => {}
            Kind::Management => calls.retain(|call| call.nature != Nature::Data),
            Kind::Data => calls.retain(|call| call.nature == Nature::Data),
        }
        let wide = kind == Kind::Wide;
        let any = if wide { Call::any(&shapes) } else { Vec::new() };
        let principals = if wide { Principal::of_many_accounts(&agents) } else { Principal::of_one_account(&agents) };
        let often = if wide { Zipf::flat } else { Zipf::new };
        let (call, principal) = (often(calls.len()), often(principals.len()));
        Self { kind, calls, call, any, shapes, principals, principal }
    }

    fn record(&self, random: &mut Random) -> String {
        let call = &self.call(random);
        let principal = &self.principals[self.principal.draw(random)];
        let (minute, second) = (random.below(15), random.below(60));
        let agent = random.pick(&principal.agents);
        let is_data = call.nature == Nature::Data;
        let error = if random.percent(3) { call.error(random) } else { String::new() };
        let response = if error.is_empty() { call.response } else { "-" };
        let is_s3 = call.source == "s3";
        let more = |when: bool, template: &str, random: &mut Random| {
            if when { fill(template, random) } else { String::new() }
        };
        let inside = is_s3 && random.percent(30);
        format!(
            r#"{{"eventVersion":"1.11","userIdentity":{},"eventTime":"2026-11-05T10:{minute:02}:{second:02}Z","eventSource":"{}.amazonaws.com","eventName":"{}","awsRegion":"eu-west-1","sourceIPAddress":"{}","userAgent":"{agent}",{error}"requestParameters":{},"responseElements":{},{}"requestID":"{}","eventID":"{}","readOnly":{},{}"eventType":"AwsApiCall","managementEvent":{},"recipientAccountId":"111122223333",{}"eventCategory":"{}",{}"tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{}.eu-west-1.amazonaws.com"}}}}"#,
            principal.identity,
            call.source,
            call.name,
            self.address(principal, random),
            self.shape(call.request, random),
            self.shape(response, random),
            more(is_s3, S3, random),
            uuid(random),
            uuid(random),
            call.is_read(),
            fill(call.resources(), random),
            !is_data,
            more(inside, ENDPOINT, random),
            if is_data { "Data" } else { "Management" },
            more(agent.starts_with("Mozilla"), CONSOLE, random),
            call.source,
        )
    }

    fn call(&self, random: &mut Random) -> Call {
        match self.kind {
            Kind::Wide if random.percent(50) => random.pick(&self.any),
            _ => self.calls[self.call.draw(random)],
        }
    }

    fn address(&self, principal: &Principal, random: &mut Random) -> String {
        match self.kind {
            Kind::Wide => {
                format!("{}.{}.{}.{}", 1 + random.below(9), random.below(256), random.below(256), random.below(256))
            }
            _ => principal.address.clone(),
        }
    }

    fn shape(&self, name: &str, random: &mut Random) -> String {
        let shape = self.shapes.iter().find(|(known, _)| *known == name);
        shape.map_or_else(|| "null".to_owned(), |(_, template)| fill(template, random))
    }
}

const ERRORS: &[(&str, &str)] = &[
    ("AccessDenied", DENIED),
    ("AccessDenied", DENIED),
    (
        "Client.UnauthorizedOperation",
        "You are not authorized to perform this operation. Encoded authorization failure message: <token><token>",
    ),
    ("NoSuchKey", "The specified key does not exist."),
    ("ThrottlingException", "Rate exceeded"),
    ("ResourceNotFoundException", "There is no <name>-<number>"),
    ("ValidationException", "1 validation error detected: Value '<name>' at 'name' failed to satisfy a constraint"),
];
const DENIED: &str = r#"User: <role> is not authorized to perform: CALL on resource: \"arn:aws:s3:::<bucket>/<key>\" because no identity-based policy allows the CALL action"#;
const OBJECT: &str = r#""resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::<bucket>/<key>"},{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::<bucket>"}],"#;
const TABLE: &str = r#""resources":[{"accountId":"111122223333","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:eu-west-1:111122223333:table/<name>-orders"}],"#;
const FUNCTION: &str = r#""resources":[{"accountId":"111122223333","type":"AWS::Lambda::Function","ARN":"arn:aws:lambda:eu-west-1:111122223333:function:<name>"}],"#;
const QUEUE: &str = r#""resources":[{"accountId":"111122223333","type":"AWS::SQS::Queue","ARN":"arn:aws:sqs:eu-west-1:111122223333:<name>"}],"#;
const KEY: &str = r#""resources":[{"accountId":"111122223333","type":"AWS::KMS::Key","ARN":"<kms>"}],"#;
pub(super) const S3: &str = r#""additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"<token>","bytesTransferredOut":<number>},"#;
pub(super) const ENDPOINT: &str = r#""vpcEndpointId":"vpce-0<hex>","vpcEndpointAccountId":"111122223333","#;
pub(super) const CONSOLE: &str = r#""sessionCredentialFromConsole":"true","#;

impl Nature {
    pub(super) fn parse(letter: &str) -> Self {
        match letter {
            "r" => Self::Read,
            "w" => Self::Write,
            "D" => Self::Data,
            other => panic!("there is no kind of call `{other}`"),
        }
    }
}

impl Call {
    fn parse(line: &'static str) -> Self {
        let words: Vec<&str> = line.split(' ').collect();
        let [source, name, nature, request, response] = words[..] else { panic!("calls.txt: {line}") };
        Self { source, name, nature: Nature::parse(nature), request, response }
    }

    /// Every call that is known, with shapes in turn.
    fn any(shapes: &[(&'static str, &'static str)]) -> Vec<Self> {
        let all = known().flat_map(|(source, names)| names.into_iter().map(move |name| (source, name)));
        let turns = shapes.iter().map(|(name, _)| *name).cycle();
        all.zip(turns)
            .map(|((source, name), request)| {
                let reads = ["Get", "List", "Describe"].iter().any(|prefix| name.starts_with(prefix));
                let (nature, response) = if reads { (Nature::Read, "-") } else { (Nature::Write, request) };
                Self { source, name, nature, request, response }
            })
            .collect()
    }

    /// What the record says of the resources that were touched.
    fn resources(self) -> &'static str {
        match (self.source, self.nature) {
            ("s3", Nature::Data) => OBJECT,
            ("dynamodb", Nature::Data) => TABLE,
            ("lambda", Nature::Data) => FUNCTION,
            ("sqs", Nature::Data) => QUEUE,
            ("kms", _) => KEY,
            _ => "",
        }
    }

    fn error(self, random: &mut Random) -> String {
        let (code, message) = random.pick(ERRORS);
        let message = fill(message, random).replace("CALL", &format!("{}:{}", self.source, self.name));
        format!(r#""errorCode":"{code}","errorMessage":"{message}","#)
    }

    pub(super) fn is_read(self) -> bool {
        match self.nature {
            Nature::Read => true,
            Nature::Write => false,
            Nature::Data => ["Get", "Head", "List", "Query"].iter().any(|prefix| self.name.starts_with(prefix)),
        }
    }
}
