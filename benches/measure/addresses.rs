//! What loading data about addresses takes, and asking for one.

use std::hint::black_box;
use std::net::IpAddr;
use std::path::Path;
use std::{fs, iter};

use trailhound::enrichment::{Enrichment, Fact};

use super::child::{Program, Usage, race, text};
use super::race::{self as turns, Entry};
use super::store;
use super::work::Counts;

const ROUNDS: usize = 9;
const LOOKUPS: usize = 100_000;

/// Whether something is known of an address.
type Ask<'e> = &'e dyn Fn(IpAddr) -> bool;

/// What is in a folder, file by file, and all of it.
pub(super) fn measure(folder: &Path) {
    let files = files(folder);
    assert!(!files.is_empty(), "there is nothing to load in {}", folder.display());
    println!("\n| `trailhound rules` with | MB | CPU, ms | beyond, ms | peak, MB | beyond, MB |");
    println!("|---|---|---|---|---|---|");
    let row = |name: &str, bytes: usize, used: Usage, idle: Usage| {
        let (used, idle) = ((used.cpu * 1e3, mb(used.peak_kb)), (idle.cpu * 1e3, mb(idle.peak_kb)));
        let (ms, peak) = (used.0 - idle.0, used.1 - idle.1);
        println!("| {name} | {:.1} | {:.1} | {ms:+.1} | {:.1} | {peak:+.1} |", size(bytes), used.0, used.1);
    };
    for (name, bytes) in &files {
        let alone = store::place().join("enrichment");
        let _ = fs::remove_dir_all(&alone);
        fs::create_dir_all(&alone).unwrap();
        fs::write(alone.join(name), bytes).unwrap();
        let [idle, used] = race(ROUNDS, &[rules(None), rules(Some(&alone))]);
        row(name, bytes.len(), used, idle);
    }
    let [idle, used] = race(ROUNDS, &[rules(None), rules(Some(folder))]);
    row("all of it", files.iter().map(|(_, bytes)| bytes.len()).sum(), used, idle);
    row("nothing", 0, idle, idle);
    lookups(files);
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| Enrichment::reads(name)).collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), fs::read(folder.join(&name)).unwrap())).collect()
}

fn rules(enrichment: Option<&Path>) -> Program {
    let more = enrichment.into_iter().flat_map(|folder| ["--enrichment", text(folder)]);
    Program::new([env!("CARGO_BIN_EXE_trailhound"), "rules"].into_iter().chain(more))
}

/// Addresses that are spread over all there are, each asked once a turn.
fn lookups(files: Vec<(String, Vec<u8>)>) {
    let mut enrichment = Enrichment::default();
    files.into_iter().for_each(|(name, bytes)| enrichment.add(&name, bytes).unwrap());
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let addresses: Vec<IpAddr> =
        iter::successors(Some(7), next).take(LOOKUPS).map(|bits| IpAddr::V4(bits.into())).collect();
    let (addresses, enrichment) = (&addresses, &enrichment);
    let ask = move |known: Ask<'_>| {
        let matches = addresses.iter().filter(|address| black_box(known(**address))).count();
        Counts { records: addresses.len(), matches, ..Counts::default() }
    };
    let asks: [(Fact, &str, Ask<'_>); 4] = [
        (Fact::AwsNetwork, "network of AWS", &|address| !enrichment.aws_networks(address).is_empty()),
        (Fact::Asn, "AS number", &|address| enrichment.asn(address).is_some()),
        (Fact::AsOrg, "AS organisation", &|address| enrichment.as_org(address).is_some()),
        (Fact::Country, "country", &|address| enrichment.country(address).is_some()),
    ];
    let asks = asks.into_iter().filter(|(fact, ..)| enrichment.knows(*fact));
    let mut entries: Vec<Entry<'_>> = asks.map(|(_, name, known)| Entry::new(name, move || ask(known))).collect();
    turns::run(ROUNDS, &mut entries);
    println!("\n| asked for | ns | known of 100 addresses |\n|---|---|---|");
    for entry in &entries {
        println!("| {} | {:.0} | {} |", entry.name, entry.ns_each(LOOKUPS), entry.counts.matches * 100 / LOOKUPS);
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn mb(kb: u64) -> f64 {
    kb as f64 / 1024.0
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn size(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
