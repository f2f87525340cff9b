//! Which digests there are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use trailhound::integrity::{Chain, DigestName, Seek, Selection};
use trailhound::ports::{ListError, ObjectStore};

/// A chain, and its digests by when their time ended.
pub(super) type Digests = (Chain, BTreeMap<Timestamp, String>);

/// Finds the digests below a prefix. What isn't digests is skipped by folders, so that a bucket needn't be listed whole.
pub(super) async fn find(
    objects: &impl ObjectStore,
    bucket: &str,
    prefix: &str,
    selection: &Selection,
) -> Result<Vec<Digests>, ListError> {
    let mut chains: BTreeMap<Chain, BTreeMap<Timestamp, String>> = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let page = objects.list(bucket, prefix, after.as_deref()).await?;
        if page.is_empty() {
            return Ok(chains.into_iter().collect());
        }
        for object in page {
            if after.as_ref().is_some_and(|after| object.key <= *after) {
                continue;
            }
            after = Some(match selection.judge(&object.key) {
                Seek::Skip(upto) => upto.max(object.key),
                Seek::Pass => object.key,
                Seek::Take(DigestName { chain, end }) => {
                    chains.entry(chain).or_default().insert(end, object.key.clone());
                    object.key
                }
            });
        }
    }
}

/// The digest of a chain that follows one, of the same day or the next.
pub(super) async fn next(
    objects: &impl ObjectStore,
    bucket: &str,
    name: &DigestName,
    key: &str,
) -> Result<Option<String>, ListError> {
    const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
    let of_chain = |key: &str| DigestName::of(key).is_some_and(|other| other.chain == name.chain);
    let tomorrow = name.end.checked_add(DAY).unwrap_or(name.end);
    for (day, mut after) in [(name.end, key.to_owned()), (tomorrow, String::new())] {
        let prefix = name.chain.digests_of(day);
        loop {
            let page = objects.list(bucket, &prefix, Some(&after)).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.key);
            if let Some(next) = page.into_iter().find(|object| of_chain(&object.key)) {
                return Ok(Some(next.key));
            }
        }
    }
    Ok(None)
}
