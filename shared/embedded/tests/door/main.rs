//! The rules of the door, against a table of its own on the embedded store; and the server over
//! real connections.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod checks;
mod conventions;
mod keys;
mod lists;
mod server;
mod world;
