//! Sigma rules in the shapes that public CloudTrail rules have.

use super::{CALLS, Random, known, lines};

const WORDS: &[&str] = &[
    "0.0.0.0/0",
    "::/0",
    "admin",
    "AdministratorAccess",
    "public-read",
    "AllUsers",
    "Everyone",
    "arn:aws:iam::aws:policy",
    "SUSPENDED",
    "Disabled",
    "0.0.0.0",
    "crypto",
    "miner",
    "nc -e",
    "curl ",
    "base64",
    "AmazonEC2FullAccess",
    "PowerUser",
];
const AGENTS: &[&str] = &[
    "Kali",
    "Parrot",
    "Pentoo",
    "python-requests/",
    "Pacu",
    "TruffleHog",
    "S3 Browser",
    "WinSCP",
    "rclone",
    "curl/",
    "Boto3/1.7",
    "aws-cli/1.1",
    "CloudBerry",
    "Nimbostratus",
    "ScoutSuite",
    "Prowler",
    "PowerShell",
    "Go-http-client",
];
const PREFIXES: &[&str] = &["Delete", "Create", "Put", "Update", "Attach", "Get", "List", "Disable", "Modify", "Stop"];
const ROLES: &[&str] = &[
    "breakglass",
    "OrganizationAccountAccessRole",
    "AWSReservedSSO_AdministratorAccess",
    "terraform-admin",
    "ci-deploy",
    "legacy-root",
    "vendor-audit",
    "aws:",
];

/// Rules that match all the time, by their number: every collection has some. On records of a busy account 10 rules match
/// 0.1 times a record, and 1,000 rules 0.23 times.
pub(crate) const NOISY: [(u32, &str, &str); 3] =
    [(3, "sts", "AssumeRole"), (40, "sqs", "ReceiveMessage"), (500, "kms", "Decrypt")];

/// Rules, one YAML document each, with an id of its own. The first n are the same however many are taken.
///
/// 93 % name an event source and exact event names, some with a condition on parameters, error, caller or client beside
/// them; the others are about user agents, prefixes of names, ARNs of callers, errors, and root. That is what 57
/// public rules for CloudTrail looked like. A rule's calls are drawn evenly from all that CloudTrail is known to write, but those
/// of one in a hundred are calls that the records hold, and of [`NOISY`] they are frequent ones. So a record concerns and meets
/// as many rules as real records did of 57 public rules and of 10,000 variations of them.
pub(crate) fn rules(seed: u64) -> impl Iterator<Item = String> {
    let calls = Calls::new();
    let mut random = Random::new(seed);
    (0..).map(move |number: u32| {
        let (mut body, mut condition) = detection(&calls.draw(&mut random), &mut random);
        if let Some((_, source, name)) = NOISY.iter().find(|(noisy, ..)| *noisy == number) {
            (body, condition) = plain(source, &[name]);
        }
        format!(
            "title: Generated rule {number}\nid: generated-{number:05}\nlevel: medium\nlogsource:\n  product: aws\n  \
             service: cloudtrail\ndetection:\n  selection:\n{body}  condition: {condition}\n"
        )
    })
}

/// The calls that one rule is about.
struct About {
    source: &'static str,
    names: Vec<&'static str>,
}

struct Calls {
    known: Vec<(&'static str, Vec<&'static str>)>,
    /// Places of every name in `known`, so that each is as likely.
    pairs: Vec<(usize, usize)>,
    in_records: Vec<(&'static str, &'static str)>,
}

impl Calls {
    fn new() -> Self {
        let known: Vec<(&str, Vec<&str>)> = known().collect();
        let places = known.iter().enumerate();
        let pairs = places.flat_map(|(source, (_, names))| (0..names.len()).map(move |name| (source, name))).collect();
        let in_records = lines(CALLS)
            .map(|line| {
                let mut words = line.split(' ');
                (words.next().unwrap(), words.next().unwrap())
            })
            .collect();
        Self { known, pairs, in_records }
    }

    fn draw(&self, random: &mut Random) -> About {
        if random.percent(1) {
            let (source, name) = random.pick(&self.in_records);
            return About { source, names: vec![name] };
        }
        let (source, name) = random.pick(&self.pairs);
        let (source, names) = &self.known[source];
        let more = [0, 0, 0, 0, 0, 1, 1, 1, 2, 3][random.below(10)];
        let mut about = About { source, names: vec![names[name]] };
        for _ in 0..more {
            let name = random.pick(names);
            if !about.names.contains(&name) {
                about.names.push(name);
            }
        }
        about
    }
}

/// The selection with what follows it, and the condition.
fn detection(about: &About, random: &mut Random) -> (String, &'static str) {
    let source = format!("    eventSource: {}.amazonaws.com\n", about.source);
    let (exact, _) = plain(about.source, &about.names);
    let word = quoted(random.pick(WORDS));
    let (agent, role) = (quoted(random.pick(AGENTS)), random.pick(ROLES));
    let prefix = random.pick(PREFIXES);
    let without = |rest: String| (rest, "selection and not filter");
    match random.below(100) {
        0..55 => (exact, "selection"),
        55..60 => without(format!("{exact}  filter:\n    errorCode|exists: true\n")),
        60..63 => without(format!("{exact}  filter:\n    userIdentity.type: AWSService\n")),
        63..66 => without(format!("{exact}  filter:\n    userAgent|contains: Terraform\n")),
        66..74 => (format!("{exact}    requestParameters|contains: {word}\n"), "selection"),
        74..79 => (format!("{exact}    requestParameters.policyDocument|contains: {word}\n"), "selection"),
        79..82 => (format!("{exact}    responseElements|contains: {word}\n"), "selection"),
        82..86 => (format!("{exact}    errorCode: [AccessDenied, Client.UnauthorizedOperation]\n"), "selection"),
        86..88 => (format!("{exact}    userIdentity.type: [Root, IAMUser]\n"), "selection"),
        88..90 => without(format!("{exact}  filter:\n    sourceIPAddress|cidr: [10.0.0.0/8, 198.51.100.0/24]\n")),
        90..92 => {
            without(format!("{exact}  filter:\n    userIdentity.userName|fieldref: requestParameters.userName\n"))
        }
        92..93 => (format!("{exact}    userAgent|contains: {agent}\n"), "selection"),
        93..95 => (format!("{source}    userAgent|contains: {agent}\n"), "selection"),
        95..97 => (format!("{source}    eventName|startswith: {prefix}\n    errorCode: AccessDenied\n"), "selection"),
        97..98 => (format!("    userIdentity.arn|re: '.*:assumed-role/{role}[^/]*/.*'\n"), "selection"),
        98..99 => without(format!("{source}    userIdentity.type: Root\n  filter:\n    eventType: AwsServiceEvent\n")),
        _ => without(format!(
            "{source}    eventName|startswith: {prefix}\n  filter:\n    userIdentity.type: [AWSService, AssumedRole]\n"
        )),
    }
}

fn plain(source: &str, names: &[&str]) -> (String, &'static str) {
    (format!("    eventSource: {source}.amazonaws.com\n    eventName: [{}]\n", names.join(", ")), "selection")
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}
