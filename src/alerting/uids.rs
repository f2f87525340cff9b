//! Names of findings, as items hold them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::finding::FindingUid;

/// Names of findings, each 16 bytes, written as one text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Uids(pub(super) Vec<FindingUid>);

impl Uids {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Uids {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|uid| uid.to_u128().to_be_bytes()).collect();
        serializer.serialize_str(&BASE64.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Uids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = BASE64.decode(String::deserialize(deserializer)?).map_err(de::Error::custom)?;
        let (uids, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(de::Error::custom("a list of uids ends in the middle of one"));
        }
        Ok(Self(uids.iter().map(|uid| FindingUid::from_u128(u128::from_be_bytes(*uid))).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were_and_half_ones_do_not() {
        let uids = Uids([0, 1, u128::MAX].map(FindingUid::from_u128).to_vec());
        let text = serde_json::to_string(&uids).unwrap();
        assert_eq!(text.len(), 2 + 64);
        assert_eq!(serde_json::from_str::<Uids>(&text).unwrap(), uids);
        for wrong in [&text[..text.len() - 5], "\"not base64!\""] {
            assert!(serde_json::from_str::<Uids>(&format!("{}\"", wrong.trim_end_matches('"'))).is_err(), "{wrong}");
        }
    }
}
