//! `trailhound invoke`: event payloads through the function's own handler.

use std::path::Path;

use trailhound::config::{ConfigFrom, EnrichmentFrom, KeysFrom, Settings};
use trailhound::outcome::{self, Outcome};
use trailhound::ports::BoxError;
use trailhound::start::{self, ConfiguredPipeline};
use trailhound::trail::Scope;

use crate::args::InvokeArgs;
use crate::{Verdict, note, rules};

pub(crate) async fn run(args: &InvokeArgs) -> Result<Verdict, BoxError> {
    let settings = Settings {
        objects: args.objects.clone(),
        state: args.state.clone(),
        alerts: args.alerts.clone(),
        warm: Vec::new(),
        config: args.rules.config.clone().map(ConfigFrom::Path),
        enrichment: args.rules.enrichment.clone().map(EnrichmentFrom::Folder),
        rules: args.rules.sources(),
        level: args.level,
        scope: Scope::default(),
        quarantine: args.quarantine.clone(),
        keys: args.public_keys.clone().map_or(KeysFrom::Nowhere, KeysFrom::File),
        concurrency: 8,
        max_found_bytes: trailhound::pipeline::MAX_FOUND_BYTES,
        max_enrichment_bytes: trailhound::config::MAX_ENRICHMENT_BYTES,
        limits: crate::limits()?,
    };
    let loaded = rules::load_for(&args.rules, args.level)?;
    let mut broken = rules::is_broken(&loaded);
    let pipeline = start::with_rules(&settings, loaded).await?;
    let mut total = Outcome::default();
    let mut failed = false;
    for path in &args.events {
        match handle(&pipeline, path).await {
            Ok(outcome) => {
                failed |= report(path, &outcome);
                total.counts.add(&outcome.counts);
                total.lags.extend(&outcome.lags);
                total.rules = outcome.rules;
            }
            Err(error) => {
                broken = true;
                note(&format!("{}: {error}", path.display()));
            }
        }
    }
    note(&if args.summary { outcome::table(&total) } else { total.counts.summary() });
    Ok(match (broken, failed) {
        (true, _) => Verdict::Broken,
        (false, true) => Verdict::Found,
        (false, false) => Verdict::Clean,
    })
}

async fn handle(pipeline: &ConfiguredPipeline, path: &Path) -> Result<Outcome, BoxError> {
    Ok(pipeline.handle(&std::fs::read_to_string(path)?).await)
}

/// Prints the answer as Lambda would get it.
fn report(path: &Path, outcome: &Outcome) -> bool {
    match outcome.response() {
        Ok(answer) => note(&format!("{} -> {answer}", path.display())),
        Err(failure) => note(&format!("{} -> error: {}", path.display(), failure.why)),
    }
    !outcome.failures.is_empty()
}
