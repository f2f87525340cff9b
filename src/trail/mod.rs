//! Turns CloudTrail log files into records, and reads what records say.
//!
//! In: an object's key and its bytes, gzip or plain JSON, in chunks of any size. Out: [`Record`]s in file order, and
//! what could not be read. Knows nothing of S3, rules or time.
//! File format: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html>

mod bad;
mod derived;
mod documents;
mod embedded;
mod field;
mod found;
mod frames;
mod identity;
mod inflate;
mod json;
mod key;
mod narrowing;
mod policy;
mod reader;
mod readers;
mod record;
mod resource;
mod scope;
mod skip;
mod slots;
mod statement;
mod unzip;
mod window;

pub use bad::BadRecord;
pub use derived::{Mfa, Outcome, SourceKind};
pub use field::{Distance, FieldPath, FieldValue};
pub(crate) use found::Found;
pub use identity::UserIdentity;
pub(crate) use identity::{DOMAINS, partition};
pub(crate) use key::BelowAccount;
pub use key::{KeyKind, ObjectKey};
pub use policy::Grants;
pub use reader::{Item, Limits, ReadError, Reader};
pub use readers::Readers;
pub(crate) use record::Written;
pub use record::{EventIdentity, KeptRecord, Record};
pub use resource::ListedResource;
pub use scope::{EventKind, Scope};
pub(crate) use slots::Slot;
pub use statement::{Grant, Principal, PrincipalKind};
pub use unzip::Unzip;
