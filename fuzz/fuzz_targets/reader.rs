//! Any bytes as a file, in any chunks: see `check::fuzzed_file`.
#![no_main]

#[expect(dead_code, reason = "tests ask for more of it, and so does the other target")]
#[path = "../check/mod.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::fuzzed_file(input));
