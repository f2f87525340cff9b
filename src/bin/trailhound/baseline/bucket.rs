//! A history in Amazon S3.

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use trailhound::aws::{S3Objects, sdk_config};
use trailhound::pipeline::Screen;
use trailhound::ports::{BoxError, FetchError, ObjectBody as _, ObjectStore, chain};
use trailhound::trail::{KeyKind, ReadError, Reader, Readers};
use trailhound::trigger::ObjectRef;

use super::history::History;
use crate::scan::work::{FileReport, Tools};

/// Objects read at the same time.
const CONCURRENCY: usize = 16;

/// Reads the log files below a prefix, those of a page of keys before the next page is asked for. What can't be read is told,
/// and keeps nothing else out.
///
/// # Errors
/// None; a build without AWS has one.
pub(super) async fn read(bucket: &str, prefix: &str, tools: Tools<'_>, history: &mut History) -> Result<(), BoxError> {
    let s3 = S3Objects::new(&sdk_config().await);
    let readers = Readers::new(tools.limits);
    let mut found = 0;
    let mut after: Option<String> = None;
    loop {
        let page = match s3.list(bucket, prefix, after.as_deref()).await {
            Ok(page) => page,
            Err(error) => {
                history.unlisted(&chain(&error));
                return Ok(());
            }
        };
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        let (logs, others): (Vec<ObjectRef>, Vec<ObjectRef>) =
            page.into_iter().partition(|object| KeyKind::of(&object.key) == KeyKind::Log);
        found += logs.len();
        history.skipped += others.len() as u64;
        let mut reports =
            stream::iter(&logs).map(|object| read_object(&s3, object, tools, &readers)).buffer_unordered(CONCURRENCY);
        while let Some(report) = reports.next().await {
            history.add(&report);
        }
    }
    if found == 0 {
        history.unlisted(&format!(
            "s3://{bucket}/{prefix}: no log files of CloudTrail below it (their keys are …AWSLogs/<account>/CloudTrail/…)"
        ));
    }
    Ok(())
}

async fn read_object(store: &impl ObjectStore, object: &ObjectRef, tools: Tools<'_>, readers: &Readers) -> FileReport {
    let name = object.to_string();
    let mut screen = Screen::new(tools.rules, name.as_str().into(), Timestamp::now());
    let mut reader = readers.take();
    let result = feed(store, object, &mut reader, &mut screen).await;
    readers.give(reader);
    let mut report = FileReport::of(&name, screen.finish());
    match result {
        // A rule of the bucket's lifecycle was faster.
        Err(Failure::Fetch(FetchError::Gone(_))) => report.counts.gone = 1,
        Err(Failure::Fetch(error)) => report.end(&name, Err(chain(&error))),
        Err(Failure::Read(error)) => report.end(&name, Err(error.to_string())),
        Ok(()) => report.end(&name, Ok(())),
    }
    report
}

enum Failure {
    Fetch(FetchError),
    Read(ReadError),
}

async fn feed(
    store: &impl ObjectStore,
    object: &ObjectRef,
    reader: &mut Reader,
    screen: &mut Screen<'_>,
) -> Result<(), Failure> {
    let mut body = store.get(object).await.map_err(Failure::Fetch)?;
    while let Some(chunk) = body.chunk().await.map_err(Failure::Fetch)? {
        reader.push(&chunk, &mut |item| screen.item(item, &mut |_| {})).map_err(Failure::Read)?;
    }
    reader.finish(&mut |item| screen.item(item, &mut |_| {})).map_err(Failure::Read)
}
