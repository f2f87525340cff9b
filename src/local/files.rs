//! A folder laid out as `<bucket>/<key>`.
//!
//! A folder keeps no metadata of objects. What `aws s3api head-object` prints of one can be put beside it as
//! `<file>.metadata.json`: the signatures of digest files are metadata.

use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::walk;
use crate::integrity::SignatureMetadata;
use crate::ports::{BoxError, FetchError, KeepError, ListError, ObjectBody, ObjectStore};
use crate::trail::KeyKind;
use crate::trigger::ObjectRef;

const CHUNK_BYTES: usize = 256 * 1024;
/// What is put behind the name of a file for the one that holds its metadata.
const METADATA: &str = ".metadata.json";

/// Objects in a folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

/// A file that is being read.
#[derive(Debug)]
pub struct FolderBody {
    object: ObjectRef,
    file: File,
    signature: Option<SignatureMetadata>,
}

impl Folder {
    /// Takes the folder that holds the buckets.
    ///
    /// # Errors
    /// When it isn't there: every object would look deleted, and be acknowledged.
    pub fn new(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        if !root.metadata()?.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
        Ok(Self { root })
    }

    /// Keys are free text: one that would leave the folder is refused.
    fn path(&self, object: &ObjectRef) -> io::Result<PathBuf> {
        let relative = Path::new(&object.bucket).join(&object.key);
        let inside = relative.components().all(|component| matches!(component, Component::Normal(_)));
        if inside { Ok(self.root.join(relative)) } else { Err(ErrorKind::PermissionDenied.into()) }
    }

    /// What stands beside an object, if anything does.
    fn metadata(&self, object: &ObjectRef) -> io::Result<Option<SignatureMetadata>> {
        let mut path = self.path(object)?.into_os_string();
        path.push(METADATA);
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let wrong = |why: String| io::Error::other(format!("{}: {why}", Path::new(&path).display()));
        let head: Value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let metadata =
            head.get("Metadata").and_then(Value::as_object).ok_or_else(|| wrong("no `Metadata`".to_owned()))?;
        Ok(Some(SignatureMetadata::of(|name| metadata.get(name)?.as_str())))
    }

    /// With the folders above it, which S3 doesn't have.
    async fn path_to_write(&self, object: &ObjectRef) -> io::Result<PathBuf> {
        let path = self.path(object)?;
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await?;
        }
        Ok(path)
    }

    /// The order of keys is not that of a walk: `a-b` stands between `a` and `a/b`.
    fn keys(&self, bucket: &str, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectRef>, BoxError> {
        let root = self.root.join(bucket);
        root.metadata()?;
        // Nothing outside of the folder that the prefix names has to be looked at.
        let within = prefix.rsplit_once('/').map_or(root.clone(), |(folder, _)| root.join(folder));
        let mut keys = Vec::new();
        for entry in Some(within).filter(|within| within.is_dir()).iter().flat_map(|within| walk(within)) {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(METADATA) {
                continue;
            }
            let key = entry.path().strip_prefix(&root)?.to_str().ok_or_else(|| not_utf8(entry.path()))?;
            if key.starts_with(prefix) && after.is_none_or(|after| key > after) {
                keys.push(ObjectRef { bucket: bucket.to_owned(), key: key.to_owned(), version_id: None });
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

impl ObjectStore for Folder {
    type Body = FolderBody;

    async fn get(&self, object: &ObjectRef) -> Result<FolderBody, FetchError> {
        let open = async || File::open(self.path(object)?).await;
        let file = open().await.map_err(|error| {
            // As with S3: a bucket that is missing is a mistake in the set-up, not a file that has expired.
            let bucket = self.root.join(&object.bucket);
            if error.kind() == ErrorKind::NotFound && !bucket.is_dir() {
                return failed(object, io::Error::other(format!("there is no folder {}", bucket.display())));
            }
            fetch_error(object, error)
        })?;
        // Most objects are log files, of which nobody asks it.
        let is_digest = KeyKind::of(&object.key) == KeyKind::Digest;
        let signature = if is_digest { self.metadata(object).map_err(|error| failed(object, error))? } else { None };
        Ok(FolderBody { object: object.clone(), file, signature })
    }

    async fn list(&self, bucket: &str, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectRef>, ListError> {
        self.keys(bucket, prefix, after).map_err(|source| ListError {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            source,
        })
    }

    async fn put(&self, to: &ObjectRef, bytes: Bytes) -> Result<(), KeepError> {
        let write = async || tokio::fs::write(self.path_to_write(to).await?, bytes).await;
        write().await.map_err(|error| keep_error(to, error))
    }

    async fn copy(&self, from: &ObjectRef, to: &ObjectRef) -> Result<(), KeepError> {
        let copy = async || tokio::fs::copy(self.path(from)?, self.path_to_write(to).await?).await;
        copy().await.map(drop).map_err(|error| keep_error(to, error))
    }
}

fn keep_error(to: &ObjectRef, error: io::Error) -> KeepError {
    KeepError { to: to.clone(), source: error.into() }
}

impl ObjectBody for FolderBody {
    fn signature(&self) -> Option<&SignatureMetadata> {
        self.signature.as_ref()
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let mut buffer = BytesMut::with_capacity(CHUNK_BYTES);
        let read = self.file.read_buf(&mut buffer).await.map_err(|error| fetch_error(&self.object, error))?;
        Ok((read > 0).then(|| buffer.freeze()))
    }
}

fn not_utf8(path: &Path) -> io::Error {
    io::Error::other(format!("the name of {} is not UTF-8", path.display()))
}

fn failed(object: &ObjectRef, error: io::Error) -> FetchError {
    FetchError::Failed { object: object.clone(), source: error.into() }
}

fn fetch_error(object: &ObjectRef, error: io::Error) -> FetchError {
    match error.kind() {
        ErrorKind::NotFound => FetchError::Gone(object.clone()),
        ErrorKind::PermissionDenied => FetchError::Denied { object: object.clone(), source: error.into() },
        _ => failed(object, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_are_listed_in_their_own_order_and_after_the_last_one() {
        let root = tempfile::TempDir::new().unwrap();
        for key in ["a/b", "a/d/e", "a-c", "b", "a/b.metadata.json"] {
            let path = root.path().join("bucket").join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let folder = Folder::new(root.path()).unwrap();
        let keys = async |prefix: &str, after: Option<&str>| {
            let listed = folder.list("bucket", prefix, after).await.unwrap();
            listed.into_iter().map(|object| object.key).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys("", None).await, "a-c a/b a/d/e b");
        assert_eq!(keys("a/", Some("a/b")).await, "a/d/e");
        assert_eq!(keys("a/d", None).await, "a/d/e");
        assert_eq!(keys("a", Some("b")).await, "");
        assert_eq!(keys("elsewhere/a", None).await, "");
        assert!(folder.list("other", "", None).await.unwrap_err().to_string().contains("s3://other/"));
    }
}
