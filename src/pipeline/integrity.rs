//! The effects of a check of a digest: reads what it asks for, and tells it.

use futures_util::future::join_all;

use crate::integrity::{Check, Hash, Hasher, Listing, NoAnswer, Opened, Report, Step};
use crate::ports::{FetchError, ObjectBody, ObjectStore, PublicKeys, chain};
use crate::trail::{ReadError, Unzip};
use crate::trigger::ObjectRef;

/// Bytes that a digest file may inflate to; it is held in memory. One of ten thousand log files has 5 MB.
const MAX_DIGEST_BYTES: u64 = 64 << 20;

/// Takes a check one step further; gives its report once it is done.
///
/// What can't be had is told to the check, which goes on with the rest. It can be stopped between any two steps: then
/// [`Check::progress`] lets another one go on.
pub async fn advance(check: &mut Check, objects: &impl ObjectStore, keys: &dyn PublicKeys) -> Option<Report> {
    match check.step() {
        Step::Open(object) => check.opened(open(objects, &object).await),
        Step::Key(wanted) => check.key(keys.find(&wanted).await.map_err(|error| NoAnswer::Failed(chain(&error)))),
        Step::Hash(files) => check.hashed(join_all(files.iter().map(|file| hash(objects, file))).await),
        Step::List(Listing { bucket, prefix, after }) => {
            let page = objects.list(&bucket, &prefix, Some(&after)).await;
            check.listed(page.map_err(|error| NoAnswer::Failed(chain(&error))));
        }
        Step::Done(report) => return Some(*report),
    }
    None
}

/// Reads a digest file whole.
///
/// # Errors
/// Why it can't be had.
pub async fn open(objects: &impl ObjectStore, object: &ObjectRef) -> Result<Opened, NoAnswer> {
    let mut body = objects.get(object).await?;
    let metadata = body.signature().cloned();
    let mut raw = Vec::new();
    let mut unzip = Unzip::new(MAX_DIGEST_BYTES);
    while let Some(chunk) = body.chunk().await? {
        unzip.push(&chunk, &mut |part| raw.extend_from_slice(part))?;
    }
    unzip.finish()?;
    Ok(Opened { raw, metadata })
}

async fn hash(objects: &impl ObjectStore, object: &ObjectRef) -> Result<Hash, NoAnswer> {
    let mut body = objects.get(object).await?;
    let mut hasher = Hasher::default();
    while let Some(chunk) = body.chunk().await? {
        hasher.push(&chunk)?;
    }
    Ok(hasher.finish()?)
}

impl From<FetchError> for NoAnswer {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Gone(_) => Self::Gone,
            error => Self::Failed(chain(&error)),
        }
    }
}

impl From<ReadError> for NoAnswer {
    fn from(error: ReadError) -> Self {
        Self::Damaged(match error {
            // No setting raises these limits.
            ReadError::TooLarge { limit } => format!("it inflates to more than {limit} bytes"),
            error => error.to_string(),
        })
    }
}
