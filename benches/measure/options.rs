//! What can be asked of the program.

use std::path::PathBuf;

use super::corpus::Kind;
use super::input::Rules;
use super::store::Size;

pub(super) const USAGE: &str = "\
Measures what reading CloudTrail records and holding them against rules costs.

usage: cargo bench --bench measure -- [BENCH…] [--kind KIND] [--records N] [--per-file N] [--rounds N] [--svg FILE]
       cargo bench --bench measure -- write KIND FILESxRECORDS DIR    a corpus as trail files
       cargo bench --bench measure -- write-rules RULES DIR           generated rules, a file each
       cargo bench --bench measure -- read DIR                        reads trail files and does nothing with them
       cargo bench --bench measure -- addresses DIR                   loads data about addresses, and asks for some
       cargo bench --bench measure -- count RULES [--records N] [--end-to-end]
                                                                      one run, for benches/instructions.sh

BENCH  reading (inflate, scan, floor), match, contains, compile, process, memory, cost (of the state table), peers; all but the
       last two unless named
KIND   busy, wide, management, data, ordinary; busy unless told
RULES  none, the name of a pack, a number of generated rules, quiet-1000: without those that match all the time, or 1000+200: with so many
       more that look into requestParameters

--svg FILE   draws the table of `match`";

pub(super) enum Job {
    Help,
    Measure(Options),
    Count { rules: Rules, records: usize, end_to_end: bool },
    Read(PathBuf),
    Addresses(PathBuf),
    Write { kind: Kind, size: Size, folder: PathBuf },
    WriteRules { rules: Rules, folder: PathBuf },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bench {
    Reading,
    Match,
    Contains,
    Compile,
    Process,
    Memory,
    Cost,
    Peers,
}

pub(super) struct Options {
    pub(super) benches: Vec<Bench>,
    pub(super) kind: Kind,
    /// In memory; folders have sizes of their own.
    pub(super) records: usize,
    pub(super) per_file: usize,
    /// In which all take turns; the best counts.
    pub(super) rounds: usize,
    pub(super) svg: Option<PathBuf>,
}

type Arguments<'a> = &'a mut dyn Iterator<Item = String>;

/// # Errors
/// What is wrong with the arguments.
pub(super) fn parse(arguments: impl Iterator<Item = String>) -> Result<Job, String> {
    // Cargo's own.
    let mut arguments = arguments.filter(|argument| argument != "--bench").peekable();
    let Some(first) = arguments.peek().cloned() else { return options(&mut arguments).map(Job::Measure) };
    if ["--help", "-h", "help"].contains(&&*first) {
        return Ok(Job::Help);
    }
    if !["write", "write-rules", "read", "addresses", "count"].contains(&&*first) {
        return options(&mut arguments).map(Job::Measure);
    }
    arguments.next();
    let job = match &*first {
        "count" => count(&mut arguments)?,
        "read" => Job::Read(next(&mut arguments, "read")?.into()),
        "addresses" => Job::Addresses(next(&mut arguments, "addresses")?.into()),
        "write-rules" => {
            let rules = rules(&next(&mut arguments, "write-rules")?)?;
            Job::WriteRules { rules, folder: next(&mut arguments, "write-rules")?.into() }
        }
        _ => {
            let kind = kind(&next(&mut arguments, "write")?)?;
            let size = size(&next(&mut arguments, "write")?)?;
            Job::Write { kind, size, folder: next(&mut arguments, "write")?.into() }
        }
    };
    arguments.next().map_or(Ok(job), |extra| Err(unknown(&extra)))
}

fn options(arguments: Arguments<'_>) -> Result<Options, String> {
    let mut options =
        Options { benches: Vec::new(), kind: Kind::Busy, records: 4000, per_file: 2000, rounds: 15, svg: None };
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--kind" => options.kind = kind(&next(arguments, &argument)?)?,
            "--records" => options.records = number(arguments, &argument)?,
            "--per-file" => options.per_file = number(arguments, &argument)?,
            "--rounds" => options.rounds = number(arguments, &argument)?,
            "--svg" => options.svg = Some(next(arguments, &argument)?.into()),
            name => options.benches.push(bench(name)?),
        }
    }
    if options.benches.is_empty() {
        use Bench::{Compile, Contains, Match, Memory, Process, Reading};
        options.benches = vec![Reading, Match, Contains, Compile, Process, Memory];
    }
    Ok(options)
}

fn count(arguments: Arguments<'_>) -> Result<Job, String> {
    let rules = rules(&next(arguments, "count")?)?;
    let (mut records, mut end_to_end) = (4000, false);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--records" => records = number(arguments, &argument)?,
            "--end-to-end" => end_to_end = true,
            other => return Err(unknown(other)),
        }
    }
    Ok(Job::Count { rules, records, end_to_end })
}

fn unknown(argument: &str) -> String {
    format!("`{argument}` means nothing here")
}

fn next(arguments: Arguments<'_>, before: &str) -> Result<String, String> {
    arguments.next().ok_or_else(|| format!("something is missing after `{before}`"))
}

fn number(arguments: Arguments<'_>, before: &str) -> Result<usize, String> {
    let text = next(arguments, before)?;
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| format!("`{before}` wants a number, not `{text}`"))
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| format!("there is no kind `{text}`"))
}

fn rules(text: &str) -> Result<Rules, String> {
    Rules::parse(text).ok_or_else(|| format!("`{text}` names no rules"))
}

fn size(text: &str) -> Result<Size, String> {
    let (files, records) = text.split_once('x').unwrap_or_default();
    match (files.parse(), records.parse()) {
        (Ok(files), Ok(per_file)) => Ok(Size { files, per_file }),
        _ => Err(format!("`{text}` is no size such as `60x2000`")),
    }
}

fn bench(name: &str) -> Result<Bench, String> {
    Ok(match name {
        "reading" | "inflate" | "scan" | "floor" => Bench::Reading,
        "match" => Bench::Match,
        "contains" => Bench::Contains,
        "compile" => Bench::Compile,
        "process" => Bench::Process,
        "memory" => Bench::Memory,
        "cost" => Bench::Cost,
        "peers" => Bench::Peers,
        other => return Err(unknown(other)),
    })
}
