//! Digest files: self-made chains, signed with test keys, and every kind of damage to them.

mod chains; // what belongs together: restarts, several trails, back-fill, late files
mod cli; // `trailhound verify`
mod damage; // one thing is wrong, and one finding says so
mod pipeline; // digests as they come to the function
mod stops; // checks that are stopped and go on, and what can't be looked at
mod world;

use world::{Bucket, Trail, World};

#[tokio::test]
async fn an_intact_chain_is_proven_whole() {
    let world = World::hours(3);
    for report in world.reports().await {
        assert_eq!((report.damage, report.unchecked, report.pending), (vec![], vec![], 0));
        assert_eq!(report.proof, trailhound::integrity::Proof::Signature);
        assert_eq!((report.files.listed, report.files.intact), (2, 2));
        assert_eq!(report.is_start, report.period.unwrap().start == world::time("10:01:31"));
    }
}

#[tokio::test]
async fn an_hour_without_events_is_proven_too() {
    let mut world = World::hours(1);
    world.trail.digest(&mut world.bucket, "11:01:31", "12:01:31", &[]);
    let report = world.reports().await.remove(1);
    assert_eq!((report.damage, report.files.listed), (vec![], 0));
}

#[tokio::test]
async fn an_organisation_trail_under_a_prefix_is_checked_like_any_other() {
    let mut world = World { trail: Trail::new("team/AWSLogs/o-exampleorgid/", "org"), bucket: Bucket::default() };
    world.pass_hours(3);
    assert_eq!(world.damage().await, "");
    let report = world.reports().await.remove(2);
    assert_eq!((report.files.intact, report.name.unwrap().chain.account.as_str()), (2, "111122223333"));
}

#[tokio::test]
async fn a_key_in_its_other_form_verifies_the_same() {
    let mut world = World::hours(2);
    world.bucket.keys = vec![world::public_key_info()];
    assert_eq!(world.damage().await, "");
    assert!(world.reports().await.iter().all(|report| report.unchecked.is_empty()));
}
