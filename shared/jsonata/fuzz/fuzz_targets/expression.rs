//! Feeds expressions, each with an input, to the evaluator, and weighs the memory they take.
#![no_main]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a find is a panic")]

#[path = "../judge.rs"]
mod judge;

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Most bytes an expression may hold at any time, beside its text and input.
const MOST: usize = 64 << 20;

libfuzzer_sys::fuzz_target!(|data: &str| {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    judge::expression(data);
    let most = MEMORY.peak_usage().saturating_sub(before);
    assert!(most <= MOST, "{most} bytes at once");
});
