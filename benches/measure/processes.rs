//! Whole processes, from trail files in a folder to findings, by the CPU time that they took.

use super::child::{Program, Usage, race, text};
use super::corpus::Kind;
use super::input::{Rules, grouped, texts};
use super::options::Options;
use super::store::{self, Folder, Size};

const CORPORA: [(Kind, Size); 6] = [
    (Kind::Busy, Size { files: 30, per_file: 2000 }),
    (Kind::Busy, Size { files: 3000, per_file: 10 }),
    (Kind::Wide, Size { files: 20, per_file: 2000 }),
    (Kind::Management, Size { files: 20, per_file: 2000 }),
    (Kind::Data, Size { files: 20, per_file: 2000 }),
    (Kind::Busy, Size { files: 1, per_file: 330_000 }),
];
const RULES: [Rules; 2] = [Rules::Generated(1000), Rules::Quiet(1000)];

/// `scan` with 1,000 rules, beside a process that only reads the same files, and beside zcat.
pub(super) fn compare(options: &Options) {
    let rules = RULES.map(|rules| {
        let name = rules.name().replace(", ", "-").replace(' ', "-");
        store::rules_folder(&format!("rules-{name}"), &texts(rules))
    });
    let tiny = store::folder(Kind::Busy, Size { files: 1, per_file: 10 });
    println!(
        "\n| whole processes: files | MB of JSON | floor, ns a record | zcat, ns | rules | findings a record | scan, ns | over the floor | loading the rules, ms | over the floor without | in zcat's time | peak, MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (kind, size) in CORPORA {
        let folder = store::folder(kind, size);
        let scan = |index: usize, folder: &Folder| Program::scan(Some(&rules[index]), &folder.path);
        let programs = [
            reading(&folder),
            reading(&tiny),
            zcat(&folder),
            scan(0, &folder),
            scan(0, &tiny),
            scan(1, &folder),
            scan(1, &tiny),
        ];
        let [floor, floor_idle, zcat, used @ ..] = race(options.rounds, &programs);
        let corpus = Corpus {
            name: format!("{}, {} x {}", kind.name(), grouped(size.files), grouped(size.per_file)),
            size,
            folder,
            floor,
            floor_idle,
            zcat,
        };
        for (index, used) in used.chunks(2).enumerate() {
            let findings = scan(index, &corpus.folder).output().unwrap().lines().count();
            corpus.print_row(RULES[index], findings, used[0], used[1]);
        }
    }
}

/// Files, and what it takes to read them.
struct Corpus {
    name: String,
    size: Size,
    folder: Folder,
    floor: Usage,
    floor_idle: Usage,
    zcat: Usage,
}

impl Corpus {
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    fn print_row(&self, rules: Rules, findings: usize, scan: Usage, idle: Usage) {
        let records = self.size.records() as f64;
        let ns = |used: Usage| used.cpu * 1e9 / records;
        println!(
            "| {} | {:.0} | {:.0} | {:.0} | {} | {:.2} | {:.0} | {:.3} | {:.1} | {:.3} | {:.2} | {:.1} |",
            self.name,
            self.folder.json_bytes as f64 / 1e6,
            ns(self.floor),
            ns(self.zcat),
            rules.name(),
            findings as f64 / records,
            ns(scan),
            scan.cpu / self.floor.cpu,
            idle.cpu * 1e3,
            (scan.cpu - idle.cpu) / (self.floor.cpu - self.floor_idle.cpu),
            scan.cpu / self.zcat.cpu,
            scan.peak_kb as f64 / 1024.0,
        );
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
