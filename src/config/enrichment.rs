//! Where what is known of addresses is.

use std::fmt;
use std::path::PathBuf;

use super::values::folder;

/// What may be loaded where nobody knows how much memory there is, in bytes.
pub const MAX_ENRICHMENT_BYTES: usize = 1 << 30;

/// Where what is known of addresses is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrichmentFrom {
    /// A folder.
    Folder(PathBuf),
    /// Objects right below a prefix.
    S3 {
        /// Their bucket.
        bucket: String,
        /// What their keys begin with; empty, or with a slash at its end.
        prefix: String,
    },
}

impl fmt::Display for EnrichmentFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// Reads a path or `s3://BUCKET/PREFIX`; an error is in words.
pub(super) fn enrichment(value: &str) -> Result<EnrichmentFrom, String> {
    if !value.starts_with("s3://") {
        return Ok(EnrichmentFrom::Folder(value.into()));
    }
    let (bucket, prefix) =
        folder(value).ok_or_else(|| format!("`{value}` names no bucket; it takes `PATH` or `s3://BUCKET/PREFIX`"))?;
    Ok(EnrichmentFrom::S3 { bucket, prefix })
}
