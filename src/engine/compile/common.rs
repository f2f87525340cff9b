//! What several rules ask, kept once: the same item is compiled once, and asked once a record.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::engine::expr::Item;
use crate::engine::expression::Expression;
use crate::engine::field::Field;
use crate::sigma::{DetectionItem, RegexFlags, Value};
use crate::trail::Distance;
use crate::yaml::{Diagnostic, SourceFile};

type Expressions = HashMap<(RegexFlags, Box<str>), Arc<Expression>>;

/// Of one set of rules.
#[derive(Default)]
pub(in crate::engine) struct Common {
    items: RefCell<HashMap<Vec<u8>, Arc<Item>>>,
    /// How the latest item is written.
    written: Cell<Vec<u8>>,
    expressions: RefCell<Expressions>,
    asked: Cell<u16>,
    fields: RefCell<HashMap<Box<str>, Field>>,
    /// Paths whose places are remembered.
    paths: Cell<u16>,
}

impl Common {
    /// The item that is written like this, made by `make` if it is the first. From the second on its answer is remembered.
    pub(super) fn item(
        &self,
        item: &DetectionItem,
        file: &SourceFile,
        make: impl FnOnce() -> Result<Item, Diagnostic>,
    ) -> Result<Arc<Item>, Diagnostic> {
        let mut written = self.written.take();
        write(item, file, &mut written);
        let known = self.items.borrow().get(&written).map(Arc::clone);
        let item = if let Some(item) = known {
            item.number.get_or_init(|| self.number());
            item
        } else {
            let item = Arc::new(make()?);
            self.items.borrow_mut().insert(written.clone(), Arc::clone(&item));
            item
        };
        self.written.set(written);
        Ok(item)
    }

    /// The next number of what several rules ask; none when there are too many, whose answers aren't remembered.
    pub(super) fn number(&self) -> Option<u16> {
        let number = self.asked.get();
        self.asked.set(number.checked_add(1)?);
        Some(number)
    }

    /// The expression, parsed once.
    pub(super) fn expression(&self, text: &str, flags: RegexFlags) -> Result<Arc<Expression>, regex::Error> {
        match self.expressions.borrow_mut().entry((flags, text.into())) {
            Entry::Occupied(known) => Ok(Arc::clone(known.get())),
            Entry::Vacant(new) => Ok(Arc::clone(new.insert(Arc::new(Expression::new(text, flags)?)))),
        }
    }

    /// The field of this name, with its place remembered if it has to be searched for.
    ///
    /// # Errors
    /// Advice, when there is none.
    pub(super) fn field(&self, name: &str) -> Result<Field, String> {
        if let Some(field) = self.fields.borrow().get(name) {
            return Ok(field.clone());
        }
        let mut field = Field::new(name)?;
        if let Field::Raw(path) = &mut field
            && path.distance() == Distance::Below
            && let Some(next) = self.paths.get().checked_add(1)
        {
            path.remember_as(self.paths.replace(next));
        }
        self.fields.borrow_mut().insert(name.into(), field.clone());
        Ok(field)
    }
}

/// Writes an item so that what is written alike means the same in every rule.
fn write(item: &DetectionItem, file: &SourceFile, written: &mut Vec<u8>) {
    written.clear();
    // A length in front of each text, so that no two items are written alike.
    let mut add = |kind: u8, text: &str| {
        written.push(kind);
        written.extend_from_slice(&text.len().to_le_bytes());
        written.extend_from_slice(text.as_bytes());
    };
    add(b'l', &item.label);
    for value in &item.values {
        match &value.text {
            None => add(b'n', ""),
            Some(text) => add(if is_quoted(value, file) { b'q' } else { b'p' }, text),
        }
    }
}

/// What stands in quotes is text, even if it looks like a number.
pub(super) fn is_quoted(value: &Value, file: &SourceFile) -> bool {
    file.text.get(value.span.start..).is_some_and(|text| text.starts_with(['\'', '"']))
}
