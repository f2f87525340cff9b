//! `trailhound rules test`: rules against the records beside them, and tests against changes of their rules.

mod cases;
mod mutation;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use trailhound::ports::BoxError;
use trailhound::rule_pack;
use trailhound::sigma::Collection;

use super::test_file::beside;
use crate::args::TestArgs;
use crate::scan::work::cores;
use crate::{Verdict, note};

use cases::RuleFile;

/// What became of one file.
enum Outcome {
    Untested,
    /// The test or the rules can't be read.
    Broken(String),
    Tested {
        file: Box<RuleFile>,
        problems: Vec<String>,
        mutants: usize,
        survivors: Vec<String>,
    },
}

pub(super) fn run(args: &TestArgs) -> Result<Verdict, BoxError> {
    let rules = args.rules();
    let all = rule_pack::collect(&rules.sources());
    let mut out = io::stdout().lock();
    for error in &all.rejected {
        note(&format!("{error}\n"));
    }
    let files: Vec<String> = files(&all, args).into_iter().collect();
    let outcomes = in_parallel(&files, |file| of_file(file, &all, args.mutate));
    let mut tally = Tally { broken: all.rejected.len(), ..Tally::default() };
    for (file, outcome) in files.iter().zip(&outcomes) {
        print(&mut out, file, outcome, args)?;
        tally.add(outcome);
    }
    note(&tally.summary(args.mutate));
    let is_found = tally.failed > 0 || (args.require_tests && tally.untested > 0);
    Ok(match (files.is_empty() || tally.broken > 0, is_found) {
        (true, _) => Verdict::Broken,
        (_, true) => Verdict::Found,
        _ => Verdict::Clean,
    })
}

/// Files with rules that were asked for. Rules about trailhound itself are always loaded; only who asks for a pack, or for their
/// folder, wants to see them tested.
fn files(all: &Collection, args: &TestArgs) -> BTreeSet<String> {
    let rules = all.rules.iter().chain(&all.own).map(|rule| &rule.metadata);
    let correlations = all.correlations.iter().map(|rule| &rule.metadata);
    let files = rules.chain(correlations).map(|metadata| metadata.file.name.to_string());
    let is_asked = |file: &String| args.is_all() || args.paths.iter().any(|path| Path::new(file).starts_with(path));
    files.filter(is_asked).collect()
}

fn of_file(name: &str, all: &Collection, mutate: bool) -> Outcome {
    let file = match RuleFile::of(name, all) {
        Ok(Some(file)) => Box::new(file),
        Ok(None) => return Outcome::Untested,
        Err(error) => return Outcome::Broken(error.to_string()),
    };
    let problems = match file.problems() {
        Ok(problems) => problems,
        Err(error) => return Outcome::Broken(error.to_string()),
    };
    let mut mutants = 0;
    let mut survivors = Vec::new();
    if mutate && problems.is_empty() {
        // A change that doesn't load is no rule that could be wrong.
        for mutant in mutation::of(name, &file.collection).into_iter().filter(|mutant| file.loads(&mutant.rules)) {
            mutants += 1;
            if !file.notices(&mutant.rules) {
                survivors.push(mutant.what);
            }
        }
    }
    Outcome::Tested { file, problems, mutants, survivors }
}

/// In the order of `items`, on all cores.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some((place, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
        {
            done.push((place, work(item)));
        }
        done
    };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores()).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

fn print(out: &mut impl Write, name: &str, outcome: &Outcome, args: &TestArgs) -> io::Result<()> {
    match outcome {
        Outcome::Untested => writeln!(out, "no test  {name}  (it would be {})", beside(Path::new(name)).display()),
        Outcome::Broken(error) => writeln!(out, "broken   {name}\n         {}", error.replace('\n', "\n         ")),
        Outcome::Tested { file, problems, survivors, .. } if problems.is_empty() && survivors.is_empty() => {
            if args.quiet {
                return Ok(());
            }
            let (fires, misses) = file.of_each_kind();
            writeln!(out, "ok       {name}  ({fires} fire, {misses} near misses)")
        }
        Outcome::Tested { problems, survivors, .. } => {
            writeln!(out, "{}  {name}", if problems.is_empty() { "unheld " } else { "FAILED " })?;
            problems.iter().try_for_each(|problem| writeln!(out, "         {problem}"))?;
            survivors.iter().try_for_each(|what| writeln!(out, "         no case notices {what}"))
        }
    }
}

/// Counts over all files.
#[derive(Default)]
struct Tally {
    files: usize,
    cases: usize,
    failed: usize,
    untested: usize,
    broken: usize,
    mutants: usize,
    survivors: usize,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        self.files += 1;
        match outcome {
            Outcome::Untested => self.untested += 1,
            Outcome::Broken(_) => self.broken += 1,
            Outcome::Tested { file, problems, mutants, survivors } => {
                self.cases += file.cases();
                self.failed += problems.len();
                self.mutants += mutants;
                self.survivors += survivors.len();
            }
        }
    }

    fn summary(&self, mutate: bool) -> String {
        let Self { files, cases, failed, untested, broken, mutants, survivors } = self;
        let mut summary =
            format!("{files} files, {cases} cases: {failed} failed, {untested} files without a test, {broken} broken");
        if mutate {
            let noticed = mutants - survivors;
            // Rounded down: nine in ten are not 89.6 %.
            let percent = if *mutants == 0 { 100 } else { noticed * 100 / mutants };
            summary += &format!("\n{mutants} changes to the rules, of which the tests notice {noticed} ({percent} %)");
        }
        summary
    }
}
