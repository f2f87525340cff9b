//! What the order of delivery may change: nothing that counts. `docs/memory.md` says what it may.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use trailhound::alerting::{Item, Key};
use trailhound::notify::Notification;
use trailhound::ports::StateStore as _;

use crate::support::{World, record, rules, trail_file, with};

/// Correlations of every kind over the events A, B and C.
const PATTERNS: &str = "title: a
id: a
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: A}, condition: sel}
---
title: b
id: b
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: B}, condition: sel}
---
title: count
id: count
correlation: {type: event_count, rules: [a], group-by: [userIdentity.userName], timespan: 5m, condition: {gte: 3}, generate: true}
---
title: few
id: few
correlation: {type: event_count, rules: [a], group-by: [userIdentity.userName], timespan: 3m, condition: {gte: 1, lt: 2}}
---
title: values
id: values
correlation: {type: value_count, rules: [a, b], group-by: [userIdentity.userName], timespan: 5m, condition: {field: awsRegion, gte: 3}}
---
title: both
id: both
correlation: {type: temporal, rules: [a, b], group-by: [userIdentity.userName], timespan: 2m}
---
title: ordered
id: ordered
correlation: {type: temporal_ordered, rules: [b, a], group-by: [userIdentity.userName], timespan: 4m}
---
title: sum
id: sum
correlation: {type: value_sum, rules: [b], group-by: [userIdentity.userName], timespan: 5m, condition: {field: requestParameters.n, gte: 10}}
---
title: alone
id: alone
correlation: {type: temporal, rules: [a, b], group-by: [userIdentity.userName], timespan: 3m, condition: a and not b}
---
title: chain
id: chain
name: chain
correlation: {type: temporal_ordered, rules: [count, b], group-by: [awsRegion], timespan: 20m, generate: true}
---
title: deep
id: deep
correlation: {type: event_count, rules: [chain], group-by: [userIdentity.userName], timespan: 10m, condition: {gte: 1}, generate: true}
";

/// The patterns, each of whose alerts speaks for so long.
fn patterns(window: &str) -> String {
    let with_window = |one: &str| {
        let window = format!("trailhound: {{alert: {{window: {window}}}}}\n");
        if one.contains("correlation:") { format!("{one}{window}") } else { one.to_owned() }
    };
    PATTERNS.split("---\n").map(with_window).collect::<Vec<_>>().join("---\n")
}

/// Those whose condition more events can only help to hold, told once. Not the chains: the event that completes what it reads,
/// and with it the group, is another one when an earlier event comes.
fn growing() -> String {
    let all = patterns("1d");
    let grows = |one: &&str| !["few", "alone", "chain", "deep"].iter().any(|id| one.contains(&format!("id: {id}\n")));
    all.split("---\n").filter(grows).collect::<Vec<_>>().join("---\n")
}

#[derive(Debug, Clone)]
struct Call {
    name: &'static str,
    second: i64,
    user: &'static str,
    region: &'static str,
    n: u8,
}

fn call() -> impl Strategy<Value = Call> {
    let users = prop::sample::select(vec!["alice", "bob"]);
    let regions = prop::sample::select(vec!["eu-west-1", "us-east-1", "ap-south-1"]);
    let names = prop::sample::select(vec!["A", "A", "B"]);
    // A grid of half minutes, so that events meet the edges of windows and each other.
    (names, (0..80_i64).prop_map(|half| half * 30), users, regions, 0..6_u8)
        .prop_map(|(name, second, user, region, n)| Call { name, second, user, region, n })
}

fn start() -> Timestamp {
    "2026-11-05T08:00:00Z".parse().unwrap()
}

fn records(calls: &[Call]) -> Vec<Value> {
    let each = |(number, call): (usize, &Call)| {
        with(
            record(call.name, &format!("e{number}")),
            &[
                ("/eventTime", json!((start() + SignedDuration::from_secs(call.second)).to_string())),
                ("/userIdentity/userName", json!(call.user)),
                ("/awsRegion", json!(call.region)),
                ("/requestParameters", json!({"n": call.n})),
            ],
        )
    };
    calls.iter().enumerate().map(each).collect()
}

fn by_time(records: &[Value]) -> Vec<Value> {
    let mut records = records.to_vec();
    records.sort_by_key(|record| record["eventTime"].as_str().unwrap().to_owned());
    records
}

/// Records in another order, some of them several times, in deliveries of a few.
fn shuffled(records: &[Value], places: &[Index], size: usize) -> Vec<Vec<Value>> {
    let mut order: Vec<usize> = (0..records.len()).collect();
    for (place, other) in places.iter().enumerate().take(order.len()) {
        let other = other.index(order.len());
        order.swap(place, other);
    }
    let again = places.iter().map(|place| place.index(records.len()));
    order.extend(again.step_by(2));
    order.chunks(size).map(|places| places.iter().map(|&place| records[place].clone()).collect()).collect()
}

async fn deliver(world: &World, deliveries: &[Vec<Value>]) -> Vec<Notification> {
    for (number, records) in deliveries.iter().enumerate() {
        world.notify(&[&world.put(&format!("f{number}"), &trail_file(records))]).await;
    }
    world.alerts()
}

/// Every episode that is there in the end, by uid: what all records together find in what is remembered, were nobody told yet.
async fn episodes(yaml: &str, deliveries: &[Vec<Value>], records: &[Value]) -> BTreeSet<String> {
    let world = World::new(rules(yaml));
    deliver(&world, deliveries).await;
    let told: Vec<Key> =
        all(&world).await.into_iter().map(|item| item.key).filter(|key| key.partition.starts_with("A#")).collect();
    world.pipeline.state.remove(&told).await.unwrap();
    world.restart();
    deliver(&world, &[records.to_vec()]).await.iter().map(uid).collect()
}

async fn all(world: &World) -> Vec<Item> {
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let page = world.pipeline.state.page(after.as_ref(), start()).await.unwrap();
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            return items;
        }
    }
}

fn finding(alert: &Notification) -> Value {
    serde_json::from_str(&alert.ocsf).unwrap()
}

fn uid(alert: &Notification) -> String {
    finding(alert)["finding_info"]["uid"].as_str().unwrap().to_owned()
}

/// Rule and thread: what an alert is about, whichever of its events it names.
fn about(alerts: &[Notification]) -> Vec<(String, String)> {
    let about = |alert: &Notification| {
        let chat: Value = serde_json::from_str(&alert.chat).unwrap();
        let rule = &chat["metadata"]["additionalContext"]["rule_id"];
        (rule.as_str().unwrap().to_owned(), chat["metadata"]["threadId"].as_str().unwrap().to_owned())
    };
    let mut about: Vec<_> = alerts.iter().map(about).collect();
    about.sort();
    about
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_changes_the_episodes(
        calls in prop::collection::vec(call(), 1..30),
        places in prop::collection::vec(any::<Index>(), 40),
        size in 1..12_usize,
    ) {
        let records = records(&calls);
        let ordered = by_time(&records);
        let (in_order, in_disorder) = run(async {
            let one_by_one: Vec<Vec<Value>> = ordered.iter().map(|record| vec![record.clone()]).collect();
            let in_order = episodes(&patterns("1s"), &one_by_one, &ordered).await;
            (in_order, episodes(&patterns("1s"), &shuffled(&records, &places, size), &ordered).await)
        });
        prop_assert_eq!(in_order, in_disorder);
    }

    #[test]
    fn no_order_changes_what_people_are_told_of(
        calls in prop::collection::vec(call(), 1..30),
        places in prop::collection::vec(any::<Index>(), 40),
        size in 1..12_usize,
    ) {
        let records = records(&calls);
        let ordered = by_time(&records);
        let (in_order, in_disorder) = run(async {
            let in_order = deliver(&World::new(rules(&growing())), &[ordered]).await;
            let in_disorder = deliver(&World::new(rules(&growing())), &shuffled(&records, &places, size)).await;
            (about(&in_order), about(&in_disorder))
        });
        prop_assert_eq!(in_order, in_disorder);
    }

    #[test]
    fn no_order_within_two_hours_changes_which_values_are_new(sightings in sightings(), size in 1..12_usize) {
        let told = run(first_seen(&sightings, size));
        for (pair, first) in Sighting::firsts(&sightings, |one| (one.entity, Some(one.value))) {
            let known_since = Sighting::firsts(&sightings, |one| (one.entity, None))[&(pair.0, None)];
            let (count, known) = (told.get(&pair).copied().unwrap_or_default(), first - known_since);
            prop_assert!(count <= 1, "{:?} was told {} times", pair, count);
            if known > LEARNING + LATENESS {
                prop_assert_eq!(count, 1, "{:?} was missed: known for {} minutes", pair, known);
            }
            if known < LEARNING - LATENESS {
                prop_assert_eq!(count, 0, "{:?} was told while it was learned: known for {} minutes", pair, known);
            }
        }
    }
}

/// In minutes.
const LEARNING: i64 = 24 * 60;
const LATENESS: i64 = 2 * 60;

/// An event of a first-seen rule.
#[derive(Debug, Clone)]
struct Sighting {
    entity: &'static str,
    value: u8,
    minute: i64,
    late: i64,
    /// It comes once more, whenever.
    again: Option<i64>,
}

type Pair = (&'static str, Option<u8>);

fn sightings() -> impl Strategy<Value = Vec<Sighting>> {
    let entity = prop::sample::select(vec!["alice", "bob"]);
    let minute = 0..4 * 24 * 60_i64;
    let again = prop::option::of(0..3 * 24 * 60_i64);
    let one = (entity, 0..6_u8, minute, 0..LATENESS, again).prop_map(|(entity, value, minute, late, again)| Sighting {
        entity,
        value,
        minute,
        late,
        again,
    });
    prop::collection::vec(one, 1..60)
}

impl Sighting {
    fn firsts(all: &[Self], of: impl Fn(&Self) -> Pair) -> BTreeMap<Pair, i64> {
        let mut firsts = BTreeMap::new();
        for one in all {
            let first = firsts.entry(of(one)).or_insert(one.minute);
            *first = one.minute.min(*first);
        }
        firsts
    }

    fn record(&self, number: usize) -> Value {
        let user = format!("arn:aws:iam::111122223333:user/{}", self.entity);
        with(
            record("GetUser", &format!("e{number}")),
            &[
                ("/eventTime", json!((start() + SignedDuration::from_mins(self.minute)).to_string())),
                ("/userIdentity/arn", json!(user)),
                ("/userIdentity/userName", json!(self.entity)),
                ("/sourceIPAddress", json!(format!("203.0.113.{}", self.value))),
            ],
        )
    }
}

/// How often each pair was told, when events come late by up to two hours, and some of them a second time much later.
async fn first_seen(sightings: &[Sighting], size: usize) -> BTreeMap<Pair, usize> {
    let yaml = "title: New\nid: new\nlogsource: {product: aws, service: cloudtrail}\ndetection: {sel: {eventName: GetUser}, condition: sel}
trailhound: {first_seen: {entity: [derived.principal], value: [sourceIPAddress], history: 30d, learning: 1d}}\n";
    let mut arrivals: Vec<(i64, usize)> = Vec::new();
    for (number, one) in sightings.iter().enumerate() {
        arrivals.push((one.minute + one.late, number));
        arrivals.extend(one.again.map(|again| (one.minute + one.late + again, number)));
    }
    arrivals.sort_unstable();
    let records: Vec<Value> = arrivals.iter().map(|&(_, number)| sightings[number].record(number)).collect();
    let deliveries: Vec<Vec<Value>> = records.chunks(size).map(<[_]>::to_vec).collect();
    let mut told = BTreeMap::new();
    for alert in deliver(&World::new(rules(yaml)), &deliveries).await {
        let event = &finding(&alert)["evidences"][0]["data"];
        let entity = if event["userIdentity"]["userName"] == "alice" { "alice" } else { "bob" };
        let value = event["sourceIPAddress"].as_str().unwrap().rsplit('.').next().unwrap().parse().unwrap();
        *told.entry((entity, Some(value))).or_default() += 1;
    }
    told
}
