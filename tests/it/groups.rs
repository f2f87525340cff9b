//! Groups of correlations that are many, large, far apart, or damaged.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use trailhound::alerting::{Correlation, Correlator, Item, Key, Step};
use trailhound::local::StateMemory;
use trailhound::ports::{Clock as _, StateStore as _};

use crate::correlation::{BURST, base, by, call, correlation};
use crate::support::{TestClock, World, failed, rules, screened, trail_file, with};

fn burst() -> World {
    World::new(rules(&(base(&[("list", "ListUsers")]) + &correlation(BURST))))
}

/// Each may take megabytes, and a function has little memory.
#[tokio::test]
async fn many_groups_are_read_a_few_at_a_time() {
    let all = "{type: event_count, rules: [burst], group-by: [awsRegion], timespan: 1h, condition: {gte: 30}, generate: true}";
    let chain = base(&[("list", "ListUsers")])
        + &correlation(BURST).replace("id: adds-up", "id: burst\nname: burst")
        + "---\n"
        + &correlation(all);
    let world = World::new(rules(&chain));
    let events = |id: &str, time: &str| -> Vec<u8> {
        let each = |user: u32| by(&format!("user{user}"), call("ListUsers", &format!("{id}{user}"), time));
        trail_file(&(0..30).map(each).collect::<Vec<_>>())
    };
    for (name, time) in [("a", "10:00:00"), ("b", "10:01:00")] {
        world.notify(&[&world.put(name, &events(name, time))]).await;
    }
    assert_eq!(world.subjects(), [""; 0]);
    let outcome = world.notify(&[&world.put("c", &events("c", "10:02:00"))]).await;
    assert_eq!((outcome.counts.episodes, world.subjects().len()), (31, 31), "one a user, and one of all of them");
    assert_eq!(world.pipeline.state.most_listed.load(Ordering::Relaxed), 8);
}

/// What lies between two years is none of their business, however much it is.
#[tokio::test]
async fn events_years_apart_are_looked_at_one_by_one() {
    let world = burst();
    let on = |date: &str, id: &str| {
        with(
            call("ListUsers", &format!("{date}{id}"), "00:00:00"),
            &[("/eventTime", json!(format!("{date}T10:0{id}:00Z")))],
        )
    };
    world.notify(&[&world.put("between", &trail_file(&[on("2025-11-05", "1")]))]).await;
    flood(&world).await;
    let early = ["2024-11-05", "2026-11-05"].map(|date| [on(date, "1"), on(date, "2")]).concat();
    world.notify(&[&world.put("early", &trail_file(&early))]).await;
    let last = [on("2024-11-05", "3"), on("2026-11-05", "3")];
    let outcome = world.notify(&[&world.put("last", &trail_file(&last))]).await;
    assert_eq!((failed(&outcome).len(), world.subjects().len()), (0, 2));
}

/// It counts as nothing: everything else is judged all the same, and somebody is told.
#[tokio::test]
async fn a_part_that_cannot_be_understood_is_left_out_and_named() {
    let world = burst();
    let early = ["alice", "bob"].map(|user| by(user, call("ListUsers", &format!("{user}1"), "10:00:00")));
    world.notify(&[&world.put("early", &trail_file(&early))]).await;
    let state = &world.pipeline.state;
    let part = state.page(None, world.pipeline.clock.now()).await.unwrap().items.remove(0);
    let key = Key { sort: format!("{}x", part.key.sort), ..part.key.clone() };
    state.put(&[Item { key, value: "{".into(), ..part }]).await.unwrap();
    let late = |user: &str, id: &str| by(user, call("ListUsers", &format!("{user}{id}"), "10:01:00"));
    let late = ["alice", "bob"].map(|user| [late(user, "2"), late(user, "3")]).concat();
    let outcome = world.notify(&[&world.put("late", &trail_file(&late))]).await;
    assert_eq!((failed(&outcome).len(), outcome.counts.state_failures, world.subjects().len()), (0, 1, 2));
}

fn over(id: &str, body: &str) -> String {
    format!("---\n{}", correlation(body).replace("id: adds-up", &format!("id: {id}\nname: {id}")))
}

/// Two groups want the same two groups below them, at different times.
#[tokio::test]
async fn groups_on_three_levels_that_share_what_they_read_are_all_told() {
    let rules_of = base(&[("list", "ListUsers")]).trim_end_matches("---\n").to_owned()
        + &over(
            "w",
            "{type: event_count, rules: [list], group-by: [sourceIPAddress], timespan: 5m, condition: {gte: 2}}",
        )
        + &over("b", "{type: event_count, rules: [w], group-by: [awsRegion], timespan: 5m, condition: {gte: 1}}")
        + &over(
            "a",
            "{type: event_count, rules: [b], group-by: [userIdentity.userName], timespan: 5m, condition: {gte: 1}}",
        );
    let world = World::new(rules(&rules_of));
    let calls = [("u1", "09:00:00"), ("u1", "09:00:30"), ("u2", "09:10:00"), ("u2", "09:10:30")];
    let calls = calls.map(|(user, time)| by(user, call("ListUsers", time, time)));
    world.notify(&[&world.put("a", &trail_file(&calls))]).await;
    let alerts = world.alerts();
    let about = |user: &str| alerts.iter().filter(|alert| alert.text.contains(&format!("for {user} in"))).count();
    assert_eq!((about("u1"), about("u2"), alerts.len()), (1, 1, 2), "{}", alerts[0].text);
}

/// One of two has what it wants to read, the other one has to ask what people know.
#[tokio::test]
async fn groups_that_wait_for_different_things_get_both() {
    let rules_of = base(&[("list", "ListUsers"), ("get", "GetUser")]).trim_end_matches("---\n").to_owned()
        + &over(
            "x",
            "{type: event_count, rules: [list], group-by: [sourceIPAddress], timespan: 5m, condition: {gte: 2}}",
        )
        + &over(
            "a",
            "{type: temporal, rules: [x, get], group-by: [userIdentity.userName], timespan: 10m, generate: true}",
        );
    let world = World::new(rules(&rules_of));
    let burst = |user: &str, minute: u32| {
        [0, 20]
            .map(|second| by(user, call("ListUsers", &format!("{user}{second}"), &format!("08:{minute}:{second:02}"))))
    };
    world.notify(&[&world.put("early", &trail_file(&[burst("u1", 33), burst("u2", 41)].concat()))]).await;
    world.alerts();
    // By nobody whom the outer one could count them for.
    let mut calls: Vec<Value> = (0..16)
        .map(|number| {
            let time = format!("08:{:02}:05", 2 * number);
            with(call("ListUsers", &format!("n{number}"), &time), &[("/userIdentity/userName", json!(null))])
        })
        .collect();
    calls.extend([("u1", "08:28:00"), ("u2", "08:38:00")].map(|(user, time)| by(user, call("GetUser", user, time))));
    world.notify(&[&world.put("late", &trail_file(&calls))]).await;
    // What nobody did runs into the first burst, which then is no longer u1's.
    let alerts = world.alerts();
    let chained: Vec<&str> =
        alerts.iter().filter(|alert| alert.subject.contains("Adds up")).map(|alert| alert.text.as_str()).collect();
    assert!(chained.len() == 1 && chained[0].contains(" for u2:"), "{chained:?}");
}

/// Each of many groups that one reads is read once, however many steps that takes.
#[tokio::test]
async fn a_group_that_reads_many_others_reads_each_once() {
    let rules_of = base(&[("list", "ListUsers")]).trim_end_matches("---\n").to_owned()
        + &over(
            "x",
            "{type: event_count, rules: [list], group-by: [sourceIPAddress], timespan: 5m, condition: {gte: 2}}",
        )
        + &over("a", "{type: event_count, rules: [x], group-by: [awsRegion], timespan: 1h, condition: {gte: 500}}");
    let world = World::new(rules(&rules_of));
    let pair = |number: u32| {
        ["09:10:00", "09:11:00"].map(|time| {
            let address = format!("10.0.{}.{}", number / 256, number % 256);
            with(call("ListUsers", &format!("{number}{time}"), time), &[("/sourceIPAddress", json!(address))])
        })
    };
    let pairs = |range: std::ops::Range<u32>| trail_file(&range.flat_map(pair).collect::<Vec<_>>());
    world.notify(&[&world.put("most", &pairs(0..499))]).await;
    assert_eq!(world.subjects(), [""; 0]);
    let before = world.pipeline.state.lists.load(Ordering::Relaxed);
    world.notify(&[&world.put("last", &pairs(499..500))]).await;
    assert_eq!(world.subjects().len(), 1);
    let lists = world.pipeline.state.lists.load(Ordering::Relaxed) - before;
    assert!((63..80).contains(&lists), "{lists} for 500 groups, eight at a time");
}

/// One process has read the second address before the other one completed it there, and links it after that one looked.
#[tokio::test]
async fn of_two_processes_that_link_groups_at_once_the_later_one_sees_both() {
    let rules = rules(
        &(base(&[("list", "ListUsers")]).trim_end_matches("---\n").to_owned()
            + &over(
                "x",
                "{type: event_count, rules: [list], group-by: [sourceIPAddress], timespan: 1h, condition: {gte: 2}}",
            )
            + &over(
                "a",
                "{type: event_count, rules: [x], group-by: [userIdentity.userName], timespan: 5m, condition: {gte: 2}}",
            )),
    );
    let from = |address: &str, time: &str| with(call("ListUsers", time, time), &[("/sourceIPAddress", json!(address))]);
    let slow = [from("203.0.113.1", "10:30:00"), from("203.0.113.1", "10:30:10"), from("203.0.113.2", "10:31:00")];
    let quick = [from("203.0.113.2", "10:31:10")];
    let now = TestClock::default().now();
    let correlator = |records: &[Value]| Correlator::new(&rules, screened(&rules, records).1.contributions, now);
    let (mut slow, mut quick) = (correlator(&slow), correlator(&quick));
    let state = StateMemory::default();
    let links = drive(&state, &mut slow, 1).await.unwrap_err();
    assert_eq!(drive(&state, &mut quick, usize::MAX).await.unwrap().findings.len(), 0);
    state.put(&links).await.unwrap();
    assert_eq!(drive(&state, &mut slow, usize::MAX).await.unwrap().findings.len(), 1);
}

/// Goes on until it is done, or gives what it would write after so many writes.
async fn drive(state: &StateMemory, correlator: &mut Correlator<'_>, writes: usize) -> Result<Correlation, Vec<Item>> {
    let now = TestClock::default().now();
    let mut left = writes;
    loop {
        match correlator.step() {
            Step::Write(items) if left == 0 => return Err(items),
            Step::Write(items) => {
                left -= 1;
                state.put(&items).await.unwrap();
            }
            Step::Read(stretches) => {
                let listed = state.list(&stretches, now).await.unwrap();
                stretches.iter().zip(&listed).for_each(|(stretch, listed)| correlator.shelve(stretch, listed));
            }
            Step::Ask(keys) => {
                let items = state.get(&keys, now).await.unwrap();
                correlator.hear(keys, &items);
            }
            Step::Done(correlation) => return Ok(correlation),
        }
    }
}

/// Whoever floods a group must not hide what comes next in it.
#[tokio::test]
async fn a_group_that_is_too_large_to_read_is_judged_by_its_latest_events() {
    let chain = "{type: temporal, rules: [list, get], group-by: [userIdentity.userName], timespan: 5m}";
    let world = World::new(rules(&(base(&[("list", "ListUsers"), ("get", "GetUser")]) + &correlation(chain))));
    world.notify(&[&world.put("a", &trail_file(&[call("ListUsers", "1", "10:00:00")]))]).await;
    flood(&world).await;
    let outcome = world
        .notify(
            &[&world.put("b", &trail_file(&[call("ListUsers", "2", "10:01:00"), call("GetUser", "3", "10:02:00")]))],
        )
        .await;
    assert_eq!((failed(&outcome).len(), world.subjects().len()), (0, 1));
}

/// Adds more to the one group that is remembered than is read of it.
async fn flood(world: &World) {
    let state = &world.pipeline.state;
    let now = world.pipeline.clock.now();
    let items = state.page(None, now).await.unwrap().items;
    let part = items.iter().find(|item| item.key.partition.starts_with("C#")).unwrap();
    for number in 0..20 {
        let mut value: Value = serde_json::from_str(&part.value).unwrap();
        value["texts"].as_array_mut().unwrap().push(json!("x".repeat(300_000)));
        let sort = format!("{}{number}", part.key.sort);
        let key = Key { sort, ..part.key.clone() };
        state.put(&[Item { key, value: value.to_string(), ..part.clone() }]).await.unwrap();
    }
}
