//! What several rules ask, kept once: the same item is compiled once, and asked once a record.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::expr::Item;
use crate::engine::field::Field;
use crate::sigma::{DetectionItem, Value};
use crate::trail::Distance;
use crate::yaml::{Diagnostic, SourceFile};

/// Of one set of rules.
#[derive(Default)]
pub(in crate::engine) struct Common {
    items: RefCell<HashMap<String, Arc<Item>>>,
    asked: Cell<u16>,
    paths: RefCell<HashMap<Box<str>, u16>>,
}

impl Common {
    /// The item that is written like this, made by `make` if it is the first. From the second on its answer is remembered.
    pub(super) fn item(
        &self,
        written: String,
        make: impl FnOnce() -> Result<Item, Diagnostic>,
    ) -> Result<Arc<Item>, Diagnostic> {
        if let Some(item) = self.items.borrow().get(&written) {
            // The last number stays unused: beyond it answers aren't remembered.
            let next = self.asked.get();
            if next < u16::MAX && item.number.set(next).is_ok() {
                self.asked.set(next + 1);
            }
            return Ok(Arc::clone(item));
        }
        let item = Arc::new(make()?);
        self.items.borrow_mut().insert(written, Arc::clone(&item));
        Ok(item)
    }

    /// The field with its place remembered, if it has to be searched for.
    pub(super) fn remembered(&self, mut field: Field) -> Field {
        if let Field::Raw(path) = &mut field
            && path.distance() == Distance::Below
        {
            let mut paths = self.paths.borrow_mut();
            let next = u16::try_from(paths.len()).ok();
            let number = paths.get(path.as_str()).copied().or(next);
            if let Some(number) = number {
                paths.entry(path.as_str().into()).or_insert(number);
                path.remember_as(number);
            }
        }
        field
    }
}

/// How an item is written: what is written alike means the same in every rule.
pub(super) fn written(item: &DetectionItem, file: &SourceFile) -> String {
    let mut written = String::new();
    // A length in front of each text, so that no two items are written alike.
    let mut add = |kind: char, text: &str| {
        written.push(kind);
        written.push_str(&text.len().to_string());
        written.push(' ');
        written.push_str(text);
    };
    add('l', &item.label);
    for value in &item.values {
        match &value.text {
            None => add('n', ""),
            Some(text) => add(if is_quoted(value, file) { 'q' } else { 'p' }, text),
        }
    }
    written
}

/// What stands in quotes is text, even if it looks like a number.
pub(super) fn is_quoted(value: &Value, file: &SourceFile) -> bool {
    file.text.get(value.span.start..).is_some_and(|text| text.starts_with(['\'', '"']))
}
