//! Whole behaviour, through the library and the binary, with local parts. Nothing here needs a network.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod alerts; // rendered alerts, as snapshots that were read
#[cfg(feature = "aws")]
mod aws; // what AWS answers when it refuses
mod backfill; // what lies below a prefix, read anew
mod baseline; // a memory that is filled from history, dumped, loaded and forgotten
mod broken; // files that are damaged in a thousand ways
mod channels; // one story, told on every channel
mod cli; // the command line, as a user runs it
mod cli_notify; // its subcommand that tells channels
mod cli_rules; // its subcommands about rules
#[path = "../conformance/mod.rs"]
mod conformance; // what every memory has to hold
mod correlation; // patterns over several events
mod costs; // what reading and matching cost, in counts
mod coverage; // which known detections the rules are for
mod crash; // processes that die in the middle
mod delivery; // what happens over several deliveries
mod docs; // documentation that has to agree with the code
mod engine; // index, evaluator and explanation, held against each other
mod enrichment; // what is known of accounts and addresses
mod faults; // parts that fail in the middle
mod first_seen; // what is remembered, over invocations
mod groups; // of correlations: many, large, far apart, damaged
mod hostile; // what an intruder writes into a log, on every channel
mod integrity; // digest files: what was altered, deleted or added
mod language; // every feature of the rule language, as docs/sigma-support.md lists them
mod limits; // quiet hours, caps, and the summaries of what they hold back
mod lint; // what is legal but dead or dangerous in a rule
mod matrix; // every way in, crossed with every outcome
mod notifier; // channels and their receivers, whatever these do
mod ocsf; // the machine form of alerts, for validators
mod order; // what the order of delivery may change
mod ordinary; // weeks without an attack, and what people are told of them
mod pipeline; // deliveries, failures, counts
mod preview; // the page that shows alerts as chat shows them
mod reading; // files, held against serde_json and against themselves in other chunks
mod receivers; // of alerts, as strict as the real ones
mod room; // what would take more memory than there is
mod rules; // every shipped rule against its records
mod scenario; // what tests that disturb the memory have it do
mod schema; // what editors are told about rule and organisation files
mod sigma; // rules against records: the language
#[cfg(feature = "aws")]
mod sns; // several alerts for a topic at once
#[cfg(feature = "aws")]
mod start; // the compiled function, from its start to its first answer
mod state; // the memory on one machine
mod support;
mod topics; // alerts that go to further topics
mod ways; // payloads for every way in
#[cfg(feature = "aws")]
mod web; // requests over real connections
