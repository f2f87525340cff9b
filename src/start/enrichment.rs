//! Data about addresses, from a folder or from S3.
//!
//! The function starts without what it can't load, because most rules don't ask for it: who waits for a mended file must not lose
//! what all the others find meanwhile. So each failure is a line in the log and a count, and each rule that asks for what is
//! missing is named.

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::{Instant as Deadline, timeout_at};

use crate::config::{EnrichmentFrom, MAX_ENRICHMENT_BYTES};
use crate::enrichment::{DATABASE, Enrichment, IP_RANGES};
use crate::telemetry::{self, Event};
use crate::trigger::ObjectRef;

use super::StartError;
use super::cloud::Cloud;

/// For all of it to come from S3. Lambda gives a start ten seconds.
const PATIENCE: Duration = Duration::from_secs(6);

/// What was loaded, and what can't be.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) enrichment: Enrichment,
    /// What more may be loaded, in bytes.
    room: usize,
    failures: Vec<Failure>,
}

#[derive(Debug)]
struct Failure {
    place: String,
    why: String,
}

impl Gathered {
    fn new(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    /// How many places and files can't be used.
    pub(super) fn failed(&self) -> u64 {
        self.failures.len() as u64
    }

    fn fail(&mut self, place: impl Display, why: String) {
        self.failures.push(Failure { place: place.to_string(), why });
    }

    /// Takes a file in.
    fn file(&mut self, place: impl Display, name: &str, read: Result<Vec<u8>, String>) {
        let added = read.and_then(|bytes| {
            self.room = self.room.saturating_sub(bytes.len());
            self.enrichment.add(name, bytes).map_err(|error| error.to_string())
        });
        if let Err(why) = added {
            self.fail(place, why);
        }
    }

    /// A place without data was meant to have some.
    fn or_nothing(mut self, place: impl Display) -> Self {
        if self.failures.is_empty() && self.enrichment.is_empty() {
            self.fail(place, format!("there is neither {IP_RANGES} nor a file whose name ends in {DATABASE}"));
        }
        self
    }
}

/// Loads what there is, and says what was loaded and what can't be. The files may have so many bytes together.
pub(super) async fn gather(from: &EnrichmentFrom, max_bytes: usize, cloud: &Cloud) -> Gathered {
    let start = Instant::now();
    let mut gathered = Gathered::new(max_bytes);
    match from {
        EnrichmentFrom::Folder(folder) => from_folder(folder, &mut gathered),
        EnrichmentFrom::S3 { bucket, prefix } => from_s3(bucket, prefix, cloud, &mut gathered).await,
    }
    let gathered = gathered.or_nothing(from);
    report(from, &gathered, start);
    gathered
}

/// Loads the files of a folder.
///
/// # Errors
/// When any can't be read or understood, or there is none: at a terminal somebody can mend it.
pub fn enrichment_folder(folder: &Path) -> Result<Enrichment, StartError> {
    let start = Instant::now();
    let mut gathered = Gathered::new(MAX_ENRICHMENT_BYTES);
    from_folder(folder, &mut gathered);
    let mut gathered = gathered.or_nothing(folder.display());
    if let Some(Failure { place, why }) = gathered.failures.pop() {
        return Err(StartError::Enrichment { place, why });
    }
    report(folder.display(), &gathered, start);
    Ok(gathered.enrichment)
}

fn report(place: impl Display, gathered: &Gathered, start: Instant) {
    let place = &place.to_string();
    let files: Vec<String> = gathered.enrichment.files().map(ToString::to_string).collect();
    let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    if !gathered.enrichment.is_empty() {
        telemetry::emit(&Event::EnrichmentLoaded { place, files: &files.join(", "), milliseconds });
    }
    for Failure { place, why } in &gathered.failures {
        telemetry::emit(&Event::EnrichmentFailed { place, error: why });
    }
}

fn from_folder(folder: &Path, gathered: &mut Gathered) {
    let names = match names_in(folder) {
        Ok(names) => names,
        Err(error) => return gathered.fail(folder.display(), error.to_string()),
    };
    for name in names {
        let path = folder.join(&name);
        let read = read_file(&path, gathered.room);
        gathered.file(path.display(), &name, read);
    }
}

/// The names of the files that are read, in their order.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| Enrichment::reads(name)));
    }
    names.sort_unstable();
    Ok(names)
}

fn read_file(path: &Path, room: usize) -> Result<Vec<u8>, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > room as u64 {
        return Err(too_large(room));
    }
    fs::read(path).map_err(|error| error.to_string())
}

/// What can't be had in time is left out.
async fn from_s3(bucket: &str, prefix: &str, cloud: &Cloud, gathered: &mut Gathered) {
    let ends = Deadline::now() + PATIENCE;
    let objects = match in_time(ends, cloud.list(bucket, prefix)).await {
        Ok(objects) => objects,
        Err(why) => return gathered.fail(format!("s3://{bucket}/{prefix}"), why),
    };
    for object in objects {
        let Some(name) = name_below(prefix, &object) else { continue };
        let room = gathered.room;
        let read = in_time(ends, cloud.bytes(&object, room)).await;
        gathered.file(&object, &name, read.and_then(|bytes| bytes.ok_or_else(|| too_large(room))));
    }
}

async fn in_time<T>(ends: Deadline, work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let late = || format!("it didn't come within the {} s that there are for all of it", PATIENCE.as_secs());
    timeout_at(ends, work).await.unwrap_or_else(|_| Err(late()))
}

/// The name of an object that lies right below the prefix and is read.
fn name_below(prefix: &str, object: &ObjectRef) -> Option<String> {
    object.key.strip_prefix(prefix).filter(|name| Enrichment::reads(name) && !name.contains('/')).map(str::to_owned)
}

fn too_large(room: usize) -> String {
    format!(
        "it is larger than the {room} bytes that are left for it; give the function more memory, or take a file out"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(name: &str) -> Vec<u8> {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/enrichment/data").join(name)).unwrap()
    }

    #[test]
    fn only_what_lies_right_below_the_prefix_is_read() {
        for (key, expected) in [
            ("data/GeoLite2-ASN.mmdb", Some("GeoLite2-ASN.mmdb")),
            ("data/ip-ranges.json", Some("ip-ranges.json")),
            ("data/old/GeoLite2-ASN.mmdb", None),
            ("data/GeoLite2-ASN.mmdb.gz", None),
            ("data/my-ip-ranges.json", None),
            ("data/", None),
        ] {
            let object = ObjectRef { bucket: "b".into(), key: key.into(), version_id: None };
            assert_eq!(name_below("data/", &object).as_deref(), expected, "{key}");
        }
    }

    #[tokio::test]
    async fn what_can_t_be_used_keeps_nothing_else_out_and_is_counted() {
        let folder = tempfile::TempDir::new().unwrap();
        for (name, bytes) in [
            ("city.mmdb", data("city.mmdb")),
            ("ip-ranges.json", b"<html>".to_vec()),
            ("cut.mmdb", data("asn.mmdb")[..500].to_vec()),
            ("connection.mmdb", data("connection.mmdb")),
            ("README.md", Vec::new()),
        ] {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let cloud = Cloud::load(false).await;
        let from = EnrichmentFrom::Folder(folder.path().to_owned());
        let gathered = gather(&from, 10_000, &cloud).await;
        let files: Vec<String> = gathered.enrichment.files().map(ToString::to_string).collect();
        assert_eq!(files, ["city.mmdb of 2026-11-04 (GeoLite2-City: countries)"]);
        let failures: Vec<&str> = gathered.failures.iter().map(|failure| failure.why.as_str()).collect();
        assert_eq!(gathered.failed(), 3, "{failures:?}");
        for (failure, part) in failures.iter().zip([
            "connection.mmdb (GeoIP2-Connection-Type) has neither AS numbers nor countries",
            "cut.mmdb is no database in MaxMind's format",
            "ip-ranges.json is not the list that AWS publishes",
        ]) {
            assert!(failure.starts_with(part), "{failure}");
        }
        // A function that is out of memory would find nothing at all.
        let gathered = gather(&from, 1_000, &cloud).await;
        assert!(gathered.failures[0].why.contains("larger than the 1000 bytes"), "{:?}", gathered.failures);
        for from in [EnrichmentFrom::Folder("nowhere".into()), EnrichmentFrom::Folder("src".into())] {
            assert_eq!(gather(&from, 1_000, &cloud).await.failed(), 1, "{from}");
        }
    }

    #[test]
    fn at_a_terminal_any_failure_is_an_error() {
        let folder = tempfile::TempDir::new().unwrap();
        let error = |folder: &Path| enrichment_folder(folder).unwrap_err().to_string();
        assert!(error(folder.path()).contains("there is neither ip-ranges.json nor a file"));
        fs::write(folder.path().join("asn.mmdb"), data("asn.mmdb")).unwrap();
        assert_eq!(enrichment_folder(folder.path()).unwrap().files().count(), 1);
        fs::write(folder.path().join("ip-ranges.json"), "{}").unwrap();
        assert!(error(folder.path()).contains("ip-ranges.json is not the list that AWS publishes: missing field"));
        assert!(error(&folder.path().join("elsewhere")).contains("No such file"));
    }
}
