//! Modifiers that compare something else than text: numbers, times, networks, other fields.

use serde_json::json;

use super::{refused, table};

#[test]
fn lt_lte_gt_and_gte_compare_numbers() {
    let record = json!({"n": 5, "f": 5.5, "text": "5", "zeros": "0005", "word": "five", "list": [1, 9], "nothing": null,
        "minus": -3, "big": 9_007_199_254_740_993_u64, "date": "2026"});
    table(
        &record,
        &[
            ("n|lt: 6", true),
            ("n|lt: 5", false),
            ("n|lte: 5", true),
            ("n|lte: 4", false),
            ("n|gt: 4", true),
            ("n|gt: 5", false),
            ("n|gte: 5.0", true),
            ("n|gte: 6", false),
            ("f|gt: 5", true),
            ("f|lt: 5.5", false),
            ("text|gt: 4", true),
            ("text|gt: '4'", true),
            ("zeros|gt: 4", false),
            ("word|gt: 0", false),
            ("nothing|lt: 1", false),
            ("absent|lt: 1", false),
            ("list|gt: 8", true),
            ("list|gt: 9", false),
            ("list|gt|all: [0, 8]", true),
            ("list|gt|all: [0, 9]", false),
            ("n|gt: [9, 4]", true),
            ("minus|lt: -2.5", true),
            ("minus|gte: -3e0", true),
            ("date|gte: 2026", true),
        ],
    );
    refused(&[
        ("n|gt: new", "is no number"),
        ("n|gt: '007'", "is no number"),
        ("n|gt: null", "null can't be"),
        ("n|gt|lt: 5", "keep one"),
        ("n|gt|contains: 5", "keep one"),
    ]);
}

#[test]
fn parts_of_a_time() {
    let record = json!({"eventTime": "2026-11-05T23:59:01Z", "zoned": "2026-11-05T23:59:01+09:00", "date": "2026-12-31",
        "seconds": 1_793_923_141_u64, "milliseconds": 1_793_923_141_000_u64, "digits": "1793923141", "small": 7, "word": "November",
        "list": ["2026-01-01T00:00:00Z", "x"]});
    table(
        &record,
        &[
            ("eventTime|minute: 59", true),
            ("eventTime|minute: 1", false),
            ("eventTime|hour: 23", true),
            ("eventTime|hour: 0", false),
            ("eventTime|day: 5", true),
            ("eventTime|day: 11", false),
            ("eventTime|week: 45", true),
            ("eventTime|week: 44", false),
            ("eventTime|month: 11", true),
            ("eventTime|month: 5", false),
            ("eventTime|year: 2026", true),
            ("eventTime|year: 2025", false),
            ("eventTime|hour: [8, 23]", true),
            ("eventTime|hour|gte: 22", true),
            ("eventTime|hour|lt: 23", false),
            ("eventTime|lt|hour: 22", false),
            ("eventTime|gt|hour: 22", true),
            ("eventTime|hour|neq: 23", false),
            ("eventTime|hour|gte|neq: 12", false),
            ("zoned|hour: 23", true),
            ("zoned|hour: 14", false),
            ("date|week: 53", true),
            ("date|hour: 0", false),
            ("seconds|year: 2026", true),
            ("milliseconds|year: 2026", true),
            ("seconds|minute: 59", true),
            ("digits|year: 2026", false),
            ("small|year: 1970", false),
            ("word|month: 11", false),
            ("absent|hour: 0", false),
            ("list|month: 1", true),
        ],
    );
    refused(&[
        ("eventTime|minute: 60", "from 0 to 59"),
        ("eventTime|hour: 24", "from 0 to 23"),
        ("eventTime|day: 0", "from 1 to 31"),
        ("eventTime|week: 54", "from 1 to 53"),
        ("eventTime|month: 13", "from 1 to 12"),
        ("eventTime|year: 0", "from 1 to 9999"),
        ("eventTime|hour: 1.5", "no such part"),
        ("eventTime|hour|contains: 1", "keep one"),
        ("eventTime|hour|minute: 1", "keep one"),
    ]);
}

#[test]
fn cidr_asks_for_an_address_in_a_network() {
    let record = json!({"v4": "203.0.113.77", "v6": "2001:db8::1", "mapped": "::ffff:203.0.113.77", "service": "ec2.amazonaws.com",
        "internal": "AWS Internal", "list": ["x", "10.1.2.3"]});
    table(
        &record,
        &[
            ("v4|cidr: 203.0.113.0/24", true),
            ("v4|cidr: 203.0.113.0/26", false),
            ("v4|cidr: 203.0.113.99/24", true),
            ("v4|cidr: 203.0.113.77/32", true),
            ("v4|cidr: 203.0.113.77", true),
            ("v4|cidr: 203.0.113.78", false),
            ("v4|cidr: [10.0.0.0/8, 203.0.0.0/16]", true),
            ("v4|cidr|all: [203.0.0.0/8, 203.0.113.0/24]", true),
            ("v4|cidr: '::ffff:203.0.113.0/120'", true),
            ("v4|cidr: '::/0'", false),
            ("mapped|cidr: 203.0.113.0/24", true),
            ("v6|cidr: '2001:db8::/32'", true),
            ("v6|cidr: '2001:DB8:1::/48'", false),
            ("v6|cidr: 0.0.0.0/0", false),
            ("service|cidr: [0.0.0.0/0, '::/0']", false),
            ("internal|cidr: [0.0.0.0/0, '::/0']", false),
            ("absent|cidr: 0.0.0.0/0", false),
            ("list|cidr: 10.0.0.0/8", true),
            ("v4|cidr|neq: 10.0.0.0/8", true),
        ],
    );
    refused(&[
        ("v4|cidr: 10.0.0.0/33", "is no network"),
        ("v4|cidr: 10.0.0.*", "is no network"),
        ("v4|cidr|contains: 10.0.0.0/8", "keep one"),
    ]);
}

#[test]
fn fieldref_compares_two_fields_of_a_record() {
    let record = json!({"user": "Alice", "twin": "alice", "arn": "arn:aws:iam::1:user/Alice", "n": 5, "same": 5.0, "text": "5",
        "list": ["bob", "ALICE"], "other": ["x", "bob"], "nothing": null, "none": null, "empty": [],
        "requestParameters": {"userName": "alice"}});
    table(
        &record,
        &[
            ("user|fieldref: twin", true),
            ("user|fieldref: arn", false),
            ("user|fieldref: requestParameters.userName", true),
            ("user|fieldref|cased: twin", false),
            ("user|cased|fieldref: user", true),
            ("n|fieldref: same", true),
            ("n|fieldref: text", true),
            ("same|fieldref: text", false),
            ("list|fieldref: other", true),
            ("list|fieldref: user", true),
            ("list|fieldref: n", false),
            ("nothing|fieldref: none", false),
            ("absent|fieldref: missing", false),
            ("empty|fieldref: empty", false),
            ("arn|endswith|fieldref: user", true),
            ("arn|fieldref|contains: twin", true),
            ("user|contains|fieldref: arn", false),
            ("arn|startswith|fieldref: user", false),
            ("user|fieldref: [arn, twin]", true),
            ("list|fieldref|all: [twin, other]", true),
            ("list|fieldref|all: [twin, arn]", false),
            ("derived.outcome|fieldref: derived.outcome", true),
        ],
    );
    refused(&[
        ("user|fieldref: 'a*'", "no wildcards"),
        ("user|fieldref: derived.principle", "there is no field"),
        ("user|fieldref: null", "null can't be"),
        ("user|re|fieldref: twin", "keep one"),
        ("user|base64|fieldref: twin", "keep one"),
        ("'|fieldref': twin", "needs a field"),
    ]);
}

#[test]
fn an_unknown_modifier_is_an_error_with_the_right_one() {
    refused(&[
        ("name|startwith: x", "did you mean `startswith`?"),
        ("name|Contains: x", "did you mean `contains`?"),
        ("name|: x", "is not a modifier"),
        ("name|near: x", "is not a modifier"),
    ]);
}
