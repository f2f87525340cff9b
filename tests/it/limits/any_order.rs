//! Whatever order things are delivered in, and whatever fails meanwhile: each finding is told, is in a summary, or has one of
//! these speak for it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use trailhound::finding::FindingUid;
use trailhound::notify::Notification;
use trailhound::trail::EventIdentity;

use super::{at, by, deliver, tick, told_back, world};
use crate::support::{ACCOUNT, Fails, World, failed};

const LIMITS: &[&str] = &[
    "quiet: {hours: '22:00-06:00'}",
    "quiet: [{hours: '21:00-07:00', offset: '-01:00'}, {days: [fri]}]",
    "max_alerts: {count: 1, per: 1h}",
    "max_alerts: {count: 2, per: 1d}",
    "quiet: {hours: '23:00-03:00'}, max_alerts: {count: 1, per: 2h}",
    "level: low",
];
/// For how long, in minutes, an alert speaks for others of its key.
const WINDOW: i64 = 60;

/// A call of a user, so many minutes after 20:00.
#[derive(Debug, Clone, Copy)]
struct Call {
    user: &'static str,
    minute: i64,
}

impl Call {
    fn record(self, number: usize) -> Value {
        let minute = 20 * 60 + self.minute;
        let time = format!("{:02}T{:02}:{:02}", 5 + minute / 1440, minute / 60 % 24, minute % 60);
        by(self.user, &number.to_string(), &time)
    }
}

/// What happens: some calls are delivered, by their places, after some minutes.
#[derive(Debug, Clone)]
struct Turn {
    calls: Vec<Index>,
    minutes: i64,
    restarts: bool,
    fails: Option<Fails>,
}

fn call() -> impl Strategy<Value = Call> {
    let user = prop::sample::select(vec!["alice", "bob", "carol", "dave"]);
    (user, 0..900_i64).prop_map(|(user, minute)| Call { user, minute })
}

fn turn() -> impl Strategy<Value = Turn> {
    let fails =
        prop::sample::select(vec![None, None, Some(Fails::Away), Some(Fails::PuttingBy), Some(Fails::Removing)]);
    (prop::collection::vec(any::<Index>(), 0..4), 0..200_i64, any::<bool>(), fails)
        .prop_map(|(calls, minutes, restarts, fails)| Turn { calls, minutes, restarts, fails })
}

/// How often each call was named, in an alert or a summary.
async fn named(limits: &str, calls: &[Call], turns: &[Turn]) -> BTreeMap<usize, usize> {
    let world = world(limits, "05T20:00");
    let records: Vec<Value> = calls.iter().enumerate().map(|(number, call)| call.record(number)).collect();
    let mut again = Vec::new();
    for (number, turn) in turns.iter().enumerate() {
        world.pipeline.clock.pass_minutes(turn.minutes);
        if turn.restarts {
            world.restart();
        }
        world.pipeline.state.fails(turn.fails);
        let some: Vec<Value> = turn.calls.iter().map(|place| records[place.index(records.len())].clone()).collect();
        if !failed(&deliver(&world, &number.to_string(), &some).await).is_empty() {
            again.push(some);
        }
    }
    world.pipeline.state.fails(None);
    // Every call comes in the end.
    again.push(records);
    for (number, records) in again.iter().enumerate() {
        deliver(&world, &format!("again{number}"), records).await;
    }
    at(&world, "14T12:00");
    assert_eq!(tick(&world).await.failed.len(), 0);
    assert_eq!(tick(&world).await.summaries, 0, "all is told by now");
    count(&world, calls)
}

fn count(world: &World, calls: &[Call]) -> BTreeMap<usize, usize> {
    let uid = |number: usize| {
        let identity = EventIdentity { account: ACCOUNT.to_owned(), event_id: number.to_string() };
        FindingUid::of_match("test", &identity).to_string()
    };
    let numbers: BTreeMap<String, usize> = (0..calls.len()).map(|number| (uid(number), number)).collect();
    let mut named = BTreeMap::new();
    for number in world.alerts().iter().flat_map(|alert| numbers_of(alert, &numbers)) {
        *named.entry(number).or_default() += 1;
    }
    named
}

fn numbers_of(alert: &Notification, numbers: &BTreeMap<String, usize>) -> Vec<usize> {
    match told_back(alert) {
        Value::Null => {
            let finding: Value = serde_json::from_str(&alert.ocsf).unwrap();
            let events = finding["evidences"].as_array().unwrap().iter();
            events.map(|event| event["uid"].as_str().unwrap().parse().unwrap()).collect()
        }
        summary => summary["findings"].as_array().unwrap().iter().map(|uid| numbers[uid.as_str().unwrap()]).collect(),
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_told_twice(
        calls in prop::collection::vec(call(), 1..12),
        turns in prop::collection::vec(turn(), 0..12),
        limits in prop::sample::select(LIMITS),
        can_fail in any::<bool>(),
    ) {
        let calm: Vec<Turn> = turns.iter().map(|turn| Turn { fails: None, ..turn.clone() }).collect();
        let named = run(named(limits, &calls, if can_fail { &turns } else { &calm }));
        for (number, call) in calls.iter().enumerate() {
            let speaks = |other: usize| {
                calls[other].user == call.user && (calls[other].minute - call.minute).abs() <= WINDOW
            };
            prop_assert!(named.keys().any(|&other| speaks(other)), "{} is lost: {:?}", number, named);
        }
        // Without the memory, some things have to be told again.
        if !can_fail {
            prop_assert!(named.values().all(|times| *times == 1), "told twice: {:?}", named);
        }
    }
}
