//! What the crate promises, tried on real packages, our own, and hostile ones.

mod packages;
mod support;
