//! What can be asked on the command line. Values are checked here, and nothing is opened.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use trailhound::config::{self, AlertsTo, ObjectsFrom, StateIn};
use trailhound::rule_pack::RuleSource;

/// Turns AWS CloudTrail into alerts: Sigma and first-seen rules over trail files, locally or in AWS Lambda.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  \
    trailhound scan AWSLogs/\n  \
    trailhound scan --rules my-rules --format jsonl AWSLogs/ | jq .rule_title\n  \
    trailhound invoke events/sqs-s3-batch.json --objects dir:events/objects\n  \
    trailhound rules --rules my-rules"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Log what is done, not only what goes wrong.
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Hold local trail files against the rules.
    Scan(ScanArgs),
    /// Hand event payloads to the function's handler, with local parts.
    Invoke(InvokeArgs),
    /// List the rules that are loaded, and what is wrong with the others.
    Rules(RuleArgs),
}

/// Which rules, and what the organisation knows.
#[derive(Debug, clap::Args)]
pub(crate) struct RuleArgs {
    /// Use the Sigma rules of this folder or file instead of the built-in pack; may be repeated.
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: Vec<PathBuf>,
    /// Add a built-in pack to the rules; may be repeated. The one pack is `core`.
    #[arg(long, value_name = "NAME", value_parser = pack)]
    pub(crate) pack: Vec<RuleSource>,
    /// The file of what the organisation knows: account names, expected principals, trusted networks, rule overrides.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl RuleArgs {
    /// The built-in pack, unless rules or packs are named.
    pub(crate) fn sources(&self) -> Vec<RuleSource> {
        let named =
            self.rules.iter().cloned().map(RuleSource::Path).chain(self.pack.iter().cloned()).collect::<Vec<_>>();
        if named.is_empty() { vec![RuleSource::Core] } else { named }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 nothing found, 1 findings, 2 something could not be read or loaded.")]
pub(crate) struct ScanArgs {
    /// Trail files, or folders of them: .json.gz, .json, .jsonl.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Files read at the same time; the number of cores unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// A JSON object a line.
    Jsonl,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 everything was handled, 1 a delivery failed, 2 something could not be read or loaded."
)]
pub(crate) struct InvokeArgs {
    /// Event payloads, handed over one after the other; memory lasts from one to the next.
    #[arg(required = true, value_name = "EVENT")]
    pub(crate) events: Vec<PathBuf>,
    /// Where log files are: `dir:PATH` laid out as <bucket>/<key>, or `s3`.
    #[arg(long, value_name = "PLACE", default_value = "dir:events/objects", value_parser = config::objects)]
    pub(crate) objects: ObjectsFrom,
    /// What is remembered between events: `memory`, or `file:PATH`.
    #[arg(long, value_name = "PLACE", default_value = "memory", value_parser = config::state)]
    pub(crate) state: StateIn,
    /// Where alerts go: `stdout`, or `sns:ARN`.
    #[arg(long, value_name = "PLACE", default_value = "stdout", value_parser = config::alerts)]
    pub(crate) alerts: AlertsTo,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}

fn pack(name: &str) -> Result<RuleSource, String> {
    RuleSource::pack(name).ok_or_else(|| format!("there is no such pack; there are: {}", RuleSource::PACKS.join(", ")))
}
