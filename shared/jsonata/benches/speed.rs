//! How long an expression takes once it is read.
fn main() {}
