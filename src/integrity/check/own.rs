//! The digest itself: can it be read, does it lie where it says, is it signed by CloudTrail.

use jiff::{SignedDuration, Timestamp};

use crate::trigger::ObjectRef;

use super::super::damage::{Period, What};
use super::super::digest::Digest;
use super::super::hash::{Hash, from_hex};
use super::super::later;
use super::super::report::{FileCounts, Proof};
use super::super::signature::{ALGORITHM, KeyWanted, PublicKey, SignatureMetadata, is_signed, signed_text};
use super::files::Files;
use super::{Check, NoAnswer, Opened, Stage};

/// Keys that came into use after a digest's end may have signed it.
const SIGNED_WITHIN: SignedDuration = SignedDuration::from_hours(2);
/// A back-fill digest is signed when it is made, long after the time that it covers.
const AROUND_BACKFILL: SignedDuration = SignedDuration::from_hours(1);

/// What stands beside the digest, read.
#[derive(Debug)]
pub(super) struct Signed {
    text: String,
    signature: Vec<u8>,
    proof: Proof,
    /// When a back-fill digest was made.
    generated: Option<Timestamp>,
}

impl Check {
    /// The digest itself.
    pub(super) fn own(&mut self, opened: Result<Opened, NoAnswer>) {
        let opened = match opened {
            Ok(opened) => opened,
            Err(NoAnswer::Gone) => return self.end(What::DigestMissing),
            Err(NoAnswer::Damaged(why)) => return self.end(What::DigestUnreadable { why }),
            Err(NoAnswer::Failed(why)) => return self.unchecked("the contents", self.object.clone(), why),
        };
        match Digest::parse(&opened.raw) {
            Ok(digest) => self.read(digest, &opened.raw, opened.metadata),
            Err(error) => self.end(What::DigestUnreadable { why: error.to_string() }),
        }
    }

    fn read(&mut self, digest: Digest, raw: &[u8], metadata: Option<SignatureMetadata>) {
        self.report.period = Some(Period { start: digest.start, end: digest.end });
        self.report.is_start = digest.previous.is_none();
        let listed = digest.files.len() as u64;
        self.report.files = FileCounts { listed, unchecked: listed, ..FileCounts::default() };
        if (&digest.bucket, &digest.key) != (&self.object.bucket, &self.object.key) {
            let says = ObjectRef { bucket: digest.bucket, key: digest.key, version_id: None };
            return self.end(What::DigestMoved { says });
        }
        let hash = Hash::of(raw);
        self.files = Files::new(hash, self.earlier.take());
        match self.signed(&digest, hash, metadata) {
            Ok(Some(signed)) => {
                self.stage = Stage::Key(signed, self.key_of(&digest));
                self.digest = Some(digest);
            }
            Ok(None) => {
                let why = "its place keeps no metadata, and no next digest file quotes it".to_owned();
                self.unchecked("the signature", self.object.clone(), why);
                self.digest = Some(digest);
                self.go_back();
            }
            Err(what) => self.end(what),
        }
    }

    /// The key that it says it is signed with.
    fn key_of(&self, digest: &Digest) -> KeyWanted {
        let region = self.name.as_ref().map(|name| name.chain.region.clone()).unwrap_or_default();
        let to = later(digest.end, SIGNED_WITHIN);
        KeyWanted { region, fingerprint: digest.fingerprint.clone(), from: digest.start, to }
    }

    /// What there is to verify; nothing where no signature can be had.
    fn signed(&self, digest: &Digest, hash: Hash, stored: Option<SignatureMetadata>) -> Result<Option<Signed>, What> {
        let text = signed_text(digest, hash);
        let Some(metadata) = stored else {
            let quoted =
                self.quoted.as_deref().map(|quoted| from_hex(quoted).ok_or(What::SignatureInvalid)).transpose()?;
            let signed = |signature| Signed { text, signature, proof: Proof::QuotedSignature, generated: None };
            return Ok(quoted.map(signed));
        };
        let missing = |metadata| What::SignatureMissing { metadata };
        let signature = metadata.signature.ok_or(missing("signature"))?;
        let algorithm = metadata.algorithm.ok_or(missing("signature-algorithm"))?;
        if algorithm != ALGORITHM {
            return Err(What::AlgorithmUnknown { algorithm });
        }
        let is_backfill = self.name.as_ref().is_some_and(|name| name.chain.is_backfill);
        if is_backfill && metadata.backfill_generated.is_none() {
            return Err(missing("backfill-generation-timestamp"));
        }
        // Of other digests it means nothing; one that is no time leads to no other key.
        let generated = metadata.backfill_generated.filter(|_| is_backfill).and_then(|text| text.parse().ok());
        let signature = from_hex(&signature).ok_or(What::SignatureInvalid)?;
        Ok(Some(Signed { text, signature, proof: Proof::Signature, generated }))
    }

    /// Takes the public key that was asked for; `None` if there is no such key.
    pub fn key(&mut self, key: Result<Option<PublicKey>, NoAnswer>) {
        let (mut signed, mut wanted) = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Key(signed, wanted) => (signed, wanted),
            stage => return self.stage = stage,
        };
        match key {
            Ok(Some(key)) => match is_signed(&key, &signed.text, &signed.signature) {
                Ok(true) => self.report.proof = signed.proof,
                Ok(false) => return self.end(What::SignatureInvalid),
                Err(error) => self.unchecked("the signature", self.object.clone(), error.to_string()),
            },
            Ok(None) => match signed.generated.take() {
                None => return self.end(What::KeyUnknown { fingerprint: wanted.fingerprint }),
                Some(time) => {
                    (wanted.from, wanted.to) = (later(time, -AROUND_BACKFILL), later(time, AROUND_BACKFILL));
                    return self.stage = Stage::Key(signed, wanted);
                }
            },
            Err(error) => self.unchecked("the signature", self.object.clone(), error.why()),
        }
        self.go_back();
    }
}
