//! The ports on one machine, and the host that serves every function in one process.
//!
//! ```text
//!   clients ──▶ http ──▶ routes ─┐                      ┌─▶ listeners
//!                                ├─▶ store ──▶ relay ───┤
//!   workflows ──▶ steps ─────────┘   (one file)         └─▶ bus
//! ```
//!
//! One process owns one data folder; a second one is refused by the file's lock.

pub mod blobs;
pub mod bus;
pub mod clock;
mod dispatch;
mod gate;
pub mod host;
pub mod http;
pub mod queue;
mod relay;
pub mod store;
#[cfg(test)]
mod testing;
mod vitals;
pub mod workflows;

pub use blobs::FolderBlobs;
pub use bus::LocalBus;
pub use clock::HeldClock;
pub use dispatch::StepFailure;
pub use host::Host;
pub use mano_ports::clock::{RandomIds, SystemClock};
pub use queue::SqliteQueue;
pub use store::SqliteStore;
pub use workflows::Engine;
