//! What one large file takes in memory, beyond a process that has nothing to do.

use std::path::Path;

use trailhound::rule_pack::Pack;

use super::child::{Program, race};
use super::corpus::Kind;
use super::input::{Rules, texts};
use super::store::{self, Folder, Size};

const ROUNDS: usize = 3;

pub(super) fn compare() {
    let rules = store::rules_folder("rules-1000", &texts(Rules::Generated(1000)));
    let idle = store::folder(Kind::Busy, Size { files: 1, per_file: 10 });
    let large = [33_000, 330_000].map(|per_file| store::folder(Kind::Busy, Size { files: 1, per_file }));
    println!("\n| one file, MB of JSON | rules | findings | peak, MB | idle, MB | beyond, MB | CPU, s |");
    println!("|---|---|---|---|---|---|---|");
    for large in &large {
        print_row(large, &idle, "1,000", Some(&rules));
        print_row(large, &idle, &Rules::Pack(Pack::Core).name(), None);
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn print_row(large: &Folder, idle: &Folder, name: &str, rules: Option<&Path>) {
    let scan = Program::scan(rules, &large.path);
    let findings = scan.output().unwrap().lines().count();
    let [used, idle] = race(ROUNDS, &[scan, Program::scan(rules, &idle.path)]);
    let mb = |kb: u64| kb as f64 / 1024.0;
    println!(
        "| {:.0} | {name} | {findings} | {:.1} | {:.1} | {:+.1} | {:.2} |",
        large.json_bytes as f64 / 1e6,
        mb(used.peak_kb),
        mb(idle.peak_kb),
        mb(used.peak_kb) - mb(idle.peak_kb),
        used.cpu,
    );
}
