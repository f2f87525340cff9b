//! `trailhound verify`, as a user runs it.

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::world::{BUCKET, FINGERPRINT, Trail, World, public_key, time};

struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// A bucket as somebody has copied it to a folder.
struct Copy(TempDir);

impl Copy {
    /// With the metadata of digests, or without.
    fn of(world: &World, metadata: bool) -> Self {
        let copy = Self(TempDir::new().unwrap());
        for (key, stored) in &world.bucket.objects {
            copy.write(key, &stored.bytes);
            let signature = stored.metadata.clone().unwrap_or_default();
            if metadata && signature.signature.is_some() {
                let mut head = json!({"signature": signature.signature, "signature-algorithm": signature.algorithm});
                if let Some(time) = signature.backfill_generated {
                    head["backfill-generation-timestamp"] = time.into();
                }
                copy.write(
                    &format!("{key}.metadata.json"),
                    json!({"ContentType": "x", "Metadata": head}).to_string().as_bytes(),
                );
            }
        }
        let key = json!({"Value": BASE64_STANDARD.encode(public_key().value), "Fingerprint": FINGERPRINT,
            "ValidityStartTime": "2026-11-01T00:00:00+00:00", "ValidityEndTime": "2026-12-01T00:00:00+00:00"});
        fs::write(copy.0.path().join("keys.json"), json!({"PublicKeyList": [key]}).to_string()).unwrap();
        copy
    }

    fn write(&self, key: &str, bytes: &[u8]) {
        let path = self.0.path().join("copy").join(BUCKET).join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailhound"));
        let output = command.arg("verify").args(args).current_dir(self.0.path()).env_clear().output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Over the time of the digests, with the public key.
    fn verify(&self, args: &[&str]) -> Ran {
        let given =
            ["copy", "--public-keys", "keys.json", "--from", "2026-11-05T10:01:31Z", "--to", "2026-11-05T13:01:31Z"];
        self.run(&[&given, args].concat())
    }
}

/// Without what differs from run to run.
fn settled(out: &str) -> String {
    let settle = |line: &str| match line.strip_prefix("  checked     ") {
        Some(_) => "  checked     TIME by trailhound VERSION".to_owned(),
        None => line.to_owned(),
    };
    out.lines().map(settle).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_intact_copy_is_said_to_be_so() {
    let ran = Copy::of(&World::hours(4), true).verify(&[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    insta::assert_snapshot!(settled(&ran.out));
}

#[test]
fn damage_is_named_in_sentences() {
    let mut world = World::hours(4);
    world.log("10:20", "eeeeeeeeeeeeeeee");
    world.bucket.remove(&world.listed(1, 1));
    world.bucket.put(&world.listed(2, 0), b"something else");
    let copy = Copy::of(&world, true);
    let ran = copy.verify(&[]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{}", ran.out);
    insta::assert_snapshot!(settled(&ran.out));
    let ran = copy.verify(&["--format", "json"]);
    let mut document: Value = serde_json::from_str(&ran.out).unwrap();
    for member in ["/checked_at", "/checked_by/version"] {
        *document.pointer_mut(member).unwrap() = "…".into();
    }
    insta::assert_json_snapshot!(document);
}

#[test]
fn without_metadata_each_digest_but_the_newest_is_proven_by_the_next() {
    let copy = Copy::of(&World::hours(3), false);
    let ran = copy.verify(&[]);
    assert_eq!((ran.code, ran.err.as_str()), (2, ""), "{}", ran.out);
    insta::assert_snapshot!(settled(&ran.out));
    // The digest after the time that is asked for speaks for the last one of it.
    let ran = copy.verify(&["--to", "2026-11-05T11:01:31Z"]);
    assert_eq!(ran.code, 2, "--to was given twice: {}", ran.err);
    let up_to_noon = ["copy", "--public-keys", "keys.json", "--to", "2026-11-05T11:00:00Z"];
    let ran = copy.run(&up_to_noon);
    assert!(ran.code == 0 && ran.out.contains("2 verified as the next digest quotes them\n"), "{}", ran.out);
}

#[test]
fn a_deleted_digest_leaves_a_time_that_nothing_proves() {
    let mut world = World::hours(4);
    world.bucket.remove(&world.digest(1));
    let ran = Copy::of(&world, true).verify(&[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    insta::assert_snapshot!(settled(&ran.out));
}

#[test]
fn chains_are_told_apart_and_can_be_chosen() {
    let mut world = World::hours(4);
    let mut other = Trail::new("AWSLogs/", "other");
    other.digest(&mut world.bucket, "10:30:00", "11:30:00", &[]);
    let mut backfill = Trail { is_backfill: true, ..Trail::new("AWSLogs/", "trail") };
    let file = world.log("11:50", "cccccccccccccccc");
    backfill.digest(&mut world.bucket, "11:01:31", "12:01:31", &[file]);
    let mut organisation = Trail::new("team/AWSLogs/o-exampleorgid/", "org");
    organisation.digest(&mut world.bucket, "10:00:00", "11:00:00", &[]);
    let copy = Copy::of(&world, true);
    let chains = |args: &[&str]| {
        let ran = copy.verify(&[args, &["--format", "json"]].concat());
        let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        let name = |chain: &Value| format!("{} {}", chain["trail"].as_str().unwrap(), chain["digests"]["found"]);
        let chains: Vec<String> = document["chains"].as_array().unwrap().iter().map(name).collect();
        format!("{}: {}", ran.code, chains.join(", "))
    };
    assert_eq!(chains(&[]), "2: other 1, trail 4, trail 1, org 1");
    assert_eq!(chains(&["--trail", "trail"]), "0: trail 4, trail 1");
    assert_eq!(chains(&["--account", "111122223333", "--region", "eu-west-1", "--trail", "org"]), "2: org 1");
    assert_eq!(chains(&["--region", "eu-west-2"]), "2: ");
    assert_eq!(chains(&["--account", "123456789012"]), "2: ");
}

#[test]
fn what_cannot_be_asked_or_found_is_said() {
    let copy = Copy::of(&World::hours(2), true);
    let ran = copy.run(&["copy"]);
    assert!(ran.code == 2 && ran.out.contains("there are no public keys here: give the output of"), "{}", ran.out);
    assert!(ran.out.contains("4 as listed by digests that aren't proven"), "{}", ran.out);
    assert!(ran.out.contains("Verdict: NOT PROVEN."), "{}", ran.out);
    let refused = |args: &[&str], why: &str| {
        let ran = copy.run(args);
        assert!(ran.code == 2 && ran.err.contains(why), "{} {}", ran.code, ran.err);
    };
    refused(&["nowhere"], "nowhere: No such file");
    refused(&["copy", "--public-keys", "nowhere.json"], "the public keys in nowhere.json: No such file");
    refused(&["copy", "--from", "2026-11-06", "--to", "2026-11-05"], "--from has to be earlier than --to");
    refused(&["copy", "--from", "yesterday"], "a time looks like 2026-11-05 or");
    fs::create_dir(copy.0.path().join("empty")).unwrap();
    let ran = copy.run(&["empty"]);
    assert!(
        ran.code == 2 && ran.out.contains("empty: no digest files to check (is log file validation on?"),
        "{}",
        ran.out
    );
}

#[test]
fn metadata_that_cannot_be_understood_is_not_damage() {
    let world = World::hours(4);
    let copy = Copy::of(&world, true);
    copy.write(&format!("{}.metadata.json", world.digest(3)), b"{}");
    let ran = copy.verify(&[]);
    assert!(ran.code == 2 && ran.out.contains(".metadata.json: no `Metadata`"), "{}", ran.out);
    copy.write(&format!("{}.metadata.json", world.digest(3)), br#"{"Metadata":{}}"#);
    let ran = copy.verify(&[]);
    assert!(ran.code == 1 && ran.out.contains("signature missing"), "{}", ran.out);
}

#[test]
fn a_trail_that_went_silent_is_noticed() {
    let copy = Copy::of(&World::hours(2), true);
    let ran = copy.run(&["copy", "--public-keys", "keys.json"]);
    let silence = format!("none covers {} to 2", time("12:01:31"));
    assert!(ran.code == 2 && ran.out.contains(&silence), "{}", ran.out);
    assert!(ran.out.contains("Nothing is known of the times that no digest covers."), "{}", ran.out);
}

#[test]
fn help_shows_how() {
    let ran = Copy::of(&World::hours(1), true).run(&["--help"]);
    for part in
        ["trailhound verify s3://my-trail-bucket/", "list-public-keys", "FILE.metadata.json", "Exit code: 0 intact"]
    {
        assert!(ran.out.contains(part), "{part} is not in {}", ran.out);
    }
}

#[test]
fn every_finding_is_explained_and_no_other() {
    let code = include_str!("../../../src/integrity/damage.rs");
    let names = code.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut names: Vec<&str> = names.filter(|name| !name.contains(' ')).collect();
    let page = include_str!("../../../docs/integrity.md");
    let table = page.split("## What each finding means").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let mut explained: Vec<&str> = rows.flat_map(|cell| cell.trim_end_matches('`').split("`, `")).collect();
    names.sort_unstable();
    explained.sort_unstable();
    assert_eq!(names, explained);
    assert!(names.len() > 10, "{names:?}");
}
