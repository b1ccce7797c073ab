//! One binary for every test that looks at the whole.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test reports by panicking"
)]

mod boundaries;
mod cost;
#[path = "fuzz/entry.rs"]
mod entry;
mod faults;
mod golden;
mod journeys;
mod payloads;
#[path = "fuzz/replay.rs"]
mod replay;
mod schema;
mod thousand;
mod too_long;
mod wiring;
mod workflows;
mod world;
