//! What the functions offer and what they need: tables for hosts, ports for adapters.
//!
//! ```text
//!   host ──reads tables──▶ Function ──uses──▶ Cx { store, workflows, bus, queue, blobs, vims, clock }
//! ```
//!
//! A port is a small object-safe trait, its error enum and its contract: laws in
//! the doc comment, the same words as tests in `contract` (feature `contract`).

pub mod blobs;
pub mod bus;
pub mod clock;
pub mod cx;
pub mod door;
pub mod error;
pub mod function;
pub mod hex;
pub mod http;
pub mod queue;
pub mod store;
pub mod vim;
pub mod workflows;

#[cfg(feature = "contract")]
pub mod contract;

pub use cx::Cx;
pub use error::{Error, Fault};
