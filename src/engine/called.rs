//! What rules are called, so that a reference finds them without going through all.

use hashbrown::HashMap;

/// Something by its id, in any case, and by its name.
#[derive(Debug)]
pub(super) struct Called<T> {
    ids: HashMap<String, Vec<T>>,
    names: HashMap<String, Vec<T>>,
}

impl<T: Copy> Called<T> {
    /// All, in their order: id, name, and what they stand for.
    pub(super) fn new<'n>(all: impl IntoIterator<Item = (&'n str, Option<&'n str>, T)>) -> Self {
        let mut called = Self { ids: HashMap::new(), names: HashMap::new() };
        for (id, name, meant) in all {
            called.ids.entry(id.to_ascii_lowercase()).or_default().push(meant);
            if let Some(name) = name.filter(|name| !name.eq_ignore_ascii_case(id)) {
                called.names.entry(name.to_owned()).or_default().push(meant);
            }
        }
        called
    }

    /// All that `reference` may mean.
    pub(super) fn get(&self, reference: &str) -> impl Iterator<Item = T> {
        let (id, name) = (self.ids.get(&reference.to_ascii_lowercase()), self.names.get(reference));
        id.into_iter().chain(name).flatten().copied()
    }
}
