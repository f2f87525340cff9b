//! Parsed rules as bytes. Parsing YAML takes longer than all else that a process does before its first event, so the rules that are
//! built in are parsed when trailhound is built.

use std::sync::Arc;

use crate::yaml::SourceFile;

use super::collection::Collection;

impl Collection {
    /// The documents of one file as bytes; `None` when something is wrong with one of them, which bytes can't say.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let Self { rejected, aside, doubtful, retired, .. } = self;
        let is_whole = rejected.is_empty() && aside.is_empty() && doubtful.is_empty() && retired.is_empty();
        is_whole.then(|| postcard::to_stdvec(self).ok()).flatten()
    }

    /// The same documents again, of a file with the same name and text; `None` if the bytes are something else.
    #[must_use]
    pub fn from_bytes(bytes: &'static [u8], file: &Arc<SourceFile>) -> Option<Self> {
        let mut collection: Self = postcard::from_bytes(bytes).ok()?;
        let rules = collection.rules.iter_mut().chain(&mut collection.own).map(|rule| &mut rule.metadata);
        let correlations = collection.correlations.iter_mut().map(|rule| &mut rule.metadata);
        let filters = collection.filters.iter_mut().chain(&mut collection.own_filters);
        for metadata in rules.chain(correlations).chain(filters.map(|filter| &mut filter.metadata)) {
            metadata.file = Arc::clone(file);
        }
        Some(collection)
    }
}
