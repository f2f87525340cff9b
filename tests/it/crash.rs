//! Processes that die, at every point between reading and marking: nothing is lost, and nothing told twice without need.
//!
//! The process that dies is this very test binary, started again: see [`the_process_that_dies`].

mod doom;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use serde_json::Value;
use tempfile::TempDir;
use trailhound::engine::Organisation;
use trailhound::local::{Folder, StateFile, walk};
use trailhound::pipeline::{Handling, Holding, Pipeline, Quarantine};
use trailhound::ports::Clock as _;
use trailhound::rule_pack;
use trailhound::trail::Readers;

use crate::limits::TICK;
use crate::scenario::{RULES, delivery, history};
use crate::support::{TODAY, compile, put_below, s3_event, sqs, trail_file};
use doom::{Doom, DoomedObjects, DoomedPublisher, DoomedState, Later};

/// Which point to die at, counted from 0; any other number to live.
const DIE_AT: &str = "CRASH_TEST_DIE_AT";
const FOLDER: &str = "CRASH_TEST_FOLDER";
const MINUTES: &str = "CRASH_TEST_MINUTES";
const PAYLOAD: &str = "CRASH_TEST_PAYLOAD";
const LIMITS: &str = "CRASH_TEST_LIMITS";

/// Two rules whose alerts are held back: all of one, and all but one of the other.
const LIMITED: &str = "rules: {stopped: {quiet: {hours: '10:00-11:00'}}, many: {max_alerts: {count: 1, per: 1h}}}";

#[test]
fn a_process_that_dies_anywhere_loses_nothing_and_repeats_nothing_without_need() {
    let before = World::prepared();
    let expected = {
        let world = before.copy();
        assert_eq!(world.run("delivery", None, 0), Died::No);
        world.told()
    };
    assert_eq!(expected.len(), 6, "{expected:?}");
    let mut points = Vec::new();
    for point in 0.. {
        let world = before.copy();
        let Died::At(what) = world.run("delivery", Some(point), 0) else { break };
        // Everything is delivered again: now and then while the claim of the dead still stands, and once it doesn't.
        if point % 5 == 0 {
            assert_eq!(world.run("delivery", None, 0), Died::No);
        }
        assert_eq!(world.run("delivery", None, 5), Died::No);
        let repeated = repeated(world.told(), &expected, &what);
        assert!(repeated.iter().all(|alert| what.unmarked.contains(alert)), "{what:?} repeated {repeated:?}");
        assert_eq!(world.put_aside(), 2, "{what:?}: the poison and its reason");
        points.push((what, repeated));
    }
    // All kinds of points were met, and among them those where repeating can't be avoided.
    for kind in ["get", "list", "put", "swap", "publish", "put aside"] {
        assert!(points.iter().filter(|(what, _)| what.doing == kind).count() >= 2, "{kind}: {points:#?}");
    }
    assert!(points.len() >= 60, "{}", points.len());
    assert!(points.iter().any(|(_, repeated)| !repeated.is_empty()));
}

/// What is held back is told in summaries an hour later.
#[test]
fn a_process_that_dies_while_alerts_are_held_back_loses_nothing() {
    let before = World::prepared_with(LIMITED);
    let run = |world: &World, die_at: Option<usize>, dies_in: &str| {
        let mut died = Died::No;
        for (payload, minutes) in [("delivery", 0), ("delivery", 5), ("tick", 60), ("tick", 65)] {
            let die_at = die_at.filter(|_| payload == dies_in && minutes % 10 == 0);
            let end = world.run(payload, die_at, minutes);
            if die_at.is_some() {
                died = end;
            }
        }
        died
    };
    let calm = before.copy();
    assert_eq!(run(&calm, None, ""), Died::No);
    let expected = calm.events();
    assert!(expected.values().all(|times| *times == 1) && expected.len() >= 4, "{expected:?}");
    assert_eq!(calm.told().iter().filter(|subject| subject.contains(" held back: ")).count(), 1, "{:?}", calm.told());
    // The other test dies at each point of a delivery.
    for (dies_in, step) in [("delivery", 3), ("tick", 1)] {
        let mut repeated = 0;
        for point in (0..).step_by(step) {
            let world = before.copy();
            let Died::At(what) = run(&world, Some(point), dies_in) else { break };
            let events = world.events();
            assert!(expected.keys().all(|event| events.contains_key(event)), "{dies_in} {what:?} lost one: {events:?}");
            let twice = events.values().filter(|times| **times > 1).count();
            assert!(twice == 0 || !what.unmarked.is_empty(), "{dies_in} {what:?} repeated without need: {events:?}");
            repeated += twice;
        }
        assert!(repeated > 0, "{dies_in}: nobody died between publishing and marking");
    }
}

/// The alerts that were told a second time. Those expected have to be there, and no others.
fn repeated(mut told: Vec<String>, expected: &[String], what: &Point) -> Vec<String> {
    for alert in expected {
        let place = told.iter().position(|one| one == alert);
        told.swap_remove(place.unwrap_or_else(|| panic!("{what:?} lost {alert}")));
    }
    assert!(told.iter().all(|alert| expected.contains(alert)), "{what:?} told something else: {told:?}");
    told.sort();
    assert!(told.windows(2).all(|two| two[0] != two[1]), "{what:?} told three times: {told:?}");
    told
}

/// A folder with log files, a state file, and the alerts that were published.
struct World {
    folder: TempDir,
    /// An organisation's file.
    limits: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
enum Died {
    No,
    At(Point),
}

/// Where a process died.
#[derive(Debug, PartialEq, Eq)]
struct Point {
    doing: String,
    /// Alerts that were out by then, and not marked.
    unmarked: Vec<String>,
}

impl World {
    fn prepared() -> Self {
        Self::prepared_with("")
    }

    fn prepared_with(limits: &'static str) -> Self {
        let world = Self { folder: TempDir::new().unwrap(), limits };
        fs::write(world.path("tick"), TICK).unwrap();
        for (name, files) in [("history", history()), ("delivery", delivery())] {
            let mut bodies: Vec<String> =
                files.iter().enumerate().map(|(n, file)| world.put(&format!("{name}{n}"), file)).collect();
            if name == "delivery" {
                bodies.push(s3_event(&put_below(&world.path("logs"), "poison", b"nonsense")));
            }
            fs::write(world.path(name), sqs(&bodies)).unwrap();
        }
        assert_eq!(world.run("history", None, 0), Died::No);
        let _ = (fs::remove_file(world.path("alerts")), fs::remove_file(world.path("events")));
        world
    }

    fn copy(&self) -> Self {
        let copy = Self { folder: TempDir::new().unwrap(), limits: self.limits };
        fs::copy(self.path("state"), copy.path("state")).unwrap();
        for name in ["delivery", "history", "tick"] {
            fs::copy(self.path(name), copy.path(name)).unwrap();
        }
        // The log files are read only.
        fs::write(copy.path("objects"), self.path("logs").to_str().unwrap()).unwrap();
        copy
    }

    fn put(&self, name: &str, records: &[Value]) -> String {
        fs::create_dir_all(self.path("logs")).unwrap();
        s3_event(&put_below(&self.path("logs"), name, &trail_file(records)))
    }

    /// How many files lie in this world's quarantine.
    fn put_aside(&self) -> usize {
        let logs = fs::read_to_string(self.path("objects")).unwrap();
        walk(&Path::new(&logs).join(quarantine(self.folder.path()))).flatten().count()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Has another process do a delivery.
    fn run(&self, payload: &str, die_at: Option<usize>, minutes: i64) -> Died {
        let _ = fs::remove_file(self.path("trace"));
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::the_process_that_dies", "--nocapture"])
            .env(DIE_AT, die_at.unwrap_or(usize::MAX).to_string())
            .env(FOLDER, self.folder.path())
            .env(MINUTES, minutes.to_string())
            .env(PAYLOAD, payload)
            .env(LIMITS, self.limits)
            .output()
            .unwrap();
        if output.status.success() {
            return Died::No;
        }
        let log = String::from_utf8_lossy(&output.stderr);
        let trace = fs::read_to_string(self.path("trace")).unwrap_or_else(|_| panic!("it failed otherwise: {log}"));
        let mut lines = trace.lines().map(str::to_owned);
        Died::At(Point { doing: lines.next().unwrap(), unmarked: lines.collect() })
    }

    fn told(&self) -> Vec<String> {
        let mut told: Vec<String> =
            fs::read_to_string(self.path("alerts")).unwrap().lines().map(str::to_owned).collect();
        told.sort();
        told
    }

    /// How often each event was named, by an alert or a summary.
    fn events(&self) -> BTreeMap<String, usize> {
        let mut events = BTreeMap::new();
        for event in fs::read_to_string(self.path("events")).unwrap_or_default().lines() {
            *events.entry(event.to_owned()).or_default() += 1;
        }
        events
    }
}

/// The name of a world's own bucket: the log files are shared.
fn quarantine(folder: &Path) -> String {
    format!("aside{}", folder.file_name().unwrap().display())
}

/// Does one delivery, and dies at the point that it is told to. Does nothing when it isn't told what.
#[tokio::test]
async fn the_process_that_dies() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let number = |name: &str| std::env::var(name).unwrap().parse::<usize>().unwrap();
    let payload = fs::read_to_string(folder.join(std::env::var(PAYLOAD).unwrap())).unwrap();
    let objects = fs::read_to_string(folder.join("objects")).map_or_else(|_| folder.join("logs"), PathBuf::from);
    let now = Later(SignedDuration::from_mins(number(MINUTES).try_into().unwrap()));
    let doom = Arc::new(Doom {
        at: number(DIE_AT),
        passed: AtomicUsize::new(0),
        folder: folder.clone(),
        unmarked: Mutex::default(),
    });
    let pipeline = Pipeline {
        objects: DoomedObjects { folder: Folder::new(&objects).unwrap(), doom: Arc::clone(&doom) },
        state: DoomedState {
            state: StateFile::open(&folder.join("state"), now.now()).unwrap(),
            doom: Arc::clone(&doom),
        },
        publisher: DoomedPublisher { folder: folder.clone(), doom },
        clock: now,
        rules: compile(RULES, &std::env::var(LIMITS).unwrap()).0,
        readers: Readers::default(),
        known: Mutex::default(),
        published: Mutex::default(),
        holding: Holding::default(),
        concurrency: 2,
        handling: Handling {
            quarantine: Some(Quarantine { bucket: quarantine(&folder), prefix: String::new() }),
            own_rules: rule_pack::load(&[], &Organisation::default(), TODAY).own,
            ..Handling::default()
        },
    };
    pipeline.handle(&payload).await;
}
