//! How objects of OCSF are written, and those that stand in several others.

use std::borrow::Cow;

use serde::Serialize;

/// Structs of OCSF's objects, whose fields are the attributes. What has nothing to say is left out.
macro_rules! objects {
    ($($(#[$meta:meta])* $name:ident $(<$life:lifetime>)? { $($(#[$on:meta])* $field:ident: $type:ty,)+ })+) => {$(
        $(#[$meta])*
        #[derive(serde::Serialize)]
        pub(in crate::notify::ocsf) struct $name $(<$life>)? {
            $($(#[$on])* #[serde(skip_serializing_if = "crate::notify::ocsf::object::Absent::is_absent")] pub(in crate::notify::ocsf) $field: $type,)+
        }

        impl $(<$life>)? crate::notify::ocsf::object::Absent for $name $(<$life>)? {}
    )+};
}
pub(super) use objects;

/// What has nothing to say.
pub(super) trait Absent {
    fn is_absent(&self) -> bool {
        false
    }
}

/// A text that a record may hold, or not.
pub(super) type Text<'a> = Option<Cow<'a, str>>;

impl<T> Absent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for &str {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for Cow<'_, str> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for String {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for bool {}
impl Absent for i32 {}
impl Absent for i64 {}
impl Absent for u32 {}
impl Absent for u64 {}
impl Absent for usize {}
impl<T: Serialize, const N: usize> Absent for [T; N] {}

objects! {
    Account<'a> {
        uid: Cow<'a, str>,
        name: Option<&'a str>,
        type_id: u32,
        r#type: &'static str,
    }

    User<'a> {
        type_id: Option<u32>,
        r#type: Text<'a>,
        name: Text<'a>,
        uid: Text<'a>,
        uid_alt: Text<'a>,
        account: Option<Account<'a>>,
    }

    Tag<'a> {
        name: &'a str,
        value: Option<&'a str>,
        values: Vec<&'a str>,
    }
}

impl<'a> Account<'a> {
    /// `None` for what belongs to no account.
    pub(super) fn of(uid: impl Into<Cow<'a, str>>) -> Option<Self> {
        let uid = uid.into();
        let is_aws = uid.len() == 12 && uid.bytes().all(|byte| byte.is_ascii_digit());
        let (type_id, r#type) = if is_aws { (10, "AWS Account") } else { (0, "Unknown") };
        (!uid.is_empty()).then_some(Self { uid, name: None, type_id, r#type })
    }
}

impl<'a> User<'a> {
    /// Whoever answers for something, of whom only the account is known.
    pub(super) fn of_account(account: Account<'a>) -> Self {
        Self { type_id: None, r#type: None, name: None, uid: None, uid_alt: None, account: Some(account) }
    }
}

impl<'a> Tag<'a> {
    pub(super) fn new(name: &'a str, value: &'a str) -> Self {
        Self { name, value: Some(value), values: Vec::new() }
    }
}
