//! JSON that is looked into where it stands, without being read as a whole.
//!
//! Of an object with two members of one name the last counts. What is no JSON is found when it is come across, and not before.

mod block;
mod cursor;
mod text;

use std::borrow::Cow;

use serde_json::Value;

pub(super) use cursor::{Cursor, Member, Members, Stop};
pub(super) use text::{Token, compact, differs, has_escapes, tokens, unescape, unescaped};

/// CloudTrail writes records of 256 kB, and 1 MB where extended event size is on. A tree takes up to sixty times as much.
const MAX_TREE_BYTES: usize = 1_000_000;

/// One value, as text without white space around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Json<'j>(pub(super) &'j str);

/// What kind of value, by its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'j> {
    Null,
    /// The content of a string.
    String(&'j str),
    /// `true`, `false`, or a number.
    Scalar,
    List,
    Object,
}

/// A place where JSON was expected and something else stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

impl<'j> Json<'j> {
    pub(super) fn kind(self) -> Kind<'j> {
        match self.0.as_bytes().first() {
            Some(b'n') | None => Kind::Null,
            Some(b'"') => Kind::String(self.0.get(1..self.0.len() - 1).unwrap_or_default()),
            Some(b'[') => Kind::List,
            Some(b'{') => Kind::Object,
            Some(_) => Kind::Scalar,
        }
    }

    /// What a string says.
    pub(super) fn text(self) -> Option<Cow<'j, str>> {
        match self.kind() {
            Kind::String(content) => Some(unescaped(content)),
            _ => None,
        }
    }

    /// The members of an object, in their order; none of any other value.
    pub(super) fn members(self) -> impl Iterator<Item = Result<(&'j str, Json<'j>), Broken>> {
        let mut members = (self.kind() == Kind::Object).then(|| Members::new(0));
        let mut cursor = Cursor::new(self.0.as_bytes(), 0);
        std::iter::from_fn(move || {
            let found = self.member(members.as_mut()?, &mut cursor).map_err(|_| Broken).transpose();
            if !matches!(found, Some(Ok(_))) {
                members = None;
            }
            found
        })
    }

    fn member(self, members: &mut Members, cursor: &mut Cursor<'j>) -> Result<Option<(&'j str, Json<'j>)>, Stop> {
        let Some(Member { name, value }) = members.next(cursor)? else { return Ok(None) };
        let end = cursor.value(value)?;
        members.passed(end);
        // OK because quotes, brackets and scalars end at whole characters.
        Ok(Some((&self.0[name], Json(&self.0[value..end]))))
    }

    /// The elements of a list; none of any other value.
    pub(super) fn items(self) -> impl Iterator<Item = Result<Json<'j>, Broken>> {
        let mut at = (self.kind() == Kind::List).then_some(1);
        let mut cursor = Cursor::new(self.0.as_bytes(), 0);
        std::iter::from_fn(move || {
            let found = self.item(at?, &mut cursor).map_err(|_| Broken).transpose();
            at = match found {
                Some(Ok((_, end))) => Some(end),
                _ => None,
            };
            found.map(|found| found.map(|(item, _)| item))
        })
    }

    /// The element behind `at`, and where it ends.
    fn item(self, at: usize, cursor: &mut Cursor<'j>) -> Result<Option<(Json<'j>, usize)>, Stop> {
        let first = at == 1;
        let (mut at, byte) = cursor.token(at)?;
        match byte {
            b']' => return Ok(None),
            b',' if !first => (at, _) = cursor.token(at + 1)?,
            _ if first => {}
            _ => return Err(Stop::Malformed(at)),
        }
        let end = cursor.value(at)?;
        // OK because quotes, brackets and scalars end at whole characters.
        Ok(Some((Json(&self.0[at..end]), end)))
    }

    /// The member of an object by its name.
    pub(super) fn get(self, name: &str) -> Result<Option<Json<'j>>, Broken> {
        let mut value = None;
        for member in self.members() {
            let (found, of) = member?;
            if !differs(found, name) && unescaped(found) == name {
                value = Some(of);
            }
        }
        Ok(value)
    }

    /// The value as a tree; `None` when it is no JSON, longer than 1 MB, or nested more than 127 deep.
    pub(super) fn tree(self) -> Option<Value> {
        if self.0.len() > MAX_TREE_BYTES {
            return None;
        }
        serde_json::from_str(self.0).ok().or_else(|| {
            // Halves of surrogate pairs stop a strict parser; written anew they are replacement characters.
            serde_json::from_str(compact(self.0, &mut String::new())).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_items_come_in_their_order() {
        let json = Json(r#"{"a": 1, "b\u0063" :[ "x" ,{"y":[]}, null ],"a":"last"}"#);
        let members: Vec<_> = json.members().map(|member| member.map(|(name, value)| (name, value.0))).collect();
        let expected = [("a", "1"), (r"b\u0063", r#"[ "x" ,{"y":[]}, null ]"#), ("a", "\"last\"")];
        assert_eq!(members, expected.map(Ok));
        let list = json.get("bc").unwrap().unwrap();
        assert_eq!(list.items().map(|item| item.unwrap().0).collect::<Vec<_>>(), ["\"x\"", "{\"y\":[]}", "null"]);
        assert_eq!(json.get("a").unwrap().and_then(Json::text).as_deref(), Some("last"));
        assert_eq!((json.items().count(), list.members().count(), json.get("d")), (0, 0, Ok(None)));
        assert_eq!((Json("{}").members().count(), Json("[ ]").items().count()), (0, 0));
    }

    #[test]
    fn what_is_no_json_is_told_once() {
        for text in [r#"{"a":1,"b":oops,"c":1}"#, r#"{"a":1 "b":2}"#, r#"{"a":1,b:2}"#, r#"{"a":1,}"#, r#"{"a":1"#] {
            let found: Vec<_> = Json(text).members().collect();
            assert_eq!(
                (found.iter().filter(|member| member.is_err()).count(), found.last()),
                (1, Some(&Err(Broken))),
                "{text}"
            );
        }
        for text in ["[1,oops,2]", "[1,", "[1,]", "[1,,2]", "[1 2]"] {
            let found: Vec<_> = Json(text).items().collect();
            assert_eq!((found.len(), found[1]), (2, Err(Broken)), "{text}");
        }
    }

    #[test]
    fn a_tree_is_built_of_what_a_log_holds() {
        assert_eq!(Json(r#"{"a":"x\ud83d"}"#).tree(), Some(serde_json::json!({"a": "x\u{fffd}"})));
        assert_eq!(Json("{\"a\":oops}").tree(), None);
        let list = |bytes: usize| format!("[{}]", " ".repeat(bytes - 2));
        assert!(Json(&list(MAX_TREE_BYTES)).tree().is_some() && Json(&list(MAX_TREE_BYTES + 1)).tree().is_none());
    }
}
