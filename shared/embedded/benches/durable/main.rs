//! Measures the durable engine: steps a second with fsync on, what a kill leaves, a million sleepers.
//!
//! ```text
//!   cargo bench -p mano-embedded --bench durable [-- steps|sleepers]
//!   SECONDS=8 SLEEPERS=1000000 DURABLE_DIR=target/tmp
//! ```
//!
//! A step is one Task of a workflow of five: its call, its answer, its history. The bench starts
//! itself as a process of its own, reads from it which steps are acknowledged, kills it with
//! SIGKILL in full run, and looks for every acknowledged step in what the disk holds.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement fails loudly, prints and divides"
)]

mod disk;
mod sleepers;
mod steps;
mod world;

use std::{path::PathBuf, time::Duration};

/// A number the caller may set.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A new folder on the disk to measure.
fn folder() -> tempfile::TempDir {
    let root = std::env::var_os("DURABLE_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tmp")),
        PathBuf::from,
    );
    std::fs::create_dir_all(&root).unwrap();
    tempfile::tempdir_in(root).unwrap()
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [child, folder, lanes, mode] = &words[..]
        && child == "child"
    {
        steps::child(folder.as_ref(), lanes.parse().unwrap(), mode == "strict");
        return;
    }
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    let span = Duration::from_secs(setting("SECONDS", 8));
    println!("| what | reached | aim |\n|---|---|---|");
    if wanted("steps") {
        disk::raw(folder().path());
        for (lanes, mode) in [(1, "strict"), (64, "strict"), (1, "behind"), (64, "behind")] {
            steps::measure(folder().path(), lanes, mode, span);
        }
    }
    if wanted("sleepers") {
        sleepers::measure(folder().path(), setting("SLEEPERS", 1_000_000));
    }
}
