//! What belongs together: restarts, several trails, back-fill, late files.

use jiff::Timestamp;
use serde_json::Value;
use trailhound::integrity::{Check, Report, Step};
use trailhound::trigger::ObjectRef;

use super::world::{BUCKET, Trail, World, short, time};

/// What the check of one digest came to, at a time.
async fn found(world: &World, key: &str, now: Timestamp) -> String {
    let Report { damage, unchecked, pending, .. } = world.bucket.check(key, now).await;
    assert_eq!(unchecked, []);
    let mut found: Vec<String> =
        damage.iter().map(|damage| format!("{} {}", damage.what.name(), short(&damage.object.key))).collect();
    found.extend((pending > 0).then(|| format!("{pending} pending")));
    found.join("; ")
}

#[tokio::test]
async fn logging_that_was_stopped_and_started_is_told_with_the_time_that_nothing_proves() {
    let mut world = World::hours(2);
    world.trail.is_linked = false;
    world.trail.digest(&mut world.bucket, "15:30:00", "16:30:00", &[]);
    assert_eq!(world.damage().await, "chain-restarted digest 16:30:00");
    let sentence = world.reports().await[2].damage[0].to_string();
    assert!(
        sentence.ends_with("Nothing proves the log files from 2026-11-05T12:01:31Z to 2026-11-05T15:30:00Z."),
        "{sentence}"
    );
    // And goes on from there.
    world.trail.digest(&mut world.bucket, "16:30:00", "17:30:00", &[]);
    assert_eq!(world.damage().await, "chain-restarted digest 16:30:00");
}

#[tokio::test]
async fn a_chain_that_was_cut_without_a_break_in_time() {
    let mut world = World::hours(2);
    world.trail.is_linked = false;
    world.pass_hours(1);
    assert_eq!(world.damage().await, "chain-restarted digest 13:01:31");
    let sentence = world.reports().await[2].damage[0].to_string();
    assert!(
        sentence.contains("although the last one before ended at 2026-11-05T12:01:31Z, when this one begins"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_log_file_that_was_added_to_the_last_hour_before_a_restart() {
    let mut world = World::hours(2);
    world.log("11:20", "eeeeeeeeeeeeeeee");
    world.trail.is_linked = false;
    world.trail.digest(&mut world.bucket, "15:30:00", "16:30:00", &[]);
    assert_eq!(world.damage().await, "chain-restarted digest 16:30:00; log-file-added log 11:20 eeee");
}

#[tokio::test]
async fn the_first_digest_of_a_trail_is_no_restart_of_another() {
    let mut world = World::hours(2);
    let mut other = Trail::new("AWSLogs/", "other");
    let first = other.digest(&mut world.bucket, "11:30:00", "12:30:00", &[]);
    assert_eq!(found(&world, &first, time("12:35:00")).await, "");
    assert!(world.bucket.check(&first, time("12:35:00")).await.is_start);
}

#[tokio::test]
async fn what_was_delivered_before_a_chain_began_is_not_added() {
    let mut world = World::hours(2);
    world.log("09:50", "bbbbbbbbbbbbbbbb");
    world.log("10:00", "bbbbbbbbbbbbbbbb");
    assert_eq!(world.damage().await, "");
}

#[tokio::test]
async fn a_late_file_stands_in_the_next_digest() {
    let mut world = World::hours(1);
    let late = world.log("10:55", "1111111111111111");
    let files = [late, world.log("11:15", "aaaaaaaaaaaaaaaa")];
    world.trail.digest(&mut world.bucket, "11:01:31", "12:01:31", &files);
    assert_eq!(world.damage().await, "");
}

/// Two trails with digests at different minutes, and a log file of the second.
fn two_trails() -> (World, Trail) {
    let mut world = World::hours(3);
    let mut other = Trail::new("AWSLogs/", "other");
    other.digest(&mut world.bucket, "09:30:00", "10:30:00", &[]);
    other.digest(&mut world.bucket, "10:30:00", "11:30:00", &[]);
    (world, other)
}

#[tokio::test]
async fn trails_that_share_a_prefix_speak_for_each_others_files() {
    let (mut world, mut other) = two_trails();
    let file = other.log(&mut world.bucket, "11:40", "bbbbbbbbbbbbbbbb");
    other.digest(&mut world.bucket, "11:30:00", "12:30:00", &[file]);
    assert_eq!(world.damage().await, "");
}

#[tokio::test]
async fn a_late_file_of_another_trail() {
    let (mut world, mut other) = two_trails();
    let file = other.log(&mut world.bucket, "11:25", "bbbbbbbbbbbbbbbb");
    other.digest(&mut world.bucket, "11:30:00", "12:30:00", &[file]);
    assert_eq!(world.damage().await, "");
}

#[tokio::test]
async fn a_file_that_the_next_digest_of_another_trail_may_list_waits_for_it() {
    let (mut world, mut other) = two_trails();
    // The other trail's next digest ends at 12:30:00 and comes some minutes later; this chain's is checked right then.
    let file = other.log(&mut world.bucket, "11:55", "bbbbbbbbbbbbbbbb");
    let last = world.digest(2);
    assert_eq!(found(&world, &last, time("12:40:00")).await, "1 pending");
    // It doesn't come: that trail was stopped.
    assert_eq!(found(&world, &last, time("13:05:00")).await, "log-file-added log 11:55 bbbb");
    // It does, and so the file is nobody's question, whoever is asked.
    let next = other.digest(&mut world.bucket, "11:30:00", "12:30:00", &[file]);
    assert_eq!(found(&world, &last, time("13:05:00")).await, "");
    assert_eq!(found(&world, &next, time("12:35:00")).await, "");
}

#[tokio::test]
async fn an_added_file_is_found_among_those_of_several_trails() {
    let (mut world, mut other) = two_trails();
    let file = other.log(&mut world.bucket, "11:40", "bbbbbbbbbbbbbbbb");
    world.log("11:41", "eeeeeeeeeeeeeeee");
    other.digest(&mut world.bucket, "11:30:00", "12:30:00", &[file]);
    other.digest(&mut world.bucket, "12:30:00", "13:30:00", &[]);
    assert_eq!(world.damage().await, "log-file-added log 11:41 eeee");
}

#[tokio::test]
async fn trails_of_other_prefixes_do_not_speak_for_a_file() {
    let mut world = World::hours(3);
    let file = world.log("11:40", "bbbbbbbbbbbbbbbb");
    // Below another root, whatever it lists.
    Trail::new("elsewhere/AWSLogs/", "other").digest(&mut world.bucket, "11:30:00", "12:30:00", &[file]);
    assert_eq!(world.damage().await, "log-file-added log 11:40 bbbb");
}

/// A back-fill digest that lists a file which the hourly ones left out.
fn backfilled() -> (World, Trail, String) {
    let mut world = World::hours(3);
    let file = world.log("11:50", "cccccccccccccccc");
    let mut backfill = Trail { is_backfill: true, ..world.trail.clone() };
    backfill.digests.clear();
    let key = backfill.digest(&mut world.bucket, "11:01:31", "12:01:31", &[file]);
    (world, backfill, key)
}

#[tokio::test]
async fn a_back_fill_digest_speaks_for_what_the_hourly_ones_left_out() {
    let (world, _, key) = backfilled();
    assert_eq!(world.damage().await, "");
    let report = world.bucket.check(&key, time("18:05:00")).await;
    assert_eq!((report.damage, report.unchecked, report.files.intact), (vec![], vec![], 1));
}

#[tokio::test]
async fn back_fill_digests_are_a_chain_of_their_own_without_hours() {
    let (mut world, mut backfill, first) = backfilled();
    let second = backfill.digest(&mut world.bucket, "17:01:31", "18:01:31", &[]);
    assert_eq!(found(&world, &second, time("18:05:00")).await, "");
    // Another one that starts anew isn't a restart.
    backfill.is_linked = false;
    let third = backfill.digest(&mut world.bucket, "20:01:31", "21:01:31", &[]);
    assert_eq!(found(&world, &third, time("21:05:00")).await, "");
    world.bucket.remove(&first);
    assert_eq!(found(&world, &second, time("18:05:00")).await, "previous-digest-missing digest 12:01:31");
}

#[tokio::test]
async fn a_back_fill_digest_is_signed_with_the_key_of_when_it_was_made() {
    let (mut world, _, key) = backfilled();
    // The key came into use long after the time that the digest covers.
    world.bucket.keys[0].valid_from = Some(time("17:00:00"));
    assert_eq!(found(&world, &key, time("18:05:00")).await, "");
    world.bucket.keys[0].valid_from = Some(time("19:30:00"));
    assert_eq!(found(&world, &key, time("18:05:00")).await, "public-key-unknown digest 12:01:31");
    // What is no time leads to no other key: whoever writes it can't have the digest pass for one that isn't checked.
    world.bucket.metadata(&key).backfill_generated = Some("this evening".to_owned());
    assert_eq!(found(&world, &key, time("18:05:00")).await, "public-key-unknown digest 12:01:31");
    world.bucket.metadata(&key).backfill_generated = None;
    assert_eq!(found(&world, &key, time("18:05:00")).await, "signature-missing digest 12:01:31");
}

#[tokio::test]
async fn the_signature_is_taken_from_the_next_digest_where_metadata_is_not_kept() {
    let mut world = World::hours(3);
    world.bucket.objects.values_mut().for_each(|stored| stored.metadata = None);
    let key = world.digest(1);
    let quoted = world.bucket.document(&world.digest(2))["previousDigestSignature"].as_str().map(str::to_owned);
    let object = ObjectRef { bucket: BUCKET.to_owned(), key, version_id: None };
    let check = || Check::new(object.clone(), time("13:05:00"));
    let report = world.bucket.drive(&mut check().quoted(quoted)).await;
    assert_eq!((report.damage, report.unchecked), (vec![], vec![]));
    assert_eq!(report.proof, trailhound::integrity::Proof::QuotedSignature);
    // Of the newest nobody says it: its files are as it lists them, and that is all.
    let report = world.bucket.drive(&mut check()).await;
    assert_eq!((report.damage, report.files.intact, report.proof), (vec![], 2, trailhound::integrity::Proof::Nothing));
    assert!(report.unchecked[0].to_string().starts_with("the signature of s3://"), "{:?}", report.unchecked);
    let report = world.bucket.drive(&mut check().quoted(Some("00ff".to_owned()))).await;
    assert_eq!(report.damage[0].what.name(), "signature-invalid");
}

#[tokio::test]
async fn the_signed_text_is_made_of_what_is_written() {
    // The end of the time may be written in any way; it is signed as it is written.
    let mut world = World::hours(1);
    let mut document: Value = world.trail.document(&world.bucket, "11:01:31", "12:01:31", &[]);
    document["digestEndTime"] = "2026-11-05T12:01:31.000+00:00".into();
    let key = world.trail.deliver(&mut world.bucket, &document);
    assert_eq!(found(&world, &key, time("12:05:00")).await, "");
}

#[tokio::test]
async fn a_step_is_the_same_until_it_is_answered() {
    let world = World::hours(2);
    let object = ObjectRef { bucket: BUCKET.to_owned(), key: world.digest(1), version_id: None };
    let mut check = Check::new(object, time("12:05:00"));
    loop {
        let step = check.step();
        assert_eq!(check.step(), step);
        if matches!(step, Step::Done(_)) {
            break;
        }
        trailhound::pipeline::advance(&mut check, &world.bucket, &world.bucket, &|| false).await;
    }
}
