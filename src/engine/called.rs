//! What rules are called, so that a reference finds them without going through all.

use std::borrow::Cow;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

/// Something by its id, in any case, and by its name.
#[derive(Debug)]
pub(super) struct Called<'n, T> {
    ids: HashMap<Cow<'n, str>, Meant<T>>,
    names: HashMap<Cow<'n, str>, Meant<T>>,
}

/// What one text stands for: most stand for one thing.
#[derive(Debug)]
struct Meant<T> {
    first: T,
    others: Vec<T>,
}

impl<'n, T: Copy> Called<'n, T> {
    /// All, in their order: id, name, and what they stand for.
    pub(super) fn new(all: impl IntoIterator<Item = (&'n str, Option<&'n str>, T)>) -> Self {
        let mut called = Self { ids: HashMap::new(), names: HashMap::new() };
        for (id, name, meant) in all {
            add(&mut called.ids, lowered(id), meant);
            if let Some(name) = name.filter(|name| !name.eq_ignore_ascii_case(id)) {
                add(&mut called.names, name.into(), meant);
            }
        }
        called
    }

    /// All that `reference` may mean.
    pub(super) fn get(&self, reference: &str) -> impl Iterator<Item = T> {
        let meant = [self.ids.get(&*lowered(reference)), self.names.get(reference)];
        meant.into_iter().flatten().flat_map(|meant| [meant.first].into_iter().chain(meant.others.iter().copied()))
    }
}

fn add<'n, T>(all: &mut HashMap<Cow<'n, str>, Meant<T>>, text: Cow<'n, str>, meant: T) {
    match all.entry(text) {
        Entry::Occupied(mut known) => known.get_mut().others.push(meant),
        Entry::Vacant(new) => {
            new.insert(Meant { first: meant, others: Vec::new() });
        }
    }
}

fn lowered(id: &str) -> Cow<'_, str> {
    if id.bytes().any(|byte| byte.is_ascii_uppercase()) { id.to_ascii_lowercase().into() } else { id.into() }
}
