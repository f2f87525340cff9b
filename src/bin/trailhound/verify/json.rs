//! The verdict for machines: one JSON document. Members are only ever added.

use std::io::{self, Write};

use serde_json::{Value, json};
use trailhound::integrity::{Chain, Damage, Period};

use crate::Verdict;

use super::verdict::{Inspection, Tally};

pub(super) fn print(inspection: &Inspection, out: &mut impl Write) -> io::Result<()> {
    let Inspection { place, from, to, now, chains, damage, unnamed, unchecked } = inspection;
    let document = json!({
        "verdict": match inspection.verdict() {
            Verdict::Clean => "intact",
            Verdict::Found => "damaged",
            Verdict::Broken => "not-proven",
        },
        "place": place,
        "from": from,
        "to": to,
        "checked_at": now,
        "checked_by": {"name": "trailhound", "version": env!("CARGO_PKG_VERSION")},
        "chains": chains.iter().map(chain).collect::<Vec<_>>(),
        "damage": damage.iter().map(damaged).collect::<Vec<_>>(),
        "damage_not_named": unnamed,
        "not_checked": unchecked,
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn chain(tally: &Tally) -> Value {
    let Chain { root, account, region, trail, home_region, is_backfill } = &tally.chain;
    json!({
        "bucket": tally.bucket,
        "root": root,
        "account": account,
        "region": region,
        "trail": trail,
        "home_region": home_region,
        "backfill": is_backfill,
        "covered": tally.covered.as_ref().map(period),
        "not_covered": tally.holes.iter().map(period).collect::<Vec<_>>(),
        "digests": {
            "found": tally.digests,
            "verified": tally.signed,
            "verified_as_quoted": tally.quoted,
            "not_verified": tally.digests - tally.signed - tally.quoted,
        },
        "log_files": {
            "listed": tally.listed,
            "proven": tally.proven,
            "listed_by_unproven_digests": tally.unproven,
            "damaged": tally.damaged,
            "not_checked": tally.unchecked,
            "pending": tally.pending,
        },
    })
}

fn damaged(damage: &Damage) -> Value {
    let Damage { what, object, digest, account, region, trail, period: covers } = damage;
    json!({
        "kind": what.name(),
        "title": what.title(),
        "sentence": damage.to_string(),
        "object": object.to_string(),
        "digest": digest.to_string(),
        "account": account,
        "region": region,
        "trail": trail,
        "digest_covers": covers.as_ref().map(period),
    })
}

fn period(period: &Period) -> Value {
    json!({"start": period.start, "end": period.end})
}
