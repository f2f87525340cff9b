//! What a check of digest files needs, without a pipeline.

use crate::config::{KeysFrom, ObjectsFrom};
use crate::local::{KeyFile, NoKeys};
use crate::ports::PublicKeys;

use super::cloud::Cloud;
use super::{Objects, StartError, objects};

/// Opens where log files are, and where keys come from.
///
/// # Errors
/// When one of them can't be opened, or this build can't reach it.
pub async fn verification(places: &ObjectsFrom, keys: &KeysFrom) -> Result<(Objects, Box<dyn PublicKeys>), StartError> {
    let needed = *places == ObjectsFrom::S3 || *keys == KeysFrom::CloudTrail;
    let cloud = Cloud::load(needed).await;
    Ok((objects(places, &cloud)?, public_keys(keys, &cloud)?))
}

pub(super) fn public_keys(from: &KeysFrom, cloud: &Cloud) -> Result<Box<dyn PublicKeys>, StartError> {
    match from {
        KeysFrom::CloudTrail => cloud.keys(),
        KeysFrom::File(path) => Ok(Box::new(KeyFile::open(path).map_err(StartError::Keys)?)),
        KeysFrom::Nowhere => Ok(Box::new(NoKeys)),
    }
}
