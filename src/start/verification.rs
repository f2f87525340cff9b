//! What a check of digest files needs, without a pipeline.

use std::path::PathBuf;

use crate::config::ObjectsFrom;
use crate::local::KeyFile;

use super::cloud::Cloud;
use super::{Keys, Objects, StartError, objects};

/// Where CloudTrail's public keys are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysFrom {
    /// CloudTrail.
    CloudTrail,
    /// A file of them.
    File(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// Opens where log files are, and where keys come from.
///
/// # Errors
/// When one of them can't be opened, or this build can't reach it.
pub async fn verification(places: &ObjectsFrom, keys: &KeysFrom) -> Result<(Objects, Keys), StartError> {
    let needed = *places == ObjectsFrom::S3 || *keys == KeysFrom::CloudTrail;
    let cloud = Cloud::load(needed).await;
    let keys = match keys {
        KeysFrom::CloudTrail => cloud.keys()?,
        KeysFrom::File(path) => KeyFile::open(path).map(Keys::File).map_err(StartError::Keys)?,
        KeysFrom::Nowhere => Keys::Nowhere,
    };
    Ok((objects(places, &cloud)?, keys))
}
