//! What can be asked about rules and the alerts they come to.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use trailhound::rule_pack::{Pack, RuleSource};

/// Which rules, and what the organisation knows.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RuleArgs {
    /// Use the Sigma rules of this folder or file instead of the built-in pack; may be repeated.
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: Vec<PathBuf>,
    /// Use a built-in pack: core (used unless rules are named), extended, compliance, data-events, self-protection, addresses, or all; may be
    /// repeated.
    #[arg(long, value_name = "NAME", value_parser = pack)]
    pub(crate) pack: Vec<RuleSource>,
    /// The file of what the organisation knows: names of accounts and networks, expected principals, rule overrides.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder of what is known of addresses: AWS's `ip-ranges.json`, and databases in MaxMind's format (`*.mmdb`).
    #[arg(long, value_name = "DIR")]
    pub(crate) enrichment: Option<PathBuf>,
}

impl RuleArgs {
    /// The built-in pack, unless rules or packs are named.
    pub(crate) fn sources(&self) -> Vec<RuleSource> {
        let named =
            self.rules.iter().cloned().map(RuleSource::Path).chain(self.pack.iter().cloned()).collect::<Vec<_>>();
        if named.is_empty() { vec![RuleSource::CORE] } else { named }
    }
}

/// Without a subcommand the rules are listed.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Exit code of the list: 0 every rule is loaded, 2 some are rejected, or none is there."
)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    pub(crate) command: Option<RulesCommand>,
    #[command(flatten)]
    pub(crate) list: RuleArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Look for what is legal but dead or dangerous in rules: docs/lints.md explains each warning.
    Lint(LintArgs),
    /// Show what each part of a rule makes of a record.
    Explain(ExplainArgs),
    /// Hold rules against the records beside them, in NAME.test.yml.
    Test(TestArgs),
    /// Write a rule to begin with, and its test.
    New(NewArgs),
    /// Write the catalogue of the shipped rules.
    Doc(DocArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trailhound rules new my-rules/backup_vault_opened.yml\n  \
    trailhound rules new my-rules/stop.yml --record trail.json.gz --event 2b8fe56d-0c4e-4e7e-9d2f-3a5b1e6f7c80\n\n\
    Nothing that is there is written over.\n\n\
    Exit code: 0 written, 2 the files are there already, or can't be written.")]
pub(crate) struct NewArgs {
    /// The rule's file; its test stands beside it, as NAME.test.yml.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What happened, in one line; the file's name unless given.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Begin with a record of this trail file, JSON lines or one record, gzip or not; `-` for standard input.
    #[arg(long, value_name = "RECORD")]
    pub(crate) record: Option<PathBuf>,
    /// The record with this eventID; the first unless given.
    #[arg(long, value_name = "EVENT_ID", requires = "record")]
    pub(crate) event: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 written, or --check finds nothing stale; 1 something is stale; 2 it can't be written."
)]
pub(crate) struct DocArgs {
    /// Where the pages are.
    #[arg(long, value_name = "DIR", default_value = "docs/rules")]
    pub(crate) out: PathBuf,
    /// Document the rules of this folder instead of those that are built in.
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: Option<PathBuf>,
    /// Write nothing, and tell what is stale.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trailhound rules test my-rules\n  \
    trailhound rules test --mutate my-rules/stop.yml\n  \
    trailhound rules test --pack core my-correlations\n\n\
    docs/rules.md says what stands in a test.\n\n\
    Exit code: 0 every case comes out as it should, 1 some do not, 2 a rule or a test can't be read or loaded.")]
pub(crate) struct TestArgs {
    /// Folders or files of Sigma rules; the built-in packs unless given.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Load a built-in pack, too: for correlations that name its rules; may be repeated.
    #[arg(long, value_name = "NAME", value_parser = pack)]
    pub(crate) pack: Vec<RuleSource>,
    /// Also change the rules line by line, and tell which changes no case notices.
    #[arg(long)]
    pub(crate) mutate: bool,
    /// Exit with 1 when a rule has no test.
    #[arg(long)]
    pub(crate) require_tests: bool,
    /// Print only what is wrong.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

impl TestArgs {
    /// Whether the built-in packs are tested, and no folder.
    pub(crate) fn is_all(&self) -> bool {
        self.paths.is_empty()
    }

    pub(crate) fn rules(&self) -> RuleArgs {
        let pack =
            if self.is_all() && self.pack.is_empty() { vec![RuleSource::Pack(Pack::All)] } else { self.pack.clone() };
        RuleArgs { rules: self.paths.clone(), pack, config: None, enrichment: None }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trailhound rules lint my-rules\n  \
    trailhound rules lint --pack core my-filters\n  \
    trailhound rules lint --deny-warnings my-rules\n  \
    trailhound rules lint --format sarif my-rules > trailhound.sarif\n\n\
    Exit code: 0 clean or warnings only, 1 warnings with --deny-warnings, 2 a rule is rejected or a file can't be read.")]
pub(crate) struct LintArgs {
    /// Folders or files of Sigma rules; the built-in pack unless given.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Look at a built-in pack, too: for filters and correlations that name its rules; may be repeated.
    #[arg(long, value_name = "NAME", value_parser = pack)]
    pub(crate) pack: Vec<RuleSource>,
    /// The file of what the organisation knows: placeholders, and rules that are off.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How warnings and errors are printed.
    #[arg(long, value_enum, default_value_t = LintFormat::Text)]
    pub(crate) format: LintFormat,
    /// Exit with 1 when there are warnings, for checks before a merge.
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

impl LintArgs {
    pub(crate) fn rules(&self) -> RuleArgs {
        RuleArgs { rules: self.paths.clone(), pack: self.pack.clone(), config: self.config.clone(), enrichment: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintFormat {
    /// For people: each with the line that it is about.
    Text,
    /// One JSON document: `diagnostics` and a `summary` of counts.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trailhound rules explain 'CloudTrail logging stopped' record.json\n  \
    trailhound rules explain my-rules/stop.yml trail.json.gz --event 2b8fe56d-0c4e-4e7e-9d2f-3a5b1e6f7c80\n  \
    jq '.Records[0]' trail.json | trailhound rules explain my-rules/stop.yml -\n\n\
    Exit code: 0 a rule matches a record, 1 none does, 2 something could not be read or loaded.")]
pub(crate) struct ExplainArgs {
    /// A rule's id, name or title; or a file, whose rules alone are then explained, without `--rules` and `--pack`.
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,
    /// A trail file, JSON lines or one record, gzip or not; `-` for standard input.
    #[arg(value_name = "RECORD")]
    pub(crate) record: PathBuf,
    /// Explain the record with this eventID only. Without it, the first 20.
    #[arg(long, value_name = "EVENT_ID")]
    pub(crate) event: Option<String>,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AlertArgs {
    #[command(subcommand)]
    pub(crate) command: AlertCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// Show every form of a rule's alert: e-mail, chat, Slack, Teams, PagerDuty, Security Hub, OCSF.
    Preview(PreviewArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trailhound alert preview 'KMS key scheduled for deletion'\n  \
    trailhound alert preview my-rules/stop.yml record.json --form email\n  \
    trailhound alert preview 'Root user was used' --form slack | jq .blocks   # for Slack's Block Kit Builder\n\n\
    First-seen rules are taken to see something new. A correlation needs a file of records.\n\n\
    Exit code: 0 shown, 2 the rule matches no record, or something could not be read or loaded.")]
pub(crate) struct PreviewArgs {
    /// A rule's id, name or title; or a file with one rule.
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,
    /// A trail file, JSON lines or one record, gzip or not; `-` for standard input. Without it, the record of the rule's test.
    #[arg(value_name = "RECORD")]
    pub(crate) record: Option<PathBuf>,
    /// Show this form alone.
    #[arg(long, value_enum)]
    pub(crate) form: Option<Form>,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Subject and body of an e-mail.
    Email,
    /// A text message.
    Sms,
    /// The custom notification of Amazon Q Developer in chat applications.
    Chat,
    /// Slack's Block Kit.
    Slack,
    /// An Adaptive Card, as Teams takes it.
    Teams,
    /// An event of PagerDuty's Events API.
    Pagerduty,
    /// A finding as Security Hub imports it.
    Asff,
    /// An OCSF Detection Finding.
    Ocsf,
}

impl Form {
    pub(crate) const TITLES: &[(Self, &str)] = &[
        (Self::Email, "E-mail"),
        (Self::Sms, "Text message"),
        (Self::Chat, "Slack or Teams through Amazon Q"),
        (Self::Slack, "Slack, from the notifier"),
        (Self::Teams, "Teams, from the notifier"),
        (Self::Pagerduty, "PagerDuty, from the notifier"),
        (Self::Asff, "Security Hub, from the notifier"),
        (Self::Ocsf, "OCSF Detection Finding"),
    ];
}

fn pack(name: &str) -> Result<RuleSource, String> {
    Pack::named(name).map(RuleSource::Pack).ok_or_else(|| {
        let names: Vec<&str> = Pack::NAMES.iter().map(|(name, _)| *name).collect();
        format!("there is no such pack; there are: {}", names.join(", "))
    })
}
