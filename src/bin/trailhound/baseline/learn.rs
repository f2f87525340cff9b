//! Reads a history and has the memory know what it shows.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Mutex;

use jiff::Timestamp;
use trailhound::alerting::{Key, KnownPairs};
use trailhound::pipeline;
use trailhound::ports::{BoxError, StateStore};
use trailhound::rule_pack::Loaded;

use super::history::History;
use super::{BATCH, bucket, failed, is_standard};
use crate::args::{BaselineArgs, HistoryIn};
use crate::scan::files::{self, Listing};
use crate::scan::work::{self, Order, Part, Tools};
use crate::{note, rules};

/// Learns; gives whether everything could be read.
///
/// # Errors
/// When there are no rules to learn for, or the memory fails. What was written by then stands, and learning again does no harm.
pub(super) async fn learn(state: &impl StateStore, args: &BaselineArgs, now: Timestamp) -> Result<bool, BoxError> {
    let loaded = rules::load(&args.rules)?;
    if loaded.rules.first_seen().next().is_none() {
        return Err(format!("no first-seen rule is loaded, so there is nothing to learn ({})", loaded.summary()).into());
    }
    // Reading may take an hour: better to hear now that the table isn't there.
    let nothing = Key { partition: "-".to_owned(), sort: "-".to_owned() };
    state.get(&[nothing], now).await.map_err(failed)?;
    let history = read(args, &loaded).await?;
    let new = remember(state, &history, now).await?;
    if args.dump.as_deref().is_some_and(is_standard) {
        history.print(&loaded.rules, &mut io::stderr().lock())?;
    } else {
        let mut out = io::stdout().lock();
        history.print(&loaded.rules, &mut out)?;
        out.flush()?;
    }
    note(&loaded.summary());
    note(&summary(&history, new));
    let unread = history.counts.objects_failed + history.counts.bad_records;
    Ok(!rules::is_broken(&loaded) && history.unlisted == 0 && unread == 0)
}

async fn read(args: &BaselineArgs, loaded: &Loaded) -> Result<History, BoxError> {
    let tools = Tools { rules: &loaded.rules, limits: crate::limits()?, printer: None };
    let mut history = History::default();
    let mut paths: Vec<PathBuf> = Vec::new();
    for place in &args.history {
        match place {
            HistoryIn::Path(path) => paths.push(path.clone()),
            HistoryIn::S3 { bucket, prefix } => bucket::read(bucket, prefix, tools, &mut history).await?,
        }
    }
    read_files(&paths, tools, &mut history)?;
    Ok(history)
}

fn read_files(paths: &[PathBuf], tools: Tools<'_>, history: &mut History) -> io::Result<()> {
    let Listing { files, errors, skipped } = files::list(paths);
    history.skipped += skipped as u64;
    errors.iter().for_each(|error| history.unlisted(error));
    work::read(&files, work::cores(), tools, Order::AsDone, |part| {
        if let Part::Last(report) = part {
            history.add(&report);
        }
        Ok(())
    })
}

/// Gives how many pairs the memory didn't know.
async fn remember(state: &impl StateStore, history: &History, now: Timestamp) -> Result<usize, BoxError> {
    let known: Mutex<KnownPairs> = Mutex::default();
    let mut new = 0;
    for batch in history.in_order().chunks(BATCH) {
        let recalled = pipeline::see(state, &known, batch.to_vec(), now).await.map_err(failed)?;
        recalled.unreadable.iter().for_each(|item| note(&item.to_string()));
        new += recalled.seen.iter().filter(|seen| seen.is_new).count();
    }
    Ok(new)
}

fn summary(history: &History, new: usize) -> String {
    let History { counts, unlisted, skipped, .. } = history;
    format!(
        "{} files = {} read + {} gone + {} failed; {skipped} other files skipped, {unlisted} paths could not be listed; \
         {} records, {} bad; {} pairs of entity and value, {new} of them new to the memory",
        counts.objects,
        counts.files,
        counts.gone,
        counts.objects_failed,
        counts.records,
        counts.bad_records,
        history.pairs(),
    )
}
