//! What CloudTrail signs, and whether a signature is CloudTrail's.
//!
//! RSA, PKCS #1 v1.5, SHA-256. <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html>

use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use super::der;
use super::digest::Digest;
use super::hash::Hash;

/// The one algorithm that CloudTrail signs with.
pub const ALGORITHM: &str = "SHA256withRSA";

/// What stands beside a digest file, as metadata of its object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignatureMetadata {
    /// `x-amz-meta-signature`: the signature, as hexadecimal digits.
    pub signature: Option<String>,
    /// `x-amz-meta-signature-algorithm`.
    pub algorithm: Option<String>,
    /// `x-amz-meta-backfill-generation-timestamp`: when a back-fill digest was made.
    pub backfill_generated: Option<String>,
}

impl SignatureMetadata {
    /// Takes out of an object's metadata what belongs to signatures. Names are without `x-amz-meta-`.
    #[must_use]
    pub fn of<'m>(mut get: impl FnMut(&str) -> Option<&'m str>) -> Self {
        let mut get = |name| get(name).map(str::to_owned);
        Self {
            signature: get("signature"),
            algorithm: get("signature-algorithm"),
            backfill_generated: get("backfill-generation-timestamp"),
        }
    }
}

/// One of CloudTrail's public keys, of one Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its name.
    pub fingerprint: String,
    /// DER: an `RSAPublicKey` of PKCS #1, or a `SubjectPublicKeyInfo` around it.
    pub value: Vec<u8>,
    /// Since when it was in use, if that is known.
    pub valid_from: Option<Timestamp>,
    /// Until when.
    pub valid_to: Option<Timestamp>,
}

/// Which key is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyWanted {
    /// Keys are a Region's own: the one that the digest came from.
    pub region: String,
    /// Its name.
    pub fingerprint: String,
    /// It was in use at some time from here…
    pub from: Timestamp,
    /// …to here.
    pub to: Timestamp,
}

impl KeyWanted {
    /// Whether this key was in use at some time of the stretch that is asked for, and has the name.
    #[must_use]
    pub fn is_met_by(&self, key: &PublicKey) -> bool {
        let in_use = key.valid_from.is_none_or(|from| from <= self.to) && key.valid_to.is_none_or(|to| to >= self.from);
        in_use && key.fingerprint == self.fingerprint
    }
}

/// A public key that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the public key {fingerprint} can't be used: {why}")]
pub struct KeyError {
    /// Its name.
    pub fingerprint: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// What is signed for a digest file that holds bytes of this hash.
pub(super) fn signed_text(digest: &Digest, hash: Hash) -> String {
    let Digest { end_text, bucket, key, previous_signature, .. } = digest;
    let previous = previous_signature.as_deref().unwrap_or("null");
    format!("{end_text}\n{bucket}/{key}\n{hash}\n{previous}")
}

/// Whether a text was signed with the private half of this key.
pub(super) fn is_signed(key: &PublicKey, text: &str, signature: &[u8]) -> Result<bool, KeyError> {
    let error = |why| KeyError { fingerprint: key.fingerprint.clone(), why };
    let (modulus, exponent) = der::rsa_key(&key.value).ok_or_else(|| error("it is no RSA key in DER form"))?;
    if modulus.len() < 256 {
        return Err(error("it is shorter than 2048 bits"));
    }
    let key = RsaPublicKeyComponents { n: modulus, e: exponent };
    Ok(key.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), signature).is_ok())
}
