//! What can be asked on the command line. Values are checked here, and nothing is opened.

mod rules;

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::{Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use trailhound::config::{self, AlertsTo, ObjectsFrom, StateIn};
use trailhound::pipeline::Quarantine;
use trailhound::sigma::Level;
use trailhound::trigger::s3_url;

pub(crate) use self::rules::{
    AlertArgs, AlertCommand, DocArgs, ExplainArgs, Form, LintArgs, LintFormat, NewArgs, PreviewArgs, RuleArgs,
    RulesArgs, RulesCommand, TestArgs,
};

/// Turns AWS CloudTrail into alerts: Sigma and first-seen rules over trail files, locally or in AWS Lambda.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  \
    trailhound scan AWSLogs/\n  \
    trailhound scan --rules my-rules --format jsonl AWSLogs/ | jq .rule_title\n  \
    trailhound invoke events/sqs-s3-batch.json --objects dir:events/objects\n  \
    trailhound baseline --state file:memory.redb AWSLogs/\n  \
    trailhound verify s3://my-trail-bucket/ --from 2026-11-01 --to 2026-11-08\n  \
    trailhound rules lint my-rules\n  \
    trailhound rules lint --pack core my-filters\n  \
    trailhound rules explain 'CloudTrail logging stopped' record.json"
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
    /// Have first-seen rules learn from history; dump, load or forget what is remembered.
    Baseline(BaselineArgs),
    /// List the rules that are loaded, look for doubtful ones, or explain one on a record.
    Rules(RulesArgs),
    /// Hold log files against CloudTrail's digest files: what was altered, deleted or added since they were delivered.
    Verify(VerifyArgs),
    /// Show alerts as their receivers see them.
    Alert(AlertArgs),
    /// Hand alerts to the notifier's handler: Slack, Teams, PagerDuty and the other channels of the organisation file.
    Notify(NotifyArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 nothing found, 1 findings, 2 something could not be read or loaded.")]
pub(crate) struct ScanArgs {
    /// Trail files, or folders of them: .json.gz, .json, .jsonl, .jsonl.gz.
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
    /// Print findings as files are done, the largest first, and not in the order of the files: on several threads that is sooner,
    /// and keeps no findings waiting in memory.
    #[arg(long)]
    pub(crate) unordered: bool,
    /// Print every count by its name on standard error, as the function sends them to CloudWatch.
    #[arg(long)]
    pub(crate) summary: bool,
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
    /// What is remembered between events: `memory`, `file:PATH`, or `dynamodb:TABLE`.
    #[arg(long, value_name = "PLACE", default_value = "memory", value_parser = config::state)]
    pub(crate) state: StateIn,
    /// Where alerts go: `stdout`; `stdout:json`, each with every form of it in a line of JSON; or `sns:ARN`.
    #[arg(long, value_name = "PLACE", default_value = "stdout", value_parser = config::alerts)]
    pub(crate) alerts: AlertsTo,
    /// Where what can't be read is put aside: `s3://BUCKET/PREFIX`, in the place of the log files.
    #[arg(long, value_name = "PLACE", value_parser = config::quarantine)]
    pub(crate) quarantine: Option<Quarantine>,
    /// Check digest files with these public keys: what `aws cloudtrail list-public-keys` prints. Without it they are counted.
    #[arg(long, value_name = "FILE")]
    pub(crate) public_keys: Option<PathBuf>,
    /// The mildest level that people are told of; milder findings are counted.
    #[arg(long, value_name = "LEVEL", default_value = Level::TOLD.as_str(), value_parser = config::level)]
    pub(crate) level: Level,
    /// Print every count by its name, as the function sends them to CloudWatch, instead of one line.
    #[arg(long)]
    pub(crate) summary: bool,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}

/// What is given is done in this order: forget, load, learn, dump.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trailhound baseline --state dynamodb:trailhound s3://my-trail-bucket/AWSLogs/111122223333/CloudTrail/\n  \
    trailhound baseline --state file:memory.redb --config trailhound.yaml AWSLogs/\n  \
    trailhound baseline --state dynamodb:trailhound --dump memory.jsonl\n  \
    trailhound baseline --state dynamodb:trailhound --load memory.jsonl\n  \
    trailhound baseline --state memory --dump - AWSLogs/ | jq -c .value\n  \
    trailhound baseline --state dynamodb:trailhound --forget c9615467-ea64-423f-95f2-c1930697fe9b s3://my-trail-bucket/\n\n\
    Give it the rules and the configuration that the function has. Nobody is alerted about what is learned, even when the\n\
    function gets the same events later.\n\n\
    Exit code: 0 everything was done, 2 something could not be read or loaded; the rest is done all the same.")]
pub(crate) struct BaselineArgs {
    /// What to learn from: trail files, folders of them, or `s3://BUCKET/PREFIX`.
    #[arg(value_name = "PATH", value_parser = PathBufValueParser::new().try_map(history))]
    pub(crate) history: Vec<HistoryIn>,
    /// The memory: `dynamodb:TABLE` or `file:PATH`; `memory` only to dump what is learned.
    #[arg(long, value_name = "PLACE", value_parser = config::state)]
    pub(crate) state: StateIn,
    /// Forget everything about the rule with this id first, or about `all`; may be repeated.
    #[arg(long, value_name = "RULE_ID")]
    pub(crate) forget: Vec<String>,
    /// Add what a dump holds; `-` for standard input. What the memory knows already stays.
    #[arg(long, value_name = "FILE")]
    pub(crate) load: Option<PathBuf>,
    /// Write everything that is remembered, a JSON object a line; `-` for standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) dump: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trailhound invoke events/s3-put.json --alerts stdout:json | trailhound notify - --config trailhound.yaml --print\n  \
    trailhound notify events/notifier/sqs.json --config trailhound.yaml --secrets secrets.yaml --channel security\n\n\
    Exit code: 0 every channel was told, 1 a channel was not, 2 something could not be read or loaded.")]
pub(crate) struct NotifyArgs {
    /// Event payloads of the notifier, or alerts as `invoke --alerts stdout:json` prints them; `-` for standard input.
    #[arg(required = true, value_name = "EVENT")]
    pub(crate) events: Vec<PathBuf>,
    /// The organisation file, which names the channels.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Only these channels; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: Vec<String>,
    /// Show the requests and send none. No secret is asked for.
    #[arg(long, conflicts_with = "secrets")]
    pub(crate) print: bool,
    /// Secrets, as a YAML map of `ssm:NAME` and the like to values. Without it they are asked of AWS, with your credentials.
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets: Option<PathBuf>,
    /// What is remembered between events: `memory`, `file:PATH`, or `dynamodb:TABLE`.
    #[arg(long, value_name = "PLACE", default_value = "memory", value_parser = config::state)]
    pub(crate) state: StateIn,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trailhound verify s3://my-trail-bucket/ --from 2026-11-01 --to 2026-11-08\n  \
    trailhound verify s3://my-trail-bucket/AWSLogs/o-exampleorgid/ --account 111122223333 --format json > verdict.json\n  \
    aws cloudtrail list-public-keys --start-time 2026-11-01 --end-time 2026-11-08 > keys.json\n  \
    trailhound verify copy-of-my-buckets --public-keys keys.json\n\n\
    A folder keeps no signatures: put what `aws s3api head-object` prints of a digest beside it as FILE.metadata.json, or let the\n\
    next digest speak for it, which quotes its signature. docs/integrity.md says what each finding means.\n\n\
    Exit code: 0 intact, 1 damage, 2 no damage was found, but something could not be checked.")]
pub(crate) struct VerifyArgs {
    /// `s3://BUCKET/[PREFIX]`, or a folder laid out as <bucket>/<key>.
    #[arg(value_name = "PLACE", value_parser = PathBufValueParser::new().try_map(history))]
    pub(crate) place: HistoryIn,
    /// Check digests that end after this time: 2026-11-05 (midnight, UTC), or 2026-11-05T10:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// Check digests that begin before this time, and the next, which lists what was late.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    /// Check the log files of this account only.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Check the log files of this Region only.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Check the digests of the trail with this name only.
    #[arg(long, value_name = "NAME")]
    pub(crate) trail: Option<String>,
    /// What `aws cloudtrail list-public-keys` prints; of several Regions, one after the other. Without it, CloudTrail is asked about
    /// what is in S3, and signatures in a folder aren't checked.
    #[arg(long, value_name = "FILE")]
    pub(crate) public_keys: Option<PathBuf>,
    /// How the verdict is printed.
    #[arg(long, value_enum, default_value_t = VerdictFormat::Text)]
    pub(crate) format: VerdictFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerdictFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

fn time(text: &str) -> Result<Timestamp, String> {
    let midnight = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse()
        .or_else(|_| midnight().map(|time| time.timestamp()).ok_or(()))
        .map_err(|()| "a time looks like 2026-11-05 or 2026-11-05T10:00:00Z".to_owned())
}

/// Where a history is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HistoryIn {
    /// A file or a folder.
    Path(PathBuf),
    /// Objects whose keys begin so.
    S3 { bucket: String, prefix: String },
}

fn history(path: PathBuf) -> Result<HistoryIn, String> {
    let Some(url) = path.to_str().filter(|text| text.starts_with("s3://")) else {
        return Ok(HistoryIn::Path(path));
    };
    let (bucket, prefix) = s3_url(url).ok_or("it names no bucket; it takes s3://BUCKET/PREFIX")?;
    Ok(HistoryIn::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
}
