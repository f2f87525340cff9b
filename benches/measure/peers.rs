//! The same files through other programs: first what they find, then what it took them.

use std::fs;
use std::path::PathBuf;

use super::child::{Program, Usage, text};
use super::corpus::Kind;
use super::input::{Rules, grouped, texts};
use super::options::Options;
use super::processes::zcat;
use super::store::{self, Folder, Size};

const SIZE: Size = Size { files: 20, per_file: 2000 };
const ROUNDS: usize = 3;
/// Calls that one plain rule each looks for, so that programs without Sigma can look for the same. No other source in the
/// records has an event of these names.
const CALLS: [(&str, &str); 10] = [
    ("secretsmanager", "GetSecretValue"),
    ("ec2", "RunInstances"),
    ("ec2", "CreateSnapshot"),
    ("ec2", "AuthorizeSecurityGroupIngress"),
    ("signin", "ConsoleLogin"),
    ("iam", "CreateAccessKey"),
    ("iam", "AttachRolePolicy"),
    ("iam", "UpdateAssumeRolePolicy"),
    ("s3", "PutBucketPolicy"),
    ("cloudtrail", "StopLogging"),
];

/// How a program tells what it found.
#[derive(Debug, Clone, Copy)]
enum Tells {
    Nothing,
    /// A line for each.
    Lines,
    /// Numbers that have to be added up.
    Numbers,
}

struct Peer {
    name: &'static str,
    /// What is special about its run.
    note: &'static str,
    /// What to run to see whether it is there, and which one.
    version: &'static [&'static str],
    program: Program,
    tells: Tells,
}

/// What a set of rules is tried on.
struct Course {
    rules: PathBuf,
    folder: Folder,
    /// The same records, one a line, not compressed: for programs that read nothing else.
    lines: PathBuf,
}

pub(super) fn compare(options: &Options) {
    println!("\n| rules | program | matches | CPU, ns a record | x trailhound | peak, MB |");
    println!("|---|---|---|---|---|---|");
    let rounds = options.rounds.min(ROUNDS);
    let course = Course::new(store::rules_folder("rules-calls", &CALLS.map(plain_rule)));
    let peers = [course.zcat(), course.ripgrep(), course.jq(), course.rsigma(), course.suzaku()];
    compare_with("10 event names", &course, peers, rounds);
    for number in [57, 1000] {
        let rules = texts(Rules::Generated(number));
        let course = Course::new(store::rules_folder(&format!("rules-{number}"), &rules));
        compare_with(&grouped(number), &course, [course.rsigma(), course.suzaku()], rounds);
    }
}

fn plain_rule((source, name): (&str, &str)) -> String {
    format!(
        "title: {name}\nid: calls-{name}\nlevel: medium\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n  \
         selection:\n    eventSource: {source}.amazonaws.com\n    eventName: {name}\n  condition: selection\n"
    )
}

fn compare_with<const N: usize>(rules: &str, course: &Course, peers: [Peer; N], rounds: usize) {
    let ours = course.trailhound();
    let found = ours.matches().unwrap();
    let least = ours.least(rounds).unwrap();
    print_row(rules, "**trailhound**", found, least, least);
    for peer in peers {
        let Some(version) = peer.version() else {
            println!("| {rules} | {}: not installed | | | | |", peer.name);
            continue;
        };
        match peer.matches().and_then(|found| Ok((found, peer.least(rounds)?))) {
            Ok((theirs, used)) => {
                if theirs.is_some_and(|theirs| Some(theirs) != found) {
                    eprintln!("{version} finds {theirs:?} where trailhound finds {found:?}: their times don't compare");
                }
                print_row(rules, &version, theirs, used, least);
            }
            Err(what) => {
                println!("| {rules} | {version}: failed, {} | | | | |", what.lines().next().unwrap_or_default());
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn print_row(rules: &str, name: &str, found: Option<usize>, used: Usage, ours: Usage) {
    println!(
        "| {rules} | {name} | {} | {:.0} | {:.1} | {:.0} |",
        found.map_or_else(|| "-".to_owned(), grouped),
        used.cpu * 1e9 / SIZE.records() as f64,
        used.cpu / ours.cpu,
        used.peak_kb as f64 / 1024.0,
    );
}

impl Peer {
    /// Its name with what it says of its version; nothing when it is not installed.
    fn version(&self) -> Option<String> {
        let said = Program::new(self.version.iter().copied()).output().ok()?;
        let number = said.split_whitespace().find(|word| word.contains(|letter: char| letter.is_ascii_digit()));
        Some(format!("{} {}{}", self.name, number.unwrap_or_default().trim_start_matches("jq-"), self.note))
    }

    fn matches(&self) -> Result<Option<usize>, String> {
        Ok(match self.tells {
            Tells::Nothing => None,
            Tells::Lines => Some(self.program.output()?.lines().count()),
            Tells::Numbers => {
                Some(self.program.output()?.lines().filter_map(|line| line.trim().parse::<usize>().ok()).sum())
            }
        })
    }

    fn least(&self, rounds: usize) -> Result<Usage, String> {
        (0..rounds).try_fold(Usage::NONE, |least, _| Ok(least.least(self.program.used()?)))
    }
}

impl Course {
    fn new(rules: PathBuf) -> Self {
        let folder = store::folder(Kind::Busy, SIZE);
        let lines = folder.path.with_extension("jsonl");
        if !lines.exists() {
            fs::write(&lines, store::as_lines(Kind::Busy, SIZE)).unwrap();
        }
        Self { rules, folder, lines }
    }

    fn files(&self) -> impl Iterator<Item = &str> {
        self.folder.files.iter().map(|file| text(file))
    }

    fn trailhound(&self) -> Peer {
        let program = Program::scan(Some(&self.rules), &self.folder.path);
        Peer { name: "trailhound", note: "", version: &[], program, tells: Tells::Lines }
    }

    fn zcat(&self) -> Peer {
        let version = &["zcat", "--version"];
        Peer { name: "zcat", note: "", version, program: zcat(&self.folder), tells: Tells::Nothing }
    }

    fn ripgrep(&self) -> Peer {
        let pattern = format!("\"eventName\":\"({})\"", CALLS.map(|(_, name)| name).join("|"));
        // The target directory is ignored by git, and so by rg.
        let options = ["rg", "--search-zip", "--count-matches", "--no-filename", "--no-ignore", "--threads", "1"];
        let program = Program::new(options.into_iter().chain(["-e", &pattern, text(&self.folder.path)]));
        Peer { name: "rg", note: " -z", version: &["rg", "--version"], program, tells: Tells::Numbers }
    }

    fn jq(&self) -> Peer {
        let rules = CALLS
            .map(|(source, name)| format!("(.eventSource == \"{source}.amazonaws.com\" and .eventName == \"{name}\")"));
        let filter = format!(".Records[] | select({}) | .eventID", rules.join(" or "));
        let arguments = Some(filter.as_str()).into_iter().chain(self.files());
        let program = Program::shell("filter=$1; shift; zcat \"$@\" | jq -r \"$filter\"", arguments);
        Peer { name: "jq", note: ", given zcat's output", version: &["jq", "--version"], program, tells: Tells::Lines }
    }

    /// It gets what spares it most work: lines that are inflated and split.
    fn rsigma(&self) -> Peer {
        let events = format!("@{}", text(&self.lines));
        let program = Program::new(["rsigma", "engine", "eval", "-r", text(&self.rules), "-e", &events]);
        Peer {
            name: "rsigma",
            note: ", given inflated lines",
            version: &["rsigma", "--version"],
            program,
            tells: Tells::Lines,
        }
    }

    /// By its manual; it has not been run by us.
    fn suzaku(&self) -> Peer {
        let out = store::place().join("suzaku.jsonl");
        let script =
            "suzaku aws-ct-timeline -q -N -T -K -C -t 3 --threads 1 -d \"$1\" -r \"$2\" -o \"$3\" && cat \"$3\"";
        let program = Program::shell(script, [text(&self.folder.path), text(&self.rules), text(&out)]);
        Peer { name: "suzaku", note: "", version: &["suzaku", "help"], program, tells: Tells::Lines }
    }
}
