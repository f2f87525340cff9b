//! Where the members of a record stand: one place for each name that CloudTrail gives them, filled in one pass.

use std::ops::Range;

use super::json::{Cursor, Member, Members, Stop, unescaped};

/// A multiplier by which no two names of a table fall on the same entry; compiling fails when two do.
const MULTIPLIER: u32 = 0x8e73_ca47;
const ENTRIES: usize = 128;
const ABSENT: u8 = u8::MAX;

macro_rules! slots {
    (top { $($top:ident = $top_name:literal),+ $(,)? } identity { $($identity:ident = $identity_name:literal),+ $(,)? }) => {
        /// A member of a record, or of its `userIdentity`, that has a place of its own.
        /// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Slot { $($top,)+ $($identity),+ }

        const ALL: &[Slot] = &[$(Slot::$top,)+ $(Slot::$identity),+];
        const NAMES: [&str; ALL.len()] = [$($top_name,)+ $($identity_name),+];
        const FIRST_OF_IDENTITY: usize = [$($top_name),+].len();
    };
}

slots! {
    top {
        AccountId = "accountId",
        Addendum = "addendum",
        AdditionalEventData = "additionalEventData",
        Annotation = "annotation",
        ApiVersion = "apiVersion",
        AwsRegion = "awsRegion",
        EdgeDeviceDetails = "edgeDeviceDetails",
        ErrorCode = "errorCode",
        ErrorMessage = "errorMessage",
        EventCategory = "eventCategory",
        EventContext = "eventContext",
        EventId = "eventID",
        EventIdOfAggregate = "eventId",
        EventName = "eventName",
        EventSource = "eventSource",
        EventTime = "eventTime",
        EventType = "eventType",
        EventVersion = "eventVersion",
        InsightDetails = "insightDetails",
        ManagementEvent = "managementEvent",
        ReadOnly = "readOnly",
        RecipientAccountId = "recipientAccountId",
        RequestId = "requestID",
        RequestParameters = "requestParameters",
        Resources = "resources",
        ResponseElements = "responseElements",
        ServiceEventDetails = "serviceEventDetails",
        SessionCredentialFromConsole = "sessionCredentialFromConsole",
        SharedEventId = "sharedEventID",
        SourceIpAddress = "sourceIPAddress",
        Summary = "summary",
        TimeWindow = "timeWindow",
        TlsDetails = "tlsDetails",
        UserAgent = "userAgent",
        UserIdentity = "userIdentity",
        VpcEndpointAccountId = "vpcEndpointAccountId",
        VpcEndpointId = "vpcEndpointId",
    }
    identity {
        IdentityAccessKeyId = "accessKeyId",
        IdentityAccountId = "accountId",
        IdentityArn = "arn",
        IdentityCredentialId = "credentialId",
        IdentityInScopeOf = "inScopeOf",
        IdentityInvokedBy = "invokedBy",
        IdentityInvokedByDelegate = "invokedByDelegate",
        IdentityOnBehalfOf = "onBehalfOf",
        IdentityPrincipalId = "principalId",
        IdentityProvider = "identityProvider",
        IdentitySessionContext = "sessionContext",
        IdentityType = "type",
        IdentityUserName = "userName",
    }
}

static TOP: [u8; ENTRIES] = table(0, FIRST_OF_IDENTITY);
static IDENTITY: [u8; ENTRIES] = table(FIRST_OF_IDENTITY, NAMES.len());

const fn table(from: usize, to: usize) -> [u8; ENTRIES] {
    let mut table = [ABSENT; ENTRIES];
    let mut slot = from;
    while slot < to {
        let entry = entry(NAMES[slot].as_bytes());
        assert!(table[entry] == ABSENT, "two names fall on one entry: choose another multiplier");
        #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 256")]
        {
            table[entry] = slot as u8;
        }
        slot += 1;
    }
    table
}

/// Three characters tell the names apart. Shorter names than three have no slot.
#[inline]
const fn entry(name: &[u8]) -> usize {
    let length = name.len();
    if length < 3 {
        return 0;
    }
    let characters = name[length - 1] as u32 | (name[length * 3 / 4] as u32) << 8 | (name[length / 2 + 1] as u32) << 16;
    (characters.wrapping_mul(MULTIPLIER) >> 25) as usize
}

impl Slot {
    /// The member with this name at the top of a record.
    #[inline]
    pub(super) fn top(name: &str) -> Option<Self> {
        find(&TOP, name.as_bytes())
    }

    /// Whether it holds an object or a list that may be large.
    pub(super) fn is_large(self) -> bool {
        use Slot::{
            AdditionalEventData, EventContext, IdentitySessionContext, InsightDetails, RequestParameters, Resources,
            ResponseElements, ServiceEventDetails, Summary, UserIdentity,
        };
        matches!(
            self,
            AdditionalEventData
                | EventContext
                | IdentitySessionContext
                | InsightDetails
                | RequestParameters
                | Resources
                | ResponseElements
                | ServiceEventDetails
                | Summary
                | UserIdentity
        )
    }

    /// The member of `userIdentity` with this name.
    #[inline]
    pub(super) fn of_identity(name: &str) -> Option<Self> {
        find(&IDENTITY, name.as_bytes())
    }
}

#[inline]
fn find(table: &[u8; ENTRIES], name: &[u8]) -> Option<Slot> {
    let slot = usize::from(table[entry(name)]);
    NAMES.get(slot).filter(|known| known.as_bytes() == name).map(|_| ALL[slot])
}

/// Where each member's value stands in a record's bytes.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    /// From and to; empty where the record has no such member.
    places: [(u32, u32); ALL.len()],
    /// Whether a member was left out that a path might mean all the same: an unknown name with a dot in it, or a
    /// `userIdentity` that is no object. Paths are then looked for in the whole record.
    pub(super) irregular: bool,
}

/// What reading a record can come to, besides the end of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    Stop(Stop),
    /// No record: an object that holds an array of records, which begins at this place.
    Records(usize),
}

impl From<Stop> for Pause {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl Default for Slots {
    fn default() -> Self {
        Self::new()
    }
}

impl Slots {
    pub(super) fn new() -> Self {
        Self { places: [(0, 0); ALL.len()], irregular: false }
    }

    #[inline]
    pub(super) fn get(&self, slot: Slot) -> Option<Range<usize>> {
        let (from, to) = self.places[slot as usize];
        (to > 0).then_some(from as usize..to as usize)
    }

    /// Reads the record whose `{` stands at `at` in the cursor's bytes; places are counted from there. Returns its end.
    /// `may_wrap`: it may be an object around an array of records.
    pub(super) fn fill(&mut self, cursor: &mut Cursor<'_>, at: usize, may_wrap: bool) -> Result<usize, Pause> {
        *self = Self::new();
        let mut members = Members::new(at);
        while let Some(Member { name, value }) = members.next(cursor)? {
            let bytes = cursor.bytes();
            let slot = match find(&TOP, &bytes[name.clone()]) {
                Some(slot) => Some(slot),
                None if may_wrap && bytes.get(value) == Some(&b'[') && is_records(&bytes[name.clone()]) => {
                    return Err(Pause::Records(value));
                }
                None => self.unusual(&bytes[name], Slot::top),
            };
            let end = match slot {
                Some(Slot::UserIdentity) => self.fill_identity(cursor, at, value)?,
                _ => cursor.value(value)?,
            };
            self.set(slot, at, value..end);
            members.passed(end);
        }
        Ok(members.end())
    }

    fn fill_identity(&mut self, cursor: &mut Cursor<'_>, start: usize, at: usize) -> Result<usize, Stop> {
        // Of two the last counts, with no member of the first.
        self.places[FIRST_OF_IDENTITY..].fill((0, 0));
        let bytes = cursor.bytes();
        if bytes.get(at) != Some(&b'{') {
            self.irregular |= bytes.get(at) != Some(&b'n');
            return cursor.value(at);
        }
        let mut members = Members::new(at);
        while let Some(Member { name, value }) = members.next(cursor)? {
            let slot = find(&IDENTITY, &bytes[name.clone()]).or_else(|| self.unusual(&bytes[name], Slot::of_identity));
            let end = cursor.value(value)?;
            self.set(slot, start, value..end);
            members.passed(end);
        }
        Ok(members.end())
    }

    /// A name that isn't found as it stands: perhaps it is written with escapes.
    #[cold]
    fn unusual(&mut self, name: &[u8], find: fn(&str) -> Option<Slot>) -> Option<Slot> {
        // What is no UTF-8 is no record, which is found out when all of it has been read.
        let name = unescaped(std::str::from_utf8(name).ok()?);
        let slot = find(&name);
        self.irregular |= slot.is_none() && name.contains('.');
        slot
    }

    #[inline]
    fn set(&mut self, slot: Option<Slot>, start: usize, value: Range<usize>) {
        let Some(slot) = slot else { return };
        #[expect(clippy::cast_possible_truncation, reason = "records are limited to 100 MB")]
        let place = ((value.start - start) as u32, (value.end - start) as u32);
        self.places[slot as usize] = place;
    }
}

/// Whether this is the name of the array of records, be it written with escapes.
pub(super) fn is_records(name: &[u8]) -> bool {
    let escaped = || memchr::memchr(b'\\', name).and_then(|_| std::str::from_utf8(name).ok()).map(unescaped);
    name == b"Records" || escaped().is_some_and(|name| name == "Records")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(record: &str) -> Slots {
        let mut slots = Slots::new();
        let end = slots.fill(&mut Cursor::new(record.as_bytes(), 0), 0, false);
        assert_eq!(end, Ok(record.len()));
        slots
    }

    fn value(record: &str, slot: Slot) -> Option<&str> {
        filled(record).get(slot).map(|place| &record[place])
    }

    #[test]
    fn every_name_has_its_slot() {
        for (place, slot) in ALL.iter().enumerate() {
            assert_eq!(*slot as usize, place);
            let found =
                if place < FIRST_OF_IDENTITY { Slot::top(NAMES[place]) } else { Slot::of_identity(NAMES[place]) };
            assert_eq!(found, Some(*slot));
        }
        for name in ["", "a", "ab", "eventname", "eventNam", "type", "eventNameX"] {
            assert_eq!(Slot::top(name), None, "{name}");
        }
    }

    #[test]
    fn names_may_be_escaped_and_the_last_of_two_counts() {
        assert_eq!(value(r#"{"event\u004eame":"a"}"#, Slot::EventName), Some("\"a\""));
        assert_eq!(value(r#"{"eventName":"a","event\u004eame":[1]}"#, Slot::EventName), Some("[1]"));
        let twice = r#"{"userIdentity":{"type":"a","arn":"b"},"userIdentity":{"arn":"c"}}"#;
        assert_eq!((value(twice, Slot::IdentityArn), value(twice, Slot::IdentityType)), (Some("\"c\""), None));
        assert_eq!(value(r#"{"userIdentity":{"\u0061rn":null}}"#, Slot::IdentityArn), Some("null"));
    }

    #[test]
    fn what_a_path_could_mean_is_never_left_out() {
        for (record, irregular) in [
            (r#"{"eventName":"a","other":{"x.y":1},"userIdentity":{"x":1}}"#, false),
            (r#"{"userIdentity":null}"#, false),
            (r#"{"eventName.x":1}"#, true),
            (r#"{"event\u002eName":1}"#, true),
            (r#"{"userIdentity":{"arn.x":1}}"#, true),
            (r#"{"userIdentity":[{"arn":1}]}"#, true),
            (r#"{"userIdentity":"{}"}"#, true),
        ] {
            assert_eq!(filled(record).irregular, irregular, "{record}");
        }
    }
}
