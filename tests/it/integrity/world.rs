//! A bucket of log files and digests, made as CloudTrail makes them, with test keys.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use trailhound::integrity::{ALGORITHM, Check, Hash, KeyWanted, PublicKey, Report, SignatureMetadata};
use trailhound::pipeline::{self, Advanced};
use trailhound::ports::{FetchError, KeepError, KeysError, ListError, ObjectBody, ObjectStore, PublicKeys};
use trailhound::trigger::ObjectRef;

use crate::support::{ACCOUNT, gzip};

pub(super) const BUCKET: &str = "trail-logs";
pub(super) const REGION: &str = "eu-west-1";
pub(super) const FINGERPRINT: &str = "31e8b5433410dfb61a9dc45cc65b22ff";
/// Objects of a page: few, so that there are several.
const PAGE: usize = 3;

pub(super) fn pair(name: &str) -> RsaKeyPair {
    let pkcs8: &[u8] = match name {
        "cloudtrail" => include_bytes!("keys/test-only-cloudtrail.pk8"),
        _ => include_bytes!("keys/test-only-stranger.pk8"),
    };
    RsaKeyPair::from_pkcs8(pkcs8).unwrap()
}

/// What CloudTrail hands out.
pub(super) fn public_key() -> PublicKey {
    let value = pair("cloudtrail").public_key().as_ref().to_vec();
    let (valid_from, valid_to) = (Some(time("00:00:00")), Some(time("23:59:59")));
    PublicKey { fingerprint: FINGERPRINT.to_owned(), value, valid_from, valid_to }
}

/// The same as a `SubjectPublicKeyInfo`.
pub(super) fn public_key_info() -> PublicKey {
    let element = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, length[0], length[1]][..], content].concat()
    };
    let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let key = public_key();
    let bits = element(0x03, &[&[0], &key.value[..]].concat());
    PublicKey { value: element(0x30, &[&algorithm[..], &bits].concat()), ..key }
}

pub(super) fn sign(name: &str, text: &str) -> String {
    let pair = pair(name);
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    signature.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A time of the one day on which all this happens.
pub(super) fn time(clock: &str) -> Timestamp {
    format!("2026-11-05T{clock}Z").parse().unwrap()
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) bytes: Vec<u8>,
    pub(super) metadata: Option<SignatureMetadata>,
}

/// One bucket, and CloudTrail's keys.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    pub(super) objects: BTreeMap<String, Stored>,
    pub(super) keys: Vec<PublicKey>,
    /// Keys of objects that can't be read, and prefixes that can't be listed.
    pub(super) denied: BTreeSet<String>,
    pub(super) keys_denied: bool,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), keys: vec![public_key()], denied: BTreeSet::new(), keys_denied: false }
    }
}

impl Bucket {
    pub(super) fn put(&mut self, key: &str, content: &[u8]) {
        let stored = Stored { bytes: gzip(content), metadata: Some(SignatureMetadata::default()) };
        self.objects.insert(key.to_owned(), stored);
    }

    pub(super) fn get_mut(&mut self, key: &str) -> &mut Stored {
        self.objects.get_mut(key).unwrap()
    }

    pub(super) fn metadata(&mut self, key: &str) -> &mut SignatureMetadata {
        self.get_mut(key).metadata.as_mut().unwrap()
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.objects.remove(key).unwrap();
    }

    /// What an object holds.
    pub(super) fn content(&self, key: &str) -> Vec<u8> {
        use std::io::Read as _;
        let mut content = Vec::new();
        flate2::read::GzDecoder::new(&self.objects[key].bytes[..]).read_to_end(&mut content).unwrap();
        content
    }

    pub(super) fn document(&self, key: &str) -> Value {
        serde_json::from_slice(&self.content(key)).unwrap()
    }

    /// Holds an object as it is against the rest.
    pub(super) async fn check(&self, key: &str, now: Timestamp) -> Report {
        let object = ObjectRef { bucket: BUCKET.to_owned(), key: key.to_owned(), version_id: None };
        self.drive(&mut Check::new(object, now)).await
    }

    pub(super) async fn drive(&self, check: &mut Check) -> Report {
        for _ in 0..1_000 {
            if let Advanced::Done(report) = pipeline::advance(check, self, self, &|| false).await {
                return *report;
            }
        }
        panic!("it asks for ever: {:?}", check.step());
    }
}

pub(super) struct Body(Option<Bytes>, Option<SignatureMetadata>);

impl ObjectBody for Body {
    fn signature(&self) -> Option<&SignatureMetadata> {
        self.1.as_ref()
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        Ok(self.0.take())
    }
}

impl ObjectStore for Bucket {
    type Body = Body;

    async fn get(&self, object: &ObjectRef) -> Result<Body, FetchError> {
        assert_eq!(object.bucket, BUCKET);
        if self.denied.contains(&object.key) {
            return Err(FetchError::Denied { object: object.clone(), source: "said so".into() });
        }
        let stored = self.objects.get(&object.key).ok_or_else(|| FetchError::Gone(object.clone()))?;
        Ok(Body(Some(stored.bytes.clone().into()), stored.metadata.clone()))
    }

    async fn list(&self, bucket: &str, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectRef>, ListError> {
        if self.denied.contains(prefix) {
            let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
            return Err(ListError { bucket, prefix, source: "said so".into() });
        }
        let keys = self.objects.keys().filter(|key| key.starts_with(prefix) && Some(key.as_str()) > after);
        let object = |key: &String| ObjectRef { bucket: bucket.to_owned(), key: key.clone(), version_id: None };
        Ok(keys.take(PAGE).map(object).collect())
    }

    async fn put(&self, to: &ObjectRef, _: Bytes) -> Result<(), KeepError> {
        panic!("a check writes nothing, and not {to}")
    }

    async fn copy(&self, _: &ObjectRef, to: &ObjectRef) -> Result<(), KeepError> {
        panic!("a check writes nothing, and not {to}")
    }
}

impl PublicKeys for Bucket {
    fn find<'k>(&'k self, wanted: &'k KeyWanted) -> BoxFuture<'k, Result<Option<PublicKey>, KeysError>> {
        Box::pin(async {
            if self.keys_denied {
                return Err(KeysError::Denied { region: wanted.region.clone(), source: "said so".into() });
            }
            assert_eq!(wanted.region, REGION);
            Ok(self.keys.iter().find(|key| wanted.is_met_by(key)).cloned())
        })
    }
}

/// A trail, and the chain of its digests.
#[derive(Debug, Clone)]
pub(super) struct Trail {
    pub(super) root: String,
    pub(super) name: String,
    pub(super) is_backfill: bool,
    /// What it is signed with.
    pub(super) signs: &'static str,
    /// Keys, oldest first.
    pub(super) digests: Vec<String>,
    /// Whether the next one names the last one.
    pub(super) is_linked: bool,
}

impl Trail {
    pub(super) fn new(root: &str, name: &str) -> Self {
        let (root, name) = (root.to_owned(), name.to_owned());
        Self { root, name, is_backfill: false, signs: "cloudtrail", digests: Vec::new(), is_linked: true }
    }

    /// The key of a log file that was delivered at a minute.
    pub(super) fn log_key(&self, minute: &str, id: &str) -> String {
        let time = time(&format!("{minute}:00")).strftime("%Y%m%dT%H%MZ");
        format!(
            "{}{ACCOUNT}/CloudTrail/{REGION}/2026/11/05/{ACCOUNT}_CloudTrail_{REGION}_{time}_{id}.json.gz",
            self.root
        )
    }

    /// Delivers a log file.
    pub(super) fn log(&self, bucket: &mut Bucket, minute: &str, id: &str) -> String {
        let key = self.log_key(minute, id);
        bucket.put(&key, json!({"Records": [{"eventID": id}]}).to_string().as_bytes());
        key
    }

    pub(super) fn digest_key(&self, end: &str) -> String {
        let time = time(end).strftime("%Y%m%dT%H%M%SZ");
        let backfill = if self.is_backfill { "_backfill" } else { "" };
        let name = format!("{ACCOUNT}_CloudTrail-Digest_{REGION}_{}_{REGION}_{time}{backfill}.json.gz", self.name);
        format!("{}{ACCOUNT}/CloudTrail-Digest/{REGION}/2026/11/05/{name}", self.root)
    }

    /// Delivers the next digest.
    pub(super) fn digest(&mut self, bucket: &mut Bucket, start: &str, end: &str, files: &[String]) -> String {
        let document = self.document(bucket, start, end, files);
        self.deliver(bucket, &document)
    }

    pub(super) fn document(&self, bucket: &Bucket, start: &str, end: &str, files: &[String]) -> Value {
        let listed = |key: &String| {
            json!({"s3Bucket": BUCKET, "s3Object": key, "hashValue": Hash::of(&bucket.content(key)).to_string(),
                "hashAlgorithm": "SHA-256", "newestEventTime": time(end).to_string(), "oldestEventTime": time(start).to_string()})
        };
        let previous = self.digests.last().filter(|_| self.is_linked);
        let signature = previous.map(|key| bucket.objects[key].metadata.clone().unwrap().signature.unwrap());
        json!({
            "awsAccountId": ACCOUNT, "digestStartTime": time(start).to_string(), "digestEndTime": time(end).to_string(),
            "digestS3Bucket": BUCKET, "digestS3Object": self.digest_key(end), "digestPublicKeyFingerprint": FINGERPRINT,
            "digestSignatureAlgorithm": ALGORITHM, "newestEventTime": null, "oldestEventTime": null,
            "previousDigestS3Bucket": previous.map(|_| BUCKET), "previousDigestS3Object": previous,
            "previousDigestHashValue": previous.map(|key| Hash::of(&bucket.content(key)).to_string()),
            "previousDigestHashAlgorithm": previous.map(|_| "SHA-256"), "previousDigestSignature": signature,
            "logFiles": files.iter().map(listed).collect::<Vec<_>>(),
        })
    }

    /// Signs a document and puts it where it says.
    pub(super) fn deliver(&mut self, bucket: &mut Bucket, document: &Value) -> String {
        let raw = document.to_string();
        let text = |name: &str| document[name].as_str().unwrap_or("null").to_owned();
        let key = text("digestS3Object");
        let signed = format!(
            "{}\n{BUCKET}/{key}\n{}\n{}",
            text("digestEndTime"),
            Hash::of(raw.as_bytes()),
            text("previousDigestSignature")
        );
        let metadata = SignatureMetadata {
            signature: Some(sign(self.signs, &signed)),
            algorithm: Some(ALGORITHM.to_owned()),
            backfill_generated: self.is_backfill.then(|| time("18:00:00").to_string()),
        };
        bucket.objects.insert(key.clone(), Stored { bytes: gzip(raw.as_bytes()), metadata: Some(metadata) });
        self.digests.push(key.clone());
        self.is_linked = true;
        key
    }
}

/// A trail's bucket.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) trail: Trail,
    pub(super) bucket: Bucket,
}

impl World {
    /// From 10:01:31 on, two log files and a digest an hour.
    pub(super) fn hours(hours: usize) -> Self {
        let mut world = Self { trail: Trail::new("AWSLogs/", "trail"), bucket: Bucket::default() };
        world.pass_hours(hours);
        world
    }

    pub(super) fn pass_hours(&mut self, hours: usize) {
        for _ in 0..hours {
            let hour = 10 + self.trail.digests.len();
            let files: Vec<String> =
                ["15", "40"].iter().map(|minute| self.log(&format!("{hour}:{minute}"), "aaaaaaaaaaaaaaaa")).collect();
            self.trail.digest(&mut self.bucket, &format!("{hour}:01:31"), &format!("{}:01:31", hour + 1), &files);
        }
    }

    pub(super) fn log(&mut self, minute: &str, id: &str) -> String {
        self.trail.log(&mut self.bucket, minute, id)
    }

    /// The key of a digest, by its place.
    pub(super) fn digest(&self, index: usize) -> String {
        self.trail.digests[index].clone()
    }

    /// A log file of a digest.
    pub(super) fn listed(&self, digest: usize, file: usize) -> String {
        self.bucket.document(&self.digest(digest))["logFiles"][file]["s3Object"].as_str().unwrap().to_owned()
    }

    /// Checks each digest that is still there, minutes after it came.
    pub(super) async fn reports(&self) -> Vec<Report> {
        let mut reports = Vec::new();
        for key in self.trail.digests.iter().filter(|key| self.bucket.objects.contains_key(*key)) {
            let end = trailhound::integrity::DigestName::of(key).unwrap().end;
            reports.push(self.bucket.check(key, end + jiff::SignedDuration::from_mins(5)).await);
        }
        reports
    }

    /// What is damaged, as `what of file`, in the order of the digests that say so; nothing may be unchecked.
    pub(super) async fn damage(&self) -> String {
        let mut found = Vec::new();
        for report in self.reports().await {
            assert_eq!(report.unchecked, []);
            for damage in report.damage {
                assert_eq!((damage.account.as_str(), damage.region.as_str()), (ACCOUNT, REGION));
                assert_eq!((damage.trail.as_str(), &damage.digest), (self.trail.name.as_str(), &report.digest));
                found.push(format!("{} {}", damage.what.name(), short(&damage.object.key)));
            }
        }
        found.join("; ")
    }
}

/// `digest 11:01:31`, or `log 10:15 aaaa`.
pub(super) fn short(key: &str) -> String {
    let clock = |from: usize, to: usize| key.rsplit('/').next().unwrap()[from..to].to_owned();
    match trailhound::integrity::DigestName::of(key) {
        Some(name) => format!("digest {}", &name.end.to_string()[11..19]),
        None => format!("log {}:{} {}", clock(43, 45), clock(45, 47), clock(49, 53)),
    }
}
