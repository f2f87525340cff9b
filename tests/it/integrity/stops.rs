//! Checks that are stopped and go on, and what can't be looked at.

use trailhound::integrity::{Check, Progress, Report, Step};
use trailhound::pipeline::{self, Advanced};
use trailhound::trigger::ObjectRef;

use super::world::{BUCKET, Bucket, Trail, World, time};

/// A digest of many log files with every kind of damage to them, and another trail that it has to ask.
fn busy(many: usize) -> (World, String) {
    let mut world = World::hours(1);
    let mut other = Trail::new("AWSLogs/", "other");
    let foreign = other.log(&mut world.bucket, "10:20", "bbbbbbbbbbbbbbbb");
    other.digest(&mut world.bucket, "09:30:00", "10:30:00", &[foreign]);
    world.log("10:21", "eeeeeeeeeeeeeeee");
    let files: Vec<String> = (0..many).map(|number| world.log("11:15", &format!("{number:016}"))).collect();
    let key = world.trail.digest(&mut world.bucket, "11:01:31", "12:01:31", &files);
    world.bucket.remove(&files[3]);
    world.bucket.put(&files[20], b"something else");
    world.bucket.get_mut(&files[33]).bytes.truncate(9);
    world.bucket.denied.insert(files[40].clone());
    (world, key)
}

fn check(key: &str) -> Check {
    let object = ObjectRef { bucket: BUCKET.to_owned(), key: key.to_owned(), version_id: None };
    Check::new(object, time("13:05:00"))
}

/// Stops after some steps, as a function does near its deadline, and carries what it knows as text.
async fn stop_after(steps: usize, mut check: Check, bucket: &Bucket) -> Result<Report, Option<String>> {
    for _ in 0..steps {
        if let Advanced::Done(report) = pipeline::advance(&mut check, bucket, bucket, &|| false).await {
            return Ok(*report);
        }
    }
    Err(check.progress().map(|progress| serde_json::to_string(progress).unwrap()))
}

fn resumed(key: &str, progress: Option<String>) -> Check {
    progress.map_or(check(key), |text| check(key).resumed(serde_json::from_str::<Progress>(&text).unwrap()))
}

#[tokio::test]
async fn a_check_that_is_stopped_anywhere_ends_as_one_in_one_go() {
    let (world, key) = busy(50);
    let whole = world.bucket.drive(&mut check(&key)).await;
    let names: Vec<&str> = whole.damage.iter().map(|damage| damage.what.name()).collect();
    assert_eq!(names, ["log-file-missing", "log-file-altered", "log-file-altered", "log-file-added"]);
    assert_eq!((whole.files.intact, whole.files.damaged, whole.files.unchecked), (46, 3, 1));
    assert!(whole.unchecked[0].to_string().contains("was denied"), "{:?}", whole.unchecked);
    let mut stops = 0;
    while let Err(progress) = stop_after(stops, check(&key), &world.bucket).await {
        let report = world.bucket.drive(&mut resumed(&key, progress)).await;
        assert_eq!(report, whole, "stopped after {stops} steps");
        stops += 1;
    }
    assert!(stops > 10, "{stops}");
}

#[tokio::test]
async fn a_check_that_is_stopped_again_and_again_comes_to_its_end() {
    let (world, key) = busy(300);
    let whole = world.bucket.drive(&mut check(&key)).await;
    let mut progress = None;
    for tries in 0..10 {
        match stop_after(20, resumed(&key, progress), &world.bucket).await {
            Ok(report) => {
                assert!(tries > 0);
                return assert_eq!(report, whole);
            }
            Err(next) => progress = next,
        }
    }
    panic!("it doesn't get on: {progress:?}");
}

#[tokio::test]
async fn log_files_that_are_done_are_not_read_again() {
    let (world, key) = busy(50);
    let mut progress = None;
    for stops in 0.. {
        match stop_after(stops, check(&key), &world.bucket).await {
            Ok(_) => break,
            Err(next) => progress = next.or(progress),
        }
    }
    // All are done but the one that was denied.
    let mut check = resumed(&key, progress);
    let mut hashed = Vec::new();
    while !matches!(check.step(), Step::Done(_)) {
        if let Step::Hash(files) = check.step() {
            hashed.extend(files);
        }
        pipeline::advance(&mut check, &world.bucket, &world.bucket, &|| false).await;
    }
    assert_eq!(hashed.len(), 1, "{hashed:?}");
}

#[tokio::test]
async fn progress_of_another_digest_counts_as_nothing() {
    let (world, key) = busy(50);
    let other = World::hours(2);
    let Err(progress) = stop_after(6, check(&key), &world.bucket).await else { panic!("it is done") };
    let report = other.bucket.drive(&mut resumed(&other.digest(1), progress)).await;
    assert_eq!((report.files.intact, report.damage), (2, vec![]));
}

#[tokio::test]
async fn progress_stays_small_whatever_is_found() {
    let mut world = World::hours(1);
    let files: Vec<String> = (0..2_000).map(|number| world.log("11:15", &format!("{number:016}"))).collect();
    let key = world.trail.digest(&mut world.bucket, "11:01:31", "12:01:31", &files);
    files.iter().for_each(|file| world.bucket.remove(file));
    let mut check = check(&key);
    let report = world.bucket.drive(&mut check).await;
    assert_eq!((report.damage.len(), report.unnamed, report.files.damaged), (500, 1_500, 2_000));
    assert!(serde_json::to_string(check.progress().unwrap()).unwrap().len() < 60_000);
}

fn deny(world: &mut World, key: String) {
    world.bucket.denied.insert(key);
}

#[tokio::test]
async fn what_is_denied_is_neither_damage_nor_proof() {
    let logs = |world: &World| world.listed(0, 0).rsplit_once('/').unwrap().0.to_owned() + "/";
    for (change, what, intact) in [
        ((|world| world.bucket.keys_denied = true) as fn(&mut World), "the signature of", 2),
        (|world| deny(world, world.digest(1)), "the contents of", 0),
        (|world| deny(world, world.digest(0)), "the contents of", 2),
        (|world| deny(world, world.listed(1, 0)), "the contents of", 1),
    ] {
        let mut world = World::hours(2);
        change(&mut world);
        let report = world.bucket.check(&world.digest(1), time("12:05:00")).await;
        assert_eq!((report.damage.len(), report.unchecked.len(), report.files.intact), (0, 1, intact), "{what}");
        let said = report.unchecked[0].to_string();
        assert!(said.starts_with(what) && said.contains("denied"), "{said}");
    }
    let mut world = World::hours(2);
    world.bucket.denied.insert(logs(&world));
    let report = world.bucket.check(&world.digest(1), time("12:05:00")).await;
    assert_eq!((report.damage.len(), report.files.intact), (0, 2));
    let said = report.unchecked[0].to_string();
    assert!(
        said.starts_with("which log files were added in the hour before of") && said.contains("s3:ListBucket"),
        "{said}"
    );
}

#[tokio::test]
async fn a_file_that_an_unreadable_digest_may_list_is_not_called_added() {
    let (mut world, key) = busy(50);
    let other = world.bucket.objects.keys().find(|key| key.contains("_other_")).unwrap().clone();
    world.bucket.denied.insert(other);
    let report = world.bucket.check(&key, time("13:05:00")).await;
    assert!(report.damage.iter().all(|damage| damage.what.name() != "log-file-added"));
    assert_eq!(report.unchecked.len(), 2);
}

#[tokio::test]
async fn after_many_refusals_the_rest_is_not_tried_and_counts_as_unchecked() {
    let mut world = World::hours(1);
    let files: Vec<String> = (0..200).map(|number| world.log("11:15", &format!("{number:016}"))).collect();
    let key = world.trail.digest(&mut world.bucket, "11:01:31", "12:01:31", &files);
    world.bucket.denied.extend(files);
    let report = world.bucket.check(&key, time("12:05:00")).await;
    assert_eq!((report.files.listed, report.files.unchecked, report.files.intact), (200, 200, 0));
    assert!((50..100).contains(&report.unchecked.len()), "{}", report.unchecked.len());
    assert_eq!(report.damage, []);
}

#[tokio::test]
async fn a_hash_of_an_unknown_kind_is_not_checked() {
    let mut world = World::hours(1);
    let files = [world.log("11:15", "aaaaaaaaaaaaaaaa")];
    let mut document = world.trail.document(&world.bucket, "11:01:31", "12:01:31", &files);
    document["logFiles"][0]["hashAlgorithm"] = "SHA3-512".into();
    let key = world.trail.deliver(&mut world.bucket, &document);
    let report = world.bucket.check(&key, time("12:05:00")).await;
    assert_eq!((report.damage.len(), report.files.unchecked), (0, 1));
    assert!(report.unchecked[0].why.contains("an algorithm that this version"), "{:?}", report.unchecked);
    document["logFiles"] = serde_json::json!([]);
    document["previousDigestHashAlgorithm"] = "SHA3-512".into();
    let key = world.trail.deliver(&mut world.bucket, &document);
    let report = world.bucket.check(&key, time("12:05:00")).await;
    assert_eq!((report.damage.len(), report.unchecked.len()), (0, 1));
    assert!(report.unchecked[0].to_string().contains("_20261105T110131Z"), "{:?}", report.unchecked);
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_not_damage() {
    let mut world = World::hours(1);
    world.bucket.keys[0].value.truncate(100);
    let report = world.bucket.check(&world.digest(0), time("11:05:00")).await;
    assert_eq!((report.damage.len(), report.files.intact), (0, 2));
    assert!(report.unchecked[0].why.contains("it is no RSA key in DER form"), "{:?}", report.unchecked);
}
