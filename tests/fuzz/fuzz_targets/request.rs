//! Feeds arbitrary bytes to the whole orchestrator, as one request each.
#![no_main]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a find is a panic")]
#![allow(dead_code, reason = "the world is the one of the tests, which ask it for more")]

#[path = "../entry.rs"]
mod entry;
#[path = "../../world/mod.rs"]
mod world;
/// What the world of the tests is made of.
mod wiring {
    pub(crate) use mano_edge::serve::wiring::FUNCTIONS;
}

use entry::Entry;
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;

/// A world gets that many requests; then a fresh one does, so that finds depend on little.
const REQUESTS: u32 = 2000;

thread_local! {
    static ENTRY: RefCell<Option<(Entry, u32)>> = const { RefCell::new(None) };
}

fuzz_target!(|data: &[u8]| {
    ENTRY.with_borrow_mut(|entry| {
        let (here, left) = entry.get_or_insert_with(|| (Entry::new(), REQUESTS));
        let _ = here.judge(data);
        *left -= 1;
        if *left == 0 {
            *entry = None;
        }
    });
});
