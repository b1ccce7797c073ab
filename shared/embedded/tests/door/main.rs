//! The rules of the door, against a table of its own on the embedded store.

mod checks;
mod conventions;
mod lists;
mod world;
