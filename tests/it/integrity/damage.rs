//! One thing is wrong, and one finding says so.

use serde_json::{Value, json};
use trailhound::integrity::{Check, What};

use crate::support::gzip;

use super::world::{BUCKET, World, short, sign, time};

/// Three hours, of which the last digest can still be looked at from none.
fn world() -> World {
    World::hours(3)
}

/// Writes an object again, changed.
fn alter(world: &mut World, key: &str, from: &str, to: &str) {
    let content = String::from_utf8(world.bucket.content(key)).unwrap();
    assert!(content.contains(from), "{content}");
    world.bucket.get_mut(key).bytes = gzip(content.replacen(from, to, 1).as_bytes());
}

/// The last digest, signed by the one who has the key, with other members.
fn rewritten(world: &mut World, change: impl FnOnce(&mut Value)) -> String {
    let key = world.trail.digests.pop().unwrap();
    let mut document = world.bucket.document(&key);
    change(&mut document);
    world.bucket.remove(&key);
    world.trail.deliver(&mut world.bucket, &document)
}

#[tokio::test]
async fn an_altered_log_file() {
    let mut world = world();
    let file = world.listed(1, 0);
    alter(&mut world, &file, "aaaa", "aaab");
    assert_eq!(world.damage().await, "log-file-altered log 11:15 aaaa");
    let reports = world.reports().await;
    let damage = &reports[1].damage[0];
    let sentence = damage.to_string();
    assert!(
        sentence.starts_with(&format!("The log file s3://{BUCKET}/{file} was altered: its SHA-256 was ")),
        "{sentence}"
    );
    assert_eq!(damage.period.unwrap().start, time("11:01:31"));
    assert_eq!((reports[1].files.intact, reports[1].files.damaged), (1, 1));
}

#[tokio::test]
async fn a_log_file_that_was_unzipped_holds_the_same() {
    let mut world = world();
    let file = world.listed(1, 0);
    world.bucket.get_mut(&file).bytes = world.bucket.content(&file);
    assert_eq!(world.damage().await, "");
}

#[tokio::test]
async fn a_log_file_whose_gzip_is_damaged_or_cut_or_gone() {
    for (change, why) in [
        ((|bytes| bytes[20] ^= 0xff) as fn(&mut Vec<u8>), "the gzip data is damaged"),
        (|bytes| bytes.truncate(30), "the file ends in the middle of its data"),
        (Vec::clear, "the file is empty"),
        (|bytes| bytes.extend(b"more"), "the gzip data is damaged: other bytes follow its end"),
    ] {
        let mut world = world();
        let file = world.listed(1, 0);
        change(&mut world.bucket.get_mut(&file).bytes);
        assert_eq!(world.damage().await, "log-file-altered log 11:15 aaaa");
        let sentence = world.reports().await[1].damage[0].to_string();
        assert!(sentence.contains(&format!("it isn't what was delivered; {why}")), "{sentence}");
    }
}

#[tokio::test]
async fn a_deleted_log_file() {
    let mut world = world();
    world.bucket.remove(&world.listed(1, 1));
    assert_eq!(world.damage().await, "log-file-missing log 11:40 aaaa");
}

#[tokio::test]
async fn an_added_log_file_is_found_when_the_next_digest_comes() {
    let mut world = world();
    let file = world.log("11:20", "eeeeeeeeeeeeeeee");
    assert_eq!(world.damage().await, "log-file-added log 11:20 eeee");
    let damage = world.reports().await.remove(2).damage.remove(0);
    assert_eq!((damage.object.key, damage.what), (file, What::FileAdded { delivered: time("11:20:00") }));
    // Nothing that comes now can be about the last hour: its digest may be on its way.
    let mut world = self::world();
    world.log("12:20", "eeeeeeeeeeeeeeee");
    assert_eq!(world.damage().await, "");
}

#[tokio::test]
async fn an_altered_digest_proves_nothing_and_its_successor_says_so_too() {
    let mut world = world();
    let digest = world.digest(1);
    alter(&mut world, &digest, "\"oldestEventTime\":null", "\"oldestEventTime\":nul1".replace('1', "l ").as_str());
    assert_eq!(world.damage().await, "signature-invalid digest 12:01:31; previous-digest-altered digest 12:01:31");
    let reports = world.reports().await;
    assert_eq!((reports[1].files.listed, reports[1].files.unchecked), (2, 2));
    let sentence = reports[2].damage[0].to_string();
    assert!(sentence.contains("held something else when the next one"), "{sentence}");
}

#[tokio::test]
async fn a_digest_that_somebody_else_signed() {
    let mut world = World::hours(2);
    world.trail.signs = "stranger";
    world.pass_hours(1);
    assert_eq!(world.damage().await, "signature-invalid digest 13:01:31");
}

#[tokio::test]
async fn a_digest_with_the_signature_of_another() {
    let mut world = world();
    let other = world.bucket.metadata(&world.digest(0)).signature.clone();
    let digest = world.digest(2);
    world.bucket.metadata(&digest).signature = other;
    assert_eq!(world.damage().await, "signature-invalid digest 13:01:31");
    world.bucket.metadata(&digest).signature = Some("not hexadecimal".to_owned());
    assert_eq!(world.damage().await, "signature-invalid digest 13:01:31");
}

#[tokio::test]
async fn a_digest_that_was_signed_again_differs_from_what_its_successor_quotes() {
    let mut world = world();
    world.bucket.metadata(&world.digest(1)).signature = Some(sign("stranger", "something"));
    assert_eq!(world.damage().await, "signature-invalid digest 12:01:31; previous-digest-altered digest 12:01:31");
    let sentence = world.reports().await[2].damage[0].to_string();
    assert!(sentence.contains("had another signature when the next one"), "{sentence}");
}

#[tokio::test]
async fn metadata_that_is_missing_or_strange() {
    let mut world = world();
    let digest = world.digest(2);
    world.bucket.metadata(&digest).algorithm = Some("SHA1withRSA".to_owned());
    assert_eq!(world.damage().await, "signature-algorithm-unknown digest 13:01:31");
    world.bucket.metadata(&digest).algorithm = None;
    assert_eq!(world.damage().await, "signature-missing digest 13:01:31");
    world.bucket.metadata(&digest).signature = None;
    assert_eq!(world.damage().await, "signature-missing digest 13:01:31");
    let sentence = world.reports().await[2].damage[0].to_string();
    assert!(sentence.contains("has no metadata `x-amz-meta-signature`"), "{sentence}");
}

#[tokio::test]
async fn a_key_that_cloudtrail_did_not_have_there_and_then() {
    let mut world = World::hours(1);
    world.bucket.keys[0].valid_to = Some(time("10:00:00"));
    assert_eq!(world.damage().await, "public-key-unknown digest 11:01:31");
    world.bucket.keys.clear();
    assert_eq!(world.damage().await, "public-key-unknown digest 11:01:31");
}

#[tokio::test]
async fn a_deleted_digest_is_missed_by_its_successor() {
    let mut world = world();
    world.bucket.remove(&world.digest(1));
    assert_eq!(world.damage().await, "previous-digest-missing digest 12:01:31");
}

#[tokio::test]
async fn a_digest_that_is_gone_when_it_is_to_be_read() {
    let mut world = world();
    let digest = world.digest(2);
    world.bucket.remove(&digest);
    let report = world.bucket.check(&digest, time("13:05:00")).await;
    assert_eq!((report.damage.len(), &report.damage[0].what), (1, &What::DigestMissing));
}

#[tokio::test]
async fn a_digest_in_another_place_than_it_says() {
    let mut world = world();
    let copy = world.trail.digest_key("14:01:31");
    let stored = world.bucket.objects[&world.digest(2)].clone();
    world.bucket.objects.insert(copy.clone(), stored);
    world.trail.digests.push(copy);
    assert_eq!(world.damage().await, "digest-moved digest 14:01:31");
    let mut world = self::world();
    rewritten(&mut world, |document| document["digestS3Bucket"] = json!("elsewhere"));
    assert_eq!(world.damage().await, "digest-moved digest 13:01:31");
}

#[tokio::test]
async fn a_digest_that_cannot_be_read() {
    for (change, why) in [
        ((|bytes| bytes.truncate(40)) as fn(&mut Vec<u8>), "the file ends in the middle of its data"),
        (|bytes| bytes[30] ^= 0xff, "the gzip data is damaged"),
        (|bytes| *bytes = gzip(br#"{"digestStartTime":"2026-11-05T"#), "its JSON is broken"),
        (|bytes| *bytes = gzip(b"[]"), "its JSON is broken"),
        (|bytes| *bytes = gzip(b"{}"), "it has no `digestEndTime`"),
    ] {
        let mut world = world();
        let digest = world.digest(2);
        change(&mut world.bucket.get_mut(&digest).bytes);
        assert_eq!(world.damage().await, "digest-unreadable digest 13:01:31");
        let sentence = world.reports().await[2].damage[0].to_string();
        assert!(sentence.contains(&format!("isn't one that CloudTrail wrote: {why}")), "{sentence}");
    }
}

#[tokio::test]
async fn a_previous_digest_whose_gzip_is_damaged() {
    let mut world = world();
    let digest = world.digest(1);
    world.bucket.get_mut(&digest).bytes.truncate(40);
    assert_eq!(world.damage().await, "digest-unreadable digest 12:01:31; previous-digest-altered digest 12:01:31");
}

#[tokio::test]
async fn a_file_among_the_digests_that_is_named_like_none() {
    let world = world();
    let key = world.digest(2).replace("_CloudTrail-Digest_", "_copy_");
    let mut check = Check::new(
        trailhound::trigger::ObjectRef { bucket: BUCKET.to_owned(), key, version_id: None },
        time("13:05:00"),
    );
    let report = world.bucket.drive(&mut check).await;
    assert_eq!((report.damage.len(), report.damage[0].what.name()), (1, "digest-unreadable"));
}

#[tokio::test]
async fn a_previous_hash_that_does_not_fit() {
    let mut world = world();
    rewritten(&mut world, |document| {
        document["previousDigestHashValue"] = json!(trailhound::integrity::Hash::of(b"").to_string());
    });
    assert_eq!(world.damage().await, "previous-digest-altered digest 12:01:31");
}

#[tokio::test]
async fn a_gap_between_digests() {
    let mut world = world();
    world.trail.digest(&mut world.bucket, "14:01:31", "15:01:31", &[]);
    assert_eq!(world.damage().await, "gap digest 15:01:31");
    let sentence = world.reports().await[3].damage[0].to_string();
    assert!(
        sentence.starts_with("No digest file covers 2026-11-05T13:01:31Z to 2026-11-05T14:01:31Z, before s3://"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_listed_hash_that_is_wrong() {
    let mut world = world();
    rewritten(&mut world, |document| {
        document["logFiles"][1]["hashValue"] = json!(trailhound::integrity::Hash::of(b"").to_string());
    });
    assert_eq!(world.damage().await, "log-file-altered log 12:40 aaaa");
}

#[tokio::test]
async fn every_bit_of_a_digest_counts() {
    let mut world = World::hours(2);
    let digest = world.digest(1);
    let content = world.bucket.content(&digest);
    for at in (0..content.len()).step_by(7) {
        let mut altered = content.clone();
        altered[at] ^= 1;
        world.bucket.get_mut(&digest).bytes = gzip(&altered);
        let report = world.bucket.check(&digest, time("12:05:00")).await;
        assert_eq!(report.damage.len(), 1, "byte {at}: {:?}", report.damage);
        assert_eq!(short(&report.damage[0].object.key), "digest 12:01:31");
        assert_eq!(report.files.intact, 0);
    }
}

/// Nothing vouches for a digest while CloudTrail's keys are denied, and it is read all the same.
#[tokio::test]
async fn times_beyond_all_time_are_only_times() {
    for (start, end) in
        [("-009999-01-02T01:59:59Z", "9999-12-30T22:00:00Z"), ("9999-12-30T22:00:00Z", "-009999-01-02T02:00:00Z")]
    {
        let mut world = World::hours(2);
        rewritten(&mut world, |document| {
            document["digestStartTime"] = json!(start);
            document["digestEndTime"] = json!(end);
        });
        world.pass_hours(1);
        world.bucket.keys_denied = true;
        for report in world.reports().await {
            assert_eq!(report.unchecked.len(), 1, "{:?}", report.unchecked);
        }
    }
}
