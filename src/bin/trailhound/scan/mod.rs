//! `trailhound scan`: local trail files against the rules.
//!
//! Findings are printed, not alerts: each once, whatever file its event stands in, before any is grouped or held back as
//! a repetition. First-seen rules learn from the scanned files themselves, in order of event time.

pub(crate) mod files;
mod row;
pub(crate) mod work;

use std::collections::HashSet;
use std::io::{self, BufWriter, Write as _};

use trailhound::alerting::{self, Correlator, Decision, FirstSighting, Hold, Sightings};
use trailhound::engine::RuleSet;
use trailhound::finding::{Contribution, Finding, FindingUid};
use trailhound::outcome::{self, Counts, Outcome};
use trailhound::ports::BoxError;
use trailhound::rule_pack::Loaded;

use crate::args::ScanArgs;
use crate::{Verdict, note, rules};
use files::Listing;
use row::Printer;
use work::{FileReport, Order, Part, Rows, Tools};

pub(crate) fn run(args: &ScanArgs) -> Result<Verdict, BoxError> {
    let loaded = rules::load(&args.rules)?;
    let Listing { files, errors, skipped } = files::list(&args.paths);
    errors.iter().for_each(|error| note(error));
    let threads = args.threads.map_or_else(work::cores, usize::from);
    let mut scan = Scan { printer: Printer::new(args.format), ..Scan::default() };
    let order = if args.unordered { Order::AsDone } else { Order::OfFiles };
    let tools = Tools { rules: &loaded.rules, limits: crate::limits()?, printer: Some(scan.printer) };
    work::read(&files, threads, tools, order, |part| scan.part(part))?;
    scan.first_sightings()?;
    scan.correlations(&loaded.rules)?;
    note(&loaded.summary());
    note(&scan.summary(skipped, errors.len()));
    if args.summary {
        note(outcome::table(&scan.outcome(&loaded)).trim_end());
    }
    let unread = scan.counts.objects_failed + scan.counts.bad_records;
    let broken = rules::is_broken(&loaded) || !errors.is_empty() || unread > 0;
    // The process ends here: giving back a thousand rules, piece by piece, takes as long as reading 300 records.
    std::mem::forget(loaded);
    Ok(match (broken, scan.printed) {
        (true, _) => Verdict::Broken,
        (false, 0) => Verdict::Clean,
        (false, _) => Verdict::Found,
    })
}

#[derive(Default)]
struct Scan {
    printer: Printer,
    counts: Counts,
    seen: HashSet<FindingUid>,
    /// First sightings are decided when all files are read: the files are in no order of time.
    sightings: Vec<Finding>,
    /// So are the parts of correlations.
    contributions: Vec<Contribution>,
    printed: u64,
}

impl Scan {
    /// Takes what a file gave.
    fn part(&mut self, part: Part) -> io::Result<()> {
        match part {
            Part::Rows(rows) => self.rows(&rows),
            Part::Last(report) => {
                let FileReport { rows, sightings, contributions, counts, problems } = *report;
                self.counts.add(&counts);
                self.sightings.extend(sightings);
                self.contributions.extend(contributions);
                problems.iter().for_each(|problem| note(problem));
                self.rows(&rows)
            }
        }
    }

    /// Prints each finding once, whatever file its event stands in. What is found is there to be read once this returns.
    fn rows(&mut self, rows: &Rows) -> io::Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        for (uid, row) in rows.iter() {
            if self.seen.insert(uid) {
                self.printed += 1;
                out.write_all(row)?;
            } else {
                self.counts.duplicates += 1;
            }
        }
        out.flush()
    }

    fn first_sightings(&mut self) -> io::Result<()> {
        let mut sightings = std::mem::take(&mut self.sightings);
        alerting::in_order(&mut sightings);
        let before = sightings.len();
        sightings.dedup_by(|again, kept| {
            let same = (again.uid, &again.event.identity) == (kept.uid, &kept.event.identity);
            if same {
                kept.collapse(again);
            }
            same
        });
        self.counts.duplicates += (before - sightings.len()) as u64;
        let seen = Sightings::new(sightings.iter().filter_map(FirstSighting::of).collect()).among_themselves();
        let (open, held) = alerting::judge(sightings, &seen);
        self.print(&open)?;
        for decision in held {
            match decision {
                // Trying a rule out is what a scan is for.
                Decision::Hold { finding, why: Hold::DryRun } => self.print([&*finding])?,
                Decision::Hold { why, .. } => *self.counts.held.entry(why).or_default() += 1,
                Decision::Notify(_) | Decision::Keep { .. } | Decision::Wait(_) => {}
            }
        }
        Ok(())
    }

    fn correlations(&mut self, rules: &RuleSet) -> io::Result<()> {
        let correlation = Correlator::alone(rules, std::mem::take(&mut self.contributions));
        self.counts.incomplete += correlation.incomplete;
        let mut findings: Vec<Finding> = correlation.findings.into_iter().map(|found| found.finding).collect();
        alerting::in_order(&mut findings);
        self.counts.episodes += findings.len() as u64;
        self.print(&findings)
    }

    fn print<'f>(&mut self, findings: impl IntoIterator<Item = &'f Finding>) -> io::Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        for finding in findings {
            self.printed += 1;
            self.printer.finding(&mut out, finding)?;
        }
        out.flush()
    }

    /// The counts by the names that the function sends them under.
    fn outcome(&self, loaded: &Loaded) -> Outcome {
        let counts = Counts { findings: self.printed + self.counts.held_back(), ..self.counts.clone() };
        Outcome { counts, rules: loaded.counts(), ..Outcome::default() }
    }

    fn summary(&self, skipped: usize, unlisted: usize) -> String {
        let counts = &self.counts;
        format!(
            "{} files = {} read + {} failed; {skipped} other files skipped, {unlisted} paths could not be listed; \
             {} records, {} bad; {} matches + {} correlations = {} findings + {} parts of correlations + {} known or learning + \
             {} repeated",
            counts.objects,
            counts.files,
            counts.objects_failed,
            counts.records,
            counts.bad_records,
            counts.matches,
            counts.episodes,
            self.printed,
            counts.parts,
            counts.held_back(),
            counts.collapsed + counts.duplicates,
        )
    }
}
