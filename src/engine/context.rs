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
    /// Nothing where few questions are asked.
    memory: Option<RefCell<Memory>>,
    /// Whether anything was worked out: most records need nothing of it, and forgetting it all costs more than matching them.
    used: Cell<bool>,
}

/// What many rules ask of a record, each with the number of the record that it is known of.
#[derive(Debug, Default)]
struct Memory {
    record: u32,
    /// Where paths lead, by their numbers.
    found: Vec<(u32, Found)>,
    /// What items came to, by their numbers.
    answers: Vec<(u32, bool)>,
}

impl Memory {
    fn clear(&mut self) {
        self.record = self.record.wrapping_add(1);
        // Once in four billion records an old place could be taken for a new one.
        if self.record == 0 {
            *self = Self { record: 1, ..Self::default() };
        }
    }
}

impl Room {
    /// For a record that many rules ask about: what they ask again is remembered.
    pub(super) fn for_many() -> Self {
        Self { memory: Some(RefCell::default()), ..Self::default() }
    }

    /// Forgets the record of before.
    fn clear(&mut self) {
        if let Some(memory) = &mut self.memory {
            memory.get_mut().clear();
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

    /// Where a path leads; looked for once a record, if that is remembered.
    pub(super) fn find(&self, number: u16, path: &FieldPath) -> Found {
        let Some(memory) = &self.room.memory else { return Found::Many };
        let Memory { record, found, .. } = &mut *memory.borrow_mut();
        let (known_of, place) = at(found, number, Found::Absent);
        if known_of != record {
            (*known_of, *place) = (*record, self.record.find(path));
        }
        *place
    }

    /// What an item comes to; worked out once a record, if that is remembered.
    pub(super) fn ask(&self, number: u16, answer: impl FnOnce() -> bool) -> bool {
        let Some(memory) = &self.room.memory else { return answer() };
        let record = memory.borrow().record;
        let (known_of, holds) = *at(&mut memory.borrow_mut().answers, number, false);
        if known_of == record {
            return holds;
        }
        let holds = answer();
        *at(&mut memory.borrow_mut().answers, number, false) = (record, holds);
        holds
    }

    /// What the record's policy documents grant; parsed once a record, and only when a rule asks.
    pub(super) fn grants(&self) -> Option<&Grants> {
        self.room.used.set(true);
        self.room.grants.get_or_init(|| self.record.grants()).as_ref()
    }
}

/// The entry of this number, of no record if it is new.
fn at<T: Clone>(known: &mut Vec<(u32, T)>, number: u16, new: T) -> &mut (u32, T) {
    let number = usize::from(number);
    if known.len() <= number {
        known.resize(number + 1, (0, new));
    }
    // OK because there is room for it now.
    &mut known[number]
}
