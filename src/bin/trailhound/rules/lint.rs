//! `trailhound rules lint`: what is legal but dead or dangerous in rules, for people, programs and code scanning.

use std::io::{self, Write as _};

use serde_json::{Value, json};
use trailhound::lint;
use trailhound::local::SystemClock;
use trailhound::ports::{BoxError, Clock as _};
use trailhound::rule_pack::{self, Loaded};
use trailhound::sigma::{Collection, Metadata};
use trailhound::yaml::{Diagnostic, Severity};

use super::{organisation, sarif};
use crate::args::{LintArgs, LintFormat};
use crate::{Verdict, note};

/// What was found, errors first.
struct Report {
    loaded: Loaded,
    collection: Collection,
    diagnostics: Vec<Diagnostic>,
}

pub(super) fn run(args: &LintArgs) -> Result<Verdict, BoxError> {
    let report = Report::of(args)?;
    match report.print(args.format) {
        // Whoever reads has enough; the verdict is not theirs.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    Ok(if !report.loaded.rejected.is_empty() {
        Verdict::Broken
    } else if args.deny_warnings && report.warnings() > 0 {
        Verdict::Found
    } else {
        Verdict::Clean
    })
}

impl Report {
    fn of(args: &LintArgs) -> Result<Self, BoxError> {
        let rules = args.rules();
        let organisation = organisation(&rules)?;
        let collection = rule_pack::collect(&rules.sources());
        let loaded = Loaded::compile(&collection, &organisation, SystemClock.today());
        // What the organisation's file says of rules that aren't linted here is no fault of these.
        let stray = loaded.stray.iter().filter(|warning| !organisation.wrote(warning.file()));
        let warnings = lint::lint(&collection, &loaded.rules);
        let found = loaded.rejected.iter().chain(stray).chain(&loaded.ageing);
        let diagnostics = found.cloned().chain(warnings).collect();
        Ok(Self { loaded, collection, diagnostics })
    }

    fn print(&self, format: LintFormat) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let document = match format {
            LintFormat::Text => {
                self.diagnostics.iter().try_for_each(|diagnostic| writeln!(out, "{diagnostic}\n"))?;
                note(&self.summary());
                return Ok(());
            }
            LintFormat::Json => self.json(),
            LintFormat::Sarif => sarif::document(&self.diagnostics),
        };
        serde_json::to_writer_pretty(&mut out, &document)?;
        writeln!(out)
    }

    fn warnings(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Warning).count()
    }

    fn summary(&self) -> String {
        format!("{}, {} warnings", self.loaded.summary(), self.warnings())
    }

    /// Members are only ever added.
    fn json(&self) -> Value {
        json!({
            "diagnostics": self.diagnostics.iter().map(|diagnostic| self.row(diagnostic)).collect::<Vec<_>>(),
            "summary": {
                "loaded": self.loaded.rules.loaded(),
                "filters": self.loaded.filters(),
                "filters_expired": self.loaded.expired_filters(),
                "rejected": self.loaded.rejected.len(),
                "off": self.loaded.off().count(),
                "retired": self.loaded.retired,
                "other_log_sources": self.loaded.other_log_sources,
                "warnings": self.warnings(),
            },
        })
    }

    fn row(&self, diagnostic: &Diagnostic) -> Value {
        let ((line, column), (end_line, end_column)) = (diagnostic.start(), diagnostic.end());
        json!({
            "code": diagnostic.code().as_str(),
            "severity": diagnostic.severity().as_str(),
            "message": diagnostic.message(),
            "advice": diagnostic.advice(),
            "file": diagnostic.file().name,
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
            "rule_id": self.rule_at(diagnostic).map(|rule| &rule.id),
        })
    }

    /// The document that the diagnostic points into; none for one that could not be read.
    fn rule_at(&self, diagnostic: &Diagnostic) -> Option<&Metadata> {
        let Collection { rules, correlations, filters, own_filters, .. } = &self.collection;
        let rules = rules.iter().map(|rule| &rule.metadata);
        let filters = filters.iter().chain(own_filters).map(|filter| &filter.metadata);
        let others = correlations.iter().map(|rule| &rule.metadata).chain(filters);
        let holds = |rule: &&Metadata| {
            rule.file.name == diagnostic.file().name && rule.span.contains(&diagnostic.marked().start)
        };
        rules.chain(others).find(holds)
    }
}
