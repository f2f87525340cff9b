//! Documents that load although they look odd, and documents that don't because of their form.

use super::{correlation, detection, extension, filter, rule};

const ODD_DETECTIONS: &[&str] = &[
    "words: [org-trail, 5, true]",
    "word: org-trail",
    "sel: [{eventName: A}, {eventSource: b}]",
    "sel: [{eventName: A}, word, [more, {awsRegion: c}]]",
    "sel: {errorCode: null}",
    "sel: {errorCode: [AccessDenied, null, 5]}",
    "sel: {errorCode: []}",
    "sel: {'|all': [a, b], '|contains': c, '|re': d}",
    "sel: {'': word}",
    "sel: {eventName|re|i|s: x, userAgent|re|ignorecase: y}",
    "sel: {eventTime|hour: [22, '23'], eventTime|week|gte: 5}",
    "sel: {n|gte: 5, m|lt|neq: ['1.5', -2e3]}",
    "sel: {a|exists: true, b|exists: 'False', c|exists: [false]}",
    "sel: {userAgent|wide|base64offset|contains: x}",
    "sel: {derived.outcome|neq: success, derived.mfa: 'true'}",
    "1: {eventName: x}, _hidden: {eventName: y}",
];
const ODD_EXTENSIONS: &[&str] = &[
    "mode: dry-run",
    "first_seen: {entity: derived.principal, value: [a, b, c], history: 90d, learning: 0s}",
    "first_seen: {entity: a, value: b, network: {ipv4: 8, ipv6: '128'}, ignore: {service_calls: 'true', networks: trusted}}",
    "first_seen: {entity: a, value: b, network: {ipv4: '032', ipv6: 16}, ignore: {networks: [10.0.0.0/8, '%n%']}}",
    "first_seen: {entity: a, value: b, network: {}, ignore: {service_calls: null, networks: null}}",
    "alert: {title: 'T {requestParameters.name} {{x}}', dedup: [a], window: 60m, runbook: step, references: null}",
    "exceptions: [{userIdentity.userName|endswith: kiosk}, word]",
    "exceptions: []",
];
const ODD_CORRELATIONS: &[&str] = &[
    "type: event_count, rules: a, timespan: 1m, condition: {gte: 5, lte: 10}",
    "type: event_count, rules: [a], group-by: sourceIPAddress, timeframe: 2M, condition: {gt: '5'}, generate: true",
    "type: value_count, rules: [a], timespan: 1w, condition: {field: [b, c], eq: 3}",
    "type: value_sum, rules: [a], timespan: 1y, condition: {field: [b], gt: 1.5}",
    "type: value_median, rules: [a], timespan: 1h, condition: {field: b, lt: -1}",
    "type: value_percentile, rules: [a], timespan: 1h, condition: {field: b, percentile: 95, gt: 1000}",
    "type: temporal, rules: [a, b], timespan: 1h",
    "type: temporal, rules: [a, b], timespan: 1h, condition: {gte: 1}",
    "type: temporal, rules: [a, b], timespan: 1h, condition: a and not b, group-by: null",
    "type: temporal, timespan: 1h, condition: (a or b) and not c",
    "type: temporal_ordered, rules: [a, b], timespan: 1h, group-by: [u], aliases: {u: {a: x, b: y}}, condition: null",
];
const ODD_FILTERS: &[&str] = &[
    "rules: any, sel: {eventName: x}, condition: not sel",
    "rules: [a], sel: [{eventName: x}], condition: not sel",
    "rules: some_rule, word: x, condition: not word",
    "rules: [8d0c0b2e-0000-4000-8000-000000000000, b], sel: {a|cidr: 10.0.0.0/8}, condition: [not sel]",
];

const WRONG_DETECTIONS: &[&str] = &[
    "sel: {eventName|startwith: x}",
    "sel: {eventName|Contains: x}",
    "sel: {eventName|: x}",
    "sel: {eventName: {a: b}}",
    "sel: {eventName: [[a]]}",
    "sel: {}",
    "sel: []",
    "sel: null",
    "sel: {a|exists: maybe}",
    "sel: {a|gt: many}",
    "sel: {a|hour: 24}",
    "sel: {a|contains: null}",
    "sel: {a|contains: []}",
    "sel: {'|all': [a, null]}",
    "sel: {a|contains|startswith: b}",
    "sel: {a|i|re: b}",
    "sel: {a: b}, timeframe: 5m",
];
const WRONG_EXTENSIONS: &[&str] = &[
    "mod: live",
    "mode: dryrun",
    "alert: {titel: x}",
    "alert: {next_steps: [a]}",
    "alert: {window: 60}",
    "alert: {window: 1w}",
    "alert: {title: 'a { b'}",
    "alert: {dedup: []}",
    "alert: null",
    "first_seen: {entity: [a]}",
    "first_seen: {value: [a]}",
    "first_seen: {entity: [a], value: [a, b, c, d]}",
    "first_seen: {entity: [a], value: [b], hystory: 1d}",
    "first_seen: {entity: [a], value: [b], network: 24}",
    "first_seen: {entity: [a], value: [b], network: {ipv4: 7}}",
    "first_seen: {entity: [a], value: [b], network: {ipv4: '33'}}",
    "first_seen: {entity: [a], value: [b], network: {ipv6: 129}}",
    "first_seen: {entity: [a], value: [b], network: {ipv6: '15'}}",
    "first_seen: {entity: [a], value: [b], network: {ipv4: /24}}",
    "first_seen: {entity: [a], value: [b], ignore: [trusted]}",
    "first_seen: {entity: [a], value: [b], ignore: {service_calls: maybe}}",
    "first_seen: {entity: [a], value: [b], ignore: {networks: {a: b}}}",
    "first_seen: {entity: [a], value: [b], ignore: {networks: [[10.0.0.0/8]]}}",
    "exceptions: {a: b}",
    "exceptions: null",
    "exceptions: [{a|fuzzy: b}]",
];
const WRONG_CORRELATIONS: &[&str] = &[
    "rules: [a], timespan: 1m, condition: {gte: 5}",
    "type: event_counts, rules: [a], timespan: 1m, condition: {gte: 5}",
    "type: event_count, timespan: 1m, condition: {gte: 5}",
    "type: event_count, rules: [], timespan: 1m, condition: {gte: 5}",
    "type: event_count, rules: [a, a], timespan: 1m, condition: {gte: 5}",
    "type: event_count, rules: [a], timespan: 1m",
    "type: event_count, rules: [a], timespan: 1m, condition: null",
    "type: event_count, rules: [a], timespan: 1m, condition: a or b",
    "type: event_count, rules: [a], timespan: 1m, condition: {gtt: 5}",
    "type: event_count, rules: [a], timespan: 1m, condition: {gte: 5.5}",
    "type: event_count, rules: [a], timespan: 1m, condition: {field: b, gte: 5}",
    "type: event_count, rules: [a], condition: {gte: 5}",
    "type: event_count, rules: [a], timespan: 0m, condition: {gte: 5}",
    "type: event_count, rules: [a], timespan: 1m, timeframe: 1m, condition: {gte: 5}",
    "type: event_count, rules: [a], timespan: 1m, groupby: [b], condition: {gte: 5}",
    "type: value_count, rules: [a], timespan: 1m, condition: {gte: 5}",
    "type: value_sum, rules: [a], timespan: 1m, condition: {field: [b, c], gte: 5}",
    "type: value_percentile, rules: [a], timespan: 1m, condition: {field: b, gte: 5}",
    "type: value_percentile, rules: [a], timespan: 1m, condition: {field: b, percentile: 101, gte: 5}",
    "type: temporal, rules: [a], timespan: 1m, condition: [a]",
    "type: temporal_ordered, rules: [a], timespan: 1m",
    "type: temporal, rules: [a], timespan: 1m, generate: maybe",
];
const WRONG_FILTERS: &[&str] = &[
    "sel: {a: b}, condition: not sel",
    "rules: null, sel: {a: b}, condition: not sel",
    "rules: [], sel: {a: b}, condition: not sel",
    "rules: {a: b}, sel: {a: b}, condition: not sel",
    "rules: any, sel: {a: b}",
    "rules: any, condition: not sel",
    "rules: any, sel: {a|fuzzy: b}, condition: not sel",
];

/// Rules, correlations and filters that both parser and schema have to take.
pub(super) fn odd() -> Vec<String> {
    let whole = [
        rule("detection: {a: {b: c}, condition: [a, not a]}\nlevel: null\ndescription: null\nreferences: null"),
        detection("sel: {eventName: x}") + "\nowner: somebody\nfields: eventName\nfalsepositives: [None]\nid: my-rule",
        detection("sel: {eventName: x}").replace("service: cloudtrail", "service: null, definition: x"),
        "title: Other logs\nlogsource: {category: process_creation}\ndetection: {sel: {Image|fuzzy: x}}".to_owned(),
        "title: Other logs\nlogsource: {product: aws, service: guardduty}\ndetection: {timeframe: 5m}".to_owned(),
        "title: Other logs\nlogsource: {product: windows}\nfilter: {rules: any}".to_owned(),
        correlation("type: temporal, rules: [a], timespan: 1h")
            + "\ngenerate: false\ntrailhound: {mode: live, alert: {}}",
        format!("{}\n---\n{}", detection("sel: {eventName: x}"), filter(ODD_FILTERS[0])),
    ];
    [made(ODD_DETECTIONS, ODD_EXTENSIONS, ODD_CORRELATIONS, ODD_FILTERS), whole.to_vec()].concat()
}

/// Those that neither may take.
pub(super) fn wrong() -> Vec<String> {
    let good = detection("sel: {eventName: x}");
    let whole = [
        rule("detection: {sel: {a: b}}"),
        rule("detection: {sel: {a: b}, condition: 'sel | count() > 5'}"),
        rule("detection: {sel: {a: b}, condition: ''}"),
        rule("detection: {sel: {a: b}, condition: []}"),
        rule("level: high"),
        rule("detection: [a]"),
        good.replace("title: Test", "name: Test"),
        good.replace("logsource", "logs"),
        good.clone() + "\nlevel: hihg",
        good.clone() + "\nstatus: done",
        good.clone() + "\ntaxonomy: ecs",
        good.clone() + "\naction: global",
        good.clone() + "\nreferences: [{a: b}]",
        good + "\ntrailhound: null",
        correlation("type: temporal, rules: [a], timespan: 1h") + "\ntrailhound: {exceptions: []}",
        correlation("type: temporal, rules: [a], timespan: 1h") + "\ngenerate: maybe",
    ];
    [made(WRONG_DETECTIONS, WRONG_EXTENSIONS, WRONG_CORRELATIONS, WRONG_FILTERS), whole.to_vec()].concat()
}

fn made(detections: &[&str], extensions: &[&str], correlations: &[&str], filters: &[&str]) -> Vec<String> {
    let documents =
        |members: &[&str], document: fn(&str) -> String| members.iter().map(|members| document(members)).collect();
    let made: [Vec<String>; 4] = [
        documents(detections, detection),
        documents(extensions, extension),
        documents(correlations, correlation),
        documents(filters, filter),
    ];
    made.concat()
}

/// Organisation files that both take.
pub(super) const ODD_CONFIGS: &[&str] = &[
    "",
    "null",
    "accounts:\nrules:",
    "accounts: {'012345678901': prod, '111122223333': 5}",
    "trusted_networks: 192.0.2.0/24",
    "trusted_networks: [192.0.2.7, '2001:db8::7']",
    "trusted_networks: ['2001:db8::/32', 192.0.2.0/24]",
    "expected_principals: [{resource: 'arn:aws:sqs:*', principals: []}, {resource: a, principals: b}]",
    "placeholders: {admin_roles: ['*role/Admin', 5], one: x, none: null}",
    "rules: {some-id: {off: 'true', level: low, mode: dry-run, exceptions: [{a|contains: b}, word]}, other: {}}",
    "channels:\ntopics:",
    "channels: {a: {slack: {webhook: ssm:/a}, burst: 3}, b: {slack: {token: 'secretsmanager:a/b#c d', channel: C0EXAMPLE}}}",
    "channels: {a: {teams: {webhook: ssm:a}, when: {level: [critical, high], account: '111122223333'}, burst: '50'}}",
    "channels: {a: {pagerduty: {routing_key: ssm:a}}, b: {pagerduty: {routing_key: ssm:a, region: eu}, when: {}}}",
    "channels: {a: {webhook: {url: https://a.example, secret: ssm:b, form: story}, when: {tag: '*', rule: [5]}}}",
    "channels: {a: {webhook: {url: 'http://[::1]:80/x'}}, b: {webhook: {url: ssm:a}}, c: {security_hub: {}}}",
    "channels: {a: {eventbridge: {bus: 'arn:aws:events:eu-west-1:111122223333:event-bus/a'}, when: {owner: [a*]}}}",
    "topics: [{arn: 'arn:aws:sns:eu-west-1:111122223333:a', when: {level: critical}, instead: 'true'}]",
    "topics: [{arn: 'arn:aws-cn:sns:cn-north-1:111122223333:a'}]",
];

/// Those that neither takes.
pub(super) const WRONG_CONFIGS: &[&str] = &[
    "[]",
    "account: {}",
    "accounts: ['111122223333']",
    "accounts: {prod: '111122223333'}",
    "accounts: {'111122223333': [prod]}",
    "trusted_networks: [office]",
    "trusted_networks: [192.0.2.7/x]",
    "expected_principals: {resource: a, principals: []}",
    "expected_principals: [{resource: a}]",
    "expected_principals: [{resource: a, principal: [b]}]",
    "placeholders: {'%admins%': [a]}",
    "placeholders: {admins: {a: b}}",
    "rules: [some-id]",
    "rules: {some-id: off}",
    "rules: {some-id: {off: maybe}}",
    "rules: {some-id: {level: hihg}}",
    "rules: {some-id: {level: null}}",
    "rules: {some-id: {mode: dry}}",
    "rules: {some-id: {exception: []}}",
    "rules: {some-id: {exceptions: {a: b}}}",
    "rules: {some-id: {exceptions: [{a|fuzzy: b}]}}",
    "channels: []",
    "channels: {a b: {security_hub: {}}}",
    "channels: {a: {}}",
    "channels: {a: {security_hub: null}}",
    "channels: {a: {security_hub: {}, teams: {webhook: ssm:a}}}",
    "channels: {a: {slack: {webhook: https://hooks.slack.com/services/x}}}",
    "channels: {a: {slack: {webhook: ssm:a, channel: C0EXAMPLE}}}",
    "channels: {a: {slack: {token: ssm:a, channel: '#a'}}}",
    "channels: {a: {teams: {webhook: 'ssm:'}}}",
    "channels: {a: {pagerduty: {routing_key: ssm:a, region: asia}}}",
    "channels: {a: {webhook: {url: http://a.example}}}",
    "channels: {a: {webhook: {url: https://me:pass@a.example}}}",
    "channels: {a: {webhook: {url: https://a.example, secret: abc}}}",
    "channels: {a: {eventbridge: {bus: 'a b'}}}",
    "channels: {a: {security_hub: {}, burst: 3}}",
    "channels: {a: {teams: {webhook: ssm:a}, burst: 51}}",
    "channels: {a: {security_hub: {}, when: {level: []}}}",
    "channels: {a: {security_hub: {}, when: {level: hihg}}}",
    "channels: {a: {security_hub: {}, when: {account: prod}}}",
    "channels: {a: {security_hub: {}, when: {team: a}}}",
    "topics: {}",
    "topics: [{when: {level: high}}]",
    "topics: [{arn: a}]",
    "topics: [{arn: 'arn:aws:sns:eu-west-1:111122223333:a.fifo'}]",
    "topics: [{arn: 'arn:aws:sns:eu-west-1:111122223333:a', instead: true}]",
];
