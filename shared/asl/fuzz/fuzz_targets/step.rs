//! Feeds definitions, and what happens outside in any order, to executions.
#![no_main]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a find is a panic")]
#![allow(dead_code, reason = "each target judges one kind of input")]

#[path = "../judge/mod.rs"]
mod judge;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = judge::step(data);
});
