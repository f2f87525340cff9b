//! What was looked at, and what it came to.

use jiff::{SignedDuration, Timestamp};
use trailhound::integrity::{Chain, Damage, Period, Proof, Report};
use trailhound::ports::{ListError, chain};

use crate::Verdict;
use crate::args::{HistoryIn, VerifyArgs};

/// After this time without a digest a trail no longer goes on: there is one an hour, and some minutes later it is there.
const SILENT: SignedDuration = SignedDuration::from_hours(2);

/// Everything that is told.
#[derive(Debug)]
pub(super) struct Inspection {
    pub(super) place: String,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) now: Timestamp,
    pub(super) chains: Vec<Tally>,
    pub(super) damage: Vec<Damage>,
    /// Damaged log files beyond those that are named.
    pub(super) unnamed: u64,
    /// What couldn't be looked at, a sentence each.
    pub(super) unchecked: Vec<String>,
}

/// One chain, in counts.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) bucket: String,
    pub(super) chain: Chain,
    pub(super) digests: u64,
    /// By what proves them.
    pub(super) signed: u64,
    pub(super) quoted: u64,
    /// From the oldest digest to the newest.
    pub(super) covered: Option<Period>,
    /// In between, and to the ends of the time that was asked for.
    pub(super) holes: Vec<Period>,
    pub(super) listed: u64,
    /// Intact, and listed by a digest that is proven.
    pub(super) proven: u64,
    /// As they are listed by a digest that isn't.
    pub(super) unproven: u64,
    pub(super) damaged: u64,
    pub(super) unchecked: u64,
    pub(super) pending: u64,
}

impl Inspection {
    pub(super) fn new(args: &VerifyArgs, now: Timestamp) -> Self {
        let place = match &args.place {
            HistoryIn::Path(path) => path.display().to_string(),
            HistoryIn::S3 { bucket, prefix } => format!("s3://{bucket}/{prefix}"),
        };
        let (chains, damage, unchecked) = (Vec::new(), Vec::new(), Vec::new());
        Self { place, from: args.from, to: args.to, now, chains, damage, unnamed: 0, unchecked }
    }

    /// Begins a chain; what is added from now on belongs to it.
    pub(super) fn chain(&mut self, bucket: &str, chain: Chain) {
        let holes = Vec::new();
        self.chains.push(Tally {
            bucket: bucket.to_owned(),
            chain,
            digests: 0,
            signed: 0,
            quoted: 0,
            covered: None,
            holes,
            listed: 0,
            proven: 0,
            unproven: 0,
            damaged: 0,
            unchecked: 0,
            pending: 0,
        });
    }

    /// Adds what became of a chain's next digest.
    pub(super) fn add(&mut self, report: Report) {
        if let Some(tally) = self.chains.last_mut() {
            tally.add(&report, self.from);
        }
        self.unnamed += report.unnamed;
        self.unchecked.extend(report.unchecked.iter().map(ToString::to_string));
        let untried = report.files.unchecked.saturating_sub(report.unchecked.len() as u64);
        if report.damage.is_empty() && untried > 0 {
            self.unchecked.push(format!(
                "the contents of {untried} more log files of {}: not tried, because too many others could not be read",
                report.digest
            ));
        }
        self.damage.extend(report.damage);
    }

    pub(super) fn unlisted(&mut self, error: &ListError) {
        self.unchecked.push(chain(error));
    }

    /// Ends the last chain.
    pub(super) fn finish(&mut self) {
        let until = self.to.unwrap_or(self.now);
        let asked = self.to.is_some();
        for tally in self.chains.iter_mut().filter(|tally| !tally.chain.is_backfill) {
            let Some(Period { end, .. }) = tally.covered else { continue };
            if end < until && (asked || until.duration_since(end) > SILENT) {
                tally.holes.push(Period { start: end, end: until });
            }
        }
        if self.chains.is_empty() && self.unchecked.is_empty() {
            self.unchecked.push(format!(
                "{}: no digest files to check (is log file validation on? Their keys are …AWSLogs/<account>/CloudTrail-Digest/…)",
                self.place
            ));
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        if !self.damage.is_empty() {
            Verdict::Found
        } else if !self.unchecked.is_empty() || self.chains.iter().any(Tally::is_open) {
            Verdict::Broken
        } else {
            Verdict::Clean
        }
    }

    /// Over all chains.
    pub(super) fn sum(&self, count: impl Fn(&Tally) -> u64) -> u64 {
        self.chains.iter().map(count).sum()
    }
}

impl Tally {
    /// Whether there is something that no digest covers, or that one which is still to come may.
    fn is_open(&self) -> bool {
        !self.holes.is_empty() || self.pending > 0
    }

    fn add(&mut self, report: &Report, from: Option<Timestamp>) {
        let files = &report.files;
        self.digests += 1;
        self.listed += files.listed;
        self.damaged += files.damaged;
        self.unchecked += files.unchecked;
        self.pending += report.pending;
        match report.proof {
            Proof::Signature => self.signed += 1,
            Proof::QuotedSignature => self.quoted += 1,
            Proof::Nothing => {}
        }
        if report.proof == Proof::Nothing {
            self.unproven += files.intact;
        } else {
            self.proven += files.intact;
        }
        if let Some(period) = report.period {
            self.cover(period, from);
        }
    }

    /// Digests come in the order of their ends.
    fn cover(&mut self, period: Period, from: Option<Timestamp>) {
        let before = self.covered.map(|covered| covered.end).or(from);
        if let Some(before) = before.filter(|before| *before < period.start && !self.chain.is_backfill) {
            self.holes.push(Period { start: before, end: period.start });
        }
        let start = self.covered.map_or(period.start, |covered| covered.start.min(period.start));
        let end = self.covered.map_or(period.end, |covered| covered.end.max(period.end));
        self.covered = Some(Period { start, end });
    }
}
