//! Any text in every place of a record, told on every channel: see `alert::fuzzed_alert`.
#![no_main]

#[path = "../alert/mod.rs"]
mod alert;

libfuzzer_sys::fuzz_target!(|input: &[u8]| alert::fuzzed_alert(input));
