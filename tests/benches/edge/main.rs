//! Measures the one-binary orchestrator as its clients see it, beside what the disk can do.
//!
//! `make bench` builds the release binary and runs this. Everything is on: fsync at every commit,
//! all checks of the interfaces, documents of 2 KB and more; the load comes from this process on
//! the same cores.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark reports by printing, and stops where it cannot measure"
)]

mod client;
#[path = "../../world/descriptors.rs"]
mod descriptors;
mod measure;
mod package;
mod raw;
mod scenes;
mod server;

fn main() {
    // `cargo test` builds benches too and runs them with this; there is nothing to test here.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(scenes::all(only.as_deref()));
}
