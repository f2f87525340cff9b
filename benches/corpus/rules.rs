//! Sigma rules in the shapes that public CloudTrail rules have.

use super::{Random, lines};

/// What CloudTrail writes, in the linter's words: more than 20,000 pairs of source and name.
const KNOWN: &str = include_str!("../../src/lint/data/events.txt");
const CALLS: &str = include_str!("calls.txt");

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

/// Rules, one YAML document each, with an id of its own. The first n are the same however many are taken.
///
/// 93 % name an event source and exact event names, some with a condition on parameters, error, caller or client beside
/// them; the others are about user agents, prefixes of names, ARNs of callers, errors, and root. That is what 57
/// public rules for CloudTrail looked like. A rule's calls are drawn evenly from all that CloudTrail is known to write; one in
/// twenty is about a call that the records hold, since rules are written about what people use.
pub(crate) fn rules(seed: u64) -> impl Iterator<Item = String> {
    let calls = Calls::new();
    let mut random = Random::new(seed);
    (0..).map(move |number: u32| {
        let (body, condition) = detection(&calls.draw(&mut random), &mut random);
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
        let known: Vec<(&str, Vec<&str>)> = lines(KNOWN)
            .filter_map(|line| line.split_once(' '))
            .flat_map(|(sources, names)| sources.split(',').map(|source| (source, names.split(' ').collect())))
            .collect();
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
        if random.percent(5) {
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
    let exact = format!("{source}    eventName: [{}]\n", about.names.join(", "));
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

fn quoted(text: &str) -> String {
    format!("'{text}'")
}
