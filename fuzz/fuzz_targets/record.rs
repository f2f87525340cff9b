//! Any bytes as a record, and any path: see `check::fuzzed_record`.
#![no_main]

#[expect(dead_code, reason = "tests ask for more of it, and so does the other target")]
#[path = "../check/mod.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::fuzzed_record(input));
