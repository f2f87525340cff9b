//! One record while it is held against rules.

use std::cell::{Cell, OnceCell, RefCell};

use crate::trail::{FieldPath, Found, Grants, Record};

use super::Knowledge;
use super::field::{Derived, Values};

/// A record, and room to work in.
pub(super) struct Context<'c, 'r> {
    pub(super) record: &'c Record<'r>,
    pub(super) knowledge: &'c Knowledge,
    pub(super) room: &'c Room,
}

/// Buffers that keep their memory from one record to the next, so that a record that matches nothing allocates nothing, and what
/// was worked out of the record at hand.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// The text of a value that the record doesn't hold as text.
    pub(super) text: Buffer,
    /// A value with upper and lower case made the same.
    pub(super) folded: Buffer,
    /// The same for the field that `fieldref` names.
    pub(super) other_text: Buffer,
    pub(super) other_folded: Buffer,
    derived: [OnceCell<Values>; Derived::COUNT],
    grants: OnceCell<Option<Grants>>,
    /// Where paths lead, by their numbers, and for which record that is known.
    found: RefCell<Vec<(u32, Found)>>,
    /// What items came to that several rules ask, by their numbers, and for which record that is known.
    answers: RefCell<Vec<(u32, bool)>>,
    record: Cell<u32>,
    /// Whether anything was worked out: most records need nothing of it, and forgetting it all costs more than matching them.
    used: Cell<bool>,
}

impl Room {
    /// Forgets the record of before.
    fn clear(&mut self) {
        let record = self.record.get_mut();
        *record = record.wrapping_add(1);
        // Once in four billion records an old place could be taken for a new one.
        if *record == 0 {
            self.found.get_mut().clear();
            self.answers.get_mut().clear();
            *record = 1;
        }
        if self.used.replace(false) {
            self.derived.iter_mut().for_each(|values| drop(values.take()));
            self.grants.take();
        }
    }
}

/// A buffer that one outsized value has made larger than this is not kept.
const KEPT_BYTES: usize = 1 << 20;

/// A buffer that is taken and given back; taken twice at a time, the second is a new one.
#[derive(Debug, Default)]
pub(super) struct Buffer(RefCell<String>);

impl Buffer {
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut String) -> T) -> T {
        let mut buffer = self.0.take();
        let result = work(&mut buffer);
        if buffer.capacity() <= KEPT_BYTES {
            self.0.replace(buffer);
        }
        result
    }
}

impl<'c, 'r> Context<'c, 'r> {
    /// Begins with a record. The room is for this record alone from now on.
    pub(super) fn new(record: &'c Record<'r>, knowledge: &'c Knowledge, room: &'c mut Room) -> Self {
        room.clear();
        Self { record, knowledge, room }
    }

    /// Each derived field is worked out once a record, and only when a rule asks.
    pub(super) fn derived(&self, field: Derived) -> &Values {
        self.room.used.set(true);
        self.room.derived[field as usize].get_or_init(|| field.values(self))
    }

    /// Where a path leads; looked for once a record.
    pub(super) fn find(&self, number: u16, path: &FieldPath) -> Found {
        let mut known = self.room.found.borrow_mut();
        let number = usize::from(number);
        if known.len() <= number {
            known.resize(number + 1, (0, Found::Absent));
        }
        // OK because there is room for it now.
        let (record, found) = &mut known[number];
        if *record != self.room.record.get() {
            (*record, *found) = (self.room.record.get(), self.record.find(path));
        }
        *found
    }

    /// What an item comes to; worked out once a record.
    pub(super) fn ask(&self, number: u16, answer: impl FnOnce() -> bool) -> bool {
        let (number, record) = (usize::from(number), self.room.record.get());
        if let Some((known_of, holds)) = self.room.answers.borrow().get(number)
            && *known_of == record
        {
            return *holds;
        }
        let holds = answer();
        let mut answers = self.room.answers.borrow_mut();
        if answers.len() <= number {
            answers.resize(number + 1, (0, false));
        }
        // OK because there is room for it now.
        answers[number] = (record, holds);
        holds
    }

    /// What the record's policy documents grant; parsed once a record, and only when a rule asks.
    pub(super) fn grants(&self) -> Option<&Grants> {
        self.room.used.set(true);
        self.room.grants.get_or_init(|| self.record.grants()).as_ref()
    }
}
