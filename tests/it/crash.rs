//! Processes that die, at every point between reading and marking: nothing is lost, and nothing told twice without need.
//!
//! The process that dies is this very test binary, started again: see [`the_process_that_dies`].

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use trailhound::alerting::{Item, Items, Key, Listed, Stretch};
use trailhound::engine::Organisation;
use trailhound::local::{Folder, FolderBody, StateFile, walk};
use trailhound::notify::Notification;
use trailhound::pipeline::{Handling, Pipeline, Quarantine};
use trailhound::ports::{
    Clock, FetchError, KeepError, ListError, ObjectStore, Page, PublishError, Publisher, StateError, StateStore,
};
use trailhound::rule_pack;
use trailhound::trail::Readers;
use trailhound::trigger::ObjectRef;

use crate::scenario::{RULES, delivery, history};
use crate::support::{put_below, rules, s3_event, sqs, trail_file};

/// Which point to die at, counted from 0; any other number to live.
const DIE_AT: &str = "CRASH_TEST_DIE_AT";
const FOLDER: &str = "CRASH_TEST_FOLDER";
const MINUTES: &str = "CRASH_TEST_MINUTES";
const PAYLOAD: &str = "CRASH_TEST_PAYLOAD";

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
        let world = Self { folder: TempDir::new().unwrap() };
        for (name, files) in [("history", history()), ("delivery", delivery())] {
            let mut bodies: Vec<String> =
                files.iter().enumerate().map(|(n, file)| world.put(&format!("{name}{n}"), file)).collect();
            if name == "delivery" {
                bodies.push(s3_event(&put_below(&world.path("logs"), "poison", b"nonsense")));
            }
            fs::write(world.path(name), sqs(&bodies)).unwrap();
        }
        assert_eq!(world.run("history", None, 0), Died::No);
        fs::remove_file(world.path("alerts")).unwrap();
        world
    }

    fn copy(&self) -> Self {
        let copy = Self { folder: TempDir::new().unwrap() };
        fs::copy(self.path("state"), copy.path("state")).unwrap();
        for name in ["delivery", "history"] {
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
        publisher: DoomedPublisher { path: folder.join("alerts"), doom },
        clock: now,
        rules: rules(RULES),
        readers: Readers::default(),
        known: Mutex::default(),
        published: Mutex::default(),
        concurrency: 2,
        handling: Handling {
            quarantine: Some(Quarantine { bucket: quarantine(&folder), prefix: String::new() }),
            own_rules: rule_pack::load(&[], &Organisation::default(), crate::support::TODAY).own,
            ..Handling::default()
        },
    };
    pipeline.handle(&payload).await;
}

/// Ends the process at its point.
struct Doom {
    at: usize,
    passed: AtomicUsize,
    folder: PathBuf,
    /// Alerts that are out and not marked, by dedup key.
    unmarked: Mutex<BTreeMap<String, String>>,
}

impl Doom {
    fn point(&self, doing: &str) {
        if self.passed.fetch_add(1, Ordering::SeqCst) == self.at {
            let unmarked = self.unmarked.lock().unwrap();
            let lines: Vec<&str> = std::iter::once(doing).chain(unmarked.values().map(String::as_str)).collect();
            fs::write(self.folder.join("trace"), lines.join("\n")).unwrap();
            std::process::abort();
        }
    }

    fn published(&self, notification: &Notification) {
        let chat: Value = serde_json::from_str(&notification.chat).unwrap();
        let key = chat["metadata"]["threadId"].as_str().unwrap();
        self.unmarked.lock().unwrap().insert(format!("A#{key}"), notification.subject.clone());
    }

    /// What is written under the key of an alert that is out is its mark; the claim came before.
    fn written(&self, item: &Item) {
        self.unmarked.lock().unwrap().remove(&item.key.partition);
    }
}

/// Five minutes later than the first try, or not.
struct Later(SignedDuration);

impl Clock for Later {
    fn now(&self) -> Timestamp {
        "2026-11-05T10:06:00Z".parse::<Timestamp>().unwrap() + self.0
    }

    async fn pause(&self, _: Duration) {}
}

/// Dies around what is put aside.
struct DoomedObjects {
    folder: Folder,
    doom: Arc<Doom>,
}

impl ObjectStore for DoomedObjects {
    type Body = FolderBody;

    async fn get(&self, object: &ObjectRef) -> Result<FolderBody, FetchError> {
        self.folder.get(object).await
    }

    async fn list(&self, bucket: &str, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectRef>, ListError> {
        self.folder.list(bucket, prefix, after).await
    }

    async fn put(&self, to: &ObjectRef, bytes: Bytes) -> Result<(), KeepError> {
        self.doom.point("put aside");
        self.folder.put(to, bytes).await
    }

    async fn copy(&self, from: &ObjectRef, to: &ObjectRef) -> Result<(), KeepError> {
        self.doom.point("put aside");
        self.folder.copy(from, to).await?;
        self.doom.point("put aside");
        Ok(())
    }
}

/// Writes items one by one, as a table does: the process may die with a part of them written.
struct DoomedState {
    state: StateFile,
    doom: Arc<Doom>,
}

impl StateStore for DoomedState {
    async fn get(&self, keys: &[Key], now: Timestamp) -> Result<Items, StateError> {
        self.doom.point("get");
        let items = self.state.get(keys, now).await;
        self.doom.point("get");
        items
    }

    async fn list(&self, stretches: &[Stretch], now: Timestamp) -> Result<Vec<Listed>, StateError> {
        self.doom.point("list");
        let listed = self.state.list(stretches, now).await;
        self.doom.point("list");
        listed
    }

    async fn put(&self, items: &[Item]) -> Result<(), StateError> {
        for item in items {
            self.doom.point("put");
            self.state.put(std::slice::from_ref(item)).await?;
            self.doom.point("put");
        }
        Ok(())
    }

    async fn swap(&self, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
        let mut written = Vec::new();
        for item in items {
            self.doom.point("swap");
            written.extend(self.state.swap(std::slice::from_ref(item), now).await?);
            self.doom.written(item);
            self.doom.point("swap");
        }
        Ok(written)
    }

    async fn page(&self, after: Option<&Key>, now: Timestamp) -> Result<Page, StateError> {
        self.state.page(after, now).await
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StateError> {
        self.state.remove(keys).await
    }
}

/// Adds a line to a file for each alert.
struct DoomedPublisher {
    path: PathBuf,
    doom: Arc<Doom>,
}

impl Publisher for DoomedPublisher {
    async fn publish(&self, notification: &Notification) -> Result<(), PublishError> {
        self.doom.point("publish");
        append(&self.path, &notification.subject);
        self.doom.published(notification);
        self.doom.point("publish");
        Ok(())
    }
}

fn append(path: &Path, line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{line}").unwrap();
}
