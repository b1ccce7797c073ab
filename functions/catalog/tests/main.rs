//! Stories of packages and NS descriptors over HTTP, on the ports of one machine.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests report by panicking, and say what they skip"
)]

mod addresses;
mod content;
mod lifecycle;
mod listing;
mod packages;
mod pieces;
mod redrive;
mod store;
mod uploading;
mod world;
