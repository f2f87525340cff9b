//! A folder laid out as `<bucket>/<key>`.

use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use bytes::{Bytes, BytesMut};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use crate::ports::{FetchError, ObjectBody, ObjectStore};
use crate::trigger::ObjectRef;

const CHUNK_BYTES: usize = 256 * 1024;

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
        Ok(FolderBody { object: object.clone(), file })
    }
}

impl ObjectBody for FolderBody {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let mut buffer = BytesMut::with_capacity(CHUNK_BYTES);
        let read = self.file.read_buf(&mut buffer).await.map_err(|error| fetch_error(&self.object, error))?;
        Ok((read > 0).then(|| buffer.freeze()))
    }
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
