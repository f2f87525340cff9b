//! Where in a record a path leads, so that it can be remembered: many rules ask for the same parameter.

use std::ops::ControlFlow;

use super::field::{FieldPath, FieldValue, MAX_LISTS, begins, leaves};
use super::json::{Json, Kind};
use super::record::Record;

/// Where in a record a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Absent,
    /// To one value, between these bytes of the record.
    At(u32, u32),
    /// To several, or into a text: it has to be looked for each time.
    Many,
}

impl Record<'_> {
    /// Where the path leads, to be remembered.
    pub(crate) fn find(&self, path: &FieldPath) -> Found {
        let Some((value, rest)) = self.root(path) else { return Found::Absent };
        match only(value, rest) {
            Ok(None) => Found::Absent,
            Ok(Some(Json(found))) => {
                let from = found.as_ptr().addr() - self.raw().as_ptr().addr();
                match (u32::try_from(from), u32::try_from(from + found.len())) {
                    (Ok(from), Ok(to)) => Found::At(from, to),
                    _ => Found::Many,
                }
            }
            Err(()) => Found::Many,
        }
    }

    /// Hands each value to `visit` of a place that was found in this record.
    pub(crate) fn visit_at<B>(
        &self,
        from: u32,
        to: u32,
        visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        match self.raw().get(from as usize..to as usize) {
            Some(found) => self.noting(leaves(Json(found), MAX_LISTS, visit)),
            None => ControlFlow::Continue(()),
        }
    }
}

/// The one value that `path` leads to through objects alone; `Err` where it may lead elsewhere, too.
fn only<'j>(value: Json<'j>, path: &str) -> Result<Option<Json<'j>>, ()> {
    if path.is_empty() {
        return Ok(Some(value));
    }
    match value.kind() {
        Kind::Object => {}
        Kind::Null | Kind::Scalar => return Ok(None),
        Kind::List | Kind::String(_) => return Err(()),
    }
    let mut only = None;
    for member in value.members() {
        let (key, value) = member.map_err(|_| ())?;
        if let Some(end) = begins(path, key) {
            // Of two members of one name the last counts.
            if only.is_some_and(|(known, _)| known != end) {
                return Err(());
            }
            only = Some((end, value));
        }
    }
    only.map_or(Ok(None), |(end, value)| self::only(value, path.get(end + 1..).unwrap_or_default()))
}
