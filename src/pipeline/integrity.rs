//! The effects of a check of a digest: reads what it asks for, and tells it.

use bytes::Bytes;
use futures_util::future::join_all;

use crate::integrity::{Check, Hash, Hasher, Listing, NoAnswer, Opened, Report, Step};
use crate::ports::{FetchError, ObjectBody, ObjectStore, PublicKeys, chain};
use crate::trail::{ReadError, Unzip};
use crate::trigger::ObjectRef;

/// Bytes that a digest file may inflate to; it is held in memory. One of ten thousand log files has 5 MB.
const MAX_DIGEST_BYTES: u64 = 12 << 20;

/// What a step came to.
#[derive(Debug)]
pub enum Advanced {
    /// There is more to do.
    More,
    /// That's all.
    Done(Box<Report>),
    /// The time was over in the middle of a step. It wasn't answered, so that it is the next one again.
    Stopped,
}

/// Takes a check one step further, unless `is_over` by then.
///
/// What can't be had is told to the check, which goes on with the rest. It can be stopped between any two steps: then
/// [`Check::progress`] lets another one go on.
pub async fn advance(
    check: &mut Check,
    objects: &impl ObjectStore,
    keys: &dyn PublicKeys,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Advanced {
    match check.step() {
        Step::Open(object) => match open(objects, &object, is_over).await {
            Err(Unread::Stopped) => return Advanced::Stopped,
            Err(Unread::NoAnswer(why)) => check.opened(Err(why)),
            Ok(opened) => check.opened(Ok(opened)),
        },
        Step::Key(wanted) => check.key(keys.find(&wanted).await.map_err(|error| NoAnswer::Failed(chain(&error)))),
        Step::Hash(files) => {
            let mut hashes = Vec::new();
            for hash in join_all(files.iter().map(|file| hash(objects, file, is_over))).await {
                match hash {
                    Err(Unread::Stopped) => return Advanced::Stopped,
                    Err(Unread::NoAnswer(why)) => hashes.push(Err(why)),
                    Ok(hash) => hashes.push(Ok(hash)),
                }
            }
            check.hashed(hashes);
        }
        Step::List(Listing { bucket, prefix, after }) => {
            let page = objects.list(&bucket, &prefix, Some(&after)).await;
            check.listed(page.map_err(|error| NoAnswer::Failed(chain(&error))));
        }
        Step::Done(report) => return Advanced::Done(report),
    }
    Advanced::More
}

/// Why an object was not read to its end.
#[derive(Debug)]
pub enum Unread {
    /// There was no time to.
    Stopped,
    /// It can't be had.
    NoAnswer(NoAnswer),
}

/// Reads a digest file whole.
///
/// # Errors
/// Why it wasn't.
pub async fn open(
    objects: &impl ObjectStore,
    object: &ObjectRef,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<Opened, Unread> {
    let mut body = objects.get(object).await?;
    let metadata = body.signature().cloned();
    let mut raw = Vec::new();
    let mut unzip = Unzip::new(MAX_DIGEST_BYTES);
    while let Some(chunk) = next(&mut body, is_over).await? {
        unzip.push(&chunk, &mut |part| raw.extend_from_slice(part))?;
    }
    unzip.finish()?;
    Ok(Opened { raw, metadata })
}

async fn hash(
    objects: &impl ObjectStore,
    object: &ObjectRef,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<Hash, Unread> {
    let mut body = objects.get(object).await?;
    let mut hasher = Hasher::default();
    while let Some(chunk) = next(&mut body, is_over).await? {
        hasher.push(&chunk)?;
    }
    Ok(hasher.finish()?)
}

async fn next(body: &mut impl ObjectBody, is_over: &(dyn Fn() -> bool + Sync)) -> Result<Option<Bytes>, Unread> {
    if is_over() { Err(Unread::Stopped) } else { Ok(body.chunk().await?) }
}

impl<E: Into<NoAnswer>> From<E> for Unread {
    fn from(error: E) -> Self {
        Self::NoAnswer(error.into())
    }
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
