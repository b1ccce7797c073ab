//! The rules of the door, against a table of its own on the embedded store; and the server over
//! real connections.

mod checks;
mod conventions;
mod lists;
mod server;
mod world;
