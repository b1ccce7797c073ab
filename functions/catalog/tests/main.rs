//! Stories of packages and NS descriptors over HTTP, on the ports of one machine.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests report by panicking"
)]

mod content;
mod lifecycle;
mod listing;
mod packages;
mod uploading;
mod world;
