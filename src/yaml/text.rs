//! Text that needn't be copied when it is part of the program.

use std::borrow::{Borrow, Cow};
use std::fmt::{self, Debug, Display, Formatter};
use std::ops::Deref;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Text of a document. The rules that are built in borrow theirs from the program: forty thousand texts, of which a process needs few.
///
/// It is only read back from bytes that are part of the program, so what holds one is, too: `#[serde(bound(...))]` says so.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Text(Cow<'static, str>);

impl Text {
    /// Text that is part of the program.
    #[must_use]
    pub const fn built_in(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.into_owned()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Display for Text {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self.as_str(), to)
    }
}

impl Debug for Text {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(self.as_str(), to)
    }
}

impl<'de: 'static> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(BuiltIn)
    }
}

struct BuiltIn;

impl Visitor<'static> for BuiltIn {
    type Value = Text;

    fn expecting(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str("text that is part of the program")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'static str) -> Result<Text, E> {
        Ok(Text::built_in(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(text.into())
    }
}
