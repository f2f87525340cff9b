//! Whole processes, from trail files in a folder to findings, by the CPU time that they took.

use super::child::{Program, Usage, race, text};
use super::corpus::Kind;
use super::input::{Rules, texts};
use super::options::Options;
use super::store::{self, Folder, Size};

const CORPORA: [(Kind, Size); 5] = [
    (Kind::Busy, Size { files: 30, per_file: 2000 }),
    (Kind::Busy, Size { files: 3000, per_file: 10 }),
    (Kind::Wide, Size { files: 20, per_file: 2000 }),
    (Kind::Management, Size { files: 20, per_file: 2000 }),
    (Kind::Data, Size { files: 20, per_file: 2000 }),
];
/// Fewer than in one process: each takes a while, and CPU time shakes less than a clock.
const ROUNDS: usize = 7;

/// `scan` with 1,000 rules, beside a process that only reads the same files, and beside zcat.
pub(super) fn compare(options: &Options) {
    let rules = store::place().join("rules-1000");
    store::write_rules(&texts(Rules::Generated(1000)), &rules);
    let tiny = store::folder(Kind::Busy, Size { files: 1, per_file: 10 });
    println!(
        "\n| whole processes: files | MB of JSON | floor, ns a record | scan, 1,000 rules, ns | over the floor | loading the rules, ms | over the floor without | zcat, ns | scan in zcat's time | peak of scan, MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (kind, size) in CORPORA {
        let folder = store::folder(kind, size);
        let programs = [
            reading(&folder),
            reading(&tiny),
            Program::scan(Some(&rules), &folder.path),
            Program::scan(Some(&rules), &tiny.path),
            zcat(&folder),
        ];
        print_row(kind, size, &folder, &race(options.rounds.min(ROUNDS), &programs));
    }
}

/// This program as it reads files and does nothing with their records.
fn reading(folder: &Folder) -> Program {
    let this = std::env::current_exe().unwrap();
    Program::new([text(&this), "read", text(&folder.path)])
}

pub(super) fn zcat(folder: &Folder) -> Program {
    Program::new(["zcat"].into_iter().chain(folder.files.iter().map(|file| text(file))))
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn print_row(kind: Kind, size: Size, folder: &Folder, used: &[Usage; 5]) {
    let [floor, floor_idle, scan, scan_idle, zcat] = used;
    let ns = |seconds: f64| seconds * 1e9 / size.records() as f64;
    println!(
        "| {}, {} x {} | {:.0} | {:.0} | {:.0} | {:.3} | {:.1} | {:.3} | {:.0} | {:.2} | {:.1} |",
        kind.name(),
        size.files,
        size.per_file,
        folder.json_bytes as f64 / 1e6,
        ns(floor.cpu),
        ns(scan.cpu),
        scan.cpu / floor.cpu,
        scan_idle.cpu * 1e3,
        (scan.cpu - scan_idle.cpu) / (floor.cpu - floor_idle.cpu),
        ns(zcat.cpu),
        scan.cpu / zcat.cpu,
        scan.peak_kb as f64 / 1024.0,
    );
}
