//! One binary for every test that looks at the whole.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test reports by panicking"
)]

mod boundaries;
mod golden;
mod wiring;
mod workflows;
