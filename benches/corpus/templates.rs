//! Parts of records with places that are filled in.

use std::fmt::Write as _;

use super::Random;

/// What people and programs name things.
#[rustfmt::skip]
pub(super) const NAMES: &[&str] = &[
    "orders", "payments", "catalogue", "search", "billing", "invoices", "warehouse", "shipping", "accounts", "sessions",
    "reports", "metrics", "ingest", "export", "frontend", "gateway", "scheduler", "worker", "etl", "lake", "training",
    "features", "audit", "backup", "mailer", "images", "thumbnails", "events", "replica", "staging",
];
/// What people write where they may write anything, as it stands in JSON.
const PHRASES: &[&str] = &[
    "nightly export",
    "Zuständig: Jörg Müller",
    "données de février",
    "請求書 2026年11月",
    "said \\\"do not delete\\\"",
    "C:\\\\reports\\\\weekly",
    "see the runbook\\nthen ask the team",
    "caf\\u00e9 \\ud83d\\ude80",
    "R&D \\u003cshared\\u003e",
    "владелец: платформа",
];
pub(super) const HEX: &[u8] = b"0123456789abcdef";
pub(super) const CAPITALS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Replaces each `<word>` of a template.
pub(super) fn fill(template: &str, random: &mut Random) -> String {
    let mut filled = String::with_capacity(2 * template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('<') {
        let (word, after) = behind.split_once('>').unwrap();
        filled.push_str(before);
        filled.push_str(&value(word, random));
        rest = after;
    }
    filled + rest
}

fn value(word: &str, random: &mut Random) -> String {
    let name = random.pick(NAMES);
    match word {
        "bucket" => format!("{name}-eu-west-1-111122223333"),
        "key" => format!("{name}/2026/11/05/{}.parquet", uuid(random)),
        "role" => format!("arn:aws:iam::111122223333:role/{name}-role"),
        // As many keys as there are teams.
        "kms" => format!("arn:aws:kms:eu-west-1:111122223333:key/{}", uuid(&mut Random::new(name.len() as u64))),
        "name" => name.to_owned(),
        "phrase" => random.pick(PHRASES).to_owned(),
        "number" => random.below(1000).to_string(),
        "byte" => random.below(256).to_string(),
        "hex" => text(HEX, 16, random),
        "id" => text(CAPITALS, 9, random),
        "token" => text(LETTERS, 64, random),
        "uuid" => uuid(random),
        word => panic!("`<{word}>` in shapes.txt means nothing"),
    }
}

pub(super) fn text(alphabet: &[u8], length: usize, random: &mut Random) -> String {
    (0..length).map(|_| char::from(random.pick(alphabet))).collect()
}

pub(super) fn uuid(random: &mut Random) -> String {
    let mut text = String::with_capacity(36);
    let (high, low) = (random.bits(), random.bits());
    // OK because writing into a String can't fail.
    let _ = write!(
        text,
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    );
    text
}
