//! One record while it is held against rules.

use std::cell::{OnceCell, RefCell};

use crate::trail::{Grants, Record};

use super::Knowledge;
use super::field::{Derived, Values};

/// A record, what was worked out of it so far, and room to work in.
pub(super) struct Context<'c, 'r> {
    pub(super) record: &'c Record<'r>,
    pub(super) knowledge: &'c Knowledge,
    pub(super) room: &'c Room,
    derived: [OnceCell<Values>; Derived::COUNT],
    grants: OnceCell<Option<Grants>>,
}

/// Buffers that keep their memory from one record to the next, so that a record that matches nothing allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// The text of a value that the record doesn't hold as text.
    pub(super) text: Buffer,
    /// A value with upper and lower case made the same.
    pub(super) folded: Buffer,
    /// The same for the field that `fieldref` names.
    pub(super) other_text: Buffer,
    pub(super) other_folded: Buffer,
}

/// A buffer that is taken and given back; taken twice at a time, the second is a new one.
#[derive(Debug, Default)]
pub(super) struct Buffer(RefCell<String>);

impl Buffer {
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut String) -> T) -> T {
        let mut buffer = self.0.take();
        let result = work(&mut buffer);
        self.0.replace(buffer);
        result
    }
}

impl<'c, 'r> Context<'c, 'r> {
    pub(super) fn new(record: &'c Record<'r>, knowledge: &'c Knowledge, room: &'c Room) -> Self {
        Self { record, knowledge, room, derived: [const { OnceCell::new() }; Derived::COUNT], grants: OnceCell::new() }
    }

    /// Each derived field is worked out once a record, and only when a rule asks.
    pub(super) fn derived(&self, field: Derived) -> &Values {
        self.derived[field as usize].get_or_init(|| field.values(self))
    }

    /// What the record's policy documents grant; parsed once a record, and only when a rule asks.
    pub(super) fn grants(&self) -> Option<&Grants> {
        self.grants.get_or_init(|| self.record.grants()).as_ref()
    }
}
