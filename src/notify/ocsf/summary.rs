//! What a rule's limits held back, in the part of a finding that OCSF has no place for.

use crate::finding::{FindingUid, HeldFinding, Summary, Tallied, Tally};

use super::super::fit::Detail;
use super::object::{Absent, objects};

objects! {
    /// What quiet hours and caps have held back of a rule.
    HeldBack<'a> {
        quiet: u64,
        capped: u64,
        repeated: u64,
        callers: Vec<Counted<'a>>,
        accounts: Vec<Counted<'a>>,
        regions: Vec<Counted<'a>>,
        events: Vec<HeldEvent<'a>>,
        findings: Vec<FindingUid>,
    }

    Counted<'a> {
        value: &'a str,
        count: u64,
    }

    /// What a related event has no place for.
    HeldEvent<'a> {
        uid: &'a str,
        finding_uid: FindingUid,
        region: &'a str,
        outcome: &'static str,
        principal: Option<&'a str>,
        source_ip: Option<&'a str>,
        resource: Option<&'a str>,
    }
}

impl Absent for FindingUid {}

/// Finding uids that there is room for.
pub(super) fn max_findings(detail: Detail) -> usize {
    if detail == Detail::Full { 1_000 } else { 100 }
}

impl<'a> HeldBack<'a> {
    pub(super) fn of(summary: &'a Summary, detail: Detail) -> Self {
        Self {
            quiet: summary.quiet,
            capped: summary.capped,
            repeated: summary.repeated,
            callers: counted(&summary.callers),
            accounts: counted(&summary.accounts),
            regions: counted(&summary.regions),
            events: summary.events.iter().map(HeldEvent::of).collect(),
            findings: summary.findings.iter().take(max_findings(detail)).copied().collect(),
        }
    }
}

impl<'a> HeldEvent<'a> {
    fn of(finding: &'a HeldFinding) -> Self {
        Self {
            uid: &finding.identity.event_id,
            finding_uid: finding.uid,
            region: &finding.region,
            outcome: finding.outcome.as_str(),
            principal: finding.principal.as_deref(),
            source_ip: finding.source_ip.as_deref(),
            resource: finding.resource.as_deref(),
        }
    }
}

fn counted(tally: &Tally) -> Vec<Counted<'_>> {
    tally.most.iter().map(|Tallied { value, count, .. }| Counted { value, count: *count }).collect()
}
