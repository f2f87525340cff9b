//! More than a thousand broken files, by rule and by hand. In each somebody stops a trail, a user of its own each time.

use std::io::Read as _;

use flate2::Compression;
use flate2::read::MultiGzDecoder;

use super::forms::{BEHIND, ELEMENTS, FILES, HUGE, LARGE, NESTED};
use crate::reading::check::gzip;

pub(super) struct Shape {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// Who stops the trail.
    pub(super) user: String,
    /// Whether that stands whole before the damage, and so has to be told.
    pub(super) told: bool,
}

#[derive(Default)]
pub(super) struct Shapes(pub(super) Vec<Shape>);

impl Shapes {
    /// The next file; `make` gets the record.
    pub(super) fn add(&mut self, name: impl Into<String>, told: bool, make: impl FnOnce(&str) -> Vec<u8>) {
        let user = format!("u{:04}x", self.0.len());
        let bytes = make(&stop(&user));
        self.0.push(Shape { name: name.into(), bytes, user, told });
    }

    fn text(&mut self, told: bool, form: &str) {
        self.add(form, told, |stop| form.replace("STOP", stop).into_bytes());
    }

    /// Packed: it has to be told if another reader comes past it.
    fn packed(&mut self, name: String, make: impl FnOnce(&str) -> Vec<u8>) {
        self.add(name, false, make);
        if let Some(shape) = self.0.last_mut() {
            shape.told = inflated(&shape.bytes).starts_with(&format!("{BEGINNING}{}", stop(&shape.user)));
        }
    }
}

/// A record that stops a trail.
fn stop(user: &str) -> String {
    let arn = format!("arn:aws:iam::111122223333:user/{user}");
    format!(r#"{{"eventName":"StopLogging","userIdentity":{{"type":"IAMUser","arn":"{arn}"}},"eventID":"{user}"}}"#)
}

const BEGINNING: &str = r#"{"Records":["#;

fn whole(stop: &str) -> Vec<u8> {
    format!(r#"{BEGINNING}{stop},{{"eventName":"GetUser"}},{{"eventName":"ü\n"}}]}}"#).into_bytes()
}

fn packed(stop: &str) -> Vec<u8> {
    gzip(&whole(stop), Compression::default())
}

/// What another reader makes of it, byte by byte up to the damage.
fn inflated(bytes: &[u8]) -> String {
    let (mut decoder, mut plain, mut byte) = (MultiGzDecoder::new(bytes), Vec::new(), [0]);
    while let Ok(1) = decoder.read(&mut byte) {
        plain.extend(byte);
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Files of a few hundred bytes.
pub(super) fn small() -> Vec<Shape> {
    let mut shapes = Shapes::default();
    cut(&mut shapes);
    damaged_plain(&mut shapes);
    damaged_gzip(&mut shapes);
    several_members(&mut shapes);
    something_else(&mut shapes);
    by_hand(&mut shapes);
    shapes.0
}

/// Too short, by every byte.
fn cut(shapes: &mut Shapes) {
    let end_of_record = BEGINNING.len() + stop("u0000x").len();
    for end in 0..whole(&stop("u0000x")).len() {
        shapes.add(format!("plain, cut at {end}"), end >= end_of_record, |stop| whole(stop)[..end].to_vec());
    }
    for end in 0..packed(&stop("u0000x")).len() {
        shapes.packed(format!("gzip, cut at {end}"), |stop| packed(stop)[..end].to_vec());
    }
}

/// One byte is another one, at every place.
fn damaged_plain(shapes: &mut Shapes) {
    let end_of_record = BEGINNING.len() + stop("u0000x").len();
    for at in 0..whole(&stop("u0000x")).len() {
        let byte = b"\0\xff\"\\}],{x "[at % 10];
        shapes.add(format!("plain, {byte:#x} at {at}"), at >= end_of_record, |stop| {
            let mut bytes = whole(stop);
            bytes[at] = byte;
            bytes
        });
    }
}

/// One bit is another one, at every byte: header, codes, checksum, length.
fn damaged_gzip(shapes: &mut Shapes) {
    for at in 0..packed(&stop("u0000x")).len() {
        shapes.packed(format!("gzip, a bit of byte {at}"), |stop| {
            let mut bytes = packed(stop);
            bytes[at] ^= 1 << (at % 8);
            bytes
        });
    }
}

/// Several gzip members, of which the second is not as it should be, or not there.
fn several_members(shapes: &mut Shapes) {
    let second = gzip(br#"{"Records":[{"eventName":"second"}]}"#, Compression::default());
    let then = |behind: &[u8], stop: &str| [&packed(stop), behind].concat();
    for end in 0..=second.len() {
        shapes.packed(format!("gzip, a second member cut at {end}"), |stop| then(&second[..end], stop));
    }
    for at in 0..second.len() {
        let mut second = second.clone();
        second[at] ^= 0x10;
        shapes.packed(format!("gzip, a second member damaged at {at}"), |stop| then(&second, stop));
    }
    for behind in
        [&b"\0"[..], b"\0\0\0\0", b"\0junk", b"junk", b"\n", b"{}", b"PK\x03\x04", b"\x1f", b"\x1f\x8b", b"\x1f\x1f"]
    {
        shapes.packed(format!("gzip, then {behind:?}"), |stop| then(behind, stop));
    }
    shapes.add("gzip of gzip", false, |stop| gzip(&packed(stop), Compression::fast()));
    shapes.packed("a member a byte".to_owned(), |stop| {
        whole(stop).iter().flat_map(|byte| gzip(&[*byte], Compression::fast())).collect()
    });
}

/// What people put into buckets besides.
fn something_else(shapes: &mut Shapes) {
    for bytes in [
        &b""[..],
        b" ",
        b"\n\r\n\t ",
        b"\0",
        b"\xef",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\xef\xbb\xbf",
        b"\xbf\xbb\xef",
        b"\xff\xfe{\0",
        b"\xfe\xff\0{",
        b"PK\x03\x04\x14\0",
        b"BZh91AY&SY",
        b"\x28\xb5\x2f\xfd\x04",
        b"\xfd7zXZ\0",
        b"\x78\x9c\x4b\x04\0",
        b"\x04\x22\x4d\x18",
        b"\xff\x06\0\0sNaPpY",
        b"PAR1",
        b"Obj\x01",
        b"ORC",
        b"<?xml version=\"1.0\"?><Error/>",
        b"<!DOCTYPE html>",
        b"Access Denied",
        b"a,b,c\n1,2,3\n",
        b"---\nRecords: []\n",
        b"\x1f",
        b"\x1f\x8b",
        b"\x1f\x8b\x08",
        b"\x1f\x9d\x90",
        b"\x1f\xa0",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
        b"\x1f\x8b\x08\x1e\0\0\0\0\0\xff\xff\xff",
        b"\x1f\x8b\x08\xe0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0",
        b"\x1f\x8b\x08\x02\0\0\0\0\0\xff\0\0\x03\0\0\0\0\0\0\0\0\0",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x05\0\x05\0",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x07",
    ] {
        shapes.add(format!("only {}", bytes.escape_ascii()), false, |_| bytes.to_vec());
    }
    let flat = [&b""[..], b" ", b"\xef\xbb\xbf"].map(|plain| gzip(plain, Compression::fast()));
    flat.into_iter().for_each(|bytes| shapes.add("gzip of nothing", false, |_| bytes));
}

fn by_hand(shapes: &mut Shapes) {
    for element in ELEMENTS {
        for form in
            ["{\"Records\":[STOP,X,{\"eventName\":\"GetUser\"}]}", "[STOP,X]", "STOP\nX\n{\"eventName\":\"GetUser\"}\n"]
        {
            shapes.text(true, &form.replace('X', element));
        }
        shapes.text(false, &format!("{{\"Records\":[{element},STOP]}}"));
    }
    FILES.iter().for_each(|form| shapes.text(false, form));
    BEHIND.iter().for_each(|form| shapes.text(true, form));
    let bytes: [&[u8]; 8] =
        [b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\xbd", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80", b"\xff\"\xff"];
    for odd in bytes {
        for form in [
            "[STOP,{\"eventName\":\"X\"}]",
            "[STOP,{\"X\":1,\"eventName\":\"x\"}]",
            "[STOP,X]",
            "[STOP]X",
            "{\"Records\":[STOP],\"X\":1}",
            "STOP\nX{}",
        ] {
            let (before, behind) = form.split_once('X').unwrap();
            let name = format!("{before}{}{behind}", odd.escape_ascii());
            shapes.add(name, true, |stop| [before.replace("STOP", stop).as_bytes(), odd, behind.as_bytes()].concat());
        }
    }
}

/// Larger than a record may be.
pub(super) fn larger_than(max_record: usize) -> Vec<Shape> {
    let mut shapes = Shapes::default();
    LARGE.iter().for_each(|(told, part, form)| large(&mut shapes, *told, form, part, max_record + 10_000));
    shapes.0
}

/// Files with a string of 5 MB, and a record of 4 MB, for the limits that people have.
pub(super) fn huge() -> Vec<Shape> {
    let mut shapes = Shapes::default();
    HUGE.iter().for_each(|(told, part, form)| large(&mut shapes, *told, form, part, 5_000_000));
    // As a tree it would take fifty times as much.
    let policy = r#"[STOP,{"eventName":"PutBucketPolicy","requestParameters":{"bucketPolicy":{"Statement":[X7]}}}]"#;
    large(&mut shapes, true, policy, "[],", 4_000_000);
    shapes.0
}

fn large(shapes: &mut Shapes, told: bool, form: &str, part: &str, bytes: usize) {
    let filler = part.repeat(bytes / part.len());
    let make = |stop: &str| form.replace("STOP", stop).replace('X', &filler).into_bytes();
    shapes.add(format!("{bytes} bytes of {part:?} in {form}"), told, make);
}

/// Nested more than anybody writes: lists, objects, a text that holds lists, and without an end.
pub(super) fn deep() -> Vec<Shape> {
    const DEEP: usize = 100_000;
    let mut shapes = Shapes::default();
    let nested = |open: &str, close: &str, times: usize| open.repeat(times) + "7" + &close.repeat(times);
    let text = format!("\"{}\"", nested("[", "]", DEEP / 10));
    let inner = [nested("[", "]", DEEP), nested("{\"name\":", "}", DEEP / 10), text, "[".repeat(DEEP / 2)];
    for (form, inner) in NESTED.iter().flat_map(|form| inner.iter().map(move |inner| (form, inner))) {
        let name = format!("{inner:.2}… deep in {form}");
        shapes.add(name, true, |stop| form.replace("STOP", stop).replace('X', inner).into_bytes());
    }
    for text in ["[", "]", "{\"a\":", "{\"Records\":["] {
        shapes.add(format!("only {text}"), false, |_| text.repeat(DEEP / text.len()).into_bytes());
    }
    shapes.0
}

/// Small files that inflate to nearly a thousand times as much, which is the most that gzip does.
pub(super) fn bombs(bytes: usize) -> Vec<Shape> {
    let mut shapes = Shapes::default();
    let things = [(1, " "), (1, "\""), (1, "["), (1, r#"{"eventName":""#), (8, "7,"), (8, r#"{"eventName":"x"},"#)];
    for (share, part) in things {
        let bytes = bytes / share;
        shapes.add(format!("a bomb of {part:?}"), true, |stop| {
            let plain = format!("{BEGINNING}{stop},{}", part.repeat(bytes / part.len()));
            gzip(plain.as_bytes(), Compression::best())
        });
    }
    shapes.0
}
